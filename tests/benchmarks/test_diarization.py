"""The diarisation error rate and cpWER against examples that are counted by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.benchmarks.conversations import SpokenTurn as Turn
from tests.benchmarks.diarization import assignment, errors, speaker_word_errors

REFERENCE = [Turn(0, 10, "a"), Turn(10, 20, "b")]


@pytest.mark.parametrize(
    ("turns", "missed", "false_alarm", "confused"),
    [
        pytest.param([Turn(0, 10, "x"), Turn(10, 20, "y")], 0, 0, 0, id="right"),
        pytest.param([Turn(0, 12, "x"), Turn(12, 20, "y")], 0, 0, 2, id="late change"),
        pytest.param([Turn(0, 20, "x")], 0, 0, 10, id="one for two"),
        pytest.param([], 20, 0, 0, id="nobody"),
        pytest.param([Turn(0, 10, "x"), Turn(10, 25, "y")], 0, 5, 0, id="too long"),
        pytest.param([Turn(0, 10, "x"), Turn(8, 20, "y")], 0, 2, 0, id="two where one speaks"),
        pytest.param([Turn(0, 10, "x"), Turn(10, 15, "y"), Turn(15, 20, "z")], 0, 0, 5, id="split"),
    ],
)
def test_errors_without_a_collar(
    turns: list[Turn], missed: float, false_alarm: float, confused: float
) -> None:
    """Seconds of each kind, of 20 that are spoken."""
    counted = errors(REFERENCE, turns, collar_s=0)

    assert counted.spoken_s == pytest.approx(20)
    assert counted.missed_s == pytest.approx(missed)
    assert counted.false_alarm_s == pytest.approx(false_alarm)
    assert counted.confused_s == pytest.approx(confused)
    assert counted.rate == pytest.approx(5 * (missed + false_alarm + confused))


def test_the_collar_is_left_out_around_every_edge_of_the_reference() -> None:
    """A quarter of a second in all: an eighth on either side, of what is spoken too."""
    turns = [Turn(0.1, 10.1, "x"), Turn(10.1, 20.5, "y")]

    counted = errors(REFERENCE, turns, collar_s=0.25)

    # The ends lose an eighth each, the edge in the middle a quarter.
    assert counted.spoken_s == pytest.approx(20 - 0.5)
    assert counted.false_alarm_s == pytest.approx(0.5 - 0.125)
    assert counted.missed_s == counted.confused_s == pytest.approx(0)


def test_overlapped_speech_counts_for_each_speaker() -> None:
    """Two at once for 4 s: who hears one of them misses 4 s of 14."""
    reference = [Turn(0, 10, "a"), Turn(6, 10, "b")]

    counted = errors(reference, [Turn(0, 10, "x")], collar_s=0)

    assert (counted.spoken_s, counted.missed_s) == (pytest.approx(14), pytest.approx(4))


def test_the_assignment_is_the_best_of_all() -> None:
    """Against every permutation, for tables of both shapes."""
    random = np.random.default_rng(0)
    for n_rows, n_columns in ((3, 5), (5, 3), (4, 4), (1, 6), (0, 3)):
        gain = random.random((n_rows, n_columns))
        small, large = sorted((n_rows, n_columns))
        table = gain if n_rows <= n_columns else gain.T
        best = max(
            sum(table[i, j] for i, j in enumerate(columns))
            for columns in itertools.permutations(range(large), small)
        )
        assert sum(gain[i, j] for i, j in assignment(gain)) == pytest.approx(best)


def test_words_count_with_their_speakers() -> None:
    """The best assignment: one word wrong, one more of somebody who is nobody."""
    reference = {"a": "hello world", "b": "good day to you"}

    counted = speaker_word_errors(reference, {"x": "good day to you", "y": "hello word", "z": "oh"})

    assert (counted.wrong, counted.words) == (2, 6)
    assert speaker_word_errors(reference, reference).wrong == 0
    # All words are right, but half of them are nobody's.
    assert speaker_word_errors(reference, {"x": "hello world good day to you"}).wrong == 2 + 2
