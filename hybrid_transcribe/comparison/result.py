"""The values a comparison consists of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hybrid_transcribe.comparison.differences import Difference
from hybrid_transcribe.comparison.report import error_text, page
from hybrid_transcribe.errors import EngineUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Rejection, Transcript


@dataclass(frozen=True, slots=True)
class ComparisonRow:
    """One engine's side of it.

    Attributes:
        label: the engine and its model, different from every other row's.
        audio_s: seconds of audio in the recordings it completed.
        fetch_s: fetching (or joining, or converting) the model took so long.
        load_s: from the start of its worker to the first audio, without the fetching.
        transcribe_s: from there to the end. None of these where it never got there.
        peak_bytes: the most main memory its worker's process ever held (not that of a GPU).
        wer: errors over words of the reference, over all it completed; in characters for
            languages without spaces. None without a reference.
        errors: what gave no transcript: recordings, or the engine as a whole.
    """

    label: str
    engine: str
    model: str
    device: str | None = None
    transcripts: tuple[Transcript, ...] = ()
    audio_s: float = 0.0
    fetch_s: float = 0.0
    load_s: float | None = None
    transcribe_s: float | None = None
    peak_bytes: int | None = None
    wer: float | None = None
    warnings: tuple[str, ...] = ()
    errors: tuple[Rejection, ...] = ()

    @property
    def text(self) -> str:
        """What it wrote, a line a recording."""
        return "\n".join(transcript.text for transcript in self.transcripts)

    @property
    def speed(self) -> float | None:
        """Seconds of audio transcribed in a second; None where nothing was."""
        return self.audio_s / self.transcribe_s if self.transcribe_s else None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two engines against each other, on the recordings that both completed.

    Attributes:
        first, second: labels of rows.
        wer: errors of the second, were the first what was said.
    """

    first: str
    second: str
    wer: float | None
    differences: tuple[Difference, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """Engines side by side. Printed, it is a table with the differences below it.

    Attributes:
        recordings: their names, in order.
        language: by whose rules words were counted, ISO 639-1; None for the general ones.
    """

    recordings: tuple[str, ...]
    rows: tuple[ComparisonRow, ...]
    pairs: tuple[Pair, ...] = ()
    language: str | None = None

    def __getitem__(self, label: str) -> ComparisonRow:
        for row in self.rows:
            if row.label == label:
                return row
        raise KeyError(f"No row {label!r}; there is {', '.join(r.label for r in self.rows)}")

    def __iter__(self) -> Iterator[ComparisonRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def text(self, differences: int = 20) -> str:
        """A table and at most so many differences of each pair, within 100 columns."""
        return page(self, differences)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return self.text(5)

    def records(self) -> list[dict[str, Any]]:
        """The rows as plain data, one flat mapping each."""
        return [_record(row) for row in self.rows]

    def to_frame(self) -> Any:
        """The rows as a `pandas.DataFrame`. Raises EngineUnavailable where pandas is missing."""
        try:
            import pandas
        except ImportError:
            from hybrid_transcribe.comparison.words import REMEDY

            raise EngineUnavailable(UserMessage("needs_pandas", remedy=REMEDY)) from None
        return pandas.DataFrame(self.records())


def _record(row: ComparisonRow) -> dict[str, Any]:
    return {
        "label": row.label,
        "engine": row.engine,
        "model": row.model,
        "device": row.device,
        "audio_s": row.audio_s,
        "fetch_s": row.fetch_s,
        "load_s": row.load_s,
        "transcribe_s": row.transcribe_s,
        "speed": row.speed,
        "peak_bytes": row.peak_bytes,
        "wer": row.wer,
        "text": row.text,
        "warnings": "\n".join(row.warnings),
        "errors": "\n".join(map(error_text, row.errors)),
    }
