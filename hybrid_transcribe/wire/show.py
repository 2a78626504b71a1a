"""From our values to what is sent. No path, no note and no other session ever is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from functools import lru_cache
from typing import Any

from hybrid_transcribe import events as e
from hybrid_transcribe.types import JobSnapshot, Options, Recording, RunRecord, Spec
from hybrid_transcribe.wire import shapes


def job(snapshot: JobSnapshot) -> shapes.JobView:
    """A job in full, for those whose it is."""
    spec = snapshot.spec
    return shapes.JobView(
        job_id=snapshot.job_id,
        session_id=snapshot.session_id,
        state=snapshot.state,
        percentage=snapshot.percentage,
        eta_s=snapshot.eta_s,
        position=snapshot.position,
        engine=spec.engine,
        model=spec.model,
        device=spec.device,
        options=_given(spec.options),
        priority=snapshot.priority,
        created_at=when(snapshot.created_at),
        finished_at=moment(snapshot.finished_at),
        expires_at=moment(snapshot.expires_at),
        kept=snapshot.kept,
        recordings=tuple(recording(r, spec) for r in snapshot.recordings),
        rejected=snapshot.rejected,
    )


def recording(one: Recording, job_spec: Spec) -> shapes.RecordingView:
    """A recording in full; ``job_spec`` is for those that have none of their own."""
    spec = one.spec or job_spec
    return shapes.RecordingView(
        recording_id=one.recording_id,
        index=one.index,
        name=one.name,
        size_bytes=one.size_bytes,
        duration_s=one.duration_s,
        state=one.state,
        attempt=one.attempt,
        stage=one.stage,
        stage_percentage=one.stage_percentage,
        percentage=one.percentage,
        eta_s=one.eta_s,
        done_s=one.done_s,
        n_segments=one.n_segments,
        error=one.error,
        engine=spec.engine,
        model=spec.model,
        options=_given(spec.options),
        language=one.language,
        language_probability=one.language_probability,
        asked_device=spec.device,
        device=one.device,
        warnings=one.warnings,
        started_at=moment(one.started_at),
        finished_at=moment(one.finished_at),
        run=one.run,
        result_run=one.result_run,
        runs=tuple(_run(r, job_spec) for r in one.runs),
    )


def _run(one: RunRecord, job_spec: Spec) -> shapes.RunView:
    spec = one.spec or job_spec
    return shapes.RunView(
        run=one.run,
        state=one.state,
        engine=spec.engine,
        model=spec.model,
        options=_given(spec.options),
        n_segments=one.n_segments,
        language=one.language,
        device=one.device,
        error=one.error,
        started_at=moment(one.started_at),
        finished_at=moment(one.finished_at),
    )


@lru_cache(1024)
def _given(options: Options) -> dict[str, Any]:
    """Looked through once: a long queue has the same ones thousands of times."""
    return options.given()


def anonymous(snapshots: Iterable[JobSnapshot]) -> shapes.AnonymousQueue:
    """The queue as strangers may see it."""
    jobs = tuple(
        shapes.AnonymousJob(
            position=s.position,
            state=s.state,
            engine=s.spec.engine,
            percentage=s.percentage,
            eta_s=s.eta_s,
            n_recordings=len(s.recordings),
        )
        for s in snapshots
    )
    return shapes.AnonymousQueue(jobs=jobs)


def queue(snapshots: Iterable[JobSnapshot]) -> shapes.OwnQueue:
    """The queue as those see it whose it is."""
    return shapes.OwnQueue(jobs=tuple(job(s) for s in snapshots))


def event(told: e.Event) -> tuple[str, shapes.Shape] | None:
    """An event's name and data; None for those that a snapshot answers, or that nobody is told."""
    match told:
        case e.JobChanged(job=JobSnapshot() as whole):
            return "job", shapes.JobTold(
                job_id=told.job_id,
                session_id=told.session_id,
                state=whole.state,
                percentage=whole.percentage,
                eta_s=whole.eta_s,
                job=job(whole),
            )
        case e.RecordingChanged(recording=Recording() as one):
            assert one.spec is not None
            return "job", shapes.JobTold(
                job_id=told.job_id,
                session_id=told.session_id,
                state=told.job_state,
                percentage=told.job_percentage,
                eta_s=told.job_eta_s,
                recording=recording(one, one.spec),
            )
        case e.SegmentAdded(recording_id=recording_id, index=index, segment=segment, run=run) if (
            segment
        ):
            return "segment", shapes.SegmentTold(
                job_id=told.job_id,
                session_id=told.session_id,
                recording_id=recording_id,
                index=index,
                segment=segment,
                run=run,
            )
        case e.JobDeleted():
            return "deleted", shapes.DeletedTold(job_id=told.job_id, session_id=told.session_id)
        case e.ModelChanged():
            return "model", shapes.ModelTold(
                engine=told.engine,
                model=told.model,
                stage=told.stage,
                percentage=told.percentage,
                device=told.device,
                error=told.error,
            )
        case e.Warned(code=code, message=message, over=over):
            return "warning", shapes.WarningTold(code=code, message=message, over=over)
    return None


def when(wall_s: float) -> str:
    """Seconds since the epoch as RFC 3339 writes them.

    >>> when(0.0)
    '1970-01-01T00:00:00.000000Z'
    """
    shown = datetime.fromtimestamp(wall_s, timezone.utc).isoformat(timespec="microseconds")
    return shown.replace("+00:00", "Z")


def moment(wall_s: float | None) -> str | None:
    """The same for what may not have happened."""
    return None if wall_s is None else when(wall_s)
