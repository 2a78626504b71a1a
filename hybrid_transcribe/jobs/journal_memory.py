"""A journal that forgets: for small scripts, and where a disk cannot be written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hybrid_transcribe.interfaces import Journal, JournalChanges, Restored, RunKey
from hybrid_transcribe.revision_types import RevisionInfo, RevisionRow, RevisionText
from hybrid_transcribe.types import JobSnapshot, Recording, Segment


class MemoryJournal(Journal):
    """Everything in dictionaries."""

    durable = False

    def __init__(self) -> None:
        self._jobs: dict[str, JobSnapshot] = {}
        self._recordings: dict[str, dict[str, Recording]] = {}
        self._segments: dict[RunKey, dict[int, Segment]] = {}
        self._revisions: dict[str, dict[int, RevisionRow]] = {}
        self._facts: dict[str, Any] = {}

    def restore(self) -> Restored:
        jobs = (
            replace(job, recordings=tuple(self._recordings.get(job_id, {}).values()))
            for job_id, job in self._jobs.items()
        )
        return Restored(tuple(jobs), dict(self._facts))

    def write(self, changes: JournalChanges) -> None:
        for job_id in changes.deleted:
            self._delete(job_id)
        for of_job in self._recordings.values() if changes.deleted_recordings else ():
            for recording_id in changes.deleted_recordings & of_job.keys():
                self._drop_text(of_job.pop(recording_id))
        for key in changes.dropped:
            self._segments.pop(key, None)
        self._jobs.update(changes.jobs)
        for recording in changes.recordings.values():
            of_job = self._recordings.setdefault(recording.job_id, {})
            of_job[recording.recording_id] = recording
        for key, segments in changes.segments.items():
            self._segments.setdefault(key, {}).update(segments)
        for recording_id, revisions in changes.revisions.items():
            self._revisions.setdefault(recording_id, {}).update(revisions)
        self._facts.update(changes.facts)

    def _delete(self, job_id: str) -> None:
        self._jobs.pop(job_id, None)
        for recording in self._recordings.pop(job_id, {}).values():
            self._drop_text(recording)

    def _drop_text(self, recording: Recording) -> None:
        self._revisions.pop(recording.recording_id, None)
        for run in (recording.run, *(r.run for r in recording.runs)):
            self._segments.pop((recording.recording_id, run), None)

    def segment_rows(self, recording_id: str, run: int = 1) -> dict[int, Segment | None]:
        return dict(self._segments.get((recording_id, run), {}))

    def revision_infos(self, recording_id: str) -> dict[int, RevisionInfo | None]:
        rows = self._revisions.get(recording_id, {})
        return {revision: info for revision, (info, _) in sorted(rows.items())}

    def revision_texts(
        self, recording_id: str, first: int, last: int
    ) -> dict[int, RevisionText | None]:
        rows = self._revisions.get(recording_id, {})
        return {n: rows[n][1] for n in range(first, last + 1) if n in rows}

    def close(self) -> None:
        """Nothing is held."""
