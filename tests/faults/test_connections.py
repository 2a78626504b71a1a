"""How many connections a server takes, what those beyond get, and life without descriptors."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from hybrid_transcribe.rest.connections import (
    ConnectionLimits,
    ListeningSocket,
    OpenConnections,
    raise_descriptor_limit,
    refusal,
)
from tests.services import environment, wavs

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits as Linux has them")

ROOT = Path(__file__).resolve().parents[2]

#: A server in a process with few descriptors; it answers until its input ends.
_SERVER = """
import logging, resource, sys
from pathlib import Path
logging.basicConfig()
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[2]), int(sys.argv[3])))
from tests.services import service
with service(Path(sys.argv[1])) as s, s.serve(token="t") as server:
    print(server.url, resource.getrlimit(resource.RLIMIT_NOFILE)[0], flush=True)
    sys.stdin.read()
"""


class Few:
    """A server with few descriptors, as a process."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process, self._log = process, log
        assert process.stdout is not None
        url, soft = process.stdout.readline().split()
        self.soft = int(soft)
        host, _, port = url.removeprefix("http://").partition(":")
        self.address = (host, int(port))

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, 20)

    def ask(self, path: str, connection: socket.socket | None = None) -> tuple[int, bytes]:
        """Status and body of a GET, on a connection of its own or one that is there."""
        with ExitStack() as stack:
            if connection is None:
                connection = stack.enter_context(self.connect())
            head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: token t\r\n\r\n"
            connection.sendall(head.encode())
            return _answer(connection)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")


def _answer(connection: socket.socket) -> tuple[int, bytes]:
    with connection.makefile("rb") as lines:
        status = int(lines.readline().split()[1])
        length = 0
        while (line := lines.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, lines.read(length)


@contextmanager
def few(folder: Path, soft: int, hard: int) -> Iterator[Few]:
    log = folder / "log"
    command = [sys.executable, "-c", _SERVER, str(folder / "state"), str(soft), str(hard)]
    with log.open("w") as written:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        )
        try:
            yield Few(process, log)
        finally:
            process.communicate(timeout=60)


def test_limits_leave_descriptors_for_the_work() -> None:
    """Connections have a share of what there is, and one address half of that."""
    for n_descriptors in (256, 1024, 20_000, 1 << 20):
        limits = ConnectionLimits.of(n_descriptors)
        assert 32 <= limits.total <= 4000
        assert limits.total <= max(32, n_descriptors - 224)
        assert limits.per_address <= limits.total
    assert ConnectionLimits.of(1 << 20, behind_proxy=True).per_address == 4000


def test_the_soft_limit_is_raised() -> None:
    """To the hard one, and never lowered."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard))
        raised = raise_descriptor_limit()
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == (raised, hard)
        assert raised == min(hard, 1 << 20) > 256
        assert raise_descriptor_limit() == raised
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_one_address_does_not_keep_out_others() -> None:
    """Its own limit is reached first; an ended connection makes room, told or not."""
    closed: set[object] = set()
    there = OpenConnections(ConnectionLimits(3, 2), closed.__contains__)
    assert [there.admit(n, "a") for n in range(3)] == [True, True, False]
    assert there.admit("other", "b")
    assert not there.admit("more", "b")
    there.forget(0)
    assert there.admit("more", "b")
    closed.add(1)
    assert there.admit("again", "a")
    assert len(there) == 3


def test_a_refusal_is_whole_http() -> None:
    """A problem of ours, with the time after which to try again."""
    head, _, body = refusal().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 503 ")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Retry-After: " in head
    assert json.loads(body)["code"] == "overloaded"


def test_f80_connections_are_bounded_and_refused_in_http(tmp_path: Path) -> None:
    """As many as fit are held open by one client; others get 503, and later an answer again."""
    with few(tmp_path, 512, 512) as server, ExitStack() as held:
        limits = ConnectionLimits.of(512)
        mine = [held.enter_context(server.connect()) for _ in range(limits.per_address)]
        # Accepted in order: the last has been counted when it has had an answer.
        assert server.ask("/health", mine[-1])[0] == 200
        status, body = server.ask("/health")
        assert (status, json.loads(body)["code"]) == (503, "overloaded")
        assert server.ask("/health", mine[0])[0] == 200

        mine[1].close()
        mine[2].close()
        assert _until_answered(server) == 200
        assert server.log.count("Connections refused") == 1


def test_f81_without_descriptors_requests_get_503(tmp_path: Path) -> None:
    """No traceback, nothing is said to be gone, and all goes on when there are some again."""
    (wav,) = wavs(tmp_path, "x", seconds=1)
    with few(tmp_path, 256, 256) as server, server.connect() as kept:
        sent = _post(server, kept, wav.read_bytes())
        assert sent[0] in (200, 202)
        job = json.loads(sent[1])
        audio = f"/jobs/{job['job_id']}/recordings/{job['recordings'][0]['recording_id']}/audio"
        with _hoard(server.process.pid):
            assert server.ask("/health", kept)[0] == 200
            for path in (audio, "/docs"):
                status, body = server.ask(path, kept)
                assert (status, json.loads(body)["code"]) == (503, "overloaded"), path
            status, body = _post(server, kept, wav.read_bytes())
            assert (status, json.loads(body)["code"]) == (503, "overloaded")
        assert server.ask(audio, kept)[0] == 200
        assert _post(server, kept, wav.read_bytes())[0] in (200, 202)
        assert "Traceback" not in server.log
        assert "gone" not in server.log


@contextmanager
def _hoard(pid: int) -> Iterator[None]:
    """Leave that process no descriptor beyond those that it has open."""
    import resource

    # A new descriptor has the lowest free number, as the listing of our own has.
    numbers = {int(entry.name) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    lowest_free = next(n for n in range(max(numbers) + 2) if n not in numbers)
    if pid == os.getpid():
        lowest_free = os.dup(0)
        os.close(lowest_free)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (lowest_free, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, before)


def _post(server: Few, connection: socket.socket, body: bytes) -> tuple[int, bytes]:
    head = (
        "POST /jobs?name=x.wav HTTP/1.1\r\nHost: localhost\r\nAuthorization: token t\r\n"
        f"Content-Type: audio/wav\r\nContent-Length: {len(body)}\r\nPrefer: wait=30\r\n\r\n"
    )
    connection.sendall(head.encode() + body)
    return _answer(connection)


def _until_answered(server: Few) -> int:
    """The first answer that is no refusal: the server hears of an end a moment later."""
    while (status := server.ask("/health")[0]) == 503:
        pass
    return status


def test_f82_accepting_without_descriptors_turns_callers_away(tmp_path: Path) -> None:
    """The event loop is not told of the same caller for ever, and the caller is told 503."""
    bound = socket.create_server(("127.0.0.1", 0))
    bound.setblocking(False)
    with ListeningSocket.of(bound) as listening, ExitStack() as stack:
        caller = stack.enter_context(socket.create_connection(listening.getsockname(), 10))
        second = stack.enter_context(socket.create_connection(listening.getsockname(), 10))
        with _hoard(os.getpid()):
            for _ in range(2):
                with pytest.raises(BlockingIOError):
                    listening.accept()
        assert caller.recv(100).startswith(b"HTTP/1.1 503 ")
        assert second.recv(100).startswith(b"HTTP/1.1 503 ")
        with pytest.raises(BlockingIOError) as nobody:
            listening.accept()
        assert nobody.value.errno in (errno.EAGAIN, errno.EWOULDBLOCK)
        stack.enter_context(socket.create_connection(listening.getsockname(), 10))
        listening.accept()[0].close()
