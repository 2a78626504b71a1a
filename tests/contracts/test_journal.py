"""Every journal keeps what the seam promises; only one of them after this process is gone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_transcribe.errors import JournalUnusable
from hybrid_transcribe.interfaces import Journal, JournalChanges
from hybrid_transcribe.jobs import journal_sqlite
from hybrid_transcribe.jobs.journal_memory import MemoryJournal
from hybrid_transcribe.jobs.journal_sqlite import VERSION, SqliteJournal
from hybrid_transcribe.revision_types import DocumentDelta, RevisionInfo, RevisionText
from hybrid_transcribe.types import ErrorInfo, Rejection, Segment, Speaker, State, Word
from tests.jobs.conftest import make_job

JOURNALS: dict[str, Callable[[Path], Journal]] = {
    "memory": lambda folder: MemoryJournal(),
    "sqlite": lambda folder: SqliteJournal(folder / "journal.db"),
}


@pytest.fixture(params=JOURNALS)
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    instance = JOURNALS[request.param](tmp_path)
    yield instance
    instance.close()
    instance.close()


def test_jobs_come_back_in_order_and_whole(journal: Journal) -> None:
    """Jobs with recordings, rejections and errors are restored as they were saved."""
    first = make_job("zz", 3, rejected=(Rejection("x", ErrorInfo("c", "m")),), kept=True)
    second = make_job("aa")
    journal.save_job(first)
    journal.save_job(second)
    assert journal.restore().jobs == (first, second)


def test_saving_again_keeps_the_place(journal: Journal) -> None:
    """A job that changed stays where it was in the order."""
    for name in ("a", "b"):
        journal.save_job(make_job(name))
    journal.save_job(make_job("a", kept=True))
    assert [(j.job_id, j.kept) for j in journal.restore().jobs] == [("a", True), ("b", False)]


def test_a_recording_is_replaced(journal: Journal) -> None:
    """The latest state of a recording is what comes back."""
    job = make_job(n=2)
    journal.save_job(job)
    changed = replace(job.recordings[1], state=State.FAILED, error=ErrorInfo("x", "why"))
    journal.save_recording(changed)
    assert journal.restore().jobs[0].recordings == (job.recordings[0], changed)


def test_segments_are_kept_once_and_in_order(journal: Journal) -> None:
    """A segment said twice is one; they come back by index, with the progress they mean."""
    job = make_job()
    journal.save_job(job)
    recording = job.recordings[0]
    words = (Word(0.0, 0.5, "olá", 0.9),)
    for index in (1, 0, 1):
        moved = replace(recording, n_segments=index + 1)
        segment = Segment(float(index), index + 1.0, f"t{index}", words)
        journal.add_segment(moved, index, segment)
    result = journal.segments(recording.recording_id)
    assert [s.text for s in result] == ["t0", "t1"]
    assert result[0].words == words
    assert journal.restore().jobs[0].recordings[0].n_segments == 2


def test_deleting_leaves_nothing(journal: Journal) -> None:
    """A deleted job takes its segments along, and only its own."""
    for name in ("a", "b"):
        job = make_job(name)
        journal.save_job(job)
        journal.add_segment(job.recordings[0], 0, Segment(0, 1, name))
    journal.delete_job("a")
    journal.delete_job("never there")
    assert [j.job_id for j in journal.restore().jobs] == ["b"]
    assert journal.segments("a-0") == ()
    assert len(journal.segments("b-0")) == 1


def test_some_recordings_of_a_job_can_go(journal: Journal) -> None:
    """With their segments; the job and its other recordings stay, whatever was to be written."""
    job = make_job(n=3)
    journal.save_job(job)
    for recording in job.recordings:
        journal.add_segment(recording, 0, Segment(0, 1, recording.recording_id))
    changes = JournalChanges()
    changes.save_recording(replace(job.recordings[0], state=State.CANCELED))
    changes.add_segment(job.recordings[0], 1, Segment(1, 2, "late"))
    changes.delete_recordings(["j1-0", "j1-2", "never there"])
    assert changes
    journal.write(changes)
    (remaining,) = journal.restore().jobs
    assert remaining.recordings == (job.recordings[1],)
    assert journal.segments("j1-0") == journal.segments("j1-2") == ()
    assert len(journal.segments("j1-1")) == 1


def test_dropped_segments_are_gone(journal: Journal) -> None:
    """A retry that starts afresh starts without text."""
    job = make_job()
    journal.save_job(job)
    journal.add_segment(job.recordings[0], 0, Segment(0, 1, "x"))
    journal.drop_segments("j1-0")
    assert journal.segments("j1-0") == ()


def test_facts(journal: Journal) -> None:
    """Small values are kept by name, the latest wins."""
    journal.save_fact("speeds", {"a": [1.0]})
    journal.save_fact("speeds", {"a": [2.0]})
    assert journal.restore().facts == {"speeds": {"a": [2.0]}}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(text=st.text(st.characters(codec="utf-8")))
def test_any_text_survives(journal: Journal, text: str) -> None:
    """Whatever people say or name their files, it comes back unchanged."""
    job = make_job()
    named = replace(job, recordings=(replace(job.recordings[0], name=text),))
    journal.save_job(named)
    journal.add_segment(named.recordings[0], 0, Segment(0, 1, text))
    assert journal.restore().jobs[0].recordings[0].name == text
    assert journal.segments("j1-0")[0].text == text


def test_sqlite_survives_without_being_closed(tmp_path: Path) -> None:
    """What was saved is there for the next process, even if this one never closed its file."""
    first = SqliteJournal(tmp_path / "journal.db")
    first.save_job(make_job())
    second = SqliteJournal(tmp_path / "journal.db")
    assert len(second.restore().jobs) == 1
    first.close()
    second.close()


def test_what_is_null_anyway_is_not_written(tmp_path: Path) -> None:
    """Half of a row; what is not null by default stays, and so do texts that look like it."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    job = make_job()
    odd = replace(job.recordings[0], name='a,"spec":null,"note":null}', percentage=None, note=None)
    journal.save_job(replace(job, recordings=(odd,)))
    (body,) = journal._db.execute("SELECT body FROM recordings").fetchone()
    assert b'"note":null' not in body
    assert b'"percentage":null' in body
    assert len(body) < 800
    journal.close()
    again = SqliteJournal(path)
    assert again.restore().jobs[0].recordings == (odd,)
    again.close()


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    """Using the file after closing it is a typed error."""
    closed = SqliteJournal(tmp_path / "journal.db")
    closed.close()
    with pytest.raises(JournalUnusable):
        closed.save_job(make_job())


def _revision(number: int, text: str) -> tuple[RevisionInfo, RevisionText]:
    speakers = (Speaker("S1", "Ana", "#aa0000"),)
    words = (Word(0.0, 0.5, "olá", 0.9, "S1"),)
    segment = Segment(0.0, 1.0, text, words, speaker="S1", id="1.0")
    info = RevisionInfo(number, "person", "Ana", 12.5, number - 1, 1, "named", None, 1)
    return info, RevisionText(
        number, 1, 0, False, DocumentDelta((segment,), ("1.0", "e1.0"), speakers)
    )


def test_revisions_are_kept_by_number(journal: Journal) -> None:
    """Each with who made it and what it changes, ids too, and the recording as it then is."""
    job = make_job()
    journal.save_job(job)
    after = replace(job.recordings[0], revision=2, revision_run=1, edited=True)
    rows = {number: _revision(number, f"text {number}") for number in range(3)}
    for number in (1, 0, 2):
        journal.add_revision(after, *rows[number])
    assert journal.revision_infos("j1-0") == {n: info for n, (info, _) in rows.items()}
    assert list(journal.revision_infos("j1-0")) == [0, 1, 2]
    assert journal.revision_texts("j1-0", 1, 2) == {1: rows[1][1], 2: rows[2][1]}
    assert journal.revision_texts("j1-0", 2, 2)[2].delta.segments[0].id == "1.0"  # type: ignore[union-attr]
    assert journal.revision_texts("j1-0", 7, 9) == journal.revision_infos("j1-1") == {}
    assert journal.restore().jobs[0].recordings == (after,)
    assert journal.restore().n_revisions_missing == {}


def test_revisions_go_with_their_recording(journal: Journal) -> None:
    """With a job and with one recording, written or about to be; those of others stay."""
    for name in ("a", "b"):
        job = make_job(name, 2)
        journal.save_job(job)
        for recording in job.recordings:
            journal.add_revision(recording, *_revision(1, name))
    journal.delete_job("a")
    changes = JournalChanges()
    changes.add_revision(make_job("b", 2).recordings[0], *_revision(2, "late"))
    changes.delete_recordings(["b-0"])
    journal.write(changes)
    assert [len(journal.revision_infos(i)) for i in ("a-0", "a-1", "b-0", "b-1")] == [0, 0, 0, 1]
    assert journal.revision_texts("a-0", 0, 9) == journal.revision_texts("b-0", 0, 9) == {}


def test_a_revision_and_its_recording_are_one_change(journal: Journal) -> None:
    """Also where several of one recording wait: the latest state of the recording is saved."""
    job = make_job()
    journal.save_job(job)
    changes = JournalChanges()
    for number in (1, 2):
        after = replace(job.recordings[0], revision=number)
        changes.add_revision(after, *_revision(number, str(number)))
    assert bool(changes)
    journal.write(changes)
    assert list(journal.revision_infos("j1-0")) == [1, 2]
    assert journal.restore().jobs[0].recordings[0].revision == 2


@pytest.mark.parametrize(
    ("column", "infos", "texts"), [("info", [0, 2], [0, 1, 2]), ("body", [0, 1, 2], [0, 2])]
)
def test_a_damaged_revision_costs_what_is_in_it(
    tmp_path: Path, column: str, infos: list[int], texts: list[int]
) -> None:
    """Who made it and what it says are read apart; all others are whole, and it is counted."""
    journal = SqliteJournal(tmp_path / "journal.db")
    job = make_job()
    journal.save_job(job)
    after = replace(job.recordings[0], revision=2)
    for number in range(3):
        journal.add_revision(after, *_revision(number, "word"))
    journal._db.execute(
        f"UPDATE revisions SET {column} = CAST(replace({column}, 'Ana', 'Eva') AS BLOB)"
        " WHERE revision = 1"
    )
    journal._restored = None
    assert [n for n, info in journal.revision_infos("j1-0").items() if info] == infos
    assert [n for n, text in journal.revision_texts("j1-0", 0, 9).items() if text] == texts
    assert journal.restore().n_revisions_missing == {"j1-0": 1}
    journal._db.execute("DELETE FROM revisions WHERE revision = 2")
    journal._restored = None
    assert journal.restore().n_revisions_missing == {"j1-0": 2}
    journal.close()


def test_what_a_person_wrote_outlives_the_rows_above_it(tmp_path: Path) -> None:
    """Where the rows of recording and job are damaged, its revisions are known, and it is kept."""
    journal = SqliteJournal(tmp_path / "journal.db")
    job = make_job()
    journal.save_job(job)
    journal.add_revision(job.recordings[0], *_revision(4, "word"))
    for table in ("jobs", "recordings"):
        journal._db.execute(f"UPDATE {table} SET crc = 0")
    journal._restored = None
    (restored,) = journal.restore().jobs
    assert (restored.kept, restored.recordings[0].revision) == (True, 4)
    assert restored.recordings[0].edited
    journal.close()


@pytest.mark.parametrize("version", [1, 2])
def test_older_formats_get_the_table_of_revisions(tmp_path: Path, version: int) -> None:
    """All or nothing: cut off before its end, the file is of the older format still."""
    path = tmp_path / "journal.db"
    _older(path, version)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(journal_sqlite, "_SCHEMA", f"{journal_sqlite._SCHEMA}; SELECT nothing;")
        with pytest.raises(JournalUnusable):
            SqliteJournal(path)
    db = sqlite3.connect(path)
    assert db.execute("PRAGMA user_version").fetchone() == (version,)
    assert db.execute("SELECT name FROM sqlite_master WHERE name = 'revisions'").fetchall() == []
    db.close()
    journal = SqliteJournal(path)
    (job,) = journal.restore().jobs
    assert [s.text for s in journal.segments("j1-0")] == ["olá"]
    assert (job.recordings[0].revision, job.recordings[0].edited) == (0, False)
    journal.add_revision(replace(job.recordings[0], revision=1), *_revision(1, "x"))
    journal.close()
    again = SqliteJournal(path)
    assert list(again.revision_infos("j1-0")) == [1]
    assert again._db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    again.close()


def _older(path: Path, version: int) -> None:
    """A journal as that version wrote it, with one job and one segment."""
    journal = SqliteJournal(path)
    job = make_job()
    journal.save_job(job)
    journal.add_segment(replace(job.recordings[0], n_segments=1), 0, Segment(0, 1, "olá"))
    journal._db.execute("DROP TABLE revisions")
    if version == 1:
        journal._db.execute("ALTER TABLE jobs DROP COLUMN crc")
        journal._db.execute("ALTER TABLE recordings DROP COLUMN crc")
        journal._db.executescript(
            "CREATE TABLE s (recording_id TEXT NOT NULL, place INTEGER NOT NULL,"
            " body BLOB NOT NULL, PRIMARY KEY (recording_id, place)) WITHOUT ROWID;"
            "INSERT INTO s SELECT recording_id, place, body FROM segments;"
            "DROP TABLE segments; ALTER TABLE s RENAME TO segments;"
        )
    journal._db.execute(f"PRAGMA user_version={version}")
    journal.close()
