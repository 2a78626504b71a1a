"""Where two transcripts differ."""

from __future__ import annotations

from hybrid_transcribe.comparison.differences import differences
from hybrid_transcribe.types import Segment, Transcript, Word


def heard(*segments: Segment) -> Transcript:
    """A transcript of these segments."""
    return Transcript("id", "talk.wav", segments, "engine", "model")


def said(text: str, end_s: float = 10.0) -> Transcript:
    """One segment from the beginning."""
    return heard(Segment(0.0, end_s, text))


def shown(first: str, second: str) -> list[str]:
    """The differences of two texts, as people read them."""
    return [str(d) for d in differences(said(first), said(second))]


def test_equal_texts_have_none() -> None:
    """Nor do those that differ in case and punctuation only."""
    assert shown("Well, it is so.", "well it is – so") == []


def test_a_difference_has_a_little_context() -> None:
    """Four words on either side, and dots where there are more."""
    assert shown("a b c d e f x h i j k l", "a b c d e f y h i j k l") == [
        "… c d e f [x | y] h i j k …"
    ]
    assert shown("x b", "y b") == ["[x | y] b"]


def test_what_one_leaves_out_is_a_dash() -> None:
    """On either side."""
    assert shown("a b c d e f g h i j", "a c d e f g h i j z") == [
        "a [b | –] c d e f …",
        "… g h i j [– | z]",
    ]


def test_neighbours_are_shown_as_one() -> None:
    """A phrase heard otherwise is a phrase, not its words."""
    assert shown("k a b c z", "k x b y z") == ["k [a b c | x b y] z"]


def test_words_stay_as_they_were_written() -> None:
    """With their case and punctuation."""
    assert shown("So, my fellow Americans, ask not", "So my fellow America, ask not") == [
        "So, my fellow [Americans, | America,] ask not"
    ]


def test_nothing_against_something() -> None:
    """An engine that heard nothing at all."""
    assert shown("a b", "") == ["[a b | –]"]
    assert shown("", "a b") == ["[– | a b]"]


def test_the_time_is_the_words_own() -> None:
    """Where words are timed."""
    words = (Word(1.0, 1.5, "a"), Word(7.0, 7.5, "b"))
    (result,) = differences(heard(Segment(1.0, 8.0, "a b", words)), said("a x"))

    assert result.at_s == 7.0


def test_without_word_times_it_is_guessed_by_place() -> None:
    """Within the segment; what only the second says has its time from there."""
    (result,) = differences(heard(Segment(20.0, 30.0, "a b c d e")), said("a b x d e"))
    assert result.at_s == 24.0

    (result,) = differences(said("a"), said("a b", 8.0))
    assert result.at_s == 4.0


def test_languages_without_spaces_are_compared_by_character() -> None:
    """And shown without spaces."""
    (result,) = differences(said("今日はいい天気です"), said("今日は良い天気です"), "ja")

    assert str(result) == "今日は [い | 良] い天気で …"


def test_it_knows_its_recording() -> None:
    """For comparisons of several."""
    (result,) = differences(said("a"), said("b"))

    assert (result.recording, result.first, result.second) == ("talk.wav", "a", "b")


def test_long_texts_take_no_time() -> None:
    """An hour of speech, every tenth word another."""
    first = [f"w{n % 500}" for n in range(10_000)]
    second = [word if n % 10 else "other" for n, word in enumerate(first)]

    assert len(shown(" ".join(first), " ".join(second))) == 1000
