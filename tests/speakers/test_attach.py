"""Words and segments get their speakers, and nothing is lost."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_transcribe.speakers.attach import attach, speakers_of_words, word_offsets
from hybrid_transcribe.speakers.turns import Turn
from hybrid_transcribe.types import Segment, Word


def words(text: str, start_s: float = 0.0, each_s: float = 0.5, pause_s: float = 0.0) -> list[Word]:
    """The words of a text, one behind the other."""
    step_s = each_s + pause_s
    return [
        Word(start_s + i * step_s, start_s + i * step_s + each_s, word)
        for i, word in enumerate(text.split())
    ]


def segment(text: str, start_s: float = 0.0, each_s: float = 0.5, id: str = "1.0") -> Segment:
    """A segment with the words of its text."""
    row = words(text, start_s, each_s)
    return Segment(start_s, row[-1].end_s, f" {text}", tuple(row), id=id)


def labels(text: str, turns: list[Turn], **timing: float) -> str:
    """Who says each word, as one letter each; ``-`` for nobody."""
    return "".join(label or "-" for label in speakers_of_words(words(text, **timing), turns))


# ---------------------------------------------------------------------------------- words


def test_a_word_goes_to_who_speaks_during_most_of_it() -> None:
    """Turns change within a word: 0.3 s of it against 0.2."""
    turns = [Turn(0, 1.3, "a"), Turn(1.3, 3, "b")]

    assert labels("one two three four five six", turns) == "aaabbb"


def test_a_word_beside_a_turn_goes_to_the_nearest() -> None:
    """Within half a second; farther away it is nobody's."""
    assert labels("hm", [Turn(0.9, 2, "a"), Turn(2.1, 3, "b")]) == "a"
    assert labels("hm", [Turn(1.1, 2, "a")]) == "-"
    assert labels("hm", []) == "-"


def test_a_word_said_over_by_another_stays_with_its_sentence() -> None:
    """Both speak over all of the third word; who began goes on."""
    turns = [Turn(0, 3, "a"), Turn(1.0, 1.5, "b")]

    assert labels("one two three four five six", turns) == "aaaaaa"


def test_a_lone_word_at_the_edge_of_a_turn_stays_with_its_neighbours() -> None:
    """A blip of the diariser makes no turn of one half of a word."""
    turns = [Turn(0, 1.2, "a"), Turn(1.2, 1.5, "b"), Turn(1.5, 3, "a")]

    assert labels("one two three four five six", turns) == "aaaaaa"


def test_a_back_channel_stays_with_who_said_it() -> None:
    """A word that only another says, between words of the first."""
    turns = [Turn(0, 1.0, "a"), Turn(1.0, 1.5, "b"), Turn(1.5, 3, "a")]

    assert labels("so then yes we went home", turns) == "aabaaa"


def test_speakers_change_at_the_end_of_a_sentence_rather_than_behind_it() -> None:
    """The turn ends 0.2 s before the word with the full stop does."""
    turns = [Turn(0, 1.3, "a"), Turn(1.3, 3, "b")]

    assert labels("we went home. And then what", turns, each_s=0.5) == "aaabbb"
    assert labels("we went home and. Then what", turns, each_s=0.5) == "aaabbb"


def test_a_pause_makes_a_change_free() -> None:
    """Behind half a second of silence the larger share decides alone."""
    turns = [Turn(0, 0.9, "a"), Turn(1.22, 1.5, "b"), Turn(1.0, 1.22, "a")]

    assert labels("one two", turns, pause_s=0.5) == "ab"
    assert labels("one two", [Turn(0, 0.72, "a"), Turn(0.72, 1.0, "b")]) == "aa"


# ------------------------------------------------------------------------------- segments


def test_segments_are_split_where_the_speaker_changes() -> None:
    """The first part keeps id and start, the last the end; words, text and times go with them."""
    turns = [Turn(0, 1.5, "S1"), Turn(1.5, 3.2, "S2")]

    document = attach([segment("where were you I was there")], turns)

    first, second = document.segments
    assert (first.text, first.speaker, first.id) == ("where were you", "S1", "1.0")
    assert (second.text, second.speaker, second.id) == ("I was there", "S2", "")
    assert (first.start_s, first.end_s, second.start_s, second.end_s) == (0, 1.5, 1.5, 3)
    assert [w.text for w in second.words] == ["I", "was", "there"]
    assert {w.speaker for w in second.words} == {"S2"}
    assert [speaker.id for speaker in document.speakers] == ["S1", "S2"]


def test_a_segment_of_one_speaker_is_the_same_but_for_the_speaker() -> None:
    """Its text too, with the space before it."""
    whole = segment("all of it", id="1.7")

    (only,) = attach([whole], [Turn(0, 2, "S1")]).segments

    assert (only.text, only.id, only.start_s, only.end_s) == (" all of it", "1.7", 0, 1.5)


def test_speakers_are_listed_by_their_first_turn() -> None:
    """Whoever says no word is not listed."""
    turns = [Turn(0, 0.2, "S3"), Turn(0.2, 1.0, "S1"), Turn(1.0, 2, "S2")]

    document = attach([segment("one two three four")], turns)

    assert [speaker.id for speaker in document.speakers] == ["S1", "S2"]


def test_words_of_nobody_go_with_their_segment() -> None:
    """The diariser heard nobody during the last words."""
    (only,) = attach([segment("one two three four five six")], [Turn(0, 1, "S1")]).segments

    assert only.speaker == "S1"


def test_a_segment_that_nobody_speaks_in_has_no_speaker() -> None:
    """Its text stays."""
    document = attach([segment("music", 50)], [Turn(0, 1, "S1")])

    assert [(s.text, s.speaker) for s in document.segments] == [(" music", None)]
    assert document.speakers == ()


def test_a_segment_without_words_is_split_where_they_would_be() -> None:
    """Words are taken to be spread evenly, and none are made up in the result."""
    whole = Segment(0, 4, "good morning sir thank you", id="2.3")

    document = attach([whole], [Turn(0, 2.4, "S1"), Turn(2.4, 4, "S2")])

    assert [s.text for s in document.segments] == ["good morning sir", "thank you"]
    assert [s.words for s in document.segments] == [(), ()]
    assert document.segments[0].end_s == document.segments[1].start_s == pytest.approx(2.4, abs=0.3)


def test_languages_without_spaces_are_split_between_characters() -> None:
    """There a text has no words to split at."""
    document = attach([Segment(0, 4, "你好吗我很好")], [Turn(0, 2, "S1"), Turn(2, 4, "S2")], "zh")

    assert [s.text for s in document.segments] == ["你好吗", "我很好"]


def test_words_that_are_not_those_of_the_text_keep_the_segment_whole() -> None:
    """Nobody knows where to split: all of it goes to who speaks longest."""
    whole = Segment(0, 2, "another text", tuple(words("one two three four")))

    (only,) = attach([whole], [Turn(0, 0.4, "S1"), Turn(0.4, 2, "S2")]).segments

    assert (only.text, only.speaker, len(only.words)) == ("another text", "S2", 4)


def test_what_a_segment_knows_goes_to_its_parts() -> None:
    """Language and the decoder's figures are those of the whole."""
    whole = segment("where were you I was there")
    whole = Segment(0, 3, whole.text, whole.words, avg_logprob=-0.3, language="pt", id="1.0")

    parts = attach([whole], [Turn(0, 1.5, "S1"), Turn(1.5, 3, "S2")]).segments

    assert {(p.avg_logprob, p.language) for p in parts} == {(-0.3, "pt")}


def test_words_of_a_text_are_located_in_order() -> None:
    """The same word twice is two places."""
    assert word_offsets(" the cat, the end", ["the", "cat,", "the", "end"]) == [1, 5, 10, 14]
    assert word_offsets("the cat", ["dog"]) is None


# ------------------------------------------------------------------------- whatever comes

_WORD = st.from_regex(r"[a-zé]{1,8}[.,?]?", fullmatch=True)


@st.composite
def _transcripts(draw: st.DrawFn) -> list[Segment]:
    """Segments in order, with and without words, some words without a length."""
    at_s = 0.0
    segments = []
    for index in range(draw(st.integers(0, 5))):
        texts = draw(st.lists(_WORD, min_size=1, max_size=8))
        start_s = at_s
        row = []
        for text in texts:
            length_s = draw(st.sampled_from([0.0, 0.1, 0.4, 1.5]))
            row.append(Word(at_s, at_s + length_s, text))
            at_s += length_s + draw(st.sampled_from([0.0, 0.05, 0.7]))
        own = tuple(row) if draw(st.booleans()) else ()
        segments.append(Segment(start_s, at_s, " ".join(texts), own, id=f"1.{index}"))
    return segments


_TURNS = st.lists(
    st.builds(
        lambda start, length, who: Turn(start, start + length, who),
        st.floats(0, 15),
        st.floats(0.15, 6),
        st.sampled_from(["S1", "S2", "S3"]),
    ),
    max_size=8,
)


@settings(max_examples=200, deadline=None)
@given(_transcripts(), _TURNS)
def test_no_text_is_lost(segments: list[Segment], turns: list[Turn]) -> None:
    """Whoever speaks when: the same words in the same order, ids once, times within the whole."""
    document = attach(segments, sorted(turns))

    parts = document.segments
    before = " ".join(s.text for s in segments).split()
    assert re.sub(r"\s+", " ", " ".join(s.text for s in parts)).split() == before
    assert [w.text for s in parts for w in s.words] == [w.text for s in segments for w in s.words]
    assert [s.id for s in parts if s.id] == [s.id for s in segments]
    assert all(s.start_s <= s.end_s for s in parts)
    assert [s.start_s for s in parts] == sorted(s.start_s for s in parts)
    assert {s.speaker for s in parts} - {None} == {speaker.id for speaker in document.speakers}
