"""Variants taken in turn, in one process, so that what the machine does meanwhile hits all alike.

A group is one pass over all variants; a ratio is formed within a group, and what is printed is
its median, minimum and maximum over the groups. Absolute times are only a hint.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

#: Does the work once; returns what it found, for comparison.
Variant = Callable[[], object]


@dataclass(frozen=True)
class Measured:
    """Seconds of each variant in each group, and what each found the last time."""

    seconds: Mapping[str, Sequence[float]]
    found: Mapping[str, object]

    def ratios(self, of: str, to: str) -> list[float]:
        """Speed of one variant as a multiple of another's, group by group."""
        return [b / a for a, b in zip(self.seconds[of], self.seconds[to], strict=True)]


def take_turns(variants: Mapping[str, Variant], groups: int = 5, warm_up: bool = True) -> Measured:
    """Run every variant once per group, in an order that turns round from group to group."""
    names = list(variants)
    mapping: dict[str, object] = {}
    seconds: dict[str, list[float]] = {name: [] for name in names}
    if warm_up:
        for name in names:
            variants[name]()
    for group in range(groups):
        turn = names[group % len(names) :] + names[: group % len(names)]
        for name in turn:
            began = time.perf_counter()
            mapping[name] = variants[name]()
            seconds[name].append(time.perf_counter() - began)
    return Measured(seconds, mapping)


def spread(values: Sequence[float], digits: int = 3, unit: str = "") -> str:
    """``median (minimum - maximum)``."""
    lines = [f"{v:.{digits}f}{unit}" for v in (statistics.median(values), min(values), max(values))]
    return f"{lines[0]} ({lines[1]} - {lines[2]})"


def table(title: str, rows: Sequence[tuple[str, str]]) -> str:
    """A small two-column table under a title."""
    width = max(len(remaining) for remaining, _ in rows)
    lines = [f"  {remaining:<{width}}  {right}" for remaining, right in rows]
    return "\n".join([title, *lines, ""])
