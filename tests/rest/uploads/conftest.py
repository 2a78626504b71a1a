"""Servers for uploads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.rest.uploads.landing import Landing, serving

OpenLanding = Callable[..., Landing]


@pytest.fixture
def open_landing(tmp_path: Path) -> Iterator[OpenLanding]:
    """Opens servers; each is closed at the end."""
    with ExitStack() as stack:

        def make(**how: Any) -> Landing:
            return stack.enter_context(serving(Landing(tmp_path / "landed", **how)))

        yield make


@pytest.fixture
def landing(open_landing: OpenLanding) -> Landing:
    """One with the limits that users get."""
    return open_landing()
