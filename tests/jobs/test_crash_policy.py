"""Who pays for a dead worker."""

from __future__ import annotations

import pytest

from hybrid_transcribe.interfaces import WorkerExit
from hybrid_transcribe.jobs.assignment import Assignment
from hybrid_transcribe.jobs.crash_policy import crash_verdicts
from hybrid_transcribe.jobs.machine import WorkerLost
from hybrid_transcribe.jobs.queue import QueueItem, sort_key
from hybrid_transcribe.types import Spec


def flight(letters: str, n: int) -> Assignment:
    """``t`` was opened by the worker, ``g`` was let go, ``-`` neither."""
    ticket = QueueItem(sort_key(0, 0, n), str(n), "s", Spec("e", "m"))
    return Assignment(str(n), 1, ticket, touched="t" in letters, let_go="g" in letters)


@pytest.mark.parametrize(
    ("hands", "expected"),
    [
        (["t"], ["blamed"]),
        (["t", "-"], ["blamed", "back"]),
        (["t", "t", "-"], ["suspect", "suspect", "back"]),
        (["-"], ["blamed"]),
        (["-", "-"], ["suspect", "suspect"]),
        (["tg", "t"], ["back"]),
        (["g", "t"], ["blamed"]),
        ([], []),
    ],
)
def test_verdicts(hands: list[str], expected: list[str]) -> None:
    """One open recording is to blame; several are suspects; a canceled one may be the cause."""
    flights = [flight(letters, n) for n, letters in enumerate(hands)]
    lines = []
    for _, change in crash_verdicts(flights, WorkerExit(-11, "oops"), 3):
        if isinstance(change, WorkerLost):
            assert "signal 11" in change.error.message
            assert "oops" in change.error.message
            lines.append("blamed" if change.blamed else "suspect" if change.suspect else "lost")
        else:
            lines.append("back")
    assert lines == expected
