"""SubRip subtitles."""

from __future__ import annotations

import re

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import clock, cue_lines, speaker_changes
from hybrid_transcribe.types import Segment, Transcript

# SubRip has no way to escape. An arrow may be read as a cue's times, "<i" as the start of
# a tag and "{\" as that of a style: each becomes what looks alike and does nothing.
_ARROW = re.compile("-{2,}>")
_TAG = re.compile("<(?=[a-zA-Z/!])")
_STYLE = re.compile(r"\{(?=\\)")


class Srt(Writer):
    """One cue a segment, numbered from 1; where the speaker changes the text begins with who."""

    extension = "srt"
    media_type = "application/x-subrip"

    def write(self, transcript: Transcript) -> str:
        """Cues with an empty line after each; empty when nothing was heard."""
        said = enumerate(speaker_changes(transcript), 1)
        return "".join(f"{number}\n{_cue(*cue)}\n\n" for number, cue in said)


def _cue(start_ms: int, end_ms: int, segment: Segment, label: str) -> str:
    return f"{clock(start_ms, ',')} --> {clock(end_ms, ',')}\n{_text(segment, label)}"


def _text(segment: Segment, label: str) -> str:
    speaker = f"{label}: " if label else ""
    inert = _TAG.sub("‹", _ARROW.sub("->", speaker + cue_lines(segment.text)))
    return _STYLE.sub("(", inert)
