"""A document while operations change it: segments and speakers by id, and the order of the ids."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection
from dataclasses import replace

from hybrid_transcribe.errors import InvalidEdit, UnknownSegment, UnknownSpeaker
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.revisions.documents import MOST_LABEL, new_id
from hybrid_transcribe.types import Segment, Speaker

#: How the operations of one edit name a segment that an earlier one of them makes.
_NEW = re.compile(r"new\.([0-9]{1,9})")

_SURROGATE = re.compile("[\ud800-\udfff]")

#: So many ids are named in an error, of those that there are.
_MOST_CHOICES = 8

#: Two segments of one speaker may overlap by as much, in seconds: times are rounded.
TOLERANCE_S = 0.01


class DocumentDraft:
    """One document on its way to the next. Raises ValueError where segments have no ids."""

    def __init__(self, document: Document, revision: int) -> None:
        self._base = document
        self._revision = revision
        self._n_new = 0
        self._order = [segment.id for segment in document.segments]
        self._segments = {segment.id: segment for segment in document.segments}
        self._speakers = {speaker.id: speaker for speaker in document.speakers}
        self._retimed: set[str] = set()
        if len(self._segments) < len(self._order) or "" in self._segments:
            raise ValueError("every segment of a document has an id of its own")

    # ------------------------------------------------------------------ segments

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all segments in order."""
        return tuple(self._order)

    def resolved(self, segment_id: str) -> str:
        """The id that is meant: ``new.0`` is the first segment that this edit makes.

        Raises UnknownSegment.
        """
        match = _NEW.fullmatch(segment_id)
        result = new_id(self._revision, int(match[1])) if match else segment_id
        if result not in self._segments:
            raise UnknownSegment(
                UserMessage("no_segment", id=segment_id, choices=_choices(self._order))
            )
        return result

    def segment(self, segment_id: str) -> Segment:
        """A segment. Raises UnknownSegment."""
        return self._segments[self.resolved(segment_id)]

    def put(self, segment: Segment) -> None:
        """Replace a segment that is there, at the same time."""
        self._segments[segment.id] = segment

    def move(self, segment: Segment) -> None:
        """Replace a segment that is there by one at another time."""
        self._order.remove(segment.id)
        self._place(segment, 0)
        self._retimed.add(segment.id)

    def add(self, segment: Segment) -> Segment:
        """Add a segment at its place in time; it gets the next new id."""
        added = self._new(segment)
        self._place(added, 0)
        self._retimed.add(added.id)
        return added

    def add_part(self, segment: Segment, first: Segment) -> Segment:
        """Add the second part of a segment that was split; ``first`` is the part before it."""
        self.put(first)
        added = self._new(segment)
        self._place(added, self._order.index(first.id) + 1)
        return added

    def remove(self, segment_ids: Collection[str]) -> None:
        """Leave segments out."""
        gone = frozenset(segment_ids)
        for segment_id in gone:
            del self._segments[segment_id]
        self._order = [segment_id for segment_id in self._order if segment_id not in gone]
        self._retimed -= gone

    def position(self, segment_id: str) -> int:
        """Its place in the order, from 0."""
        return self._order.index(segment_id)

    def _new(self, segment: Segment) -> Segment:
        added = replace(segment, id=new_id(self._revision, self._n_new))
        self._n_new += 1
        return added

    def _place(self, segment: Segment, at_least: int) -> None:
        self._segments[segment.id] = segment
        place = bisect_left(self._order, segment.start_s, key=lambda i: self._segments[i].start_s)
        self._order.insert(max(place, at_least), segment.id)

    # ------------------------------------------------------------------ speakers

    def speaker(self, name: str) -> Speaker:
        """The speaker of that id, or else the only one of that name. Raises UnknownSpeaker."""
        result = self.find_speaker(name)
        if result is None:
            raise UnknownSpeaker(
                UserMessage("no_speaker", id=name, choices=_choices(list(self._speakers)))
            )
        return result

    def find_speaker(self, name: str | None) -> Speaker | None:
        """The same; None where there is nobody."""
        if name is None:
            return None
        name = name.strip()
        if name in self._speakers:
            return self._speakers[name]
        named = [speaker for speaker in self._speakers.values() if speaker.name == name]
        return named[0] if name and len(named) == 1 else None

    def speaker_id(self, name: str | None) -> str | None:
        """The id of a speaker, who is added where there is none such. Raises InvalidEdit."""
        if name is None:
            return None
        speaker = self.find_speaker(name)
        if speaker is None:
            speaker = Speaker(checked_label("speaker", name))
            self._speakers[speaker.id] = speaker
        return speaker.id

    def put_speaker(self, speaker: Speaker) -> None:
        """Replace a speaker who is there."""
        self._speakers[speaker.id] = speaker

    def remove_speaker(self, speaker_id: str) -> None:
        """Forget a speaker, of whom nothing is left."""
        del self._speakers[speaker_id]

    # -------------------------------------------------------------------- result

    def document(self) -> Document:
        """The document as it is now.

        Raises InvalidEdit where segments whose times changed overlap others.
        """
        segments = tuple(map(self._segments.__getitem__, self._order))
        if self._retimed:
            self._check_overlaps(segments)
        return Document(segments, tuple(self._speakers.values()))

    def _check_overlaps(self, segments: tuple[Segment, ...]) -> None:
        # Those that go on at the start of the next.
        active: list[Segment] = []
        for segment in segments:
            active = [other for other in active if _overlap_s(other, segment) > TOLERANCE_S]
            for other in active:
                ids = (segment.id, other.id)
                if self._retimed.isdisjoint(ids) or _are_two(segment, other):
                    continue
                moved, other = sorted((segment, other), key=lambda s: s.id not in self._retimed)
                self._check_overlap(moved, other)
            active.append(segment)

    def _check_overlap(self, segment: Segment, other: Segment) -> None:
        ids = (segment.id, other.id)
        before = [item for item in self._base.segments if item.id in ids]
        before_s = _overlap_s(*before) if len(before) == 2 else 0.0
        if _overlap_s(segment, other) > max(before_s, 0.0) + TOLERANCE_S:
            raise InvalidEdit(_overlap(segment, other))


def checked_label(field: str, text: str) -> str:
    """A speaker's id or name without space around it. Raises InvalidEdit."""
    label = text.strip()
    if not 0 < len(label) <= MOST_LABEL or not label.isprintable():
        raise InvalidEdit(UserMessage("edit_label", name=field, value=text[:80], most=MOST_LABEL))
    return label


def check_unicode(text: str) -> None:
    """Raise InvalidEdit for what no file can hold: a lone surrogate."""
    if match := _SURROGATE.search(text):
        raise InvalidEdit(UserMessage("edit_text_odd", n=match.start(), value=hex(ord(match[0]))))


def _overlap_s(segment: Segment, other: Segment) -> float:
    return min(segment.end_s, other.end_s) - max(segment.start_s, other.start_s)


def _are_two(segment: Segment, other: Segment) -> bool:
    """Whether two different people speak."""
    speakers = (segment.speaker, other.speaker)
    return None not in speakers and speakers[0] != speakers[1]


def _overlap(segment: Segment, other: Segment) -> UserMessage:
    return UserMessage(
        "edit_overlap",
        start_s=segment.start_s,
        end_s=segment.end_s,
        id=other.id,
        other_start_s=other.start_s,
        other_end_s=other.end_s,
    )


def _choices(ids: list[str]) -> list[str]:
    if not ids:
        return [UserMessage("word_nobody")]
    return ids if len(ids) <= _MOST_CHOICES else [*ids[: _MOST_CHOICES - 2], "…", ids[-1]]
