"""Where the recordings of a batch stand, and what was said about each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from msgspec import structs

from hybrid_transcribe import protocol as p
from hybrid_transcribe.types import (
    Clip,
    ErrorInfo,
    RecordingFacts,
    Segment,
    Stage,
    WithheldSegment,
)
from hybrid_transcribe.worker.channel_plan import ChannelPlan

_Timed = TypeVar("_Timed", Segment, WithheldSegment)

Emit = Callable[[p.Message], None]


@dataclass(frozen=True, slots=True)
class ClipSpan:
    """A clip in the engine's hands, without its samples.

    ``after_s``: where the recording was done before it, in seconds. A clip begins at a sample,
    which may be a hair before that.
    """

    start_s: float
    duration_s: float
    last: bool
    after_s: float

    @property
    def end_s(self) -> float:
        """Where it ends in the recording."""
        return self.start_s + self.duration_s


@dataclass(slots=True)
class RecordingCursor:
    """Where one recording stands. Clips queue up between source and engine.

    ``item`` is where it goes on from, should it be begun again. ``begun``: the engine has it.
    ``taken_s``: where the engine's clips end. ``channels``: how it is transcribed channel by
    channel, None where they are mixed.
    """

    item: p.Item
    next_index: int
    done_s: float
    taken_s: float
    language: str | None
    spans: list[ClipSpan] = field(default_factory=list)
    begun: bool = False
    ended: bool = False
    channels: ChannelPlan | None = None

    def go_back(self) -> None:
        """The engine starts anew behind what it has finished."""
        self.item = structs.replace(
            self.item,
            resume_from_s=self.done_s,
            first_index=self.next_index,
            language=self.language,
        )
        self.taken_s = self.done_s
        self.spans.clear()
        self.begun = False


class BatchState:
    """The recordings of one batch by their keys: 0, 1, 2…"""

    def __init__(
        self, items: Collection[p.Item], emit: Emit, cancels: Collection[tuple[str, int]]
    ) -> None:
        self._places = [
            RecordingCursor(i, i.first_index, i.resume_from_s, i.resume_from_s, i.language)
            for i in items
        ]
        self._emit = emit
        self._cancels = cancels

    def __getitem__(self, key: int) -> RecordingCursor:
        return self._places[key]

    def __iter__(self) -> Iterator[RecordingCursor]:
        return iter(self._places)

    def open(self) -> list[int]:
        """Recordings not ended for yet."""
        return [key for key, place in enumerate(self._places) if not place.ended]

    def canceled(self, key: int) -> bool:
        """Was this one asked to be let go?"""
        item = self._places[key].item
        return (item.recording_id, item.attempt) in self._cancels

    def report(self, key: int, report: p.RecordingReport) -> None:
        """Report something of a recording."""
        item = self._places[key].item
        self._emit(p.RecordingMessage(item.recording_id, item.attempt, report))

    def learned(self, key: int, **facts: Any) -> None:
        """Report facts about a recording (fields of `RecordingFacts`)."""
        self.report(key, p.MetadataLearned(RecordingFacts(**facts)))

    def report_all(self, keys: Collection[int], report: p.RecordingReport) -> None:
        """Report the same of several."""
        for key in keys:
            self.report(key, report)

    def end(self, key: int, report: p.RecordingReport) -> None:
        """Report how a recording ended; only the first time counts."""
        place = self._places[key]
        if not place.ended:
            place.ended = True
            place.spans.clear()
            self.report(key, report)

    def stage_all(self, stage: Stage, percentage: float | None = None) -> None:
        """A stage that all open recordings share, such as loading their model."""
        self.report_all(self.open(), p.StageChanged(stage=stage, percentage=percentage))

    def fail_the_rest(self, error: ErrorInfo) -> None:
        """What ended the batch ended every recording still open."""
        for key in self.open():
            self.end(key, p.RecordingFailed(error=error))

    def take(self, key: int, clip: Clip, last: bool) -> Clip:
        """Count a clip as in the engine's hands, and give it the engine's own note."""
        place = self._places[key]
        span = ClipSpan(clip.start_s, clip.duration_s, last, place.taken_s)
        place.spans.append(span)
        place.taken_s = span.end_s
        return replace(clip, note=place.item.note) if place.item.note else clip


def shifted(segment: _Timed, span: ClipSpan) -> _Timed:
    """A segment whose times count from the start of the recording instead of the clip's.

    None lies before what was done already, so that times never run backwards.
    """

    def at(time_s: float) -> float:
        return max(span.start_s + time_s, span.after_s)

    start_s, end_s = at(segment.start_s), at(segment.end_s)
    if isinstance(segment, WithheldSegment):
        return replace(segment, start_s=start_s, end_s=end_s)
    words = tuple(replace(w, start_s=at(w.start_s), end_s=at(w.end_s)) for w in segment.words)
    return replace(segment, start_s=start_s, end_s=end_s, words=words)
