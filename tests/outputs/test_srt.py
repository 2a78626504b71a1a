"""SubRip subtitles, read back as a player reads them."""

from __future__ import annotations

import pytest
from hypothesis import given

from hybrid_transcribe.outputs.srt import Srt
from hybrid_transcribe.types import Segment, Speaker, Transcript
from tests.outputs.examples import TALK, conversation, transcript, transcripts
from tests.outputs.players import Cue, read_srt


def test_a_player_reads_back_what_was_said_and_when() -> None:
    """Cues are numbered from 1 and timed to the millisecond, with the hours always there."""
    written = Srt().write(transcript("Hello.", "Bom dia."))

    assert written.startswith("1\n00:00:00,000 --> 00:00:02,000\nHello.\n\n2\n")
    assert read_srt(written) == [Cue(0, 2000, "Hello."), Cue(2000, 4000, "Bom dia.")]


@given(heard=transcripts)
def test_no_text_breaks_the_file(heard: Transcript) -> None:
    """Whatever the text, a player finds one cue a segment that has text, none empty."""
    cues = read_srt(Srt().write(heard))

    assert len(cues) <= len(heard.segments)
    assert all(cue.text and cue.start_ms < cue.end_ms and "-->" not in cue.text for cue in cues)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one\n\n\ntwo", "one\ntwo"),
        ("one\r\n\r\ntwo", "one\ntwo"),
        ("a --> b ----> c", "a -> b -> c"),
        ("00:00:01,000 --> 00:00:02,000", "00:00:01,000 -> 00:00:02,000"),
        ("5 < 6 & 7 > 2", "5 < 6 & 7 > 2"),
        ("<i>soft</i>", "‹i>soft‹/i>"),
        (r"{\an8}top", r"(\an8}top"),
    ],
)
def test_text_that_means_something_to_a_player_is_made_inert(text: str, shown: str) -> None:
    """Empty lines, arrows, tags and styles cannot end a cue, begin one or act."""
    assert [cue.text for cue in read_srt(Srt().write(transcript(text)))] == [shown]


def test_times_beyond_a_day_keep_counting_hours() -> None:
    """Very long recordings do not wrap around."""
    late = Transcript("id", "x", (Segment(360_000.0, 360_001.5, "late"),), "e", "m")

    assert "100:00:00,000 --> 100:00:01,500" in Srt().write(late)


def test_a_speaker_is_named() -> None:
    """Who speaks comes before what is said."""
    event = Transcript("id", "x", (Segment(0, 1, "Olá.", speaker="Ana"),), "e", "m")

    assert read_srt(Srt().write(event)) == [Cue(0, 1000, "Ana: Olá.")]


def test_a_speaker_is_named_at_each_change() -> None:
    """Not in every cue: there is little room."""
    assert [cue.text for cue in read_srt(Srt().write(TALK))] == [
        *("Ana: Bom dia.", "Tudo bem?", "Rui: Tudo.", "Ana: Sim?"),
        *("S3: Olá.", "(porta)", "S3: Até."),
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("Ana\n\n2\n00:00:01,000 --> 00:00:02,000\nRui", "Ana 2 00:00:01,000 -> 00:00:02,000 Rui"),
        ("<b>Ana</b>", "‹b>Ana‹/b>"),
        (r"{\an8}Ana", r"(\an8}Ana"),
        ("\n", "S1"),
    ],
)
def test_a_name_is_made_inert(name: str, shown: str) -> None:
    """As text is."""
    event = conversation(("S1", "Olá."), speakers=(Speaker("S1", name),))

    assert read_srt(Srt().write(event)) == [Cue(0, 2000, f"{shown}: Olá.")]
