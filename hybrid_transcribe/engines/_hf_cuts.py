"""Cutting a clip where nobody speaks, so that its parts can be decoded side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.types import RATE_HZ

#: A pause this long (ms) ends a stretch of speech: faster-whisper's own choice for its batches.
_PAUSE_MS = 160

#: First sample, and the one behind the last.
Span: TypeAlias = tuple[int, int]

Samples: TypeAlias = npt.NDArray[np.float32]


def voiced(samples: Samples, longest_s: float) -> list[Span]:
    """Stretches of speech of at most that length, in order."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    options = VadOptions(max_speech_duration_s=longest_s, min_silence_duration_ms=_PAUSE_MS)
    found = get_speech_timestamps(samples, options)
    return list(joined(((s["start"], s["end"]) for s in found), int(longest_s * RATE_HZ)))


def joined(spans: Iterable[Span], most: int) -> Iterator[Span]:
    """Neighbours together, with the pause between them, as long as they stay within ``most``.

    Longer stretches tell the model more, and cost its encoder the same.

    >>> list(joined([(0, 4), (5, 9), (11, 12)], 10))
    [(0, 9), (11, 12)]
    """
    current: Span | None = None
    for start, end in spans:
        if current is not None and end - current[0] <= most:
            current = (current[0], end)
            continue
        if current is not None:
            yield current
        current = (start, end)
    if current is not None:
        yield current
