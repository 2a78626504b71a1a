"""Tells listeners what happened, in the words of `events`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from dataclasses import replace

from hybrid_transcribe import protocol as p
from hybrid_transcribe.events import (
    Event,
    JobChanged,
    JobDeleted,
    ModelChanged,
    RecordingChanged,
    SegmentAdded,
    TranscriptRevised,
    Warned,
)
from hybrid_transcribe.jobs.bus import Bus, Subscription, call_listener
from hybrid_transcribe.jobs.forecast import Forecaster
from hybrid_transcribe.jobs.job_queries import JobQueries
from hybrid_transcribe.jobs.job_store import JobStore
from hybrid_transcribe.revision_types import RevisionInfo
from hybrid_transcribe.revisions import engine_id
from hybrid_transcribe.types import Recording, Segment

log = logging.getLogger(__name__)

#: Warnings kept, the newest.
MOST_WARNINGS = 100


class EventPublisher:
    """Puts together what an event says. Used on the manager loop only.

    ``warnings`` are those told so far, as (code, message).
    """

    def __init__(
        self, bus: Bus, table: JobStore, reading: JobQueries, forecaster: Forecaster
    ) -> None:
        self._bus, self._table = bus, table
        self._reading, self._forecaster = reading, forecaster
        self.warnings: list[tuple[str, str]] = []
        #: The last that was told of each model that is made ready before anybody asks.
        self.models: dict[tuple[str, str], ModelChanged] = {}

    def job(self, job_id: str) -> None:
        """A job was accepted, ended, was retried, kept or given another expiry."""
        job = self._reading.snapshot(job_id)
        self._bus.publish(JobChanged(0, job.session_id, job_id, job))

    def recording(self, recording: Recording) -> None:
        """A recording moved."""
        row = self._table.row(recording.job_id)
        forecast = self._forecaster.now()
        eta_s, spec = forecast.eta_s(recording), recording.spec or row.job.spec
        if (eta_s, spec) == (recording.eta_s, recording.spec):
            display_name = recording
        else:
            display_name = replace(recording, eta_s=eta_s, spec=spec)
        self._bus.publish(
            RecordingChanged(
                self._bus.next_seq,
                row.job.session_id,
                recording.job_id,
                display_name,
                row.tally.state(),
                row.tally.percentage(),
                forecast.job_eta_s(recording.job_id),
            )
        )

    def segment(self, recording: Recording, index: int, segment: Segment) -> None:
        """A segment is final."""
        job = self._table.row(recording.job_id).job
        segment = replace(segment, id=engine_id(recording.run, index))
        self._bus.publish(
            SegmentAdded(
                self._bus.next_seq,
                job.session_id,
                job.job_id,
                recording.recording_id,
                index,
                segment,
                recording.run,
            )
        )

    def revised(self, recording: Recording, info: RevisionInfo) -> None:
        """A recording's text has a new revision."""
        job = self._table.row(recording.job_id).job
        self._bus.publish(
            TranscriptRevised(0, job.session_id, job.job_id, recording.recording_id, info)
        )

    def deleted(self, session_id: str, job_id: str) -> None:
        """A job is gone."""
        self._bus.publish(JobDeleted(0, session_id, job_id))

    def model(self, message: p.ModelStaged | p.ModelReady) -> None:
        """A model is made ready before anybody asked."""
        model_changed = ModelChanged(0, engine=message.engine, model=message.model)
        match message:
            case p.ModelStaged(stage=stage, percentage=percentage):
                model_changed = replace(model_changed, stage=stage, percentage=percentage)
            case p.ModelReady(device=device, error=error):
                model_changed = replace(model_changed, device=device, error=error)
        self.models[message.engine, message.model] = model_changed
        self._bus.publish(model_changed)

    def warning(self, code: str, message: str) -> None:
        """Something people should know that stops nothing."""
        log.warning("%s", message)
        self.warnings.append((code, message))
        del self.warnings[:-MOST_WARNINGS]
        self._bus.publish(Warned(0, code=code, message=message))

    def warning_over(self, code: str) -> None:
        """What was warned of is over: it is no longer among the warnings."""
        self.warnings[:] = [item for item in self.warnings if item[0] != code]
        self._bus.publish(Warned(0, code=code, over=True))

    def subscribe(
        self,
        callback: Callable[[Event], None] | None,
        session_ids: Collection[str] | None,
        after: int | None,
    ) -> Subscription:
        """Listen to what happens to these sessions' jobs (None: all)."""
        return self._bus.subscribe(session_ids, _later(callback), after)


def _later(callback: Callable[[Event], None] | None) -> Callable[[Event], None] | None:
    """A listener may ask for anything, so it is called between changes, never inside one."""
    if callback is None:
        return None
    loop = asyncio.get_running_loop()

    def later(event: Event) -> None:
        loop.call_soon(call_listener, callback, event)

    return later
