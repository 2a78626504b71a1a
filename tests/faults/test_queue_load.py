"""The queue as it is sent: right at every moment, and made of what is known already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.events import Event, JobDeleted
from hybrid_transcribe.jobs import forecast, slices
from hybrid_transcribe.jobs.journal_sqlite import SqliteJournal
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.queue_json import QueueWriter
from hybrid_transcribe.jobs.slices import finish
from hybrid_transcribe.rest import event_texts
from hybrid_transcribe.rest.event_texts import EventTexts
from hybrid_transcribe.testing import Script
from hybrid_transcribe.types import State
from hybrid_transcribe.wire import serialize
from hybrid_transcribe.wire.queue_text import on_one_line
from tests.jobs.conftest import make_job
from tests.services import service, wavs

N_JOBS = 30


@pytest.fixture
def busy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A service with many jobs that wait, of two sessions, and one that is done."""
    # One forecast for all looks of a test, however slow the machine.
    monkeypatch.setattr(forecast, "FRESH_S", 1e9)
    (wav,) = wavs(tmp_path, "x", seconds=1)
    with service(tmp_path / "state") as s:
        s.submit(wav, session_id="mine").wait(60)
        model = Script(gate=str(tmp_path / "gate")).model
        for n in range(N_JOBS):
            s.submit(wav, model=model, session_id="mine" if n % 2 else "theirs")
        s.submit([wav] * 3, model=model, session_id="mine")
        yield s
        (tmp_path / "gate").touch()


def _in_room(s: Service, look: Callable[[JobManager], Any]) -> Any:
    return s.do(look)


def test_it_is_what_snapshots_say(busy: Service) -> None:
    """In full and anonymous, of all and of some, in any state."""

    def look(room: JobManager) -> None:
        writer = QueueWriter()
        as_now = room.forecast()
        for sessions in (None, ["mine"], ["theirs", "mine"], ["nobody"], []):
            for states in ((), (State.QUEUED,), (State.COMPLETED, State.RUNNING)):
                jobs = [
                    room.reading.as_of(job_id, as_now)
                    for job_id in room.reading.ids(sessions)
                    if not states or room.table.row(job_id).tally.state() in states
                ]
                own = finish(writer.own(room, sessions, states))
                assert own.text == msgspec.json.encode(serialize.queue(jobs))
                assert own.seq == room.bus.seq
                if sessions is None:
                    seen = finish(writer.anonymous(room, states))
                    assert seen.text == msgspec.json.encode(serialize.anonymous(jobs))

    _in_room(busy, look)


def test_f84_a_look_at_a_long_queue_costs_what_changed(busy: Service) -> None:
    """Nothing while nothing happens, and one job where one changed."""

    def look(room: JobManager) -> None:
        writer = QueueWriter()
        first = finish(writer.own(room, None))
        assert writer.n_jobs_encoded == len(room.table) == N_JOBS + 2
        assert finish(writer.own(room, None)) is first
        assert writer.n_jobs_encoded == N_JOBS + 2

        done = room.table.job_ids()[0]
        room.keep(done)
        again = finish(writer.own(room, None))
        assert again.seq > first.seq
        # The one with several recordings has times of its own for each.
        assert writer.n_jobs_encoded <= N_JOBS + 4
        kept = [job["kept"] for job in msgspec.json.decode(again.text)["jobs"]]
        assert kept == [True] + [False] * (N_JOBS + 1)

        room.delete(done)
        assert len(msgspec.json.decode(finish(writer.own(room, None)).text)["jobs"]) == N_JOBS + 1

    _in_room(busy, look)


def test_a_long_queue_is_written_in_slices(busy: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others have their turn, and what they delete meanwhile is left out."""
    monkeypatch.setattr(slices, "SLICE_S", 0.0)

    def look(room: JobManager) -> None:
        ids = room.table.job_ids()
        work = QueueWriter().own(room, None)
        for _ in range(5):
            next(work)
        room.delete(ids[20])
        room.delete(ids[1])
        text = finish(work).text
        payload = [job["job_id"] for job in msgspec.json.decode(text)["jobs"]]
        # The second was there when it was come to.
        assert payload == [job_id for job_id in ids if job_id != ids[20]]

    _in_room(busy, look)


def test_one_line_whatever_names_there_are() -> None:
    """Some readers of event streams split lines at what Unicode calls their end."""
    text = msgspec.json.encode({"name": "a\u2028b\u2029c\x85d"})
    assert "\u2028" in text.decode()
    line = on_one_line(text)
    assert len(line.decode().splitlines()) == 1
    assert msgspec.json.decode(line) == msgspec.json.decode(text)


def test_f85_an_event_is_written_once_for_all_streams(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two hundred streams tell of it, one encodes it; and no more is kept than a few."""
    monkeypatch.setattr(event_texts, "MOST_TEXTS", 3)
    texts = EventTexts()
    events: list[Event] = [JobDeleted(n, "s", "j") for n in range(1, 6)]
    for event in events:
        written = {texts.of(event) for _ in range(200)}
        assert written == {
            b'id: %d\nevent: deleted\ndata: {"job_id":"j","session_id":"s"}\n\n' % event.seq
        }
    assert texts.n_encoded == 5
    # The first was dropped, and is written again.
    assert texts.of(events[0]).startswith(b"id: 1\n")
    assert texts.n_encoded == 6


def test_f89_a_small_job_takes_little_room_and_gives_it_back(tmp_path: Path) -> None:
    """Two kilobytes a job at most; a journal whose jobs were deleted becomes small again."""
    path = tmp_path / "journal.db"
    journal = SqliteJournal(path)
    n = 2000
    for i in range(n):
        journal.save_job(make_job(f"{i * 7919 % 65536:032x}"))
    journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    full = path.stat().st_size
    for job in journal.restore().jobs:
        journal.delete_job(job.job_id)
    n_steps = 1
    while journal.shrink():
        n_steps += 1
    journal.close()
    assert full / n <= 2048
    assert 2 < n_steps < 10
    assert path.stat().st_size < full / 10
