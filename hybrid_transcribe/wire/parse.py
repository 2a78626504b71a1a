"""From what was sent to our values again: what `show` made, without what it left out."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any

import msgspec

from hybrid_transcribe import events as e
from hybrid_transcribe.revision_types import RevisionInfo
from hybrid_transcribe.types import (
    JobSnapshot,
    Options,
    PendingStage,
    Recording,
    RunRecord,
    Spec,
    Transcript,
)
from hybrid_transcribe.wire import shapes
from hybrid_transcribe.wire.serialize import MOMENTS


def job(view: shapes.JobView) -> JobSnapshot:
    """A job; its recordings have no path, for it is another machine's."""
    recordings = tuple(recording(r, view.job_id) for r in view.recordings)
    values = _same_named(JobSnapshot, view) | {"recordings": recordings}
    return JobSnapshot(**values, spec=_spec(view, view.device))


def recording(view: shapes.RecordingView, job_id: str) -> Recording:
    """A recording of that job."""
    runs = tuple(_run(r, view.asked_device) for r in view.runs)
    stages = tuple(map(PendingStage, view.stages))
    values = _same_named(Recording, view) | {"runs": runs, "pending_stages": stages}
    return Recording(**values, job_id=job_id, path="", spec=_spec(view, view.asked_device))


def _run(view: shapes.RunView, device: str) -> RunRecord:
    return RunRecord(**_same_named(RunRecord, view), spec=_spec(view, device))


def _same_named(kind: type, view: shapes.Shape) -> dict[str, Any]:
    """The fields of a value that a view has by the same name."""
    names = (f.name for f in fields(kind) if hasattr(view, f.name))
    values = {name: getattr(view, name) for name in names}
    for name in MOMENTS & values.keys():
        values[name] = wall_s(values[name])
    return values


def _spec(run_spec: shapes.RunSpec, device: str) -> Spec:
    return Spec(run_spec.engine, run_spec.model, device, msgspec.convert(run_spec.options, Options))


#: The shape of each event's data.
TOLD: dict[str, type[shapes.Shape]] = {
    "snapshot": shapes.SnapshotEvent,
    "job": shapes.JobEvent,
    "segment": shapes.SegmentEvent,
    "transcript-revised": shapes.RevisedEvent,
    "deleted": shapes.DeletedEvent,
    "model": shapes.ModelEvent,
    "warning": shapes.WarningEvent,
}


def event(seq: int, name: str, data: str | bytes) -> e.Event | None:
    """The event of that number; None for names we do not know, of a newer server.

    A snapshot is a `Resync`: whoever gets it asks how things stand. Raises
    msgspec.DecodeError.
    """
    shape = TOLD.get(name)
    return None if shape is None else _event(seq, msgspec.json.decode(data, type=shape))


def _event(seq: int, shape: shapes.Shape) -> e.Event:
    match shape:
        case shapes.JobEvent(job=shapes.JobView() as whole):
            return e.JobChanged(seq, shape.session_id, shape.job_id, job(whole))
        case shapes.JobEvent(recording=shapes.RecordingView() as record):
            return e.RecordingChanged(
                seq,
                shape.session_id,
                shape.job_id,
                recording(record, shape.job_id),
                shape.state,
                shape.percentage,
                shape.eta_s,
            )
        case shapes.SegmentEvent():
            return e.SegmentAdded(
                seq,
                shape.session_id,
                shape.job_id,
                shape.recording_id,
                shape.index,
                shape.segment,
                shape.run,
            )
        case shapes.RevisedEvent():
            return e.TranscriptRevised(
                seq, shape.session_id, shape.job_id, shape.recording_id, revision(shape.revision)
            )
        case shapes.DeletedEvent():
            return e.JobDeleted(seq, shape.session_id, shape.job_id)
        case shapes.ModelEvent():
            return e.ModelChanged(
                seq,
                engine=shape.engine,
                model=shape.model,
                stage=shape.stage,
                percentage=shape.percentage,
                device=shape.device,
                error=shape.error,
            )
        case shapes.WarningEvent():
            return e.Warned(seq, code=shape.code, message=shape.as_message, over=shape.over)
        case _:
            return e.Resync(seq)


def queue(data: bytes) -> tuple[JobSnapshot, ...]:
    """The jobs of a queue that is not anonymous. Raises msgspec.DecodeError."""
    return tuple(map(job, msgspec.json.decode(data, type=shapes.OwnQueue).jobs))


def transcript(data: bytes) -> Transcript:
    """A transcript from the service's JSON output (`outputs.json`). Raises msgspec.DecodeError."""
    return msgspec.json.decode(data, type=Transcript)


def revision(view: shapes.RevisionView) -> RevisionInfo:
    """A revision, without its text."""
    return RevisionInfo(**_same_named(RevisionInfo, view))


def wall_s(text: str | None) -> float | None:
    """Seconds since the epoch of a moment as RFC 3339 writes it.

    >>> wall_s("1970-01-01T00:00:01.500000Z")
    1.5
    """
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
