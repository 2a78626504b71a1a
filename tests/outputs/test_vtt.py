"""WebVTT subtitles, read back as a browser reads them."""

from __future__ import annotations

from hypothesis import given

from hybrid_transcribe.outputs.vtt import Vtt
from hybrid_transcribe.types import Segment, Speaker, Transcript
from tests.outputs.examples import TALK, conversation, transcript, transcripts
from tests.outputs.players import Cue, read_vtt


def test_a_browser_reads_back_what_was_said_and_when() -> None:
    """The header comes first, cues follow, timed to the millisecond."""
    written = Vtt().write(transcript("Hello.", "Bom dia."))

    assert written.startswith("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\nHello.\n\n")
    assert read_vtt(written) == [Cue(0, 2000, "Hello."), Cue(2000, 4000, "Bom dia.")]


@given(heard=transcripts)
def test_no_text_breaks_the_file(heard: Transcript) -> None:
    """Whatever the text, a browser finds one cue a segment that has text, none empty."""
    cues = read_vtt(Vtt().write(heard))

    assert len(cues) <= len(heard.segments)
    assert all(cue.start_ms < cue.end_ms for cue in cues)


def test_signs_of_markup_are_shown_as_they_were_said() -> None:
    """Escaped text reads back unchanged, arrows and entities too."""
    text = "a & b &amp; <c> --> d"

    assert [cue.text for cue in read_vtt(Vtt().write(transcript(text)))] == [text]


def test_nothing_heard_is_a_valid_file() -> None:
    """Silence gives a player a track without cues."""
    assert read_vtt(Vtt().write(transcript())) == []


def test_a_speaker_becomes_a_voice() -> None:
    """Players can style speakers; a speaker's name cannot be markup."""
    event = Transcript("id", "x", (Segment(0, 1, "Olá.", speaker="A>\nna"),), "e", "m")

    assert "\n<v A&gt; na>Olá.\n" in Vtt().write(event)


def test_every_cue_names_its_speaker() -> None:
    """By name, where there is one; none where nobody in particular speaks."""
    lines = Vtt().write(TALK).splitlines()

    assert [line for line in lines if line and "-->" not in line] == [
        *("WEBVTT", "<v Ana>Bom dia.", "<v Ana>Tudo bem?", "<v Rui>Tudo.", "<v Ana>Sim?"),
        *("<v S3>Olá.", "(porta)", "<v S3>Até."),
    ]


def test_a_name_is_no_markup() -> None:
    """Nor a cue of its own."""
    name = "A & B <i>\n\n00:00.000 --> 00:01.000"
    event = conversation(("S1", "Olá."), speakers=(Speaker("S1", name),))

    assert read_vtt(Vtt().write(event)) == [Cue(0, 2000, "Olá.")]
    assert "\n<v A &amp; B &lt;i&gt; 00:00.000 --&gt; 00:01.000>Olá.\n" in Vtt().write(event)
