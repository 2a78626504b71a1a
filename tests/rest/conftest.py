"""A service with a scripted engine behind HTTP, and clients for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.rest.server import Server
from tests.services import service as make_service
from tests.services import wavs


@dataclass
class Site:
    """A server, its service, and ways to call it."""

    service: Service
    server: Server
    folder: Path

    def client(self, **headers: str) -> httpx.Client:
        """Of the owner, who shows the token, or of whoever shows other headers."""
        display_name = headers or ({"Authorization": f"token {self.server.token}"})
        if self.server.token is None:
            display_name.pop("Authorization", None)
        return httpx.Client(
            base_url=self.server.url, headers=display_name, trust_env=False, timeout=30
        )

    def post(self, client: httpx.Client, *names: str, **fields: str) -> dict[str, Any]:
        """A job of tones under those names, waited for."""
        files = [("file", (p.name, p.read_bytes())) for p in wavs(self.folder, *names)]
        answer = client.post("/jobs", files=files, data=fields, headers={"Prefer": "wait=30"})
        assert answer.status_code == 200, answer.text
        mapping: dict[str, Any] = answer.json()
        return mapping


OpenSite = Callable[..., Site]


@pytest.fixture
def open_site(tmp_path: Path) -> Iterator[OpenSite]:
    """Opens sites; each is closed at the end."""
    with ExitStack() as stack:

        def make(*, open_to_all: bool = False, **settings: Any) -> Site:
            # Most tests need no worker: it starts with the first job.
            options = {"preload_models": False, **settings}
            service = stack.enter_context(make_service(tmp_path / "state", **options))
            server = stack.enter_context(service.serve(open_to_all=open_to_all))
            return Site(service, server, tmp_path / "sent")

        yield make


@pytest.fixture(scope="module")
def _warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Server]]:
    # A worker that still starts, on a busy machine, is not killed for letting go late.
    with make_service(tmp_path_factory.mktemp("site") / "state", cancel_grace_s=20.0) as service:
        with service.serve() as server:
            yield service, server


@pytest.fixture
def site(_warm: tuple[Service, Server], tmp_path: Path) -> Iterator[Site]:
    """One with a token and a worker, without jobs: the same for all tests of a module.

    Who closes it, or lets its worker end, opens one of its own.
    """
    yield Site(*_warm, tmp_path / "sent")
    for job in _warm[0].jobs():
        job.delete()
