"""Fetching from a hub on this machine. Misbehaving ones are in ``tests/faults``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models import fakes
from tests.models.children import fetched
from tests.models.hub_server import COMMIT, Hub, serving


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub with one repository."""
    served = Hub()
    with serving(served):
        yield served


def test_a_model_is_fetched_with_its_percentage(hub: Hub, tmp_path: Path) -> None:
    """Unknown at first, then rising to 100; the files are those of the hub."""
    answer = fetched(tmp_path, hub.url)

    folder = Path(answer["folder"])
    assert folder.name == COMMIT
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == fakes.CT2_FILES
    items = [p for p in answer["seen"] if p is not None]
    assert answer["seen"][0] is None
    assert items == sorted(items)
    assert items[-1] == 100


@pytest.mark.slow
def test_what_was_fetched_once_needs_no_hub(hub: Hub, tmp_path: Path) -> None:
    """The second time nothing is asked, so a hub that is gone does not matter."""
    first = fetched(tmp_path, hub.url)
    second = fetched(tmp_path, "http://127.0.0.1:9")

    assert (second["folder"], second["seen"]) == (first["folder"], [])


def test_a_repository_that_does_not_exist_is_told_as_such(hub: Hub, tmp_path: Path) -> None:
    """The hub's own answer is in the message."""
    answer = fetched(tmp_path, hub.url, "someone/else")

    assert answer["code"] == "model_unavailable"
    assert "someone/else" in answer["message"]
    assert "404" in answer["message"]


def test_a_repository_of_another_kind_is_refused(hub: Hub, tmp_path: Path) -> None:
    """A repository without such weights is named with what it lacks, and where it may be of use."""
    del hub.files["model.bin"]
    answer = fetched(tmp_path, hub.url)

    assert answer["code"] == "model_unavailable"
    assert "model.bin" in answer["message"]
    assert "with models get --layout huggingface" in answer["message"]
