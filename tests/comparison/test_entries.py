"""The ways people write what is to be compared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Capabilities
from hybrid_transcribe.comparison.entries import EngineLike, make_entries, split
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import (
    InvalidOption,
    InvalidRequest,
    UnknownDevice,
    UnknownEngine,
    UnknownModel,
)
from hybrid_transcribe.testing import SCRIPTED, ScriptedEngine


class Cloud(ScriptedEngine):
    """Has models of its own, knows one language and wants a key."""

    name = "cloud"
    capabilities = Capabilities(
        default_model="best",
        models=("best", "nano"),
        languages=("en",),
        needs_network=True,
        sends_audio_to="Somebody Inc.",
    )

    def available(self, settings: Settings) -> str | None:
        """None when there is a key."""
        return None if settings.assemblyai_api_key else "no key"


SETTINGS = Settings(
    engine="scripted",
    engines={**SCRIPTED, "cloud": f"{__name__}:Cloud", "broken": "no_such_module:X"},
    assemblyai_api_key="k",
)


def entries(*engines: EngineLike, settings: Settings = SETTINGS, **how: Any) -> Any:
    """Those engines as entries."""
    return make_entries(engines, settings, **how)


@pytest.mark.parametrize(
    ("text", "engine", "model"),
    [
        ("faster-whisper", "faster-whisper", None),
        ("faster-whisper:base", "faster-whisper", "base"),
        ("faster-whisper: base ", "faster-whisper", "base"),
        ("faster-whisper:owner/name", "faster-whisper", "owner/name"),
        (r"faster-whisper:C:\models\base", "faster-whisper", r"C:\models\base"),
        ("faster-whisper:/models/a:b", "faster-whisper", "/models/a:b"),
        ("faster-whisper:", "faster-whisper", None),
        ("odd:name", "odd:name", None),
        ("odd:name:base", "odd", "name:base"),
    ],
)  # fmt: skip
def test_the_first_colon_divides(text: str, engine: str, model: str | None) -> None:
    """Models may have colons, as folders of Windows do; a registered name is taken whole."""
    assert split(text, ("odd:name",)) == (engine, model)


@pytest.mark.parametrize(
    "one",
    [
        "scripted:mine",
        ("scripted", "mine"),
        ["scripted", "mine"],
        {"engine": "scripted", "model": "mine"},
    ],
    ids=str,
)
def test_every_way_means_the_same(one: EngineLike) -> None:
    """Text, pair, list, mapping."""
    (entry,) = entries(one)

    assert (entry.engine, entry.spec.model, entry.label) == ("scripted", "mine", "scripted:mine")


def test_a_single_engine_needs_no_list() -> None:
    """A text is one engine, not its letters."""
    assert [e.label for e in make_entries("scripted", SETTINGS)] == ["scripted:steady"]


def test_none_is_all_that_run_here_and_keep_the_audio() -> None:
    """Nothing is sent away unasked, and what is broken is left out."""
    items = [e.engine for e in make_entries(None, SETTINGS)]

    assert items[0] == "scripted"
    assert "faster-whisper" in items
    assert not {"cloud", "broken", "assemblyai"} & set(items)


def test_a_mapping_has_options_of_its_own() -> None:
    """They go before those meant for all."""
    item, other = entries(
        {"engine": "scripted", "device": "cpu", "beam_size": 1},
        "scripted",
        device="gpu",
        options={"beam_size": 5, "language": "pt"},
    )

    assert (item.spec.device, item.spec.options.beam_size, item.spec.options.language) == (
        *("cpu", 1, "pt"),
    )
    assert (other.spec.device, other.spec.options.beam_size) == ("gpu", 5)


class TestModel:
    def test_the_one_for_all_goes_to_those_without(self) -> None:
        """And not to those that name one."""
        item, other = entries("scripted", "scripted:mine", model="all")

        assert (item.spec.model, other.spec.model) == ("all", "mine")

    def test_where_models_have_other_names_it_is_left_out(self) -> None:
        """And that is said."""
        (entry,) = entries("cloud", model="base")

        assert entry.spec.model == "best"
        assert entry.notice == "cloud has no model 'base': best was used"

    def test_a_whisper_for_all_is_left_out_where_there_is_none(self) -> None:
        """sherpa-onnx has models of its own."""
        (entry,) = entries("sherpa-onnx", model="base")

        assert entry.spec.model == "parakeet-tdt-0.6b-v3"
        assert entry.notice == "sherpa-onnx has no model 'base': parakeet-tdt-0.6b-v3 was used"

    def test_a_folder_is_a_model(self, tmp_path: Path) -> None:
        """In a pair it may be a path; its label is the folder's name."""
        (entry,) = entries(("scripted", tmp_path / "mine"))

        assert (entry.spec.model, entry.label) == (str(tmp_path / "mine"), "scripted:mine")

    def test_a_long_name_is_cut_in_the_label(self) -> None:
        """The table keeps its shape; the engine gets the whole name."""
        (entry,) = entries("scripted:" + "x" * 50)

        assert entry.label == "scripted:" + "x" * 31 + "…"
        assert entry.spec.model == "x" * 50


class TestLabels:
    def test_equal_ones_are_told_apart_by_what_differs(self) -> None:
        """By device and options."""
        result = entries(
            {"engine": "scripted", "beam_size": 1}, {"engine": "scripted", "device": "cpu"}
        )

        assert [e.label for e in result] == [
            "scripted:steady device=auto beam_size=1",
            "scripted:steady device=cpu",
        ]

    def test_people_may_give_their_own(self) -> None:
        """Where options make names long."""
        result = entries({"engine": "scripted", "beam_size": 1, "label": "greedy"}, "scripted")

        assert [e.label for e in result] == ["greedy", "scripted:steady"]

    def test_the_very_same_are_numbered(self) -> None:
        """Once more shows how far two runs are apart."""
        assert [e.label for e in entries("scripted", "scripted")] == [
            "scripted:steady",
            "scripted:steady (2)",
        ]


class TestMistakes:
    @pytest.mark.parametrize(
        ("one", "error", "message"),
        [
            ("nope", UnknownEngine, "No engine 'nope'; choose from: "),
            (r"C:\models\base", UnknownEngine, "No engine 'C'"),
            ("faster-whisper:no-such", UnknownModel, "'no-such'"),
            ("cloud:base", UnknownModel, "'base'; choose from: best, nano"),
            ({"engine": "scripted", "device": "abacus"}, UnknownDevice, "'abacus'"),
            ({"engine": "scripted", "volume": 11}, InvalidOption, "'volume'"),
            ({"model": "base"}, InvalidRequest, "names no engine"),
            (("scripted",), InvalidRequest, "is no engine: give a name"),
            (3, InvalidRequest, "3 is no engine"),
        ],
    )
    def test_what_no_engine_could_do_is_raised(
        self, one: Any, error: type[Exception], message: str
    ) -> None:
        """Before any work, with the choices."""
        with pytest.raises(error) as raised:
            entries("scripted", one)

        assert message in str(raised.value)

    def test_an_impossible_option_for_all_is_raised(self) -> None:
        """Whatever the engines."""
        with pytest.raises(InvalidOption, match="beam_size='wide'"):
            entries("broken", options={"beam_size": "wide"})

    def test_no_engine_is_none_to_compare(self) -> None:
        """An empty list is a mistake."""
        with pytest.raises(InvalidRequest, match="No engines to compare"):
            entries()

    @pytest.mark.parametrize(
        ("one", "settings", "code", "message"),
        [
            ("cloud", SETTINGS.but(assemblyai_api_key=None), "engine_unavailable", "cloud: no key"),
            ("cloud", SETTINGS.but(never_cloud=True), "cloud_forbidden", "Somebody Inc."),
            ({"engine": "cloud", "language": "pt"}, SETTINGS, "invalid_option", "'pt'"),
            ("broken:x", SETTINGS, "engine_unavailable", "ModuleNotFoundError"),
        ],
    )
    def test_what_this_engine_cannot_do_is_its_own_error(
        self, one: EngineLike, settings: Settings, code: str, message: str
    ) -> None:
        """The others are compared all the same."""
        fine, entry = entries("scripted", one, settings=settings)

        assert fine.error is None
        assert entry.spec is None
        assert entry.error.code == code
        assert message in entry.error.message
