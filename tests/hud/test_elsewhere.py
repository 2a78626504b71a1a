"""The same panel on a service elsewhere: over HTTP, with the same messages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_transcribe import RemoteService, Service, hud
from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.hud import messages as m
from hybrid_transcribe.hud import server as finding
from hybrid_transcribe.hud.controller import PARTIAL
from tests.hud.lines import desk_for, files_in, wait_until
from tests.services import environment, wavs


@pytest.fixture(scope="module")
def elsewhere(service: Service) -> Iterator[RemoteService]:
    with service.serve() as server, RemoteService(server.url, token=server.token) as instance:
        yield instance


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where partial files wait on this side."""
    monkeypatch.setenv("HYBRID_TRANSCRIBE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_recording_goes_all_the_way(
    elsewhere: RemoteService, tmp_path: Path, cache: Path
) -> None:
    """Up, through the queue and down again; nothing of it stays on this side."""
    (path,) = wavs(tmp_path, "talk")
    with desk_for(elsewhere) as line:
        line.hello()
        upload_id = line.upload(path.read_bytes(), "Ação.wav")
        assert {file.parent for file in files_in(cache)} == {cache / PARTIAL}
        instance = line.submit(upload_id, language="pt")
        assert isinstance(instance, m.Submitted), instance
        row = line.row("completed")
        assert (row.name, row.language, row.percentage) == ("Ação.wav", "pt", 100.0)
        line.say(m.Follow(job_id=row.job_id, recording_id=row.recording_id or ""))
        assert line.first(m.Text, complete=True)
        assert line.text == [f"Ação.wav {n}" for n in range(3)]
        _, text = line.fetch(part="results", job_id=instance.job_id)
        assert text.decode() == "Ação.wav 0 Ação.wav 1 Ação.wav 2\n"
        assert isinstance(line.ask(m.Delete, job_id=instance.job_id), m.Done)
        line.until(lambda: not line.shown.rows)
    assert files_in(cache) == []


def test_visitors_are_apart_there_too(elsewhere: RemoteService, tmp_path: Path) -> None:
    """Each page's session sees its own jobs, though the kernels share a token."""
    (path,) = wavs(tmp_path, "hers")
    options = {"remember": "page"}
    with desk_for(elsewhere, **options) as ana, desk_for(elsewhere, **options) as bia:
        session_id = ana.hello().session_id
        bia.hello()
        instance = ana.submit(ana.upload(path.read_bytes(), "hers.wav"))
        assert isinstance(instance, m.Submitted), instance
        ana.row("completed")
        assert bia.ask(m.Delete, job_id=instance.job_id).error.code == "unknown_job"
        assert bia.shown.rows == {}
    with desk_for(elsewhere, **options) as again:
        again.hello(session_id)
        assert [row.name for row in again.shown.rows.values()] == ["hers.wav"]


def test_refusals_are_those_of_everywhere(elsewhere: RemoteService, tmp_path: Path) -> None:
    """By their codes, and what was sent is kept for another try."""
    (path,) = wavs(tmp_path, "a")
    with desk_for(elsewhere) as line:
        line.hello()
        upload_id = line.upload(path.read_bytes(), "a.wav")
        refused = line.submit(upload_id, engine="none")
        assert isinstance(refused, m.Problem)
        assert refused.error.code == "unknown_engine"
        instance = line.submit(upload_id)
        assert isinstance(instance, m.Submitted)
        line.ask(m.Delete, job_id=instance.job_id)


# ------------------------------------------------------------- on a real Jupyter server


def jupyter_server(folder: Path, *, ours: bool) -> tuple[subprocess.Popen[bytes], dict[str, str]]:
    """A server of its own, and what it tells its kernels."""
    runtime = folder / "runtime"
    message = environment(
        JUPYTER_RUNTIME_DIR=str(runtime),
        JUPYTER_CONFIG_DIR=str(folder / "config"),
        HYBRID_TRANSCRIBE_STATE_DIR=str(folder / "server-state"),
    )
    arguments = [
        *("--no-browser", "--port=0", "--ip=127.0.0.1", "--allow-root"),
        *(f"--ServerApp.root_dir={folder}", "--ServerApp.base_url=/base/"),
        f"--ServerApp.jpserver_extensions={{'hybrid_transcribe': {ours}}}",
    ]
    with (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *arguments], env=message, stderr=log
        )
    note = runtime / f"jpserver-{process.pid}.json"
    try:
        assert wait_until(note.exists, 60.0), (folder / "log.txt").read_text()
    except BaseException:
        process.kill()
        raise
    return process, {"JPY_PARENT_PID": str(process.pid), "JUPYTER_RUNTIME_DIR": str(runtime)}


@pytest.fixture
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """What was found before is found anew, and closed at the end."""
    monkeypatch.setattr(finding, "_service", None)
    yield monkeypatch
    if finding._service is not None:
        finding._service.close()


@pytest.mark.slow
def test_the_servers_queue_outlives_the_kernel(forget: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`hud("server")` finds it, and whoever comes after the first kernel sees the same jobs."""
    process, message = jupyter_server(tmp_path, ours=True)
    try:
        for name, value in message.items():
            forget.setenv(name, value)
        (path,) = wavs(tmp_path, "talk")
        panel = hud("server")
        with desk_for(panel.service) as line:
            line.hello()
            instance = line.submit(line.upload(path.read_bytes(), "talk.wav"))
            assert isinstance(instance, m.Submitted), instance
        panel.service.close()
        panel.close()
        again = hud("server")
        with desk_for(again.service) as line:
            line.hello()
            assert line.row("completed").job_id == instance.job_id
        assert "talk.wav  completed  100" in repr(again)
        again.close()
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
def test_a_server_without_ours_is_told_with_the_remedy(
    forget: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """At once, not when the panel is shown."""
    process, message = jupyter_server(tmp_path, ours=False)
    try:
        for name, value in message.items():
            forget.setenv(name, value)
        with pytest.raises(InvalidRequest, match="extension enable hybrid_transcribe"):
            hud("server")
    finally:
        process.terminate()
        process.wait(30)
