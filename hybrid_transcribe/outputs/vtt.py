"""WebVTT subtitles, as browsers play them."""

from __future__ import annotations

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import clock, cue_lines, one_line, spoken
from hybrid_transcribe.types import Segment, Transcript


class Vtt(Writer):
    """One cue a segment; a speaker becomes a voice tag. Text is escaped, so never markup."""

    extension = "vtt"
    media_type = "text/vtt"

    def write(self, transcript: Transcript) -> str:
        """The header, then cues parted by empty lines."""
        cues = (
            f"\n{clock(start_ms)} --> {clock(end_ms)}\n{_text(segment)}\n"
            for start_ms, end_ms, segment in spoken(transcript)
        )
        return "WEBVTT\n" + "".join(cues)


def _text(segment: Segment) -> str:
    voice = f"<v {_escaped(one_line(segment.speaker))}>" if segment.speaker else ""
    return voice + _escaped(cue_lines(segment.text))


def _escaped(text: str) -> str:
    # Escaping ">" also disarms "-->", which would begin another cue.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
