"""Tables, read back as scripts and spreadsheets read them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given

from hybrid_transcribe.outputs.tsv import Tsv
from hybrid_transcribe.types import Transcript
from tests.outputs.examples import transcript, transcripts


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), dialect="excel-tab"))


def test_columns_are_those_of_openai_whisper() -> None:
    """Scripts written for openai-whisper's table read ours: whole milliseconds, tabs, a header."""
    written = Tsv().write(transcript("Hello.", "Bom dia."))

    assert written == "start\tend\ttext\n0\t2000\tHello.\n2000\t4000\tBom dia.\n"


@given(heard=transcripts)
def test_no_text_breaks_the_table(heard: Transcript) -> None:
    """Whatever the text, a spreadsheet finds three columns and two whole numbers in each row."""
    header, *rows = _rows(Tsv().write(heard))

    assert header == ["start", "end", "text"]
    assert len(rows) <= len(heard.segments)
    assert all(len(row) == 3 and row[0].isdigit() and row[1].isdigit() for row in rows)


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\r\n\r\nb", " a \x0b b "])
def test_white_space_in_text_is_one_space(text: str) -> None:
    """Tabs and line ends in text never make a column or a row."""
    assert _rows(Tsv().write(transcript(text)))[1][2] == "a b"


def test_an_open_quotation_mark_swallows_no_rows() -> None:
    """Text that begins with a quotation mark stays in its own cell."""
    rows = _rows(Tsv().write(transcript('"Well', "then")))

    assert [row[2] for row in rows[1:]] == ["'\"Well", "then"]
