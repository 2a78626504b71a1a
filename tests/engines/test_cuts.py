"""Where a recording is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybrid_transcribe.engines.common.chunking import (
    GAP_S,
    LEAST_S,
    PAD_S,
    PIECE_S,
    WHOLE_S,
    AudioPiece,
    cut,
    pieces,
)
from hybrid_transcribe.types import RATE_HZ
from tests.engines.fakes import swelling

FRAME_S = 512 / RATE_HZ


def probabilities(*stretches: tuple[float, float]) -> np.ndarray:
    """Voice for so many seconds, then silence for so many, and so on."""
    items: list[float] = []
    for voice_s, silence_s in stretches:
        items += [0.95] * round(voice_s / FRAME_S) + [0.02] * round(silence_s / FRAME_S)
    return np.array(items, dtype=np.float32)


def length_s(of: np.ndarray) -> float:
    return len(of) * FRAME_S


def test_a_short_clip_is_one_piece_as_it_is() -> None:
    """Nobody looks for silence in it: the detector costs more than it saves."""
    samples = np.zeros(int(WHOLE_S * RATE_HZ), dtype=np.float32)
    result = pieces(samples, hear=lambda _: pytest.fail("it was heard"))
    assert list(result) == [AudioPiece(0.0, WHOLE_S)]


def test_silence_gives_no_piece() -> None:
    """What nobody says is not heard at all."""
    assert cut(probabilities((0, 60)), 60.0) == []


def test_short_pauses_stay_and_long_silence_goes() -> None:
    """Two sentences are one piece; a minute of nothing is left out."""
    voice = probabilities((4, 1), (4, 60), (5, 10))
    result = cut(voice, length_s(voice))
    assert len(result) == 2
    assert result[0].start_s == 0.0
    assert result[0].end_s == pytest.approx(9 + PAD_S, abs=0.1)
    assert result[1].start_s == pytest.approx(69 - PAD_S, abs=0.1)


def test_it_is_cut_at_the_longest_pause_within_reach() -> None:
    """Most likely the end of a sentence: not the last pause, and not the first."""
    voice = probabilities((6, 0.3), (9, 1.0), (5, 0.3), (10, 0))
    result = cut(voice, length_s(voice))
    assert result[0].end_s == pytest.approx(15.3 + PAD_S, abs=0.1)
    assert result[1].start_s == pytest.approx(16.3 - PAD_S, abs=0.1)


def test_somebody_who_never_pauses_is_cut_where_breath_is_likeliest() -> None:
    """At the lowest dip of the detector's confidence."""
    voice = np.full(round(30 / FRAME_S), 0.95, dtype=np.float32)
    dip = round(17 / FRAME_S)
    voice[dip : dip + 3] = 0.5
    result = cut(voice, length_s(voice))
    assert len(result) == 2
    assert result[0].end_s == result[1].start_s == pytest.approx(17, abs=0.1)


Stretches = st.lists(st.tuples(st.floats(0.1, 40.0), st.floats(0.0, 12.0)), min_size=1, max_size=12)


@settings(max_examples=80, deadline=None)
@given(Stretches)
def test_pieces_found_on_the_way_are_those_of_the_whole(
    stretches: list[tuple[float, float]],
) -> None:
    """Nothing that comes later changes a piece that was told."""
    voice = probabilities(*stretches)
    # The samples say what the detector would: the one it is asked for, whatever it heard before.
    samples = np.repeat(voice, 512)
    items = list(pieces(samples, hear=lambda part: part[::512], always=True))
    assert items == cut(voice, len(samples) / RATE_HZ)


def test_the_first_pieces_are_there_before_the_rest_was_heard() -> None:
    """An hour is not listened through before its first minute is decoded."""
    heard_s: list[float] = []

    def hear(part: np.ndarray) -> np.ndarray:
        heard_s.append(len(part) / RATE_HZ)
        return part[::512]

    samples = np.repeat(probabilities(*[(9, 1)] * 60), 512)
    next(pieces(samples, hear=hear))
    assert sum(heard_s) < 100


@settings(max_examples=80, deadline=None)
@given(Stretches)
def test_every_voice_is_in_a_piece_that_is_short_enough(
    stretches: list[tuple[float, float]],
) -> None:
    """Whatever is said: in order, without overlap, at most a window less its silence."""
    voice = probabilities(*stretches)
    duration_s = length_s(voice)
    result = cut(voice, duration_s)
    edges = [t for piece in result for t in (piece.start_s, piece.end_s)]
    assert edges == sorted(edges)
    assert all(0 <= t <= duration_s for t in edges)
    assert all(p.end_s - p.start_s <= PIECE_S + 2 * PAD_S + 0.1 for p in result)
    spoken = np.flatnonzero(voice > 0.5) * FRAME_S
    inside = np.zeros(len(spoken), dtype=bool)
    for piece in result:
        inside |= (spoken >= piece.start_s - 0.05) & (spoken <= piece.end_s + 0.05)
    assert inside.all()


def test_the_figures_fit_a_window() -> None:
    """The longest piece and the silence behind it are at most the encoder's 30 s."""
    assert max(WHOLE_S, PIECE_S + 2 * PAD_S) + 5.0 <= 30.0
    assert LEAST_S < PIECE_S
    assert GAP_S < LEAST_S


def test_f93_a_deaf_detector_leaves_nothing_out() -> None:
    """Where the level rises as in speech and it finds nothing, the stretch is decoded."""
    quiet = np.random.default_rng(1).normal(0, 1e-4, 40 * RATE_HZ).astype(np.float32)
    samples = quiet.copy()
    samples[10 * RATE_HZ : 16 * RATE_HZ] += swelling(6, 0.1)

    def deaf(part: np.ndarray) -> np.ndarray:
        return np.zeros(-(-len(part) // 512), np.float32)

    (piece,) = pieces(samples, deaf)
    assert piece.disputed
    assert 9 < piece.start_s < 10.2
    assert 15.8 < piece.end_s < 17
    assert list(pieces(quiet, deaf)) == []


def test_f93_half_deaf_is_deaf() -> None:
    """A few frames that it finds do not stand for the sentence around them."""
    samples = np.random.default_rng(1).normal(0, 1e-4, 40 * RATE_HZ).astype(np.float32)
    samples[10 * RATE_HZ : 16 * RATE_HZ] += swelling(6, 0.1)

    def half_deaf(part: np.ndarray) -> np.ndarray:
        result = np.zeros(-(-len(part) // 512), np.float32)
        result[int(12 / FRAME_S) : int(12 / FRAME_S) + 6] = 0.9
        return result

    (piece,) = pieces(samples, half_deaf)
    assert piece.disputed
    assert piece.end_s - piece.start_s > 6


def test_what_it_hears_is_cut_as_it_says() -> None:
    """Noise between two sentences is no reason for another cut, nor is a knock."""
    samples = np.random.default_rng(1).normal(0, 1e-4, 40 * RATE_HZ).astype(np.float32)
    samples[5 * RATE_HZ : 8 * RATE_HZ] += swelling(3, 0.1)
    samples[20 * RATE_HZ : 20 * RATE_HZ + 8000] += swelling(0.5, 0.1)
    voice = np.zeros(-(-len(samples) // 512), np.float32)
    voice[int(5 / FRAME_S) : int(8 / FRAME_S)] = 0.9
    (piece,) = pieces(samples, lambda part: voice[: -(-len(part) // 512)])
    assert not piece.disputed
    assert piece.end_s < 9
    assert piece.speech_s == pytest.approx(3, abs=2 * FRAME_S)
