"""The journal on disk: SQLite in WAL mode, one connection, used straight from the loop.

A commit with ``synchronous=NORMAL`` costs some 15 µs and survives the death of this process
(not of the machine's power, where the last moments may be lost, never the file). Rows are
JSON with a checksum, so that a field added later needs no migration and a damaged row costs what
is in it and nothing else; ``user_version`` rises when old code could no longer read new rows.

Uploads are journalled by their names: the state folder may be moved or mounted elsewhere.
"""

from __future__ import annotations

import os
import re
import sqlite3
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msgspec

from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import JournalDamaged, JournalUnusable
from hybrid_transcribe.interfaces import Journal, JournalChanges, Restored, RunKey
from hybrid_transcribe.jobs.stored_files import UPLOADS
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import DocumentDelta, RevisionInfo, RevisionText
from hybrid_transcribe.types import (
    ErrorInfo,
    JobSnapshot,
    Options,
    Recording,
    RunRecord,
    Segment,
    Speaker,
    Spec,
    State,
    Word,
)

#: 2 since segments belong to a run, and rows have checksums; 3 since texts have revisions.
VERSION = 3

_SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    job_id TEXT PRIMARY KEY, place INTEGER NOT NULL, body BLOB NOT NULL, crc INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS jobs_in_order ON jobs (place);
CREATE TABLE IF NOT EXISTS recordings (
    recording_id TEXT PRIMARY KEY, job_id TEXT NOT NULL, place INTEGER NOT NULL,
    body BLOB NOT NULL, crc INTEGER
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recordings_of_job ON recordings (job_id, place);
CREATE TABLE IF NOT EXISTS segments (
    recording_id TEXT NOT NULL, run INTEGER NOT NULL, place INTEGER NOT NULL,
    body BLOB NOT NULL, crc INTEGER,
    PRIMARY KEY (recording_id, run, place)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revisions (
    recording_id TEXT NOT NULL, revision INTEGER NOT NULL,
    info BLOB NOT NULL, info_crc INTEGER NOT NULL, body BLOB NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (recording_id, revision)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
"""

# From version 1: all there was are first runs; rows without a checksum are not checked.
_FROM_1 = """
ALTER TABLE jobs ADD COLUMN crc INTEGER;
ALTER TABLE recordings ADD COLUMN crc INTEGER;
ALTER TABLE segments RENAME TO segments_1;
CREATE TABLE segments (
    recording_id TEXT NOT NULL, run INTEGER NOT NULL, place INTEGER NOT NULL,
    body BLOB NOT NULL, crc INTEGER,
    PRIMARY KEY (recording_id, run, place)
) WITHOUT ROWID;
INSERT INTO segments SELECT recording_id, 1, place, body, NULL FROM segments_1;
DROP TABLE segments_1;
"""

#: Pages (4 KiB) that are given back to the disk at once: some 10 ms.
SHRINK_PAGES = 256

#: To what size the file of the last changes is cut when they are in the other.
MOST_WAL_BYTES = 4 << 20

_INCREMENTAL = 2

#: Texts of revisions from this size on are compressed. JSON begins otherwise.
LONG_BYTES, _ZLIB = 1 << 14, b"x"

#: How long opening waits for another program's lock, in seconds. Once open, nothing waits here:
#: this is the loop's thread.
OPEN_WAIT_S = 5.0

_encode = msgspec.json.Encoder().encode
_job = msgspec.json.Decoder(JobSnapshot)
_recording = msgspec.json.Decoder(Recording)
_segment = msgspec.json.Decoder(Segment)
_info = msgspec.json.Decoder(RevisionInfo)
_text = msgspec.json.Decoder(RevisionText)

#: The tables that have rows of a recording.
_OF_RECORDING = ("segments", "revisions", "recordings")

#: What stands in for a spec that cannot be read: no engine has that name.
UNREADABLE = Spec("unreadable", "unreadable")


class SqliteJournal(Journal):
    """Raises JournalUnusable when the file is damaged, foreign, locked or from a newer version."""

    durable = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self._uploads = path.parent / UPLOADS
        self._closed = False
        # All of it, as long as nothing was written since: opening and starting both want it.
        self._restored: Restored | None = None
        with _translated():
            _make_private(path)
            self._db = sqlite3.connect(
                path, timeout=OPEN_WAIT_S, isolation_level=None, check_same_thread=False
            )
        try:
            self._open()
        except BaseException:
            self._db.close()
            raise

    def _open(self) -> None:
        with _translated():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > VERSION:
                raise JournalUnusable(
                    UserMessage("journal_newer", name=self.path.name, n=version, most=VERSION)
                )
            if version == 0:
                # Of a file without tables: what was deleted can be given back, see `shrink`.
                self._db.execute("PRAGMA auto_vacuum=INCREMENTAL")
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute(f"PRAGMA journal_size_limit={MOST_WAL_BYTES}")
            self._db.execute("PRAGMA synchronous=NORMAL")
            problem = self._db.execute("PRAGMA quick_check(1)").fetchone()[0]
            if problem != "ok":
                raise JournalUnusable(
                    UserMessage("journal_is_damaged", name=self.path.name, why=problem)
                )
            self._make_tables(version)
            self._db.execute("PRAGMA busy_timeout=0")

    def _make_tables(self, version: int) -> None:
        """The tables of this version, made or migrated: all or nothing."""
        if version == VERSION:
            return
        with self._commit() as db:
            for script in (_FROM_1 if version == 1 else "", _SCHEMA):
                # `executescript` would commit in between.
                for command in filter(str.strip, script.split(";")):
                    db.execute(command)
            db.execute(f"PRAGMA user_version={VERSION}")

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

    # ---------------------------------------------------------------------- reading

    def restore(self) -> Restored:
        if self._restored is None:
            try:
                self._restored = self._read_all()
            except (TypeError, ValueError, AttributeError) as error:
                # Whole pages in each other's place pass SQLite's own check.
                raise JournalUnusable(
                    UserMessage("journal_is_damaged", name=self.path.name, why=error)
                ) from error
        return self._restored

    def _read_all(self) -> Restored:
        damaged: list[str] = []
        with _translated():
            recordings = self._recordings(damaged)
            jobs = [
                _with_recordings(job, recordings.pop(job.job_id, ())) for job in self._jobs(damaged)
            ]
            # None is ever accepted without recordings.
            damaged += [f"job {job.job_id[:8]}" for job in jobs if not job.recordings]
            # Recordings whose job's row is not there any more.
            for job_id, orphans in recordings.items():
                damaged.append(f"job {job_id[:8]}")
                jobs.append(_with_recordings(_unreadable_job(job_id), orphans))
            facts = self._facts(damaged)
            n_missing = self._n_missing(jobs)
            n_revisions_missing = self._n_revisions_missing(jobs)
        return Restored(tuple(jobs), facts, tuple(damaged), n_missing, n_revisions_missing)

    def _jobs(self, damaged: list[str]) -> Iterator[JobSnapshot]:
        # By the table alone: a damaged index would hide rows. Hence also no ORDER BY.
        rows = self._db.execute("SELECT job_id, place, body, crc FROM jobs NOT INDEXED")
        for job_id, _, body, crc in sorted(rows, key=lambda row: row[1]):
            try:
                yield _decoded(_job, body, crc)
            except JournalDamaged:
                damaged.append(f"job {job_id[:8]}")
                yield _unreadable_job(job_id)

    def _recordings(self, damaged: list[str]) -> dict[str, list[Recording]]:
        """By job, in order."""
        by_job: dict[str, list[Recording]] = {}
        for recording_id, job_id, place, body, crc in self._db.execute(
            "SELECT recording_id, job_id, place, body, crc FROM recordings NOT INDEXED"
        ):
            try:
                recording = self._localized(_decoded(_recording, body, crc))
            except JournalDamaged as error:
                recording = self._unreadable_recording(recording_id, job_id, place, error)
                damaged.append(recording.name)
            # What the row says of itself has a checksum; its keys have none.
            by_job.setdefault(recording.job_id, []).append(recording)
        return {
            job_id: sorted(recordings, key=lambda r: r.index)
            for job_id, recordings in by_job.items()
        }

    def _localized(self, recording: Recording) -> Recording:
        """An upload's path in this folder, wherever the folder lay when it was written."""
        if not recording.owned:
            return recording
        return replace(recording, path=str(self._uploads / _file_name(recording.path)))

    def _unreadable_recording(
        self, recording_id: str, job_id: str, place: int, error: JournalDamaged
    ) -> Recording:
        """What stands in for it: failed, with what text there is."""
        counts = self._db.execute(
            "SELECT run, max(place) + 1 FROM segments WHERE recording_id = ?"
            " GROUP BY run ORDER BY run DESC LIMIT 1",
            (recording_id,),
        ).fetchone()
        run, n_segments = counts or (1, 0)
        (revision,) = self._db.execute(
            "SELECT coalesce(max(revision), 0) FROM revisions WHERE recording_id = ?",
            (recording_id,),
        ).fetchone()
        return Recording(
            recording_id=recording_id,
            job_id=job_id,
            index=place,
            name=f"recording {recording_id[:8]}",
            path="",
            state=State.FAILED,
            error=error.info(),
            run=run,
            n_segments=n_segments,
            revision=revision,
            # Nobody knows; what a person may have written stays until a person says otherwise.
            edited=revision > 0,
        )

    def _facts(self, damaged: list[str]) -> dict[str, Any]:
        facts = {}
        for name, body in self._db.execute("SELECT name, body FROM facts"):
            try:
                facts[name] = msgspec.json.decode(body)
            except (msgspec.MsgspecError, UnicodeDecodeError, TypeError):
                damaged.append(f"fact {name!a}")
        return facts

    def _n_missing(self, jobs: list[JobSnapshot]) -> dict[RunKey, int]:
        """How many segments of each run are gone or damaged, where any are."""
        readable: Counter[RunKey] = Counter()
        for recording_id, run, body, crc in self._db.execute(
            "SELECT recording_id, run, body, crc FROM segments"
        ):
            readable[recording_id, run] += _is_intact(body, crc)
        missing: dict[RunKey, int] = {}
        for recording in (r for job in jobs for r in job.recordings):
            n_of_run = {r.run: r.n_segments for r in recording.runs}
            n_of_run[recording.run] = recording.n_segments
            for run, n_segments in n_of_run.items():
                key = (recording.recording_id, run)
                if n_segments > readable[key]:
                    missing[key] = n_segments - readable[key]
        return missing

    def _n_revisions_missing(self, jobs: list[JobSnapshot]) -> dict[str, int]:
        """How many revisions of each recording are gone or damaged, where any are."""
        readable: Counter[str] = Counter()
        for recording_id, info, info_crc, body, crc in self._db.execute(
            "SELECT recording_id, info, info_crc, body, crc FROM revisions"
        ):
            readable[recording_id] += _is_intact(info, info_crc) and _is_intact(body, crc)
        # One that has no revision but the engine's has no row of it.
        recordings = (r for job in jobs for r in job.recordings if r.revision)
        missing = {r.recording_id: r.revision + 1 - readable[r.recording_id] for r in recordings}
        return {recording_id: n for recording_id, n in missing.items() if n > 0}

    def segment_rows(self, recording_id: str, run: int = 1) -> dict[int, Segment | None]:
        with _translated():
            rows = self._db.execute(
                "SELECT place, body, crc FROM segments WHERE recording_id = ? AND run = ?"
                " ORDER BY place",
                (recording_id, run),
            ).fetchall()
        return {place: _decoded_or_none(_segment, body, crc) for place, body, crc in rows}

    def revision_infos(self, recording_id: str) -> dict[int, RevisionInfo | None]:
        with _translated():
            rows = self._db.execute(
                "SELECT revision, info, info_crc FROM revisions WHERE recording_id = ?"
                " ORDER BY revision",
                (recording_id,),
            ).fetchall()
        return _numbered(_info, rows)

    def revision_texts(
        self, recording_id: str, first: int, last: int
    ) -> dict[int, RevisionText | None]:
        with _translated():
            rows = self._db.execute(
                "SELECT revision, body, crc FROM revisions"
                " WHERE recording_id = ? AND revision BETWEEN ? AND ? ORDER BY revision",
                (recording_id, first, last),
            ).fetchall()
        return _numbered(_text, rows)

    # ---------------------------------------------------------------------- writing

    def write(self, changes: JournalChanges) -> None:
        self._restored = None
        with self._commit() as db:
            for job_id in changes.deleted:
                self._delete(db, job_id)
            for table in _OF_RECORDING:
                db.executemany(
                    f"DELETE FROM {table} WHERE recording_id = ?",  # noqa: S608 - our own names
                    [(recording_id,) for recording_id in changes.deleted_recordings],
                )
            db.executemany(
                "DELETE FROM segments WHERE recording_id = ? AND run = ?", list(changes.dropped)
            )
            db.executemany(
                "INSERT INTO jobs VALUES (?, (SELECT coalesce(max(place), 0) + 1 FROM jobs), ?, ?)"
                " ON CONFLICT (job_id) DO UPDATE SET body = excluded.body, crc = excluded.crc",
                [(job.job_id, *_encoded(job)) for job in changes.jobs.values()],
            )
            db.executemany(
                # Not REPLACE, which would also write both entries of the index anew.
                "INSERT INTO recordings VALUES (?, ?, ?, ?, ?) ON CONFLICT (recording_id)"
                " DO UPDATE SET body = excluded.body, crc = excluded.crc",
                # In the order of the table: thousands take half the time.
                [
                    changes.encoded.get(recording_id) or self.encoded(recording)
                    for recording_id, recording in sorted(changes.recordings.items(), key=_id)
                ],
            )
            db.executemany(
                "INSERT OR REPLACE INTO segments VALUES (?, ?, ?, ?, ?)",
                [
                    (recording_id, run, index, *_encoded(segment, b',"id":""'))
                    for (recording_id, run), segments in changes.segments.items()
                    for index, segment in segments.items()
                ],
            )
            db.executemany(
                "INSERT OR REPLACE INTO revisions VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (recording_id, number, *_encoded(info), *_encoded_text(text))
                    for recording_id, revisions in changes.revisions.items()
                    for number, (info, text) in revisions.items()
                ],
            )
            db.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                [(name, _encode(value)) for name, value in changes.facts.items()],
            )

    def encoded(self, recording: Recording) -> tuple[object, ...]:
        body = _encoded(_by_name(recording))
        return (recording.recording_id, recording.job_id, recording.index, *body)

    def _delete(self, db: sqlite3.Connection, job_id: str) -> None:
        for table in _OF_RECORDING:
            db.execute(
                f"DELETE FROM {table} WHERE recording_id IN"  # noqa: S608 - our own names
                " (SELECT recording_id FROM recordings WHERE job_id = ?)",
                (job_id,),
            )
        db.execute("DELETE FROM jobs WHERE job_id = ?", (job_id,))

    def shrink(self) -> bool:
        with _translated():
            if self._db.execute("PRAGMA auto_vacuum").fetchone()[0] != _INCREMENTAL:
                return False
            # It has rows without columns: `execute` would leave it after the first page.
            self._db.executescript(f"PRAGMA incremental_vacuum({SHRINK_PAGES})")
            return bool(self._db.execute("PRAGMA freelist_count").fetchone()[0])

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._db.close()


def _make_private(path: Path) -> None:
    """Make the file before SQLite does, whose own gets the rights of the umask.

    What SQLite puts beside it gets those of the file. Raises OSError.
    """
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _id(item: tuple[str, object]) -> str:
    return item[0]


def _encoded(
    value: JobSnapshot | Recording | Segment | RevisionInfo | RevisionText, without: bytes = b""
) -> tuple[bytes, int]:
    """Without nulls, and without that field, which is the default."""
    body = without_nulls(_encode(value))
    if without:
        body = body.replace(without, b"")
    return body, zlib.crc32(body)


def _encoded_text(text: RevisionText) -> tuple[bytes, int]:
    """As `_encoded`; long ones compressed, which takes less time than to write what it saves."""
    body = _encode(text)
    if len(body) < LONG_BYTES:
        body = without_nulls(body)
        return body, zlib.crc32(body)
    # The pattern alone takes three times as long for all the words of an hour.
    body = zlib.compress(without_nulls(body.replace(b',"speaker":null', b"")), 1)
    return body, zlib.crc32(body)


#: All that is in a row.
_ROW_TYPES: tuple[type[Any], ...] = (
    *(JobSnapshot, Recording, RunRecord, Segment, Word, Spec, Options, ErrorInfo),
    *(RevisionInfo, RevisionText, DocumentDelta, Speaker),
)


def _null_by_default() -> frozenset[str]:
    """Fields that are null where a row does not have them, in every class that has them."""
    null: set[str] = set()
    other: set[str] = set()
    for kind in _ROW_TYPES:
        for item in fields(kind):
            (null if item.default is None else other).add(item.name)
    return frozenset(null - other)


_NULL_BY_DEFAULT = _null_by_default()

# A quotation mark within a text has a backslash before it: this can only be a field.
_NULLS = re.compile(rb',"(\w+)":null(?=[,}])')


def without_nulls(body: bytes) -> bytes:
    """JSON of ours without what is null anyway: half of a row.

    >>> without_nulls(b'{"name":"x","note":null,"percentage":null,"spec":null}')
    b'{"name":"x","percentage":null}'
    """
    return _NULLS.sub(
        lambda result: b"" if result[1].decode() in _NULL_BY_DEFAULT else result[0], body
    )


def _is_intact(body: Any, crc: int | None) -> bool:
    """Rows of format 1 have no checksum. What was damaged may be no bytes any more."""
    return isinstance(body, bytes) and (crc is None or zlib.crc32(body) == crc)


def _decoded(decoder: msgspec.json.Decoder[Any], body: Any, crc: int | None) -> Any:
    """Raises JournalDamaged."""
    try:
        if not _is_intact(body, crc):
            raise JournalDamaged(UserMessage("row_damaged", text="checksum"))
        return decoder.decode(zlib.decompress(body) if body.startswith(_ZLIB) else body)
    except (msgspec.MsgspecError, UnicodeDecodeError, TypeError, zlib.error) as error:
        raise JournalDamaged(UserMessage("row_damaged", text=error)) from error


def _decoded_or_none(decoder: msgspec.json.Decoder[Any], body: Any, crc: int | None) -> Any:
    try:
        return _decoded(decoder, body, crc)
    except JournalDamaged:
        return None


def _numbered(
    decoder: msgspec.json.Decoder[Any], rows: Iterable[tuple[int, Any, int | None]]
) -> dict[int, Any]:
    """Revisions by number; None where one cannot be read, or says that it is another."""
    values = {number: _decoded_or_none(decoder, body, crc) for number, body, crc in rows}
    return {n: value if value and value.revision == n else None for n, value in values.items()}


def _by_name(recording: Recording) -> Recording:
    if not recording.owned:
        return recording
    return replace(recording, path=_file_name(recording.path))


def _file_name(path: str) -> str:
    """The last part, also of a path that another system wrote."""
    return re.split(r"[\\/]", path)[-1]


def _with_recordings(job: JobSnapshot, recordings: Iterable[Recording]) -> JobSnapshot:
    items = tuple(recordings)
    # Nobody knows whether it was kept: what a person wrote is.
    kept = job.kept or (job.spec == UNREADABLE and any(r.edited for r in items))
    return replace(job, recordings=items, kept=kept)


def _unreadable_job(job_id: str) -> JobSnapshot:
    """What stands in for a job: nobody's but the owner's of the whole service."""
    return JobSnapshot(job_id=job_id, session_id=new_id(), spec=UNREADABLE, recordings=())


@contextmanager
def _translated() -> Iterator[None]:
    """SQLite's complaints as JournalUnusable."""
    try:
        yield
    except (sqlite3.Error, msgspec.MsgspecError, UnicodeError) as error:
        raise JournalUnusable(
            UserMessage("labelled", label=type(error).__name__, why=error)
        ) from error


#: Complaints of SQLite that pass: a lock is released, a disk gets room or comes back. A read-only
#: journal is one whose rights were changed, or whose disk was mounted again.
_PASSING = ("locked", "busy", "full", "disk I/O", "readonly", "unable to open")


def is_passing(error: JournalUnusable) -> bool:
    """True where the same journal may be writable later."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.OperationalError) and any(
        hint in str(cause) for hint in _PASSING
    )


def is_locked(error: JournalUnusable) -> bool:
    """True where another program holds a lock."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.OperationalError) and "locked" in str(cause)
