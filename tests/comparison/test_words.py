"""Word error rates."""

from __future__ import annotations

import importlib.util

import pytest

from hybrid_transcribe.comparison import words
from hybrid_transcribe.comparison.words import Errors, align, check_libraries, count, most_common
from hybrid_transcribe.errors import EngineUnavailable


@pytest.mark.parametrize(
    ("reference", "text", "edits", "n"),
    [
        ("one two three four", "one two three four", 0, 4),
        ("one two three four", "one too three", 2, 4),
        ("a b", "a x y b", 2, 2),
        ("a b c", "", 3, 3),
        ("", "a b", 2, 0),
        ("", "", 0, 0),
    ],
)
def test_it_counts_edits_and_words(reference: str, text: str, edits: int, n: int) -> None:
    """Substitutions, deletions and insertions, of the reference's words."""
    assert count(reference, text, None) == Errors(edits, n)


def test_rates_add_up_over_recordings() -> None:
    """By words, so that a short recording weighs little; without words there is no rate."""
    assert (Errors(1, 2) + Errors(1, 8)).rate == 0.2
    assert Errors(3, 0).rate is None


@pytest.mark.parametrize(
    ("reference", "text", "language"),
    [
        ("It's 21 colours, Mr. Smith!", "it is twenty-one colors mister smith", "en"),
        ("Não é, senhor!", "não é senhor", "pt"),
    ],
)
def test_what_is_only_spelt_differently_is_no_error(
    reference: str, text: str, language: str
) -> None:
    """Case and punctuation everywhere, and what Whisper's normaliser knows of English."""
    assert count(reference, text, language).edits == 0


def test_english_rules_are_for_english() -> None:
    """A language that is not known gets the general ones."""
    assert count("colour", "color", None).edits == 1


def test_languages_without_spaces_are_counted_in_characters() -> None:
    """One wrong character of seven is no sentence wrong."""
    assert count("今日はいい天気", "今日は良い天気", "ja") == Errors(1, 7)


def test_aligned_words_cover_both_texts_in_order() -> None:
    """Each word of either is in one stretch."""
    first, second = "a b c d".split(), "a x c e d f".split()
    result = align(first, second)

    assert [n for s in result for n in s.first] == [0, 1, 2, 3]
    assert [n for s in result for n in s.second] == [0, 1, 2, 3, 4, 5]
    assert [(first[s.first.start : s.first.stop], s.equal) for s in result] == [
        *((["a"], True), (["b"], False), (["c"], True)),
        *(([], False), (["d"], True), ([], False)),
    ]


def test_the_language_is_that_of_most() -> None:
    """None where nothing was heard."""
    assert most_common(["pt", None, "en", "pt"]) == "pt"
    assert most_common([None]) is None


def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before hours of work."""
    real = importlib.util.find_spec
    monkeypatch.setattr(words, "find_spec", lambda name: None if name == "jiwer" else real(name))

    with pytest.raises(EngineUnavailable) as raised:
        check_libraries()

    assert str(raised.value) == "Comparing needs jiwer: pip install 'hybrid-transcribe[compare]'"
