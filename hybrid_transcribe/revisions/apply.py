"""Operations applied to a document, one after the other.

Each has a function here, which checks what it is given, and changes a `DocumentDraft`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from hybrid_transcribe.errors import HybridTranscribeError, InvalidEdit
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
from hybrid_transcribe.revisions import text
from hybrid_transcribe.revisions.characters import at_grapheme, chunks, is_blank
from hybrid_transcribe.revisions.documents import MOST_CHARACTERS, MOST_S
from hybrid_transcribe.revisions.draft import DocumentDraft, check_unicode, checked_label
from hybrid_transcribe.revisions.rules import Replacer
from hybrid_transcribe.types import Segment

_COLOR = re.compile(r"#[0-9a-fA-F]{6}")


def apply(document: Document, operations: Iterable[EditOperation], revision: int) -> Document:
    """The document after some operations, in order; all of them or none.

    Segments that they make are ``e{revision}.0``, ``e{revision}.1``… in the order in which they
    come; within the operations themselves these are ``new.0``, ``new.1``… too. The same input
    gives the same document. Segments that nothing changed are the same objects.

    Raises UnknownSegment, UnknownSpeaker and InvalidEdit, which say which operation it was where
    there are several, and ValueError where segments have no ids of their own.
    """
    draft = DocumentDraft(document, revision)
    apply_to(draft, tuple(operations))
    return draft.document()


def apply_to(
    draft: DocumentDraft,
    operations: Sequence[EditOperation],
    observe: Callable[[EditOperation], None] = lambda operation: None,
) -> None:
    """Do operations to a draft; each goes to ``observe`` before. Raises as `apply` does."""
    for number, item in enumerate(operations, 1):
        try:
            operation = _checked_types(item)
            observe(operation)
            _APPLY[type(operation)](draft, operation)
        except HybridTranscribeError as error:
            if len(operations) == 1:
                raise
            raise type(error)(_of_step(error, number, item)) from error


def _checked_types(operation: EditOperation) -> EditOperation:
    """The operation with values of the right types, as JSON's would be. Raises InvalidEdit."""
    if type(operation) not in _APPLY:
        raise InvalidEdit(
            UserMessage("edit_unknown", value=type(operation).__name__, choices=operation_names())
        )
    try:
        return msgspec.convert(msgspec.to_builtins(operation), type(operation))
    except (msgspec.ValidationError, TypeError) as error:
        name = operation_name(operation)
        raise InvalidEdit(UserMessage("edit_types", name=name, why=str(error))) from None


def operation_name(operation: EditOperation) -> str:
    """Its ``op`` in JSON.

    >>> operation_name(SetTimes("1.0", 0.0, 1.0))
    'set-times'
    """
    return str(operation.__struct_config__.tag)


def operation_names() -> list[str]:
    """The ``op`` of every operation."""
    return [str(kind.__struct_config__.tag) for kind in _APPLY]


def _of_step(error: HybridTranscribeError, number: int, operation: EditOperation) -> UserMessage:
    name = operation_name(operation) if type(operation) in _APPLY else type(operation).__name__
    return UserMessage("edit_step", n=number, name=name, why=error.message)


# -------------------------------------------------------------------------- text


def _replace_text(draft: DocumentDraft, operation: ReplaceText) -> None:
    segment = draft.segment(operation.segment_id)
    draft.put(text.with_text(segment, checked_text(operation.text)))


def _replace_all(draft: DocumentDraft, operation: ReplaceAll) -> None:
    blank: list[str] = []
    for segment, replaced in replacements(draft, operation):
        if is_blank(replaced):
            blank.append(segment.id)
        else:
            draft.put(text.with_text(segment, checked_text(replaced)))
    draft.remove(blank)


def replacements(draft: DocumentDraft, rule: ReplaceAll) -> Iterator[tuple[Segment, str]]:
    """The segments that a rule changes, and the text that they get. Raises as `apply` does."""
    named = dict.fromkeys(map(draft.resolved, rule.segment_ids))
    replacer = Replacer(rule)
    for segment_id in named or draft.ids:
        segment = draft.segment(segment_id)
        replaced = replacer.replaced(segment.text)
        if replaced is not None:
            yield segment, replaced


def checked_text(value: str) -> str:
    """The text of a segment, without space around it. Raises InvalidEdit."""
    check_unicode(value)
    result = value.strip()
    if is_blank(result):
        raise InvalidEdit(UserMessage("edit_text_empty"))
    if len(result) > MOST_CHARACTERS:
        raise InvalidEdit(UserMessage("edit_text_long", n=len(result), most=MOST_CHARACTERS))
    return result


# --------------------------------------------------------------------- segments


def _split(draft: DocumentDraft, operation: SplitSegment) -> None:
    segment = draft.segment(operation.segment_id)
    at_char = at_grapheme(segment.text, operation.at_char)
    if (
        operation.at_char < 1
        or is_blank(segment.text[:at_char])
        or is_blank(segment.text[at_char:])
    ):
        last = len(segment.text) - 1
        raise InvalidEdit(
            UserMessage("edit_at_char", at=operation.at_char, id=segment.id, last=last)
        )
    at_s = operation.at_s
    if at_s is not None and not segment.start_s < at_s < segment.end_s:
        raise InvalidEdit(
            UserMessage(
                "edit_at_s", at=at_s, id=segment.id, start_s=segment.start_s, end_s=segment.end_s
            )
        )
    _split_at(draft, segment, at_char, at_s)


def _split_at(
    draft: DocumentDraft, segment: Segment, at_char: int, at_s: float | None = None
) -> tuple[Segment, Segment]:
    first, second = text.split(segment, at_char, at_s)
    return first, draft.add_part(second, first)


def _merge(draft: DocumentDraft, operation: MergeSegments) -> None:
    ids = sorted(set(map(draft.resolved, operation.segment_ids)), key=draft.position)
    if len(ids) < 2:
        raise InvalidEdit(UserMessage("edit_merge_few", ids=operation.segment_ids))
    first, last = draft.position(ids[0]), draft.position(ids[-1])
    between = [i for i in draft.ids[first : last + 1] if i not in ids]
    if between:
        raise InvalidEdit(UserMessage("edit_merge_apart", ids=ids, between=between[:8]))
    merged = text.merged([draft.segment(segment_id) for segment_id in ids])
    checked_text(merged.text)
    draft.remove(ids[1:])
    draft.put(merged)


def _delete(draft: DocumentDraft, operation: DeleteSegments) -> None:
    draft.remove(_named(draft, operation.segment_ids))


def _insert(draft: DocumentDraft, operation: InsertSegment) -> None:
    start_s, end_s = _checked_times(operation.start_s, operation.end_s)
    said = checked_text(operation.text)
    draft.add(Segment(start_s, end_s, said, speaker=draft.speaker_id(operation.speaker)))


def _set_times(draft: DocumentDraft, operation: SetTimes) -> None:
    segment = draft.segment(operation.segment_id)
    draft.move(text.with_times(segment, *_checked_times(operation.start_s, operation.end_s)))


def _checked_times(start_s: float, end_s: float) -> tuple[float, float]:
    for name, value in (("start_s", start_s), ("end_s", end_s)):
        if not (math.isfinite(value) and 0 <= value <= MOST_S):
            raise InvalidEdit(UserMessage("edit_time", name=name, value=value, most=MOST_S))
    if start_s >= end_s:
        raise InvalidEdit(UserMessage("edit_times", start_s=start_s, end_s=end_s))
    return start_s, end_s


def _named(draft: DocumentDraft, segment_ids: Sequence[str]) -> list[str]:
    """The segments that are named, each once. Raises UnknownSegment, InvalidEdit for none."""
    if not segment_ids:
        raise InvalidEdit(UserMessage("edit_none_named"))
    return list(dict.fromkeys(map(draft.resolved, segment_ids)))


# --------------------------------------------------------------------- speakers


def _set_speaker(draft: DocumentDraft, operation: SetSpeaker) -> None:
    ids = _named(draft, operation.segment_ids)
    speaker = draft.speaker_id(operation.speaker)
    for segment_id in ids:
        draft.put(text.with_speaker(draft.segment(segment_id), speaker))


def _set_speaker_of_words(draft: DocumentDraft, operation: SetSpeakerOfWords) -> None:
    segment = draft.segment(operation.segment_id)
    first, end = operation.first_word, operation.end_word
    spans = chunks(segment.text)
    if not 0 <= first < end <= len(spans):
        raise InvalidEdit(
            UserMessage("edit_words", first=first, end=end, id=segment.id, n=len(spans))
        )
    speaker = draft.speaker_id(operation.speaker)
    begin = 0
    if first > 0:
        begin = spans[first][0]
        _, segment = _split_at(draft, segment, begin)
    if end < len(spans):
        segment, _ = _split_at(draft, segment, spans[end][0] - begin)
    draft.put(text.with_speaker(segment, speaker))


def _rename(draft: DocumentDraft, operation: RenameSpeaker) -> None:
    speaker = draft.speaker(operation.speaker)
    if operation.name is None and operation.color is None:
        raise InvalidEdit(UserMessage("edit_rename_none", id=speaker.id))
    if operation.name is not None:
        name = checked_label("name", operation.name) if operation.name.strip() else ""
        speaker = replace(speaker, name=name)
    if operation.color is not None:
        if operation.color and not _COLOR.fullmatch(operation.color):
            raise InvalidEdit(UserMessage("edit_color", value=operation.color))
        speaker = replace(speaker, color=operation.color.lower())
    draft.put_speaker(speaker)


def _merge_speakers(draft: DocumentDraft, operation: MergeSpeakers) -> None:
    speaker, into = draft.speaker(operation.speaker), draft.speaker(operation.into)
    if speaker.id == into.id:
        raise InvalidEdit(UserMessage("edit_same_speaker", id=speaker.id))
    for segment_id in draft.ids:
        segment = draft.segment(segment_id)
        renamed = text.with_speaker_renamed(segment, speaker.id, into.id)
        if renamed is not segment:
            draft.put(renamed)
    draft.remove_speaker(speaker.id)


_APPLY: dict[type[EditOperation], Callable[[DocumentDraft, Any], None]] = {
    ReplaceText: _replace_text,
    SplitSegment: _split,
    MergeSegments: _merge,
    DeleteSegments: _delete,
    InsertSegment: _insert,
    SetTimes: _set_times,
    SetSpeaker: _set_speaker,
    SetSpeakerOfWords: _set_speaker_of_words,
    RenameSpeaker: _rename,
    MergeSpeakers: _merge_speakers,
    ReplaceAll: _replace_all,
}
