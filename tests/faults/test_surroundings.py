"""Rows 70 to 72: what lies around a process of ours, and what it must not pick up from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import websocket

from hybrid_transcribe import Service
from hybrid_transcribe.core.child_process import module_command, package_environment
from hybrid_transcribe.rest.hosts.voila_routes import PROTOCOL
from hybrid_transcribe.testing import SCRIPTED, Script
from tests.faults.test_crashes import start_parent
from tests.rest.hosts.running import serve
from tests.services import gone, service, wavs

#: Modules that the standard library, our dependencies and their optional parts import by name.
SHADOWS = ("types", "enum", "re", "typing", "random", "av", "numpy", "msgspec", "soundfile")

#: An engine that lies beside a notebook, with a neighbour of its own.
ENGINE = """
from engine_words import WORD
from hybrid_transcribe.rest.hosts.voila_routes import PROTOCOL
from hybrid_transcribe.testing import ScriptedEngine

class Mine(ScriptedEngine):
    name = WORD
"""


@pytest.fixture
def shadowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, full of files named like modules, each of which tells that it ran."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name in SHADOWS:
        (folder / f"{name}.py").write_text(
            f"open({str(tmp_path / 'ran')!r}, 'a').write('{name} ')\nraise SystemExit('shadow')\n"
        )
    monkeypatch.chdir(folder)
    return tmp_path / "ran"


def test_f70_no_module_of_the_current_folder_runs_in_a_worker(
    shadowed: Path, tmp_path: Path
) -> None:
    """Files named like modules beside the recordings are never imported, and nothing dies."""
    paths = wavs(tmp_path / "recordings", "talk")
    with service() as s:
        result = s.submit(paths).result(60)

    assert [len(t.segments) for t in result] == [3]
    assert not shadowed.exists(), shadowed.read_text()


@pytest.mark.parametrize(
    "module", ["hybrid_transcribe.worker", "hybrid_transcribe.audio.measure", "base64"]
)
def test_f70_no_child_has_the_current_folder_on_its_path(shadowed: Path, module: str) -> None:
    """On every version of Python, whichever child it is."""
    subprocess.run(
        module_command(module),
        env=package_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert not shadowed.exists(), shadowed.read_text()


def test_f70_without_the_flag_of_newer_pythons(
    shadowed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python 3.10 has no -P; what goes in its place does the same."""
    monkeypatch.setattr(sys, "version_info", (3, 10))
    command = module_command("hybrid_transcribe.audio.measure")
    environment = {k: v for k, v in package_environment().items() if k != "PYTHONSAFEPATH"}
    ran = subprocess.run(
        command, env=environment, input=b"[]", capture_output=True, timeout=60, check=False
    )

    assert "-P" not in command
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, b"", b"")
    assert not shadowed.exists(), shadowed.read_text()


def test_f70_an_engine_beside_the_notebook_still_serves(
    shadowed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settings name it, so its folder may be looked into, after everything else."""
    folder = tmp_path / "recordings"
    (folder / "my_engine.py").write_text(ENGINE)
    (folder / "engine_words.py").write_text("WORD = 'mine'\n")
    # As in a notebook, but behind the real modules: those of this process are imported already.
    monkeypatch.syspath_prepend(str(folder))
    (path,) = wavs(tmp_path, "talk")
    engines = {**SCRIPTED, "mine": "my_engine:Mine"}
    with Service(journal=None, engines=engines, engine="mine") as s:
        result = s.submit(path).result(60)

    assert len(result[0].segments) == 3
    assert not shadowed.exists(), shadowed.read_text()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has PDEATHSIG")
def test_f71_a_stopped_worker_dies_with_its_parent(tmp_path: Path) -> None:
    """A worker that is stopped cannot notice the end of its stdin; the kernel ends it."""
    with start_parent(tmp_path, Script(delay_s=0.1)) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        os.kill(worker, signal.SIGSTOP)
        parent.kill()
        parent.wait()
        try:
            assert gone(worker, within_s=3.0)
        finally:
            if psutil.pid_exists(worker):
                os.kill(worker, signal.SIGKILL)


@pytest.mark.slow
def test_f72_refused_websockets_are_a_line_of_the_log(tmp_path: Path) -> None:
    """Whatever is wrong with one: a status, one line, and no stack."""
    kernel = "/api/kernels/00000000-0000-0000-0000-000000000000/channels"
    with serve(tmp_path) as running:
        address = running.url.replace("http", "ws", 1)
        for path, options in (
            (kernel, {}),
            (kernel, {"subprotocols": [PROTOCOL]}),
            (kernel, {"subprotocols": [PROTOCOL], "origin": "http://evil.example"}),
            ("/api/kernels/none/channels", {}),
            ("/jobs", {}),
        ):
            with pytest.raises(websocket.WebSocketBadStatusException):
                websocket.create_connection(f"{address}{path}", timeout=20, **options)
        with running.client() as client:
            assert client.get(kernel).status_code == 400
        running.stop()
        log = "\n".join(running.lines)

    assert "Traceback" not in log
    assert log.count('"status":4') == 6
