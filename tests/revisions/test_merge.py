"""A stage's document and what people edited while it worked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybrid_transcribe.errors import EditConflict
from hybrid_transcribe.revision_types import (
    DeleteSegments,
    Document,
    EditOperation,
    InsertSegment,
    MergeSegments,
    MergeSpeakers,
    RenameSpeaker,
    ReplaceText,
    SetSpeaker,
    SetSpeakerOfWords,
    SetTimes,
    SplitSegment,
)
from hybrid_transcribe.revisions import apply, fault, merge_stage, numbered, rebase
from hybrid_transcribe.types import Segment, Speaker, Word
from tests.revisions.documents import document, ids, of, spoken, texts

BASE = document("bom dia a todos", "obrigado eu digo", "até logo")


def diarized(base: Document = BASE) -> Document:
    """What a stage makes of it: S1 greets, S2 thanks from the second word of the second on."""
    stage = apply(
        base,
        [
            SetSpeaker(("1.0",), "S1"),
            SetSpeakerOfWords("1.1", 0, 1, "S1"),
            SetSpeaker(("new.0", "1.2"), "S2"),
        ],
        77,
    )
    # Stages do not number what they add.
    plain = tuple(replace(s, id="") if s.id[0] == "e" else s for s in stage.segments)
    return replace(stage, segments=plain)


def merged(*operations: EditOperation, base: Document = BASE) -> Document:
    """The stage's work on what a person made of the base meanwhile."""
    result = merge_stage(base, apply(base, operations, 1), diarized(base), 2)
    assert fault(result) is None
    return result


def lines(result: Document) -> list[tuple[str, str | None]]:
    """Text and speaker of each segment."""
    return [(segment.text, segment.speaker) for segment in result.segments]


DIARIZED = [
    ("bom dia a todos", "S1"),
    ("obrigado", "S1"),
    ("eu digo", "S2"),
    ("até logo", "S2"),
]


def test_without_an_edit_it_is_the_stages() -> None:
    """With ids of the revision for what it added."""
    assert lines(merged()) == DIARIZED
    assert ids(merged()) == ["1.0", "1.1", "e2.0", "1.2"]
    assert numbered(BASE, diarized(), 2) == merged()


def test_a_corrected_text_is_the_persons_and_gets_the_speaker() -> None:
    """Text from the one, speaker from the other."""
    result = merged(ReplaceText("1.0", "Bom dia a todas"))
    assert lines(result) == [("Bom dia a todas", "S1"), *DIARIZED[1:]]
    assert [w.probability for w in result.segments[0].words] == [None, 0.91, 0.92, None]
    assert {w.speaker for w in result.segments[0].words} == {"S1"}


def test_a_corrected_text_is_divided_where_the_stage_divides() -> None:
    """Between the same words, wherever these are now."""
    result = merged(ReplaceText("1.1", "Muito obrigado, ora, eu lhe digo"))
    assert lines(result)[1:3] == [("Muito obrigado, ora,", "S1"), ("eu lhe digo", "S2")]
    assert ids(result) == ["1.0", "1.1", "e2.0", "1.2"]
    assert [s.start_s for s in result.segments] == [0, 10, 11, 20]


def test_a_part_of_which_the_person_kept_nothing_is_gone() -> None:
    """There is no empty segment."""
    assert lines(merged(ReplaceText("1.1", "digo")))[1:3] == [("digo", "S2"), DIARIZED[3]]
    assert lines(merged(ReplaceText("1.1", "obrigado")))[1:3] == [("obrigado", "S1"), DIARIZED[3]]


def test_texts_without_word_times_are_divided_too() -> None:
    """By characters; words are made where the stage made them alone."""
    plain = Document(tuple(replace(s, words=()) for s in BASE.segments))
    result = merged(ReplaceText("1.1", "obrigado eu disse"), base=plain)
    assert lines(result)[1:3] == [("obrigado", "S1"), ("eu disse", "S2")]
    assert [s.words for s in result.segments] == [(), (), (), ()]
    stage = diarized()
    edited = apply(plain, [ReplaceText("1.1", "obrigado eu disse")], 1)
    with_words = merge_stage(plain, edited, stage, 2)
    assert with_words.segments[2].words == (
        Word(11, 12, "eu", 0.91, "S2"),
        Word(12, 13, "disse", None, "S2"),
    )


def test_a_speaker_that_a_person_set_stays() -> None:
    """Whole, with the person's text; the others are the stage's."""
    result = merged(SetSpeaker(("1.1",), "Ana"), ReplaceText("1.0", "Bom dia"))
    assert lines(result) == [("Bom dia", "S1"), ("obrigado eu digo", "Ana"), DIARIZED[3]]
    assert result.speakers == (Speaker("Ana"), Speaker("S1"), Speaker("S2"))


def test_splits_of_a_person_stay_and_get_speakers() -> None:
    """By the time that each part shares with the stage's."""
    result = merged(SplitSegment("1.1", 12))
    assert lines(result) == [DIARIZED[0], ("obrigado eu", "S1"), ("digo", "S2"), DIARIZED[3]]
    assert [w.speaker for w in result.segments[1].words] == ["S1", "S2"]
    result = merged(SetSpeakerOfWords("1.1", 2, 3, "Ana"))
    assert lines(result)[1:3] == [("obrigado eu", "S1"), ("digo", "Ana")]


def test_segments_that_a_person_merged_stay_one() -> None:
    """Nothing is doubled: the stage's parts of them go."""
    result = merged(MergeSegments(("1.0", "1.1")))
    assert lines(result) == [("bom dia a todos obrigado eu digo", "S1"), DIARIZED[3]]


def test_what_a_person_deleted_stays_deleted() -> None:
    """Also what the stage made of it."""
    assert lines(merged(DeleteSegments(("1.1",)))) == [DIARIZED[0], DIARIZED[3]]


def test_what_a_person_inserted_stays() -> None:
    """The nearest speaker is nobody's guess: it has none."""
    result = merged(InsertSegment(15, 16, "Aham"), InsertSegment(17, 18, "Sim", "Ana"))
    assert lines(result)[3:5] == [("Aham", None), ("Sim", "Ana")]


def test_what_both_added_at_one_time_is_the_persons() -> None:
    """The same speech is not there twice."""
    stage = apply(BASE, [InsertSegment(5, 6, "sim sim"), InsertSegment(7, 8, "pois")], 77)
    edited = apply(BASE, [InsertSegment(5.2, 6, "Sim, sim!")], 1)
    assert texts(merge_stage(BASE, edited, stage, 2))[1:3] == ["Sim, sim!", "pois"]


def test_moved_segments_are_where_the_person_put_them() -> None:
    """And have the stage's speaker."""
    result = merged(SetTimes("1.0", 30, 34))
    assert lines(result)[-1] == DIARIZED[0]
    assert of(result, "1.0").start_s == 30


def test_names_are_the_persons() -> None:
    """Else the stage's, which may know voices."""
    base = Document(BASE.segments, (Speaker("S1"), Speaker("S2")))
    stage = numbered(base, diarized(base), 76)
    stage = apply(stage, [RenameSpeaker("S1", "Voz 1"), RenameSpeaker("S2", "Rui")], 77)
    edited = apply(base, [RenameSpeaker("S1", "Ana", "#112233")], 1)
    result = merge_stage(base, edited, stage, 2)
    assert result.speakers == (Speaker("S1", "Ana", "#112233"), Speaker("S2", "Rui"))


def test_speakers_that_a_person_merged_stay_one() -> None:
    """Where a later stage changes nothing about them."""
    base = apply(BASE, [SetSpeaker(("1.0",), "S1"), SetSpeaker(("1.1", "1.2"), "S2")], 1)
    edited = apply(base, [MergeSpeakers("S2", "S1")], 2)
    result = merge_stage(base, edited, base, 3)
    assert (result, result.speakers) == (edited, (Speaker("S1"),))


def test_a_stage_that_changes_text_only_does_where_nobody_else_did() -> None:
    """As one that corrects names or punctuation."""
    stage = apply(BASE, [ReplaceText("1.0", "Bom dia!"), ReplaceText("1.2", "Até logo!")], 77)
    edited = apply(BASE, [ReplaceText("1.0", "BOM DIA")], 1)
    assert texts(merge_stage(BASE, edited, stage, 2)) == [
        "BOM DIA",
        BASE.segments[1].text,
        "Até logo!",
    ]


def test_text_that_a_stage_moved_is_not_lost() -> None:
    """From one segment into the next, of which the person edited one."""
    first, second = BASE.segments[:2]
    stage = Document(
        (
            replace(first, text="bom dia a", words=first.words[:3], end_s=3),
            replace(second, text="todos obrigado eu digo", start_s=3),
            BASE.segments[2],
        )
    )
    for segment_id, text in (("1.0", "BOM dia a todos"), ("1.1", "obrigado EU digo")):
        edited = apply(BASE, [ReplaceText(segment_id, text)], 1)
        assert texts(merge_stage(BASE, edited, stage, 2)) == texts(edited)


def test_segments_that_a_stage_merged_come_apart_where_one_is_edited() -> None:
    """Whatever the stage did with their times."""
    whole = apply(BASE, [MergeSegments(("1.0", "1.1"))], 77).segments[0]
    for end_s in (13.0, 4.0):
        stage = Document((replace(whole, end_s=end_s, words=()), BASE.segments[2]))
        for segment_id in ("1.0", "1.1"):
            edited = apply(BASE, [ReplaceText(segment_id, "outra coisa")], 1)
            assert texts(merge_stage(BASE, edited, stage, 2)) == texts(edited)
        edited = apply(BASE, [ReplaceText("1.2", "fim")], 1)
        assert texts(merge_stage(BASE, edited, stage, 2)) == [whole.text, "fim"]


def test_segments_without_length_are_not_doubled() -> None:
    """Some engines give no times to a line."""
    base = Document((Segment(5, 5, "a b", id="1.0"), Segment(5, 5, "c", id="1.1")))
    stage = apply(base, [SplitSegment("1.0", 2)], 77)
    edited = apply(base, [ReplaceText("1.0", "a x")], 1)
    assert sorted("".join(texts(merge_stage(base, edited, stage, 2))).replace(" ", "")) == list(
        "acx"
    )


def test_two_who_speak_at_once_stay_apart() -> None:
    """An edit of one does not undo the stage's work on the other."""
    base = Document((spoken("a b c d", 0, id="1.0"), spoken("x y z", 1, id="1.1")))
    stage = apply(base, [SplitSegment("1.0", 4), SetSpeaker(("1.1",), "S2")], 77)
    edited = apply(base, [ReplaceText("1.1", "x y Z")], 1)
    assert lines(merge_stage(base, edited, stage, 2)) == [
        ("a b", None),
        ("x y Z", "S2"),
        ("c d", None),
    ]


def test_an_edit_of_an_older_revision_meets_a_stage_in_the_same_way() -> None:
    """Where a rebase is a conflict as the stage divided the segment."""
    current = numbered(BASE, diarized(), 1)
    edit = [ReplaceText("1.1", "obrigada eu digo"), SplitSegment("1.0", 4)]
    with pytest.raises(EditConflict):
        rebase(edit, BASE, current, 2)
    result = rebase(edit, BASE, current, 2, stages_only=True)
    assert result == merge_stage(BASE, apply(BASE, edit, 2), current, 2)
    assert lines(result) == [
        ("bom", "S1"),
        ("dia a todos", "S1"),
        ("obrigada", "S1"),
        ("eu digo", "S2"),
        ("até logo", "S2"),
    ]
    assert ids(result) == ["1.0", "e2.0", "1.1", "e2.1", "1.2"]
    # And a speaker alone is no conflict.
    assert lines(rebase([ReplaceText("1.0", "bom")], BASE, current, 2))[0] == ("bom", "S1")


def test_ids_that_a_person_made_stay() -> None:
    """Also where the text is as before."""
    edited = apply(BASE, [DeleteSegments(("1.2",)), InsertSegment(20, 22, "até logo")], 1)
    assert ids(merge_stage(BASE, edited, BASE, 2))[-1] == "e1.0"


def test_ids_of_stages_are_checked() -> None:
    """One that names a segment twice, or in its own way, gets ids of the revision."""
    odd = tuple(replace(s, id=i) for s, i in zip(BASE.segments, ("1.0", "1.0", "x"), strict=True))
    assert ids(numbered(BASE, Document(odd), 5)) == ["1.0", "e5.0", "e5.1"]
    own = (replace(BASE.segments[0], id="e5.0"), *BASE.segments[1:])
    edited = apply(BASE, [InsertSegment(5, 6, "x")], 5)
    assert len(set(ids(merge_stage(BASE, edited, Document(own), 6)))) == 4
