"""SubRip subtitles."""

from __future__ import annotations

import re

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import clock, cue_lines, one_line, spoken
from hybrid_transcribe.types import Segment, Transcript

# SubRip has no way to escape. An arrow may be read as a cue's times, "<i" as the start of
# a tag and "{\" as that of a style: each becomes what looks alike and does nothing.
_ARROW = re.compile("-{2,}>")
_TAG = re.compile("<(?=[a-zA-Z/!])")
_STYLE = re.compile(r"\{(?=\\)")


class Srt(Writer):
    """One cue a segment, numbered from 1; a speaker is named before the text."""

    extension = "srt"
    media_type = "application/x-subrip"

    def write(self, transcript: Transcript) -> str:
        """Cues with an empty line after each; empty when nothing was heard."""
        return "".join(
            f"{number}\n{clock(start_ms, ',')} --> {clock(end_ms, ',')}\n{_text(segment)}\n\n"
            for number, (start_ms, end_ms, segment) in enumerate(spoken(transcript), 1)
        )


def _text(segment: Segment) -> str:
    speaker = f"{one_line(segment.speaker)}: " if segment.speaker else ""
    inert = _TAG.sub("‹", _ARROW.sub("->", speaker + cue_lines(segment.text)))
    return _STYLE.sub("(", inert)
