"""Work left behind by a process that died, taken over by one that lives.

Each live process has a default folder of its own, the second one `default-2` and so on. When
such a process is killed, its folder lies there with its jobs; the next one to start takes them
in. Every step can be cut off and done again: a job leaves its old journal only after it is
in the new one, and one that is there already is not taken twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from hybrid_transcribe.errors import JournalUnusable
from hybrid_transcribe.interfaces import Journal
from hybrid_transcribe.jobs.journal_sqlite import SqliteJournal
from hybrid_transcribe.types import JobSnapshot, Recording


def adopt(journal: Journal, uploads: Path, folders: Iterable[Path]) -> int:
    """Take the jobs of these folders into a journal; the number taken is returned.

    Folders that somebody uses, or that cannot be read, are left alone.
    """
    return sum(_adopt_folder(journal, uploads, folder) for folder in folders)


def _adopt_folder(journal: Journal, uploads: Path, folder: Path) -> int:
    if not (folder / "journal.db").is_file():
        return 0
    try:
        with FileLock(folder / "lock", timeout=0):
            return _adopt_jobs(journal, uploads, folder)
    except (Timeout, OSError, JournalUnusable):
        return 0


def _adopt_jobs(journal: Journal, uploads: Path, folder: Path) -> int:
    with contextlib.closing(SqliteJournal(folder / "journal.db")) as left:
        known = {job.job_id for job in journal.restore().jobs}
        jobs = left.restore().jobs
        for job in jobs:
            if job.job_id not in known:
                _take(journal, left, job, uploads, folder / "uploads")
            left.delete_job(job.job_id)
    return len(jobs)


def _take(journal: Journal, left: Journal, job: JobSnapshot, uploads: Path, old: Path) -> None:
    moved = replace(job, recordings=tuple(_moved(r, uploads, old) for r in job.recordings))
    for recording in moved.recordings:
        for index, segment in enumerate(left.segments(recording.recording_id)):
            journal.add_segment(recording, index, segment)
    # Last: a job that is known is whole.
    journal.save_job(moved)


def _moved(recording: Recording, uploads: Path, old: Path) -> Recording:
    """The recording with its upload, if it has one, among ours."""
    path = Path(recording.path)
    if not recording.owned or path.parent != old:
        return recording
    new = uploads / path.name
    with contextlib.suppress(FileNotFoundError):
        path.rename(new)
    return replace(recording, path=str(new))
