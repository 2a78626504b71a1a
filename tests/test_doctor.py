"""What the doctor finds on machines that lack something."""

from __future__ import annotations

from pathlib import Path

import pytest
from filelock import FileLock

from hybrid_transcribe.config import Settings
from hybrid_transcribe.doctor import Check, engine, machine, ready
from hybrid_transcribe.testing import SCRIPTED, Script
from tests.models import fakes


def test_only_what_is_needed_decides() -> None:
    """A missing GPU or extra does not keep anybody from transcribing."""
    needed = Check("engine", True, "", needed=True)

    assert ready([needed, Check("gpu", None, ""), Check("state folder", False, "")])
    assert not ready([needed, Check("model", False, "", needed=True)])


def test_an_engine_that_cannot_be_imported_says_why() -> None:
    """A broken plug-in is a finding; the default engine is looked at first."""
    settings = Settings(engines={"broken": "no_such_package:Engine"})

    first, *others = engine.engines(settings)

    assert (first.name, first.needed) == ("engine faster-whisper", True)
    (broken,) = (check for check in others if check.name == "engine broken")
    assert broken.ok is None
    assert "no_such_package" in broken.detail


def test_an_unknown_default_engine_is_told() -> None:
    """The message names it and what there is."""
    (check, *_) = engine.engines(Settings(engine="nope"))

    assert (check.ok, check.needed) == (False, True)
    assert "'nope'" in check.detail


def test_a_model_that_is_only_a_name_needs_no_files() -> None:
    """Engines without model files are ready as they are."""
    (check,) = engine.model(Settings(engine="scripted", engines=SCRIPTED))

    assert check.ok


def test_a_missing_model_has_a_remedy(tmp_path: Path) -> None:
    """Nothing is fetched: the command that would is named."""
    (check,) = engine.model(Settings(model="org/none", cache_dir=str(tmp_path)))

    assert check.ok is False
    assert "models get org/none" in check.remedy
    assert check.detail == "not on this machine; doctor does not ask the hub"


def test_a_setting_that_forbids_the_hub_is_told(tmp_path: Path) -> None:
    """Where it was a person who said so, it is the reason."""
    (check,) = engine.model(Settings(model="org/none", cache_dir=str(tmp_path), offline=True))

    assert "settings forbid asking the hub" in check.detail


def test_an_unknown_model_is_a_setting_to_change(tmp_path: Path) -> None:
    """Getting what does not exist would help nobody."""
    (check,) = engine.model(Settings(model="bsae", cache_dir=str(tmp_path)))

    assert "'bsae'" in check.detail
    assert "models get" not in check.remedy
    assert "HYBRID_TRANSCRIBE_MODEL" in check.remedy


def test_looking_joins_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the starter packages carry in parts stays so until it is used."""
    fakes.small_starters(monkeypatch, tmp_path / "site")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (check,) = engine.model(Settings(model="base", cache_dir=str(tmp_path / "cache")))

    assert (check.ok, check.detail) == (True, "in the starter packages, joined at first use")
    assert not (tmp_path / "cache").exists()


@pytest.mark.parametrize(
    ("library", "ok", "told"),
    [
        ("import ctypes; ctypes.string_at(0)", False, "exit status -11"),
        ("raise OSError('libcublas.so.12: cannot open')", False, "libcublas.so.12"),
        ("def get_cuda_device_count(): return 0", None, "the CPU"),
    ],
)
def test_gpu_libraries_that_break_are_survived(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, ok: bool | None, told: str
) -> None:
    """They are asked in a child, whose end is a finding."""
    (tmp_path / "ctranslate2.py").write_text(library)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    (check,) = engine.gpu(Settings())

    assert check.ok is ok
    assert told in check.detail
    assert not check.needed


def test_a_gpu_that_was_asked_for_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the device set to gpu, none is not well."""
    (tmp_path / "ctranslate2.py").write_text("def get_cuda_device_count(): return 0")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    (check,) = engine.gpu(Settings(device="gpu"))

    assert (check.ok, check.needed) == (False, True)


def test_a_worker_answers_with_the_sample() -> None:
    """A real worker process decodes the packaged recording."""
    worker, audio = engine.worker(Settings())

    assert worker.ok
    assert audio.ok
    assert "11.0 s" in audio.detail


def test_a_worker_that_dies_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are in the detail, and audio was not tried."""
    monkeypatch.setattr(engine, "TRIAL_MODEL", Script(fault="kill").model)

    worker, audio = engine.worker(Settings())

    assert worker.ok is False
    assert "died" in worker.detail
    assert audio.ok is False


def test_a_state_folder_in_use_is_told(tmp_path: Path) -> None:
    """A named folder that another process holds has a remedy."""
    with FileLock(tmp_path / "lock"):
        (check,) = machine.state_folder(Settings(state_dir=str(tmp_path)))

    assert check.ok is False
    assert "in use" in check.detail


def test_a_state_folder_is_not_made_by_looking(tmp_path: Path) -> None:
    """The doctor leaves things as they are."""
    (check,) = machine.state_folder(Settings(state_dir=str(tmp_path / "new" / "state")))

    assert check.ok
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Both folders say how to name another."""
    (tmp_path / "file").write_text("no folder")
    nowhere = str(tmp_path / "file" / "below")

    (state,) = machine.state_folder(Settings(state_dir=nowhere))
    (cache,) = machine.cache_folder(Settings(cache_dir=nowhere))

    assert (state.ok, cache.ok) == (False, False)
    assert "HYBRID_TRANSCRIBE_STATE_DIR" in state.remedy
    assert "HYBRID_TRANSCRIBE_CACHE_DIR" in cache.remedy


def test_extras_are_listed() -> None:
    """What is installed and what is not, without those for developers."""
    (check,) = machine.extras(Settings())

    assert "starter" in check.detail
    assert "dev" not in check.detail
