"""What holds whatever a document is and whatever is done to it."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hybrid_transcribe.errors import (
    EditConflict,
    InvalidEdit,
    UnknownSegment,
    UnknownSpeaker,
)
from hybrid_transcribe.revision_types import (
    DeleteSegments,
    Document,
    EditOperation,
    InsertSegment,
    MergeSpeakers,
    ReplaceAll,
    ReplaceText,
)
from hybrid_transcribe.revisions import apply, apply_delta, delta, fault, merge_stage, rebase
from hybrid_transcribe.revisions.text import with_text
from hybrid_transcribe.types import Segment
from tests.revisions import documents as d

#: How an operation may be refused.
REFUSALS = (InvalidEdit, UnknownSegment, UnknownSpeaker)


def solid(text: str) -> str:
    """A text without space."""
    return "".join(text.split())


def edited(draw: st.DrawFn, base: Document, revision: int = 1, most: int = 4) -> Document:
    """A document after some operations that are possible."""
    document = base
    for _ in range(draw(st.integers(0, most))):
        try:
            document = apply(document, [draw(d.operations(document))], revision)
            revision += 1
        except REFUSALS:
            continue
    return document


@st.composite
def histories(draw: st.DrawFn) -> tuple[Document, Document]:
    """A document and a later one."""
    base = draw(d.documents())
    return base, edited(draw, base)


@given(st.data())
def test_operations_keep_what_holds_of_documents(data: st.DataObject) -> None:
    """Or are refused for a reason; whatever is not touched is the same object."""
    base = data.draw(d.documents())
    assert fault(base) is None
    operation = data.draw(d.operations(base))
    try:
        after = apply(base, [operation], 1)
    except REFUSALS:
        return
    assert fault(after) is None
    if not isinstance(operation, ReplaceText | ReplaceAll | InsertSegment | DeleteSegments):
        assert sorted(d.said(after)) == sorted(d.said(base))
    for segment in after.segments:
        if segment.words:
            assert solid("".join(w.text for w in segment.words)) == solid(segment.text)


@given(histories())
def test_a_delta_leads_from_any_document_to_any(history: tuple[Document, Document]) -> None:
    """And back: what is restored is what was, with its ids."""
    base, after = history
    for a, b in ((base, after), (after, base)):
        reached = apply_delta(a, delta(a, b))
        assert reached == b
        assert d.ids(reached) == d.ids(b)


@given(d.segments_(1.0), d.sentences)
def test_words_are_kept_where_the_text_is(segment: Segment, text: str) -> None:
    """A word that stands at the same place from the front or the end is the same word."""
    after = with_text(segment, text)
    if not segment.words:
        assert after.words == ()
        return
    assert solid("".join(word.text for word in after.words)) == solid(text)
    old, new = segment.text.split(), text.split()
    n = next(
        (i for i, (a, b) in enumerate(zip(old, new, strict=False)) if a != b),
        min(len(old), len(new)),
    )
    assert after.words[:n] == segment.words[:n]
    starts = [word.start_s for word in after.words]
    assert starts == sorted(starts)
    own = {(word.text, word.start_s, word.end_s) for word in segment.words}
    for word in after.words:
        if word.probability is not None:
            assert (word.text, word.start_s, word.end_s) in own


def halves(data: st.DataObject, base: Document) -> tuple[list[EditOperation], list[EditOperation]]:
    """Operations of two people who work on different segments."""
    n = data.draw(st.integers(1, len(base.segments) - 1))
    ids = d.ids(base)
    first = data.draw(st.lists(d.operations(base, ids[:n]), max_size=3))
    second = data.draw(st.lists(d.operations(base, ids[n:]), max_size=3))
    return first, second


def contents(document: Document) -> list[tuple[object, ...]]:
    """Its segments without ids, which depend on who was first."""
    return sorted((s.start_s, s.end_s, s.text, s.speaker or "") for s in document.segments)


@given(d.documents(min_size=2), st.data())
def test_edits_of_different_segments_commute(base: Document, data: st.DataObject) -> None:
    """Whoever comes second gets the same document, or is told of a conflict."""
    first, second = halves(data, base)
    assume(not any(isinstance(o, MergeSpeakers) for o in (*first, *second)))
    try:
        after_first, after_second = apply(base, first, 1), apply(base, second, 1)
    except REFUSALS:
        return
    try:
        one = rebase(second, base, after_first, 2)
        other = rebase(first, base, after_second, 2)
    except EditConflict:
        return
    assert fault(one) is None
    assert contents(one) == contents(other)


@given(d.documents(min_size=1), st.data())
def test_edits_of_one_text_conflict(base: Document, data: st.DataObject) -> None:
    """Nobody's text is overwritten by somebody who has not seen it."""
    segment_id = data.draw(st.sampled_from(d.ids(base)))
    text, other = data.draw(d.sentences), data.draw(d.sentences)
    after = apply(base, [ReplaceText(segment_id, text)], 1)
    assume(d.of(base, segment_id).text != text)
    with pytest.raises(EditConflict) as raised:
        rebase([ReplaceText(segment_id, other)], base, after, 2)
    assert raised.value.segment_ids == (segment_id,)
    assert rebase([ReplaceText(segment_id, other)], after, after, 2) == apply(
        after, [ReplaceText(segment_id, other)], 2
    )


@given(st.data())
def test_a_rebase_is_what_was_asked_or_a_conflict(data: st.DataObject) -> None:
    """It never raises anything else, and keeps what holds of documents."""
    base = data.draw(d.documents())
    current = edited(data.draw, base)
    operations = data.draw(st.lists(d.operations(base), max_size=3))
    try:
        apply(base, operations, 9)
    except REFUSALS as error:
        with pytest.raises(type(error)):
            rebase(operations, base, current, 9)
        return
    with suppress(EditConflict):
        assert fault(rebase(operations, base, current, 9)) is None


@st.composite
def stage_documents(draw: st.DrawFn, base: Document) -> Document:
    """What a stage makes of a document: it divides segments, says who speaks, moves no text."""
    stage = base
    for n in range(draw(st.integers(0, 4))):
        operation = draw(d.operations(stage))
        if type(operation).__name__ not in ("SplitSegment", "SetSpeaker", "SetSpeakerOfWords"):
            continue
        try:
            stage = apply(stage, [operation], 90 + n)
        except REFUSALS:
            continue
    return stage


@given(d.documents(max_size=4), st.data())
def test_a_merge_loses_and_doubles_no_text(base: Document, data: st.DataObject) -> None:
    """The text of the result is the person's, to the letter."""
    after = edited(data.draw, base)
    stage = data.draw(stage_documents(base))
    merged = merge_stage(base, after, stage, 50)
    assert fault(merged) is None
    assert sorted(d.said(merged)) == sorted(d.said(after))


@given(d.documents(max_size=4), st.data())
def test_a_merge_without_an_edit_is_the_stages(base: Document, data: st.DataObject) -> None:
    """And without a stage's work it is the person's."""
    stage = data.draw(stage_documents(base))
    after = edited(data.draw, base)
    assert merge_stage(base, base, stage, 50) == stage
    assert contents(merge_stage(base, after, base, 50)) == contents(after)


@given(d.documents(max_size=4), st.data())
def test_a_merge_of_anything_loses_no_text_of_a_person(base: Document, data: st.DataObject) -> None:
    """Even where the stage rewrites, moves, merges or leaves out: what a person wrote is there."""
    after = edited(data.draw, base)
    stage = edited(data.draw, base, revision=90)
    merged = merge_stage(base, after, stage, 50)
    assert fault(merged) is None
    own = {segment.text for segment in base.segments}
    whole = " ".join(d.texts(merged))
    before = {segment.id: segment for segment in base.segments}
    for segment in after.segments:
        if segment.id not in before or before[segment.id].text != segment.text:
            assert solid(segment.text) in solid(whole) or segment.text in own
