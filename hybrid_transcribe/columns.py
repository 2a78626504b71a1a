"""Plain text in columns, as terminals and cells show it."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def columns(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Rows of equally many cells as lines, each column as wide as its widest cell.

    ``right`` names the columns (from 0) that stand to the right, as numbers do.

    >>> columns([("NAME", "SIZE"), ("base", "9")], right=[1])
    ['NAME  SIZE', 'base     9']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if n in right else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
