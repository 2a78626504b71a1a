"""A service, by each way to reach one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import RemoteService, Service
from tests.services import service as local_service
from tests.services import wavs


class _Remote(RemoteService):
    """A service of this process, reached over HTTP through so many servers; closed with them."""

    def __init__(self, n_servers: int = 1) -> None:
        self.behind: list[Service | RemoteService] = [local_service()]
        for _ in range(n_servers - 1):
            server = self.behind[-1].serve()
            self.behind.append(RemoteService(server.url, server.token))
        server = self.behind[-1].serve()
        super().__init__(server.url, server.token)

    @property
    def uploads_dir(self) -> Path:
        """Where what was sent lies in the end."""
        return self.behind[0].uploads_dir

    def close(self) -> None:
        super().close()
        for service in reversed(self.behind):
            service.close()


#: Ways to reach a service.
DOORS: dict[str, Callable[[], Any]] = {
    "local": local_service,
    "remote": _Remote,
    "chain": partial(_Remote, n_servers=2),
}


@pytest.fixture(params=DOORS, scope="module")
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    instance = DOORS[request.param]()
    # Its worker starts with the first job, and stays.
    instance.submit(wavs(tmp_path_factory.mktemp("warm"), "up")).result(30)
    yield instance
    instance.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return wavs(tmp_path, "talk")[0]
