"""What people may see of the table: snapshots and transcripts, for those whose they are."""

from __future__ import annotations

import hmac
from collections.abc import Collection
from dataclasses import replace

from hybrid_transcribe.errors import (
    InvalidTransition,
    JobCanceled,
    UnknownJob,
    UnknownRecording,
    from_info,
)
from hybrid_transcribe.jobs.forecast import Forecast, Forecaster
from hybrid_transcribe.jobs.summary import job_eta_s
from hybrid_transcribe.jobs.table import Table
from hybrid_transcribe.types import JobSnapshot, Recording, State, Transcript

#: The sessions a caller may see; None is for the owner of the process, who sees all.
Sessions = Collection[str] | None


class Reading:
    """Reads the table and changes nothing. Used on the engine-room loop only."""

    def __init__(self, table: Table, forecaster: Forecaster) -> None:
        self._table = table
        self._forecaster = forecaster

    def ids(self, session_ids: Sessions = None) -> tuple[str, ...]:
        """Jobs of these sessions, oldest first."""
        every = self._table.job_ids()
        return tuple(i for i in every if _among(self._table.row(i).job.session_id, session_ids))

    def owned(self, job_id: str, session_ids: Sessions = None) -> JobSnapshot:
        """The job without its recordings.

        Raises UnknownJob, in the same words for what is not there and for what is another's.
        """
        job = self._table.row(job_id).job
        if not _among(job.session_id, session_ids):
            raise UnknownJob(f"No job {job_id!r}")
        return job

    def recordings(
        self, job_id: str, recording_id: str | None = None, session_ids: Sessions = None
    ) -> tuple[Recording, ...]:
        """All recordings of a job, or the one named. Raises UnknownJob, UnknownRecording."""
        self.owned(job_id, session_ids)
        if recording_id is None:
            return self._table.recordings(job_id)
        chosen = self._table.find(recording_id)
        if chosen is None or chosen.job_id != job_id:
            raise UnknownRecording(f"Job {job_id!r} has no recording {recording_id!r}")
        return (chosen,)

    def snapshot(self, job_id: str, *, session_ids: Sessions = None) -> JobSnapshot:
        """A job as it stands. Raises UnknownJob."""
        self.owned(job_id, session_ids)
        return self._snapshot(job_id, self._forecaster.now())

    def snapshots(
        self, *, session_ids: Sessions = None, states: Collection[State] = ()
    ) -> tuple[JobSnapshot, ...]:
        """Every job of these sessions, oldest first; with ``states`` those in one of them."""
        forecast = self._forecaster.now()
        return tuple(
            self._snapshot(job_id, forecast)
            for job_id in self.ids(session_ids)
            if not states or self._table.row(job_id).tally.state() in states
        )

    def _snapshot(self, job_id: str, forecast: Forecast) -> JobSnapshot:
        recordings = tuple(_expected(r, forecast) for r in self._table.recordings(job_id))
        row = self._table.row(job_id)
        return replace(
            row.job,
            recordings=recordings,
            state=row.tally.state(),
            percentage=row.tally.percentage(),
            eta_s=job_eta_s(recordings),
            position=forecast.position(recordings),
        )

    def transcript(
        self,
        job_id: str,
        recording_id: str,
        *,
        partial: bool = False,
        session_ids: Sessions = None,
    ) -> Transcript:
        """What a recording said. ``partial`` also takes what is not finished.

        Raises UnknownJob, UnknownRecording; without ``partial`` also the recording's own
        error, JobCanceled, or InvalidTransition while it has not ended.
        """
        (recording,) = self.recordings(job_id, recording_id, session_ids)
        if not partial:
            _check_complete(recording)
        spec = recording.spec or self._table.row(job_id).job.spec
        return Transcript(
            recording_id=recording_id,
            name=recording.name,
            segments=self._table.segments(recording_id),
            engine=spec.engine,
            model=spec.model,
            device=recording.device,
            language=recording.language or spec.options.language,
            language_probability=recording.language_probability,
            duration_s=recording.duration_s,
            complete=recording.state is State.COMPLETED,
            warnings=recording.warnings,
        )


def _expected(recording: Recording, forecast: Forecast) -> Recording:
    """With its ETA. Most of a long list have none, and copying each takes its time."""
    eta_s = forecast.eta_s(recording)
    return recording if eta_s == recording.eta_s else replace(recording, eta_s=eta_s)


def _among(session_id: str, session_ids: Sessions) -> bool:
    """Compared in constant time: a session id is a capability."""
    if session_ids is None:
        return True
    return any(hmac.compare_digest(session_id.encode(), one.encode()) for one in session_ids)


def _check_complete(recording: Recording) -> None:
    if recording.state is State.FAILED and recording.error is not None:
        raise from_info(recording.error)
    if recording.state is State.CANCELED:
        raise JobCanceled(f"{recording.name!r} was canceled; ask for the partial text")
    if recording.state is not State.COMPLETED:
        raise InvalidTransition(
            f"{recording.name!r} is {recording.state}; wait, or ask for the partial text"
        )
