"""The service over HTTP: submitting while the machine is busy, long queues, many listeners,
large uploads. The clients of the last two are processes of their own."""

from __future__ import annotations

import contextlib
import http.client
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from hybrid_transcribe import Service
from hybrid_transcribe.rest.server import Server
from hybrid_transcribe.testing import SCRIPTED, Script, tone, write_wav
from tests.benchmarks.harness import spread, table, take_turns
from tests.benchmarks.speech import clips

MIB = 1024 * 1024


@contextlib.contextmanager
def _served(folder: Path, journal: str | None = "disk") -> Iterator[tuple[Service, Server]]:
    state = folder / "state" if journal else None
    with (
        Service(state, journal, engines=SCRIPTED, preload_models=False) as service,
        service.serve() as server,
    ):
        yield service, server


def _connected(server: Server) -> http.client.HTTPConnection:
    parts = urlsplit(server.url)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)


def _asked(
    connection: http.client.HTTPConnection,
    server: Server,
    method: str,
    path: str,
    body: bytes = b"",
    **headers: str,
) -> http.client.HTTPResponse:
    """One request; its answer is read to the end."""
    fields = {"Authorization": f"token {server.token}", **headers}
    connection.request(method, path, body=body, headers=fields)
    answer = connection.getresponse()
    answer.read()
    return answer


# --------------------------------------------------------------------------------- submit


def submit_latency(n: int = 200) -> str:
    """``PUT /jobs`` answered by an idle service, and while real inference fills every core."""
    with tempfile.TemporaryDirectory() as value:
        folder = Path(value)
        body = write_wav(folder / "tone.wav", tone(1.0)).read_bytes()
        with _served(folder) as (service, server):
            idle = _latencies(server, body, n)
            rows = [("idle, ms", spread(idle, 2))]
            busy_clips = clips(40)
            if busy_clips:
                job = service.submit(
                    busy_clips, engine="faster-whisper", model="tiny.en", session_id="busy"
                )
                next(iter(job))
                busy = _latencies(server, body, n)
                job.cancel()
                ratio = sorted(busy)[n // 2] / sorted(idle)[n // 2]
                rows += [
                    ("both cores transcribing, ms", spread(busy, 2)),
                    ("99 of 100 within, ms", f"{sorted(busy)[int(0.99 * n)]:.2f}"),
                    ("busy / idle (medians)", f"{ratio:.2f}"),
                ]
    return table(f"Submit over HTTP ({n} jobs of one recording of 32 kB, journal on disk)", rows)


def _latencies(server: Server, body: bytes, n: int) -> list[float]:
    taken = []
    with contextlib.closing(_connected(server)) as connection:
        for _ in range(n):
            began = time.perf_counter()
            _asked(connection, server, "PUT", "/jobs?engine=scripted", body)
            taken.append(1e3 * (time.perf_counter() - began))
    return taken


# ---------------------------------------------------------------------------------- queues


def long_queue(n: int = 10_000, groups: int = 5) -> str:
    """``GET /queues`` with that many jobs: in full, for strangers, and when nothing changed."""
    with tempfile.TemporaryDirectory() as value:
        folder = Path(value)
        path = write_wav(folder / "tone.wav", tone(0.1))
        with _served(folder, journal=None) as (service, server):
            model = Script(gate=str(folder / "never")).model
            for number in range(n):
                session = f"session-{number % 50}"
                service.submit(path, engine="scripted", model=model, session_id=session)
            with (
                service.serve(open_to_all=True) as stranger,
                contextlib.closing(_connected(server)) as connection,
                contextlib.closing(_connected(stranger)) as strangers,
            ):
                variants = {
                    **_looks(connection, server),
                    "without names": lambda: _asked(strangers, stranger, "GET", "/queues").status,
                }
                seconds = take_turns(variants, groups).seconds
    rows = [(f"{name}, ms", spread([1e3 * s for s in taken], 1)) for name, taken in seconds.items()]
    ratios = [a / b for a, b in zip(seconds["all in full"], seconds["without names"], strict=True)]
    rows.append(("all in full / without names", spread(ratios, 1)))
    return table(f"GET /queues with {n} jobs of 50 sessions", rows)


def _looks(
    connection: http.client.HTTPConnection, server: Server
) -> dict[str, Callable[[], object]]:
    def look(path: str, **headers: str) -> http.client.HTTPResponse:
        return _asked(connection, server, "GET", path, **headers)

    nothing = look("/queues?state=failed").headers["ETag"]

    def unchanged() -> int:
        # Where jobs wait their ETAs change all the time.
        path = "/queues?state=failed"
        return look(path, **{"If-None-Match": nothing}).status

    return {
        "all in full": lambda: look("/queues").status,
        "one session of 50": lambda: look("/queues?session_id=session-7").status,
        "nothing new (304)": unchanged,
        "no queue at all (/health)": lambda: look("/health").status,
    }


# ---------------------------------------------------------------------------------- events

_LISTEN = """
import asyncio, json, sys, time
url, token, n_listeners, n_events = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
host, port = url.removeprefix("http://").split(":")
delays, ready = [], 0

async def listen():
    global ready
    reader, writer = await asyncio.open_connection(host, int(port), limit=1 << 24)
    asked = f"GET /queues/events?token={token} HTTP/1.1", f"Host: {host}", "", ""
    writer.write("\\r\\n".join(asked).encode())
    seen = 0
    while seen < n_events:
        line = await reader.readline()
        now = time.perf_counter()
        if line.startswith(b"event: snapshot"):
            ready += 1
            if ready == n_listeners:
                print("ready", flush=True)
        if line.startswith(b"data:") and b"benchmark" in line:
            seen += 1
            delays.append(now - float(json.loads(line[5:])["message"]))
    writer.close()

async def main():
    await asyncio.gather(*(listen() for _ in range(n_listeners)))
    print(json.dumps(delays))

asyncio.run(main())
"""


def many_listeners(n: int = 200, n_events: int = 100, every_s: float = 0.05) -> str:
    """From an event to each of many listeners, as they see it."""
    # An event that costs nothing to make; it is also logged.
    logging.disable(logging.WARNING)
    try:
        delays = _delays(n, n_events, every_s)
    finally:
        logging.disable(logging.NOTSET)
    lines = [1e3 * d for d in sorted(delays)]
    rows = [
        ("delay, ms", spread(lines, 1)),
        ("95 of 100 within, ms", f"{lines[int(0.95 * len(lines))]:.1f}"),
        ("99 of 100 within, ms", f"{lines[int(0.99 * len(lines))]:.1f}"),
    ]
    return table(f"Events to {n} listeners ({n_events} events, one each {every_s:g} s)", rows)


def _delays(n: int, n_events: int, every_s: float) -> list[float]:
    with (
        tempfile.TemporaryDirectory() as folder,
        _served(Path(folder), journal=None) as (service, server),
    ):
        command = [sys.executable, "-c", _LISTEN, server.url, str(server.token), str(n)]
        with subprocess.Popen(
            [*command, str(n_events)], stdout=subprocess.PIPE, text=True
        ) as listening:
            assert listening.stdout is not None
            assert listening.stdout.readline() == "ready\n"
            for _ in range(n_events):
                # The monotonic clock is one for all processes of a machine.
                service.call(lambda room: room.warn("benchmark", repr(time.perf_counter())))
                time.sleep(every_s)
            payload: list[float] = json.loads(listening.stdout.readline())
    return payload


# ---------------------------------------------------------------------------------- upload

_SEND = """
import http.client, sys
host, port, token, n_mib, header = sys.argv[1:]
head, block = open(header, "rb").read(), bytes(1 << 20)
connection = http.client.HTTPConnection(host, int(port), timeout=600)
connection.putrequest("PUT", "/jobs?engine=scripted")
connection.putheader("Authorization", f"token {token}")
connection.putheader("Content-Length", str(len(head) + int(n_mib) * len(block)))
connection.endheaders()
connection.send(head)
for _ in range(int(n_mib)):
    connection.send(block)
answer = connection.getresponse()
answer.read()
assert answer.status < 300, answer.status
"""


def large_upload(n_mib: int = 1024, groups: int = 2) -> str:
    """A large recording sent whole, beside the writing of as many bytes to the same disk."""
    with tempfile.TemporaryDirectory() as value:
        folder = Path(value)
        head = write_wav(folder / "head.wav", tone(1.0))
        with _served(folder) as (service, server):
            before = psutil.Process().memory_info().rss
            peak = _Peak()

            def send() -> None:
                parts = urlsplit(server.url)
                where = [str(parts.hostname), str(parts.port), str(server.token)]
                command = [sys.executable, "-c", _SEND, *where, str(n_mib), str(head)]
                subprocess.run(command, check=True)
                for job in service.jobs():
                    job.delete()

            with peak:
                measured = take_turns(
                    {"upload": send, "write": lambda: _write(folder / "plain", n_mib)},
                    groups,
                    warm_up=False,
                )
    rates = [n_mib / s for s in measured.seconds["upload"]]
    rows = [
        ("upload, MiB/s", spread(rates, 0)),
        ("plain writing, MiB/s", spread([n_mib / s for s in measured.seconds["write"]], 0)),
        ("speed, of plain writing", spread(measured.ratios("upload", "write"), 2)),
        ("memory gained by the server, MiB", f"{(peak.bytes - before) / MIB:.0f}"),
    ]
    return table(f"Upload of {n_mib} MiB", rows)


def _write(path: Path, n_mib: int) -> None:
    block = bytes(MIB)
    with path.open("wb") as file:
        for _ in range(n_mib):
            file.write(block)
    path.unlink()


class _Peak:
    """The most memory of this process while it lasts."""

    def __init__(self) -> None:
        self.bytes = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        me = psutil.Process()
        while not self._over.wait(0.05):
            self.bytes = max(self.bytes, me.memory_info().rss)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
