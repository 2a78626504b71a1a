"""Edits of an older revision: done where nobody changed the same, refused where somebody did."""

from __future__ import annotations

import pytest

from hybrid_transcribe.errors import EditConflict, InvalidEdit, UnknownSegment, from_info
from hybrid_transcribe.messages import translate
from hybrid_transcribe.rest.problems import problem, status_of
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
from hybrid_transcribe.revisions import apply, fault, rebase
from hybrid_transcribe.types import Speaker
from tests.revisions.documents import document, ids, of, texts

BASE = document("um dois", "dois três", "fim", speakers=(Speaker("S1"), Speaker("S2")))


def after(*operations: EditOperation) -> Document:
    """What somebody else made of the base, as revision 1."""
    return apply(BASE, operations, 1)


def rebased(theirs: EditOperation, *operations: EditOperation) -> Document:
    """The operations, made for the base, behind somebody else's, as revision 2."""
    result = rebase(operations, BASE, after(theirs), 2)
    assert fault(result) is None
    return result


def conflict(theirs: EditOperation, *operations: EditOperation) -> EditConflict:
    """Why they cannot be done."""
    with pytest.raises(EditConflict) as raised:
        rebase(operations, BASE, after(theirs), 2)
    assert raised.value.revision == 1
    return raised.value


def test_different_segments_are_merged() -> None:
    """Both texts are there."""
    result = rebased(ReplaceText("1.0", "A"), ReplaceText("1.1", "B"), SplitSegment("1.2", 1))
    assert texts(result) == ["A", "B", "f", "im"]
    assert ids(result)[-1] == "e2.0"


@pytest.mark.parametrize(
    ("theirs", "own"),
    [
        (SetSpeaker(("1.0",), "S1"), ReplaceText("1.0", "A")),
        (ReplaceText("1.0", "A"), SetSpeaker(("1.0",), "S1")),
        (SetTimes("1.0", 0.5, 2), ReplaceText("1.0", "A")),
        (ReplaceText("1.0", "A"), SetTimes("1.0", 0.5, 2)),
        (SetSpeaker(("1.0",), "S1"), SplitSegment("1.0", 2)),
        (RenameSpeaker("S1", "Ana"), SetSpeaker(("1.0",), "S1")),
        (RenameSpeaker("S1", "Ana"), RenameSpeaker("S1", color="#112233")),
        (RenameSpeaker("S2", "Ana"), MergeSpeakers("S1", "S2")),
        (SetSpeaker(("1.0",), "Ana"), SetSpeaker(("1.1",), "Ana")),
        (InsertSegment(4, 5, "x"), InsertSegment(5, 6, "y")),
        (InsertSegment(4, 5, "dois"), ReplaceAll("dois", "2")),
        (ReplaceText("1.2", "dois"), ReplaceAll("dois", "2")),
        (DeleteSegments(("1.0",)), ReplaceAll("fim", "Fim")),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_one_segment_in_different_respects(theirs: EditOperation, own: EditOperation) -> None:
    """Its text, its times and who speaks are apart; both are done, whoever comes first."""
    result = rebased(theirs, own)
    other = apply(after(theirs), [own], 2)
    if not isinstance(own, ReplaceAll):
        assert result == other


def test_a_text_is_replaced_where_it_was_seen() -> None:
    """Not in what somebody wrote since."""
    result = rebased(ReplaceText("1.2", "dois"), ReplaceAll("dois", "2"))
    assert texts(result) == ["um 2", "2 três", "dois"]


@pytest.mark.parametrize(
    ("theirs", "own"),
    [
        (ReplaceText("1.0", "A"), ReplaceText("1.0", "B")),
        (ReplaceText("1.0", "A"), SplitSegment("1.0", 2)),
        (ReplaceText("1.0", "A"), DeleteSegments(("1.0",))),
        (ReplaceText("1.0", "A"), MergeSegments(("1.0", "1.1"))),
        (ReplaceText("1.0", "A"), SetSpeakerOfWords("1.0", 0, 1, "S1")),
        (ReplaceText("1.0", "A"), ReplaceAll("dois", "2")),
        (DeleteSegments(("1.0",)), ReplaceText("1.0", "B")),
        (DeleteSegments(("1.0",)), SetSpeaker(("1.0", "1.1"), "S1")),
        (SplitSegment("1.0", 2), ReplaceText("1.0", "B")),
        (SplitSegment("1.0", 2), SetSpeaker(("1.0",), "S1")),
        (SetTimes("1.0", 0, 1), SetTimes("1.0", 0, 2)),
        (SetSpeaker(("1.0",), "S1"), SetSpeaker(("1.0",), "S2")),
        (SetSpeaker(("1.0",), "S1"), DeleteSegments(("1.0",))),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_the_same_respect_is_a_conflict(theirs: EditOperation, own: EditOperation) -> None:
    """It names the segment and the revision to look at."""
    error = conflict(theirs, RenameSpeaker("S1", "Ana"), own)
    assert (error.segment_ids, error.speaker_ids) == (("1.0",), ())


@pytest.mark.parametrize(
    ("theirs", "own"),
    [
        (RenameSpeaker("S1", "Ana"), RenameSpeaker("S1", "Bia")),
        (RenameSpeaker("S1", "Ana"), MergeSpeakers("S1", "S2")),
        (MergeSpeakers("S1", "S2"), RenameSpeaker("S1", "Bia")),
        (MergeSpeakers("S1", "S2"), SetSpeaker(("1.0",), "S1")),
        (MergeSpeakers("S1", "S2"), MergeSpeakers("S2", "S1")),
        (MergeSpeakers("S1", "S2"), InsertSegment(5, 6, "x", "S1")),
    ],
    ids=lambda operation: type(operation).__name__,
)
def test_speakers_are_in_conflict_too(theirs: EditOperation, own: EditOperation) -> None:
    """It names them."""
    error = conflict(theirs, own)
    assert (error.segment_ids, error.speaker_ids) == ((), ("S1",))


def test_a_speaker_named_by_name_is_who_it_was() -> None:
    """Not whoever has that name since, and nobody new."""
    base = apply(BASE, [RenameSpeaker("S1", "Ana")], 1)
    current = apply(base, [RenameSpeaker("S1", "Bia"), RenameSpeaker("S2", "Ana")], 2)
    result = rebase([SetSpeaker(("1.0",), "Ana")], base, current, 3)
    assert of(result, "1.0").speaker == "S1"
    assert result.speakers == current.speakers


@pytest.mark.parametrize(
    ("theirs", "own", "segment_ids"),
    [
        (InsertSegment(4, 5, "x"), InsertSegment(4, 5, "y"), ("e1.0",)),
        (InsertSegment(4, 5, "x"), SetTimes("1.0", 0, 5), ("e1.0",)),
        (InsertSegment(4, 5, "x"), MergeSegments(("1.0", "1.1")), ("e1.0",)),
        (SetTimes("1.0", 3, 6), InsertSegment(5, 6, "y"), ("1.0",)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_edits_that_only_go_alone_are_a_conflict(
    theirs: EditOperation, own: EditOperation, segment_ids: tuple[str, ...]
) -> None:
    """Nothing of the same was changed, yet both together cannot be."""
    assert conflict(theirs, own).segment_ids == segment_ids


def test_a_later_operation_of_the_edit_names_new_segments() -> None:
    """They are the edit's own, whatever the revision is called in the end."""
    own = [SplitSegment("1.1", 4), SetSpeaker(("new.0",), "S2"), ReplaceText("new.0", "3")]
    result = rebase(own, BASE, after(ReplaceText("1.0", "A"), SplitSegment("1.2", 1)), 2)
    assert (of(result, "e2.0").text, of(result, "e2.0").speaker) == ("3", "S2")


def test_what_cannot_be_done_to_the_base_is_no_conflict() -> None:
    """It is refused as ever, also where somebody changed something since."""
    with pytest.raises(UnknownSegment):
        rebase([ReplaceText("e1.0", "x")], BASE, after(SplitSegment("1.0", 2)), 2)
    with pytest.raises(InvalidEdit, match="empty"):
        rebase([ReplaceText("1.0", "")], BASE, after(ReplaceText("1.0", "A")), 2)


def test_a_rule_that_finds_nothing_changes_nothing() -> None:
    """Also where it would find something now."""
    current = after(ReplaceText("1.0", "quatro"))
    assert rebase([ReplaceAll("quatro", "4")], BASE, current, 2) == current


def test_a_conflict_goes_over_the_wire() -> None:
    """With its ids and its revision; as HTTP's 409; in the reader's language."""
    error = conflict(ReplaceText("1.0", "A"), ReplaceText("1.0", "B"))
    info = error.info()
    again = from_info(info)
    assert isinstance(again, EditConflict)
    assert (again.segment_ids, again.speaker_ids, again.revision) == (("1.0",), (), 1)
    assert status_of(error) == 409
    body = problem(info.code, error.message, 409)
    assert (body["code"], body["params"]) == ("edit_conflict", {"segments": ["1.0"], "revision": 1})
    assert "1.0" in translate(error.message, "pt-BR")
    assert (EditConflict("plain").segment_ids, EditConflict("plain").revision) == ((), None)
