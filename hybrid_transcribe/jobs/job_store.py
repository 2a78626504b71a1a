"""All jobs as they stand, in memory and, operation by operation, in the journal.

When the journal cannot be written for a while (a lock, a full disk), the queue goes on in memory
and the journal is brought up to date later: see `journal_writer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from hybrid_transcribe.core.clock import Clock
from hybrid_transcribe.interfaces import JournalChanges
from hybrid_transcribe.jobs.job_index import JobIndex, JobRecord
from hybrid_transcribe.jobs.journal_writer import JournalWriter
from hybrid_transcribe.jobs.machine import Change, step
from hybrid_transcribe.jobs.summary import JobProgress
from hybrid_transcribe.protocol import SegmentsTranscribed, SegmentTranscribed
from hybrid_transcribe.revision_types import RevisionInfo, RevisionText
from hybrid_transcribe.types import JobSnapshot, Recording, Segment


class JobStore(JobIndex):
    """Changes jobs and recordings, and has each change journalled."""

    def __init__(self, writer: JournalWriter, clock: Clock) -> None:
        self._writer = writer
        self._clock = clock
        super().__init__()

    # ---------------------------------------------------------------------- reading

    def segment_rows(self, recording_id: str, run: int) -> dict[int, Segment | None]:
        """The segments of a run by index, None where one cannot be read.

        Raises JournalUnusable.
        """
        return self._writer.segment_rows(recording_id, run)

    def revision_infos(self, recording_id: str) -> dict[int, RevisionInfo | None]:
        """Its revisions by number, None where one cannot be read. Raises JournalUnusable."""
        return self._writer.revision_infos(recording_id)

    def revision_texts(
        self, recording_id: str, first: int, last: int
    ) -> dict[int, RevisionText | None]:
        """The text of its revisions ``first`` to ``last``. Raises JournalUnusable."""
        return self._writer.revision_texts(recording_id, first, last)

    def everything(self) -> JournalChanges:
        """All jobs and recordings, as changes of a journal that has none of them."""
        changes = JournalChanges()
        for job_id, row in self._rows.items():
            changes.save_job(replace(row.job, recordings=self.recordings(job_id)))
        return changes

    # ---------------------------------------------------------------------- writing

    def operation(self) -> AbstractContextManager[JournalChanges]:
        """What is changed within is written as one transaction at its end."""
        return self._writer.operation()

    def load(self, jobs: tuple[JobSnapshot, ...]) -> None:
        """Take in what a journal held, without writing it again."""
        for job in jobs:
            self._take_in(job)

    def _take_in(self, job: JobSnapshot) -> None:
        self._ages += 1
        ids = tuple(r.recording_id for r in job.recordings)
        tally = JobProgress.of(job.recordings)
        self._rows[job.job_id] = JobRecord(replace(job, recordings=()), ids, self._ages, tally)
        of_session = self._of_session.setdefault(self._digest(job.session_id), {})
        of_session[job.job_id] = None
        self._recordings.update({r.recording_id: r for r in job.recordings})

    def add(self, job: JobSnapshot, rows: Mapping[str, object]) -> None:
        """A new job; when this returns it survives the death of this process.

        ``rows`` are what `encoded` made of its recordings, by id.
        """
        self._take_in(job)
        with self.operation() as changes:
            changes.save_job(job)
            changes.encoded.update(rows)

    def encoded(self, recording: Recording) -> object:
        """The recording as the journal will hold it."""
        return self._writer.encoded(recording)

    def change_job(self, job_id: str, **fields: Any) -> JobSnapshot:
        """Replace fields of a job (never its recordings)."""
        row = self.row(job_id)
        row.job = replace(row.job, **fields)
        row.version += 1
        with self.operation() as changes:
            changes.save_job(row.job)
        return row.job

    def apply(self, recording_id: str, change: Change, *, lasting: bool = True) -> Recording:
        """Let something happen to a recording. ``lasting`` False skips the journal: progress.

        Raises InvalidTransition.
        """
        after = self._step(recording_id, change)
        if lasting:
            with self.operation() as changes:
                changes.save_recording(after)
        return after

    def add_segment(self, recording_id: str, change: SegmentTranscribed) -> Recording:
        """A segment and the progress it means, both or neither in the journal."""
        after = self._step(recording_id, change)
        with self.operation() as changes:
            changes.add_segment(after, change.index, change.segment)
        return after

    def add_segments(self, recording_id: str, change: SegmentsTranscribed) -> Recording:
        """The same for several: all of them or none in the journal."""
        after = self._step(recording_id, change)
        with self.operation() as changes:
            changes.save_recording(after)
            for index, segment in enumerate(change.segments, change.index):
                changes.add_segment(after, index, segment)
        return after

    def _step(self, recording_id: str, change: Change) -> Recording:
        before = self.recording(recording_id)
        after = step(before, change, self._clock.wall())
        row = self._rows[before.job_id]
        row.version += 1
        row.tally.count(before, -1)
        row.tally.count(after, 1)
        self._recordings[recording_id] = after
        return after

    def add_revision(
        self, recording_id: str, info: RevisionInfo, text: RevisionText, **fields: Any
    ) -> Recording:
        """Add a revision and replace fields of its recording, both or neither in the journal."""
        after = replace(self.recording(recording_id), **fields)
        self._rows[after.job_id].version += 1
        self._recordings[recording_id] = after
        with self.operation() as changes:
            changes.add_revision(after, info, text)
        return after

    def drop_segments(self, recording_id: str, run: int) -> None:
        """Forget the text of a run."""
        with self.operation() as changes:
            changes.drop_segments(recording_id, run)

    def delete(self, job_id: str) -> tuple[Recording, ...]:
        """Forget a job; its recordings are returned so that their files can go too."""
        gone = self.recordings(job_id)
        digest = self._digest(self._rows.pop(job_id).job.session_id)
        self._of_session[digest].pop(job_id, None)
        if not self._of_session[digest]:
            del self._of_session[digest]
        for recording in gone:
            del self._recordings[recording.recording_id]
        with self.operation() as changes:
            changes.delete_job(job_id)
        return gone

    def delete_recordings(self, job_id: str, recording_ids: Sequence[str]) -> None:
        """Forget some recordings of a job, which itself stays."""
        row = self.row(job_id)
        gone = frozenset(recording_ids)
        row.recording_ids = tuple(i for i in row.recording_ids if i not in gone)
        row.version += 1
        for recording_id in recording_ids:
            row.tally.count(self._recordings.pop(recording_id), -1)
        with self.operation() as changes:
            changes.delete_recordings(recording_ids)

    @property
    def durable(self) -> bool:
        """False when nothing outlives this process."""
        return self._writer.durable

    @property
    def is_behind(self) -> bool:
        """True while something that happened is in memory only, and nobody was warned yet."""
        return self._writer.is_behind

    def save_fact(self, name: str, value: Any) -> None:
        """Keep a small JSON value."""
        with self.operation() as changes:
            changes.facts[name] = value

    async def close(self, within_s: float) -> bool:
        """Write what is left and let go of the journal; False when something was lost."""
        return await self._writer.close(within_s)
