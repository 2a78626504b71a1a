"""A table for spreadsheets and scripts, with openai-whisper's columns."""

from __future__ import annotations

from hybrid_transcribe.interfaces import Writer
from hybrid_transcribe.outputs._text import one_line, spoken
from hybrid_transcribe.types import Transcript

# Spreadsheets run a cell that begins so (the wide forms on East Asian systems), and take a
# quotation mark for the start of a quoted cell, which may hold a formula or swallow rows.
_ACTIVE = tuple('=+-@\t\r＝＋－＠"')


class Tsv(Writer):
    """``start  end  text`` in whole milliseconds, tab separated, one row a segment."""

    extension = "tsv"
    media_type = "text/tab-separated-values"

    def write(self, transcript: Transcript) -> str:
        """The header line, then a row for each segment that has text."""
        rows = (
            f"{start_ms}\t{end_ms}\t{cell(segment.text)}\n"
            for start_ms, end_ms, segment in spoken(transcript)
        )
        return "start\tend\ttext\n" + "".join(rows)


def cell(text: str) -> str:
    """The text on one line, with an apostrophe before what a spreadsheet would run.

    >>> cell("=1+1")
    "'=1+1"
    """
    line = one_line(text)
    return f"'{line}" if line.startswith(_ACTIVE) else line
