"""The real command, as people type it; and requests with much in them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hybrid_transcribe.config import MIB
from tests.rest.conftest import Site
from tests.services import environment, wavs

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def curl(site: Site, *arguments: str) -> Any:
    """What it prints, read as JSON; with the owner's token."""
    lines = ["-H", f"Authorization: token {site.server.token}"]
    command = ["curl", "-sS", "--noproxy", "*", "-m", "60", *lines, *arguments]
    ran = subprocess.run(command, capture_output=True, timeout=90, check=True)
    return json.loads(ran.stdout)


@needs_curl
def test_several_files_and_a_zip_as_a_form(site: Site, tmp_path: Path) -> None:
    """``-F`` for each, fields beside them, names as they are on disk."""
    item, two = wavs(tmp_path / "sent", "reunião de ontem", "b; c")
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.write(item, "in/d.wav")
    files = [argument for path in (item, two, tmp_path / "x.zip") for argument in _form(path)]
    job = curl(
        site, *files, "-F", "language=pt", "-H", "Prefer: wait=30", site.server.url + "/jobs"
    )
    assert job["state"] == "completed"
    assert [r["name"] for r in job["recordings"]] == ["reunião de ontem.wav", "b; c.wav", "d.wav"]


@needs_curl
def test_one_file_as_the_body(site: Site, tmp_path: Path) -> None:
    """``-T``, from a file and from a pipe."""
    (path,) = wavs(tmp_path / "sent", "a")
    url = site.server.url + "/jobs?name=fala.wav"
    job = curl(site, "-T", str(path), "-H", "Prefer: wait=30", url)
    assert (job["state"], job["recordings"][0]["name"]) == ("completed", "fala.wav")
    lines = ["-H", f"Authorization: token {site.server.token}"]
    with path.open("rb") as file:
        ran = subprocess.run(
            ["curl", "-sS", "--noproxy", "*", *lines, "-T", "-", url],
            stdin=file,
            capture_output=True,
            timeout=60,
        )
    assert json.loads(ran.stdout)["recordings"][0]["size_bytes"] == path.stat().st_size


@needs_curl
def test_a_broken_upload_goes_on(site: Site, tmp_path: Path) -> None:
    """The protocol by hand: create, the half, how far is it, the rest, the job."""
    (path,) = wavs(tmp_path / "sent", "a")
    data, half = path.read_bytes(), path.stat().st_size // 2
    (tmp_path / "1").write_bytes(data[:half])
    (tmp_path / "2").write_bytes(data[half:])
    tus = ["-H", f"Authorization: token {site.server.token}", "-H", "Tus-Resumable: 1.0.0"]
    created = _headers(
        *tus, "-X", "POST", "-H", f"Upload-Length: {len(data)}", site.server.url + "/files"
    )
    url = site.server.url + created["location"]
    for name in ("1", "2"):
        at = _headers(*tus, "-I", url)["upload-offset"]
        _headers(
            *tus,
            *("-X", "PATCH", "-H", "Content-Type: application/offset+octet-stream"),
            *("-H", f"Upload-Offset: {at}", "--data-binary", f"@{tmp_path / name}", url),
        )
    upload_ids = json.dumps({"upload_ids": [url.rpartition("/")[2]]})
    job = curl(
        site,
        *("-H", "Content-Type: application/json", "-H", "Prefer: wait=30"),
        *("-d", upload_ids, site.server.url + "/jobs"),
    )
    assert job["state"] == "completed"


def test_a_hundred_and_fifty_files_in_one_request(site: Site, tmp_path: Path) -> None:
    """All become recordings of one job, in their order."""
    (path,) = wavs(tmp_path / "sent", "a", seconds=0.2)
    audio = path.read_bytes()
    names = [f"nota {n:03d}.wav" for n in range(150)]
    with site.client() as client:
        answer = client.post("/jobs", files=[("file", (name, audio)) for name in names])
        assert answer.is_success
        assert [r["name"] for r in answer.json()["recordings"]] == names


_SERVER = """
import sys
from hybrid_transcribe import Service
with Service(sys.argv[1]) as service, service.serve(token="t") as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_a_gigabyte_takes_no_memory(tmp_path: Path) -> None:
    """1 GiB as a body and as an upload in pieces: the server grows by less than 100 MB."""
    size, block = 1024 * MIB, os.urandom(MIB)
    digest = hashlib.sha256()
    with subprocess.Popen(
        [sys.executable, "-c", _SERVER, str(tmp_path / "state")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        fields = {"Authorization": "token t", "Tus-Resumable": "1.0.0"}
        with httpx.Client(
            base_url=server.stdout.readline().strip(), headers=fields, trust_env=False, timeout=120
        ) as client:
            process = psutil.Process(server.pid)
            client.get("/health")
            before, most = process.memory_info().rss, 0

            def pieces() -> Any:
                nonlocal most
                for n in range(size // MIB):
                    yield block
                    digest.update(block)
                    if n % 16 == 0:
                        most = max(most, process.memory_info().rss)

            url = client.post("/files", headers={"Upload-Length": str(size)}).headers["location"]
            payload = {"Content-Type": "application/offset+octet-stream", "Upload-Offset": "0"}
            payload["Content-Length"] = str(size)
            assert client.patch(url, content=pieces(), headers=payload).status_code == 204
            stored = tmp_path / "state" / "partial" / url.rpartition("/")[2]
            assert _digest(stored) == digest.digest()
            assert client.delete(url).status_code == 204
            raw = {"Content-Type": "audio/wav", "Content-Length": str(size)}
            refused = client.post("/jobs", content=pieces(), headers=raw)
            # Noise is no audio.
            assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_media")
        server.stdin.close()
        assert server.wait(30) == 0
    assert most - before < 100_000_000


def _digest(path: Path) -> bytes:
    result = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(MIB):
            result.update(block)
    return result.digest()


def _form(path: Path) -> tuple[str, str]:
    return "-F", f'file=@"{path}"'


def _headers(*arguments: str) -> dict[str, str]:
    ran = subprocess.run(
        ["curl", "-sS", "--noproxy", "*", "-m", "60", "-o", os.devnull, "-D", "-", *arguments],
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )
    assert ran.stdout.split()[1] in ("200", "201", "204"), ran.stdout
    lines = [line.partition(":") for line in ran.stdout.splitlines()[1:] if ":" in line]
    return {name.lower(): value.strip() for name, _, value in lines}
