"""The folder that outlives the process: lock, journal, uploads.

::

    <state_dir>/lock           held by the one live process that uses the folder
    <state_dir>/journal.db     jobs, recordings, segments
    <state_dir>/uploads/       files we were given, under random names
    <state_dir>/partial/       uploads in pieces that no job has taken yet

What cannot be used is put aside or done without, and said: a damaged journal is renamed and a
fresh one made; a folder that cannot be written, or lies on a network (where SQLite's locks
lie), is replaced by memory.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import JournalUnusable, StateFolderBusy
from hybrid_transcribe.interfaces import Journal
from hybrid_transcribe.jobs.adopt import adopt
from hybrid_transcribe.jobs.journal_memory import MemoryJournal
from hybrid_transcribe.jobs.journal_sqlite import SqliteJournal

#: File systems of other machines, by their names in /proc/mounts.
NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "fuse.", "9p", "afs", "ceph", "lustre", "glusterfs")

#: The warning of a journal that was put aside.
QUARANTINED = "journal_quarantined"

#: Names of stored uploads, see `names.new_id`.
OURS = re.compile(r"[0-9a-f]{32}(\.\w+)?")

#: How many processes of one user find a default folder of their own.
DEFAULTS = 64


@dataclass(slots=True)
class StateFolder:
    """An opened state folder. ``warnings`` are (code, message) pairs for people."""

    path: Path
    journal: Journal
    warnings: list[tuple[str, str]] = field(default_factory=list)
    lock: FileLock | None = None
    temporary: bool = False

    @property
    def uploads(self) -> Path:
        """Where files given to us are kept."""
        return self.path / "uploads"

    @property
    def partial(self) -> Path:
        """Where uploads in pieces wait for their rest, also through a restart; may be missing."""
        return self.path / "partial"

    def sweep(self, known: Container[Path]) -> None:
        """Delete uploads that no job knows: left by a death between a file and its job.

        Only what has a name of our making, and nothing after a journal was put aside: its
        jobs may still be wanted.
        """
        if any(code == QUARANTINED for code, _ in self.warnings):
            return
        for path in self.uploads.iterdir():
            if OURS.fullmatch(path.name) and path not in known and not path.is_dir():
                with contextlib.suppress(OSError):
                    path.unlink()

    def close(self) -> None:
        """Let go of everything; a temporary folder is removed."""
        self.journal.close()
        if self.lock is not None:
            self.lock.release()
        if self.temporary:
            shutil.rmtree(self.path, ignore_errors=True)


def open_state(settings: Settings, *, memory: bool = False) -> StateFolder:
    """The folder the settings name, or one of the user's own; in memory if asked or forced to.

    A folder of the user's own takes in the jobs that dead processes left in others.

    Raises StateFolderBusy when another live process holds the folder that was named.
    """
    if memory:
        return _in_memory([])
    if settings.state_dir is not None:
        return _opened(Path(settings.state_dir))
    base = Path(platformdirs.user_state_dir("hybrid_transcribe", False))
    folders = [base / ("default" if n == 1 else f"default-{n}") for n in range(1, DEFAULTS + 1)]
    for folder in folders:
        try:
            state = _opened(folder)
        except StateFolderBusy:
            continue
        if state.journal.durable:
            adopt(state.journal, state.uploads, (f for f in folders if f != folder))
        return state
    raise StateFolderBusy(f"All {DEFAULTS} default state folders in {base} are in use")


def _opened(path: Path) -> StateFolder:
    try:
        if not path.exists():
            # Transcripts and session ids are nobody else's business.
            path.mkdir(parents=True, mode=0o700)
        (path / "uploads").mkdir(exist_ok=True)
        lock = _locked(path)
    except OSError as error:
        return _in_memory([_unwritable(path, error)])
    network = file_system(path)
    if network.startswith(NETWORK_FILE_SYSTEMS):
        lock.release()
        message = (
            f"The state folder {path} lies on a network file system ({network}), where a journal "
            "can be lost: jobs are kept in memory only. Name a local folder with state_dir."
        )
        return _in_memory([("state_on_network", message)])
    try:
        journal, warnings = _journal(path / "journal.db")
    except (JournalUnusable, OSError) as error:
        lock.release()
        return _in_memory([_unwritable(path, error)])
    return StateFolder(path, journal, warnings, lock)


def _unwritable(path: Path, error: Exception) -> tuple[str, str]:
    return (
        "state_unwritable",
        f"The state folder {path} cannot be used ({error}): jobs are kept in memory only.",
    )


def _locked(path: Path) -> FileLock:
    lock = FileLock(path / "lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise StateFolderBusy(
            f"The state folder {path} is used by another live process. "
            "Close it there, or name another folder with state_dir."
        ) from None
    return lock


def _journal(path: Path) -> tuple[Journal, list[tuple[str, str]]]:
    """The journal, after putting an unusable one aside."""
    try:
        return _usable(path), []
    except JournalUnusable as error:
        if not _blames_the_file(error):
            raise
        aside = _put_aside(path)
        warning = (
            QUARANTINED,
            f"The journal could not be used ({error}). It was put aside as {aside.name}, "
            "and a fresh one was started.",
        )
        return _usable(path), [warning]


def _usable(path: Path) -> SqliteJournal:
    journal = SqliteJournal(path)
    try:
        journal.restore()
    except JournalUnusable:
        journal.close()
        raise
    return journal


def _blames_the_file(error: JournalUnusable) -> bool:
    """False when the disk or its permissions are to blame: a fresh file would fare no better."""
    cause = error.__cause__
    if not isinstance(cause, sqlite3.OperationalError):
        return True
    text = str(cause)
    return not any(hint in text for hint in ("readonly", "unable to open", "full", "disk I/O"))


def _put_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.unusable-{stamp}-{os.getpid()}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _in_memory(warnings: list[tuple[str, str]]) -> StateFolder:
    path = Path(tempfile.mkdtemp(prefix="hybrid_transcribe-"))
    (path / "uploads").mkdir()
    return StateFolder(path, MemoryJournal(), warnings, temporary=True)


def file_system(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """The type of file system a path lies on, as the kernel names it; "" where nobody says."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    real = path.resolve()
    best, kind = -1, ""
    for line in lines:
        fields = line.split()
        if len(fields) < 3:
            continue
        # Spaces in mount points are written as \040.
        point = Path(fields[1].replace("\\040", " "))
        if real.is_relative_to(point) and len(point.parts) >= best:
            best, kind = len(point.parts), fields[2]
    return kind
