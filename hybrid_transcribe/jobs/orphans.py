"""Work left behind by a process that died, taken over by one that lives.

Each live process has a default folder of its own, the second one `default-2` and so on. When
such a process is killed, its folder lies there with its jobs; the next one to start takes them
in: jobs with texts and uploads, uploads in pieces, what has still to be erased in a cloud. Every
step can be cut off and done again: a file is linked here before the journal names it, a job is
written as one transaction, and only then does it leave its old folder. One that is here already
is not taken twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from hybrid_transcribe.errors import JournalUnusable
from hybrid_transcribe.interfaces import Journal, JournalChanges
from hybrid_transcribe.jobs import stored_files
from hybrid_transcribe.jobs.journal_sqlite import SqliteJournal
from hybrid_transcribe.jobs.voice_files import voices_of_jobs
from hybrid_transcribe.types import JobSnapshot, Recording


def recover_orphans(journal: Journal, folder: Path, others: Iterable[Path]) -> int:
    """Take the jobs of other state folders into this one; the number taken is returned.

    Folders that somebody uses, or that cannot be read, are left alone.
    """
    return sum(_adopt_folder(journal, folder, other) for other in others)


def _adopt_folder(journal: Journal, folder: Path, other: Path) -> int:
    if not (other / "journal.db").is_file():
        return 0
    try:
        with FileLock(other / "lock", timeout=0):
            n_jobs = _adopt_jobs(journal, folder, other)
            _adopt_partial(folder, other)
            if not any(other.glob("journal.db.unusable-*")):
                # What no job of it named.
                stored_files.put_aside(other, ())
            stored_files.expire(other, float("inf"))
            return n_jobs
    except (Timeout, OSError, JournalUnusable):
        return 0


def _adopt_jobs(journal: Journal, folder: Path, other: Path) -> int:
    with contextlib.closing(SqliteJournal(other / "journal.db")) as old_journal:
        here, there = journal.restore(), old_journal.restore()
        job_ids = {job.job_id for job in here.jobs}
        _adopt_erasures(journal, old_journal, here.facts, there.facts)
        for job in there.jobs:
            if job.job_id not in job_ids:
                _take(journal, old_journal, job, folder, other)
            old_journal.delete_job(job.job_id)
            for name in _uploads(job):
                (other / stored_files.UPLOADS / name).unlink(missing_ok=True)
    return len(there.jobs)


def _uploads(job: JobSnapshot) -> set[str]:
    """The names of the files that were sent with it."""
    recordings = {Path(r.path).name for r in job.recordings if r.owned}
    return recordings | voices_of_jobs((job,), job.recordings)


def _adopt_erasures(
    journal: Journal, old_journal: Journal, here: dict[str, object], there: dict[str, object]
) -> None:
    """What the other folder's process had still to have deleted in a cloud."""
    ours, theirs = here.get("erasures"), there.get("erasures")
    if isinstance(theirs, list) and theirs:
        mine = ours if isinstance(ours, list) else []
        journal.save_fact("erasures", [*mine, *(note for note in theirs if note not in mine)])
        old_journal.save_fact("erasures", [])


def _take(
    journal: Journal, old_journal: Journal, job: JobSnapshot, folder: Path, other: Path
) -> None:
    for name in _uploads(job):
        _link(name, folder, other)
    changes = JournalChanges()
    changes.save_job(replace(job, recordings=tuple(_moved(r, folder) for r in job.recordings)))
    for recording in job.recordings:
        for run in (recording.run, *(r.run for r in recording.runs)):
            rows = old_journal.segment_rows(recording.recording_id, run)
            readable = {index: s for index, s in rows.items() if s is not None}
            if readable:
                changes.segments[recording.recording_id, run] = readable
        revisions = old_journal.revisions(recording)
        if revisions:
            changes.revisions[recording.recording_id] = revisions
    journal.write(changes)


def _moved(recording: Recording, folder: Path) -> Recording:
    """The recording with its upload, if it has one, in this folder."""
    if not recording.owned:
        return recording
    here = folder / stored_files.UPLOADS / Path(recording.path).name
    return replace(recording, path=str(here))


def _link(name: str, folder: Path, other: Path) -> None:
    stored_files.reclaim(other, name)
    with contextlib.suppress(FileNotFoundError):
        stored_files.link_or_copy(
            other / stored_files.UPLOADS / name, folder / stored_files.UPLOADS / name
        )


def _adopt_partial(folder: Path, other: Path) -> None:
    """Uploads in pieces: their senders may still go on with them."""
    for inner in (stored_files.PARTIAL, f"{stored_files.PARTIAL}/hud"):
        for path in stored_files.files_in(other / inner):
            target = folder / inner / path.name
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            stored_files.link_or_copy(path, target)
            path.unlink()
