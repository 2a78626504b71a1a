"""Pieces that leave nothing out, for ``vad_filter=False``: cut where it is quietest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.common.chunking import LEAST_S, PIECE_S, WHOLE_S, AudioPiece
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: Levels are measured in blocks of this many samples (20 ms), and averaged over a pause (0.2 s).
BLOCK, PAUSE = RATE_HZ // 50, 10


def contiguous(samples: Samples) -> Iterator[AudioPiece]:
    """Pieces of a clip in order, each beginning where the one before it ends.

    A clip up to `WHOLE_S` is one piece; of longer ones each is `LEAST_S` to `PIECE_S` long, and
    the last up to `WHOLE_S`.
    """
    first = 0
    while len(samples) - first > WHOLE_S * RATE_HZ:
        low = first + int(LEAST_S * RATE_HZ)
        cut = low + _quietest(samples[low : first + int(PIECE_S * RATE_HZ)])
        yield AudioPiece(first / RATE_HZ, cut / RATE_HZ)
        first = cut
    yield AudioPiece(first / RATE_HZ, len(samples) / RATE_HZ)


def _quietest(samples: Samples) -> int:
    """The middle of the quietest pause, in samples."""
    rows = samples[: len(samples) // BLOCK * BLOCK].reshape(-1, BLOCK)
    power = np.einsum("ij,ij->i", rows, rows)
    smooth = np.convolve(power, np.ones(PAUSE), mode="valid")
    return (int(np.argmin(smooth)) + PAUSE // 2) * BLOCK
