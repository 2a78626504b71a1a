"""Plain text."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import clean, one_line
from hybrid_transcribe.types import Transcript


class Txt(Writer):
    """The text alone, exactly `Transcript.text`: what is copied, searched and read.

    Where speakers were told apart, each turn is a paragraph that begins with its speaker.
    """

    extension = "txt"
    media_type = "text/plain"

    def write(self, transcript: Transcript) -> str:
        """The text and a line feed; empty when nothing was heard."""
        if any(segment.speaker for segment in transcript.segments):
            text = "\n\n".join(_turns(transcript))
        else:
            text = clean(transcript.text).strip()
        return f"{text}\n" if text else ""


def _turns(transcript: Transcript) -> Iterator[str]:
    for speaker, segments in groupby(transcript.segments, lambda s: one_line(s.speaker or "")):
        said = " ".join(text for s in segments if (text := clean(s.text).strip()))
        if said:
            yield f"{speaker}: {said}" if speaker else said
