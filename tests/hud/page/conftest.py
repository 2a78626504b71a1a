"""A server with a page, for many visits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hybrid_transcribe.testing import Script
from tests.rest.hosts.running import TOKEN, Running, serve

#: Of every second of a recording; long ones are long enough to be watched.
DELAY_S = 0.1


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """`hybrid-transcribe serve` below a path, with an engine that takes its time."""
    folder = tmp_path_factory.mktemp("page")
    model = Script(delay_s=DELAY_S).model
    arguments = ("--token", TOKEN, "--base-url", "voz")
    more = {"HYBRID_TRANSCRIBE_MODEL": model, "HYBRID_TRANSCRIBE_WARM_PAGES": "2"}
    with serve(folder, *arguments, **more) as running:
        yield running
