"""The catalogue of engines: what they can do, and why one cannot run here."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from hybrid_transcribe import Capabilities, list_engines
from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines import listing
from hybrid_transcribe.engines.listing import EngineList, audio_goes_to, cloud_host, default_model
from hybrid_transcribe.errors import UnknownEngine
from hybrid_transcribe.interfaces import PostProcessorCapabilities
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.testing import SCRIPTED, ScriptedEngine, ScriptedPostProcessor


class Cloud(ScriptedEngine):
    """Sends the audio to somebody, and needs a key."""

    name = "cloud"
    capabilities = Capabilities(
        default_model="best",
        models=("best", "nano"),
        needs_network=True,
        sends_audio_to="Somebody Inc.",
    )

    def available(self, settings: Settings) -> str | None:
        """None when there is a key."""
        return None if settings.assemblyai_api_key else "no key:\n  export ASSEMBLYAI_API_KEY=…"


class Old(ScriptedEngine):
    """Of a time when ``available`` took nothing."""

    name = "old"

    def available(self) -> str | None:  # type: ignore[override]
        """Always."""
        return None


def _here(name: str) -> str:
    return f"{__name__}:{name}"


#: Engines of this file and the scripted one.
SETTINGS = Settings(
    engine="scripted", engines={**SCRIPTED, "cloud": _here("Cloud"), "old": _here("Old")}
)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The name of an engine of an installed package, which raises while it is imported."""
    (tmp_path / "grumpy.py").write_text("raise RuntimeError('not on a Monday')\n")
    info = tmp_path / "grumpy-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: grumpy\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[hybrid_transcribe.engines]\ngrumpy = grumpy:Grumpy\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    ENGINES.refresh()
    yield "grumpy"
    monkeypatch.undo()
    ENGINES.refresh()
    sys.modules.pop("grumpy", None)


def test_every_registered_engine_is_listed() -> None:
    """The default first, each once."""
    result = list_engines(SETTINGS)

    assert result.names == ("scripted", *ENGINES.names(), "cloud", "old")
    assert [e.name for e in result if e.default] == ["scripted"]


def test_it_says_what_an_engine_can_do() -> None:
    """As its capabilities have it, with the models of its layout."""
    engine = list_engines(Settings())["faster-whisper"]

    assert engine.available
    assert engine.why_not is None
    assert engine.default
    assert engine.default_model == "base"
    assert {"tiny.en", "base", "large-v3"} <= set(engine.models)
    assert {"auto", "cpu", "gpu"} == set(engine.devices)
    assert {"pt", "en"} <= set(engine.languages)
    assert "beam_size" in engine.options
    assert (engine.translates, engine.word_timestamps, engine.sends_audio_to) == (True, True, None)


def test_models_that_are_names_are_listed() -> None:
    """Those of the cloud have no files."""
    assert list_engines(SETTINGS)["cloud"].models == ("best", "nano")


def test_why_not_is_one_line() -> None:
    """With the remedy, however the engine words it."""
    cloud = list_engines(SETTINGS)["cloud"]

    assert not cloud.available
    assert cloud.why_not == "no key: export ASSEMBLYAI_API_KEY=…"


def test_never_cloud_makes_the_cloud_unavailable() -> None:
    """Also with a key, and no engine that keeps the audio here."""
    result = list_engines(SETTINGS.but(never_cloud=True, assemblyai_api_key="k"))

    assert result["cloud"].why_not == "forbidden by the settings (never_cloud)"
    assert result["scripted"].available


def test_a_plugin_that_raises_is_listed_and_breaks_nothing(plugin: str) -> None:
    """With the reason, and what to do about it."""
    result = list_engines(Settings())

    assert not result[plugin].available
    assert result[plugin].why_not == (
        "grumpy:Grumpy is broken: RuntimeError: not on a Monday; "
        "update, mend or uninstall the package of grumpy"
    )
    assert result["faster-whisper"].available


@pytest.mark.parametrize("target", ["no_such_module:X", "json:NoSuch", "json:dumps", _here("Old")])
def test_whatever_is_no_engine_is_told(target: str) -> None:
    """A missing module, a missing name, something else, a signature of old."""
    result = list_engines(Settings(engines={"strange": target}))["strange"]

    assert not result.available
    assert (result.why_not or "").startswith(f"{target} is broken: ")


def test_it_is_json() -> None:
    """Every field, for a service to answer with."""
    payload = json.loads(msgspec.json.encode(list(list_engines(SETTINGS))))

    assert payload[0]["name"] == "scripted"
    assert set(payload[0]) >= {"available", "why_not", "models", "sends_audio_to", "options"}


def test_shown_it_is_a_table() -> None:
    """One line an engine, with who gets the audio."""
    head, *rows = repr(list_engines(SETTINGS)).splitlines()

    assert head.split("  ")[0] == "NAME"
    assert len(rows) == len(list_engines(SETTINGS))
    assert head.split("  ")[-1].strip() == "RUNS HERE"
    assert rows[0].split() == "scripted steady nobody words, speakers yes, the default".split()
    (assembly,) = (row for row in rows if row.startswith("assemblyai"))
    assert "  words, speakers  " in assembly
    (cloud,) = (row for row in rows if row.startswith("cloud"))
    assert "Somebody Inc." in cloud
    assert "no: no key" in cloud
    # Nobody could ask it.
    (old,) = (row for row in rows if row.startswith("old"))
    assert old.split()[1] == "?"


def test_within_a_width_the_last_column_is_wrapped() -> None:
    """The others stay as they are; nothing is lost."""
    result = list_engines(SETTINGS)
    lines = result.text(115).splitlines()

    assert max(map(len, lines)) <= 115 < max(map(len, repr(result).splitlines()))
    assert "".join(result.text(115).split()) == "".join(repr(result).split())


def test_the_settings_model_is_the_default_engines_alone() -> None:
    """Another engine has names of its own."""
    result = list_engines(SETTINGS.but(model="quick"))

    assert result["scripted"].default_model == "quick"
    assert result["cloud"].default_model == "best"
    assert default_model(SETTINGS.but(model="quick")) == "quick"
    assert default_model(SETTINGS) == "steady"
    assert default_model(SETTINGS.but(engine="nope")) == ""


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        (
            "no_such_module:X",
            "the module is not on the import path: put its folder into PYTHONPATH",
        ),
        ("no_such.module:X", "the module is not on the import path"),
        ("json:NoSuch", "; mend it, or the setting engines (HYBRID_TRANSCRIBE_ENGINES)"),
    ],
)
def test_an_engine_of_the_settings_is_no_package_to_uninstall(target: str, advice: str) -> None:
    """The setting, or the import path, is what can be mended."""
    why_not = list_engines(Settings(engines={"mine": target}))["mine"].why_not or ""

    assert advice in why_not
    assert "uninstall" not in why_not


def test_it_says_which_host_gets_the_audio() -> None:
    """Of ours, by the setting; never with a password, and of others nothing."""
    settings = SETTINGS.but(assemblyai_base_url="https://me:secret@api.eu.assemblyai.com/v2")

    assert cloud_host("assemblyai", settings) == "api.eu.assemblyai.com"
    assert cloud_host("cloud", settings) is None
    assert cloud_host("assemblyai", SETTINGS.but(assemblyai_base_url="http://[x")) is None


def test_an_unknown_name_lists_the_known() -> None:
    """As everywhere."""
    with pytest.raises(UnknownEngine, match="'nope'; choose from: scripted"):
        list_engines(SETTINGS)["nope"]


def test_it_is_a_sequence() -> None:
    """By place, by slice, by name."""
    result = list_engines(SETTINGS)

    assert isinstance(result, EngineList)
    assert result[0] is result["scripted"]
    assert result[:1] == (result[0],)


class TestAudioGoesTo:
    def test_it_names_who_gets_it(self) -> None:
        """When the engine can run."""
        assert audio_goes_to("cloud", SETTINGS.but(assemblyai_api_key="k")) == "Somebody Inc."

    @pytest.mark.parametrize("engine", ["cloud", "scripted", "nope", "old", None])
    def test_it_is_nobody_where_nothing_is_sent(self, engine: str | None) -> None:
        """Without a key, on this machine, or where there is no such engine."""
        assert audio_goes_to(engine, SETTINGS) is None

    def test_none_is_the_default_engine(self) -> None:
        """As in every call."""
        settings = SETTINGS.but(engine="cloud", assemblyai_api_key="k")

        assert audio_goes_to(None, settings) == "Somebody Inc."


class TellsApart(ScriptedPostProcessor):
    """A stage for who speaks."""

    name = "speakers"
    capabilities = PostProcessorCapabilities(
        options=frozenset({"diarize", "speakers", "voices", "hotwords"})
    )


class CannotTell(TellsApart):
    """The same where something is lacking."""

    def available(self, settings: Settings) -> str | None:
        return "not here: pip install it"


@pytest.fixture
def apart(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of the stage for who speaks, in place of ours."""
    monkeypatch.setattr(listing, "SPEAKERS", "apart")
    return "apart"


def test_who_speaks_is_an_option_of_every_engine_where_a_stage_knows(apart: str) -> None:
    """Of those that do it themselves it stays as it is."""
    targets = {apart: f"{__name__}:TellsApart"}
    engines = list_engines(Settings(engines=SCRIPTED, postprocessors=targets))

    assert set(engines["scripted"].options) == {
        *("audio_track", "channels", "diarize", "language", "speakers", "voices"),
    }
    assert "voices" not in engines["assemblyai"].options
    assert "speakers" in engines["assemblyai"].options
    assert "speakers" in engines.text().split("scripted", 1)[1].splitlines()[0]


@pytest.mark.parametrize("target", ["CannotTell", "Nothing"])
def test_who_speaks_is_no_option_where_none_can_tell(apart: str, target: str) -> None:
    """A stage that lacks something, or is broken, promises nothing."""
    settings = Settings(engines=SCRIPTED, postprocessors={apart: f"{__name__}:{target}"})

    assert "diarize" not in list_engines(settings)["scripted"].options
