"""Neighbours joined into groups: speech is parted at pauses, text where sentences end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")


def grouped(items: Iterable[_T], belongs: Callable[[list[_T], _T], bool]) -> Iterator[list[_T]]:
    """Groups of neighbours: an item joins the group before it where ``belongs`` says so.

    >>> list(grouped([1, 2, 5, 6], lambda group, item: item - group[-1] < 2))
    [[1, 2], [5, 6]]
    """
    group: list[_T] = []
    for item in items:
        if group and not belongs(group, item):
            yield group
            group = []
        group.append(item)
    if group:
        yield group
