"""``engines``: a table for people, an array for programs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hybrid_transcribe.cli import engines
from hybrid_transcribe.config import PREFIX
from tests.cli.conftest import Ran

Cli = Callable[..., Ran]


def test_it_is_a_table(cli: Cli) -> None:
    """A line an engine, the default first, with who gets the audio."""
    ran = cli("engines")

    head, first, *_ = ran.out.splitlines()
    assert ran.code == 0
    assert head.split() == "NAME DEFAULT MODEL AUDIO TO CAN RUNS HERE".split()
    assert first.split() == "scripted steady nobody words, speakers yes, the default".split()


def test_it_is_json_for_programs(cli: Cli) -> None:
    """An array with an object an engine."""
    rows = json.loads(cli("engines", "--json").out)

    assert [row["name"] for row in rows if row["default"]] == ["scripted"]
    assert "faster-whisper" in [row["name"] for row in rows]


def test_one_that_cannot_run_has_its_reason(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is listed, the command is fine, and the default that is missing hides nobody."""
    monkeypatch.setenv(PREFIX + "ENGINES", "broken=no_such_module:X")

    ran = cli("engines")

    assert ran.code == 0
    assert "no: no_such_module:X is broken: ModuleNotFoundError" in ran.out
    assert "faster-whisper" in ran.out


def test_an_unknown_default_engine_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the variable that names it, and what there is."""
    monkeypatch.setenv(PREFIX + "ENGINE", "nope")

    ran = cli("engines")

    assert ran.code == 0
    assert "the default" not in ran.out
    assert ran.err.startswith(
        "The default engine 'nope' (HYBRID_TRANSCRIBE_ENGINE) is none of these: faster-whisper, "
    )


def test_in_a_terminal_reasons_are_wrapped(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within its width; in a pipe each engine has one line."""
    monkeypatch.setenv(PREFIX + "ENGINES", "broken=no_such_module:X")
    piped = cli("engines").out
    monkeypatch.setattr(engines, "terminal_width", lambda stream: 110)
    display_name = cli("engines").out

    assert max(map(len, display_name.splitlines())) <= 110 < max(map(len, piped.splitlines()))
    assert "".join(display_name.split()) == "".join(piped.split())


def test_help_tells_the_defaults_of_the_settings(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the environment; a model there belongs to the default engine."""
    monkeypatch.setenv(PREFIX + "MODEL", "quick")
    monkeypatch.setenv(PREFIX + "DEVICE", "cpu")
    text = " ".join(cli("transcribe", "--help").out.split())

    assert "(default: scripted)" in text
    assert "(default: quick with scripted, else the engine's own;" in text
    assert "(default: cpu)" in text


def test_help_is_there_when_the_settings_are_wrong(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then of all times."""
    monkeypatch.setenv(PREFIX + "ENGINE", "nope")
    monkeypatch.setenv(PREFIX + "CPU_THREADS", "many")
    ran = cli("transcribe", "--help")

    assert ran.code == 0
    assert "(default: faster-whisper)" in " ".join(ran.out.split())


def test_help_of_an_unknown_default_engine(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named as it is; its model nobody knows."""
    monkeypatch.setenv(PREFIX + "ENGINE", "nope")
    text = " ".join(cli("transcribe", "--help").out.split())

    assert "(default: nope)" in text
    assert "(default: the engine's own;" in text


@pytest.mark.parametrize("command", ["transcribe", "compare"])
def test_help_names_those_there_are(cli: Cli, command: str) -> None:
    """Where an engine is asked for."""
    # Where a line ends within a name depends on the names before it.
    text = "".join(cli(command, "--help").out.split())

    assert ":faster-whisper,openai-whisper" in text
