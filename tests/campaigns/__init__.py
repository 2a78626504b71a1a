"""Long trials that believe nothing: kills, damage, load. Run by hand, in short by slow tests.

``python -m tests.campaigns`` lists them; ``python -m tests.campaigns NAME`` runs one, prints a
table and ends with 1 when anything was lost.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class Report:
    """What a campaign found: figures by name, and a line for each loss."""

    title: str
    figures: dict[str, object] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)

    @property
    def n_losses(self) -> int:
        """How many trials lost something, or broke a promise."""
        return len(self.losses)

    @property
    def table(self) -> str:
        """As Markdown."""
        rows = {**self.figures, "losses": self.n_losses}
        head: Sequence[str] = (f"| {self.title} | |", "|---|---:|")
        return "\n".join([*head, *(f"| {name} | {value} |" for name, value in rows.items())])


@dataclass(frozen=True, slots=True)
class Campaign:
    """``run`` is given an empty folder, how often (its unit is the campaign's) and a seed."""

    run: Callable[[Path, int, int], Report]
    count: int
    what: str
