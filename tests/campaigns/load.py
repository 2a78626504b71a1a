"""Hostile requests without end, and a queue of many thousand jobs with many who look on."""

from __future__ import annotations

import asyncio
import hashlib
import json
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import urlsplit

import httpx
import psutil

from hybrid_transcribe.testing import Script, tone, write_wav
from tests.campaigns import Campaign, Report
from tests.campaigns._server import TOKEN
from tests.services import environment

#: Longest wait for an answer, in seconds; machines that run campaigns are shared.
PATIENCE_S = 60.0

#: After so many hostile requests a well-meant job has to come through.
CANARY_EVERY = 1000

#: What has had no answer after so many seconds was not sent whole.
CUT_OFF_S = 1.0

#: Clients that send hostile requests side by side.
N_CLIENTS = 4

AUTH = {"Authorization": f"token {TOKEN}"}

# ---------------------------------------------------------------------------------- server


class Server:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process, self._log = process, log
        line = json.loads(self._out.readline())
        self.url: str = line["url"]
        self.up_s: float = line["up_s"]
        parts = urlsplit(self.url)
        self.address = (str(parts.hostname), int(parts.port or 80))

    @property
    def _out(self) -> IO[str]:
        return cast("IO[str]", self.process.stdout)

    def held(self) -> list[tuple[float, str]]:
        """What held its loop longest since the last call: (ms of CPU, what)."""
        stdin = cast("IO[str]", self.process.stdin)
        stdin.write("\n")
        stdin.flush()
        return [(ms, what) for ms, what in json.loads(self._out.readline())]

    def client(self, **headers: str) -> httpx.Client:
        display_name = {**AUTH, **headers}
        return httpx.Client(
            base_url=self.url, headers=display_name, trust_env=False, timeout=PATIENCE_S
        )

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def serving(folder: Path, **settings: int) -> Iterator[Server]:
    """A server of that folder; it is ended in the end, if it was not killed before."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "log"
    command = [sys.executable, "-m", "tests.campaigns._server", str(folder / "state")]
    with log.open("a") as written:
        process = subprocess.Popen(
            [*command, *(f"{name}={number}" for name, number in settings.items())],
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=written,
            text=True,
        )
        try:
            yield Server(process, log)
        finally:
            if process.poll() is None:
                with suppress(OSError):
                    cast("IO[str]", process.stdin).close()
                try:
                    process.wait(PATIENCE_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            for stream in (process.stdin, process.stdout):
                with suppress(OSError):
                    cast("IO[str]", stream).close()


# ---------------------------------------------------------------------------------- HTTP

#: Addresses with the methods that they are meant for; ids are put in.
_PATHS = {
    "/jobs": "POST PUT", "/jobs/{job}": "GET DELETE", "/jobs/{job}/cancel": "POST",
    "/jobs/{job}/retry": "POST", "/jobs/{job}/keep": "POST", "/jobs/{job}/result": "GET HEAD",
    "/jobs/{job}/recordings/{recording}/result": "GET",
    "/jobs/{job}/recordings/{recording}/audio": "GET HEAD",
    "/jobs/{job}/recordings/{recording}/cancel": "POST",
    "/jobs/{job}/recordings/{recording}/retry": "POST", "/files": "POST OPTIONS",
    "/files/{upload}": "PATCH HEAD DELETE", "/queues": "GET", "/queues/events": "GET",
    "/sessions": "GET DELETE", "/sessions/{session}": "DELETE", "/engines": "GET",
    "/engines/scripted/models": "GET", "/limits": "GET", "/metrics": "GET", "/health": "GET",
    "/health/ready": "GET", "/openapi.json": "GET", "/docs": "GET", "/asr": "POST",
    "/detect-language": "POST", "/v1/audio/transcriptions": "POST", "/v1/models": "GET",
    "/v1/audio/translations": "POST", "/": "GET", "/nothing": "GET",
}  # fmt: skip

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "get", "X")

_TYPES = (
    "application/json", "multipart/form-data; boundary=b", "multipart/form-data", "audio/wav",
    "application/offset+octet-stream", "application/x-www-form-urlencoded", "text/plain", "",
    "multipart/form-data; boundary=" + "b" * 300, "application/json; charset=utf-7",
)  # fmt: skip

#: Values that break what takes text for granted.
_ODD = (
    "", "0", "-1", "1e999", "NaN", "9" * 400, "null", "[]", "{}", "true", "../../etc/passwd",
    "%00", "%ff%fe", "a\tb", "\u202e", "🎙" * 20, "x" * 3000, "<script>", "' OR 1=1 --",
    "2026-11-30T00:00:00Z", "bytes=0-0,5-9,-1", "bytes=9-1", "W/\"x\"", "*",
)  # fmt: skip

#: What a client could mean.
_SANE = {
    "language": ("en", "pt", ""), "task": ("transcribe", "translate"), "priority": ("0", "3"),
    "format": ("txt", "srt", "json", "vtt", "zip"), "partial": ("true", "false"), "keep": ("true",),
    "state": ("queued", "completed,failed"), "beam_size": ("1", "5"), "temperature": ("0", "0.2"),
    "response_format": ("json", "text", "verbose_json"), "stream": ("true", "false"),
    "model": ("steady", "whisper-1", "scripted"), "output": ("json", "txt"), "run": ("1",),
}  # fmt: skip

_FIELDS = (
    "session_id", "session_ids", "engine", "model", "device", "language", "task", "format",
    "priority", "options", "callback_url", "source_url", "upload_ids", "beam_size", "temperature",
    "partial", "state", "inside", "token", "name", "keep", "timestamp_granularities[]", "run",
    "response_format", "stream", "word_timestamps", "initial_prompt", "last_event_id",
)  # fmt: skip

_HEADERS = (
    "Range", "Prefer", "Idempotency-Key", "X-Session-Id", "If-None-Match", "Accept", "Host",
    "Accept-Language", "Origin", "Sec-Fetch-Site", "Expect", "Transfer-Encoding", "Connection",
    "Upload-Length", "Upload-Offset", "Upload-Metadata", "Upload-Checksum", "Tus-Resumable",
    "Upload-Concat", "Upload-Defer-Length", "Content-Encoding", "Cookie", "Referer", "TE",
)  # fmt: skip


class Fuzz:
    """Makes requests: most nearly right, some not HTTP at all."""

    def __init__(self, seed: int, wav: bytes) -> None:
        self._chance = random.Random(seed)
        self._wav = wav
        self.ids = {"job": "j", "recording": "r", "upload": "u", "session": "s"}

    def request(self) -> bytes:
        """A whole request, or a part of one."""
        chance = self._chance
        if chance.random() < 0.03:
            return chance.randbytes(chance.randint(1, 400)) + b"\r\n\r\n"
        instance = self._tus() if chance.random() < 0.3 else self._any()
        return self._spoilt(instance) if chance.random() < 0.1 else instance

    def _any(self) -> bytes:
        chance = self._chance
        template = chance.choice(tuple(_PATHS))
        methods = _PATHS[template].split() if chance.random() < 0.85 else _METHODS
        method = chance.choice(methods)
        path = template.format(**self._some_ids()) + self._query()
        takes_body = method in ("POST", "PUT", "PATCH") or chance.random() < 0.1
        kind, body = self._body() if takes_body else ("", b"")
        headers = {"Content-Type": kind, **self._some_headers()}
        return self._joined(method, path, headers, body)

    def _tus(self) -> bytes:
        """Uploads in pieces, with a rule broken here and there."""
        chance = self._chance
        numbers = (0,) * 5 + (len(self._wav),) * 5 + (1, 10, -1, 2**63, "x")
        number = lambda: str(chance.choice(numbers))  # noqa: E731
        headers = {"Tus-Resumable": chance.choice(("1.0.0",) * 20 + ("0.2.2", ""))}
        body = self._wav[: chance.randint(0, len(self._wav))]
        method = chance.choice(("POST", "PATCH", "HEAD", "DELETE", "OPTIONS", "PATCH"))
        path = "/files" if method in ("POST", "OPTIONS") else "/files/" + self._some_ids()["upload"]
        if method == "POST":
            headers["Upload-Length"] = number()
            headers["Upload-Metadata"] = chance.choice(
                ("filename YS53YXY=", "filename !", ",,", "")
            )
        if method == "PATCH":
            headers["Upload-Offset"] = number()
            headers["Content-Type"] = chance.choice((*_TYPES[4:5] * 9, *_TYPES))
        if chance.random() < 0.2:
            digest = hashlib.sha1(body).hexdigest()
            headers["Upload-Checksum"] = chance.choice(
                (f"sha1 {digest}", "sha1 !", "md9 x", "sha1")
            )
        return self._joined(method, path, headers, body if method in ("POST", "PATCH") else b"")

    def _some_ids(self) -> dict[str, str]:
        odd = self._chance.random() < 0.15
        return {name: self._word() if odd else value for name, value in self.ids.items()}

    def _word(self) -> str:
        text = self._chance.choice(_ODD)
        return "".join(c if c.isalnum() or c in "%._-" else "_" for c in text)[:200] or "x"

    def _query(self) -> str:
        chance = self._chance
        if chance.random() < 0.5:
            return ""
        return "?" + "&".join("=".join(self._pair()) for _ in range(chance.randint(1, 3)))

    def _pair(self) -> tuple[str, str]:
        """A field and a value, mostly such as clients send."""
        chance = self._chance
        if chance.random() < 0.8:
            name = chance.choice(tuple(_SANE))
            return name, chance.choice(_SANE[name])
        return chance.choice(_FIELDS), self._word()

    def _some_headers(self) -> dict[str, str]:
        chance = self._chance
        names = chance.sample(_HEADERS, chance.choice((0, 0, 0, 0, 1, 2, 4)))
        return {name: chance.choice(_ODD).replace("\t", " ")[:500] for name in names}

    def _body(self) -> tuple[str, bytes]:
        chance = self._chance
        what = chance.randint(0, 5)
        if what == 0:
            return "", b""
        if what == 1:
            return "application/json", self._json()
        if what in (2, 3):
            return "multipart/form-data; boundary=b", self._form()
        if what == 4:
            return "audio/wav", self._wav[: chance.randint(0, len(self._wav))]
        return chance.choice(_TYPES), chance.randbytes(chance.randint(0, 2000))

    def _json(self) -> bytes:
        chance = self._chance
        values: list[Any] = [*_ODD, None, 1, -1.5, [1, 2], {"a": {"b": []}}, True, 2**70]
        mapping: dict[str, Any] = dict(self._pair() for _ in range(chance.randint(0, 3)))
        if chance.random() < 0.3:
            mapping[chance.choice(_FIELDS)] = chance.choice(values)
        text = json.dumps(mapping, ensure_ascii=chance.random() < 0.5)
        deep = "[" * 3000 if chance.random() < 0.02 else ""
        return (deep + text).encode("utf-8", "replace")

    def _form(self) -> bytes:
        chance = self._chance
        parts = []
        if chance.random() < 0.8:
            sound = self._wav if chance.random() < 0.5 else chance.randbytes(chance.randint(0, 900))
            name = chance.choice(("file", "audio_file", "audio", "x"))
            head = f'name="{name}"; filename="{chance.choice(("a.wav", "", "../x", "🎙.mp3"))}"'
            parts.append(head.encode() + b"\r\nContent-Type: audio/wav\r\n\r\n" + sound)
        for _ in range(chance.randint(0, 3)):
            name, value = self._pair()
            if chance.random() < 0.2:
                value = chance.choice(_ODD)
            parts.append(f'name="{name}"\r\n\r\n{value}'.encode("utf-8", "replace"))
        between = b"--b\r\nContent-Disposition: form-data; "
        end = chance.choice((b"--b--\r\n", b"--b--\r\n", b"", b"--b"))
        return b"".join(between + part + b"\r\n" for part in parts) + end

    def _joined(self, method: str, path: str, headers: dict[str, str], body: bytes) -> bytes:
        chance = self._chance
        lines = [
            f"{method} {path} HTTP/1.1",
            f"Host: {chance.choice(('localhost',) * 40 + ('x',))}",
        ]
        if chance.random() < 0.95:
            lines.append(f"Authorization: token {TOKEN}")
        length = (
            len(body) if chance.random() < 0.9 else chance.choice((0, 5, 10**12, -1, len(body) + 9))
        )
        if "Transfer-Encoding" not in headers:
            lines.append(f"Content-Length: {length}")
        lines += [f"{name}: {value}" for name, value in headers.items() if value]
        return "\r\n".join([*lines, "Connection: close", "", ""]).encode("utf-8") + body

    def _spoilt(self, made: bytes) -> bytes:
        """Cut off, or with some bytes changed."""
        chance = self._chance
        if chance.random() < 0.5:
            return made[: chance.randint(1, len(made))]
        spoilt = bytearray(made)
        for _ in range(chance.randint(1, 8)):
            spoilt[chance.randrange(len(spoilt))] = chance.randrange(256)
        return bytes(spoilt)


def _status_of(address: tuple[str, int], request: bytes) -> int | None:
    """Of the answer; None where the connection is ended without one, 0 where nothing comes."""
    with socket.create_connection(address, PATIENCE_S) as connection:
        try:
            connection.sendall(request)
            connection.settimeout(CUT_OFF_S)
            head = b""
            while b"\r\n" not in head:
                try:
                    piece = connection.recv(4096)
                except TimeoutError:
                    # A request that was cut off: nothing more comes, and the server is told.
                    connection.shutdown(socket.SHUT_WR)
                    connection.settimeout(PATIENCE_S)
                    piece = connection.recv(4096)
                if not piece:
                    return None
                head += piece
            # Not to its end: a stream of events has none.
            return int(head.split(b" ", 2)[1])
        except TimeoutError:
            return 0
        except (OSError, ValueError, IndexError):
            return None


def http(folder: Path, count: int, seed: int) -> Report:
    """``count`` hostile HTTP and tus requests; jobs of others must come through meanwhile."""
    report = Report("Hostile HTTP and tus requests")
    statuses: Counter[str] = Counter()
    wav = write_wav(folder / "canary.wav", tone(1.0)).read_bytes()
    settings = {"rate_limit_per_min": 10**9, "retention_s": 30}
    with serving(folder, **settings) as server:
        process = psutil.Process(server.process.pid)
        canary = Canary(server, wav)
        canary.sing(report, "before")
        before = process.memory_info().rss
        share = [count // N_CLIENTS + (n < count % N_CLIENTS) for n in range(N_CLIENTS)]
        threads = [
            threading.Thread(
                target=_attack,
                args=(server, Fuzz(seed * 1000 + n, wav), share[n], statuses, canary, report),
            )
            for n in range(N_CLIENTS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        canary.sing(report, "after")
        if server.process.poll() is not None:
            report.losses.append(f"the server ended with {server.process.returncode}")
        else:
            grown = process.memory_info().rss - before
            report.figures["memory grown, MB"] = round(grown / 1e6, 1)
            report.figures["longest hold of the loop, CPU ms"] = max(
                (ms for ms, _ in server.held()), default=0
            )
    report.figures |= {"requests": sum(statuses.values()), "canaries": canary.n}
    report.figures |= {f"answered {name}": n for name, n in sorted(statuses.items())}
    if "Traceback" in server.log:
        report.losses.append(
            "the log has a traceback: " + server.log.partition("Traceback")[2][-600:]
        )
    return report


def _attack(
    server: Server,
    fuzz: Fuzz,
    count: int,
    statuses: Counter[str],
    canary: Canary,
    report: Report,
) -> None:
    for n in range(count):
        if n % 50 == 0:
            fuzz.ids = canary.ids()
        request = fuzz.request()
        try:
            status = _status_of(server.address, request)
        except OSError as error:
            report.losses.append(f"no connection: {error}")
            return
        kind = "none" if status is None else "never" if status == 0 else f"{status // 100}xx"
        statuses[kind] += 1
        if kind in ("5xx", "never") and status != 503:
            report.losses.append(f"{status} for {request[:300]!r}")
        if n and n % (CANARY_EVERY // N_CLIENTS) == 0:
            canary.sing(report, f"after {n}")


class Canary:
    """Well-meant requests between the others: a job, and an upload in pieces."""

    def __init__(self, server: Server, wav: bytes) -> None:
        self._server, self._wav = server, wav
        self._lock = threading.Lock()
        self._ids = {"job": "j", "recording": "r", "upload": "u", "session": "s"}
        self.n = 0

    def ids(self) -> dict[str, str]:
        """Of what was made last: hostile requests aim at it."""
        with self._lock:
            return dict(self._ids)

    def sing(self, report: Report, when: str) -> None:
        """A job of an upload in two pieces, waited for; a loss where it does not come through."""
        session = f"canary-{threading.get_ident()}-{when}".replace(" ", "-")
        try:
            with self._server.client(**{"X-Session-Id": session}) as client:
                job = self._job(client, session)
                text = client.get(f"/jobs/{job['job_id']}/result", params={"format": "txt"}).text
            if job["state"] != "completed" or not text.strip():
                report.losses.append(f"the job {when} is {job['state']}: {text[:100]!r}")
        except (httpx.HTTPError, KeyError, AssertionError) as error:
            report.losses.append(f"no job {when}: {type(error).__name__}: {error}")
        with self._lock:
            self.n += 1

    def _job(self, client: httpx.Client, session: str) -> dict[str, Any]:
        upload_id = self._upload(client, whole=True)
        answer = client.post(
            "/jobs",
            json={"upload_ids": [upload_id], "session_id": session},
            headers={"Prefer": f"wait={PATIENCE_S:.0f}"},
        )
        job: dict[str, Any] = answer.json()
        self._leave_victims(client)
        return job

    def _upload(self, client: httpx.Client, *, whole: bool) -> str:
        tus = {"Tus-Resumable": "1.0.0"}
        length = {"Upload-Length": str(len(self._wav)), "Upload-Metadata": "filename YS53YXY="}
        instance = client.post("/files", headers={**tus, **length})
        assert instance.status_code == 201, instance.text
        place = instance.headers["Location"]
        half = len(self._wav) // 2
        kind = {"Content-Type": "application/offset+octet-stream"}
        pieces = ((0, self._wav[:half]), (half, self._wav[half:]))
        for offset, piece in pieces if whole else ():
            at = {"Upload-Offset": str(offset)}
            sent = client.patch(place, content=piece, headers={**tus, **kind, **at})
            assert sent.status_code == 204, sent.text
        return str(place.rsplit("/", 1)[-1])

    def _leave_victims(self, client: httpx.Client) -> None:
        """A job and an upload that hostile requests may have: those of canaries are never told."""
        upload_id = self._upload(client, whole=True)
        job = client.post("/jobs", json={"upload_ids": [upload_id], "session_id": "fuzz"}).json()
        with self._lock:
            self._ids = {
                "job": job["job_id"],
                "recording": job["recordings"][0]["recording_id"],
                "upload": self._upload(client, whole=False),
                "session": "fuzz",
            }


# ---------------------------------------------------------------------------------- load

#: Of one job of the load; and sessions, each with a stream that listens.
N_LONG, N_SESSIONS = 3000, 200

#: What the service promises, in milliseconds of CPU on its loop and in bytes.
MOST_HOLD_MS, MOST_BYTES = 50.0, 2048


def load(folder: Path, count: int, seed: int) -> Report:
    """``count`` jobs at once, streams that listen, one job of many recordings, kill, restart."""
    report = Report("Many jobs")
    model = Script(gate=str(folder / "gate")).model
    n_long, n_sessions = min(N_LONG, count), min(N_SESSIONS, max(2, count // 10))
    sessions = [f"session-{n}" for n in range(n_sessions)]
    wav = write_wav(folder / "x.wav", tone(0.3))
    settings = {"rate_limit_per_min": 10**9}
    with serving(folder, **settings) as server, ExitStack() as stack:
        client = stack.enter_context(server.client())
        streams = stack.enter_context(_listening(server, sessions))
        before = _journal_bytes(folder)
        entry = _submit(client, wav, model, sessions, count, report)
        report.figures["journal, bytes a job"] = (_journal_bytes(folder) - before) // max(1, count)
        message = streams.n_accepted(len(entry))
        if message != len(entry):
            report.losses.append(f"{message} of {len(entry)} jobs were told by streams")
        report.figures["streams"] = n_sessions
        _hold(server, report, "submitting")
        _look(server, client, report)
        _control(server, client, wav, model, n_long, report)
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
    with serving(folder, **settings) as server, server.client() as client:
        report.figures["restart, s"] = round(server.up_s, 1)
        # Before it was up nobody could wait for it.
        server.held()
        result = {job["job_id"] for job in client.get("/queues").json()["jobs"]}
        lost = entry - result
        report.losses += [f"job {job_id} is gone after a kill" for job_id in sorted(lost)]
        _hold(server, report, "after the restart")
        _timed(report, "erase all sessions, s", lambda: _erase(client, sessions, report))
        _hold(server, report, "erasing")
        remaining = client.get("/queues").json()["jobs"]
        if remaining:
            report.losses.append(f"{len(remaining)} jobs are left after all was erased")
    report.figures["journal at the end, MB"] = round(_journal_bytes(folder) / 1e6, 2)
    if "Traceback" in server.log:
        report.losses.append(
            "the log has a traceback: " + server.log.partition("Traceback")[2][-600:]
        )
    return report


def _submit(
    client: httpx.Client,
    wav: Path,
    model: str,
    sessions: list[str],
    count: int,
    report: Report,
) -> set[str]:
    entry: set[str] = set()
    body = wav.read_bytes()
    began = time.monotonic()
    for n in range(count):
        params = {"session_id": sessions[n % len(sessions)], "model": model, "language": "en"}
        answer = client.post("/jobs", files={"file": (f"{n}.wav", body)}, data=params)
        if answer.status_code != 202:
            report.losses.append(f"job {n}: {answer.status_code} {answer.text[:200]}")
            break
        entry.add(answer.json()["job_id"])
    spent_s = time.monotonic() - began
    report.figures |= {"jobs": len(entry), "jobs a second": round(len(entry) / spent_s)}
    return entry


def _look(server: Server, client: httpx.Client, report: Report) -> None:
    for name in ("the whole queue, ms", "the whole queue again, ms"):
        _timed(report, name, lambda: _get(client, "/queues", report), 1000)
    _timed(
        report,
        "one session's queue, ms",
        lambda: _get(client, "/queues?session_id=session-0", report),
        1000,
    )
    _hold(server, report, "looking")


def _control(
    server: Server, client: httpx.Client, wav: Path, model: str, n: int, report: Report
) -> None:
    body = wav.read_bytes()
    files = [("file", (f"{i}.wav", body)) for i in range(n)]
    data = {"session_id": "long", "model": model, "language": "en"}
    job = client.post("/jobs", files=files, data=data, timeout=600).json()
    _hold(server, report, f"submitting {n} recordings")
    at = f"/jobs/{job['job_id']}"
    for verb, changes in (("cancel", {}), ("retry", {"language": "pt"}), ("cancel", {})):
        name = f"{verb} {n} recordings{', changed' if changes else ''}, s"
        _timed(report, name, lambda v=verb, c=changes: _post(client, f"{at}/{v}", c, report))  # type: ignore[misc]
        _hold(server, report, f"{verb} of {n}")
    _timed(report, f"delete {n} recordings, s", lambda: _delete(client, at, report))
    _hold(server, report, f"delete of {n}")


def _erase(client: httpx.Client, sessions: list[str], report: Report) -> None:
    for session in sessions:
        _delete(client, f"/sessions/{session}", report)


def _get(client: httpx.Client, path: str, report: Report) -> None:
    _check(client.get(path), report)


def _post(client: httpx.Client, path: str, body: Any, report: Report) -> None:
    _check(client.post(path, json=body, timeout=600), report)


def _delete(client: httpx.Client, path: str, report: Report) -> None:
    _check(client.delete(path, timeout=600), report)


def _check(answer: httpx.Response, report: Report) -> None:
    if answer.status_code >= 400:
        report.losses.append(f"{answer.request.url.path}: {answer.status_code} {answer.text[:200]}")


def _timed(report: Report, name: str, action: Callable[[], object], unit: float = 1.0) -> None:
    began = time.monotonic()
    action()
    report.figures[name] = round((time.monotonic() - began) * unit, 2)


def _hold(server: Server, report: Report, what: str) -> None:
    held = server.held()
    longest, callback = held[0] if held else (0.0, "")
    report.figures[f"longest hold while {what}, CPU ms"] = longest
    if longest > MOST_HOLD_MS:
        report.figures[f"held it while {what}"] = f"`{callback[:90]}`".replace("|", "/")


def _journal_bytes(folder: Path) -> int:
    return sum(p.stat().st_size for p in (folder / "state").rglob("journal.db*"))


class _Streams:
    """Listens to many streams in one thread."""

    def __init__(self, address: tuple[str, int], sessions: list[str]) -> None:
        self._address, self._sessions = address, sessions
        self._n_ready = 0
        self._accepted: set[str] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._tasks = [
            asyncio.run_coroutine_threadsafe(self._listen(session), self._loop)
            for session in sessions
        ]
        self._until(lambda: self._n_ready == len(sessions))

    async def _listen(self, session: str) -> None:
        reader, writer = await asyncio.open_connection(*self._address, limit=1 << 24)
        head = f"GET /queues/events?session_id={session} HTTP/1.1\r\nHost: localhost\r\n"
        writer.write(f"{head}Authorization: token {TOKEN}\r\n\r\n".encode())
        try:
            async for line in reader:
                if line.startswith(b"event: snapshot"):
                    self._n_ready += 1
                elif line.startswith(b"data: ") and b'"job":{' in line:
                    self._accepted.add(json.loads(line[6:])["job_id"])
        finally:
            writer.close()

    def n_accepted(self, n: int) -> int:
        """Jobs that were told of, once there are so many or nothing more comes."""
        self._until(lambda: len(self._accepted) >= n)
        return len(self._accepted)

    def _until(self, true: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not true() and time.monotonic() < deadline:
            time.sleep(0.05)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        asyncio.run_coroutine_threadsafe(self._until_ended(), self._loop).result(PATIENCE_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE_S)
        self._loop.close()

    async def _until_ended(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)


@contextmanager
def _listening(server: Server, sessions: list[str]) -> Iterator[_Streams]:
    streams = _Streams(server.address, sessions)
    try:
        yield streams
    finally:
        streams.close()


CAMPAIGNS = {
    "http": Campaign(http, 20_000, "hostile HTTP and tus requests"),
    "load": Campaign(load, 10_000, "many jobs at once, with many who look on"),
}
