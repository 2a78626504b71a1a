"""Wrong words, by Whisper's own normaliser; in languages without spaces, wrong characters."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.speech import Recording
from tests.engines.mistakes import count


def wrong(recordings: Sequence[Recording], texts: Sequence[str]) -> list[tuple[int, int]]:
    """Wrong words and words, for each recording."""
    return [
        count(item.text, text, item.language) for item, text in zip(recordings, texts, strict=True)
    ]


def rate(recordings: Sequence[Recording], texts: Sequence[str]) -> float:
    """Wrong words, in per cent of all."""
    pairs = wrong(recordings, texts)
    return 100 * sum(w for w, _ in pairs) / max(sum(n for _, n in pairs), 1)
