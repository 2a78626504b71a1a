"""Plain text in columns, as terminals and cells show it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from textwrap import wrap

#: Text is not wrapped into less room than this, in columns.
LEAST = 20


def columns(
    rows: Sequence[Sequence[str]], right: Collection[int] = (), width: int | None = None
) -> list[str]:
    """Rows of equally many cells as lines, each column as wide as its widest cell.

    ``right`` names the columns (from 0) that stand to the right, as numbers do. With a
    ``width`` the last column's text is wrapped, so that lines have no more characters.

    >>> columns([("NAME", "SIZE"), ("base", "9")], right=[1])
    ['NAME  SIZE', 'base     9']
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    if width is not None:
        room = width - sum(w + 2 for w in widths[:-1])
        rows = [line for row in rows for line in _within(row, room)]
        widths[-1] = max(len(row[-1]) for row in rows)
    return [
        "  ".join(
            cell.rjust(width) if n in right else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _within(row: Sequence[str], room: int) -> Iterator[Sequence[str]]:
    """A row whose last cell takes no more columns, as several rows."""
    first, *others = wrapped(row[-1], room)
    yield (*row[:-1], first)
    for part in others:
        yield (*[""] * (len(row) - 1), part)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """A text as lines of so many columns at most, those after the first indented.

    Words stay in one piece, for people copy commands and paths. Text that fits, or that has
    too little room, is left as it is.

    >>> wrapped("see this --long-option of all", 20, "  ")
    ['see this', '  --long-option of', '  all']
    """
    if len(text) <= width or width < LEAST:
        return [text]
    return wrap(
        text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
