"""A table for spreadsheets and scripts, with openai-whisper's columns."""

from __future__ import annotations

from collections.abc import Mapping

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import one_line, speaker_labels, spoken
from hybrid_transcribe.types import Segment, Transcript

# Spreadsheets run a cell that begins so (the wide forms on East Asian systems), and take a
# quotation mark for the start of a quoted cell, which may hold a formula or swallow rows.
_ACTIVE = tuple('=+-@\t\r＝＋－＠"')


class Tsv(Writer):
    """``start  end  text`` in whole milliseconds, tab separated, one row a segment.

    Where speakers are told apart, a fourth column says who speaks.
    """

    extension = "tsv"
    media_type = "text/tab-separated-values"

    def write(self, transcript: Transcript) -> str:
        """The header line, then a row for each segment that has text."""
        labels = speaker_labels(transcript)
        head = ["start", "end", "text", *(["speaker"] if labels else [])]
        rows = (_row(*said, labels) for said in spoken(transcript))
        return "".join("\t".join(row) + "\n" for row in (head, *rows))


def _row(start_ms: int, end_ms: int, segment: Segment, labels: Mapping[str, str]) -> list[str]:
    who = [cell(labels.get(segment.speaker or "", ""))] if labels else []
    return [str(start_ms), str(end_ms), cell(segment.text), *who]


def cell(text: str) -> str:
    """The text on one line, with an apostrophe before what a spreadsheet would run.

    >>> cell("=1+1")
    "'=1+1"
    """
    line = one_line(text)
    return f"'{line}" if line.startswith(_ACTIVE) else line
