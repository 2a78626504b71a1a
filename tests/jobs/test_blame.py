"""Who pays for a dead worker."""

from __future__ import annotations

import pytest

from hybrid_transcribe.interfaces import WorkerExit
from hybrid_transcribe.jobs.blame import verdicts
from hybrid_transcribe.jobs.flight import Flight
from hybrid_transcribe.jobs.machine import Lost
from hybrid_transcribe.jobs.queue import Ticket, order
from hybrid_transcribe.types import Spec


def flight(letters: str, n: int) -> Flight:
    """``t`` was opened by the worker, ``g`` was let go, ``-`` neither."""
    ticket = Ticket(order(0, 0, n), str(n), "s", Spec("e", "m"))
    return Flight(str(n), 1, ticket, touched="t" in letters, let_go="g" in letters)


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
    told = []
    for _, change in verdicts(flights, WorkerExit(-11, "oops"), 1.0, 3):
        if isinstance(change, Lost):
            assert "signal 11" in change.error.message
            assert "oops" in change.error.message
            told.append("blamed" if change.blamed else "suspect" if change.suspect else "lost")
        else:
            told.append("back")
    assert told == expected
