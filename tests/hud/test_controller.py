"""Whatever a panel says is answered; nothing it says raises, and nobody sees another's jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe import Service
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.hud import messages as m
from hybrid_transcribe.hud.controller import PanelController, well_formed
from hybrid_transcribe.testing import Script, StageScript
from tests.hud.lines import Line, desk_for
from tests.services import service as local_service
from tests.services import wavs


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """Scripts with this gate wait until it is touched; in the end it is."""
    instance = tmp_path / "gate"
    yield instance
    instance.touch()


def held(service: Service, tmp_path: Path, gate: Path, **how: Any) -> Any:
    return service.submit(wavs(tmp_path, "held"), model=Script(gate=str(gate)).model, **how)


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        {},
        {"type": "nothing"},
        {"type": "hello", "session_id": 5},
        {"type": "cancel", "job_id": "x"},
        {"type": "submit", "ref": "one", "upload_ids": []},
        {"type": "upload_begin", "upload_id": "u", "name": "a", "size_bytes": 1e300},
        {"type": "fetch", "ref": 1, "what": None, "job_id": {}},
        {"type": "\ud800"},
        {"type": "follow", "ref": 1, "job_id": "\udfff", "recording_id": "a\ud83d"},
        {"type": "hello", "ref": 1, "\udc80": 1},
    ],
)
def test_a_bad_message_is_a_problem(service: Service, content: Any) -> None:
    """It is answered, and the next good one is heard."""
    with desk_for(service) as line:
        line.talk(content, [])
        assert line.first(m.Problem).error.code == "invalid_request"
        assert line.hello().version


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "ref", "job_id"]), inner)
        ),
        max_leaves=8,
    )
)
def test_no_message_raises(content: Any) -> None:
    """Nor does one of a shape that nobody thought of."""
    items: list[Any] = []
    service: Any = SimpleNamespace(settings=Settings(), in_process=False)
    desk = PanelController(service, lambda told, buffers: items.append(told))
    desk.receive(content, [])
    desk.close()
    assert items


def test_a_reference_comes_back_with_its_problem(service: Service) -> None:
    """So that the panel knows which of its questions failed."""
    with desk_for(service) as line:
        line.talk({"type": "cancel", "ref": 41}, [])
        line.talk({"type": "cancel", "ref": 42, "job_id": "nobody"}, [])
        assert line.first(m.Problem, ref=41).error.code == "invalid_request"
        assert line.first(m.Problem, ref=42).error.code == "unknown_job"


def test_hello_is_answered_with_all_one_needs(service: Service) -> None:
    """Limits, choices and rows; the kernel itself remembers, so no session is given away."""
    with desk_for(service) as line:
        welcome = line.hello()
        kinds = [type(x) for x in line.heard if not isinstance(x, m.Notice)]
        assert kinds[:3] == [m.Welcome, m.Choices, m.Rows]
        assert (welcome.session_id, welcome.max_files) == (None, 10_000)
        (choices,) = line.of(m.Choices)
        assert (choices.engines[0].name, choices.engines[0].default) == ("scripted", True)
        assert {"txt", "srt", "json"} <= set(choices.formats)
        assert ".wav" in choices.extensions


def test_a_second_panel_shows_the_same_queue(service: Service, tmp_path: Path, gate: Path) -> None:
    """And so does the first one after its page was loaded again."""
    job = held(service, tmp_path, gate)
    with desk_for(service) as item, desk_for(service) as other:
        item.hello()
        other.hello()
        item.hello()
        ids = {row.job_id for row in item.shown.rows.values()}
        assert job.job_id in ids
        # News of it may be on the way to one of them.
        item.until(lambda: item.shown == other.shown)


def test_a_job_is_controlled(service: Service, tmp_path: Path) -> None:
    """Kept, canceled, tried again with another model, deleted: each is done and seen."""
    path = wavs(tmp_path, "slow", seconds=200)
    job_id = service.submit(path, model=Script(delay_s=0.05).model).job_id
    with desk_for(service) as line:
        line.hello()

        def mine() -> list[m.Row]:
            return [r for r in line.shown.rows.values() if r.job_id == job_id]

        assert isinstance(line.ask(m.Keep, job_id=job_id), m.Done)
        line.until(lambda: mine()[0].kept)
        assert isinstance(line.ask(m.Cancel, job_id=job_id), m.Done)
        line.until(lambda: mine()[0].state == "canceled")
        assert "retry" in mine()[0].actions
        answer = line.ask(m.Retry, job_id=job_id, changes={"model": "steady"})
        assert isinstance(answer, m.Done)
        line.until(lambda: mine()[0].state == "completed")
        assert mine()[0].model == "steady"
        answer = line.ask(m.Retry, job_id=job_id, changes={"session_id": "x"})
        assert answer.error.code == "invalid_option"
        # A page may not name files of this machine.
        for named in ({"voices": {"Ana": str(path[0])}}, {"speakers": {"Ana": str(path[0])}}):
            answer = line.ask(m.Retry, job_id=job_id, changes=named)
            assert answer.error.reason == "voices_by_path"
        assert isinstance(line.ask(m.Delete, job_id=job_id), m.Done)
        line.until(lambda: not mine())


def test_a_change_is_all_of_it(service: Service, tmp_path: Path) -> None:
    """What a panel leaves out is as if it was never set; a bad value changes nothing."""
    options: dict[str, Any] = {"language": "pt", "beam_size": 3, "silence_guard": False}
    job_id = service.submit(wavs(tmp_path, "anew"), model="steady", **options).job_id
    with desk_for(service) as line:
        line.hello()

        def mine(state: str = "completed", attempt: int = 1) -> m.Row | None:
            rows = [r for r in line.shown.rows.values() if r.job_id == job_id]
            return next((r for r in rows if (r.state, r.attempt) == (state, attempt)), None)

        line.until(lambda: mine() is not None)
        row = mine()
        assert row is not None
        assert row.options == options
        ids = {"job_id": job_id, "recording_id": row.recording_id}
        bad = line.ask(m.Retry, **ids, changes={"beam_size": "wide"})
        assert bad.error.code == "invalid_option"
        changes = {"engine": row.engine, "word_timestamps": True, "beam_size": 3}
        assert isinstance(line.ask(m.Retry, **ids, changes=changes), m.Done)
        line.until(lambda: mine(attempt=2) is not None)
        changed = mine(attempt=2)
        assert changed is not None
        assert (changed.model, changed.options) == (
            "steady",
            {"word_timestamps": True, "beam_size": 3},
        )


@pytest.mark.parametrize(
    ("session_id", "well"),
    [
        ("0123456789abcdef" * 2, True),
        ("a" * 32, True),
        ("a" * 31, False),
        ("a" * 201, False),
        ("a b" * 20, False),
        ("a,b" * 20, False),
        ("ã" * 40, False),
        ("", False),
        (None, False),
    ],
)
def test_a_page_brings_a_session_only_if_it_is_well_formed(
    service: Service, session_id: str | None, well: bool
) -> None:
    """What can be guessed, or cannot be sent on, is replaced by one that nobody guesses."""
    assert well_formed(session_id) is well
    with desk_for(service, remember="page") as line:
        value = line.hello(session_id).session_id
        assert value is not None
        assert well_formed(value)
        assert (value == session_id) is well


def test_a_visitor_comes_back_to_the_same_queue(
    service: Service, tmp_path: Path, gate: Path
) -> None:
    """With the session that the page remembers, in a kernel that never saw it."""
    (path,) = wavs(tmp_path, "mine")
    with desk_for(service, remember="page") as line:
        session_id = line.hello().session_id
        instance = line.submit(line.upload(path.read_bytes(), "mine.wav"))
        assert isinstance(instance, m.Submitted)
    with desk_for(service, remember="page") as line:
        assert line.hello(session_id).session_id == session_id
        assert [row.name for row in line.shown.rows.values()] == ["mine.wav"]


def test_a_submission_that_comes_twice_makes_one_job(service: Service, tmp_path: Path) -> None:
    """A panel that lost the answer asks again with the same key; a failed one may be mended."""
    (path,) = wavs(tmp_path, "once")
    with desk_for(service) as line:
        line.hello()
        ids = (line.upload(path.read_bytes(), "once.wav"),)
        options, before = {"model": Script().model}, len(service.jobs())
        refused = line.ask(m.Submit, upload_ids=ids, arguments={"device": 5}, key="a")
        assert refused.error.code == "invalid_option"
        first = line.ask(m.Submit, upload_ids=ids, arguments=options, key="a")
        again = line.ask(m.Submit, upload_ids=ids, arguments=options, key="a")
        assert (first.job_id, first.rejected) == (again.job_id, again.rejected)
        assert first.ref != again.ref
        assert len(service.jobs()) == before + 1


def test_who_speaks_comes_after_the_text(service: Service, tmp_path: Path, gate: Path) -> None:
    """The engine's text is whole while speakers are told apart; then it is told with them."""
    (path,) = wavs(tmp_path, "talk")
    with desk_for(service) as line:
        line.hello()
        (choices,) = line.of(m.Choices)
        assert {"diarize", "speakers"} <= set(choices.engines[0].options)
        assert "speakers" in {stage.name for stage in choices.postprocessors}
        script = StageScript(gate=str(gate)).hotwords
        asked = {"diarize": True, "speakers": 2, "hotwords": script}
        job_id = line.submit(line.upload(path.read_bytes(), "talk.wav"), **asked).job_id
        row = line.until(lambda: [r for r in line.shown.rows.values() if r.job_id == job_id])[0]
        line.say(m.Follow(job_id=job_id, recording_id=row.recording_id))
        plain = line.first(m.Text, recording_id=row.recording_id, complete=True)
        assert plain.speakers == ()

        gate.touch()
        text = line.until(lambda: [x for x in line.of(m.Text) if x.speakers])[-1]
        assert [segment.speaker for segment in text.segments] == ["S1", "S2", "S1"]
        assert [speaker.id for speaker in text.speakers] == ["S1", "S2"]


def test_two_visitors_see_and_touch_only_their_own(
    service: Service, tmp_path: Path, gate: Path
) -> None:
    """What is another's does not exist: neither in the queue nor for any action."""
    with desk_for(service, remember="page") as ana, desk_for(service, remember="page") as bia:
        hers = ana.hello().session_id
        bia.hello()
        job = held(service, tmp_path, gate, session_id=hers)
        recording_id = job.recordings[0].recording_id
        ana.until(lambda: ana.shown.rows)
        gate.touch()
        ana.row("completed")
        for kind in (m.Cancel, m.Retry, m.Keep, m.Delete):
            message, none = (bia.ask(kind, job_id=i) for i in (job.job_id, "0" * 32))
            assert message.error.code == none.error.code == "unknown_job"
        for what in ("audio", "result", "results"):
            by_name = {"part": what, "job_id": job.job_id, "recording_id": recording_id}
            assert bia.ask(m.Fetch, **by_name).error.code == "unknown_job"
        bia.say(m.Follow(job_id=job.job_id, recording_id=recording_id))
        assert bia.first(m.Problem, ref=None).error.code == "unknown_job"
        assert bia.text == []
        assert bia.shown.rows == {}
        assert isinstance(ana.ask(m.Keep, job_id=job.job_id), m.Done)


def test_another_page_brings_another_session(service: Service) -> None:
    """The panel then shows that one's queue, and no longer the first one's."""
    first, second = new_id(), new_id()
    with desk_for(service, remember="page") as line:
        assert line.hello(first).session_id == first
        assert line.hello(second).session_id == second
        assert line.hello(None).session_id == second


def test_only_kernel_and_page_remember(service: Service) -> None:
    """Anything else is refused with the choices."""
    with pytest.raises(InvalidOption, match="kernel, page"):
        PanelController(service, lambda told, buffers: None, remember="cloud")


def test_a_closed_panel_hears_and_tells_nothing(service: Service, tmp_path: Path) -> None:
    """Its jobs go on."""
    line = Line()
    desk = PanelController(service, line.hear)
    line.talk = desk.receive
    line.hello()
    desk.close()
    desk.close()
    n = len(line.heard)
    line.say(m.Hello())
    job = service.submit(wavs(tmp_path, "on"))
    assert job.result(30)
    assert len(line.heard) == n


def test_a_closed_service_is_a_problem(tmp_path: Path) -> None:
    """Said in its own words, whatever is asked."""
    instance = local_service()
    with desk_for(instance) as line:
        line.hello()
        instance.close()
        assert line.ask(m.Cancel, job_id="x").error.code == "service_closed"
        # Until its thread has noticed, a panel that asks again is only told that the line is down.
        line.first(m.Connection, up=False)
        line.say(m.Hello())
        assert line.first(m.Problem, ref=None).error.code == "service_closed"


def test_a_visitor_is_told_no_paths_of_the_owner(service: Service) -> None:
    """Of what troubles the service a page hears the code, the owner every word."""
    words = "The state folder /home/ana cannot be used"
    with desk_for(service) as owner, desk_for(service, remember="page") as visitor:
        owner.hello()
        visitor.hello()
        service.call(lambda room: room.warn("state_unwritable", words)).result()
        assert owner.first(m.Notice, code="state_unwritable").message == words
        assert visitor.first(m.Notice, code="state_unwritable").message == ""
