"""Operations that were made on an older revision, done on the current one.

An operation touches a segment in some respects: its text, its times or who speaks. Where somebody
else changed none of these since, it is done; so a text can be corrected while another person, or a
stage, says who speaks. Otherwise it is a conflict, and nothing is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Any

from msgspec.structs import replace as replace_fields

from hybrid_transcribe.errors import EditConflict, HybridTranscribeError
from hybrid_transcribe.messages import UserMessage
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
from hybrid_transcribe.revisions.apply import apply, apply_to, replacements
from hybrid_transcribe.revisions.draft import DocumentDraft
from hybrid_transcribe.revisions.merge import merge_stage
from hybrid_transcribe.types import Segment, Speaker


class Aspect(Flag):
    """In what respect a segment or a speaker is touched."""

    NONE = 0
    TEXT = auto()
    TIMES = auto()
    SPEAKER = auto()
    NAME = auto()
    COLOR = auto()


_WHOLE = Aspect.TEXT | Aspect.TIMES | Aspect.SPEAKER

#: What an operation needs to be as it was. Who speaks in a segment goes with its times: a part of
#: it that was split off is not meant any more.
_ASPECTS: dict[type[EditOperation], Aspect] = {
    ReplaceText: Aspect.TEXT,
    ReplaceAll: Aspect.TEXT,
    SplitSegment: Aspect.TEXT | Aspect.TIMES,
    MergeSegments: _WHOLE,
    DeleteSegments: _WHOLE,
    SetTimes: Aspect.TIMES,
    SetSpeaker: Aspect.SPEAKER | Aspect.TIMES,
    SetSpeakerOfWords: _WHOLE,
}


@dataclass(slots=True)
class _Touched:
    """What some operations touch of the document that they were made for, by id."""

    segments: dict[str, Aspect] = field(default_factory=dict)
    speakers: dict[str, Aspect] = field(default_factory=dict)
    operations: list[EditOperation] = field(default_factory=list)


def rebase(
    operations: Iterable[EditOperation],
    base: Document,
    current: Document,
    revision: int,
    *,
    stages_only: bool = False,
) -> Document:
    """The current document after operations that were made for ``base``.

    ``revision`` is the number of the revision that they become; the current one is the one before
    it. A text is replaced everywhere (`ReplaceAll`) in the segments where it stood in ``base``.
    ``stages_only`` says that only stages made revisions since: what is a conflict otherwise comes
    together as in `merge_stage`, for a person's text wins over a stage's.

    Raises what `apply` does where they cannot be done to ``base``, and EditConflict.
    """
    items = tuple(operations)
    if base is current:
        return apply(current, items, revision)
    try:
        return _rebased(items, base, current, revision)
    except EditConflict:
        if not stages_only:
            raise
        return merge_stage(base, apply(base, items, revision), current, revision)


def _rebased(
    operations: tuple[EditOperation, ...], base: Document, current: Document, revision: int
) -> Document:
    touched = _touched(operations, base, revision)
    segment_ids = _changed_segments(touched, base, current)
    speaker_ids = _changed_speakers(touched, base, current)
    if segment_ids or speaker_ids:
        raise EditConflict.between(segment_ids, speaker_ids, revision - 1)
    try:
        return apply(current, touched.operations, revision)
    except HybridTranscribeError as error:
        # Each was right alone: segments that are put where somebody else has put some.
        raise EditConflict.between(_ids_of(error, touched), (), revision - 1) from error


def _touched(operations: tuple[EditOperation, ...], base: Document, revision: int) -> _Touched:
    """What they touch of the base, and themselves with ids for names. Raises what `apply` does."""
    draft = DocumentDraft(base, revision)
    result = _Touched()
    own_segments = {segment.id for segment in base.segments}
    own_speakers = {speaker.id for speaker in base.speakers}

    def observe(operation: EditOperation) -> None:
        pinned = _pinned(draft, operation)
        if pinned is not None:
            result.operations.append(pinned)
            for segment_id in _segment_ids(pinned):
                if (i := draft.resolved(segment_id)) in own_segments:
                    before = result.segments.get(i, Aspect.NONE)
                    result.segments[i] = before | _ASPECTS[type(pinned)]
            for speaker_id, aspect in _speakers(pinned):
                if speaker_id in own_speakers:
                    before = result.speakers.get(speaker_id, Aspect.NONE)
                    result.speakers[speaker_id] = before | aspect

    apply_to(draft, operations, observe)
    draft.document()
    return result


def _pinned(draft: DocumentDraft, operation: EditOperation) -> EditOperation | None:
    """The operation with ids instead of names, and with the segments that it changes.

    None where it changes nothing.
    """
    if isinstance(operation, ReplaceAll):
        ids = tuple(segment.id for segment, _ in replacements(draft, operation))
        return replace_fields(operation, segment_ids=ids) if ids else None
    fields: dict[str, Any] = {
        name: speaker.id
        for name in ("speaker", "into")
        if (speaker := draft.find_speaker(getattr(operation, name, None))) is not None
    }
    return replace_fields(operation, **fields)


def _segment_ids(operation: EditOperation) -> tuple[str, ...]:
    if isinstance(operation, ReplaceText | SplitSegment | SetTimes | SetSpeakerOfWords):
        return (operation.segment_id,)
    if isinstance(operation, InsertSegment | RenameSpeaker | MergeSpeakers):
        return ()
    return operation.segment_ids


def _speakers(operation: EditOperation) -> Iterator[tuple[str, Aspect]]:
    """Who is touched; of those who need only be there, nothing."""
    if isinstance(operation, RenameSpeaker):
        name = Aspect.NONE if operation.name is None else Aspect.NAME
        color = Aspect.NONE if operation.color is None else Aspect.COLOR
        yield operation.speaker, name | color
    elif isinstance(operation, MergeSpeakers):
        yield operation.speaker, Aspect.NAME | Aspect.COLOR
        yield operation.into, Aspect.NONE
    elif not isinstance(operation, SetSpeaker | SetSpeakerOfWords | InsertSegment):
        return
    elif operation.speaker is not None:
        yield operation.speaker, Aspect.NONE


def _changed_segments(touched: _Touched, base: Document, current: Document) -> list[str]:
    before = {segment.id: segment for segment in base.segments}
    now = {segment.id: segment for segment in current.segments}
    return [
        segment_id
        for segment_id, aspects in touched.segments.items()
        if segment_id not in now or aspects & changed_aspects(before[segment_id], now[segment_id])
    ]


def changed_aspects(before: Segment, after: Segment) -> Aspect:
    """In what respects a segment has changed."""
    result = Aspect.NONE
    if before is after:
        return result
    if before.text != after.text:
        result |= Aspect.TEXT
    if (before.start_s, before.end_s) != (after.start_s, after.end_s):
        result |= Aspect.TIMES
    if _speakers_of(before) != _speakers_of(after):
        result |= Aspect.SPEAKER
    return result


def _speakers_of(segment: Segment) -> tuple[str | None, frozenset[str | None]]:
    return segment.speaker, frozenset(word.speaker for word in segment.words)


def _changed_speakers(touched: _Touched, base: Document, current: Document) -> list[str]:
    before = {speaker.id: speaker for speaker in base.speakers}
    now = {speaker.id: speaker for speaker in current.speakers}
    return [
        speaker_id
        for speaker_id, aspects in touched.speakers.items()
        if speaker_id not in now or aspects & _renamed(before[speaker_id], now[speaker_id])
    ]


def _renamed(before: Speaker, after: Speaker) -> Aspect:
    name = Aspect.NONE if before.name == after.name else Aspect.NAME
    color = Aspect.NONE if before.color == after.color else Aspect.COLOR
    return name | color


def _ids_of(error: HybridTranscribeError, touched: _Touched) -> list[str]:
    """The segments that an error names, or else those that were touched."""
    message: Any = error.message
    while isinstance(message, UserMessage) and "why" in message.params:
        message = message.params["why"]
    params = message.params if isinstance(message, UserMessage) else {}
    named = params.get("between") or [params[name] for name in ("id",) if name in params]
    return list(named) or list(touched.segments)
