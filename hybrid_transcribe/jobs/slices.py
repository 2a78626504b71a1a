"""Long work on the manager loop, done in slices so that the loop is never held for long.

Such work is an iterator that yields wherever it may be interrupted: between two slices anything
else may happen, so it looks again at what it needs. ``finish`` does it at once, as tests and
listeners on the loop itself need it; `finish_in_slices` lets others have their turn.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Generator, Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")

#: Work that yields between slices and returns a value in the end.
Sliced = Generator[None, None, _T]

#: A slice may hold the loop for about so long, in seconds; a commit may follow it.
SLICE_S = 0.015


def finish(work: Sliced[_T]) -> _T:
    """Do all of it now, and return its value."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            value: _T = end.value
            return value


async def finish_in_slices(work: Sliced[_T]) -> _T:
    """Do all of it, letting the loop do something else after each slice."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            value: _T = end.value
            return value
        await asyncio.sleep(0)


class Watch:
    """Says when a slice has been long enough."""

    def __init__(self) -> None:
        self._ends_s = time.perf_counter() + SLICE_S

    def is_over(self) -> bool:
        """True when it is time to yield; the next slice begins then."""
        now = time.perf_counter()
        if now < self._ends_s:
            return False
        self._ends_s = now + SLICE_S
        return True


def portions(things: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """The things in lists of ``size``, the last with what is left.

    >>> list(portions("abcde", 2))
    [['a', 'b'], ['c', 'd'], ['e']]
    """
    portion: list[_T] = []
    for thing in things:
        portion.append(thing)
        if len(portion) == size:
            yield portion
            portion = []
    if portion:
        yield portion
