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
        options=_changed(spec.options),
        priority=snapshot.priority,
        created_at=when(snapshot.created_at),
        finished_at=moment(snapshot.finished_at),
        expires_at=moment(snapshot.expires_at),
        kept=snapshot.kept,
        recordings=tuple(recording(r, spec) for r in snapshot.recordings),
        rejected=snapshot.rejected,
    )


def recording(record: Recording, job_spec: Spec) -> shapes.RecordingView:
    """A recording in full; ``job_spec`` is for those that have none of their own."""
    spec = record.spec or job_spec
    return shapes.RecordingView(
        recording_id=record.recording_id,
        index=record.index,
        name=record.name,
        size_bytes=record.size_bytes,
        duration_s=record.duration_s,
        state=record.state,
        attempt=record.attempt,
        stage=record.stage,
        stage_percentage=record.stage_percentage,
        percentage=record.percentage,
        eta_s=record.eta_s,
        done_s=record.done_s,
        n_segments=record.n_segments,
        error=record.error,
        engine=spec.engine,
        model=spec.model,
        options=_changed(spec.options),
        language=record.language,
        language_probability=record.language_probability,
        asked_device=spec.device,
        device=record.device,
        warnings=record.warnings,
        started_at=moment(record.started_at),
        finished_at=moment(record.finished_at),
        run=record.run,
        result_run=record.result_run,
        runs=tuple(_run(r, job_spec) for r in record.runs),
    )


def _run(record: RunRecord, job_spec: Spec) -> shapes.RunView:
    spec = record.spec or job_spec
    return shapes.RunView(
        run=record.run,
        state=record.state,
        engine=spec.engine,
        model=spec.model,
        options=_changed(spec.options),
        n_segments=record.n_segments,
        language=record.language,
        device=record.device,
        error=record.error,
        started_at=moment(record.started_at),
        finished_at=moment(record.finished_at),
    )


@lru_cache(1024)
def _changed(options: Options) -> dict[str, Any]:
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


def event(text: e.Event) -> tuple[str, shapes.Shape] | None:
    """An event's name and data; None for those that a snapshot answers, or that nobody is told."""
    match text:
        case e.JobChanged(job=JobSnapshot() as whole):
            return "job", shapes.JobEvent(
                job_id=text.job_id,
                session_id=text.session_id,
                state=whole.state,
                percentage=whole.percentage,
                eta_s=whole.eta_s,
                job=job(whole),
            )
        case e.RecordingChanged(recording=Recording() as record):
            assert record.spec is not None
            return "job", shapes.JobEvent(
                job_id=text.job_id,
                session_id=text.session_id,
                state=text.job_state,
                percentage=text.job_percentage,
                eta_s=text.job_eta_s,
                recording=recording(record, record.spec),
            )
        case e.SegmentAdded(recording_id=recording_id, index=index, segment=segment, run=run) if (
            segment
        ):
            return "segment", shapes.SegmentEvent(
                job_id=text.job_id,
                session_id=text.session_id,
                recording_id=recording_id,
                index=index,
                segment=segment,
                run=run,
            )
        case e.JobDeleted():
            return "deleted", shapes.DeletedEvent(job_id=text.job_id, session_id=text.session_id)
        case e.ModelChanged():
            return "model", shapes.ModelEvent(
                engine=text.engine,
                model=text.model,
                stage=text.stage,
                percentage=text.percentage,
                device=text.device,
                error=text.error,
            )
        case e.Warned(code=code, message=message, over=over):
            return "warning", shapes.WarningEvent(code=code, message=message, over=over)
    return None


def when(wall_s: float) -> str:
    """Seconds since the epoch as RFC 3339 writes them.

    >>> when(0.0)
    '1970-01-01T00:00:00.000000Z'
    """
    display_name = datetime.fromtimestamp(wall_s, timezone.utc).isoformat(timespec="microseconds")
    return display_name.replace("+00:00", "Z")


def moment(wall_s: float | None) -> str | None:
    """The same for what may not have happened."""
    return None if wall_s is None else when(wall_s)
