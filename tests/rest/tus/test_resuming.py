"""What a broken connection brought stays, and the rest follows."""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tusclient.client import TusClient

from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.errors import UnknownUpload
from hybrid_transcribe.testing import ManualClock, tone, write_wav
from hybrid_transcribe.uploads.store import UploadStore
from tests.rest.conftest import OpenSite, Site
from tests.rest.tus.conftest import PIECE, Tus
from tests.services import service as make_service


def until(true: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Wait for what another process does."""
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def test_a_connection_that_breaks_amid_a_piece(site: Site, tus: Tus) -> None:
    """Every byte that arrived is there: the client goes on where it was cut."""
    url = tus.url(3 * MIB)
    body = os.urandom(3 * MIB)
    with _sending(site, url, 3 * MIB) as client:
        client.sendall(body[: MIB + 12345])
        until(lambda: _came(site, url) >= MIB)
    until(lambda: tus.offset(url) == MIB + 12345)
    assert tus.patch(url, MIB + 12345, body[MIB + 12345 :]).status_code == 204
    stored = site.service.partial_dir / url.rpartition("/")[2]
    assert stored.read_bytes() == body


def test_a_connection_that_died_unnoticed_is_taken_over(site: Site, tus: Tus) -> None:
    """The sender comes again over another network while we still wait for its first one."""
    url = tus.url(3 * MIB)
    with _sending(site, url, 3 * MIB) as dead:
        dead.sendall(bytes(MIB + 1000))
        until(lambda: _came(site, url) >= MIB)
        at = tus.offset(url)
        assert tus.patch(url, at, bytes(3 * MIB - at)).status_code == 204
        assert b" 409 " in dead.recv(4096)


def test_ended_while_it_comes(site: Site, tus: Tus) -> None:
    """Who does not want it any more need not wait for its end."""
    url = tus.url(3 * MIB)
    with _sending(site, url, 3 * MIB) as client:
        client.sendall(bytes(MIB))
        until(lambda: _came(site, url) > 0)
        assert tus.client.delete(url).status_code == 204
    until(lambda: list(site.service.partial_dir.iterdir()) == [])


def test_a_restart_between_two_pieces(open_site: OpenSite, tmp_path: Path) -> None:
    """Another process on the same state folder knows the upload, its name and how far it is."""
    audio = write_wav(tmp_path / "a.wav", tone(3)).read_bytes()
    with make_service(tmp_path / "state") as service, service.serve(token="t") as server:
        with _client(server.url) as client:
            url = Tus(client).url(len(audio), "reunião.wav")
            assert Tus(client).patch(url, 0, audio[:1000]).status_code == 204
    with make_service(tmp_path / "state") as service, service.serve(token="t") as server:
        with _client(server.url) as client:
            assert Tus(client).offset(url) == 1000
            assert Tus(client).patch(url, 1000, audio[1000:]).status_code == 204
            job = client.post("/jobs?", json={"upload_ids": [url.rpartition("/")[2]]}).json()
            assert [r["name"] for r in job["recordings"]] == ["reunião.wav"]
            service.wait(job["job_id"], 30)
            assert client.get(f"/jobs/{job['job_id']}").json()["state"] == "completed"


# --------------------------------------------------------------------------- what expires


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def shelf(folder: Path, clock: ManualClock, **settings: float) -> UploadStore:
    upload_store = UploadStore(folder, Settings.load({}, **settings), clock)
    upload_store.watch()
    return upload_store


def test_what_does_not_go_on_expires(tmp_path: Path, clock: ManualClock) -> None:
    """After a day without a byte; a restart is no byte, and a jump of the clock no day."""
    kept = shelf(tmp_path / "partial", clock)
    upload = kept.create(9, "")
    clock.advance(23 * 3600)
    assert kept.find(upload.upload_id) is upload
    assert kept.left_s(upload) == 3600
    clock.advance(3600 + 300)
    with pytest.raises(UnknownUpload):
        kept.find(upload.upload_id)
    assert list((tmp_path / "partial").iterdir()) == []

    old, young = kept.create(9, ""), kept.create(9, "")
    wall = clock.wall()
    os.utime(old.path, (wall - 23 * 3600, wall - 23 * 3600))
    os.utime(young.path, (wall + 1e8, wall + 1e8))
    again = shelf(tmp_path / "partial", clock)
    assert again.left_s(again.find(old.upload_id)) == pytest.approx(3600)
    assert again.left_s(again.find(young.upload_id)) == 24 * 3600


def test_what_a_death_left_behind_goes(tmp_path: Path, clock: ManualClock) -> None:
    """Bytes without a note, notes without bytes, drafts; never what is not ours."""
    folder = tmp_path / "partial"
    good = shelf(folder, clock).create(9, "")
    for name in ("1" * 32, "2" * 32 + ".json", "3" * 32 + ".new", "notes.txt", "4" * 32):
        (folder / name).write_bytes(b"{}")
    (folder / ("4" * 32 + ".json")).write_bytes(b'{"length": 1, "metadata": ""}')
    shelf(folder, clock)

    assert {p.name for p in folder.iterdir()} == {
        good.upload_id,
        f"{good.upload_id}.json",
        "notes.txt",
    }


# ---------------------------------------------------------------------- clients that people have

_UPLOADER = """
import sys
from tusclient.client import TusClient
url, token, path = sys.argv[1:]
client = TusClient(url + "/files", headers={"Authorization": "token " + token})
made = client.uploader(path, chunk_size=64 * 1024 * 1024, metadata={"filename": "longa.wav"})
made.set_url(made.create_url())
print(made.url, flush=True)
made.upload()
"""


@pytest.mark.slow
def test_tuspy_goes_on_after_its_process_was_killed(site: Site, tmp_path: Path) -> None:
    """64 MiB, cut at 40 MiB; a new client brings the rest, and it is a job of a single id."""
    path = _big_wav(tmp_path / "longa.wav", 64 * MIB)
    slow = _Proxy(site.server.url, cut_at=40 * MIB)
    token = site.server.token
    assert token is not None
    sender = subprocess.Popen(
        [sys.executable, "-c", _UPLOADER, slow.url, token, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert sender.stdout is not None
        url = urlsplit(sender.stdout.readline().strip()).path
        assert slow.cut.wait(60)
    finally:
        sender.kill()
        sender.wait(10)
        sender.stdout.close()  # type: ignore[union-attr]
        slow.close()
    with site.client() as client:
        client.headers["Tus-Resumable"] = "1.0.0"
        until(lambda: 39 * MIB < Tus(client).offset(url) <= 40 * MIB)
        tuspy = TusClient(site.server.url, headers={"Authorization": f"token {token}"})
        with path.open("rb") as file:
            again = tuspy.uploader(file_stream=file, url=site.server.url + url, chunk_size=8 * MIB)
            assert again.offset > 39 * MIB
            again.upload()
        upload_id = url.rpartition("/")[2]
        assert _sha256(site.service.partial_dir / upload_id) == _sha256(path)
        job = client.post("/jobs", json={"upload_ids": [upload_id]}).json()
        site.service.wait(job["job_id"], 60)
        done = client.get(f"/jobs/{job['job_id']}").json()
        assert (done["state"], done["recordings"][0]["name"]) == ("completed", "longa.wav")


class _Proxy:
    """Between a client and a server, until so many bytes went to the server."""

    def __init__(self, url: str, cut_at: int) -> None:
        parts = urlsplit(url)
        self._to = (str(parts.hostname), int(parts.port or 80))
        self._left, self.cut = cut_at, threading.Event()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while not self.cut.is_set():
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._to) as server:
            back = threading.Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            while self._left and (data := client.recv(min(65536, self._left))):
                server.sendall(data)
                self._left -= len(data)
            if not self._left:
                self.cut.set()
            server.shutdown(socket.SHUT_WR)
            back.join(10)


def _pump(source: socket.socket, to: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            to.sendall(data)
    except OSError:
        return


def _big_wav(path: Path, n_bytes: int) -> Path:
    """A tone of that size, 48 kHz mono in 16 bits: some ten minutes."""
    second = write_wav(path.with_suffix(".second"), tone(1)).read_bytes()[44:]
    times = n_bytes // len(second)
    size = times * len(second)
    head = b"RIFF" + (size + 36).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    rate = 96_000
    head += b"\x01\x00\x01\x00" + rate.to_bytes(4, "little") + (rate * 2).to_bytes(4, "little")
    head += b"\x02\x00\x10\x00data" + size.to_bytes(4, "little")
    with path.open("wb") as file:
        file.write(head)
        for _ in range(times):
            file.write(second)
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        result = hashlib.sha256()
        while block := file.read(MIB):
            result.update(block)
    return result.hexdigest()


def _client(url: str) -> httpx.Client:
    fields = {"Authorization": "token t", "Tus-Resumable": "1.0.0"}
    return httpx.Client(base_url=url, headers=fields, trust_env=False, timeout=30)


def _sending(site: Site, url: str, n_bytes: int) -> socket.socket:
    """A ``PATCH`` whose head has been sent."""
    parts = urlsplit(site.server.url)
    client = socket.create_connection((str(parts.hostname), int(parts.port or 80)), timeout=10)
    head = {
        **PIECE,
        "Host": parts.netloc,
        "Authorization": f"token {site.server.token}",
        "Tus-Resumable": "1.0.0",
        "Upload-Offset": "0",
        "Content-Length": str(n_bytes),
    }
    lines = [f"PATCH {url} HTTP/1.1", *(f"{name}: {value}" for name, value in head.items())]
    client.sendall("\r\n".join(lines).encode() + b"\r\n\r\n")
    return client


def _came(site: Site, url: str) -> int:
    return (site.service.partial_dir / url.rpartition("/")[2]).stat().st_size
