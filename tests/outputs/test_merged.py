"""The text of a whole job."""

from __future__ import annotations

from hybrid_transcribe.outputs import merged_text
from hybrid_transcribe.outputs.txt import Txt
from hybrid_transcribe.types import ErrorInfo, Rejection
from tests.outputs.examples import TALK, transcript


def test_a_single_recording_gives_only_its_text() -> None:
    """One file in, its text out, without a heading."""
    assert merged_text([transcript("Hello.", "World.")]) == "Hello. World.\n"


def test_several_come_in_order_each_under_its_name() -> None:
    """The order is the one given, whatever the names."""
    items = [transcript("Two.", name="b.wav"), transcript("One.", name="a.wav")]

    assert merged_text(iter(items)) == "# b.wav\n\nTwo.\n\n# a.wav\n\nOne.\n"


def test_a_partial_transcript_says_so() -> None:
    """Nobody takes half a text for the whole."""
    items = [transcript("One.", name="a.wav", complete=False), transcript("Two.", name="b.wav")]

    assert merged_text(items).startswith("# a.wav (partial)\n\nOne.")


def test_recordings_without_text_are_named_with_the_reason() -> None:
    """A failed recording beside a good one is neither silent nor in the way."""
    error = Rejection("b.wav", ErrorInfo("no_audio", "There is no\naudio stream"))

    merged = merged_text([transcript("One.", name="a.wav")], [error])

    assert merged == "# a.wav\n\nOne.\n\n# b.wav\n\n[no_audio: There is no audio stream]\n"


def test_a_name_cannot_forge_a_heading() -> None:
    """Line ends in a name are gone."""
    items = [transcript("One.", name="a\n# b.wav"), transcript("Two.")]

    assert merged_text(items).splitlines()[0] == "# a# b.wav"


def test_nothing_at_all_is_empty() -> None:
    """No recordings, or one where nobody speaks, give no text."""
    assert merged_text([]) == merged_text([transcript()]) == ""


def test_turns_are_paragraphs() -> None:
    """As in the file of a single recording."""
    merged = merged_text([TALK, transcript("Two.", name="b.wav")])

    assert merged == f"# talk.m4a\n\n{Txt().write(TALK)}\n# b.wav\n\nTwo.\n"
