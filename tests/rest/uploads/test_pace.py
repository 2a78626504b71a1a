"""Who sends too slowly is sent away; who waits for us is not."""

from __future__ import annotations

import pytest

from hybrid_transcribe.errors import TooSlow
from hybrid_transcribe.rest.uploads.body_writer import UploadPace
from hybrid_transcribe.testing import ManualClock
from hybrid_transcribe.uploads.received import UploadLimits

LIMITS = UploadLimits(idle_s=10, least_bytes_per_s=100, window_s=30)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def late() -> list[TooSlow]:
    return []


@pytest.fixture
def pace(clock: ManualClock, late: list[TooSlow]) -> UploadPace:
    return UploadPace(LIMITS, clock, late.append)


def test_f28_silence(pace: UploadPace, clock: ManualClock, late: list[TooSlow]) -> None:
    """Ten seconds without a byte, counted from the last one."""
    clock.advance(9)
    pace.came(10_000)
    clock.advance(9.9)
    assert not late

    clock.advance(0.2)
    assert [str(error) for error in late] == ["No byte of the body came for 10 s"]


def test_f28_a_drip(pace: UploadPace, clock: ManualClock, late: list[TooSlow]) -> None:
    """A byte a second is never silent, and too slow all the same."""
    for _ in range(29):
        clock.advance(1)
        pace.came(1)
    assert not late

    clock.advance(1)
    assert "at least 100 bytes/s" in str(late[0])
    clock.advance(1000)
    assert len(late) == 1


def test_a_drip_after_a_flood(pace: UploadPace, clock: ManualClock, late: list[TooSlow]) -> None:
    """Each window counts for itself: what came fast before is no credit."""
    pace.came(1_000_000_000)
    for _ in range(70):
        clock.advance(1)
        pace.came(1)

    assert len(late) == 1


def test_slow_but_good_enough(pace: UploadPace, clock: ManualClock, late: list[TooSlow]) -> None:
    """Little more than the least rate, for hours."""
    for _ in range(2000):
        clock.advance(5)
        pace.came(600)

    assert not late


def test_time_that_we_take_is_not_the_senders(
    pace: UploadPace, clock: ManualClock, late: list[TooSlow]
) -> None:
    """A disk that hangs for an hour is no fault of who sends."""
    pace.came(3000)
    clock.advance(9)
    pace.hold()
    clock.advance(3600)
    pace.go_on()
    clock.advance(0.9)
    assert not late

    clock.advance(0.2)
    assert "for 10 s" in str(late[0])


def test_nothing_after_the_end(pace: UploadPace, clock: ManualClock, late: list[TooSlow]) -> None:
    """A body that has come is watched no more."""
    pace.stop()
    clock.advance(1000)

    assert not late
