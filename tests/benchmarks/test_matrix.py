"""The matrix's own arithmetic."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.matrix import Texts, cell, clips, interval, markdown, men, reader, sample
from tests.benchmarks.nospeech import Row, total
from tests.benchmarks.portuguese import spoken_line
from tests.benchmarks.speech import Recording
from tests.benchmarks.speed import Versus
from tests.benchmarks.summary import markdown as markdown_table
from tests.engines.mistakes import Edits, edits, n_words


def recording(name: str, seconds: float = 5.0) -> Recording:
    """One without a file."""
    return Recording(name, f"{name}.wav", "a b c", "en", seconds)


def test_edits_are_counted_by_kind() -> None:
    """One word replaced, one left out, one too many."""
    counted = edits("the cat sat on a mat", "the dog sat a mat now", "en")

    assert counted == Edits(1, 1, 1, 6)
    assert counted.wrong == 3


def test_signs_are_no_words() -> None:
    """A note and dots are nothing that anybody said."""
    assert n_words("♪ ... ♪") == 0
    assert n_words("You") == 1


def test_a_cell_compares_the_same_clips() -> None:
    """Points are per cent of the reference's words; men and women apart."""
    ours = [Edits(0, 2, 0, 100), Edits(0, 0, 0, 100)]
    bare = [Edits(1, 0, 0, 100), Edits(0, 0, 1, 100)]
    result = cell("telephone", ours, bare, [True, False])

    assert (result.bare, result.ours, result.more) == (1.0, 1.0, 0.0)
    assert (result.bare_deleted, result.ours_deleted) == (0.0, 1.0)
    assert (result.more_of_men, result.more_of_women) == (1.0, -1.0)
    assert not result.within_bars
    assert "**no**" in markdown([result])


def test_an_interval_without_differences_has_no_width() -> None:
    """And one with differences holds them."""
    assert interval([(1, 100)] * 20) == (1.0, 1.0)
    low, high = interval([(0, 100), (2, 100)] * 10)
    assert low < 1.0 < high


def test_texts_are_there_after_a_restart(tmp_path: Path) -> None:
    """A run that was ended goes on."""
    Texts(tmp_path / "below" / "kept.jsonl").add({"a|clean": "não é"})
    again = Texts(tmp_path / "below" / "kept.jsonl")

    assert "a|clean" in again
    assert again["a|clean"] == "não é"
    assert "b|clean" not in again


@pytest.mark.parametrize(
    ("name", "expected"),
    [("1688-142285-0003", "1688"), ("ls_32-21625-0000", "32"), ("laps_0240", "laps_0240")],
)
def test_readers_have_their_number(name: str, expected: str) -> None:
    """Their clips are judged together."""
    assert reader(recording(name)) == expected


def test_the_subset_has_all_main_readers(speech_dir: Path) -> None:
    """And none of the clips twice."""
    chosen = clips(False)

    assert len(chosen) == 25
    assert len({item.text.lower() for item in chosen}) == 25
    assert {"1688", "2033", "2609", "3005", "3331"} < {reader(item) for item in chosen}
    assert len(clips(True)) > 100


def test_a_sample_has_men_and_women_of_all_languages(speech_dir: Path) -> None:
    """A larger one has the smaller one in it."""
    every = clips(True)
    small, large = sample(every, 6), sample(every, 24)
    by_men = men(every)

    assert {(item.language in ("en", "pt"), item.name in by_men) for item in small} == {
        *((True, True), (True, False), (False, True), (False, False))
    }
    assert large[:6] == small
    assert len({item.name for item in large}) == 24


def test_rows_of_silence_add_up() -> None:
    """A clip is caught where bare writes words and ours none."""
    both = [recording("a", 1800.0), recording("b", 1800.0)]
    row = Row.of("hum", both, ["You", "Thank you."], ["", "Thank you."])

    assert (row.bare_words, row.bare_clips, row.ours_words, row.ours_clips) == (3, 2, 2, 1)
    assert (row.caught, row.hours) == (1, 1.0)
    assert total([row, row]).bare_words == 6


def test_the_table_names_its_recordings_once() -> None:
    """Ours against each of the others, in the order that was measured."""
    rows = [
        Versus("short", "faster-whisper", "6.0 (5.5 - 6.5)", 10.04, 9.96),
        Versus("short", "whisper.cpp", "18.0 (16.0 - 19.0)", 10.04, 7.0),
        Versus("long", "faster-whisper", "2.0 (1.9 - 2.1)", 9.0, 9.0),
    ]
    lines = markdown_table(rows).splitlines()[2:]

    assert lines[0] == "| short | faster-whisper | 6.0 (5.5 - 6.5) | 10.0 % / 10.0 % |"
    assert lines[1].startswith("|  | whisper.cpp")
    assert lines[2].startswith("| long |")


def test_the_laws_items_are_read_with_their_numbers() -> None:
    """Ordinals up to nine."""
    assert spoken_line("IX - a lei;") == "inciso nono a lei;"
    assert spoken_line("XII - a lei;") == "inciso 12 a lei;"
    assert spoken_line("Seção II: Do Povo") == "seção segunda Do Povo"
    assert spoken_line("§ 1º A lei") == "§ 1º A lei"
