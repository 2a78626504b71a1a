"""The folder that outlives the process: lock, journal, uploads.

::

    <state_dir>/lock           held by the one live process that uses the folder
    <state_dir>/journal.db     jobs, recordings, segments
    <state_dir>/uploads/       files we were given, under random names
    <state_dir>/partial/       uploads in pieces that no job has taken yet
    <state_dir>/unclaimed/     uploads that no job of the journal names, for some days

What cannot be used is put aside or done without, and said: a damaged journal is renamed and a
fresh one made; a folder that cannot be written, or lies on a network (where SQLite's locks
lie), is replaced by memory. Files are known by their names in the folder, never by its path:
the folder may be moved, mounted elsewhere or opened through a link.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
from collections.abc import Container
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.scratch import ScratchFolder
from hybrid_transcribe.errors import JournalUnusable, StateFolderBusy
from hybrid_transcribe.interfaces import Journal
from hybrid_transcribe.jobs import stored_files
from hybrid_transcribe.jobs.journal_memory import MemoryJournal
from hybrid_transcribe.jobs.journal_sqlite import SqliteJournal, is_locked
from hybrid_transcribe.jobs.orphans import recover_orphans
from hybrid_transcribe.messages import UserMessage

#: File systems of other machines, by their names in /proc/mounts.
NETWORK_FILE_SYSTEMS = ("nfs", "cifs", "smb", "fuse.", "9p", "afs", "ceph", "lustre", "glusterfs")

#: The journal's name in the folder.
JOURNAL = "journal.db"

#: The warning of a journal that was put aside, and of one that still lies there.
QUARANTINED, STILL_ASIDE = "journal_quarantined", "journal_aside"

#: How many processes of one user find a default folder of their own.
DEFAULTS = 64


@dataclass(slots=True)
class StateFolder:
    """An opened state folder; ``path`` is absolute and resolved.

    ``warnings`` are (code, message) pairs for people.
    """

    path: Path
    journal: Journal
    warnings: list[tuple[str, str]] = field(default_factory=list)
    lock: FileLock | None = None
    scratch: ScratchFolder | None = None

    @property
    def temporary(self) -> bool:
        """True when the folder goes with the process."""
        return self.scratch is not None

    @property
    def uploads(self) -> Path:
        """Where files given to us are kept."""
        return self.path / stored_files.UPLOADS

    @property
    def partial(self) -> Path:
        """Where uploads in pieces wait for their rest, also through a restart; may be missing."""
        return self.path / stored_files.PARTIAL

    def sweep(self, claimed: Container[str]) -> None:
        """Put aside the uploads whose names no job claims: left by a death before their job.

        Nothing moves while a journal that was put aside lies here: its jobs may still be wanted.
        """
        if not journals_aside(self.path):
            stored_files.put_aside(self.path, claimed)

    def reclaim(self, path: str) -> bool:
        """Bring back an upload that had been put aside. False when it is not there either."""
        return stored_files.reclaim(self.path, Path(path).name)

    def expire(self, upload_idle_s: float) -> None:
        """Delete what was put aside days ago, and uploads in pieces that nobody continues."""
        stored_files.expire(self.path, upload_idle_s)

    def replace_journal(self, error: JournalUnusable) -> tuple[str, str]:
        """Put a journal aside that is damaged and start a fresh one; the warning is returned.

        Raises JournalUnusable, OSError.
        """
        self.journal.close()
        path = self.path / JOURNAL
        aside = _put_aside(path)
        self.journal = _usable(path)
        return _quarantined(error, aside)

    def close(self) -> None:
        """Let go of everything; a temporary folder is removed."""
        self.journal.close()
        if self.lock is not None:
            self.lock.release()
        if self.scratch is not None:
            self.scratch.close()


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
            recover_orphans(state.journal, state.path, (f for f in folders if f != folder))
        return state
    raise StateFolderBusy(UserMessage("folders_busy", n=DEFAULTS, folder=base))


def _opened(named: Path) -> StateFolder:
    try:
        # Resolved once: what `os.chdir` or a link does later changes nothing.
        path = named.expanduser().resolve()
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = _locked(path)
    except (OSError, RuntimeError) as error:
        return _in_memory([_unwritable(named, error)])
    try:
        return _with_journal(path, lock)
    except BaseException:
        lock.release()
        raise


def _with_journal(path: Path, lock: FileLock) -> StateFolder:
    network = file_system(path)
    if network.startswith(NETWORK_FILE_SYSTEMS):
        lock.release()
        message = UserMessage("network_folder", path=path, text=network)
        return _in_memory([("state_on_network", message)])
    try:
        stored_files.make_private(path)
        aside = journals_aside(path)
        journal, warnings = _journal(path / JOURNAL)
        stored_files.make_private(path)
    except (JournalUnusable, OSError) as error:
        lock.release()
        if isinstance(error, JournalUnusable) and is_locked(error):
            raise StateFolderBusy(UserMessage("journal_locked", path=path)) from error
        return _in_memory([_unwritable(path, error)])
    if aside:
        warnings.append(_still_aside(aside))
    return StateFolder(path, journal, warnings, lock)


def _unwritable(path: Path, error: Exception) -> tuple[str, str]:
    return (
        "state_unwritable",
        UserMessage("folder_unusable", path=path, why=error),
    )


def _still_aside(aside: list[Path]) -> tuple[str, str]:
    return (
        STILL_ASIDE,
        UserMessage("still_aside", name=aside[0].name),
    )


def journals_aside(path: Path) -> list[Path]:
    """Journals of this state folder that were put aside, oldest first."""
    paths = path.glob(f"{JOURNAL}.unusable-*")
    return sorted(p for p in paths if not p.name.endswith(("-wal", "-shm")))


def _locked(path: Path) -> FileLock:
    lock = FileLock(path / "lock", timeout=0, thread_local=False)
    try:
        lock.acquire()
    except Timeout:
        raise StateFolderBusy(UserMessage("folder_busy", path=path)) from None
    return lock


def _journal(path: Path) -> tuple[Journal, list[tuple[str, str]]]:
    """The journal, after putting an unusable one aside."""
    try:
        return _usable(path), []
    except JournalUnusable as error:
        if not _blames_the_file(error):
            raise
        aside = _put_aside(path)
        return _usable(path), [_quarantined(error, aside)]


def _quarantined(error: JournalUnusable, aside: Path) -> tuple[str, str]:
    return (
        QUARANTINED,
        UserMessage("journal_aside", text=error, name=aside.name),
    )


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
    hints = ("readonly", "unable to open", "full", "disk I/O", "locked", "busy")
    return not any(hint in text for hint in hints)


def _put_aside(path: Path) -> Path:
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}.unusable-{stamp}-{os.getpid()}")
    for suffix in ("", "-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside


def _in_memory(warnings: list[tuple[str, str]]) -> StateFolder:
    scratch = ScratchFolder()
    (scratch.path / stored_files.UPLOADS).mkdir(mode=0o700)
    return StateFolder(scratch.path, MemoryJournal(), warnings, scratch=scratch)


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
