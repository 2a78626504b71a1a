"""Rows 11 to 13: trouble with the disk under the state folder."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import StateFolderBusy
from hybrid_transcribe.jobs import state_folder
from hybrid_transcribe.jobs.journal_sqlite import VERSION, SqliteJournal
from hybrid_transcribe.jobs.state_folder import StateFolder, file_system, open_state
from hybrid_transcribe.types import Segment, State
from tests.jobs.conftest import make_job
from tests.jobs.managers import open_room


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Path]:
    """A tiny disk of its own: 512 KiB in memory."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if not sys.platform.startswith("linux") or libc.mount(
        b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=512k"
    ):
        pytest.skip("mounting a tmpfs needs root on Linux")
    yield folder
    libc.umount2(os.fsencode(folder), 2)


def opened(path: Path) -> StateFolder:
    return open_state(Settings(state_dir=str(path)))


def fill(disk: Path) -> None:
    """Write until nothing fits any more."""
    with (disk / "filler").open("wb") as filler, contextlib.suppress(OSError):
        while True:
            os.write(filler.fileno(), b"x" * 4096)


def test_f11_disk_full_the_queue_goes_on_in_memory(mount: Path, tmp_path: Path) -> None:
    """When the journal can no longer be written, jobs go on, nothing heard is lost, people know.

    What happened meanwhile is written as soon as there is room, and the warning goes.
    """

    async def run() -> None:
        s = await open_room(mount, disk=True)
        job = await s.submit()
        (item,) = s.worker.items
        s.worker.begin(item, duration_s=5000.0)
        s.worker.hear(item, 0)
        fill(mount)
        for i in range(1, 400):
            s.worker.hear(item, i)
        s.worker.finish(item, 5000.0)
        s.worker.done()
        assert s.state(job) is State.COMPLETED
        assert len(s.room.reading.transcript(job, item.recording_id).segments) == 400
        assert [code for code, _ in s.room.warnings] == ["journal_behind"]
        later, _ = s.room.accept([], (), s.room.reading.snapshot(job).spec, "s2")
        assert later in [j.job_id for j in s.room.reading.snapshots()]
        (mount / "filler").unlink()
        s.clock.advance(10.0)
        assert s.room.warnings == []
        await s.room.stop()
        again = await open_room(mount, disk=True)
        assert len(again.room.reading.transcript(job, item.recording_id).segments) == 400
        assert later in [j.job_id for j in again.room.reading.snapshots()]
        await again.room.stop()

    asyncio.run(run())


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: os.urandom(len(data)),
        lambda data: data[: len(data) // 2],
        # Page 2 is a map whose end is not used yet.
        lambda data: data[:9000] + os.urandom(3000) + data[12000:],
        lambda data: b"not a database",
    ],
    ids=["random", "truncated", "holes", "text"],
)
def test_f12_damaged_journal_is_put_aside(tmp_path: Path, damage: object) -> None:
    """A journal that cannot be read is renamed, a fresh one started, and people are told."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    for n in range(50):
        journal.save_job(make_job(f"j{n}"))
    journal.close()
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    state = opened(tmp_path)
    ((code, message),) = state.warnings
    (aside,) = tmp_path.glob("journal.db.unusable-*")
    assert code == "journal_quarantined"
    assert aside.name in message
    state.journal.save_job(make_job())
    assert len(state.journal.restore().jobs) == 1
    state.close()


def test_f12_journal_of_a_newer_version_is_put_aside(tmp_path: Path) -> None:
    """An old program does not write into what a newer one left, and says which is which."""
    journal = SqliteJournal(tmp_path / "journal.db")
    journal._db.execute(f"PRAGMA user_version={VERSION + 1}")
    journal.close()
    state = opened(tmp_path)
    assert "newer version" in state.warnings[0][1]
    assert state.journal.durable
    state.close()


def test_f13_unwritable_folder_means_memory(tmp_path: Path) -> None:
    """A state folder that cannot be made is replaced by memory, with one line that says why."""
    (tmp_path / "file").write_text("in the way")
    state = opened(tmp_path / "file" / "state")
    assert not state.journal.durable
    assert [code for code, _ in state.warnings] == ["state_unwritable"]
    path = state.path
    state.close()
    assert not path.exists()


def test_f13_read_only_disk_means_memory(mount: Path) -> None:
    """The same for a disk mounted read-only."""
    libc = ctypes.CDLL(None)
    read_only, remount = 1, 32
    assert libc.mount(None, os.fsencode(mount), None, read_only | remount, None) == 0
    state = opened(mount / "state")
    assert not state.journal.durable
    assert [code for code, _ in state.warnings] == ["state_unwritable"]
    state.close()


def test_f13_network_file_system_means_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite's locks cannot be trusted over a network, so nothing durable is promised there."""
    monkeypatch.setattr(state_folder, "file_system", lambda path: "nfs4")
    state = opened(tmp_path / "state")
    assert not state.journal.durable
    assert "nfs4" in state.warnings[0][1]
    state.close()


def test_file_system_of_a_path(tmp_path: Path) -> None:
    """The longest mount point decides, spaces in its name and later mounts included."""
    inner = tmp_path / "my drive"
    inner.mkdir()
    mounts = tmp_path / "mounts"
    escaped = str(inner).replace(" ", "\\040")
    mounts.write_text(f"disk / ext4 rw 0 0\nserver:/x {escaped} nfs4 rw 0 0\n")
    assert file_system(inner / "state", mounts) == "nfs4"
    assert file_system(tmp_path, mounts) == "ext4"
    assert file_system(tmp_path, tmp_path / "none") == ""


HOLDER = """
import sys
from hybrid_transcribe.config import Settings
from hybrid_transcribe.jobs.state_folder import open_state
state = open_state(Settings.load())
print(state.path, flush=True)
sys.stdin.read()
"""


def test_two_processes_never_share_a_folder(tmp_path: Path) -> None:
    """A folder held by a live process is refused by name; a dead one's is free at once."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "HYBRID_TRANSCRIBE_STATE_DIR": str(tmp_path)},
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StateFolderBusy, match=str(tmp_path)):
            opened(tmp_path)
        holder.kill()
        holder.wait()
    opened(tmp_path).close()


def test_default_folders_are_one_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two notebooks without a folder of their own get different ones, the first one first."""
    monkeypatch.setattr(state_folder.platformdirs, "user_state_dir", lambda *_: str(tmp_path))
    first, second = open_state(Settings()), open_state(Settings())
    assert [first.path.name, second.path.name] == ["default", "default-2"]
    first.close()
    again = open_state(Settings())
    assert again.path.name == "default"
    again.close()
    second.close()


def test_a_dead_process_leaves_its_jobs_to_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs of a second notebook that was killed come back in whichever one starts next."""
    monkeypatch.setattr(state_folder.platformdirs, "user_state_dir", lambda *_: str(tmp_path))
    first, second = open_state(Settings()), open_state(Settings())
    upload = second.uploads / "x.wav"
    upload.write_bytes(b"sound")
    job = make_job("left", 2)
    mine = replace(job.recordings[0], path=str(upload), owned=True, n_segments=1)
    job = replace(job, recordings=(mine, job.recordings[1]))
    second.journal.save_job(job)
    second.journal.add_segment(mine, 0, Segment(0, 1, "heard"))
    first.journal.save_job(make_job("own"))
    for state in (first, second):
        state.close()
    heir = open_state(Settings())
    assert [j.job_id for j in heir.journal.restore().jobs] == ["own", "left"]
    assert [s.text for s in heir.journal.segments(mine.recording_id)] == ["heard"]
    path = Path(heir.journal.restore().jobs[1].recordings[0].path)
    assert (path.parent, path.read_bytes()) == (heir.uploads, b"sound")
    heir.close()
    again = open_state(Settings())
    assert len(again.journal.restore().jobs) == 2
    again.close()


def test_only_our_own_uploads_are_swept(tmp_path: Path) -> None:
    """A folder that people have files in may be named: theirs stay, and so do its rights."""
    uploads = tmp_path / "project" / "uploads"
    uploads.mkdir(parents=True)
    (tmp_path / "project").chmod(0o755)
    (tmp_path / "project" / "notes.txt").write_text("theirs")
    theirs, ours = uploads / "interview.m4a", uploads / f"{'0' * 32}.wav"
    for path in (theirs, ours):
        path.write_bytes(b"x")
    state = opened(tmp_path / "project")
    state.sweep(set())
    assert (theirs.exists(), ours.exists()) == (True, False)
    assert (tmp_path / "project").stat().st_mode & 0o777 == 0o755
    assert uploads.stat().st_mode & 0o777 == 0o700
    state.close()


def test_nothing_is_swept_after_a_quarantine(tmp_path: Path) -> None:
    """The uploads of a journal that was put aside may still be wanted."""
    (tmp_path / "journal.db").write_bytes(b"not a database")
    (tmp_path / "uploads").mkdir()
    upload = tmp_path / "uploads" / f"{'0' * 32}.wav"
    upload.write_bytes(b"x")
    state = opened(tmp_path)
    state.sweep(set())
    assert upload.exists()
    state.close()


def test_the_folder_is_private(tmp_path: Path) -> None:
    """Other users of the machine cannot read transcripts or session ids."""
    state = opened(tmp_path / "state")
    assert state.path.stat().st_mode & 0o077 == 0
    state.close()
