"""Tables, read back as scripts and spreadsheets read them."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given

from hybrid_transcribe.outputs.tsv import Tsv
from hybrid_transcribe.types import Speaker, Transcript
from tests.outputs.examples import TALK, conversation, transcript, transcripts


def _rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text), dialect="excel-tab"))


def test_columns_are_those_of_openai_whisper() -> None:
    """Scripts written for openai-whisper's table read ours: whole milliseconds, tabs, a header."""
    written = Tsv().write(transcript("Hello.", "Bom dia."))

    assert written == "start\tend\ttext\n0\t2000\tHello.\n2000\t4000\tBom dia.\n"


@given(heard=transcripts)
def test_no_text_breaks_the_table(heard: Transcript) -> None:
    """Whatever the text, a spreadsheet finds its columns and two whole numbers in each row."""
    header, *rows = _rows(Tsv().write(heard))

    assert header == ["start", "end", "text", *(["speaker"] if heard.speakers else [])]
    assert len(rows) <= len(heard.segments)
    assert all(len(row) == len(header) and row[0].isdigit() and row[1].isdigit() for row in rows)


@pytest.mark.parametrize("text", ["a\tb", "a\nb", "a\r\n\r\nb", " a \x0b b "])
def test_white_space_in_text_is_one_space(text: str) -> None:
    """Tabs and line ends in text never make a column or a row."""
    assert _rows(Tsv().write(transcript(text)))[1][2] == "a b"


def test_an_open_quotation_mark_swallows_no_rows() -> None:
    """Text that begins with a quotation mark stays in its own cell."""
    rows = _rows(Tsv().write(transcript('"Well', "then")))

    assert [row[2] for row in rows[1:]] == ["'\"Well", "then"]


def test_a_fourth_column_says_who_speaks() -> None:
    """Behind those that scripts know; only where speakers are told apart."""
    rows = _rows(Tsv().write(TALK))

    assert [row[3] for row in rows] == ["speaker", "Ana", "Ana", "Rui", "Ana", "S3", "", "S3"]


def test_a_name_is_no_formula_and_no_column() -> None:
    """As text."""
    event = conversation(("S1", "Olá."), speakers=(Speaker("S1", "=1+1\tx\ny"),))

    assert _rows(Tsv().write(event))[1] == ["0", "2000", "Olá.", "'=1+1 x y"]
