"""The JSON of the service, as types: one struct for each object, without any behaviour.

Times are UTC as RFC 3339 has them; fields that end in ``_s`` are seconds. Percentages are
0..100, null when nobody can know. An ETA is null when it is unknown, never 0.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hybrid_transcribe.types import ErrorInfo, Rejection, Segment, Stage, State


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all. A reader ignores fields it does not know."""


class How(Shape, frozen=True, kw_only=True):
    """How something is transcribed; ``options`` has only those that were given."""

    engine: str
    model: str
    options: dict[str, Any] = {}


class RecordingView(How, frozen=True, kw_only=True):
    """A recording as it stands.

    ``asked_device`` is what was asked for (``auto``, ``gpu``, ``cpu``), ``device`` where it
    runs, null before that.
    """

    recording_id: str
    index: int
    name: str
    size_bytes: int
    duration_s: float | None
    state: State
    attempt: int
    stage: Stage | None
    stage_percentage: float | None
    percentage: float | None
    eta_s: float | None
    done_s: float
    n_segments: int
    error: ErrorInfo | None
    language: str | None
    language_probability: float | None
    asked_device: str
    device: str | None
    warnings: tuple[str, ...]
    started_at: str | None
    finished_at: str | None


class JobView(How, frozen=True, kw_only=True):
    """A job in full, for those whose it is. ``rejected`` are inputs that gave no recording."""

    job_id: str
    session_id: str
    state: State
    percentage: float | None
    eta_s: float | None
    position: int
    device: str
    priority: int
    created_at: str
    finished_at: str | None
    expires_at: str | None
    kept: bool
    recordings: tuple[RecordingView, ...]
    rejected: tuple[Rejection, ...]


class AnonymousJob(Shape, frozen=True, kw_only=True):
    """A job as strangers may see it: no id, name, session or text of anybody."""

    position: int
    state: State
    engine: str
    percentage: float | None
    eta_s: float | None
    n_recordings: int


class Queue(Shape, frozen=True, kw_only=True):
    """The jobs of some sessions, oldest first, or of everybody without their names."""

    anonymous: bool
    jobs: tuple[JobView, ...] | tuple[AnonymousJob, ...]


class OwnQueue(Shape, frozen=True, kw_only=True):
    """A queue that is not anonymous."""

    jobs: tuple[JobView, ...]
    anonymous: bool = False


# ----------------------------------------------------------------------------------- events


class SnapshotTold(OwnQueue, frozen=True, kw_only=True):
    """``snapshot``: all jobs as they stand, at the start and after events were lost."""


class JobTold(Shape, frozen=True, kw_only=True):
    """``job``: a job moved.

    ``job`` is all of it when it was accepted, ended, was retried or kept; ``recording`` is the
    one that moved otherwise.
    """

    job_id: str
    session_id: str
    state: State
    percentage: float | None
    eta_s: float | None
    job: JobView | None = None
    recording: RecordingView | None = None


class SegmentTold(Shape, frozen=True, kw_only=True):
    """``segment``: text that is final; ``index`` counts from 0 within the recording."""

    job_id: str
    session_id: str
    recording_id: str
    index: int
    segment: Segment


class DeletedTold(Shape, frozen=True, kw_only=True):
    """``deleted``: a job and all its results are gone."""

    job_id: str
    session_id: str


class ModelTold(Shape, frozen=True, kw_only=True):
    """``model``: a model is made ready before anybody asked; without a stage it has ended."""

    engine: str
    model: str
    stage: Stage | None = None
    percentage: float | None = None
    device: str | None = None
    error: ErrorInfo | None = None


class WarningTold(Shape, frozen=True, kw_only=True):
    """``warning``: something people should know that stops nothing."""

    code: str
    message: str
