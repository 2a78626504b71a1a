"""Events reach the panel: coalesced, in order, and the last one always."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe import events as e
from hybrid_transcribe.errors import Unreachable
from hybrid_transcribe.hud import messages as m
from hybrid_transcribe.hud.updater import PanelMessages, PanelUpdater
from hybrid_transcribe.testing import Script
from hybrid_transcribe.types import JobSnapshot, Recording, RunRecord, Segment, State, Transcript
from tests.hud.lines import Line, wait_until
from tests.hud.test_view import SESSION, job, recording
from tests.services import service as local_service
from tests.services import until_segment, wavs


class Told:
    """A service that says what a test wants, and a clock that the test turns."""

    def __init__(self, *recordings: Recording) -> None:
        self.job = job(*recordings, state=State.RUNNING)
        self.segments: list[Segment] = []
        self.away = False
        self.n_snapshots = 0
        self.line = Line()
        self.now = 0.0
        self.teller = PanelMessages(self, lambda x: self.line.hear(m.plain(x), None), None, {})  # type: ignore[arg-type]
        self.teller.again(0.0)

    def snapshots(self, *, session_ids: Sequence[str] | None = None) -> tuple[JobSnapshot, ...]:
        self.n_snapshots += 1
        if self.away:
            raise Unreachable("away")
        return (self.job,)

    def snapshot(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> JobSnapshot:
        return self.job

    def transcript(self, job_id: str, recording_id: str, **how: Any) -> Transcript:
        return Transcript(recording_id, "x", tuple(self.segments), "scripted", "steady")

    def happen(self, event: e.Event) -> None:
        self.teller.take(event)
        self.turn()

    def changed(self, n: int = 0, **fields: Any) -> None:
        after = replace(self.job.recordings[n], **fields)
        own = tuple(after if r is self.job.recordings[n] else r for r in self.job.recordings)
        self.job = replace(self.job, recordings=own)
        self.happen(e.RecordingChanged(1, SESSION, "j", after))

    def add(self, text: str, *, told: bool = True) -> None:
        self.segments.append(segment(text))
        if told:
            n = len(self.segments) - 1
            self.happen(e.SegmentAdded(1, SESSION, "j", "j-r0", n, self.segments[n]))

    def turn(self, by_s: float = 0.0) -> None:
        self.now += by_s
        self.teller.turn(self.now)


def segment(text: str) -> Segment:
    return Segment(0.0, 1.0, text)


def running(n: int = 0, **more: Any) -> Recording:
    state = more.pop("state", State.RUNNING)
    return recording(n, state, percentage=0.0, **more)


def test_a_thousand_events_a_second_are_ten_messages() -> None:
    """And what the panel shows in the end is what is, though nothing more happens."""
    message = Told(running())
    before = len(message.line.heard)
    for n in range(3000):
        message.now += 0.001
        message.changed(percentage=n / 30)
    wait_s = message.teller.due(message.now)
    assert wait_s is not None
    assert 0 < wait_s <= 0.1
    message.turn(wait_s)
    assert len(message.line.heard) - before <= 31
    assert message.line.shown.rows["j-r0"].percentage == 2999 / 30


def test_the_first_news_goes_at_once() -> None:
    """Nobody waits a tenth of a second for what happens after a pause."""
    message = Told(running())
    message.turn(1.0)
    message.changed(percentage=10.0)
    assert message.line.shown.rows["j-r0"].percentage == 10.0


def test_of_a_thousand_rows_only_the_changed_one_is_told() -> None:
    """From events alone: no snapshot is asked for."""
    message = Told(*(running(n) for n in range(1000)))
    message.turn(1.0)
    n = message.n_snapshots
    message.changed(7, percentage=50.0)
    last = message.line.of(m.Rows)[-1]
    assert ([row.id for row in last.rows], last.order, last.reset) == (["j-r7"], None, False)
    assert message.n_snapshots == n


def test_what_was_missed_is_looked_up() -> None:
    """After a Resync the panel shows the snapshot, also what came and went meanwhile."""
    message = Told(running())
    message.job = job(recording(5, State.COMPLETED), job_id="j")
    message.turn(1.0)
    message.happen(e.Resync(9))
    assert list(message.line.shown.rows) == ["j-r5"]


def test_a_deleted_job_is_gone() -> None:
    """With all its rows."""
    message = Told(running(), running(1))
    message.turn(1.0)
    message.happen(e.JobDeleted(2, SESSION, "j"))
    assert message.line.of(m.Rows)[-1].gone == ("j-r0", "j-r1")
    assert message.line.shown.rows == {}


def test_etas_of_what_waits_are_looked_up_now_and_then() -> None:
    """They change without an event; nothing is asked for once everything has ended."""
    message = Told(running(), recording(1))
    message.job = replace(message.job, recordings=(running(), recording(1, eta_s=30.0)))
    wait_s = message.teller.due(message.now)
    assert wait_s is not None
    assert 1.0 < wait_s < 10.0
    message.turn(wait_s)
    assert message.line.shown.rows["j-r1"].eta_s == 30.0
    for n in (0, 1):
        message.changed(n, state=State.COMPLETED)
    message.turn(10.0)
    message.turn(10.0)
    assert message.teller.due(message.now) is None


def test_a_service_that_is_away_is_told_and_asked_again() -> None:
    """The connection is said to be down, once, and up again when it answers."""
    message = Told(running())
    message.away = True
    for _ in range(3):
        message.happen(e.Resync(1))
        message.turn(10.0)
    message.away = False
    message.turn(10.0)
    assert [x.up for x in message.line.of(m.Connection)] == [False, True]


def test_a_text_is_followed_without_a_gap() -> None:
    """What was there, then what comes, each once; told as complete when it has ended."""
    message = Told(running())
    message.add("a")
    message.teller.follow("j", "j-r0")
    # It was in the transcript already.
    message.happen(e.SegmentAdded(1, SESSION, "j", "j-r0", 0, segment("a")))
    message.turn(1.0)
    message.add("b")
    message.turn(1.0)
    message.add("lost", told=False)
    message.add("d")
    message.turn(1.0)
    assert message.line.text == ["a", "b", "lost", "d"]
    assert not message.line.of(m.Text)[-1].complete
    message.changed(state=State.COMPLETED)
    message.turn(1.0)
    assert message.line.of(m.Text)[-1].complete
    assert sum(len(x.segments) for x in message.line.of(m.Text)) == 4


def test_a_finished_text_is_shown_until_the_next_is_finished() -> None:
    """Transcribed again, a recording shows its text; then the new one, from its beginning."""
    message = Told(running(state=State.COMPLETED))
    message.add("old")
    message.teller.follow("j", "j-r0")
    message.turn(1.0)
    earlier = RunRecord(run=1, state=State.COMPLETED, n_segments=1)
    message.changed(attempt=2, state=State.QUEUED, run=2, runs=(earlier,))
    message.turn(1.0)
    message.happen(e.SegmentAdded(1, SESSION, "j", "j-r0", 1, segment("of the new one"), 2))
    message.turn(1.0)
    assert message.line.text == ["old"]
    assert message.line.of(m.Text)[-1].complete
    message.segments[:] = [segment("new"), segment("text")]
    message.changed(state=State.COMPLETED)
    message.turn(1.0)
    assert message.line.text == ["new", "text"]


def test_another_attempt_begins_the_text_afresh() -> None:
    """A retry with another model leaves nothing of the old text; one that goes on keeps it."""
    message = Told(running())
    message.add("old")
    message.teller.follow("j", "j-r0")
    message.turn(1.0)
    message.changed(attempt=2, state=State.QUEUED)
    message.turn(1.0)
    assert message.line.text == ["old"]
    message.segments.clear()
    message.changed(attempt=3)
    message.turn(1.0)
    assert message.line.text == []
    message.add("new")
    message.turn(1.0)
    assert message.line.text == ["new"]


def test_models_and_notices_are_told() -> None:
    """Of a model on its way the latest stage, of warnings each one."""
    message = Told()
    for share in (1.0, 2.0, 3.0):
        message.teller.take(e.ModelChanged(1, engine="x", model="y", percentage=share))
    message.teller.take(e.Warned(1, code="disk_full", message="no room"))
    message.turn(1.0)
    assert [x.percentage for x in message.line.of(m.ModelTold)] == [3.0]
    assert [x.code for x in message.line.of(m.Notice)] == ["disk_full"]
    message.teller.take(e.Warned(2, code="disk_full", over=True))
    message.turn(2.0)
    assert [(x.code, x.over) for x in message.line.of(m.Notice)][1:] == [("disk_full", True)]


def test_what_comes_together_is_told_together() -> None:
    """The second of two events does not wait for the next telling."""
    half, most = (replace(running(), percentage=share) for share in (50.0, 90.0))
    coming = [e.RecordingChanged(1, SESSION, "j", item) for item in (half, most)]

    class Service(Told):
        warnings = ()

        def subscribe(self, **_: Any) -> Service:
            return self

        def get(self, timeout_s: float | None = None) -> e.Event | None:
            self.now = 1.0
            return coming.pop(0) if coming else None

        def close(self) -> None:
            pass

    service, line = Service(running()), Line()
    bridge = PanelUpdater(
        service,
        lambda x: line.hear(m.plain(x), None),
        session_ids=None,
        receivers={},
        monotonic=lambda: service.now,
    )
    bridge.start()
    assert wait_until(lambda: not bridge.alive)
    assert [row.percentage for rows in line.of(m.Rows) for row in rows.rows] == [0.0, 90.0]


# ------------------------------------------------------------------- on a real service


@pytest.fixture
def service() -> Iterator[Service]:
    with local_service() as instance:
        yield instance


Start = Callable[[], tuple[PanelUpdater, Line]]


@pytest.fixture
def start(service: Service) -> Iterator[Start]:
    items: list[PanelUpdater] = []

    def begin() -> tuple[PanelUpdater, Line]:
        line = Line()
        bridge = PanelUpdater(
            service, lambda x: line.hear(m.plain(x), None), session_ids=None, receivers={}
        )
        items.append(bridge)
        bridge.start()
        return bridge, line

    yield begin
    for bridge in items:
        bridge.close()


def test_a_job_is_seen_from_queue_to_end(service: Service, start: Start, tmp_path: Path) -> None:
    """Rows go all the way to 100 percent, and its text comes whole, wherever one begins."""
    gate = tmp_path / "gate"
    bridge, line = start()
    job = service.submit(wavs(tmp_path, "talk"), model=Script(gate=str(gate)).model)
    bridge.follow(job.job_id, job.recordings[0].recording_id)
    gate.touch()
    assert line.row("completed").percentage == 100.0
    line.until(lambda: line.of(m.Text, complete=True))
    assert line.text == ["talk.wav 0", "talk.wav 1", "talk.wav 2"]


def test_following_in_the_middle_misses_nothing(
    service: Service, start: Start, tmp_path: Path
) -> None:
    """Segments that come while the transcript is fetched are neither lost nor doubled."""
    paths = wavs(tmp_path, "long", seconds=60)
    bridge, line = start()
    job = service.submit(paths, model=Script(delay_s=0.005).model)
    until_segment(service, 5)
    bridge.follow(job.job_id, job.recordings[0].recording_id)
    line.until(lambda: line.of(m.Text, complete=True))
    assert line.text == [f"long.wav {n}" for n in range(60)]


def test_it_ends_with_its_service(service: Service, start: Start) -> None:
    """No thread is left, and the panel knows."""
    bridge, line = start()
    service.close()
    assert wait_until(lambda: not bridge.alive)
    assert line.of(m.Connection)[-1].up is False


def test_it_ends_when_it_is_closed(service: Service, start: Start) -> None:
    """Its subscription goes with it."""
    bridge, _ = start()
    assert service.call(lambda room: room.bus.listeners).result() == 1
    bridge.close()
    bridge.close()
    assert not bridge.alive
    assert service.call(lambda room: room.bus.listeners).result() == 0
