"""Word edges beside pauses follow the sound."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from hybrid_transcribe.engines.common.times import Levels, Span
from hybrid_transcribe.engines.common.word_edges import at_pauses
from hybrid_transcribe.types import RATE_HZ


def levels(*sounds: tuple[float, float], seconds: float = 6.0) -> Levels:
    """Noise of -60 dB with loud stretches."""
    random = np.random.default_rng(0)
    samples = random.standard_normal(int(seconds * RATE_HZ)).astype(np.float32)
    loud = np.full(len(samples), 0.001, np.float32)
    for start_s, end_s in sounds:
        loud[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)] = 0.2
    return Levels(samples * loud)


def times(words: list[tuple[float, float]], heard: Levels) -> list[tuple[float, float]]:
    """Of words of five letters in a recording of 6 s."""
    return at_pauses([Span(a, b, 5) for a, b in words], heard, 0.0, 6.0)


def test_edges_beside_pauses_are_those_of_the_sound() -> None:
    """Words that come 130 ms early, as base gives them."""
    event = levels((1.0, 2.0), (3.0, 4.0))
    moved = times([(0.87, 1.4), (1.4, 1.87), (2.87, 3.4), (3.4, 3.87)], event)

    assert np.allclose(moved, [(1.0, 1.4), (1.4, 2.0), (3.0, 3.4), (3.4, 4.0)], atol=0.021)


def test_late_words_are_brought_back() -> None:
    """As tiny.en gives them."""
    event = levels((1.0, 2.0), (3.0, 4.0))
    moved = times([(1.1, 1.5), (1.5, 2.1), (3.1, 3.5), (3.5, 4.1)], event)

    assert np.allclose(moved, [(1.0, 1.5), (1.5, 2.0), (3.0, 3.5), (3.5, 4.0)], atol=0.021)


def test_words_within_connected_speech_stay() -> None:
    """Nothing tells better than the decoder."""
    words = [(1.2, 1.4), (1.4, 1.9), (2.0, 2.3)]

    assert np.allclose(times(words, levels((0.0, 6.0))), words)


def test_a_word_far_from_any_sound_stays_in_order() -> None:
    """Whatever the decoder says, edges rise."""
    event = levels((1.0, 1.5), (4.0, 4.5))
    moved = times([(1.0, 1.5), (2.0, 2.2), (2.6, 2.8), (2.8, 4.4)], event)
    edges = [edge for word in moved for edge in word]

    assert edges == sorted(edges)
    assert all(b > a for a, b in moved)
    assert all(a[1] <= b[0] for a, b in pairwise(moved))


def test_no_word_leaves_its_room() -> None:
    """Neither into the segment before nor into the one behind."""
    moved = at_pauses([Span(1.6, 1.8, 5)], levels((1.0, 2.5)), 1.5, 1.9)

    assert np.allclose(moved, [(1.6, 1.8)])
    assert at_pauses([], levels(), 0.0, 1.0) == []
