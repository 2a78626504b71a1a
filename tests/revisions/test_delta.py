"""What leads from one document to another."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from hybrid_transcribe.revision_types import DeleteSegments, Document, DocumentDelta, SplitSegment
from hybrid_transcribe.revisions.apply import apply
from hybrid_transcribe.revisions.delta import apply_delta, delta, n_changed
from hybrid_transcribe.revisions.documents import engine_document
from hybrid_transcribe.types import Segment, Speaker

BASE = engine_document(1, [Segment(i, i + 1, f"Text {i}") for i in range(5)])


def test_nothing_changed_is_nothing() -> None:
    """An empty delta, and the same document."""
    assert delta(BASE, BASE) == DocumentDelta()
    assert apply_delta(BASE, DocumentDelta()) == BASE


def test_a_changed_segment_alone_is_in_it() -> None:
    """Neither the order nor the speakers, which are as they were."""
    changed = replace(BASE.segments[2], text="Other")
    after = replace(BASE, segments=(*BASE.segments[:2], changed, *BASE.segments[3:]))
    assert delta(BASE, after) == DocumentDelta(segments=(changed,))
    assert n_changed(BASE, after) == 1


def test_orders_are_ranges() -> None:
    """Ids that count up are one entry, however many there are."""
    after = apply(BASE, [SplitSegment("1.1", 4), DeleteSegments(("1.3",))], revision=7)
    change = delta(BASE, after)
    assert change.order == ("1.0..1", "e7.0", "1.2", "1.4")
    assert apply_delta(BASE, change) == after
    assert [s.id for s in apply_delta(BASE, change).segments] == [s.id for s in after.segments]
    assert n_changed(BASE, after) == 3


def test_speakers_are_in_it_when_they_changed() -> None:
    """All of them, in order."""
    after = replace(BASE, speakers=(Speaker("S1", "Ana", "#112233"), Speaker("S2")))
    assert delta(BASE, after) == DocumentDelta(speakers=after.speakers)
    assert delta(after, BASE) == DocumentDelta(speakers=())


def test_a_delta_goes_through_json() -> None:
    """As a journal keeps it."""
    after = apply(BASE, [SplitSegment("1.1", 4)], revision=1)
    change = delta(BASE, after)
    assert msgspec.json.decode(msgspec.json.encode(change), type=DocumentDelta) == change


@pytest.mark.parametrize(
    "change",
    [
        DocumentDelta(order=("1.0..9",)),
        DocumentDelta(order=("1.0..99999999999",)),
        DocumentDelta(segments=(Segment(0, 1, "New", id="e9.0"),)),
    ],
)
def test_a_delta_of_another_document_is_refused(change: DocumentDelta) -> None:
    """It names segments that are not there."""
    with pytest.raises(ValueError):
        apply_delta(BASE, change)


def test_ids_with_other_forms_stay_as_they_are() -> None:
    """No range is made of what does not count up in plain digits."""
    ids = ("x", "1.07", "1.8", "1.9", "2.10", "1.11", "e1.12")
    after = Document(tuple(Segment(0, 1, "t", id=i) for i in ids))
    change = delta(Document(), after)
    assert [s.id for s in apply_delta(Document(), change).segments] == list(ids)
    assert change.order == ("x", "1.07", "1.8..9", "2.10", "1.11", "e1.12")
