"""Every operation on a document, and every way in which it cannot be done."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest

from hybrid_transcribe.errors import (
    HybridTranscribeError,
    InvalidEdit,
    NotFound,
    UnknownSegment,
    UnknownSpeaker,
)
from hybrid_transcribe.messages import translate
from hybrid_transcribe.revision_types import (
    DeleteSegments,
    Document,
    EditOperation,
    InsertSegment,
    MergeSegments,
    MergeSpeakers,
    RenameSpeaker,
    ReplaceAll,
    ReplaceText,
    SetSpeaker,
    SetSpeakerOfWords,
    SetTimes,
    SplitSegment,
)
from hybrid_transcribe.revisions import apply, fault, operation_name, operation_names
from hybrid_transcribe.types import Segment, Speaker, Word
from tests.revisions.documents import document, ids, of, spoken, texts

BASE = document(
    "Good morning all", "and welcome", "to the show", speakers=(Speaker("S1"), Speaker("S2", "Rui"))
)


def done(*operations: EditOperation, base: Document = BASE) -> Document:
    """The document after them, as revision 4; it keeps what holds of documents."""
    result = apply(base, operations, 4)
    assert fault(result) is None
    return result


def test_nothing_to_do_changes_nothing() -> None:
    """An edit without operations is the document itself."""
    assert done() == BASE


def test_only_what_is_touched_is_another_object() -> None:
    """The rest is shared: a document of hours costs what its change costs."""
    after = done(ReplaceText("1.1", "and be welcome"))
    same = [a is b for a, b in zip(BASE.segments, after.segments, strict=True)]
    assert same == [True, False, True]


def test_replace_text() -> None:
    """The text is without space around; words that stay keep their times and probability."""
    after = of(done(ReplaceText("1.0", "  Good evening all\n")), "1.0")
    assert after.text == "Good evening all"
    assert after.words == (
        Word(0, 1, "Good", 0.9),
        Word(1, 2, "evening", None),
        Word(2, 3, "all", 0.92),
    )


def test_split() -> None:
    """The first part keeps the id; times are those of the words."""
    after = done(SplitSegment("1.0", 5))
    assert ids(after) == ["1.0", "e4.0", "1.1", "1.2"]
    first, second = after.segments[:2]
    assert (first.text, first.start_s, first.end_s) == ("Good", 0, 1)
    assert (second.text, second.start_s, second.end_s) == ("morning all", 1, 3)
    assert [word.text for word in second.words] == ["morning", "all"]
    assert second.words == of(BASE, "1.0").words[1:]


def test_split_at_a_time() -> None:
    """The time of the person wins, and the words stay within."""
    first, second = done(SplitSegment("1.0", 5, 1.5)).segments[:2]
    assert (first.end_s, second.start_s) == (1.5, 1.5)
    assert [(w.start_s, w.end_s) for w in second.words] == [(1.5, 2), (2, 3)]


def test_split_within_a_word() -> None:
    """The word is divided by its characters, and nobody knows a probability of its parts."""
    first, second = done(SplitSegment("1.1", 6)).segments[1:3]
    assert (first.text, second.text) == ("and we", "lcome")
    assert first.words[-1] == Word(11, 11 + 2 / 7, "we", None)
    assert second.words == (Word(11 + 2 / 7, 12, "lcome", None),)


def test_split_without_words_goes_by_characters() -> None:
    """Four of ten characters take four tenths of the time."""
    base = Document((Segment(0, 10, "Um, dois e", id="1.0"),))
    first, second = done(SplitSegment("1.0", 4), base=base).segments
    assert (first.text, first.end_s, second.start_s, second.text) == ("Um,", 4, 4, "dois e")


def test_split_never_cuts_a_character() -> None:
    """A place within a letter and its accent, or an emoji of several, is the one before it."""
    base = Document((Segment(0, 10, "ae\u0301o 👩\u200d👧!", id="1.0"),))
    assert texts(done(SplitSegment("1.0", 2), base=base)) == ["a", "e\u0301o 👩\u200d👧!"]
    assert texts(done(SplitSegment("1.0", 6), base=base)) == ["ae\u0301o", "👩\u200d👧!"]


def test_merge() -> None:
    """One segment from the first's start to the last's end, with all words."""
    after = done(MergeSegments(("1.1", "1.0")))
    assert ids(after) == ["1.0", "1.2"]
    first = after.segments[0]
    assert (first.text, first.start_s, first.end_s) == ("Good morning all and welcome", 0, 12)
    assert first.words == BASE.segments[0].words + BASE.segments[1].words


def test_merge_gives_words_to_all_or_none() -> None:
    """Where one has words, those of the others get times by their characters."""
    base = Document((spoken("One two", id="1.0"), Segment(2, 6, "a bcd", id="1.1")))
    (after,) = done(MergeSegments(("1.0", "1.1")), base=base).segments
    assert after.words[2:] == (Word(2, 3, "a"), Word(3, 6, "bcd"))


def test_merge_takes_the_first_speaker() -> None:
    """And all words are theirs: it is one person's segment now."""
    base = done(SetSpeaker(("1.0",), "S1"), SetSpeaker(("1.1",), "S2"))
    first = apply(base, [MergeSegments(("1.0", "1.1"))], 5).segments[0]
    assert {first.speaker, *(word.speaker for word in first.words)} == {"S1"}


def test_merge_joins_scripts_without_spaces() -> None:
    """Japanese and Chinese get no space between."""
    base = Document((Segment(0, 1, "東京は", id="1.0"), Segment(1, 2, "大きい。", id="1.1")))
    assert texts(done(MergeSegments(("1.0", "1.1")), base=base)) == ["東京は大きい。"]


def test_delete() -> None:
    """Segments go, their speakers stay."""
    after = done(DeleteSegments(("1.0", "1.2", "1.0")))
    assert (ids(after), after.speakers) == (["1.1"], BASE.speakers)
    assert done(DeleteSegments(("1.0", "1.1", "1.2"))).segments == ()


def test_insert() -> None:
    """A segment at its place in time, said by somebody who is added."""
    after = done(InsertSegment(5, 6.5, " Hm ", "Ana"), InsertSegment(25, 26, "End"))
    assert ids(after) == ["1.0", "e4.0", "1.1", "1.2", "e4.1"]
    assert after.segments[1] == Segment(5, 6.5, "Hm", speaker="Ana")
    assert after.speakers[-1] == Speaker("Ana")


def test_set_times() -> None:
    """Words are moved along in proportion, and keep their probability."""
    after = of(done(SetTimes("1.1", 10, 14)), "1.1")
    assert after.words == (Word(10, 12, "and", 0.9), Word(12, 14, "welcome", 0.91))


def test_segments_stay_in_time_order() -> None:
    """One that is moved in time changes its place."""
    assert ids(done(SetTimes("1.0", 30, 31))) == ["1.1", "1.2", "1.0"]


def test_set_speaker() -> None:
    """Of whole segments and all their words; by name where somebody has it."""
    after = done(SetSpeaker(("1.0", "1.2"), "Rui"), SetSpeaker(("1.2",), None))
    assert [segment.speaker for segment in after.segments] == ["S2", None, None]
    assert {word.speaker for word in after.segments[0].words} == {"S2"}
    assert after.speakers == BASE.speakers


def test_a_new_speaker_is_added_once() -> None:
    """Whatever space is around the name."""
    after = done(SetSpeaker(("1.0",), "Ana"), SetSpeaker(("1.1",), " Ana "))
    assert after.speakers == (*BASE.speakers, Speaker("Ana"))


@pytest.mark.parametrize(
    ("first", "end", "parts", "speaker_at"),
    [
        (1, 2, ["Good", "morning", "all"], 1),
        (0, 1, ["Good", "morning all"], 0),
        (1, 3, ["Good", "morning all"], 1),
        (0, 3, ["Good morning all"], 0),
    ],
)
def test_set_speaker_of_words(first: int, end: int, parts: list[str], speaker_at: int) -> None:
    """The segment is split around them, and only they have the speaker."""
    after = done(SetSpeakerOfWords("1.0", first, end, "S1")).segments[: len(parts)]
    assert [segment.text for segment in after] == parts
    assert [segment.speaker == "S1" for segment in after] == [
        i == speaker_at for i in range(len(parts))
    ]
    assert [segment.id for segment in after] == ["1.0", "e4.0", "e4.1"][: len(parts)]


def test_rename_speaker() -> None:
    """A name, a color, or both; an empty one is none."""
    after = done(RenameSpeaker("S1", " Ana Lima "), RenameSpeaker("S1", color="#1A7F37"))
    assert after.speakers[0] == Speaker("S1", "Ana Lima", "#1a7f37")
    assert done(RenameSpeaker("Rui", "", "")).speakers[1] == Speaker("S2")


def test_merge_speakers() -> None:
    """All that one said is the other's, words within others' segments too."""
    whole = done(SetSpeaker(("1.0",), "S2"), SetSpeaker(("1.1",), "S1"))
    word = Word(20, 21, "to", 0.9, "S2")
    last = Segment(20, 23, "to the show", (word,), speaker="S1", id="1.2")
    base = Document((*whole.segments[:2], last), whole.speakers)
    after = done(MergeSpeakers("S2", "S1"), base=base)
    assert after.speakers == (Speaker("S1"),)
    assert {segment.speaker for segment in after.segments} == {"S1"}
    assert after.segments[2].words[0].speaker == "S1"


def test_later_operations_see_what_earlier_ones_did() -> None:
    """A segment that the edit makes is ``new.0``, and is ``e4.0`` to all others."""
    after = done(
        SplitSegment("1.0", 5), SetSpeaker(("new.0",), "S1"), ReplaceText("e4.0", "evening all")
    )
    assert (after.segments[1].speaker, after.segments[1].text) == ("S1", "evening all")


def test_the_same_input_gives_the_same_document() -> None:
    """Ids too."""
    operations = [SplitSegment("1.2", 3), InsertSegment(5, 6, "x"), SplitSegment("1.0", 5)]
    assert ids(apply(BASE, operations, 9)) == ids(apply(BASE, operations, 9))
    assert [i for i in ids(apply(BASE, operations, 9)) if i[0] == "e"] == ["e9.2", "e9.1", "e9.0"]


def test_a_text_may_overlap_another_speakers() -> None:
    """Two people speak at once; one person does not."""
    base = done(SetSpeaker(("1.0",), "S1"))
    after = apply(base, [InsertSegment(1, 2, "Mhm", "S2")], 5)
    assert ids(after) == ["1.0", "e5.0", "1.1", "1.2"]
    # Times that a person reads are rounded.
    assert ids(apply(base, [InsertSegment(2.995, 4, "x", "S1")], 5))[1] == "e5.0"


def test_a_border_may_move_in_two_steps() -> None:
    """Only the end of an edit counts: the neighbour makes room afterwards."""
    after = done(SetTimes("1.0", 0, 10.5), SetTimes("1.1", 10.5, 12))
    assert [segment.start_s for segment in after.segments] == [0, 10.5, 20]


def test_an_overlap_of_the_engine_may_stay() -> None:
    """It is no reason to refuse times that make it no larger."""
    base = Document((Segment(0, 5, "a", id="1.0"), Segment(3, 8, "b", id="1.1")))
    assert done(SetTimes("1.1", 3.5, 8), base=base).segments[1].start_s == 3.5
    with pytest.raises(InvalidEdit, match=r"overlaps segment '1\.0'"):
        apply(base, [SetTimes("1.1", 2, 8)], 4)


LONG = "x" * 1_000_001

#: An operation that cannot be, its error, and what the error names.
REFUSED: list[tuple[EditOperation, type[HybridTranscribeError], str]] = [
    (ReplaceText("9.9", "x"), UnknownSegment, "No segment '9.9'.*1.0, 1.1, 1.2"),
    (ReplaceText("new.0", "x"), UnknownSegment, "new.0"),
    (ReplaceText("1.0", " \n"), InvalidEdit, "empty.*delete-segments"),
    (ReplaceText("1.0", "\u200b"), InvalidEdit, "empty"),
    (ReplaceText("1.0", "a\ud800"), InvalidEdit, "0xd800 at place 1"),
    (ReplaceText("1.0", LONG), InvalidEdit, "1000001 characters; at most 1000000"),
    (SplitSegment("1.0", 0), InvalidEdit, "at_char=0.*1 to 15"),
    (SplitSegment("1.0", 16), InvalidEdit, "at_char=16"),
    (SplitSegment("1.0", -3), InvalidEdit, "at_char=-3"),
    (SplitSegment("1.0", 99), InvalidEdit, "at_char=99"),
    (SplitSegment("1.0", 4, 0.0), InvalidEdit, "at_s=0.*after 0 and before 3 s"),
    (SplitSegment("1.0", 4, 3.0), InvalidEdit, "at_s=3"),
    (SplitSegment("1.0", 4, math.nan), InvalidEdit, "at_s=nan"),
    (MergeSegments(("1.0",)), InvalidEdit, "1.0.*two different segments"),
    (MergeSegments(()), InvalidEdit, "two different segments"),
    (MergeSegments(("1.0", "1.0")), InvalidEdit, "two different segments"),
    (MergeSegments(("1.0", "1.2")), InvalidEdit, "do not follow.*1.1"),
    (MergeSegments(("1.0", "1.7")), UnknownSegment, "1.7"),
    (DeleteSegments(()), InvalidEdit, "segment_ids is empty"),
    (DeleteSegments(("1.0", "x")), UnknownSegment, "'x'"),
    (InsertSegment(5, 5, "x"), InvalidEdit, "start_s=5.*before it ends"),
    (InsertSegment(6, 5, "x"), InvalidEdit, "before it ends"),
    (InsertSegment(-1, 5, "x"), InvalidEdit, "start_s=-1"),
    (InsertSegment(5, math.inf, "x"), InvalidEdit, "end_s=inf"),
    (InsertSegment(math.nan, 5, "x"), InvalidEdit, "start_s=nan"),
    (InsertSegment(5, 6, " "), InvalidEdit, "empty"),
    (InsertSegment(2, 4, "x"), InvalidEdit, "2.00 to 4.00 s overlaps segment '1.0' .0.00 to 3.00"),
    (InsertSegment(5, 6, "x", ""), InvalidEdit, "speaker=''"),
    (SetTimes("1.0", 0, 11), InvalidEdit, "overlaps"),
    (SetTimes("1.0", 2, 1), InvalidEdit, "start_s=2.0, end_s=1.0"),
    (SetTimes("1.0", 0, 1e12), InvalidEdit, "end_s=1000000000000"),
    (SetSpeaker((), "S1"), InvalidEdit, "segment_ids is empty"),
    (SetSpeaker(("1.0",), "  "), InvalidEdit, "speaker='  '"),
    (SetSpeaker(("1.0",), "a\nb"), InvalidEdit, "visible"),
    (SetSpeaker(("1.0",), "x" * 201), InvalidEdit, "1 to 200"),
    (SetSpeakerOfWords("1.0", 0, 4, "S1"), InvalidEdit, "end_word=4.*has 3 words"),
    (SetSpeakerOfWords("1.0", -1, 2, "S1"), InvalidEdit, "first_word=-1"),
    (SetSpeakerOfWords("1.0", 2, 2, "S1"), InvalidEdit, "first_word=2, end_word=2"),
    (RenameSpeaker("S9", "Ana"), UnknownSpeaker, "No speaker 'S9'.*S1, S2"),
    (RenameSpeaker("S1"), InvalidEdit, "a name, a color or both"),
    (RenameSpeaker("S1", "x" * 201), InvalidEdit, "1 to 200"),
    (RenameSpeaker("S1", color="red"), InvalidEdit, "color='red'.*#rrggbb"),
    (MergeSpeakers("S1", "S9"), UnknownSpeaker, "S9"),
    (MergeSpeakers("S1", "S1"), InvalidEdit, "'S1'.*itself"),
    (MergeSpeakers("Rui", "S2"), InvalidEdit, "'S2'.*itself"),
    (ReplaceAll("x", "y", segment_ids=("9.9",)), UnknownSegment, "9.9"),
    (ReplaceText("1.0", None), InvalidEdit, "replace-text: Expected `str`, got `null`"),  # type: ignore[arg-type]
    (DeleteSegments("1.0"), InvalidEdit, "delete-segments: Expected `array`"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(
    ("operation", "error", "names"), REFUSED, ids=lambda value: str(value)[:60]
)
def test_what_cannot_be_done_says_why(
    operation: EditOperation, error: type[HybridTranscribeError], names: str
) -> None:
    """The value and the choices, in each language."""
    with pytest.raises(error, match=names) as raised:
        apply(BASE, [operation], 4)
    message = raised.value.message
    sentences = {message, translate(message, "pt-BR"), translate(message, "es")}
    assert len(sentences) == (1 if "Expected" in message else 3)


def test_an_error_says_which_operation_it_was() -> None:
    """Where there are several; its kind and its ids are the same."""
    with pytest.raises(UnknownSegment, match=r"Operation 2 \(replace-text\): No segment '8.8'"):
        apply(BASE, [ReplaceText("1.0", "x"), ReplaceText("8.8", "x")], 4)


def test_errors_list_a_few_ids_of_many() -> None:
    """An error is no page."""
    base = document(*["text"] * 100)
    with pytest.raises(NotFound, match=r"choose from: 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, …, 1.99$"):
        apply(base, [ReplaceText("x", "y")], 1)
    with pytest.raises(NotFound, match=r"choose from: \(none\)$"):
        apply(base, [RenameSpeaker("x", "y")], 1)


def test_what_is_no_operation_is_refused() -> None:
    """With the operations that there are."""
    nothing: Any = "replace-text"
    with pytest.raises(InvalidEdit, match="'str' is no operation; choose from: replace-text"):
        apply(BASE, [nothing], 4)


def test_segments_need_ids() -> None:
    """A document whose segments have none, or the same, is a mistake of the program."""
    for segment_ids in (("",), ("1.0", "1.0")):
        with pytest.raises(ValueError, match="an id of its own"):
            apply(Document(tuple(Segment(0, 1, "x", id=i) for i in segment_ids)), [], 1)


def test_operations_are_json_by_name() -> None:
    """Each has its name, and comes back as it was."""
    assert operation_names() == [
        *("replace-text", "split-segment", "merge-segments", "delete-segments", "insert-segment"),
        *("set-times", "set-speaker", "set-speaker-of-words", "rename-speaker", "merge-speakers"),
        "replace-all",
    ]
    for operation, _, _ in REFUSED[-8:-2]:
        sent = msgspec.json.encode(operation)
        assert msgspec.json.decode(sent, type=EditOperation) == operation
        assert msgspec.json.decode(sent)["op"] == operation_name(operation)
