"""Rows 48 to 59: what was acknowledged is kept, and nothing finished is destroyed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from hybrid_transcribe import Service
from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core import scratch
from hybrid_transcribe.core.environment import needed
from hybrid_transcribe.errors import (
    EngineFailed,
    InvalidTransition,
    JournalUnusable,
    UnknownRecording,
)
from hybrid_transcribe.events import Event, Warned
from hybrid_transcribe.jobs import state_folder, stored_files
from hybrid_transcribe.jobs.journal_sqlite import VERSION, SqliteJournal
from hybrid_transcribe.jobs.state_folder import open_state
from hybrid_transcribe.rest.hosts.kernels import page_environment
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.testing import Script, tone, write_wav
from hybrid_transcribe.types import Options, State
from tests.jobs.conftest import make_job
from tests.jobs.managers import SPEC, Stand, open_room
from tests.messages import about
from tests.services import environment, service, wavs, worker_pid

DATA = Path(__file__).parents[1] / "data"


def upload(to: Service, name: str = "talk.wav") -> Uploaded:
    """A file that somebody sent."""
    path = to.uploads_dir / f"{os.urandom(16).hex()}.wav"
    return Uploaded(write_wav(path, tone(3.0)), name)


# ------------------------------------------------------- 48: the folder by another path


def _moved(folder: Path) -> Path:
    return folder.rename(folder.with_name("moved"))


def _linked(folder: Path) -> Path:
    link = folder.with_name("link")
    link.symlink_to(folder)
    return link


def _relative(folder: Path) -> Path:
    return Path(os.path.relpath(folder))


@pytest.mark.parametrize("changed", [_moved, _linked, _relative])
def test_f48_a_folder_by_another_path(tmp_path: Path, changed: Callable[[Path], Path]) -> None:
    """Moved, through a link or by a relative path: no upload is lost, waiting jobs are done."""
    state = tmp_path / "state"
    with service(state) as s:
        done = s.submit([upload(s)])
        done.result(30)
        gate = tmp_path / "gate"
        waiting = s.submit([upload(s)] * 1, model=Script(gate=str(gate)).model)
    gate.touch()
    with service(changed(state)) as s:
        assert s.job(waiting.job_id).result(30).text == "talk.wav 0 talk.wav 1 talk.wav 2"
        with s.open_audio(done.job_id, s.job(done.job_id).recordings[0].recording_id).file as file:
            assert file.read(4) == b"RIFF"
        assert len(list(s.uploads_dir.iterdir())) == 2


def test_f48_the_working_folder_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative folder is looked up once, however a notebook changes its own."""
    monkeypatch.chdir(tmp_path)
    with service(Path("state")) as s:
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")
        assert s.submit([upload(s)]).result(30).text.startswith("talk.wav 0")
        assert s.uploads_dir == tmp_path / "state" / "uploads"


# ---------------------------------------------------------------- 49: claimed by nobody


def test_f49_what_nobody_claims_is_put_aside_for_days(tmp_path: Path) -> None:
    """It is there when the journal that names it comes back; after a week it goes."""
    with service(tmp_path / "state") as s:
        job = s.submit([upload(s)])
        job.result(30)
    journal = tmp_path / "state" / "journal.db"
    shutil.move(journal, tmp_path / "backup.db")
    with service(tmp_path / "state") as s:
        assert list(s.uploads_dir.iterdir()) == []
    (aside,) = (tmp_path / "state" / "unclaimed").iterdir()
    shutil.move(tmp_path / "backup.db", journal)
    with service(tmp_path / "state") as s:
        assert [p.name for p in s.uploads_dir.iterdir()] == [aside.name]
        s.job(job.job_id).retry(language="pt")
        assert s.job(job.job_id).result(30).text
    journal.unlink()
    service(tmp_path / "state").close()
    old = time.time() - stored_files.UNCLAIMED_KEPT_S - 60
    os.utime(aside, (old, old))
    service(tmp_path / "state").close()
    assert not aside.exists()


def test_f49_uploads_of_a_quarantined_journal_stay(tmp_path: Path) -> None:
    """However often it is started, until a person deletes what was put aside."""
    with service(tmp_path / "state") as s:
        s.submit([upload(s)]).result(30)
        (stored,) = s.uploads_dir.iterdir()
    (tmp_path / "state" / "journal.db").write_bytes(b"not a database")
    warned = []
    for _ in range(3):
        with service(tmp_path / "state") as s:
            warned.append([code for code, _ in s.warnings])
            assert stored.exists()
    assert warned == [["journal_quarantined"], ["journal_aside"], ["journal_aside"]]
    (aside,) = (tmp_path / "state").glob("journal.db.unusable-*")
    aside.unlink()
    with service(tmp_path / "state") as s:
        assert s.warnings == ()
        assert (tmp_path / "state" / "unclaimed" / stored.name).exists()


# ------------------------------------------------------------------------- 50: adoption


@pytest.fixture
def default_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where default state folders are for this test."""
    monkeypatch.setattr(state_folder.platformdirs, "user_state_dir", lambda *_: str(tmp_path))
    return tmp_path


class _Killed(BaseException):
    pass


@pytest.mark.parametrize("step", range(5))
def test_f50_adoption_cut_off_at_any_step(
    default_folders: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """Jobs with uploads, uploads in pieces and erasures: all arrive once, however often it dies."""
    first, second = open_state(Settings()), open_state(Settings())
    stored, piece = second.uploads / f"{'1' * 32}.wav", second.partial / ("2" * 32)
    stored.write_bytes(b"sound")
    piece.parent.mkdir()
    piece.write_bytes(b"piece")
    piece.with_name(f"{piece.name}.json").write_text('{"length":9,"metadata":""}')
    job = make_job("left")
    job = replace(job, recordings=(replace(job.recordings[0], path=str(stored), owned=True),))
    second.journal.save_job(job)
    second.journal.save_fact("erasures", [["cloud", "id"]])
    first.close()
    second.close()
    calls = iter(range(100))

    def dying(original: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **named: object) -> object:
            result = original(*arguments, **named)
            if next(calls) == step:
                raise _Killed
            return result

        return call

    with monkeypatch.context() as patched:
        patched.setattr(stored_files, "link_or_copy", dying(stored_files.link_or_copy))
        patched.setattr(SqliteJournal, "write", dying(SqliteJournal.write))
        with pytest.raises(_Killed):
            open_state(Settings())
    heir = open_state(Settings())
    restored = heir.journal.restore()
    assert [j.job_id for j in restored.jobs] == ["left"]
    assert Path(restored.jobs[0].recordings[0].path).read_bytes() == b"sound"
    assert Path(restored.jobs[0].recordings[0].path).parent == heir.uploads
    assert restored.facts["erasures"] == [["cloud", "id"]]
    assert (heir.partial / piece.name).read_bytes() == b"piece"
    assert not stored.exists()
    heir.close()


def test_f50_corrections_and_stages_are_taken_over(default_folders: Path) -> None:
    """The heir has each revision of a text, and goes on with the stage that it still needs."""

    async def first_life() -> str:
        s = await open_room(default_folders, disk=True, state_dir=None, preload_models=False)
        options = Options(postprocess=("scripted-stage",))
        job = await s.submit(spec=replace(SPEC, options=options))
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0)
        s.worker.finish(item)
        s.worker.done()
        recording = s.room.table.recording(item.recording_id)
        (segment,) = s.room.revisions.document(recording).segments
        edited = Document((replace(segment, text="corrected"),))
        s.room.revisions.commit(recording, edited, "person", "Ana")
        s.room.state.close()
        return job

    async def second_life(job: str) -> None:
        s = await open_room(default_folders, disk=True, state_dir=None, preload_models=False)
        (recording,) = s.recordings(job)
        transcript = s.room.reading.transcript(job, recording.recording_id)
        assert (transcript.text, transcript.revision) == ("corrected", 1)
        first = s.room.reading.transcript(job, recording.recording_id, revision=0)
        assert first.text == "text 0"
        assert [i.author for i in s.room.reading.revisions(job, recording.recording_id)][1:] == [
            "Ana"
        ]
        assert s.worker.stage.transcript.text == "corrected"
        assert not s.worker.runs
        await s.room.stop()

    lives = open_state(Settings())
    job = asyncio.run(first_life())
    lives.close()
    asyncio.run(second_life(job))


def test_f50_what_the_dead_folder_had_no_job_for(default_folders: Path) -> None:
    """It is put aside there, and goes in its time."""
    first, second = open_state(Settings()), open_state(Settings())
    stray = second.uploads / f"{'3' * 32}.wav"
    stray.write_bytes(b"sound")
    first.close()
    second.close()
    open_state(Settings()).close()
    assert (second.path / "unclaimed" / stray.name).exists()


# ------------------------------------------------------------------------ 51: left behind


def test_f51_pieces_expire_though_nobody_asks(tmp_path: Path) -> None:
    """What an earlier process left of an upload in pieces goes in its time, also unserved."""
    partial = tmp_path / "state" / "partial"
    partial.mkdir(parents=True)
    old, fresh = partial / ("4" * 32), partial / ("5" * 32)
    for path in (old, fresh):
        path.write_bytes(b"piece")
        path.with_name(f"{path.name}.json").write_text('{"length":9,"metadata":""}')
    past = time.time() - 100 * 3600
    os.utime(old, (past, past))
    with service(tmp_path / "state"):
        assert sorted(p.name for p in partial.iterdir()) == [fresh.name, f"{fresh.name}.json"]
    past = time.time() - 24.5 * 3600
    os.utime(fresh, (past, past))
    with service(tmp_path / "state") as s, s.serve():
        s.do(lambda room: None)
        assert not fresh.exists()


_IN_MEMORY = """
import sys, time
from hybrid_transcribe import Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.testing import tone, write_wav
service = Service(journal=None, engine="scripted")
path = write_wav(service.uploads_dir / ("6" * 32 + ".wav"), tone(3.0))
service.submit([Uploaded(path, "private.wav")]).result()
print(path, flush=True)
time.sleep(60)
"""


def _killed_in_memory(folder: Path) -> Path:
    child = subprocess.Popen(
        [sys.executable, "-c", _IN_MEMORY],
        stdout=subprocess.PIPE,
        env=environment(TMPDIR=str(folder)),
    )
    assert child.stdout is not None
    path = Path(child.stdout.readline().decode().strip())
    assert path.exists()
    child.send_signal(signal.SIGKILL)
    child.communicate()
    return path


@pytest.mark.skipif(os.name != "posix", reason="a shell waits for the end of the process")
def test_f51_memory_mode_leaves_no_audio_after_a_kill(tmp_path: Path) -> None:
    """The folder goes by itself, though no other process of ours ever starts."""
    path = _killed_in_memory(tmp_path)
    deadline = time.monotonic() + 20
    while path.parents[1].exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []


def test_f51_the_next_process_removes_what_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the shell was killed too; what a live process uses stays."""
    monkeypatch.setattr(scratch.tempfile, "gettempdir", lambda: str(tmp_path))
    monkeypatch.setattr(scratch.tempfile, "tempdir", str(tmp_path))
    dead = tmp_path / "hybrid_transcribe-dead"
    dead.mkdir()
    (dead / scratch.OWNER).touch()
    (dead / "audio.wav").write_bytes(b"x")
    foreign = tmp_path / "hybrid_transcribe-foreign"
    foreign.mkdir()
    with service() as s:
        assert not dead.exists()
        with service():
            assert s.uploads_dir.exists()
    assert list(tmp_path.iterdir()) == [foreign]


# ---------------------------------------------------------------- 52: one operation, one commit


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_f52_killed_after_every_commit(tmp_path: Path) -> None:
    """A long scenario, killed after its first commit, its second…: every restart is whole."""
    from tests.campaigns import kills

    assert kills.every_commit(tmp_path, step=7).n_losses == 0


def test_f52_a_retry_is_one_transaction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are a cancel, a keep and the erasing of a session, of however many recordings."""

    async def run() -> None:
        s = await open_room(tmp_path, disk=True)
        jobs = [await s.submit(3), await s.submit(3)]
        commits: list[int] = []
        original = SqliteJournal.write

        def counted(journal: SqliteJournal, changes: object) -> None:
            commits.append(1)
            original(journal, changes)  # type: ignore[arg-type]

        monkeypatch.setattr(SqliteJournal, "write", counted)
        for operation in (
            lambda: s.room.cancel(jobs[1]),
            lambda: s.room.retry(jobs[1], language="pt"),
            lambda: s.room.keep(jobs[1]),
            lambda: s.room.delete_session("s1"),
        ):
            commits.clear()
            operation()
            assert len(commits) == 1
        await s.room.stop()

    asyncio.run(run())


# ------------------------------------------------------------------------- 53: a locked journal


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Callable[[], sqlite3.Connection]]:
    """Takes a lock on the journal, as a database browser does."""
    opened: list[sqlite3.Connection] = []

    def lock() -> sqlite3.Connection:
        other = sqlite3.connect(tmp_path / "state" / "journal.db", isolation_level=None)
        opened.append(other)
        other.execute("BEGIN IMMEDIATE")
        return other

    yield lock
    for other in opened:
        other.close()


def test_f53_a_locked_journal_is_written_later(
    tmp_path: Path, locked: Callable[[], sqlite3.Connection]
) -> None:
    """The loop goes on, people are told, nothing is lost, and the warning goes with the lock."""
    events: list[Event] = []
    with service(tmp_path / "state") as s:
        s.subscribe(events.append)
        other = locked()
        (path,) = wavs(tmp_path, "a")
        job = s.submit(path)
        job.result(30)
        assert [code for code, _ in s.warnings] == ["journal_behind"]
        other.execute("ROLLBACK")
        deadline = time.monotonic() + 30
        while s.warnings and time.monotonic() < deadline:
            time.sleep(0.05)
        assert s.warnings == ()
        assert [(e.code, e.over) for e in events if isinstance(e, Warned)] == [
            ("journal_behind", False),
            ("journal_behind", True),
        ]
        other.execute("BEGIN IMMEDIATE")
        s.job(job.job_id).keep()
        other.execute("ROLLBACK")
    with service(tmp_path / "state") as s:
        assert s.job(job.job_id).result(30).text == "a.wav 0 a.wav 1 a.wav 2"
        assert s.snapshot(job.job_id).kept


def test_f53_locked_at_the_start(
    tmp_path: Path, locked: Callable[[], sqlite3.Connection], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not put aside for a lock: the start says who is in the way."""
    monkeypatch.setattr("hybrid_transcribe.jobs.journal_sqlite.OPEN_WAIT_S", 0.1)
    with service(tmp_path / "state") as s:
        job = s.submit(wavs(tmp_path, "a"))
        job.result(30)
    other = sqlite3.connect(tmp_path / "state" / "journal.db", isolation_level=None)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(state_folder.StateFolderBusy, match="locked by another program"):
        service(tmp_path / "state")
    other.close()
    with service(tmp_path / "state") as s:
        assert s.job(job.job_id).state is State.COMPLETED


def test_f53_a_journal_damaged_while_it_is_used(tmp_path: Path) -> None:
    """It is put aside, and a fresh one gets all there is, with the text."""
    with service(tmp_path / "state") as s:
        job = s.submit(wavs(tmp_path, "a"))
        job.result(30)
        original = SqliteJournal.write

        def broken(journal: SqliteJournal, changes: object) -> None:
            SqliteJournal.write = original  # type: ignore[method-assign]
            try:
                raise sqlite3.DatabaseError("database disk image is malformed")
            except sqlite3.DatabaseError as error:
                raise JournalUnusable(str(error)) from error

        SqliteJournal.write = broken  # type: ignore[method-assign, assignment]
        s.job(job.job_id).keep()
        assert [code for code, _ in s.warnings] == ["journal_quarantined"]
    with service(tmp_path / "state") as s:
        assert s.snapshot(job.job_id).kept
        assert s.job(job.job_id).result(30).text == "a.wav 0 a.wav 1 a.wav 2"


# ----------------------------------------------------------------------------- 54: a damaged row


def _damage(state: Path, *statements: str) -> None:
    db = sqlite3.connect(state / "journal.db")
    with db:
        for statement in statements:
            db.execute(statement)
    db.close()


@pytest.mark.parametrize(
    ("what", "text"),
    [
        ("UPDATE segments SET body = zeroblob(9) WHERE {r} AND place = 1", "a.wav 0 a.wav 2"),
        ("DELETE FROM segments WHERE {r} AND place = 1", "a.wav 0 a.wav 2"),
        (
            "UPDATE segments SET body = CAST(replace(body, 'wav 1', 'wav 7') AS BLOB) WHERE {r}",
            "a.wav 0 a.wav 2",
        ),
    ],
    ids=["damaged", "missing", "altered"],
)
def test_f54_a_damaged_segment(tmp_path: Path, what: str, text: str) -> None:
    """The rest of its text is given and says what is missing; all others are whole."""
    with service(tmp_path / "state") as s:
        jobs = [s.submit(wavs(tmp_path, "a")) for _ in range(2)]
        for job in jobs:
            job.result(30)
        recording_id = jobs[0].recordings[0].recording_id
    _damage(tmp_path / "state", what.format(r=f"recording_id = '{recording_id}'"))
    with service(tmp_path / "state") as s, s.serve() as server:
        assert [code for code, _ in s.warnings] == ["journal_damaged"]
        result = s.transcript(jobs[0].job_id, recording_id)
        assert (result.text, result.complete) == (text, False)
        assert result.warnings[0].startswith("1 of 3 segments are damaged")
        assert s.job(jobs[0].job_id).recordings[0].warnings == result.warnings
        assert s.job(jobs[1].job_id).result(30)[0].complete
        _all_answer(server.url, str(server.token), jobs[0].job_id, recording_id)


def _all_answer(url: str, token: str, job_id: str, recording_id: str) -> None:
    """No address of the job answers with an error of the server."""
    with httpx.Client(base_url=url, headers={"Authorization": f"token {token}"}) as client:
        for path in (
            f"/jobs/{job_id}",
            f"/jobs/{job_id}/result",
            f"/jobs/{job_id}/result?format=zip",
            f"/jobs/{job_id}/result?partial=true",
            f"/jobs/{job_id}/recordings/{recording_id}/result?format=json",
            f"/jobs/{job_id}/recordings/{recording_id}/audio",
            "/queues",
        ):
            assert client.get(path).status_code < 500, path


def test_f54_a_damaged_recording_or_job(tmp_path: Path) -> None:
    """A recording whose row is damaged fails with its text still there; a job keeps its others."""
    with service(tmp_path / "state") as s:
        jobs = [s.submit(wavs(tmp_path, "a", "b"), session_id="one") for _ in range(3)]
        for job in jobs:
            job.result(30)
        recording_id = jobs[0].recordings[0].recording_id
    _damage(
        tmp_path / "state",
        f"UPDATE recordings SET body = zeroblob(9) WHERE recording_id = '{recording_id}'",
        f"UPDATE jobs SET body = zeroblob(9) WHERE job_id = '{jobs[1].job_id}'",
        "INSERT INTO facts VALUES ('odd', zeroblob(3))",
    )
    with service(tmp_path / "state") as s, s.serve() as server:
        assert [code for code, _ in s.warnings] == ["journal_damaged"]
        assert len(s.snapshots()) == 3
        damaged, other = s.job(jobs[0].job_id).recordings
        assert (damaged.state, other.state) == (State.FAILED, State.COMPLETED)
        assert damaged.error is not None
        assert damaged.error.code == "journal_damaged"
        partial = s.transcript(jobs[0].job_id, recording_id, partial=True)
        assert partial.text == "a.wav 0 a.wav 1 a.wav 2"
        assert s.job(jobs[1].job_id).result(30).text == s.job(jobs[2].job_id).result(30).text
        for job in jobs:
            first = s.job(job.job_id).recordings[0].recording_id
            _all_answer(server.url, str(server.token), job.job_id, first)


# ------------------------------------------------------------------------- 55: whose files


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
@pytest.mark.parametrize("before", [None, 0o755, 0o777])
def test_f55_nobody_else_may_read(tmp_path: Path, before: int | None) -> None:
    """Journal, its WAL, uploads and pieces are private in a private folder, whatever was there."""
    state, umask = tmp_path / "state", os.umask(0)
    try:
        if before is not None:
            (state / "uploads").mkdir(parents=True)
            for path in (state / "uploads", state):
                path.chmod(before)
            (state / "uploads" / f"{'7' * 32}.wav").touch(0o644)
            (state / "journal.db").touch(0o644)
        with service(state) as s:
            s.submit([upload(s)]).result(30)
            for path in s.uploads_dir.iterdir():
                path.chmod(0o600)
            modes = {path: path.stat().st_mode & 0o777 for path in (state, *state.rglob("*"))}
    finally:
        os.umask(umask)
    assert {path.name for path in modes} >= {"journal.db", "journal.db-wal", "uploads", "lock"}
    for path, mode in modes.items():
        assert mode == (0o700 if path.is_dir() else 0o600), path


# --------------------------------------------------------------------------- 56: environment


def test_f56_workers_get_no_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker needs of the environment, and nothing else."""
    if not hasattr(psutil.Process, "environ"):
        pytest.skip("no way to look")
    for name in ("AWS_SECRET_ACCESS_KEY", "ASSEMBLYAI_API_KEY", "DATABASE_URL", "MY_CLOUD_KEY"):
        monkeypatch.setenv(name, "SENTINEL")
    monkeypatch.setenv("HYBRID_TRANSCRIBE_TOKEN", "SENTINEL")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    with service(pass_environment="MY_CLOUD_KEY") as s:
        s.submit(wavs(tmp_path, "a")).result(30)
        environ = psutil.Process(worker_pid(s)).environ()
    assert [n for n, value in environ.items() if "SENTINEL" in value] == ["MY_CLOUD_KEY"]
    assert environ["OMP_NUM_THREADS"] == "1"
    assert environ["PATH"] == os.environ["PATH"]


def test_f56_kernels_of_pages_get_no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what Voila tells them, and the way to the server."""
    monkeypatch.setenv("OPENAI_API_KEY", "SENTINEL")
    monkeypatch.setenv("HYBRID_TRANSCRIBE_TOKEN", "visitor")
    variables = page_environment({**os.environ, "QUERY_STRING": "a=b"})
    assert "SENTINEL" not in variables.values()
    assert variables["HYBRID_TRANSCRIBE_TOKEN"] == "visitor"
    assert variables["QUERY_STRING"] == "a=b"
    assert "HYBRID_TRANSCRIBE_TOKEN" not in needed()


# ------------------------------------------------------------- 57: a finished text stays


async def _completed(folder: Path) -> tuple[Stand, str, str]:
    s = await open_room(folder, disk=True)
    job_id = await s.submit()
    (item,) = s.worker.items
    s.worker.begin(item)
    s.worker.hear(item, 0, 1)
    s.worker.finish(item)
    s.worker.done()
    assert s.state(job_id) is State.COMPLETED
    return s, job_id, item.recording_id


@pytest.mark.parametrize("end", ["failed", "canceled", "canceled while queued", "killed", "done"])
def test_f57_a_retry_destroys_nothing(tmp_path: Path, end: str) -> None:
    """The text is the result until the new one is complete; what ends otherwise leaves it."""

    async def run() -> None:
        s, job_id, recording_id = await _completed(tmp_path)
        room = s.room

        def text(**options: Any) -> list[str]:
            transcript = room.reading.transcript(job_id, recording_id, **options)
            return [segment.text for segment in transcript.segments]

        if end == "canceled while queued":
            room.lanes.by_name["local"]._pausing = True
        room.retry(job_id, model="other")
        if end != "canceled while queued":
            (item,) = s.worker.items
            s.worker.begin(item)
            s.worker.hear(item, 0)
            assert text(run=2, partial=True) == ["text 0"]
            with pytest.raises(InvalidTransition):
                text(run=2)
        assert text() == text(partial=True) == ["text 0", "text 1"]
        match end:
            case "failed":
                error = EngineFailed("no").info()
                s.worker.say(about(item, p.RecordingFailed(error=error)))
            case "killed":
                for _ in range(3):
                    s.worker.die()
                    if s.worker.alive:
                        s.worker.begin(s.worker.items[0])
            case "done":
                s.worker.hear(item, 1)
                s.worker.hear(item, 2)
                s.worker.finish(item)
            case _:
                room.cancel(job_id)
                if end == "canceled":
                    s.worker.say(about(item, p.RecordingCanceled()))
        recording = s.recordings(job_id)[0]
        assert recording.state is State.COMPLETED
        newer = end == "done"
        assert text() == ["text 0", "text 1", *(["text 2"] if newer else [])]
        assert recording.result_run == recording.run == (2 if newer else 1)
        model = (recording.spec or SPEC).model
        assert model == ("other" if newer else SPEC.model)
        (other,) = recording.runs
        assert other.run == (1 if newer else 2)
        assert text(run=1) == ["text 0", "text 1"]
        assert bool(recording.warnings) is (end in ("failed", "killed"))
        with pytest.raises(UnknownRecording, match="no run 9"):
            text(run=9)
        await room.stop()
        again = await open_room(tmp_path, disk=True)
        assert again.recordings(job_id)[0] == recording
        assert [x.text for x in again.room.reading.transcript(job_id, recording_id).segments] == [
            f"text {i}" for i in range(3 if newer else 2)
        ]
        await again.room.stop()

    asyncio.run(run())


def test_f57_over_the_wire(tmp_path: Path) -> None:
    """Both texts are had over HTTP, and the fields say which is which."""
    gate = tmp_path / "gate"
    with service(tmp_path / "state") as s, s.serve() as server:
        job = s.submit(wavs(tmp_path, "a"))
        job.result(30)
        recording_id = job.recordings[0].recording_id
        headers = {"Authorization": f"token {server.token}"}
        with httpx.Client(base_url=server.url, headers=headers) as client:
            base = f"/jobs/{job.job_id}"
            model = Script(gate=str(gate), says=("new",)).model
            client.post(f"{base}/retry", json={"model": model}).raise_for_status()
            view = client.get(base).json()["recordings"][0]
            assert (view["run"], view["result_run"], view["state"] != "completed") == (2, 1, True)
            assert [r["run"] for r in view["runs"]] == [1]
            assert client.get(f"{base}/result").text == "a.wav 0 a.wav 1 a.wav 2\n"
            gate.touch()
            job.result(30)
            view = client.get(base).json()["recordings"][0]
            assert (view["run"], view["result_run"]) == (2, 2)
            where = f"{base}/recordings/{recording_id}/result"
            assert client.get(where).text != client.get(f"{where}?run=1").text
            assert client.get(f"{where}?run=1").text == "a.wav 0 a.wav 1 a.wav 2\n"
            assert client.get(f"{where}?run=7").status_code == 404
            assert client.get(f"{where}?run=x").status_code == 400


def test_f57_an_older_journal_is_migrated(tmp_path: Path) -> None:
    """One of format 1, made where the folder lay elsewhere: jobs, text and uploads are there."""
    state = tmp_path / "state"
    (state / "uploads").mkdir(parents=True)
    for n in (1, 2):
        write_wav(state / "uploads" / f"{n:032d}.wav", tone(3.0))
    db = sqlite3.connect(state / "journal.db")
    db.executescript((DATA / "journal_1.sql").read_text(encoding="utf-8"))
    db.close()
    for _ in range(2):
        with service(state) as s:
            assert s.warnings == ()
            done, waiting = s.jobs()
            assert done.result(30).text == "talk.wav 0 talk.wav 1 talk.wav 2"
            assert s.snapshot(done.job_id).kept
            assert waiting.result(30).text == "waiting.wav 0 waiting.wav 1 waiting.wav 2"
            assert len(list(s.uploads_dir.iterdir())) == 2
    db = sqlite3.connect(state / "journal.db")
    assert db.execute("PRAGMA user_version").fetchone() == (VERSION,)
    db.close()


# ------------------------------------------------------------------ 58 and 59: at the door


def test_f58_a_jobs_id_is_its_key(tmp_path: Path) -> None:
    """On a server for many: see, control, download by the id alone; never under another session."""
    with service() as s, s.serve(open_to_all=True) as server:
        s.submit(wavs(tmp_path, "other"), session_id="somebody").result(30)
        job = s.submit(wavs(tmp_path, "a"), session_id="mine")
        job.result(30)
        with httpx.Client(base_url=server.url) as client:
            base = f"/jobs/{job.job_id}"
            assert client.get(base).json()["session_id"] == "mine"
            assert client.get(f"{base}/result").text == "a.wav 0 a.wav 1 a.wav 2\n"
            assert client.post(f"{base}/keep").json()["kept"] is True
            assert client.post(f"{base}/retry", json={"language": "pt"}).status_code == 200
            for headers in ({"X-Session-Id": "somebody"}, {"X-Session-Id": "nobody"}):
                assert client.get(base, headers=headers).status_code == 404
                assert client.delete(base, headers=headers).status_code == 404
                assert job.job_id not in client.get("/queues", headers=headers).text
            assert job.job_id not in client.get("/queues").text
            assert client.delete(base).status_code == 204


def test_f59_health_needs_no_token() -> None:
    """It tells that the server is there, and nothing else; what else there is asks for one."""
    with service() as s, s.serve() as server:
        with httpx.Client(base_url=server.url) as client:
            assert client.get("/health").json() == {"status": "ok"}
            assert client.get("/health/ready").json() == {"status": "ready"}
            wrong = client.get("/health", headers={"Authorization": "token wrong"})
            assert wrong.json() == {"status": "ok"}
            assert client.get("/queues").status_code == 401
