"""What leads from one document to another: small for a small change, whatever the document.

A delta holds segments that are new or different, whole, and the order of all ids where that has
changed. In an order, ids that count up are one range: ``1.0..4999`` are five thousand.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hybrid_transcribe.revision_types import Document, DocumentDelta
from hybrid_transcribe.types import Segment

_ID = re.compile(r"(e?[0-9]+)\.(0|[1-9][0-9]*)")
_RANGE = re.compile(r"(e?[0-9]+)\.([0-9]+)\.\.([0-9]+)")

#: No text has more segments than that: a range of a damaged row must not fill the memory.
_MOST_SEGMENTS = 10_000_000


def delta(base: Document, document: Document) -> DocumentDelta:
    """What leads from ``base`` to ``document``."""
    before = {segment.id: segment for segment in base.segments}
    ids = [segment.id for segment in document.segments]
    return DocumentDelta(
        segments=tuple(s for s in document.segments if not _same(before.get(s.id), s)),
        order=None if ids == list(before) else tuple(_ranges(ids)),
        speakers=None if base.speakers == document.speakers else document.speakers,
    )


def apply_delta(base: Document, change: DocumentDelta) -> Document:
    """The document that a delta of ``base`` leads to.

    Raises ValueError for a delta of another document.
    """
    segments = {segment.id: segment for segment in base.segments}
    ids = list(segments) if change.order is None else list(expanded(change.order))
    segments.update((segment.id, segment) for segment in change.segments)
    try:
        in_order = tuple(segments[i] for i in ids)
    except KeyError as error:
        raise ValueError(f"a delta of another document: it has no segment {error}") from None
    if change.order is None and len(segments) > len(ids):
        raise ValueError("a delta of another document: new segments without a place")
    speakers = base.speakers if change.speakers is None else change.speakers
    return Document(in_order, speakers)


def n_changed(base: Document, document: Document) -> int:
    """How many segments are new, different or gone."""
    before = {segment.id: segment for segment in base.segments}
    ids = {segment.id for segment in document.segments}
    n_different = sum(not _same(before.get(s.id), s) for s in document.segments)
    return n_different + sum(i not in ids for i in before)


def _same(before: Segment | None, segment: Segment) -> bool:
    return before is segment or before == segment


def _ranges(ids: Iterable[str]) -> Iterator[str]:
    """An order of ids with each stretch that counts up as one entry."""
    prefix, first, last = "", 0, 0
    for segment_id in ids:
        match = _ID.fullmatch(segment_id)
        if match and match[1] == prefix and int(match[2]) == last + 1:
            last += 1
            continue
        if prefix:
            yield _range(prefix, first, last)
        prefix = match[1] if match else ""
        if match:
            first = last = int(match[2])
        else:
            yield segment_id
    if prefix:
        yield _range(prefix, first, last)


def _range(prefix: str, first: int, last: int) -> str:
    return f"{prefix}.{first}" if first == last else f"{prefix}.{first}..{last}"


def expanded(order: Iterable[str]) -> Iterator[str]:
    """The ids of an order, one by one. Raises ValueError for a range that is none of ours."""
    for entry in order:
        match = _RANGE.fullmatch(entry)
        if not match:
            yield entry
            continue
        first, last = int(match[2]), int(match[3])
        if last - first > _MOST_SEGMENTS:
            raise ValueError(f"no order of segments: {entry}")
        yield from (f"{match[1]}.{i}" for i in range(first, last + 1))
