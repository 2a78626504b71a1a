"""Long work in slices: the same result, with others' turns in between."""

from __future__ import annotations

import asyncio

import pytest

from hybrid_transcribe.jobs import slices
from hybrid_transcribe.jobs.slices import Sliced, Watch, finish, finish_in_slices, portions


def _count(n: int, done: list[int]) -> Sliced[int]:
    watch = Watch()
    for i in range(n):
        done.append(i)
        if watch.is_over():
            yield
    return n


def test_both_ways_give_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """At once, or with others in between."""
    monkeypatch.setattr(slices, "SLICE_S", 0.0)
    assert finish(_count(5, [])) == 5

    async def scene() -> tuple[int, list[int]]:
        done: list[int] = []
        seen: list[int] = []

        async def other() -> None:
            while len(done) < 5:
                seen.append(len(done))
                await asyncio.sleep(0)

        beside = asyncio.ensure_future(other())
        value = await finish_in_slices(_count(5, done))
        await beside
        return value, seen

    value, seen = asyncio.run(scene())
    assert value == 5
    assert len(seen) >= 4


def test_short_work_is_not_interrupted() -> None:
    """What fits into one slice happens in one turn of the loop."""
    work = _count(10, [])
    with pytest.raises(StopIteration):
        next(work)


def test_portions_have_all() -> None:
    assert list(portions(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(portions([], 3)) == []
