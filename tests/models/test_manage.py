"""Listing, getting and removing models."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable, UnknownModel
from hybrid_transcribe.models import get, listing, paths, remove
from tests.models import fakes

SIZE = sum(map(len, fakes.CT2_FILES.values()))


@pytest.fixture
def here(
    tmp_path: Path, settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """One model in our cache, one of the catalogue and one of somebody's in the hub's, wheels."""
    fakes.small_starters(monkeypatch, tmp_path / "site")
    fakes.model_folder(paths.own_folder("small", "ctranslate2", settings))
    fakes.hub_cache(hub_dir, "Systran/faster-whisper-tiny")
    fakes.hub_cache(hub_dir, "someone/whisper-mine")
    return settings


def test_every_model_here_is_listed_with_its_source(here: Settings) -> None:
    """Short names where there are some, ids elsewhere."""
    assert [(m.name, m.source) for m in listing(here)] == [
        ("base", "starter"),
        ("small", "cache"),
        ("someone/whisper-mine", "hub"),
        ("tiny", "hub"),
        ("tiny.en", "starter"),
    ]


def test_sizes_are_those_of_the_files(here: Settings) -> None:
    """People decide by size what to remove."""
    assert {m.size_bytes for m in listing(here) if m.name in ("small", "base", "tiny.en")} == {SIZE}


def test_an_empty_machine_lists_nothing(
    settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folders that do not exist are no error."""
    fakes.no_starters(monkeypatch)

    assert listing(settings) == ()


def test_getting_says_where_it_is(here: Settings) -> None:
    """A model that is here is told with its folder and source."""
    got = get("tiny.en", "ctranslate2", here)

    assert (got.source, got.size_bytes >= SIZE) == ("starter", True)
    assert (got.where / "model.bin").is_file()


def test_removing_frees_our_cache(here: Settings) -> None:
    """What was removed is told, and gone."""
    freed = remove("small", here)

    assert freed.size_bytes == SIZE
    assert not any(folder.exists() for folder in freed.folders)
    assert "small" not in [m.name for m in listing(here)]


def test_removing_frees_the_hub_cache(here: Settings) -> None:
    """A model that was fetched goes with its repository's folder."""
    freed = remove("someone/whisper-mine", here)

    assert freed.size_bytes >= SIZE
    assert "someone/whisper-mine" not in [m.name for m in listing(here)]


def test_an_installed_package_is_never_touched(here: Settings, tmp_path: Path) -> None:
    """The message has the command that does remove it."""
    with pytest.raises(ModelUnavailable, match="pip uninstall whole-model"):
        remove("tiny.en", here)

    assert (tmp_path / "site" / "whole_model" / "data" / "model.bin").is_file()


def test_a_named_folder_is_never_touched(here: Settings, tmp_path: Path) -> None:
    """Files of the user are the user's."""
    mine = fakes.model_folder(tmp_path / "mine")

    with pytest.raises(ModelUnavailable):
        remove(str(mine), here)
    assert (mine / "model.bin").is_file()


def test_removing_what_is_not_here_says_where_it_looked(here: Settings, hub_dir: Path) -> None:
    """Both caches are named."""
    with pytest.raises(ModelUnavailable, match=str(hub_dir)):
        remove("medium", here)


def test_removing_an_unknown_name_is_refused(here: Settings) -> None:
    """A typing error removes nothing."""
    with pytest.raises(UnknownModel):
        remove("smal", here)
