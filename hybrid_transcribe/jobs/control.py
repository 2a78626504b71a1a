"""What people have done to jobs: cancel, retry, keep, erase."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hybrid_transcribe.errors import (
    InvalidTransition,
    UnknownJob,
)
from hybrid_transcribe.jobs import machine
from hybrid_transcribe.jobs.lifecycle import JobLifecycle
from hybrid_transcribe.jobs.request import changed_spec, make_stage, stages_of
from hybrid_transcribe.jobs.revision_store import MOST_DELTAS
from hybrid_transcribe.jobs.slices import Sliced, finish, portions
from hybrid_transcribe.jobs.voice_files import voices_of_jobs
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.types import (
    JobSnapshot,
    Recording,
    Spec,
    State,
)

#: Recordings that a slice of a control call changes (some 10 ms), and segments that cost as much
#: to delete as a recording does.
PORTION, SEGMENTS_EACH = 50, 20


class JobControl(JobLifecycle):
    """Changes whole jobs, in slices: others have their turn between them."""

    def cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Collection[str] | None = None,
    ) -> None:
        """Stop a job or one recording of it; what has ended stays as it is."""
        finish(self.sliced_cancel(job_id, recording_id, session_ids=session_ids))

    def sliced_cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Collection[str] | None = None,
    ) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        chosen = self.reading.recordings(job_id, recording_id, session_ids)
        for recording in chosen:
            # Or a worker that becomes free between two slices would begin with them.
            self.lanes.remove(recording.recording_id)
        for portion in portions(chosen, PORTION):
            with self.table.operation():
                for recording in self._still_there(portion):
                    if not recording.state.terminal:
                        self._cancel(recording)
            yield

    def _still_there(self, recordings: Iterable[Recording]) -> Iterator[Recording]:
        """As they are now: between two slices anything may have happened to them."""
        for recording in recordings:
            now = self.table.find(recording.recording_id)
            if now is not None:
                yield now

    def retry(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Collection[str] | None = None,
        **changes: Any,
    ) -> None:
        """Once more, for what failed or was canceled, or for the one recording named.

        ``changes`` are those of `submit`: engine, model, device, options. Without any, a
        recording goes on after its last finished segment; with some, it starts afresh, and
        what is completed does too. A complete text stays the result until the new one is
        complete. Raises InvalidTransition when there is nothing to retry.
        """
        finish(self.sliced_retry(job_id, recording_id, session_ids=session_ids, **changes))

    def sliced_retry(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Collection[str] | None = None,
        **changes: Any,
    ) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        every = recording_id is not None or any(v is not None for v in changes.values())
        states = (State.FAILED, State.CANCELED, *((State.COMPLETED,) if every else ()))
        chosen = [
            recording
            for recording in self.reading.recordings(job_id, recording_id, session_ids)
            if recording.state in states
        ]
        if not chosen:
            raise InvalidTransition(UserMessage("nothing_to_retry"))
        self._check_room_for(len(chosen), self.table.row(job_id).job.session_id)
        old = self.table.row(job_id).job.spec
        # Most recordings of a job have the same.
        specs = {
            spec: changed_spec(spec, changes, self.settings)
            for spec in dict.fromkeys(r.spec or old for r in chosen)
        }
        n_left = len(chosen)
        for portion in portions(chosen, PORTION):
            if job_id not in self.table:
                return
            with self.table.operation():
                if n_left == len(chosen):
                    self._reopen(job_id)
                for recording in self._still_there(portion):
                    if recording.state in states:
                        spec = recording.spec or old
                        self._retry(recording, spec, specs[spec])
                n_left -= len(portion)
                if not n_left:
                    self._tell.job(job_id)
            yield
        self.pump()

    def _retry(self, recording: Recording, old: Spec, spec: Spec) -> None:
        resume = spec == old and recording.state is not State.COMPLETED
        if not resume:
            self._erase(recording)
        stages = () if resume else stages_of(spec, self.settings)
        after = self.apply(recording.recording_id, machine.RetryRequested(resume, spec, stages))
        if not resume:
            kept = {r.run for r in after.runs}
            gone = {recording.run, *(r.run for r in recording.runs)} - kept
            if gone:
                self.revisions.keep_text_of(recording, gone)
            for run in gone:
                self.table.drop_segments(recording.recording_id, run)
        self.enqueue(after)

    def refine(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        stage: str,
        session_ids: Collection[str] | None = None,
        **options: Any,
    ) -> None:
        """Have a post-processor work on every text that is complete, or on that of the one named.

        The text stays readable, and stays as it is where the post-processor gives nothing.
        Raises UnknownPostProcessor, EngineUnavailable, InvalidOption, and InvalidTransition
        where there is no complete text, or something is still done to it.
        """
        finish(self.sliced_refine(job_id, recording_id, stage, options, session_ids=session_ids))

    def sliced_refine(
        self,
        job_id: str,
        recording_id: str | None,
        stage: str,
        options: Mapping[str, Any],
        *,
        session_ids: Collection[str] | None = None,
    ) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        chosen = self._refinable(self.reading.recordings(job_id, recording_id, session_ids))
        if recording_id is not None and not chosen:
            (recording,) = self.reading.recordings(job_id, recording_id)
            phrase = known_phrase(recording.state)
            raise InvalidTransition(
                UserMessage("not_refinable", name=recording.name, phrase=phrase)
            )
        if not chosen:
            raise InvalidTransition(UserMessage("nothing_to_refine"))
        self._check_room_for(len(chosen), self.table.row(job_id).job.session_id)
        pending = {
            spec: make_stage(stage, spec.options, options, self.settings)
            for spec in dict.fromkeys(map(self._spec_of, chosen))
        }
        for portion in portions(chosen, PORTION):
            if job_id not in self.table:
                return
            with self.table.operation():
                self._reopen(job_id)
                for recording in self._refinable(self._still_there(portion)):
                    change = machine.StageRequested(pending[self._spec_of(recording)])
                    self.enqueue(self.apply(recording.recording_id, change))
                self._tell.job(job_id)
            yield
        self.pump()

    @staticmethod
    def _refinable(recordings: Iterable[Recording]) -> list[Recording]:
        return [recording for recording in recordings if recording.state is State.COMPLETED]

    def _reopen(self, job_id: str) -> None:
        self._janitor.forget(job_id)
        self.table.row(job_id).tally.highest = 0.0
        self.table.change_job(job_id, finished_at=None, expires_at=None)

    def keep(
        self, job_id: str, keep: bool = True, *, session_ids: Collection[str] | None = None
    ) -> None:
        """Spare a job from the janitor, or hand it back to it, from now on."""
        job = self.reading.owned(job_id, session_ids)
        expires = None
        self._janitor.forget(job_id)
        if not keep and job.finished_at is not None:
            expires = self._clock.wall() + self.settings.retention_s
            self._janitor.expect(job_id, self.settings.retention_s)
        self.table.change_job(job_id, kept=keep, expires_at=expires)
        self._tell.job(job_id)

    def delete(self, job_id: str, *, session_ids: Collection[str] | None = None) -> None:
        """Erase a job: canceled if need be, results, uploads and all."""
        finish(self.sliced_delete(job_id, session_ids=session_ids))

    def sliced_delete(
        self, job_id: str, *, session_ids: Collection[str] | None = None
    ) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        self.reading.owned(job_id, session_ids)
        yield from self._delete([job_id])

    def delete_session(self, session_id: str) -> None:
        """Erase every job of a session."""
        finish(self.sliced_delete_session(session_id))

    def sliced_delete_session(self, session_id: str) -> Sliced[None]:
        """The same in slices, each of which is one transaction of the journal."""
        yield from self._delete(self.reading.ids([session_id]))

    def _delete(self, job_ids: Sequence[str]) -> Sliced[None]:
        """Short jobs many at once; of a long one first its recordings, then the job."""
        slice_ids: list[str] = []
        weight = 0
        for job_id in job_ids:
            if job_id not in self.table:
                continue
            recordings = self.table.recordings(job_id)
            if _weight(recordings) > PORTION:
                yield from self._delete_recordings(job_id, recordings)
            slice_ids.append(job_id)
            weight += 1 + _weight(self.table.recordings(job_id))
            if weight >= PORTION:
                self._forget_all(slice_ids)
                slice_ids, weight = [], 0
                yield
        self._forget_all(slice_ids)

    def _delete_recordings(self, job_id: str, recordings: Sequence[Recording]) -> Sliced[None]:
        for recording in recordings:
            self.lanes.remove(recording.recording_id)
        items = list(recordings)
        while items:
            portion = [items.pop()]
            while items and _weight(portion) + _weight(items[-1:]) <= PORTION:
                portion.append(items.pop())
            yield
            if job_id not in self.table:
                return
            with self.table.operation():
                gone = list(self._still_there(portion))
                for recording in gone:
                    self._let_go(recording)
                self.table.delete_recordings(job_id, [r.recording_id for r in gone])
            self.revisions.forget(r.recording_id for r in gone)
            _unlink(gone)

    def _forget_all(self, job_ids: Sequence[str]) -> None:
        jobs = [self.table.row(job_id).job for job_id in job_ids if job_id in self.table]
        with self.table.operation():
            gone = [recording for job in jobs for recording in self._forget(job)]
        # After the journal: a death in between leaves files, which are put aside and then go.
        _unlink(gone)
        for name in voices_of_jobs(jobs, gone):
            with contextlib.suppress(OSError):
                (self.state.uploads / name).unlink(missing_ok=True)

    def _forget(self, job: JobSnapshot) -> tuple[Recording, ...]:
        """Let go of a job and forget it; its recordings are returned."""
        job_id = job.job_id
        for recording in self.table.recordings(job_id):
            self._let_go(recording)
        gone = self.table.delete(job_id)
        self.revisions.forget(r.recording_id for r in gone)
        self._janitor.forget(job_id)
        self._repeats.forget(job)
        self._tell.deleted(job.session_id, job_id)
        self._waiters.fail(job_id, UnknownJob(UserMessage("job_deleted", id=job_id)))
        return gone

    def _let_go(self, recording: Recording) -> None:
        """Have nobody work on a recording that goes, here or in a cloud."""
        if recording.state is State.QUEUED:
            self.lanes.remove(recording.recording_id)
        elif not recording.state.terminal:
            self._cancel(recording)
        self._erase(self.table.recording(recording.recording_id))

    def call_back(self, job_id: str, url: str) -> None:
        """Keep the address that is to be told of the job's end. Raises UnknownJob."""
        self.table.row(job_id)
        self.table.change_job(job_id, callback_url=url)

    def called_back(self, job_id: str, finished_at: float | None) -> None:
        """Note that the end at that time was told. Raises UnknownJob."""
        self.table.row(job_id)
        self.table.change_job(job_id, called_back_at=finished_at)


def _weight(recordings: Sequence[Recording]) -> int:
    """What it costs to delete these, in recordings without text."""
    return sum(1 + _n_rows(recording) // SEGMENTS_EACH for recording in recordings)


def _n_rows(recording: Recording) -> int:
    """Of its text, roughly: every so many revisions a whole document is a row."""
    n_whole = recording.revision // MOST_DELTAS
    return recording.n_segments * (1 + n_whole) + recording.revision


def _unlink(recordings: Iterable[Recording]) -> None:
    for recording in recordings:
        if recording.owned:
            # One that cannot go now (Windows: still open) is put aside at the next start.
            with contextlib.suppress(OSError):
                Path(recording.path).unlink(missing_ok=True)
