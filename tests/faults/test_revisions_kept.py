"""Rows 53, 54, 57 and 119 for texts that people revised: what they wrote stays."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Job, Service
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import JournalDamaged, JournalUnusable
from hybrid_transcribe.jobs import state_folder
from hybrid_transcribe.jobs.journal_sqlite import VERSION, SqliteJournal
from hybrid_transcribe.jobs.state_folder import open_state
from hybrid_transcribe.revision_types import ReplaceText
from tests.jobs.managers import Stand, open_room
from tests.services import service, wavs

FIRST = "a.wav 0 a.wav 1 a.wav 2"


def edited(of: Service, folder: Path, n: int = 1) -> Job:
    """A job whose text a person changed so often."""
    job = of.submit(wavs(folder, "a"))
    job.result(30)
    for number in range(1, n + 1):
        replace_first(job, f"edit {number}")
    return job


def replace_first(job: Job, text: str) -> None:
    with job.edit(author="Ana") as edit:
        edit.replace_text(edit.transcript.segments[0], text)


def texts(job: Job) -> list[str]:
    return [job.transcript(revision=i.revision).text for i in job.revisions()]


def damage(state: Path, *statements: str) -> None:
    db = sqlite3.connect(state / "journal.db")
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


def test_revisions_survive_a_restart(tmp_path: Path) -> None:
    """Texts, authors, order, and that the job is kept; edits go on where they were."""
    with service(tmp_path / "state") as s:
        job = edited(s, tmp_path, 3)
        before, infos = texts(job), job.revisions()
    with service(tmp_path / "state") as s:
        again = s.job(job.job_id)
        assert (texts(again), again.revisions()) == (before, infos)
        assert again.snapshot().kept
        assert again.recordings[0].edited
        replace_first(again, "edit 4")
        assert texts(again) == [*before, "edit 4 a.wav 1 a.wav 2"]


def test_f119_a_damaged_revision(tmp_path: Path) -> None:
    """The nearest earlier one is read, which is said; the engine's text and its run are whole."""
    with service(tmp_path / "state") as s:
        job = edited(s, tmp_path, 4)
        at = (job.job_id, job.recordings[0].recording_id)
        before = texts(job)
    damage(tmp_path / "state", "UPDATE revisions SET body = x'00' WHERE revision = 3")
    with service(tmp_path / "state") as s:
        assert [code for code, _ in s.warnings] == ["journal_damaged"]
        transcript = s.transcript(*at)
        assert (transcript.revision, transcript.text) == (2, before[2])
        assert transcript.warnings[-1] == (
            "Revision 4 is damaged in the journal; this is revision 2."
        )
        assert [i.revision for i in s.revisions(*at)] == [0, 1, 2, 3, 4]
        assert s.transcript(*at, revision=0).text == FIRST
        with pytest.raises(JournalDamaged, match="Revision 3"):
            s.restore(*at, 3)
        # An edit of what was read stands on no damaged row.
        info = s.edit(*at, [ReplaceText("1.1", "more")], base_revision=transcript.revision)
        assert info.revision == 5
        assert s.transcript(*at).text == "edit 2 more a.wav 2"
    with service(tmp_path / "state") as s:
        assert s.transcript(*at).text == "edit 2 more a.wav 2"
        assert s.transcript(*at).warnings == ()


def test_f119_its_author_is_read_apart(tmp_path: Path) -> None:
    """Where only who made it is damaged, the text is whole."""
    with service(tmp_path / "state") as s:
        job = edited(s, tmp_path, 2)
        at = (job.job_id, job.recordings[0].recording_id)
    damage(tmp_path / "state", "UPDATE revisions SET info = x'00' WHERE revision IN (1, 2)")
    with service(tmp_path / "state") as s:
        assert [code for code, _ in s.warnings] == ["journal_damaged"]
        assert s.transcript(*at).text == "edit 2 a.wav 1 a.wav 2"
        assert s.transcript(*at, revision=1).text == "edit 1 a.wav 1 a.wav 2"
        assert [i.revision for i in s.revisions(*at)] == [0]


def test_f119_without_the_recordings_own_row(tmp_path: Path) -> None:
    """It is failed, as ever; with `partial` its latest revision is read, and it is kept."""
    with service(tmp_path / "state") as s:
        job = edited(s, tmp_path, 2)
        at = (job.job_id, job.recordings[0].recording_id)
    damage(
        tmp_path / "state",
        "UPDATE recordings SET body = x'00'",
        "UPDATE jobs SET body = x'00'",
    )
    with service(tmp_path / "state") as s:
        (found,) = s.snapshots()
        assert found.kept
        with pytest.raises(JournalDamaged):
            s.transcript(*at)
        assert s.transcript(*at, partial=True).text == "edit 2 a.wav 1 a.wav 2"
        with pytest.raises(JournalDamaged):
            s.edit(*at, [ReplaceText("1.0", "x")])


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Takes a lock on the journal, as a database browser does."""
    opened: list[sqlite3.Connection] = []

    def lock() -> sqlite3.Connection:
        # Released by a timer.
        other = sqlite3.connect(
            tmp_path / "state" / "journal.db", isolation_level=None, check_same_thread=False
        )
        opened.append(other)
        other.execute("BEGIN IMMEDIATE")
        return other

    yield lock
    for other in opened:
        other.close()


def test_f53_edits_while_the_journal_is_locked(
    tmp_path: Path, locked: Callable[[], sqlite3.Connection]
) -> None:
    """They are read back before they are written, and are there when the lock is gone."""
    with service(tmp_path / "state") as s:
        job = edited(s, tmp_path)
        other = locked()
        for number in (2, 3):
            replace_first(job, f"edit {number}")
        expected = [FIRST, *(f"edit {n} a.wav 1 a.wav 2" for n in (1, 2, 3))]
        assert texts(job) == expected
        s.do(lambda manager: manager.revisions.forget([job.recordings[0].recording_id]))
        assert job.transcript().text == expected[-1]
        other.execute("ROLLBACK")
        deadline = time.monotonic() + 60
        while s.warnings and time.monotonic() < deadline:
            time.sleep(0.05)
        assert s.warnings == ()
    with service(tmp_path / "state") as s:
        assert texts(s.job(job.job_id)) == expected


def test_f53_an_edit_is_acknowledged_when_it_is_written(
    tmp_path: Path, locked: Callable[[], sqlite3.Connection]
) -> None:
    """A short lock is waited for, as `submit` does."""
    with service(tmp_path / "state") as s:
        job = edited(s, tmp_path)
        other = locked()
        timer = threading.Timer(0.3, other.execute, ("ROLLBACK",))
        timer.start()
        replace_first(job, "edit 2")
        timer.join()
        db = sqlite3.connect(tmp_path / "state" / "journal.db")
        assert db.execute("SELECT max(revision) FROM revisions").fetchone() == (2,)
        db.close()


def test_f53_a_journal_that_is_begun_anew_takes_revisions_along(tmp_path: Path) -> None:
    """Damaged while it is used: the fresh one has every revision, the last edit too."""
    with service(tmp_path / "state") as s:
        job = edited(s, tmp_path, 2)
        original = SqliteJournal.write

        def broken(journal: SqliteJournal, changes: Any) -> None:
            SqliteJournal.write = original  # type: ignore[method-assign]
            try:
                raise sqlite3.DatabaseError("database disk image is malformed")
            except sqlite3.DatabaseError as error:
                raise JournalUnusable(str(error)) from error

        SqliteJournal.write = broken  # type: ignore[method-assign]
        replace_first(job, "edit 3")
        expected = texts(job)
        assert [code for code, _ in s.warnings] == ["journal_quarantined"]
    with service(tmp_path / "state") as s:
        assert texts(s.job(job.job_id)) == expected
        assert expected[-1] == "edit 3 a.wav 1 a.wav 2"
        assert s.transcript(job.job_id, job_recording(s, job), run=1).text == FIRST


def job_recording(of: Service, job: Job) -> str:
    return of.snapshot(job.job_id).recordings[0].recording_id


def test_f50_revisions_are_adopted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process with a default folder left behind, with all that people wrote."""
    monkeypatch.setattr(state_folder.platformdirs, "user_state_dir", lambda *_: str(tmp_path))
    first = open_state(Settings())
    second = open_state(Settings())
    other = second.path
    first.close()
    second.close()
    with service(other) as s:
        job = edited(s, tmp_path, 2)
        before, infos = texts(job), job.revisions()
    heir = open_state(Settings())
    (adopted,) = heir.journal.restore().jobs
    assert heir.path != other
    heir.close()
    with service(heir.path) as s:
        again = s.job(adopted.job_id)
        assert (texts(again), again.revisions()) == (before, infos)


def test_f57_a_journal_of_format_2_is_migrated(tmp_path: Path) -> None:
    """Its texts are revision 0, also of one that was transcribed twice, and can be edited."""
    with service(tmp_path / "state") as s:
        job = s.submit(wavs(tmp_path, "a"))
        job.result(30)
        job.retry(job.recordings[0].recording_id, language="pt")
        job.wait(30)
    # Format 2 knew nothing of revisions.
    journal = SqliteJournal(tmp_path / "state" / "journal.db")
    (recording,) = journal.restore().jobs[0].recordings
    journal.save_recording(replace(recording, revision=0, revision_run=None))
    journal.close()
    damage(tmp_path / "state", "DROP TABLE revisions", "PRAGMA user_version=2")
    with service(tmp_path / "state") as s:
        again = s.job(job.job_id)
        assert s.warnings == ()
        assert [(i.revision, i.run) for i in again.revisions()] == [(0, 2)]
        assert again.transcript(revision=0).language == "pt"
        replace_first(again, "edit 1")
    with service(tmp_path / "state") as s:
        assert texts(s.job(job.job_id)) == [FIRST, "edit 1 a.wav 1 a.wav 2"]
    db = sqlite3.connect(tmp_path / "state" / "journal.db")
    assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    db.close()


@pytest.mark.anyio
async def test_the_janitor_spares_what_a_person_wrote(tmp_path: Path) -> None:
    """Also after a restart, and however old: until `keep(False)`."""
    room = await open_room(tmp_path, disk=True)
    ids = []
    for _ in range(2):
        ids.append(await _completed(room))
    edit = [ReplaceText("1.0", "corrected")]
    (recording,) = room.recordings(ids[0])
    room.room.edit(ids[0], recording.recording_id, edit)
    room.clock.advance(10_000)
    assert [job.job_id for job in room.room.reading.snapshots()] == ids[:1]
    await room.room.stop()
    again = await open_room(tmp_path, disk=True)
    again.clock.advance(10_000)
    assert [job.job_id for job in again.room.reading.snapshots()] == ids[:1]
    again.room.keep(ids[0], False)
    again.clock.advance(10_000)
    assert again.room.reading.snapshots() == ()
    await again.room.stop()


async def _completed(room: Stand) -> str:
    job_id = await room.submit()
    (item,) = room.worker.items
    room.worker.begin(item)
    room.worker.hear(item, 0)
    room.worker.finish(item)
    room.worker.done()
    return job_id


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
