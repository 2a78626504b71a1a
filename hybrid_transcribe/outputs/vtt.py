"""WebVTT subtitles, as browsers play them."""

from __future__ import annotations

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import clock, cue_lines, speaker_labels, spoken
from hybrid_transcribe.types import Segment, Transcript


class Vtt(Writer):
    """One cue a segment; a speaker becomes a voice tag. Text is escaped, so never markup."""

    extension = "vtt"
    media_type = "text/vtt"

    def write(self, transcript: Transcript) -> str:
        """The header, then cues parted by empty lines."""
        labels = speaker_labels(transcript)
        cues = (
            f"\n{clock(start_ms)} --> {clock(end_ms)}\n"
            f"{_text(segment, labels.get(segment.speaker or '', ''))}\n"
            for start_ms, end_ms, segment in spoken(transcript)
        )
        return "WEBVTT\n" + "".join(cues)


def _text(segment: Segment, label: str) -> str:
    voice = f"<v {_escaped(label)}>" if label else ""
    return voice + _escaped(cue_lines(segment.text))


def _escaped(text: str) -> str:
    # Escaping ">" also disarms "-->", which would begin another cue.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
