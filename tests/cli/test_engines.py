"""``engines``: a table for people, an array for programs."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hybrid_transcribe.config import PREFIX
from tests.cli.conftest import Ran

Cli = Callable[..., Ran]


def test_it_is_a_table(cli: Cli) -> None:
    """A line an engine, the default first, with who gets the audio."""
    ran = cli("engines")

    head, first, *_ = ran.out.splitlines()
    assert ran.code == 0
    assert head.split() == "NAME DEFAULT MODEL AUDIO GOES TO CAN RUN HERE".split()
    assert first.split() == ["scripted", "steady", "nobody", "yes,", "the", "default"]


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


@pytest.mark.parametrize("command", ["transcribe", "compare"])
def test_help_names_those_there_are(cli: Cli, command: str) -> None:
    """Where an engine is asked for."""
    # Where a line ends within a name depends on the names before it.
    told = "".join(cli(command, "--help").out.split())

    assert ":faster-whisper,openai-whisper" in told
