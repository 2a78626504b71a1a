"""What a service tells its listeners: one frozen class per fact, numbered in order.

``seq`` rises by one per event of a service, so that a listener that lost its connection can
ask for what came after the last number it saw (``service.subscribe(after=seq)``). A listener
that fell too far behind gets one `Resync` in place of what it missed and reads a snapshot.
"""

from __future__ import annotations

from dataclasses import dataclass

from hybrid_transcribe.revision_types import RevisionInfo
from hybrid_transcribe.types import ErrorInfo, JobSnapshot, Recording, Segment, Stage, State


@dataclass(frozen=True, slots=True)
class Event:
    """What all events share. ``session_id`` is empty for facts about the service itself."""

    seq: int
    session_id: str = ""
    job_id: str = ""


@dataclass(frozen=True, slots=True)
class JobChanged(Event):
    """A job was accepted, ended, was retried, kept or given another expiry."""

    job: JobSnapshot | None = None


@dataclass(frozen=True, slots=True)
class RecordingChanged(Event):
    """A recording moved: its state, stage, percentage, ETA, error or warnings."""

    recording: Recording | None = None
    job_state: State = State.QUEUED
    job_percentage: float | None = None
    job_eta_s: float | None = None


@dataclass(frozen=True, slots=True)
class SegmentAdded(Event):
    """A segment is final and journalled; ``index`` counts from 0 within the recording's run."""

    recording_id: str = ""
    index: int = 0
    segment: Segment | None = None
    run: int = 1


@dataclass(frozen=True, slots=True)
class TranscriptRevised(Event):
    """A recording's text has a new revision, which is journalled and the current one."""

    recording_id: str = ""
    info: RevisionInfo | None = None


@dataclass(frozen=True, slots=True)
class JobDeleted(Event):
    """A job and all its results are gone."""


@dataclass(frozen=True, slots=True)
class ModelChanged(Event):
    """A model is made ready before anybody asked: its stage, or its end (no stage).

    ``device`` says where it is ready, ``error`` why it is not.
    """

    engine: str = ""
    model: str = ""
    stage: Stage | None = None
    percentage: float | None = None
    device: str | None = None
    error: ErrorInfo | None = None


@dataclass(frozen=True, slots=True)
class Warned(Event):
    """Something people should know that stops nothing, e.g. ``disk_full``.

    ``over``: what was warned of under that code has passed.
    """

    code: str = ""
    message: str = ""
    over: bool = False


@dataclass(frozen=True, slots=True)
class Resync(Event):
    """Events were dropped before this one: read a snapshot, then go on listening."""


@dataclass(frozen=True, slots=True)
class Closed(Event):
    """The service is closing; no more events follow."""
