"""Each of the three hosts, once for all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.rest.hosts.running import HOSTS, Running

#: Jupyter Server takes long to start.
_EACH = [pytest.param(n, marks=[pytest.mark.slow] * (n == "jupyter")) for n in HOSTS]


@pytest.fixture(scope="session", params=_EACH)
def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Running]:
    """One after the other: inside a kernel, `hybrid-transcribe serve`, Jupyter Server."""
    name: str = request.param
    with HOSTS[name](tmp_path_factory.mktemp(name)) as running:
        yield running
