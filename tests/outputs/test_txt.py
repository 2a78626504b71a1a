"""Plain text."""

from __future__ import annotations

from hybrid_transcribe.outputs.txt import Txt
from tests.outputs.examples import transcript


def test_the_file_is_the_transcripts_text() -> None:
    """The file, the notebook and the service tell the same text."""
    heard = transcript(" And so, ", "", "my fellow Americans.")

    assert Txt().write(heard) == heard.text + "\n" == "And so, my fellow Americans.\n"


def test_nothing_heard_is_an_empty_file() -> None:
    """Silence leaves no stray line."""
    assert Txt().write(transcript("", "  ")) == ""


def test_terminal_commands_in_the_text_do_nothing() -> None:
    """Escape sequences do not reach the terminal that shows the file."""
    assert "\x1b" not in Txt().write(transcript("a\x1b[2Jb"))
