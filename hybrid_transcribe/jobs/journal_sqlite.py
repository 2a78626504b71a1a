"""The journal on disk: SQLite in WAL mode, one connection, used straight from the loop.

A commit with ``synchronous=NORMAL`` costs some 15 µs and survives the death of this process
(not of the machine's power, where the last moments may be lost, never the file). Rows are
JSON, so that a field added later needs no migration; ``user_version`` rises when old code
could no longer read new rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from hybrid_transcribe.errors import JournalUnusable
from hybrid_transcribe.interfaces import Journal, Restored
from hybrid_transcribe.types import JobSnapshot, Recording, Segment

VERSION = 1

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY, place INTEGER NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_in_order ON jobs (place);
CREATE TABLE IF NOT EXISTS recordings (
    recording_id TEXT PRIMARY KEY, job_id TEXT NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recordings_of_job ON recordings (job_id, place);
CREATE TABLE IF NOT EXISTS segments (
    recording_id TEXT NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (recording_id, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""

_encode = msgspec.json.Encoder().encode
_job = msgspec.json.Decoder(JobSnapshot)
_recording = msgspec.json.Decoder(Recording)
_segment = msgspec.json.Decoder(Segment)


class SqliteJournal(Journal):
    """Raises JournalUnusable when the file is damaged, foreign or from a newer version."""

    durable = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._closed = False
        with _translated():
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        try:
            self._open()
        except JournalUnusable:
            self._db.close()
            raise

    def _open(self) -> None:
        with _translated():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise JournalUnusable(
                    f"{self.path.name} was written by a newer version "
                    f"(format {version}, this one knows {VERSION})"
                )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            problem = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise JournalUnusable(f"{self.path.name} is damaged: {problem}")
            self._db.executescript(_SCHEMA)
            self._db.execute(f"PRAGMA user_version={VERSION}")

    @contextmanager
    def _commit(self) -> Iterator[sqlite3.Connection]:
        """All or nothing."""
        with _translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                # A full disk may have rolled back by itself already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def restore(self) -> Restored:
        with _translated():
            held: dict[str, list[Recording]] = {}
            for job_id, body in self._db.execute(
                "SELECT job_id, body FROM recordings ORDER BY job_id, place"
            ):
                held.setdefault(job_id, []).append(_recording.decode(body))
            jobs = tuple(
                replace(_job.decode(body), recordings=tuple(held.get(job_id, ())))
                for job_id, body in self._db.execute("SELECT job_id, body FROM jobs ORDER BY place")
            )
            facts = {
                name: msgspec.json.decode(body)
                for name, body in self._db.execute("SELECT name, body FROM facts")
            }
        return Restored(jobs, facts)

    def save_job(self, job: JobSnapshot) -> None:
        body = _encode(replace(job, recordings=()))
        with self._commit() as db:
            db.execute(
                "INSERT INTO jobs VALUES (?, (SELECT coalesce(max(place), 0) + 1 FROM jobs), ?)"
                " ON CONFLICT (job_id) DO UPDATE SET body = excluded.body",
                (job.job_id, body),
            )
            db.executemany(
                "INSERT OR REPLACE INTO recordings VALUES (?, ?, ?, ?)",
                [(r.recording_id, r.job_id, r.index, _encode(r)) for r in job.recordings],
            )

    def save_recording(self, recording: Recording) -> None:
        with self._commit() as db:
            self._put(db, recording)

    def _put(self, db: sqlite3.Connection, recording: Recording) -> None:
        db.execute(
            "UPDATE recordings SET body = ? WHERE recording_id = ?",
            (_encode(recording), recording.recording_id),
        )

    def add_segment(self, recording: Recording, index: int, segment: Segment) -> None:
        with self._commit() as db:
            db.execute(
                "INSERT OR REPLACE INTO segments VALUES (?, ?, ?)",
                (recording.recording_id, index, _encode(segment)),
            )
            self._put(db, recording)

    def segments(self, recording_id: str) -> tuple[Segment, ...]:
        with _translated():
            rows = self._db.execute(
                "SELECT body FROM segments WHERE recording_id = ? ORDER BY place", (recording_id,)
            )
            return tuple(_segment.decode(body) for (body,) in rows)

    def drop_segments(self, recording_id: str) -> None:
        with self._commit() as db:
            db.execute("DELETE FROM segments WHERE recording_id = ?", (recording_id,))

    def delete_job(self, job_id: str) -> None:
        with self._commit() as db:
            db.execute(
                "DELETE FROM segments WHERE recording_id IN"
                " (SELECT recording_id FROM recordings WHERE job_id = ?)",
                (job_id,),
            )
            db.execute("DELETE FROM recordings WHERE job_id = ?", (job_id,))
            db.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))

    def save_fact(self, name: str, value: Any) -> None:
        with self._commit() as db:
            db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, _encode(value)))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._db.close()


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's and the codec's complaints as JournalUnusable."""
    try:
        yield
    except (sqlite3.Error, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise JournalUnusable(f"{type(error).__name__}: {error}") from error
