"""Jobs and recordings as they stand, found by id and by session."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from hybrid_transcribe.errors import UnknownJob, UnknownRecording
from hybrid_transcribe.jobs.summary import JobProgress
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import JobSnapshot, Recording


@dataclass(slots=True)
class JobRecord:
    """A job without its recordings, the ids and tally of those, and its age (lower is older).

    ``version`` rises with every change of the job or of one of its recordings.
    """

    job: JobSnapshot
    recording_ids: tuple[str, ...]
    age: int
    tally: JobProgress
    version: int = 0


class JobIndex:
    """Jobs and recordings by id. Used on the manager loop only."""

    def __init__(self) -> None:
        self._rows: dict[str, JobRecord] = {}
        self._recordings: dict[str, Recording] = {}
        self._ages = 0
        # Jobs of each session, oldest first; under its digest, so that how long a look-up takes
        # tells nothing of an id that is not known.
        self._of_session: dict[bytes, dict[str, None]] = {}
        self._digest_key = os.urandom(16)

    def __contains__(self, job_id: str) -> bool:
        return job_id in self._rows

    def __len__(self) -> int:
        return len(self._rows)

    def row(self, job_id: str) -> JobRecord:
        """Raises UnknownJob."""
        try:
            return self._rows[job_id]
        except KeyError:
            raise UnknownJob(UserMessage("no_job", id=job_id)) from None

    def job_ids(self) -> tuple[str, ...]:
        """Every job, oldest first."""
        return tuple(self._rows)

    def job_ids_of(self, session_ids: Collection[str]) -> tuple[str, ...]:
        """The jobs of these sessions, oldest first."""
        digests = {self._digest(session_id) for session_id in session_ids}
        items = [job_id for digest in digests for job_id in self._of_session.get(digest, ())]
        if len(digests) > 1:
            items.sort(key=lambda job_id: self._rows[job_id].age)
        return tuple(items)

    def _digest(self, session_id: str) -> bytes:
        data = session_id.encode("utf-8", "surrogatepass")
        return hashlib.blake2b(data, key=self._digest_key, digest_size=16).digest()

    def recording(self, recording_id: str) -> Recording:
        """Raises UnknownRecording."""
        try:
            return self._recordings[recording_id]
        except KeyError:
            raise UnknownRecording(UserMessage("no_such_recording", id=recording_id)) from None

    def find(self, recording_id: str) -> Recording | None:
        """The recording, or None when it is gone."""
        return self._recordings.get(recording_id)

    def recordings(self, job_id: str) -> tuple[Recording, ...]:
        """A job's recordings in order."""
        return tuple(self._recordings[i] for i in self.row(job_id).recording_ids)

    def all_recordings(self) -> Iterator[Recording]:
        """Every recording of every job."""
        return iter(tuple(self._recordings.values()))
