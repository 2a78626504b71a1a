"""Text and times as the writers share them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from hybrid_transcribe.types import Segment, Transcript

_SURROGATE = re.compile("[\ud800-\udfff]")

# C0 and C1 controls but tab and line feed, and what str.splitlines takes for a line's end.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")

# Thirty years: no recording is longer.
_ABSURD_S = 1e9


def encodable(text: str) -> str:
    """The text with lone surrogates, which no file can hold, replaced."""
    return _SURROGATE.sub("\ufffd", text)


def clean(text: str) -> str:
    """Text of lines ended by a line feed only, without any other control character."""
    return _CONTROL.sub(" ", encodable(text).replace("\r\n", "\n").replace("\r", "\n"))


def one_line(text: str) -> str:
    """The text on one line, its stretches of white space made one space."""
    return " ".join(clean(text).split())


def cue_lines(text: str) -> str:
    """The text's lines, trimmed and without empty ones: those would end a cue."""
    return "\n".join(line for line in map(str.strip, clean(text).split("\n")) if line)


def milliseconds(time_s: float) -> int:
    """A time in whole milliseconds, 0 for what is none: negative, infinite, NaN or absurd."""
    return round(time_s * 1000) if 0 < time_s < _ABSURD_S else 0


def clock(time_ms: int, point: str = ".") -> str:
    """A time as ``hh:mm:ss.mmm``; hours grow beyond two digits where they must.

    >>> clock(3_723_004, ",")
    '01:02:03,004'
    """
    seconds, ms = divmod(time_ms, 1000)
    minutes, s = divmod(seconds, 60)
    h, m = divmod(minutes, 60)
    return f"{h:02}:{m:02}:{s:02}{point}{ms:03}"


def speaker_labels(transcript: Transcript) -> dict[str, str]:
    """What each speaker is called, on one line, by id; the id itself where there is no name."""
    return {s.id: one_line(s.name) or one_line(s.id) for s in transcript.speakers}


def speaker_changes(transcript: Transcript) -> Iterator[tuple[int, int, Segment, str]]:
    """As `spoken`, with the speaker's label where another one than before begins to speak."""
    labels, before = speaker_labels(transcript), ""
    for start_ms, end_ms, segment in spoken(transcript):
        label = labels.get(segment.speaker or "", "")
        yield start_ms, end_ms, segment, "" if label == before else label
        before = label


def reading_text(transcript: Transcript) -> str:
    """The text for people, without an end of line: a paragraph for each turn of a speaker.

    Where nobody is told apart it is `Transcript.text`.
    """
    if not transcript.speakers:
        return clean(transcript.text).strip()
    return "\n\n".join(_turns(transcript))


def _turns(transcript: Transcript) -> Iterator[str]:
    labels = speaker_labels(transcript)
    segments = [s for s in transcript.segments if clean(s.text).strip()]
    for label, turn in groupby(segments, lambda s: labels.get(s.speaker or "", "")):
        said = " ".join(clean(s.text).strip() for s in turn)
        yield f"{label}: {said}" if label else said


def spoken(transcript: Transcript) -> Iterator[tuple[int, int, Segment]]:
    """Each segment that has text, with its start and end in milliseconds, start before end."""
    for segment in transcript.segments:
        if one_line(segment.text):
            start_ms = milliseconds(segment.start_s)
            yield start_ms, max(milliseconds(segment.end_s), start_ms + 1), segment
