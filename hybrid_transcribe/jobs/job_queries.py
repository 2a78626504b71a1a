"""What people may see of the table: snapshots and transcripts, for those whose they are."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from hybrid_transcribe.errors import (
    InvalidRequest,
    InvalidTransition,
    JobCanceled,
    UnknownJob,
    UnknownRecording,
    from_info,
)
from hybrid_transcribe.jobs.forecast import Forecast, Forecaster
from hybrid_transcribe.jobs.job_store import JobStore
from hybrid_transcribe.jobs.revision_store import RevisionStore, run_record
from hybrid_transcribe.jobs.slices import Sliced, Watch, finish
from hybrid_transcribe.jobs.summary import job_eta_s
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.revision_types import RevisionInfo
from hybrid_transcribe.types import JobSnapshot, Recording, RunRecord, State, Transcript

#: The sessions a caller may see; None is for the owner of the process, who sees all.
Sessions = Collection[str] | None


class JobQueries:
    """Reads the table and changes nothing. Used on the manager loop only.

    ``on_damage`` is told of a recording's run and how many of its segments cannot be read,
    ``on_damaged_revision`` of a recording one of whose revisions cannot be.
    """

    def __init__(
        self,
        table: JobStore,
        revisions: RevisionStore,
        forecaster: Forecaster,
        on_damage: Callable[[Recording, int, int], None] = lambda recording, run, n_missing: None,
        on_damaged_revision: Callable[[Recording], None] = lambda recording: None,
    ) -> None:
        self._table = table
        self._revisions = revisions
        self._forecaster = forecaster
        self._on_damage = on_damage
        self._on_damaged_revision = on_damaged_revision

    def ids(self, session_ids: Sessions = None) -> tuple[str, ...]:
        """Jobs of these sessions, oldest first."""
        if session_ids is None:
            return self._table.job_ids()
        return self._table.job_ids_of(session_ids)

    def owned(self, job_id: str, session_ids: Sessions = None) -> JobSnapshot:
        """The job without its recordings.

        Raises UnknownJob, in the same words for what is not there and for what is another's.
        """
        job = self._table.row(job_id).job
        if not _among(job.session_id, session_ids):
            raise UnknownJob(UserMessage("no_job", id=job_id))
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
            raise UnknownRecording(UserMessage("no_recording", id=job_id, recording=recording_id))
        return (chosen,)

    def snapshot(self, job_id: str, *, session_ids: Sessions = None) -> JobSnapshot:
        """A job as it stands. Raises UnknownJob."""
        self.owned(job_id, session_ids)
        return self._snapshot(job_id, self._forecaster.now())

    def snapshots(
        self, *, session_ids: Sessions = None, states: Collection[State] = ()
    ) -> tuple[JobSnapshot, ...]:
        """Every job of these sessions, oldest first; with ``states`` those in one of them."""
        return finish(self.sliced_snapshots(session_ids=session_ids, states=states))

    def sliced_snapshots(
        self, *, session_ids: Sessions = None, states: Collection[State] = ()
    ) -> Sliced[tuple[JobSnapshot, ...]]:
        """The same in slices: each job as it is when it is come to, deleted ones left out."""
        forecast = self._forecaster.now()
        items: list[JobSnapshot] = []
        watch = Watch()
        for job_id in self.ids(session_ids):
            if job_id in self._table:
                if not states or self._table.row(job_id).tally.state() in states:
                    items.append(self._snapshot(job_id, forecast))
                if watch.is_over():
                    yield
        return tuple(items)

    def as_of(self, job_id: str, forecast: Forecast) -> JobSnapshot:
        """A job as it stands, with the times of that forecast. Raises UnknownJob."""
        return self._snapshot(job_id, forecast)

    def job_eta_s(self, recordings: Sequence[Recording], forecast: Forecast) -> float | None:
        """Until the last of these is done; None when over or unknown."""
        alive = [forecast.eta_s(r) for r in recordings if not r.state.terminal]
        items = [eta_s for eta_s in alive if eta_s is not None]
        return max(items) if items and len(items) == len(alive) else None

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
        run: int | None = None,
        revision: int | None = None,
        session_ids: Sessions = None,
    ) -> Transcript:
        """What a recording said, as `service_protocol.JobReader.transcript` says.

        Raises UnknownJob, UnknownRecording (also for a run that is not there), UnknownRevision,
        InvalidRequest for a run and a revision; without ``partial`` also the recording's own
        error, JobCanceled, or InvalidTransition while it has not ended.
        """
        (recording,) = self.recordings(job_id, recording_id, session_ids)
        if run is not None and revision is not None:
            raise InvalidRequest(UserMessage("run_or_revision"))
        is_revised = run is None and (recording.has_result or (partial and recording.revision))
        if revision is not None or is_revised:
            return self._revised(recording, revision)
        chosen = _run(recording, run)
        if not partial:
            check_complete(recording.name, chosen)
        segments, n_missing = self._revisions.engine_segments(recording, chosen.run)
        transcript = self._of_run(recording, chosen, n_missing, chosen.n_segments)
        return replace(transcript, segments=segments)

    def revisions(
        self, job_id: str, recording_id: str, session_ids: Sessions = None
    ) -> tuple[RevisionInfo, ...]:
        """The revisions of a recording's text. Raises UnknownJob, UnknownRecording."""
        (recording,) = self.recordings(job_id, recording_id, session_ids)
        return self._revisions.infos(recording)

    def _revised(self, recording: Recording, revision: int | None) -> Transcript:
        """A revision's text; None is the current one."""
        reading = self._revisions.read(recording, revision)
        run = self._revisions.run_of(recording, reading.revision)
        chosen = run_record(recording, run) or RunRecord(run=run, state=State.COMPLETED)
        transcript = self._of_run(recording, chosen, reading.n_missing, reading.n_segments)
        number = recording.revision if revision is None else revision
        warnings = transcript.warnings
        if reading.revision != number:
            self._on_damaged_revision(recording)
            line = UserMessage("revision_instead", n=number, revision=reading.revision)
            warnings = (*warnings, line)
        return replace(
            transcript,
            segments=reading.document.segments,
            speakers=reading.document.speakers,
            revision=reading.revision,
            warnings=warnings,
        )

    def _of_run(
        self, recording: Recording, chosen: Recording | RunRecord, n_missing: int, n_segments: int
    ) -> Transcript:
        """How a transcription came about, without its text, of which so much cannot be read."""
        spec = chosen.spec or self._table.row(recording.job_id).job.spec
        stale = {m.text for m in chosen.messages if m.code == "segments_damaged"}
        warnings = tuple(line for line in chosen.warnings if line not in stale)
        if n_missing:
            self._on_damage(recording, chosen.run, n_missing)
            warnings = (*warnings, incomplete(n_missing, n_segments))
        return Transcript(
            recording_id=recording.recording_id,
            name=recording.name,
            segments=(),
            engine=spec.engine,
            model=spec.model,
            device=chosen.device,
            language=chosen.language or spec.options.language,
            language_probability=chosen.language_probability,
            duration_s=chosen.duration_s,
            complete=_is_complete(chosen) and not n_missing,
            warnings=warnings,
            withheld=chosen.withheld,
        )


def _is_complete(chosen: Recording | RunRecord) -> bool:
    return chosen.is_whole and not chosen.audio_missing


def _expected(recording: Recording, forecast: Forecast) -> Recording:
    """With its ETA. Most of a long list have none, and copying each takes its time."""
    eta_s = forecast.eta_s(recording)
    return recording if eta_s == recording.eta_s else replace(recording, eta_s=eta_s)


def _among(session_id: str, session_ids: Sessions) -> bool:
    """Compared in constant time: a session id is a capability."""
    if session_ids is None:
        return True
    return any(hmac.compare_digest(session_id.encode(), item.encode()) for item in session_ids)


def _run(recording: Recording, run: int | None) -> Recording | RunRecord:
    """One transcription of a recording, None for the one under way. Raises UnknownRecording."""
    if run is None or run == recording.run:
        return recording
    for record in recording.runs:
        if record.run == run:
            return record
    numbers = ", ".join(map(str, [*(r.run for r in recording.runs), recording.run]))
    raise UnknownRecording(UserMessage("no_run", name=recording.name, n=run, choices=numbers))


def check_complete(name: str, chosen: Recording | RunRecord) -> None:
    """Raise what became of a transcription that is not complete."""
    if chosen.is_whole:
        return
    if chosen.state is State.FAILED and chosen.error is not None:
        raise from_info(chosen.error)
    if chosen.state is State.CANCELED:
        raise JobCanceled(UserMessage("recording_canceled", name=name))
    raise InvalidTransition(
        UserMessage("recording_not_done", name=name, phrase=known_phrase(chosen.state))
    )


def incomplete(n_missing: int, n_segments: int) -> str:
    """What people are told of a text with holes."""
    return UserMessage("segments_damaged", n=n_missing, most=n_segments)
