"""Plain text."""

from __future__ import annotations

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import reading_text
from hybrid_transcribe.types import Transcript


class Txt(Writer):
    """The text alone, exactly `Transcript.text`: what is copied, searched and read.

    Where speakers were told apart, each turn is a paragraph that begins with its speaker.
    """

    extension = "txt"
    media_type = "text/plain"

    def write(self, transcript: Transcript) -> str:
        """The text and a line feed; empty when nothing was heard."""
        text = reading_text(transcript)
        return f"{text}\n" if text else ""
