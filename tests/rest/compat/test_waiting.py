"""A request that waits is a job: found again by who lost it, ended when nobody wants it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import openai
import pytest

from hybrid_transcribe.events import JobChanged
from hybrid_transcribe.rest.compat.waiting import GRACE_S, Awaited, Waiting
from hybrid_transcribe.testing import ManualClock, Script
from hybrid_transcribe.types import State
from tests.rest.compat.conftest import OpenClient, turn, until_alone, until_gone
from tests.rest.conftest import OpenSite, Site


@contextmanager
def jobs_of(site: Site) -> Iterator[list[str]]:
    """Every job that ever was while this lasts, in order."""
    seen: list[str] = []

    def heard(event: Any) -> None:
        if isinstance(event, JobChanged) and event.job_id not in seen:
            seen.append(event.job_id)

    with site.service.subscribe(heard):
        yield seen


def _post(
    site: Site, talk: Path, model: str, timeout: float = 30.0, **headers: str
) -> httpx.Response:
    """What OpenAI's client sends, without its retries."""
    fields = {"Authorization": f"Bearer {site.server.token}", **headers}
    with httpx.Client(base_url=site.server.url, trust_env=False, headers=fields) as client:
        return client.post(
            "/v1/audio/transcriptions",
            files={"file": (talk.name, talk.read_bytes())},
            data={"model": model},
            timeout=timeout,
        )


def _hang_up(site: Site, talk: Path, model: str, **headers: str) -> str:
    """Send it, wait until the job runs, break the connection; the job's id."""
    host, port = site.server.url.removeprefix("http://").split(":")
    request = httpx.Request(
        "POST",
        f"{site.server.url}/v1/audio/transcriptions",
        files={"file": (talk.name, talk.read_bytes())},
        data={"model": model},
        headers={"Authorization": f"Bearer {site.server.token}", **headers},
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        line = "POST /v1/audio/transcriptions HTTP/1.1\r\n"
        connection.sendall(f"{line}{head}\r\n".encode() + request.read())
        with site.service.subscribe() as events:
            while not site.service.snapshots():
                assert events.get(30.0) is not None, "no job came"
    until_alone(site)
    return site.service.snapshots()[-1].job_id


def test_a_client_that_gives_up_and_comes_again_gets_its_job(
    open_site: OpenSite, client_of: OpenClient, talk: Path, gate: Path
) -> None:
    """The client's own retries after its own timeout: one job, and the last try has its text."""
    site = open_site()
    client = client_of(site, timeout=1.5, max_retries=4)
    # The second attempt is under way when the engine may begin.
    client.on_request = lambda n: gate.touch() if n == 2 else None
    with jobs_of(site) as seen:
        result = client.audio.transcriptions.create(file=talk, model=Script(gate=str(gate)).model)

    assert result.text == "talk.wav 0 talk.wav 1 talk.wav 2"
    assert len(client.requests) > 1
    assert len(seen) == 1


@pytest.mark.slow
def test_a_client_that_never_has_patience_begins_one_job(
    open_site: OpenSite, client_of: OpenClient, talk: Path, gate: Path
) -> None:
    """However often it tries, and by hand after that: the job that runs is the one."""
    site = open_site()
    client = client_of(site, timeout=0.7, max_retries=1)
    model = Script(gate=str(gate)).model
    with jobs_of(site) as seen:
        with pytest.raises(openai.APITimeoutError):
            client.audio.transcriptions.create(file=talk, model=model)
        gate.touch()
        client.audio.transcriptions.create(file=talk, model=model, timeout=30)

    assert len(client.requests) == 3
    assert len(seen) == 1


def test_who_leaves_ends_the_job_after_the_grace(
    open_site: OpenSite, talk: Path, gate: Path
) -> None:
    """Not before it, so that a retry finds it."""
    site = open_site(clock=ManualClock())
    job_id = _hang_up(site, talk, Script(gate=str(gate)).model)

    turn(site, GRACE_S - 1.0)
    assert not site.service.snapshot(job_id).done
    turn(site, 2.0)
    until_gone(site.service, job_id)


def test_who_named_a_session_finds_the_canceled_job_there(
    open_site: OpenSite, talk: Path, gate: Path
) -> None:
    """It is canceled like any that nobody waits for, and stays to be looked at."""
    site = open_site(clock=ManualClock())
    job_id = _hang_up(site, talk, Script(gate=str(gate)).model, **{"X-Session-Id": "mine"})
    turn(site, GRACE_S)

    assert site.service.snapshot(job_id, session_ids=["mine"]).state in (
        State.CANCELING,
        State.CANCELED,
    )


def test_who_comes_back_in_time_stops_the_end(open_site: OpenSite, talk: Path, gate: Path) -> None:
    """The grace begins again when that one leaves; after the answer the job stays as long."""
    site = open_site(clock=ManualClock())
    model = Script(gate=str(gate)).model
    job_id = _hang_up(site, talk, model)
    turn(site, GRACE_S - 1.0)
    gate.touch()
    back = _post(site, talk, model, **{"X-Stainless-Retry-Count": "1"})
    until_alone(site)
    turn(site, GRACE_S - 1.0)
    # The answer was lost on the way.
    again = _post(site, talk, model, **{"X-Stainless-Retry-Count": "2"})
    until_alone(site)
    turn(site, GRACE_S)

    assert [a.headers["X-Job-Id"] for a in (back, again)] == [job_id, job_id]
    assert back.json() == again.json()
    until_gone(site.service, job_id)


def test_a_job_of_a_named_session_stays(open_site: OpenSite, talk: Path) -> None:
    """Its caller can find it."""
    site = open_site(clock=ManualClock())
    answer = _post(site, talk, "whisper-1", **{"X-Session-Id": "mine"})
    until_alone(site)
    turn(site, GRACE_S)

    result = site.service.snapshot(answer.headers["X-Job-Id"], session_ids=["mine"])
    assert result.state is State.COMPLETED


def test_others_have_jobs_of_their_own(open_site: OpenSite, talk: Path) -> None:
    """The same content is one job only for who sends it again, not for who sends it, too."""
    site = open_site()
    plain = [_post(site, talk, "whisper-1") for _ in range(2)]
    keyed = [_post(site, talk, "whisper-1", **{"Idempotency-Key": "k"}) for _ in range(2)]
    other = _post(site, talk, "steady", **{"Idempotency-Key": "k"})
    retry = {"X-Stainless-Retry-Count": "1", "X-Session-Id": "theirs"}
    theirs = _post(site, talk, "whisper-1", **retry)

    assert all(a.status_code == HTTPStatus.OK for a in (*plain, *keyed, other, theirs))
    ids = [a.headers["X-Job-Id"] for a in (*plain, *keyed, other, theirs)]
    assert ids[2] == ids[3]
    assert len(set(ids)) == 5


def test_a_visitor_sees_the_job_without_its_name(open_site: OpenSite, talk: Path) -> None:
    """It stands in the queue like any other."""
    site = open_site(open_to_all=True)
    answer = _post(site, talk, "whisper-1")
    queue = httpx.get(f"{site.server.url}/queues", trust_env=False).json()

    assert len(queue["jobs"]) == 1
    assert answer.headers["X-Job-Id"] not in str(queue)


def test_a_service_that_closes_leaves_no_job_that_nobody_can_fetch(
    open_site: OpenSite, tmp_path: Path, talk: Path, gate: Path
) -> None:
    """The client sends again to the next one: it must not find two."""
    site = open_site(clock=ManualClock())
    _hang_up(site, talk, Script(gate=str(gate)).model)
    gate.touch()
    site.service.close()
    with open_site().service as after:
        assert after.snapshots() == ()


class TestWaiting:
    """The rule itself."""

    @pytest.mark.parametrize(
        ("clients", "lost", "key", "again", "suits"),
        [
            (1, False, "", True, True),
            (1, False, "k", False, True),
            (1, False, "other", False, False),
            (1, False, "", False, False),
            (0, True, "", False, True),
            (0, False, "", False, False),
        ],
    )
    def test_who_may_have_the_job(
        self, clients: int, lost: bool, key: str, again: bool, suits: bool
    ) -> None:
        """A retry, the same key, or whoever comes after a client that is gone."""
        awaited = Awaited("content", "k", named=False)
        awaited.clients, awaited.lost = clients, lost

        assert awaited.suits(key, again=again) is suits

    def test_without_a_key_nobody_has_the_same(self) -> None:
        """No key is not a key."""
        awaited = Awaited("content", "", named=False)
        awaited.clients = 1

        assert not awaited.suits("", again=False)

    def test_a_job_that_is_still_to_be_made_ends_when_it_is(self) -> None:
        """The client hangs up while we look into its file: the grace begins with the job."""
        clock = ManualClock()
        service: Any = _Service(clock)
        waiting = Waiting(service)
        awaited, is_new = waiting.join("content", "", again=False, named=False)
        waiting.leave(awaited, answered=False)
        clock.advance(2 * GRACE_S)
        job: Any = SimpleNamespace(job_id="one")
        waiting.job_created(awaited, job)
        clock.advance(GRACE_S - 1.0)
        assert service.done == []
        clock.advance(1.0)

        assert is_new
        assert service.done == ["cancel one", "delete one"]


class _Service:
    """Of a service as much as the rule needs."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self.done: list[str] = []

    def before_close(self, action: Callable[[], None]) -> None:
        pass

    def ask(self, action: Callable[[], None]) -> None:
        action()

    def snapshot(self, job_id: str) -> Any:
        return SimpleNamespace(kept=False)

    def cancel(self, job_id: str) -> None:
        self.done.append(f"cancel {job_id}")

    def delete(self, job_id: str) -> None:
        self.done.append(f"delete {job_id}")
