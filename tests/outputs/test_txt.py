"""Plain text."""

from __future__ import annotations

from dataclasses import replace

from hybrid_transcribe.outputs.txt import Txt
from hybrid_transcribe.types import Speaker
from tests.outputs.examples import TALK, conversation, transcript


def test_the_file_is_the_transcripts_text() -> None:
    """The file, the notebook and the service tell the same text."""
    event = transcript(" And so, ", "", "my fellow Americans.")

    assert Txt().write(event) == event.text + "\n" == "And so, my fellow Americans.\n"


def test_nothing_heard_is_an_empty_file() -> None:
    """Silence leaves no stray line."""
    assert Txt().write(transcript("", "  ")) == ""


def test_terminal_commands_in_the_text_do_nothing() -> None:
    """Escape sequences do not reach the terminal that shows the file."""
    assert "\x1b" not in Txt().write(transcript("a\x1b[2Jb"))


def test_each_turn_of_a_speaker_is_a_paragraph() -> None:
    """Who speaks is told where the engine knows; what nobody is named for stands alone."""
    event = transcript("Good morning.", " All well?", "Yes.", " ", "(a door)", "Bye.")
    speakers = ("A", "A", "B\n", "C", None, "A")
    segments = tuple(
        replace(s, speaker=who) for s, who in zip(event.segments, speakers, strict=True)
    )

    assert Txt().write(replace(event, segments=segments)) == (
        "A: Good morning. All well?\n\nB: Yes.\n\n(a door)\n\nA: Bye.\n"
    )


def test_a_speaker_goes_by_name() -> None:
    """Where there is one; else by the label of the engine."""
    assert Txt().write(TALK) == (
        "Ana: Bom dia. Tudo bem?\n\nRui: Tudo.\n\nAna: Sim?\n\nS3: Olá.\n\n(porta)\n\nS3: Até.\n"
    )


def test_a_name_is_on_one_line() -> None:
    """No name makes a paragraph of its own, nor reaches the terminal."""
    event = conversation(("S1", "Olá."), speakers=(Speaker("S1", "Ana\n\nRui:\x1b[2J"),))

    assert Txt().write(event) == "Ana Rui: [2J: Olá.\n"
