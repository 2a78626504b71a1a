"""Rows 11, 27, 28, 31 and 36 at the service's own addresses; `tests/rest/uploads` has the parts."""

from __future__ import annotations

import io
import json
import socket
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.config import MIB
from hybrid_transcribe.core.names import MAX_NAME
from hybrid_transcribe.rest.jobs import JobsHandler
from hybrid_transcribe.rest.server import Server
from hybrid_transcribe.testing import tone, write_wav
from hybrid_transcribe.uploads.received import UploadLimits
from tests.services import service

RLO = "\u202e"


class Site:
    """A server, and requests to it that no client would send."""

    def __init__(self, running: Service, server: Server) -> None:
        self.service, self.server = running, server
        self.client = httpx.Client(base_url=server.url, trust_env=False, timeout=30)

    def kept_bytes(self) -> int:
        """What lies among the uploads."""
        return sum(p.stat().st_size for p in self.service.uploads_dir.iterdir())

    def open(self, *headers: str, method: str = "POST") -> socket.socket:
        """A connection that has said its head."""
        parts = urlsplit(self.server.url)
        client = socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=10)
        lines = [f"{method} /jobs HTTP/1.1", f"Host: {parts.netloc}", *headers]
        client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
        return client

    def nothing_left(self) -> bool:
        """True when, soon, no upload lies there."""
        for _ in range(500):
            if not any(self.service.uploads_dir.iterdir()):
                return True
            time.sleep(0.01)
        return False


def heard(client: socket.socket) -> tuple[int, dict[str, Any]]:
    """Status and JSON of an answer, which ends the connection."""
    said = b""
    while piece := client.recv(65536):
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(body)


def part(name: str, body: bytes, filename: bytes | None = None) -> bytes:
    """Of a form, with its name as it is."""
    file = b"" if filename is None else b'; filename="' + filename + b'"'
    return (b'--xx\r\nContent-Disposition: form-data; name="' + name.encode() + b'"' + file) + (
        b"\r\n\r\n" + body + b"\r\n"
    )


FORM = "Content-Type: multipart/form-data; boundary=xx"
WAVE = "Content-Type: audio/wav"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Files of at most 1 MiB, requests of at most 2."""
    with ExitStack() as stack:
        running = stack.enter_context(
            service(
                tmp_path / "state",
                max_file_bytes=MIB,
                max_upload_bytes=2 * MIB,
                preload_models=False,
            )
        )
        instance = Site(running, stack.enter_context(running.serve(open_to_all=True)))
        stack.enter_context(instance.client)
        yield instance


@pytest.fixture
def audio(tmp_path: Path) -> bytes:
    return write_wav(tmp_path / "a.wav", tone(1)).read_bytes()


# ------------------------------------------------------------------------------ 11: a full disk


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_f11_a_full_disk_is_507(site: Site, audio: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in words, nothing stays, and the server goes on."""

    def full(path: Path) -> io.RawIOBase:
        path.touch()
        return Path("/dev/full").open("wb", buffering=0)

    with monkeypatch.context() as patch:
        patch.setattr(JobsHandler, "opener", staticmethod(full))
        answer = site.client.post("/jobs", files={"file": ("a.wav", audio)})
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert site.nothing_left()
    assert site.client.post("/jobs", files={"file": ("a.wav", audio)}).is_success


# --------------------------------------------------------------------- 27: too large, or lying


@pytest.mark.parametrize("kind", [FORM, WAVE])
def test_f27_too_large_is_told_before_it_is_sent(site: Site, kind: str) -> None:
    """413 by the length alone: not a byte is read or kept."""
    with site.open(kind, f"Content-Length: {3 * MIB}") as client:
        status, said = heard(client)
    assert (status, said["code"]) == (413, "too_large")
    assert site.kept_bytes() == 0


@pytest.mark.parametrize("kind", [FORM, WAVE])
def test_f27_a_length_nobody_told_is_bounded(site: Site, kind: str) -> None:
    """A chunked body without end: 413 at the limit, and the disk never held more than that."""
    most = 0
    with site.open(kind, "Transfer-Encoding: chunked") as client:
        begin = part("file", b"", b"a.wav")[:-2] if kind == FORM else b""
        piece = b"x" * 65536
        client.sendall(b"%x\r\n%s\r\n" % (len(begin), begin) if begin else b"")
        try:
            for _ in range(64):
                client.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
                most = max(most, site.kept_bytes())
        except OSError:
            pass
        status, said = heard(client)
    assert (status, said["code"]) == (413, "too_large")
    assert most <= 2 * MIB
    assert site.nothing_left()


def test_f27_a_length_that_lies(site: Site, audio: bytes) -> None:
    """Longer than what comes: nothing is kept. Shorter: the rest is no part of the file."""
    with site.open(WAVE, f"Content-Length: {len(audio) + 999}") as client:
        client.sendall(audio)
    assert site.nothing_left()
    with site.open(WAVE, "Content-Length: 100", "Connection: close") as client:
        client.sendall(audio)
        assert client.recv(4096).startswith(b"HTTP/1.1 ")
    for _ in range(500):
        if site.kept_bytes() <= 100:
            return
        time.sleep(0.01)
    raise AssertionError("more was kept than was told")


# --------------------------------------------------------------------------- 28: flood and drip


def test_f28_a_hundred_thousand_parts(site: Site) -> None:
    """Refused at the first one too many; no file of them stays."""
    body = part("file", b"", b"") * 100_000 + b"--xx--\r\n"
    limited = site.service.settings
    assert len(body) > limited.max_upload_bytes
    answer = site.client.post(
        "/jobs", content=part("f", b"x") * 5_000 + b"--xx--\r\n", headers=_header(FORM)
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many")
    answer = site.client.post("/jobs", content=body, headers=_header(FORM))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert site.nothing_left()


def test_f28_a_drip_is_hung_up_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """One byte at a time, far below the slowest rate: 408, and the file goes."""
    small = UploadLimits(idle_s=5.0, least_bytes_per_s=1000.0, window_s=0.3)
    monkeypatch.setattr(UploadLimits, "of", classmethod(lambda cls, settings: small))
    over = threading.Event()
    with site.open(WAVE, "Content-Length: 1000") as client:

        def drip() -> None:
            while not over.wait(0.05):
                try:
                    client.sendall(b"x")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            status, said = heard(client)
        finally:
            over.set()
            dripping.join()
    assert (status, said["code"]) == (408, "too_slow")
    assert site.nothing_left()


def test_f28_so_many_at_the_same_time(tmp_path: Path, audio: bytes) -> None:
    """Who only holds connections open keeps others out for no longer than they are open: 429."""
    with service(tmp_path / "state", max_parallel_uploads=2) as s, s.serve(open_to_all=True) as web:
        site = Site(s, web)
        with site.client, _coming(site):
            with _coming(site):
                full = site.client.post("/jobs", files={"file": ("a.wav", audio)})
                assert full.status_code == 429
                assert full.json()["code"] == "queue_full"
                assert int(full.headers["retry-after"]) > 0
                assert site.client.get("/health").status_code == 200
                assert site.client.post("/jobs", json={}).status_code == 400
            _until_status(site, audio, 202)


def _coming(site: Site) -> socket.socket:
    """An upload that the server has let in, and nothing of it yet."""
    client = site.open(WAVE, "Content-Length: 9", "Expect: 100-continue")
    assert client.recv(4096).startswith(b"HTTP/1.1 100 ")
    return client


def _until_status(site: Site, audio: bytes, status: int) -> httpx.Response:
    """The server learns of other connections in its own time."""
    for _ in range(200):
        answer = site.client.post("/jobs", files={"file": ("a.wav", audio)})
        if answer.status_code == status:
            return answer
        time.sleep(0.02)
    raise AssertionError(answer.text)


# -------------------------------------------------------------------------- 31: protocols as names

PROTOCOLS = [
    "http://127.0.0.1:1/a.wav",
    "https://example.org/a.wav",
    "file:///etc/passwd",
    "file:a.wav",
    "concat:/etc/passwd|a.wav",
    "subfile,,start,0,end,9,,:a.wav",
    "cache:http://127.0.0.1:1/a.wav",
    "data:audio/wav;base64,UklGRg==",
    "pipe:0.wav",
    "s3://bucket/a.wav",
]


def test_f31_protocols_as_names(site: Site, audio: bytes) -> None:
    """Alone 400, as a form and as a body; among others they alone are refused."""
    for name in PROTOCOLS:
        alone = site.client.post("/jobs", files={"file": (name, audio)})
        raw = site.client.post("/jobs", params={"name": name}, content=audio, headers=_header(WAVE))
        for answer in (alone, raw):
            assert (answer.status_code, answer.json()["code"]) == (400, "unsafe_input"), answer.text
    assert site.nothing_left()
    files = [("file", (name, audio)) for name in (*PROTOCOLS, "good.wav")]
    both = site.client.post("/jobs", files=files).json()
    assert [r["name"] for r in both["recordings"]] == ["good.wav"]
    assert [r["error"]["code"] for r in both["rejected"]] == ["unsafe_input"] * len(PROTOCOLS)


# ---------------------------------------------------------------------------- 36: hostile names

HOSTILE = [
    "../../../etc/passwd.wav",
    "C:\\Windows\\system32\\talk.wav",
    "\\\\server\\share\\talk.wav",
    "a\x00b.wav",
    f"gpj.{RLO}vaw.wav",
    "a\r\nSet-Cookie: x=1.wav",
    '"; filename="x.html',
    "<script>alert(1)</script>.wav",
    "é" * 4000 + ".wav",
    "same.wav",
    "SAME.wav",
    "same.wav",
    "..",
    "CON.wav",
    "/",
]


def test_f36_hostile_names(site: Site, tmp_path: Path, audio: bytes) -> None:
    """Stored under random names, shown inert, unique and safe in the zip that comes out."""
    before = set(tmp_path.iterdir())
    body = b"".join(part("file", audio, _quoted(name)) for name in HOSTILE) + b"--xx--\r\n"
    answer = site.client.post("/jobs", content=body, headers={**_header(FORM), "Prefer": "wait=60"})
    job = answer.json()
    assert job["state"] == "completed", answer.text
    assert len(job["recordings"]) == len(HOSTILE)
    assert set(tmp_path.iterdir()) == before
    for path in site.service.uploads_dir.iterdir():
        assert path.suffix in ("", ".wav")
        assert len(path.stem) == 32
        assert set(path.stem) <= set("0123456789abcdef")
    for recording in job["recordings"]:
        display_name = recording["name"]
        assert len(display_name) <= MAX_NAME
        assert not set(display_name) & set(f"/\\{RLO}\0\r\n")
        _check_headers(site, job, recording)
    _check_zip(site, job)


def _check_headers(site: Site, job: dict[str, Any], recording: dict[str, Any]) -> None:
    """A download's name is one header with one name, of plain characters."""
    of = f"/jobs/{job['job_id']}/recordings/{recording['recording_id']}"
    for address in (f"{of}/result", f"{of}/audio"):
        got = site.client.get(address, params={"session_id": job["session_id"]})
        assert got.status_code == 200
        said = got.headers["content-disposition"]
        assert said.isascii()
        assert said.count('"') == 2
        assert "set-cookie" not in got.headers
        assert got.headers["x-content-type-options"] == "nosniff"


def _check_zip(site: Site, job: dict[str, Any]) -> None:
    got = site.client.get(
        f"/jobs/{job['job_id']}/result",
        params={"format": "zip", "session_id": job["session_id"]},
    )
    with zipfile.ZipFile(io.BytesIO(got.content)) as archive:
        names = archive.namelist()
    assert len({name.lower() for name in names}) == len(names) == len(HOSTILE)
    for name in names:
        assert not set(name) & set(f'/\\:*?"<>|{RLO}\0\r\n')
        assert name.split(".")[0].lower() not in ("", "con")


def test_f36_links_in_a_zip(site: Site, tmp_path: Path, audio: bytes) -> None:
    """A symbolic link in a zip that is sent is refused; its neighbour is not."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("link.wav")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, str(tmp_path / "a.wav"))
        archive.writestr("../up.wav", audio)
    job = site.client.post("/jobs", files={"file": ("in.zip", packed.getvalue())}).json()
    assert [r["name"] for r in job["recordings"]] == ["up.wav"]
    assert [r["error"]["code"] for r in job["rejected"]] == ["unsafe_input"]
    assert not any(p.is_symlink() for p in site.service.uploads_dir.iterdir())


def _quoted(name: str) -> bytes:
    """As browsers do."""
    escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    return escaped.encode()


def _header(line: str) -> dict[str, str]:
    name, _, value = line.partition(": ")
    return {name: value}
