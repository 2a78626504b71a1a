"""What becomes of words when the text around them changes."""

from __future__ import annotations

import pytest

from hybrid_transcribe.revisions.alignment import MOST_PAIRS, increasing, matches
from hybrid_transcribe.revisions.characters import at_grapheme, joined, tokens
from hybrid_transcribe.revisions.text import (
    merged,
    split,
    timed_words,
    with_speaker,
    with_text,
    with_times,
    word_spans,
)
from hybrid_transcribe.types import Segment, Word
from tests.revisions.documents import spoken


def of_words(text: str, *words: str, word_s: float = 1.0) -> Segment:
    """A segment whose words take a second each."""
    timed = tuple(Word(i * word_s, (i + 1) * word_s, word, 0.5) for i, word in enumerate(words))
    return Segment(0, len(words) * word_s, text, timed)


def summary(segment: Segment) -> list[tuple[str, float, float, float | None]]:
    """Text, times and probability of its words."""
    return [(w.text, w.start_s, w.end_s, w.probability) for w in segment.words]


def test_a_changed_word_takes_the_time_of_the_one_before() -> None:
    """Its probability is nobody's."""
    assert summary(with_text(of_words("the cat sat", "the", "cat", "sat"), "the hat sat")) == [
        ("the", 0, 1, 0.5),
        ("hat", 1, 2, None),
        ("sat", 2, 3, 0.5),
    ]


@pytest.mark.parametrize("text", ["the Cat sat", "the cat, sat", "the cats sat", "the (cat) sat"])
def test_case_and_punctuation_are_a_change(text: str) -> None:
    """The word has its time still, and no probability."""
    word = with_text(of_words("the cat sat", "the", "cat", "sat"), text).words[1]
    assert (word.start_s, word.end_s, word.probability) == (1, 2, None)


def test_new_words_share_the_time_of_those_that_are_gone() -> None:
    """In proportion to their characters."""
    after = with_text(of_words("I saw Anna", "I", "saw", "Anna"), "I met her once Anna")
    assert summary(after)[1:4] == [
        ("met", 1, 1.3, None),
        ("her", 1.3, 1.6, None),
        ("once", 1.6, 2, None),
    ]


def test_words_that_come_in_take_the_pause() -> None:
    """Between the end of one word and the start of the next."""
    segment = Segment(0, 9, "so yes", (Word(0, 1, "so", 0.9), Word(5, 6, "yes", 0.8)))
    assert summary(with_text(segment, "so um er yes no"))[1:] == [
        ("um", 1, 3, None),
        ("er", 3, 5, None),
        ("yes", 5, 6, 0.8),
        ("no", 6, 9, None),
    ]


def test_words_that_come_in_where_there_is_no_pause_take_no_time() -> None:
    """Those that stay keep theirs."""
    after = with_text(of_words("so yes", "so", "yes"), "so um yes")
    assert summary(after) == [("so", 0, 1, 0.5), ("um", 1, 1, None), ("yes", 1, 2, 0.5)]


def test_words_that_are_gone_leave_a_pause() -> None:
    """And no other word changes."""
    after = with_text(of_words("so um yes", "so", "um", "yes"), "so yes")
    assert summary(after) == [("so", 0, 1, 0.5), ("yes", 2, 3, 0.5)]


def test_words_keep_their_speaker() -> None:
    """A new one is said by whoever speaks then."""
    segment = Segment(
        0, 4, "a b c d", tuple(Word(i, i + 1, "abcd"[i], 1, "SS12"[i] * 2) for i in range(4))
    )
    assert [w.speaker for w in with_text(segment, "a x y c z").words] == [
        *("SS", "SS", "SS", "11", "22")
    ]


def test_a_segment_without_words_gets_none() -> None:
    """Times that nobody measured are not made up."""
    assert with_text(Segment(0, 1, "a b"), "a c").words == ()


def test_an_engines_judgement_of_its_text_goes_with_it() -> None:
    """What it said about the sound stays."""
    segment = Segment(0, 1, "a", (), -0.2, 0.1, 1.2, 0.0)
    after = with_text(segment, "b")
    assert (after.avg_logprob, after.no_speech_prob, after.compression_ratio) == (None, 0.1, None)
    assert with_text(segment, "a") is segment


def test_scripts_without_spaces() -> None:
    """Words of several characters stay; new text is cut by character, punctuation with it."""
    segment = of_words("私は東京に住む", "私", "は", "東京", "に", "住む")
    after = with_text(segment, "私は、大阪府に住む。")
    assert [(w.text, w.probability) for w in after.words] == [
        ("私", 0.5),
        ("は、", None),
        ("大", None),
        ("阪", None),
        ("府", None),
        ("に", 0.5),
        ("住む。", None),
    ]
    assert [round(w.start_s, 2) for w in after.words] == [0, 1, 2, 2.33, 2.67, 3, 4]


def test_thai_marks_stay_with_their_letters() -> None:
    """Whisper cuts between code points: words may begin with a mark."""
    segment = of_words("ที่นี่ดี", "ท", "ี่", "นี่", "ดี")
    assert with_text(segment, "ที่นี่ดีมาก").words[:3] == segment.words[:3]
    assert "".join(w.text for w in with_text(segment, "ที่นี่น้ำดี").words) == "ที่นี่น้ำดี"


def test_chinese_text_between_latin_words() -> None:
    """Spaces divide as ever."""
    segment = of_words("我用 Python 写", "我", "用", "Python", "写")
    after = with_text(segment, "我用 Rust 写")
    assert [(w.text, w.probability) for w in after.words] == [
        ("我", 0.5),
        ("用", 0.5),
        ("Rust", None),
        ("写", 0.5),
    ]


def test_accents_however_they_are_composed() -> None:
    """A letter never loses its accent."""
    segment = of_words("um cafe\u0301 bom", "um", "cafe\u0301", "bom")
    after = with_text(segment, "um cafe bom")
    assert summary(after)[1] == ("cafe", 1, 2, None)
    assert with_text(segment, "um café bom").words[2] == segment.words[2]


def test_words_that_meet_without_space_stay() -> None:
    """Whisper makes two words of well-known."""
    segment = of_words("a well-known man", "a", "well", "-known", "man")
    assert with_text(segment, "the well-known man").words[1:] == segment.words[1:]
    after = with_text(segment, "a well-off man")
    assert summary(after)[1:3] == [("well", 1, 2, 0.5), ("-off", 2, 3, None)]
    after = with_text(segment, "a wellknown man")
    assert summary(after)[1:] == [("wellknown", 1, 3, None), ("man", 3, 4, 0.5)]


def test_words_of_another_spelling_than_the_text() -> None:
    """Some engines' words have no punctuation: those that are there keep their times."""
    segment = of_words("Hello, dear world!", "hello", "dear", "world")
    assert summary(with_text(segment, "Hello, dear moon!")) == [
        ("Hello,", 0, 1, None),
        ("dear", 1, 2, 0.5),
        ("moon!", 2, 3, None),
    ]
    assert [segment.text[a:b] for a, b in word_spans(segment)] == ["", "dear", "world"]
    first, second = split(segment, 7)
    assert [w.text for w in first.words] == ["hello"]
    assert [w.text for w in second.words] == ["dear", "world"]


def test_words_with_a_space_or_nothing_in_them() -> None:
    """Odd engines break nothing, and no word is lost in a split."""
    segment = of_words("New York is big", "New York", "is", "", "big")
    assert summary(with_text(segment, "New York is huge"))[-1] == ("huge", 2, 4, None)
    first, second = split(segment, 12)
    assert [w.text for w in (*first.words, *second.words)] == ["New York", "is", "", "big"]
    assert "".join(w.text for w in with_text(segment, "Old York").words) == "OldYork"


def test_long_texts_are_aligned_in_parts() -> None:
    """Ten thousand words with a change in every hundred: all others are kept."""
    text = [f"word{i % 2000}x{i}" if i % 3 else "the" for i in range(10_000)]
    changed = ["other" if i % 100 == 50 else word for i, word in enumerate(text)]
    segment = of_words(" ".join(text), *text)
    after = with_text(segment, " ".join(changed))
    assert sum(w.probability is None for w in after.words) == 100
    assert [w.start_s for w in after.words] == [w.start_s for w in segment.words]


def test_long_texts_of_one_word_end() -> None:
    """What cannot be divided is taken as changed, not compared for minutes."""
    old, new = ["a", "b"] * 2000, ["b", "b", "a"] * 2000
    assert len(old) * len(new) > MOST_PAIRS
    assert [*matches(old, new)] == []


def test_matches_are_equal_and_rise() -> None:
    """Stretches in order, from the front, the end and between."""
    old, new = list("abcXdefgh"), list("abcdYefh")
    stretches = [*matches(old, new)]
    assert all(old[i : i + n] == new[j : j + n] for i, j, n in stretches)
    assert sum(n for _, _, n in stretches) == 7
    assert increasing([]) == []
    assert increasing([5, 4, 3]) == [2]


def test_splits_divide_what_is_between_words() -> None:
    """The pause belongs to neither."""
    segment = Segment(0, 9, "so yes", (Word(0, 1, "so", 0.9), Word(5, 6, "yes", 0.8)))
    first, second = split(segment, 3)
    assert (first.start_s, first.end_s, second.start_s, second.end_s) == (0, 1, 5, 9)


def test_words_outside_their_segment_are_no_trouble() -> None:
    """Parts begin no later than they end."""
    segment = Segment(2, 3, "so yes", (Word(0, 1, "so", 0.9), Word(8, 9, "yes", 0.8)))
    first, second = split(segment, 3)
    assert (first.start_s, first.end_s, second.start_s, second.end_s) == (2, 2, 3, 3)
    assert with_times(segment, 4, 5).words == (Word(4, 4, "so", 0.9), Word(5, 5, "yes", 0.8))


def test_merging_who_spoke_at_once() -> None:
    """The second one's words come after the first one's; starts rise."""
    a, b = spoken("a b c", 0, speaker="S1"), spoken("x y", 1, speaker="S2")
    after = merged([a, b])
    assert (after.start_s, after.end_s, after.text) == (0, 3, "a b c x y")
    assert [w.start_s for w in after.words] == [0, 1, 2, 2, 2]


def test_merging_keeps_what_all_agree_on() -> None:
    """Language and probabilities, else none."""
    a, b = Segment(0, 1, "a", (), -0.1, 0.2, language="pt"), Segment(1, 2, "b", (), -0.3, 0.2)
    after = merged([a, b])
    assert (after.avg_logprob, after.no_speech_prob, after.language) == (None, 0.2, None)


def test_times_of_what_had_no_length() -> None:
    """Words are spread over the new time."""
    segment = Segment(1, 1, "a bc", (Word(1, 1, "a"), Word(1, 1, "bc")))
    assert with_times(segment, 0, 3).words == (Word(0, 1, "a"), Word(1, 3, "bc"))


def test_timed_words() -> None:
    """Words are made in proportion to characters; those with times stay."""
    assert timed_words(Segment(0, 5, "東京 ab!", speaker="S1")) == (
        Word(0, 1, "東", None, "S1"),
        Word(1, 2, "京", None, "S1"),
        Word(2, 5, "ab!", None, "S1"),
    )
    assert timed_words(spoken("a b")) == spoken("a b").words
    assert timed_words(Segment(0, 1, " ")) == ()


def test_a_speaker_is_said_of_all_words() -> None:
    """Segment and words agree."""
    after = with_speaker(spoken("a b"), "S1")
    assert [after.speaker, *(w.speaker for w in after.words)] == ["S1", "S1", "S1"]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Olá, mundo 3,5!", ["Olá", ",", "mundo", "3", ",", "5", "!"]),
        ("नमस्ते", ["नमस्ते"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("안녕 하세요", ["안녕", "하세요"]),
        ("東京Tower", ["東", "京", "Tower"]),
        ("น้ำดี", ["น้ำ", "ดี"]),
        ("👩\u200d👧x", ["👩\u200d👧", "x"]),
    ],
)
def test_tokens(text: str, parts: list[str]) -> None:
    """Words of scripts with spaces, characters of others, each with its marks."""
    assert [text[a:b] for a, b in tokens(text)] == parts


def test_characters() -> None:
    """Where a character begins, and how two texts meet."""
    flags = "🇧🇷🇵🇹" * 40
    assert at_grapheme(flags, 101) == 100
    assert at_grapheme("abc", 3) == 3
    assert joined(" a ", " ") == "a"
    assert joined("東京", "Tower") == "東京 Tower"


def test_words_that_overlap_stay_in_order() -> None:
    """As after a merge of two who spoke at once: what changes begins no later than what follows."""
    segment = Segment(0, 4, "ab c d", (Word(0, 3, "ab"), Word(1, 2, "c"), Word(1, 4, "d")))
    assert summary(with_text(segment, "x y z c d"))[:3] == [
        ("x", 0, 1 / 3, None),
        ("y", 1 / 3, 2 / 3, None),
        ("z", 2 / 3, 1, None),
    ]
    assert [w.start_s for w in with_text(segment, "ab c c d").words] == [0, 1, 1, 1]
    _, second = split(segment, 1)
    assert [(w.text, w.start_s) for w in second.words] == [("b", 1), ("c", 1), ("d", 1)]
