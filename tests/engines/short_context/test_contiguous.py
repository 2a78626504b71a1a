"""Pieces that leave nothing out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hybrid_transcribe.engines.common.chunking import LEAST_S, PIECE_S, WHOLE_S
from hybrid_transcribe.engines.faster_whisper.short_context.contiguous import contiguous
from hybrid_transcribe.types import RATE_HZ


@pytest.mark.parametrize("seconds", [0.01, 5.0, WHOLE_S, WHOLE_S + 0.1, 61.7, 300.0])
def test_every_sample_is_in_one_piece(seconds: float) -> None:
    """And no piece is longer than its window holds."""
    samples = np.random.default_rng(0).normal(0, 0.1, int(seconds * RATE_HZ)).astype(np.float32)
    pieces = list(contiguous(samples))

    assert pieces[0].start_s == 0
    assert pieces[-1].end_s == len(samples) / RATE_HZ
    assert all(a.end_s == b.start_s for a, b in pairwise(pieces))
    assert all(LEAST_S <= item.end_s - item.start_s <= PIECE_S for item in pieces[:-1])
    assert pieces[-1].end_s - pieces[-1].start_s <= WHOLE_S


def test_cuts_are_in_pauses() -> None:
    """In the quietest fifth of a second within reach."""
    samples = np.random.default_rng(0).normal(0, 0.1, 30 * RATE_HZ).astype(np.float32)
    samples[14 * RATE_HZ : int(14.2 * RATE_HZ)] *= 0.01
    first, second = contiguous(samples)

    assert 14.0 <= first.end_s == second.start_s <= 14.2
