"""Uploads over HTTP, from the clients that people have."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_transcribe.config import MIB
from hybrid_transcribe.errors import DiskFull
from hybrid_transcribe.rest.uploads import streaming
from hybrid_transcribe.rest.uploads.body_writer import BATCH_BYTES
from hybrid_transcribe.testing import ManualClock
from hybrid_transcribe.uploads import files as files_module
from hybrid_transcribe.uploads.received import UploadLimits
from tests.rest.uploads.conftest import OpenLanding
from tests.rest.uploads.landing import END, FORM, Landing, answer, part, request, until

# Two batches and a bit: writing goes on while more comes.
LONG = bytes(range(256)) * (2 * BATCH_BYTES // 256 + 77)

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def curl(*arguments: str) -> tuple[int, Any]:
    """Status and JSON."""
    command = ["curl", "-sS", "--noproxy", "*", "-m", "20", "-w", "\n%{http_code}", *arguments]
    ran = subprocess.run(command, capture_output=True, timeout=30, check=True)
    body, _, status = ran.stdout.rpartition(b"\n")
    return int(status), json.loads(body)


def send(landing: Landing, data: bytes) -> tuple[int, Any]:
    """One request over a socket, and what comes back until the server hangs up."""
    with landing.connect() as client:
        client.sendall(data)
        return answer(client)


# ------------------------------------------------------------------------------ what works


@needs_curl
def test_curl_sends_a_form(landing: Landing, tmp_path: Path) -> None:
    """Several files and fields, names with what breaks naive parsers."""
    long, odd = tmp_path / "long.wav", tmp_path / 'reu"ni\\ão; x=1.wav'
    long.write_bytes(LONG)
    odd.write_bytes(b"abc")
    quoted = str(odd).replace("\\", "\\\\").replace('"', '\\"')
    status, said = curl(
        *("-F", f"file=@{long}", "-F", f'file=@"{quoted}"', "-F", "language=pt"), landing.url
    )

    assert status == 200
    assert said["fields"] == {"language": ["pt"]}
    assert [(u["name"], u["sha256"]) for u in said["uploads"]] == [
        ("long.wav", digest(LONG)),
        # of a name only what follows the last separator of any system is shown
        ("ão; x=1.wav", digest(b"abc")),
    ]


@needs_curl
@pytest.mark.parametrize(
    ("address", "headers", "name"),
    [
        ("", [], "jobs"),
        ("/talk.m4a", ["Content-Type: audio/mp4"], "talk.m4a"),
        ("?name=reuni%C3%A3o.wav", ["Content-Type: application/octet-stream"], "reunião.wav"),
        ("?name=a.wav", ["Content-Disposition: attachment; filename=b.wav"], "b.wav"),
    ],
)
def test_curl_sends_one_file(
    landing: Landing, tmp_path: Path, address: str, headers: list[str], name: str
) -> None:
    """The body is the file; curl asks first whether it may send so much."""
    path = tmp_path / "long"
    path.write_bytes(LONG)
    lines = [word for header in headers for word in ("-H", header)]
    status, said = curl("-T", str(path), *lines, landing.url + address)

    assert status == 200
    [upload] = said["uploads"]
    assert (upload["name"], upload["sha256"]) == (name, digest(LONG))
    assert landing.left() == [upload["stored"]]


@needs_curl
def test_curl_sends_what_it_reads(landing: Landing) -> None:
    """From a pipe nobody knows the length: it comes in pieces."""
    command = ["curl", "-sS", "--noproxy", "*", "-T", "-", "-H", "Content-Type: audio/wav"]
    ran = subprocess.run(
        [*command, landing.url], input=LONG, capture_output=True, timeout=30, check=True
    )

    assert json.loads(ran.stdout)["uploads"][0]["sha256"] == digest(LONG)


def test_python_clients_send_forms(landing: Landing) -> None:
    """The two that people use, with a name that neither can send as it is."""
    name = 'reunião "a".wav'
    sent = {"file": (name, LONG)}
    answers = [
        httpx.post(landing.url, files=sent, data={"a": ["b", "c"]}, trust_env=False).json(),
        requests.post(landing.url, files=sent, data={"a": ["b", "c"]}, timeout=20).json(),
    ]

    for said in answers:
        assert said["fields"] == {"a": ["b", "c"]}
        assert [(u["name"], u["sha256"]) for u in said["uploads"]] == [(name, digest(LONG))]


def test_two_hundred_files_in_one_request(landing: Landing) -> None:
    """Small ones, in their order, many of the same name."""
    sent = [("file", (f"{i % 7}.wav", b"%d" % i)) for i in range(200)]
    said = httpx.post(landing.url, files=sent, trust_env=False).json()

    assert [u["name"] for u in said["uploads"]] == [f"{i % 7}.wav" for i in range(200)]
    assert [u["sha256"] for u in said["uploads"]] == [digest(b"%d" % i) for i in range(200)]
    assert len(set(landing.left())) == 200


def test_a_connection_is_used_again(landing: Landing) -> None:
    """After an upload, and after one that was refused when all of it had come."""
    with httpx.Client(trust_env=False) as client:
        ports = set()
        for body in (b"{}", b"no json", b"[1]"):
            said = client.post(
                landing.url, content=body, headers={"Content-Type": "application/json"}
            )
            stream = said.extensions["network_stream"]
            ports.add(stream.get_extra_info("client_addr")[1])

    assert len(ports) == 1


JSON = "Content-Type: application/json; charset=utf-8"
URLENCODED = "Content-Type: application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("kind", "body", "fields", "said"),
    [
        (JSON, b' {"upload_ids": ["\xc3\xa3"]} ', {}, {"upload_ids": ["ã"]}),
        (JSON, b"  ", {}, None),
        (JSON, b"", {}, None),
        ("Content-Type: application/problem+json", b"[1]", {}, [1]),
        (URLENCODED, b"a=b+c&a=%C3%A3&d=", {"a": ["b c", "ã"], "d": [""]}, None),
        ("X-None: 1", b"", {}, None),
    ],
)
def test_bodies_without_files(
    landing: Landing, kind: str, body: bytes, fields: dict[str, Any], said: Any
) -> None:
    """JSON, a form, nothing."""
    status, result = send(landing, request(body, kind, "Connection: close"))

    assert status == 200
    assert (result["fields"], result["json"], result["uploads"]) == (fields, said, [])


# -------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("headers", "body", "status", "message"),
    [
        ([JSON], b"{", 400, "no JSON"),
        ([JSON], b"[" * 100_000, 400, "no JSON"),
        ([JSON], b'"\xff"', 400, "no JSON"),
        ([JSON], b"1" * (MIB + 1), 413, "at most 1 MiB are allowed, the most for JSON"),
        ([URLENCODED], b"a=%FF", 400, "not UTF-8"),
        ([URLENCODED], b"a&" * 200, 413, "More than 200 fields"),
        ([URLENCODED], b"a=" + b"b" * 70_000, 413, "Field 'a': more than 65536 bytes"),
        ([URLENCODED], b"R" * (2 * MIB), 413, "a recording needs its own type (curl -T"),
        (["Content-Type: multipart/form-data"], END, 400, "names no boundary"),
        (["Content-Type: multipart/mixed; boundary=xx"], END, 400, "multipart/form-data"),
        (["Content-Encoding: gzip"], gzip.compress(b"a", mtime=0), 415, "Content-Encoding 'gzip'"),
        ([FORM], part("file", LONG, "a.wav"), 400, "cut short: it ends in part 1"),
        ([FORM], part("file", LONG, "a.wav") + b"--xx\n" + END, 400, "cut short|cannot be read"),
    ],
)
def test_what_cannot_be(
    landing: Landing, headers: list[str], body: bytes, status: int, message: str
) -> None:
    """Each is answered with what is wrong, and no file stays."""
    result, said = send(landing, request(body, *headers, "Connection: close"))

    assert result == status
    assert any(words in said["detail"] for words in message.split("|")), said
    assert landing.settled()


TIGHT = UploadLimits(body_bytes=3 * MIB, file_bytes=2 * MIB, files=3)


def test_f27_too_much_is_refused_before_it_is_sent(open_landing: OpenLanding) -> None:
    """The length alone is answered; a client that asks first never sends a byte."""
    landing = open_landing(limits=TIGHT)
    for headers in ([FORM], [FORM, "Expect: 100-continue"]):
        status, said = send(landing, request(b"", *headers, length=3 * MIB + 1))

        assert status == 413
        assert "at most 3 MiB" in said["detail"]
    assert not landing.begun.is_set()


def test_who_asks_is_told_to_send(landing: Landing) -> None:
    """``Expect: 100-continue`` with what is allowed."""
    with landing.connect() as client:
        client.sendall(request(b"", "Expect: 100-continue", "Connection: close", length=3))
        assert client.recv(100).startswith(b"HTTP/1.1 100 ")
        client.sendall(b"abc")
        status, said = answer(client)

    assert (status, said["uploads"][0]["sha256"]) == (200, digest(b"abc"))


TOO_LONG = b"a" * (24 * MIB)


@needs_curl
def test_f27_curl_reads_why(open_landing: OpenLanding, tmp_path: Path) -> None:
    """Whether it asked, whether it told the length."""
    landing = open_landing(limits=TIGHT)
    path = tmp_path / "long.wav"
    path.write_bytes(TOO_LONG)
    ways = [
        ["-T", str(path)],
        ["-F", f"file=@{path}"],
        ["-F", f"file=@{path}", "-H", "Expect:"],
        ["-T", str(path), "-H", "Transfer-Encoding: chunked", "-H", "Expect:"],
    ]
    for way in ways:
        status, said = curl(*way, landing.url)
        assert status == 413, way
        assert "MiB" in said["detail"]
    assert landing.settled()


def _pieces() -> Iterator[bytes]:
    for start in range(0, len(TOO_LONG), 65536):
        yield TOO_LONG[start : start + 65536]


@pytest.mark.parametrize("told", [True, False])
def test_f27_clients_that_only_send_read_why(open_landing: OpenLanding, told: bool) -> None:
    """They send for as long as they can, whatever is answered meanwhile."""
    landing = open_landing(limits=TIGHT)
    content: Any = TOO_LONG if told else _pieces()
    with_httpx = httpx.post(landing.url, content=content, trust_env=False, timeout=20)
    content = TOO_LONG if told else _pieces()
    with_requests = requests.post(landing.url, data=content, timeout=20)

    for said in (with_httpx, with_requests):
        assert said.status_code == 413
        assert said.headers["Connection"] == "close"
        assert "at most 2 MiB" in said.json()["detail"]
    assert landing.settled()


def test_a_stranger_with_a_long_body_reads_why(landing: Landing) -> None:
    """Also what refuses a request before any of it is received lets its sender read that."""
    stranger = {"X-Stranger": "1"}
    with_httpx = httpx.post(
        landing.url, content=TOO_LONG, headers=stranger, trust_env=False, timeout=20
    )
    with_requests = requests.post(landing.url, data=_pieces(), headers=stranger, timeout=20)

    assert (with_httpx.status_code, with_requests.status_code) == (401, 401)


def test_f27_a_length_too_short(open_landing: OpenLanding) -> None:
    """What follows is no part of the body: the form is cut short, the rest no request."""
    landing = open_landing()
    body = part("file", b"abc", "a.wav") + END
    with landing.connect() as client:
        client.sendall(request(body, FORM, length=len(body) - 8))
        event = client.recv(65536)
        assert event.startswith(b"HTTP/1.1 400 ")
        assert b"cut short" in event

    assert landing.settled()


@pytest.mark.parametrize("headers", [[FORM], ["Content-Type: audio/wav"]])
def test_f27_a_length_too_long(open_landing: OpenLanding, headers: list[str]) -> None:
    """A client that promises more and hangs up leaves no file."""
    landing = open_landing()
    with landing.connect() as client:
        client.sendall(request(part("file", LONG, "a.wav"), *headers, length=2 * len(LONG)))
        assert until(lambda: landing.left() != [])
    assert landing.ended.wait(5)

    assert landing.settled()
    assert landing.got == 0


def test_f27_no_length_at_all(open_landing: OpenLanding, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body in chunks is counted as it comes; the end of the answer comes right behind it."""
    monkeypatch.setattr(streaming, "LINGER_S", 60.0)
    landing = open_landing(limits=TIGHT)
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    with landing.connect() as client:
        client.sendall(request(b"", "Transfer-Encoding: chunked", length=None) + chunk * 40)
        status, said = answer(client)

    assert status == 413
    assert "at most 2 MiB" in said["detail"]
    assert landing.settled()


def test_f27_an_endless_client_is_cut_off(
    open_landing: OpenLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who goes on sending after the answer is listened to for a while, and no longer."""
    monkeypatch.setattr(streaming, "LINGER_S", 0.2)
    landing = open_landing(limits=TIGHT)
    chunk = b"10000\r\n" + b"a" * 65536 + b"\r\n"
    with landing.connect() as client:
        client.sendall(request(b"", "Transfer-Encoding: chunked", length=None))
        with pytest.raises(OSError):  # noqa: PT012 - some time, nobody knows in which of them
            while True:
                client.sendall(chunk)

        assert client.recv(20).startswith(b"HTTP/1.1 413 ")
    assert landing.settled()


def test_f27_a_length_that_is_none(landing: Landing) -> None:
    """Tornado turns it away, and nothing is kept."""
    for length in ("Content-Length: -5", "Content-Length: 1, 2", "Content-Length: x"):
        with landing.connect() as client:
            client.sendall(request(b"", length, length=None) + b"abc")
            assert client.recv(100).startswith(b"HTTP/1.1 400 ")
    assert landing.settled()


def test_f28_a_flood_of_parts(open_landing: OpenLanding) -> None:
    """A hundred thousand of them: answered after a few."""
    landing = open_landing(limits=UploadLimits(files=100, fields=10))
    body = part("file", b"", "a.wav") * 100_000 + END
    said = httpx.post(
        landing.url,
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=xx"},
        trust_env=False,
    )

    assert said.status_code == 413
    assert said.json()["detail"] == "More than 100 files in one request"
    assert landing.settled()


@pytest.mark.parametrize(
    ("steps", "message"),
    [([60.0], "No byte"), ([20.0, 20.0, 20.0], "bytes/s")],
    ids=["silent", "dripping"],
)
def test_f28_a_drip(open_landing: OpenLanding, steps: list[float], message: str) -> None:
    """Answered 408 and hung up on; its file goes."""
    clock = ManualClock()
    landing = open_landing(clock=clock)
    with landing.connect() as client:
        client.sendall(request(b"a", length=1000))
        assert landing.begun.wait(5)
        for step in steps[:-1]:
            landing.call(partial(clock.advance, step))
            client.sendall(b"a")
            _let_it_come(landing)
        landing.call(lambda: clock.advance(steps[-1]))
        status, said = answer(client)

    assert status == 408
    assert message in said["detail"]
    assert landing.settled()


def _let_it_come(landing: Landing) -> None:
    """Another client's whole request takes longer than one byte that was sent before."""
    assert send(landing, request(b"{}", JSON, "Connection: close"))[0] == 200


# ----------------------------------------------------------------------- when the disk is full


def full_disk(path: Path) -> io.RawIOBase:
    """A file on a disk that has no room: the system's own."""
    path.touch()
    return Path("/dev/full").open("wb", buffering=0)


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")


@needs_full
@pytest.mark.parametrize("size", [10, 20 * MIB])
def test_f11_a_full_disk(open_landing: OpenLanding, size: int) -> None:
    """507, amid the body or at its end, and no file stays."""
    landing = open_landing(opener=full_disk)
    said = httpx.post(landing.url + "?name=a.wav", content=b"a" * size, trust_env=False)

    assert said.status_code == 507
    assert said.json()["code"] == DiskFull.code
    assert said.json()["detail"].startswith("a.wav: no room left on the server's disk")
    assert landing.settled()
    assert [type(error) for error in landing.logged] == [DiskFull]


def test_f11_a_body_for_which_there_is_no_room(
    open_landing: OpenLanding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told before a byte of it is read."""
    usage = shutil.disk_usage("/")._replace(free=MIB)
    monkeypatch.setattr(files_module.shutil, "disk_usage", lambda _: usage)
    landing = open_landing()
    status, said = send(landing, request(b"", FORM, length=5 * MIB))

    assert status == 507
    assert said["detail"] == "The request brings 5 MiB and the server's disk has room for 1 MiB"


class _Broken(io.RawIOBase):
    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise OSError(5, "Input/output error")


def test_a_broken_disk_is_answered_too(open_landing: OpenLanding) -> None:
    """What nobody expects is a 500, not a connection that ends without a word."""
    landing = open_landing(opener=lambda path: _Broken())
    said = httpx.post(landing.url, content=LONG * 3, trust_env=False)

    assert said.status_code == 500
    assert [str(error) for error in landing.logged] == ["[Errno 5] Input/output error"]


class _Short(io.FileIO):
    """Writes less than it is given, as a disk that is nearly full does."""

    def write(self, data: Any) -> int:
        return super().write(bytes(data[: len(data) // 2 + 1]))


def test_a_write_that_takes_only_a_part(open_landing: OpenLanding) -> None:
    """The rest is written after it."""
    landing = open_landing(opener=lambda path: _Short(path, "x"))
    said = httpx.post(landing.url, content=LONG, trust_env=False).json()

    assert said["uploads"][0]["sha256"] == digest(LONG)


@dataclass
class _Slow:
    """A disk that writes nothing before it is told to."""

    asked: threading.Event = field(default_factory=threading.Event)
    go_on: threading.Event = field(default_factory=threading.Event)

    def opener(self, path: Path) -> io.RawIOBase:
        if "wav" in path.suffix:
            self.asked.set()
            assert self.go_on.wait(10)
        return path.open("xb", buffering=0)


def test_a_slow_disk_holds_up_its_own_sender_only(open_landing: OpenLanding) -> None:
    """Others are answered; the sender is made to wait, so that memory does not fill up."""
    disk, clock = _Slow(), ManualClock()
    landing = open_landing(opener=disk.opener, clock=clock)
    size, sent = 64 * MIB, 0
    with landing.connect() as client:
        client.sendall(request(b"", "Content-Disposition: x; filename=a.wav", length=size))
        client.settimeout(0.2)
        with pytest.raises(TimeoutError):  # noqa: PT012 - in the one that finds no room
            while sent < size:
                sent += client.send(bytes(min(65536, size - sent)))
        assert disk.asked.is_set()
        # Two batches of ours, and what the system keeps of a connection.
        assert sent < 32 * MIB
        assert send(landing, request(b"{}", JSON, "Connection: close"))[0] == 200
        # Our waiting is not the sender's.
        landing.call(partial(clock.advance, 3600))
        disk.go_on.set()
        client.settimeout(10)
        client.sendall(bytes(size - sent))
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")

    assert [(landing.folder / name).stat().st_size for name in landing.left()] == [size]


def test_hanging_up_on_a_slow_disk_leaves_nothing(open_landing: OpenLanding) -> None:
    """The file goes when the disk lets go of it."""
    disk = _Slow()
    landing = open_landing(opener=disk.opener)
    with landing.connect() as client:
        client.sendall(
            request(LONG, "Content-Disposition: x; filename=a.wav", length=2 * len(LONG))
        )
        assert disk.asked.wait(5)
    disk.go_on.set()
    assert landing.ended.wait(5)

    assert landing.settled()


# --------------------------------------------------------------------------------- clean-up


def test_a_handler_that_does_not_look_leaves_nothing(landing: Landing) -> None:
    """What it never asked for goes when it has answered."""
    with landing.connect() as client:
        client.sendall(request(LONG, method="PATCH"))
        assert client.recv(100).startswith(b"HTTP/1.1 200 ")

    assert landing.settled()


def test_many_who_hang_up_leave_nothing(landing: Landing) -> None:
    """At any moment of an upload."""
    body = request(part("file", LONG, "a.wav") + part("file", LONG, "b.wav") + END, FORM)
    for end in range(0, len(body), len(body) // 20):
        with landing.connect() as client:
            client.sendall(body[:end])
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    assert send(landing, request(b"{}", JSON, "Connection: close"))[0] == 200

    assert landing.settled()
    assert landing.got == 1


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
@given(cuts=st.lists(st.integers(0, 400), max_size=6))
def test_any_pieces_over_a_socket(landing: Landing, cuts: list[int]) -> None:
    """However the network cuts a request, the handler sees the same."""
    body = part("a", b"b") + part("file", b"\r\n--x\r", "a.wav") + END
    data = request(body, FORM, "Connection: close")
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    with landing.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in pairwise(edges):
            client.sendall(data[start:end])
        status, said = answer(client)

    assert status == 200
    assert said["fields"] == {"a": ["b"]}
    assert [(u["name"], u["size"]) for u in said["uploads"]] == [("a.wav", 6)]
