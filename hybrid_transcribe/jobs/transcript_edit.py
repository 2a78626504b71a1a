"""A text in the hands of a person: operations are collected, and become one revision."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, TypeAlias

from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import (
    DeleteSegments,
    EditOperation,
    InsertSegment,
    MergeSegments,
    MergeSpeakers,
    RenameSpeaker,
    ReplaceAll,
    ReplaceText,
    RevisionInfo,
    SetSpeaker,
    SetSpeakerOfWords,
    SetTimes,
    SplitSegment,
)
from hybrid_transcribe.service_protocol import ServiceLike
from hybrid_transcribe.types import Segment, Speaker, Transcript

if TYPE_CHECKING:
    from typing_extensions import Self

#: A segment of the transcript, or its id; ``new.0`` is the first that the same edit makes.
SegmentRef: TypeAlias = Segment | str

#: A speaker, its id, or a name that only one of them has.
SpeakerRef: TypeAlias = Speaker | str

#: The services of this process by key, as `TranscriptOrigin` names them.
_services: weakref.WeakValueDictionary[str, ServiceLike] = weakref.WeakValueDictionary()


def add_service(service: ServiceLike) -> str:
    """Make a service known to the transcripts that are taken from it; its key."""
    key = new_id()
    _services[key] = service
    return key


def edit_transcript(transcript: Transcript, *, author: str = "", label: str = "") -> TranscriptEdit:
    """Correct a transcript where it was taken from. Raises InvalidRequest."""
    origin = transcript.origin
    service = None if origin is None else _services.get(origin.service_key)
    if origin is None or service is None or transcript.revision is None:
        raise InvalidRequest(UserMessage("transcript_of_nothing"))
    return TranscriptEdit(service, origin.job_id, transcript, author=author, label=label)


class TranscriptEdit:
    """Changes of one transcript, to be used in a ``with`` block.

    Each method adds an operation and returns at once; at the end of the block all of them are
    done, as one revision. Where the block raises, nothing is changed.

    Attributes:
        transcript: what is edited, as it was at the start.
        info: the revision that was made, after the block; None before, and where nothing was asked.
    """

    def __init__(
        self,
        service: ServiceLike,
        job_id: str,
        transcript: Transcript,
        *,
        author: str = "",
        label: str = "",
    ) -> None:
        self._service = service
        self._job_id = job_id
        self._author, self._label = author, label
        self._is_over = False
        self._operations: list[EditOperation] = []
        self.transcript = transcript
        self.info: RevisionInfo | None = None

    @property
    def operations(self) -> tuple[EditOperation, ...]:
        """What was asked for so far."""
        return tuple(self._operations)

    def add(self, *operations: EditOperation) -> None:
        """Operations of `revision_types`, in order. Raises InvalidRequest after the block."""
        if self._is_over:
            raise InvalidRequest(UserMessage("edit_over"))
        self._operations += operations

    # ---------------------------------------------------------------------- segments

    def replace_text(self, segment: SegmentRef, text: str) -> None:
        """See `ReplaceText`."""
        self.add(ReplaceText(_segment(segment), text))

    def split(self, segment: SegmentRef, at_char: int, at_s: float | None = None) -> None:
        """See `SplitSegment`."""
        self.add(SplitSegment(_segment(segment), at_char, at_s))

    def merge(self, *segments: SegmentRef) -> None:
        """See `MergeSegments`."""
        self.add(MergeSegments(_segments(segments)))

    def delete(self, *segments: SegmentRef) -> None:
        """See `DeleteSegments`."""
        self.add(DeleteSegments(_segments(segments)))

    def insert(
        self, start_s: float, end_s: float, text: str, speaker: SpeakerRef | None = None
    ) -> None:
        """See `InsertSegment`."""
        self.add(InsertSegment(start_s, end_s, text, _speaker(speaker)))

    def set_times(self, segment: SegmentRef, start_s: float, end_s: float) -> None:
        """See `SetTimes`."""
        self.add(SetTimes(_segment(segment), start_s, end_s))

    def replace_all(
        self,
        find: str,
        replacement: str,
        *,
        match_case: bool = False,
        whole_words: bool = True,
        regex: bool = False,
        segments: Iterable[SegmentRef] = (),
    ) -> None:
        """See `ReplaceAll`."""
        ids = _segments(segments)
        self.add(ReplaceAll(find, replacement, match_case, whole_words, regex, ids))

    # ---------------------------------------------------------------------- speakers

    def set_speaker(
        self,
        segments: SegmentRef | Iterable[SegmentRef],
        speaker: SpeakerRef | None,
        *,
        words: tuple[int, int] | None = None,
    ) -> None:
        """See `SetSpeaker`; with ``words``, first and end, `SetSpeakerOfWords` of one segment."""
        several = (segments,) if isinstance(segments, Segment | str) else tuple(segments)
        if words is None:
            self.add(SetSpeaker(_segments(several), _speaker(speaker)))
            return
        for segment in several:
            self.add(SetSpeakerOfWords(_segment(segment), *words, _speaker(speaker)))

    def rename_speaker(
        self, speaker: SpeakerRef, name: str | None = None, color: str | None = None
    ) -> None:
        """See `RenameSpeaker`."""
        self.add(RenameSpeaker(_speaker(speaker) or "", name, color))

    def merge_speakers(self, speaker: SpeakerRef, into: SpeakerRef) -> None:
        """See `MergeSpeakers`."""
        self.add(MergeSpeakers(_speaker(speaker) or "", _speaker(into) or ""))

    # ------------------------------------------------------------------------ result

    def revised(self) -> Transcript:
        """The text after the edit, or as it was where nothing was asked for."""
        if self.info is None:
            return self.transcript
        return self._service.transcript(
            self._job_id, self.transcript.recording_id, revision=self.info.revision
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        is_first, self._is_over = not self._is_over, True
        if kind is None and is_first and (self._operations or self._label):
            self.info = self._service.edit(
                self._job_id,
                self.transcript.recording_id,
                self._operations,
                base_revision=self.transcript.revision,
                author=self._author,
                label=self._label,
            )

    def __repr__(self) -> str:
        return f"<TranscriptEdit of {self.transcript.name!r}: {len(self._operations)} operations>"


def _segment(segment: SegmentRef) -> str:
    return segment.id if isinstance(segment, Segment) else segment


def _segments(segments: Iterable[SegmentRef]) -> tuple[str, ...]:
    return tuple(map(_segment, segments))


def _speaker(speaker: SpeakerRef | None) -> str | None:
    return speaker.id if isinstance(speaker, Speaker) else speaker
