"""A service that is warm, for many tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hybrid_transcribe import Service
from tests.services import service as local_service
from tests.services import wavs


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """In memory; its worker starts here and stays, its queue is empty."""
    with local_service() as instance:
        job = instance.submit(wavs(tmp_path_factory.mktemp("warm"), "up"))
        job.result(30)
        job.delete()
        yield instance
