"""From our values to what is sent. No path, no note and no other session ever is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from functools import lru_cache
from operator import attrgetter
from typing import Any

from hybrid_transcribe import events as e
from hybrid_transcribe.revision_types import RevisionInfo
from hybrid_transcribe.types import JobSnapshot, Options, Recording, RunRecord, Spec
from hybrid_transcribe.wire import shapes


def job(snapshot: JobSnapshot) -> shapes.JobView:
    """A job in full, for those whose it is."""
    spec = snapshot.spec
    values = _same_named(shapes.JobView, snapshot)
    values["recordings"] = tuple(recording(r, spec) for r in snapshot.recordings)
    return shapes.JobView(**values, **_spec(spec), device=spec.device)


def recording(record: Recording, job_spec: Spec) -> shapes.RecordingView:
    """A recording in full; ``job_spec`` is for those that have none of their own."""
    return shapes.RecordingView(**recording_fields(record, job_spec))


def recording_fields(record: Recording, job_spec: Spec) -> dict[str, Any]:
    """The fields of its `shapes.RecordingView` by name."""
    spec = record.spec or job_spec
    values = _same_named(shapes.RecordingView, record)
    values |= _spec(spec)
    values["asked_device"] = spec.device
    values["stages"] = tuple(stage.name for stage in record.pending_stages)
    values["runs"] = tuple(_run(r, job_spec) for r in record.runs)
    return values


def _run(record: RunRecord, job_spec: Spec) -> shapes.RunView:
    spec = record.spec or job_spec
    return shapes.RunView(**_spec(spec), **_same_named(shapes.RunView, record))


def _spec(spec: Spec) -> dict[str, Any]:
    return {"engine": spec.engine, "model": spec.model, "options": _changed(spec.options)}


@lru_cache(1024)
def _changed(options: Options) -> dict[str, Any]:
    """Looked through once: a long queue has the same ones thousands of times."""
    values = options.given()
    if options.voices:
        # Where their recordings lie is nobody's business.
        values["voices"] = tuple({"name": voice.name} for voice in options.voices)
    return values


#: Moments: seconds since the epoch here, text there.
MOMENTS = frozenset({"created_at", "started_at", "finished_at", "expires_at"})


def _same_named(
    view: type[shapes.Shape], value: RunRecord | JobSnapshot | RevisionInfo
) -> dict[str, Any]:
    """The fields of a view that a value has by the same name."""
    kind: type = type(value)
    names, values_of = _shared(view, kind)
    values = dict(zip(names, values_of(value), strict=True))
    for name in MOMENTS.intersection(names):
        values[name] = moment(values[name])
    return values


@lru_cache
def _shared(
    view: type[shapes.Shape], kind: type
) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names, and what reads them: a long queue is read many times a second."""
    names = tuple(name for name in view.__struct_fields__ if hasattr(kind, name))
    return names, attrgetter(*names)


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
        case e.TranscriptRevised(recording_id=recording_id, info=RevisionInfo() as info):
            return "transcript-revised", shapes.RevisedEvent(
                job_id=text.job_id,
                session_id=text.session_id,
                recording_id=recording_id,
                revision=revision(info),
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
            return "warning", shapes.WarningEvent.of(code, message, over)
    return None


def revision(info: RevisionInfo) -> shapes.RevisionView:
    """A revision, without its text."""
    return shapes.RevisionView(**_same_named(shapes.RevisionView, info))


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
