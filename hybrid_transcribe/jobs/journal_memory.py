"""A journal that forgets: for small scripts, and where a disk cannot be written."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hybrid_transcribe.interfaces import Journal, Restored
from hybrid_transcribe.types import JobSnapshot, Recording, Segment


class MemoryJournal(Journal):
    """Everything in dictionaries."""

    durable = False

    def __init__(self) -> None:
        self._jobs: dict[str, JobSnapshot] = {}
        self._recordings: dict[str, Recording] = {}
        self._segments: dict[str, dict[int, Segment]] = {}
        self._facts: dict[str, Any] = {}

    def restore(self) -> Restored:
        jobs = (
            replace(job, recordings=tuple(self._recordings[r.recording_id] for r in job.recordings))
            for job in self._jobs.values()
        )
        return Restored(tuple(jobs), dict(self._facts))

    def save_job(self, job: JobSnapshot) -> None:
        known = self._jobs.get(job.job_id)
        if known is not None and not job.recordings:
            job = replace(job, recordings=known.recordings)
        self._jobs[job.job_id] = job
        for recording in job.recordings:
            self._recordings[recording.recording_id] = recording

    def save_recording(self, recording: Recording) -> None:
        self._recordings[recording.recording_id] = recording

    def add_segment(self, recording: Recording, index: int, segment: Segment) -> None:
        self._segments.setdefault(recording.recording_id, {})[index] = segment
        self.save_recording(recording)

    def segments(self, recording_id: str) -> tuple[Segment, ...]:
        held = self._segments.get(recording_id, {})
        return tuple(held[i] for i in sorted(held))

    def drop_segments(self, recording_id: str) -> None:
        self._segments.pop(recording_id, None)

    def delete_job(self, job_id: str) -> None:
        job = self._jobs.pop(job_id, None)
        for recording in job.recordings if job else ():
            self._recordings.pop(recording.recording_id, None)
            self.drop_segments(recording.recording_id)

    def save_fact(self, name: str, value: Any) -> None:
        self._facts[name] = value

    def close(self) -> None:
        """Nothing is held."""
