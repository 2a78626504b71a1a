"""Lines on stderr: one each in a file, wrapped in a terminal."""

from __future__ import annotations

import io
import os
import sys

import pytest

from hybrid_transcribe.cli.exits import explain, say, terminal_width
from hybrid_transcribe.errors import ModelUnavailable

LONG = "Model 'x' is not here: put it into /a/very/long/path-with-hyphens/that-stays-in-one-piece"


class Terminal(io.StringIO):
    """Says that it is one, with a descriptor."""

    def isatty(self) -> bool:
        """Always."""
        return True

    def fileno(self) -> int:
        """Of a file that is open."""
        return 2


def terminal(patch: pytest.MonkeyPatch, columns: int = 60) -> Terminal:
    """Make stderr a terminal of so many columns; in a fixture, pytest would undo it."""
    display_name = Terminal()
    patch.setattr(sys, "stderr", display_name)
    patch.setattr(os, "get_terminal_size", lambda _: os.terminal_size((columns, 24)))
    return display_name


def test_in_a_terminal_lines_are_wrapped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between words only: people copy paths."""
    display_name = terminal(monkeypatch)
    explain(ModelUnavailable(LONG))

    assert display_name.getvalue().splitlines() == [
        "hybrid-transcribe: Model 'x' is not here: put it into",
        f"  {LONG.split()[-1]}",
        "  (model_unavailable)",
    ]


def test_in_a_terminal_what_fits_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of files may have two blanks."""
    display_name = terminal(monkeypatch)
    say("two  blanks.wav: failed")

    assert display_name.getvalue() == "two  blanks.wav: failed\n"


def test_elsewhere_a_message_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """For programs that read lines."""
    say(LONG)

    assert capsys.readouterr().err == LONG + "\n"


def test_a_terminal_that_does_not_tell_is_of_usual_width(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As some have no size; what is no terminal has no width."""
    assert terminal_width(terminal(monkeypatch, columns=0)) == 79
    assert terminal_width(io.StringIO()) is None
