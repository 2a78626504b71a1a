"""OpenAI's own client, and what it sent."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import openai
import pytest
from jsonschema import Draft202012Validator

from hybrid_transcribe import Service
from hybrid_transcribe.rest.compat.waiting import GRACE_S
from hybrid_transcribe.testing import ManualClock
from hybrid_transcribe.types import State
from tests.conftest import REPOSITORY
from tests.rest.compat.openai_schemas import SCHEMAS
from tests.rest.conftest import Site
from tests.services import service as make_service
from tests.services import wavs
from tests.speaking import ENGINES

Check = Callable[[str, Any], None]


class Client(openai.OpenAI):
    """The client as people have it, with a list of its requests."""

    def __init__(self, site: Site, **more: Any) -> None:
        self.requests: list[Any] = []
        self.on_request: Callable[[int], None] = lambda n: None
        more.setdefault("api_key", site.server.token or "none")
        more.setdefault("max_retries", 0)
        super().__init__(
            base_url=f"{site.server.url}/v1",
            http_client=openai.DefaultHttpxClient(
                trust_env=False, event_hooks={"request": [self._sending]}
            ),
            **more,
        )

    def _sending(self, request: Any) -> None:
        self.requests.append(request)
        self.on_request(len(self.requests))


OpenClient = Callable[..., Client]


@pytest.fixture
def client_of() -> Iterator[OpenClient]:
    """Makes clients; each is closed at the end."""
    with ExitStack() as stack:
        yield lambda site, **more: stack.enter_context(Client(site, **more))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site for all tests of a file: each has jobs of its own."""
    folder = tmp_path_factory.mktemp("site")
    with (
        make_service(folder / "state", engines=ENGINES) as service,
        service.serve() as server,
    ):
        yield Site(service, server, folder / "sent")


@pytest.fixture
def client(shared: Site, client_of: OpenClient) -> Client:
    """One of the shared site, which tries everything once."""
    return client_of(shared)


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Three seconds, of which the scripted engine says "talk 0", "talk 1", "talk 2"."""
    return wavs(tmp_path / "sent", "talk")[0]


def until_state(service: Service, job_id: str, state: State) -> None:
    """Wait until a job is in that state, also when it is already."""
    with service.subscribe() as events:
        while service.snapshot(job_id).state is not state:
            assert events.get(30.0) is not None, f"the job is never {state}"


def until_gone(service: Service, job_id: str) -> None:
    """Wait until a job is erased."""
    with service.subscribe() as events:
        while job_id in {job.job_id for job in service.snapshots()}:
            assert events.get(30.0) is not None, "the job is there for ever"


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Path]:
    """For an engine that waits; open at the end, as a clock of ours never makes a worker end.

    Ask for it after the site.
    """
    path = tmp_path / "gate"
    yield path
    path.touch()


def _alarms(site: Site) -> Iterator[bool]:
    clock = site.service.clock
    assert isinstance(clock, ManualClock)
    due = clock.monotonic() + GRACE_S
    return (alarm.at == due and not alarm.canceled for alarm in tuple(clock._alarms))


def until_alone(site: Site) -> None:
    """Wait until the server knows that the last client is gone: the grace has begun."""
    deadline = time.monotonic() + 30
    while not any(_alarms(site)):
        assert time.monotonic() < deadline, "nobody noticed that the client is gone"
        time.sleep(0.01)


def turn(site: Site, by_s: float) -> None:
    """Let time pass for a service with a clock of ours."""
    clock = site.service.clock
    assert isinstance(clock, ManualClock)
    site.service.call(lambda room: clock.advance(by_s)).result()


@pytest.fixture(scope="session")
def fits() -> Check:
    """Checks a response against the API's facts, and its whole document where that is here."""
    path = REPOSITORY.parent / "shared" / "contracts" / "openai-audio.openapi.json"
    document = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def check(name: str, value: Any) -> None:
        Draft202012Validator(SCHEMAS[name]).validate(value)
        if document is not None:
            schema = {**document, "$ref": f"#/components/schemas/{name}"}
            Draft202012Validator(schema).validate(value)

    return check
