"""The life of a recording as one pure function: no clock, lock, thread or file inside.

::

                 ┌────────────────────── Lost, Requeued (attempt + 1) ─────────────┐
                 ▼                                                                 │
    ┌────────▶ queued ──Dispatched──▶ preparing ──Moved──▶ running ────────────────┤
    │            │                        │                   │                    │
 RetryAsked   CancelAsked             CancelAsked         CancelAsked              │
    │            │                        └───────┬───────────┘                    │
    │            ▼                                ▼                                │
    ├──────── canceled ◀──Released, Lost── canceling ──Ended──▶ completed          │
    ├──────── completed ◀──Ended─────────────────────────────────────────── running │
    └──────── failed ◀──Broke, Lost (for the last time) ── preparing, running ─────┘

A recording with a complete text never loses it: transcribed again, it falls back on that text
(completed) where the diagram says failed or canceled.

Messages of an earlier attempt never get here: the room drops them by their attempt number.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from hybrid_transcribe.errors import InvalidTransition
from hybrid_transcribe.types import (
    ErrorInfo,
    Recording,
    RunRecord,
    Spec,
    Stage,
    State,
    WithheldSegment,
)

_T = TypeVar("_T")

#: Shown until the very end: 100 is for the completed only.
ALMOST = 99.9

#: Earlier runs kept of one recording; the latest completed one is always among them.
MOST_RUNS = 20

#: Withheld segments that a recording keeps: its row is written again with each.
MOST_WITHHELD = 200


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened to a recording."""


@dataclass(frozen=True, slots=True)
class Dispatched(Change):
    """It went to a worker, at that wall-clock time."""

    at: float


@dataclass(frozen=True, slots=True)
class StageChanged(Change):
    """It entered a stage; percentage (0..100) of the stage where known."""

    stage: Stage
    percentage: float | None = None


@dataclass(frozen=True, slots=True)
class MetadataLearned(Change):
    """Facts about it; None changes nothing, a warning is added once, an empty note goes."""

    duration_s: float | None = None
    language: str | None = None
    language_probability: float | None = None
    device: str | None = None
    warning: str | None = None
    audio_missing: bool = False
    withheld: WithheldSegment | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class ProgressAdvanced(Change):
    """Audio finished up to here; ``n_segments`` journalled so far, None leaves it."""

    done_s: float
    n_segments: int | None = None


@dataclass(frozen=True, slots=True)
class RecordingCompleted(Change):
    """All of it is transcribed."""

    duration_s: float
    at: float


@dataclass(frozen=True, slots=True)
class RecordingFailed(Change):
    """It failed, for good."""

    error: ErrorInfo
    at: float


@dataclass(frozen=True, slots=True)
class CancelRequested(Change):
    """Somebody does not want it any more."""

    at: float


@dataclass(frozen=True, slots=True)
class RecordingCanceled(Change):
    """The worker let it go as asked, or was made to."""

    at: float


@dataclass(frozen=True, slots=True)
class WorkerLost(Change):
    """Its worker died. ``blamed``: nothing else was in the worker's hands.

    ``suspect``: it was among several that were, so it runs alone from now on.
    """

    error: ErrorInfo
    at: float
    blamed: bool = False
    suspect: bool = False
    max_deaths: int = 3


@dataclass(frozen=True, slots=True)
class Requeued(Change):
    """Taken back through no fault of its own: this process restarted or is stopping."""

    at: float


@dataclass(frozen=True, slots=True)
class RetryRequested(Change):
    """Once more. ``resume`` goes on with the run; otherwise a new one begins, this one is kept."""

    resume: bool
    spec: Spec | None = None


_ACTIVE = (State.PREPARING, State.RUNNING)
_HELD = (*_ACTIVE, State.CANCELING)
_TERMINAL = (State.COMPLETED, State.FAILED, State.CANCELED)

#: Which change may come in which states.
ALLOWED: dict[type[Change], tuple[State, ...]] = {
    Dispatched: (State.QUEUED,),
    StageChanged: _HELD,
    MetadataLearned: tuple(State),
    ProgressAdvanced: _HELD,
    RecordingCompleted: _HELD,
    RecordingFailed: (*_HELD, State.QUEUED),
    CancelRequested: (State.QUEUED, *_HELD),
    RecordingCanceled: (State.CANCELING,),
    WorkerLost: _HELD,
    Requeued: _HELD,
    RetryRequested: _TERMINAL,
}

#: Stages in which the recording itself is being worked on.
_WORKING = (Stage.TRANSCRIBING, Stage.UPLOADING_TO_CLOUD, Stage.WAITING_FOR_CLOUD)


def step(recording: Recording, change: Change) -> Recording:
    """The recording after the change. Raises InvalidTransition if it cannot happen now."""
    if recording.state not in ALLOWED[type(change)]:
        raise InvalidTransition(
            f"{type(change).__name__} cannot happen to recording {recording.name!r}, "
            f"which is {recording.state}"
        )
    after = _changed(recording, change)
    if after.state in (State.FAILED, State.CANCELED) and after.state is not recording.state:
        return _fallen_back(after)
    return after


def _changed(recording: Recording, change: Change) -> Recording:
    match change:
        case Dispatched(at):
            return replace(recording, state=State.PREPARING, started_at=at, finished_at=None)
        case StageChanged():
            return _moved(recording, change)
        case MetadataLearned():
            return _learned(recording, change)
        case ProgressAdvanced():
            return _advanced(recording, change)
        case RecordingCompleted():
            return _ended(recording, change)
        case RecordingFailed(error, at):
            if recording.state is State.CANCELING:
                return _over(recording, State.CANCELED, at)
            return _over(recording, State.FAILED, at, error)
        case CancelRequested(at):
            if recording.state is State.QUEUED:
                return _over(recording, State.CANCELED, at)
            return replace(recording, state=State.CANCELING, eta_s=None)
        case RecordingCanceled(at):
            return _over(recording, State.CANCELED, at)
        case WorkerLost():
            return _lost(recording, change)
        case Requeued(at):
            if recording.state is State.CANCELING:
                return _over(recording, State.CANCELED, at)
            return _queued_again(recording)
        case RetryRequested():
            return _retried(recording, change)
        case _:
            raise InvalidTransition(f"Unknown change {change!r}")


def _over(
    recording: Recording, state: State, at: float, error: ErrorInfo | None = None
) -> Recording:
    return replace(
        recording,
        state=state,
        error=error,
        stage=None,
        stage_percentage=None,
        eta_s=None,
        finished_at=at,
    )


def _moved(recording: Recording, change: StageChanged) -> Recording:
    state = recording.state
    if state is State.PREPARING and change.stage in _WORKING:
        state = State.RUNNING
    # In the cloud nobody knows how far it is.
    waiting = change.stage is Stage.WAITING_FOR_CLOUD
    return replace(
        recording,
        state=state,
        stage=change.stage,
        stage_percentage=change.percentage,
        percentage=None if waiting else recording.percentage,
    )


def _learned(recording: Recording, change: MetadataLearned) -> Recording:
    warnings = recording.warnings
    if change.warning and change.warning not in warnings:
        warnings = (*warnings, change.warning)
    withheld = recording.withheld
    if change.withheld and len(withheld) < MOST_WITHHELD:
        withheld = (*withheld, change.withheld)
    result = replace(
        recording,
        duration_s=_or_previous(change.duration_s, recording.duration_s),
        language=_or_previous(change.language, recording.language),
        language_probability=_or_previous(
            change.language_probability, recording.language_probability
        ),
        device=_or_previous(change.device, recording.device),
        warnings=warnings,
        audio_missing=recording.audio_missing or change.audio_missing,
        withheld=withheld,
        note=recording.note if change.note is None else change.note or None,
    )
    return replace(result, percentage=_percentage(result))


def _or_previous(new: _T | None, old: _T | None) -> _T | None:
    return old if new is None else new


def _advanced(recording: Recording, change: ProgressAdvanced) -> Recording:
    moved = replace(
        recording,
        state=State.RUNNING if recording.state is State.PREPARING else recording.state,
        done_s=max(recording.done_s, change.done_s),
        n_segments=recording.n_segments if change.n_segments is None else change.n_segments,
    )
    return replace(moved, percentage=_percentage(moved))


def _percentage(recording: Recording) -> float | None:
    """Never falls within an attempt, and never says 100 before the end."""
    if recording.state is State.COMPLETED:
        return 100.0
    if recording.percentage is None or not recording.duration_s:
        return recording.percentage
    reached = round(100.0 * recording.done_s / recording.duration_s, 1)
    return max(recording.percentage, min(reached, ALMOST))


def _ended(recording: Recording, change: RecordingCompleted) -> Recording:
    over = _over(recording, State.COMPLETED, change.at)
    return replace(over, duration_s=change.duration_s, done_s=change.duration_s, percentage=100.0)


def _queued_again(recording: Recording) -> Recording:
    """Back in the queue, with what was finished kept."""
    again = replace(
        recording,
        state=State.QUEUED,
        attempt=recording.attempt + 1,
        stage=None,
        stage_percentage=None,
        percentage=0.0,
        eta_s=None,
        error=None,
        started_at=None,
        finished_at=None,
    )
    return replace(again, percentage=_percentage(again))


def _lost(recording: Recording, change: WorkerLost) -> Recording:
    if recording.state is State.CANCELING:
        return _over(recording, State.CANCELED, change.at)
    deaths = recording.worker_deaths + change.blamed
    marked = replace(
        recording, worker_deaths=deaths, solo=recording.solo or change.suspect or change.blamed
    )
    if deaths >= change.max_deaths:
        return _over(marked, State.FAILED, change.at, change.error)
    return _queued_again(marked)


def _retried(recording: Recording, change: RetryRequested) -> Recording:
    again = replace(recording, spec=change.spec or recording.spec, worker_deaths=0)
    if not change.resume:
        kept = _with_run(recording.runs, _as_run(recording))
        again = replace(
            again,
            run=1 + max(recording.run, *(r.run for r in kept)),
            runs=kept,
            done_s=0.0,
            n_segments=0,
            language=None,
            language_probability=None,
            device=None,
            warnings=(),
            audio_missing=False,
            withheld=(),
            note=None,
        )
    return _queued_again(again)


def _as_run(recording: Recording) -> RunRecord:
    return RunRecord(
        run=recording.run,
        state=recording.state,
        spec=recording.spec,
        n_segments=recording.n_segments,
        done_s=recording.done_s,
        duration_s=recording.duration_s,
        language=recording.language,
        language_probability=recording.language_probability,
        device=recording.device,
        warnings=recording.warnings,
        audio_missing=recording.audio_missing,
        withheld=recording.withheld,
        error=recording.error,
        started_at=recording.started_at,
        finished_at=recording.finished_at,
    )


def _with_run(runs: tuple[RunRecord, ...], run: RunRecord) -> tuple[RunRecord, ...]:
    """With one more; beyond `MOST_RUNS` the oldest go, but never the latest complete one."""
    every = sorted((*runs, run), key=lambda r: r.run)
    complete = [r.run for r in every if r.state is State.COMPLETED][-1:]
    while len(every) > MOST_RUNS:
        every.remove(next(r for r in every if r.run not in complete))
    return tuple(every)


def _fallen_back(recording: Recording) -> Recording:
    """The latest complete run again, where there is one; the run that ended is kept with it."""
    complete = recording.result_run
    if complete is None:
        return recording
    kept = next(r for r in recording.runs if r.run == complete)
    others = tuple(r for r in recording.runs if r is not kept)
    return replace(
        recording,
        run=kept.run,
        # What the worker still says of the run that ended is ignored.
        attempt=recording.attempt + 1,
        runs=_with_run(others, _as_run(recording)),
        state=State.COMPLETED,
        spec=kept.spec,
        n_segments=kept.n_segments,
        done_s=kept.done_s,
        percentage=100.0,
        duration_s=kept.duration_s,
        language=kept.language,
        language_probability=kept.language_probability,
        device=kept.device,
        warnings=(*kept.warnings, *_why_not_newer(recording)),
        audio_missing=kept.audio_missing,
        withheld=kept.withheld,
        error=None,
        note=None,
        worker_deaths=0,
        solo=False,
        started_at=kept.started_at,
        finished_at=kept.finished_at,
    )


def _why_not_newer(recording: Recording) -> tuple[str, ...]:
    """A line for people about a run that failed. Who canceled it knows."""
    if recording.error is None or recording.spec is None:
        return ()
    spec = recording.spec
    return (
        f"A new transcription with {spec.engine}, model {spec.model}, failed "
        f"({recording.error.message}). The earlier text was kept.",
    )
