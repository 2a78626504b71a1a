"""What a panel is told of a transcript as it grows and as it is revised."""

from __future__ import annotations

from dataclasses import replace

from hybrid_transcribe import events as e
from hybrid_transcribe.hud.feed import TranscriptFollower
from hybrid_transcribe.types import Segment, Speaker
from tests.outputs.examples import TALK


def test_speakers_come_with_the_text() -> None:
    """With their names; another name alone is news, the same text again is none."""
    follower = TranscriptFollower("j", "r")
    follower.transcript(TALK, ended=True, attempt=1)
    text = follower.tell()
    assert text is not None
    assert (text.start, len(text.segments), text.speakers) == (0, 7, TALK.speakers)

    renamed = replace(TALK, speakers=(Speaker("S1", "Beatriz"), *TALK.speakers[1:]))
    follower.take(e.Resync(1))
    follower.transcript(renamed, ended=True, attempt=1)
    text = follower.tell()
    assert text is not None
    assert (text.start, text.segments, text.speakers[0].name) == (7, (), "Beatriz")

    follower.take(e.Resync(2))
    follower.transcript(renamed, ended=True, attempt=1)
    assert follower.tell() is None


def test_a_revised_text_is_given_anew() -> None:
    """Whoever revised it: the one that is shown is looked up again, another's is not."""
    follower = TranscriptFollower("j", "r")
    follower.transcript(TALK, ended=True, attempt=1)
    follower.tell()
    follower.take(e.TranscriptRevised(1, recording_id="another"))
    assert not follower.dirty
    follower.take(e.TranscriptRevised(2, recording_id="r"))
    assert follower.lost
    revised = replace(TALK, segments=(*TALK.segments[:-1], Segment(1.0, 2.0, "corrected")))
    follower.transcript(revised, ended=True, attempt=1)
    message = follower.tell()
    assert message is not None
    assert (message.start, message.segments[-1].text) == (0, "corrected")
