"""A comparison as people and programs read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.comparison.differences import Difference
from hybrid_transcribe.comparison.words import BY_CHARACTER
from hybrid_transcribe.core.columns import columns
from hybrid_transcribe.progress import clock_text
from hybrid_transcribe.types import Rejection, counted

if TYPE_CHECKING:
    from hybrid_transcribe.comparison.result import Comparison, ComparisonRow, Pair

#: Most columns of a line.
WIDTH = 100

_HEAD = ("ENGINE", "DEVICE", "LOADING", "TRANSCRIBING", "SPEED", "MEMORY", "WORD ERRORS")

#: Columns of numbers.
_RIGHT = range(2, len(_HEAD))

#: Longest label in the table, so that the numbers have room.
_LABEL = 39

_UNKNOWN = "–"


def page(comparison: Comparison, differences: int) -> str:
    """The whole text, ending without a newline; at most so many differences of each pair."""
    parts = [
        _heading(comparison),
        *_table(comparison),
        *_notes(comparison.rows),
        *(line for pair in comparison.pairs for line in _pair(pair, comparison, differences)),
    ]
    return "\n".join(parts)


def document(comparison: Comparison) -> dict[str, Any]:
    """All of it as plain data, for JSON."""
    rows = [
        record | {"warnings": list(row.warnings), "errors": [_plain(e) for e in row.errors]}
        for row, record in zip(comparison.rows, comparison.records(), strict=True)
    ]
    return {
        "recordings": list(comparison.recordings),
        "language": comparison.language,
        "rows": rows,
        "pairs": [asdict(pair) for pair in comparison.pairs],
    }


def error_text(error: Rejection) -> str:
    """``name: message (code)``, the name once."""
    message = error.error.message.removeprefix(f"{error.name}: ")
    return f"{error.name}: {message} ({error.error.code})"


def _plain(error: Rejection) -> dict[str, str]:
    return {"name": error.name, "code": error.error.code, "message": error.error.message}


def _heading(comparison: Comparison) -> str:
    n = len(comparison.recordings)
    if not n:
        return "No recording was transcribed."
    longest_s = max(row.audio_s for row in comparison.rows)
    who = comparison.recordings[0] if n == 1 else counted(n, "recording")
    return f"{who}, {longest_s:.1f} s"


def _table(comparison: Comparison) -> list[str]:
    head = (*_HEAD[:-1], "CHAR ERRORS") if _by_character(comparison) else _HEAD
    return ["", *columns([head, *map(_cells, comparison.rows)], _RIGHT)]


def _cells(row: ComparisonRow) -> tuple[str, ...]:
    label = row.label if len(row.label) <= _LABEL else f"{row.label[: _LABEL - 1]}…"
    memory = _UNKNOWN if row.peak_bytes is None else f"{row.peak_bytes / 1e6:.0f} MB"
    speed = _UNKNOWN if row.speed is None else f"{row.speed:.{0 if row.speed >= 100 else 1}f}×"
    return (
        label,
        row.device or _UNKNOWN,
        _seconds(row.load_s),
        "failed" if row.errors and not row.transcripts else _seconds(row.transcribe_s),
        speed,
        memory,
        _share(row.wer),
    )


def _seconds(time_s: float | None) -> str:
    return _UNKNOWN if time_s is None else f"{time_s:.1f} s"


def _share(rate: float | None) -> str:
    return _UNKNOWN if rate is None else f"{100 * rate:.1f} %"


def _notes(rows: Iterable[ComparisonRow]) -> Iterator[str]:
    lines = [line for row in rows for line in _notes_of(row)]
    if lines:
        yield ""
        yield from lines


def _notes_of(row: ComparisonRow) -> Iterator[str]:
    ready = f"the model was fetched or converted first, in {row.fetch_s:.0f} s"
    fetched = [ready] if row.fetch_s >= 1 else []
    errors = [f"failed: {error_text(e).removeprefix(f'{row.label}: ')}" for e in row.errors]
    for text in (*errors, *fetched, *row.warnings):
        yield from _wrapped(f"{row.label}: {text}", "  ")


def _pair(pair: Pair, comparison: Comparison, most: int) -> Iterator[str]:
    unit = "characters" if _by_character(comparison) else "words"
    share = "nothing to compare" if pair.wer is None else f"{_share(pair.wer)} of the {unit} differ"
    yield ""
    yield from _wrapped(f"[{pair.first} | {pair.second}] {share}", "  ")
    several = len(comparison.recordings) > 1
    for difference in pair.differences[:most]:
        yield from _difference(difference, several)
    remaining = len(pair.differences) - most
    if remaining > 0:
        yield f"  and {remaining} more"


def _difference(difference: Difference, several: bool) -> Iterator[str]:
    name = f"{difference.recording} " if several else ""
    at = f"{name}{clock_text(difference.at_s)}"
    yield from _wrapped(f"  {at}  {difference}", " " * 8)


def _wrapped(text: str, indent: str) -> Sequence[str]:
    return wrap(text, WIDTH, subsequent_indent=indent, break_on_hyphens=False)


def _by_character(comparison: Comparison) -> bool:
    return comparison.language in BY_CHARACTER
