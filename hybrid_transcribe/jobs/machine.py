"""The life of a recording as one pure function: no clock, lock, thread or file inside.

::

                 ┌────────────────── WorkerLost, Requeued (attempt + 1) ──────────────────┐
                 ▼                                                                        │
    ┌────────▶ queued ──Dispatched──▶ preparing ──StageChanged──▶ running ────────────────┤
    │            │                        │                          │                    │
 RetryRequested CancelRequested      CancelRequested            CancelRequested           │
    │            │                        └──────────┬───────────────┘                    │
    │            ▼                                   ▼                                    │
    ├─ canceled ◀──RecordingCanceled, WorkerLost── canceling ──RecordingCompleted──▶ completed
    ├─ completed ◀──RecordingCompleted─────────────────────────────── preparing, running │
    └─ failed ◀──RecordingFailed, WorkerLost (for the last time) ──── preparing, running ─┘

A recording whose engine is through (``transcribed``) and that has pending stages goes back to
the queue, where one of them is next; `PostProcessed` and `PostProcessingFailed` end a stage as
`RecordingCompleted` ends the engine's work. From then on its text is whole: it is completed, with
a warning that says what is missing, where the diagram says failed or canceled.

What a worker reports (`protocol.RecordingReport`) is a change as it is; the other changes are
the service's own and are below. A recording with a complete text never loses it: transcribed
again, it falls back on that text (completed) where the diagram says failed or canceled.

Reports of an earlier attempt never get here: `WorkerSlot` drops them by their attempt number.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any

from hybrid_transcribe.errors import InvalidTransition, as_message
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.protocol import (
    CheckpointSaved,
    MetadataLearned,
    PostProcessed,
    PostProcessingFailed,
    ProgressAdvanced,
    RecordingCanceled,
    RecordingCompleted,
    RecordingFailed,
    RecordingReport,
    SegmentsTranscribed,
    SegmentTranscribed,
    StageChanged,
    StageNotNeeded,
    TextWithheld,
    WarningRaised,
)
from hybrid_transcribe.types import (
    ErrorInfo,
    PendingStage,
    Recording,
    RunRecord,
    Spec,
    Stage,
    State,
)

#: Shown until the very end: 100 is for the completed only.
ALMOST = 99.9

#: Earlier runs kept of one recording; the one whose text is the result is always among them.
MOST_RUNS = 20

#: Withheld segments that a recording keeps: its row is written again with each.
MOST_WITHHELD = 200


@dataclass(frozen=True, slots=True)
class Dispatched:
    """It went to a worker."""


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """Somebody does not want it any more."""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """Its worker died. ``blamed``: nothing else was in the worker's hands.

    ``suspect``: it was among several that were, so it runs alone from now on.
    """

    error: ErrorInfo
    blamed: bool = False
    suspect: bool = False
    max_deaths: int = 3


@dataclass(frozen=True, slots=True)
class Requeued:
    """Taken back through no fault of its own: this process restarted or is stopping."""


@dataclass(frozen=True, slots=True)
class RetryRequested:
    """Once more. ``resume`` goes on with the run; otherwise a new one begins, this one is kept.

    ``stages`` are those that the new run needs.
    """

    resume: bool
    spec: Spec | None = None
    stages: tuple[PendingStage, ...] = ()


@dataclass(frozen=True, slots=True)
class StageRequested:
    """A post-processor is to work on the text that is there."""

    stage: PendingStage


#: Something that happens to a recording.
Change = (
    RecordingReport
    | Dispatched
    | CancelRequested
    | WorkerLost
    | Requeued
    | RetryRequested
    | StageRequested
)

_ACTIVE = (State.PREPARING, State.RUNNING)
_HELD = (*_ACTIVE, State.CANCELING)
_TERMINAL = (State.COMPLETED, State.FAILED, State.CANCELED)

#: Which change may come in which states.
ALLOWED: dict[type, tuple[State, ...]] = {
    StageChanged: _HELD,
    MetadataLearned: tuple(State),
    SegmentTranscribed: _HELD,
    SegmentsTranscribed: _HELD,
    TextWithheld: tuple(State),
    ProgressAdvanced: _HELD,
    WarningRaised: tuple(State),
    CheckpointSaved: tuple(State),
    RecordingCompleted: _HELD,
    RecordingFailed: (*_HELD, State.QUEUED),
    RecordingCanceled: (State.CANCELING,),
    StageNotNeeded: _HELD,
    PostProcessed: _HELD,
    PostProcessingFailed: _HELD,
    Dispatched: (State.QUEUED,),
    CancelRequested: (State.QUEUED, *_HELD),
    WorkerLost: _HELD,
    Requeued: _HELD,
    RetryRequested: _TERMINAL,
    StageRequested: (State.COMPLETED,),
}

#: Stages in which the recording itself is being worked on.
_WORKING = (
    Stage.TRANSCRIBING,
    Stage.UPLOADING_TO_CLOUD,
    Stage.WAITING_FOR_CLOUD,
    Stage.IDENTIFYING_SPEAKERS,
    Stage.POSTPROCESSING,
)

#: Codes of warnings that say what a stage did not do.
_STAGE_WARNINGS = ("stage_failed", "stage_canceled")


def step(recording: Recording, change: Change, at: float) -> Recording:
    """The recording after the change, which came at that wall-clock time (s since the epoch).

    Raises InvalidTransition if it cannot happen now.
    """
    if recording.state not in ALLOWED[type(change)]:
        raise InvalidTransition(
            UserMessage(
                "no_transition",
                change=type(change).__name__,
                name=recording.name,
                phrase=known_phrase(recording.state),
            )
        )
    after = _changed(recording, change, at)
    if after.state in (State.FAILED, State.CANCELED) and after.state is not recording.state:
        return _without_stages(after) if recording.transcribed else _fallen_back(after)
    return after


def _changed(recording: Recording, change: Change, at: float) -> Recording:
    match change:
        case Dispatched():
            return _dispatched(recording, at)
        case RecordingCompleted(duration_s):
            return _completed(recording, duration_s, at)
        case PostProcessed():
            return _stage_over(recording, at)
        case PostProcessingFailed(_, error):
            return _stage_over(recording, at, error)
        case RecordingFailed(error) if recording.state is not State.CANCELING:
            if recording.transcribed and recording.state is not State.QUEUED:
                return _stage_over(recording, at, error)
            return _over(recording, State.FAILED, at, error)
        case CancelRequested() if recording.state is not State.QUEUED:
            return replace(recording, state=State.CANCELING, eta_s=None)
        case RecordingFailed() | CancelRequested() | RecordingCanceled():
            return _over(recording, State.CANCELED, at)
        case WorkerLost() | Requeued() if recording.state is State.CANCELING:
            return _over(recording, State.CANCELED, at)
        case WorkerLost():
            return _worker_lost(recording, change, at)
        case Requeued():
            return _queued_again(recording)
        case RetryRequested():
            return _retried(recording, change)
        case StageRequested(stage):
            return _stage_requested(recording, stage)
        case _:
            return _reported(recording, change)


def _reported(recording: Recording, change: Change) -> Recording:
    """After a report of the worker that ends nothing."""
    match change:
        case StageChanged():
            return _stage_changed(recording, change)
        case MetadataLearned(facts):
            return _with_percentage(replace(recording, **facts.learned()))
        case SegmentTranscribed(index, segment):
            return _advanced(recording, segment.end_s, index + 1)
        case SegmentsTranscribed(index, segments, resume_s):
            return _advanced(recording, resume_s, index + len(segments), resume_s)
        case ProgressAdvanced(done_s, resume_s):
            return _advanced(recording, done_s, recording.n_segments, resume_s)
        case WarningRaised():
            return _warned(recording, change)
        case TextWithheld(withheld) if len(recording.withheld) < MOST_WITHHELD:
            return replace(recording, withheld=(*recording.withheld, withheld))
        case StageNotNeeded(stage) if not recording.transcribed:
            pending = tuple(s for s in recording.pending_stages if s.name != stage)
            return _with_percentage(replace(recording, pending_stages=pending))
        case CheckpointSaved(note):
            return replace(recording, note=note or None)
        case _:
            return recording


def _over(
    recording: Recording, state: State, at: float, error: ErrorInfo | None = None
) -> Recording:
    return replace(
        recording,
        state=state,
        error=error,
        stage=None,
        stage_percentage=None,
        stage_done_s=None,
        eta_s=None,
        finished_at=at,
    )


def _dispatched(recording: Recording, at: float) -> Recording:
    """Its stages are part of the run that its engine's work began."""
    goes_on = recording.transcribed and recording.started_at is not None
    return replace(
        recording,
        state=State.PREPARING,
        started_at=recording.started_at if goes_on else at,
        finished_at=None,
    )


def _stage_changed(recording: Recording, change: StageChanged) -> Recording:
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


def _warned(recording: Recording, change: WarningRaised) -> Recording:
    if change.audio_missing:
        recording = replace(recording, audio_missing=True)
    if change.text in recording.warnings:
        return recording
    messages = (change.message,) if change.message else ()
    return replace(
        recording,
        warnings=(*recording.warnings, change.text),
        messages=(*recording.messages, *messages),
    )


def _advanced(
    recording: Recording, done_s: float, n_segments: int, resume_s: float | None = None
) -> Recording:
    running = State.RUNNING if recording.state is State.PREPARING else recording.state
    if recording.transcribed:
        reached_s = max(recording.stage_done_s or 0.0, done_s)
        return _with_percentage(replace(recording, state=running, stage_done_s=reached_s))
    moved = replace(
        recording,
        state=running,
        done_s=max(recording.done_s, done_s),
        n_segments=n_segments,
        resume_s=recording.resume_s if resume_s is None else resume_s,
    )
    return _with_percentage(moved)


def _with_percentage(recording: Recording) -> Recording:
    return replace(recording, percentage=_percentage(recording))


def _percentage(recording: Recording) -> float | None:
    """Never falls within an attempt, and never says 100 before the end."""
    if recording.state is State.COMPLETED:
        return 100.0
    if recording.percentage is None or not recording.duration_s:
        return recording.percentage
    reached = round(100.0 * _share(recording, recording.duration_s), 1)
    return max(recording.percentage, min(reached, ALMOST))


def _share(recording: Recording, duration_s: float) -> float:
    """What is done of the engine's work and of the stages after it, 0..1."""
    pending = [stage.share for stage in recording.pending_stages]
    before = 1.0 if recording.share_done is None else recording.share_done
    if not recording.transcribed:
        return recording.done_s / duration_s / (before + sum(pending))
    under_way = pending[0] * (recording.stage_done_s or 0.0) / duration_s if pending else 0.0
    total = before + sum(pending)
    return (before + under_way) / total if total else 1.0


def _completed(recording: Recording, duration_s: float, at: float) -> Recording:
    """The engine is through; where stages follow, the first of them waits for its turn."""
    whole = replace(recording, duration_s=duration_s, done_s=duration_s, resume_s=None)
    if not recording.pending_stages:
        return replace(_over(whole, State.COMPLETED, at), percentage=100.0)
    # In the cloud nobody knew how far it was.
    transcribed = replace(whole, transcribed=True, percentage=recording.percentage or 0.0)
    return _next_stage(transcribed, at)


def _next_stage(recording: Recording, at: float) -> Recording:
    """After the engine, or a stage: the next one waits, or it is completed.

    The attempt goes on: nothing of it went wrong. What became of the work before is no fault of
    the next stage.
    """
    if recording.state is State.CANCELING:
        return _without_stages(_over(recording, State.CANCELED, at))
    ready = replace(recording, worker_deaths=0, solo=False, stage_done_s=None)
    if not ready.pending_stages:
        return replace(_over(ready, State.COMPLETED, at), percentage=100.0, share_done=None)
    waiting = replace(ready, state=State.QUEUED, stage=None, stage_percentage=None, eta_s=None)
    return _with_percentage(waiting)


def _stage_over(recording: Recording, at: float, error: ErrorInfo | None = None) -> Recording:
    """A stage ended, well or not: it costs its own work only."""
    if not recording.pending_stages:
        return _next_stage(recording, at)
    stage, *rest = recording.pending_stages
    if error is not None and recording.state is not State.CANCELING:
        why = as_message(error)
        recording = _warned(
            recording, WarningRaised.of(UserMessage("stage_failed", stage=stage.name, why=why))
        )
    elif error is not None:
        # People ended it themselves, which is said of all that did not come to their turn.
        return _next_stage(recording, at)
    done = 1.0 if recording.share_done is None else recording.share_done
    return _next_stage(
        replace(recording, pending_stages=tuple(rest), share_done=done + stage.share), at
    )


def _without_stages(recording: Recording) -> Recording:
    """Completed without the stages that are left, and says so."""
    for stage in recording.pending_stages:
        if recording.error is None:
            line = UserMessage("stage_canceled", stage=stage.name)
        else:
            line = UserMessage("stage_failed", stage=stage.name, why=as_message(recording.error))
        recording = _warned(recording, WarningRaised.of(line))
    return replace(
        recording,
        state=State.COMPLETED,
        pending_stages=(),
        percentage=100.0,
        share_done=None,
        error=None,
        worker_deaths=0,
        solo=False,
    )


def _stage_requested(recording: Recording, stage: PendingStage) -> Recording:
    """Queued for that stage alone. What it did not do the last time is no news any more."""
    stale = [
        message
        for message in recording.messages
        if message.code in _STAGE_WARNINGS and message.params.get("stage") == stage.name
    ]
    texts = {message.text for message in stale}
    again = replace(
        recording,
        transcribed=True,
        pending_stages=(stage,),
        share_done=0.0,
        worker_deaths=0,
        solo=False,
        messages=tuple(m for m in recording.messages if m not in stale),
        warnings=tuple(line for line in recording.warnings if line not in texts),
    )
    return _queued_again(again)


def _queued_again(recording: Recording) -> Recording:
    """Back in the queue, with what was finished kept."""
    again = replace(
        recording,
        state=State.QUEUED,
        done_s=recording.done_s if recording.resume_s is None else recording.resume_s,
        attempt=recording.attempt + 1,
        stage=None,
        stage_percentage=None,
        stage_done_s=None,
        percentage=0.0,
        eta_s=None,
        error=None,
        started_at=None,
        finished_at=None,
    )
    return _with_percentage(again)


def _worker_lost(recording: Recording, change: WorkerLost, at: float) -> Recording:
    deaths = recording.worker_deaths + change.blamed
    marked = replace(
        recording, worker_deaths=deaths, solo=recording.solo or change.suspect or change.blamed
    )
    if deaths >= change.max_deaths:
        if recording.transcribed:
            return _stage_over(marked, at, change.error)
        return _over(marked, State.FAILED, at, change.error)
    return _queued_again(marked)


#: What is of one run. Of these, the length is the same in the next.
_OF_RUN = tuple(item.name for item in fields(RunRecord))
_RESET: dict[str, Any] = {
    f.name: f.default for f in fields(RunRecord) if f.name not in ("duration_s", "spec")
}


def _retried(recording: Recording, change: RetryRequested) -> Recording:
    again = replace(recording, spec=change.spec or recording.spec, worker_deaths=0)
    if not change.resume:
        kept = _with_run(recording.runs, _as_run(recording), recording.result_run)
        number = 1 + max(recording.run, *(r.run for r in kept))
        again = replace(again, **_RESET | {"run": number}, runs=kept, note=None)
        again = replace(again, pending_stages=change.stages, share_done=None)
    return _queued_again(again)


def _of_run(record: RunRecord) -> dict[str, Any]:
    return {name: getattr(record, name) for name in _OF_RUN}


def _as_run(recording: Recording) -> RunRecord:
    return RunRecord(**_of_run(recording))


def _with_run(
    runs: tuple[RunRecord, ...], run: RunRecord, result_run: int | None
) -> tuple[RunRecord, ...]:
    """With one more; beyond `MOST_RUNS` the oldest go, but never the result's."""
    every = sorted((*runs, run), key=lambda r: r.run)
    while len(every) > MOST_RUNS:
        every.remove(next(r for r in every if r.run != result_run))
    return tuple(every)


def _fallen_back(recording: Recording) -> Recording:
    """The latest complete run again, where there is one; the run that ended is kept with it."""
    complete = recording.result_run
    if complete is None:
        return recording
    kept = next(r for r in recording.runs if r.run == complete)
    others = tuple(r for r in recording.runs if r is not kept)
    again = replace(
        recording,
        **_of_run(kept),
        # What the worker still says of the run that ended is ignored.
        attempt=recording.attempt + 1,
        runs=_with_run(others, _as_run(recording), complete),
        percentage=100.0,
        share_done=None,
        note=None,
        worker_deaths=0,
        solo=False,
    )
    # For people; who canceled it knows.
    if recording.error is None or recording.spec is None:
        return again
    spec, why = recording.spec, as_message(recording.error)
    line = UserMessage("not_newer", engine=spec.engine, model=spec.model, why=why)
    return _warned(again, WarningRaised.of(line))
