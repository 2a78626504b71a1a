"""Names of models and what their folders must hold."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

from hybrid_transcribe.errors import ModelUnavailable, UnknownModel
from hybrid_transcribe.models import catalogue
from tests.models.fakes import model_folder


def test_every_short_name_of_faster_whisper_is_known_with_its_repository() -> None:
    """What people type for faster-whisper works here too, and means the same weights."""
    from faster_whisper.utils import _MODELS

    ours = {name: catalogue.repo_of(name, "ctranslate2") for name in _MODELS}

    assert ours == _MODELS


def test_an_unknown_name_is_refused_with_the_choices() -> None:
    """A typing error is answered with the names there are."""
    with pytest.raises(UnknownModel, match=r"'bsae'.*tiny\.en.*large-v3-turbo.*organisation/name"):
        catalogue.repo_of("bsae", "ctranslate2")


def test_an_id_on_the_hub_is_taken_as_it_is() -> None:
    """Any repository can be named, known to us or not."""
    assert catalogue.repo_of("someone/whisper-mine", "ctranslate2") == "someone/whisper-mine"


@pytest.mark.parametrize(
    "name", ["../secret/model", "a/b/c", "a--b/c", "org/..", "/etc/passwd", ""]
)
def test_what_could_leave_the_cache_is_no_hub_id(name: str) -> None:
    """Names become folders below the cache, never beside it."""
    assert not catalogue.is_hub_id(name)


def test_an_unknown_layout_is_refused_with_the_choices() -> None:
    """A plug-in that asks for a layout we cannot fetch hears so."""
    with pytest.raises(ModelUnavailable, match=r"'gguf'.*ctranslate2"):
        catalogue.layout_of("gguf")


def test_pickled_weights_are_never_fetched() -> None:
    """Loading a pickle runs its code, so no layout asks for one."""
    patterns = [p for layout in catalogue.LAYOUTS.values() for p in layout.fetch]

    assert not [p for p in patterns if p.endswith((".pt", ".pth", ".ckpt", ".pkl", "_model.bin"))]


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("distil-whisper/distil-large-v3", "distil-large-v3"),
        ("openai/whisper-large-v3-turbo", "turbo"),
        ("Systran/faster-whisper-tiny", "tiny"),
        ("freds0/distil-whisper-large-v3-ptbr", "distil-large-v3-ptbr"),
    ],
)
def test_an_id_of_the_catalogue_is_the_model_it_stands_for(name: str, short: str) -> None:
    """Each engine gets its own files of it, in one folder, whatever name was used."""
    for layout in catalogue.LAYOUTS:
        assert catalogue.find_repo(name, layout) == catalogue.find_repo(short, layout)
        assert catalogue.folder_name(name, layout) == catalogue.folder_name(short, layout)


@pytest.mark.parametrize("name", ["distil-large-v3-ptbr", "freds0/distil-whisper-large-v3-ptbr"])
@pytest.mark.parametrize("layout", ["ctranslate2", "openai"])
def test_a_model_of_one_engine_is_refused_for_the_others_by_name(name: str, layout: str) -> None:
    """With the engine it is for, rather than as a name nobody knows."""
    assert catalogue.repo_of(name, "huggingface") == "freds0/distil-whisper-large-v3-ptbr"
    with pytest.raises(UnknownModel, match=r"only for the engine transformers.*not for .*whisper"):
        catalogue.check_name(name, layout)


def test_only_the_weights_that_are_loaded_are_fetched() -> None:
    """large-v3 lies on the hub a second time in 32 bits."""
    required = catalogue.LAYOUTS["huggingface"].fetch

    def fetched(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in required)

    assert fetched("model.safetensors")
    assert fetched("model-00001-of-00002.safetensors")
    assert not fetched("model.fp32-00001-of-00002.safetensors")
    assert not fetched("pytorch_model.bin")


def test_missing_files_are_named(tmp_path: Path) -> None:
    """A folder that lacks something is told apart from a sound one, file by file."""
    folder = model_folder(tmp_path / "m", model_bin=None, vocabulary_txt=None)

    assert catalogue.LAYOUTS["ctranslate2"].missing(folder) == ("model.bin", "vocabulary.*")
