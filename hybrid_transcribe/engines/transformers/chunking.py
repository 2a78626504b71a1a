"""Cutting a clip where nobody speaks, so that its parts can be decoded side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.common.grouping import grouped
from hybrid_transcribe.engines.common.silero_vad import serve_faster_whisper
from hybrid_transcribe.types import RATE_HZ

#: A pause this long (ms) ends a stretch of speech: faster-whisper's own choice for its batches.
_PAUSE_MS = 160

#: What is listened to at once: the detector takes 2.1-2.7 ms a second (see `silence`), and a
#: cancel must not wait for half an hour of it.
_BLOCK = 300 * RATE_HZ

#: Speech that ends this near a block's end may go on behind it; the detector pads by less.
_NEAR = RATE_HZ // 2

#: First sample, and the one behind the last.
Span: TypeAlias = tuple[int, int]

Samples: TypeAlias = npt.NDArray[np.float32]


def voiced(
    samples: Samples, longest_s: float, find: Callable[[Samples, float], list[Span]] | None = None
) -> Iterator[tuple[list[Span], int]]:
    """Stretches of speech of at most that length, block by block, and how far each block came.

    Both count in samples. Speech that a block's end may have cut goes to the next block.
    """
    find, at = find or _speech, 0
    while at < len(samples):
        end = min(len(samples), at + _BLOCK)
        spans = [(at + a, at + b) for a, b in find(samples[at:end], longest_s)]
        cut = end < len(samples) and len(spans) > 1 and spans[-1][1] >= end - _NEAR
        at = spans.pop()[0] if cut else end
        yield list(joined(spans, int(longest_s * RATE_HZ))), at


def _speech(samples: Samples, longest_s: float) -> list[Span]:
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    serve_faster_whisper()
    options = VadOptions(max_speech_duration_s=longest_s, min_silence_duration_ms=_PAUSE_MS)
    return [(s["start"], s["end"]) for s in get_speech_timestamps(samples, options)]


def joined(spans: Iterable[Span], most: int) -> Iterator[Span]:
    """Neighbours together, with the pause between them, as long as they stay within ``most``.

    Longer stretches tell the model more, and cost its encoder the same.

    >>> list(joined([(0, 4), (5, 9), (11, 12)], 10))
    [(0, 9), (11, 12)]
    """
    for group in grouped(spans, lambda group, span: span[1] - group[0][0] <= most):
        yield group[0][0], group[-1][1]
