"""The truth of the word times, and how errors are counted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hybrid_transcribe.types import RATE_HZ, Word
from tests.benchmarks import espeak
from tests.benchmarks.sounds import rms
from tests.benchmarks.speech import Recording, samples_of
from tests.benchmarks.word_times import Timed, errors, joined


@pytest.fixture(scope="module")
def spoken() -> espeak.Speech:
    """A sentence with a pause in it; the test is skipped where nothing can speak."""
    reason = espeak.missing()
    if reason:
        pytest.skip(reason)
    return espeak.Espeak().speak("hello world, this is a test", "en-us")


def test_espeak_says_where_its_words_are(spoken: espeak.Speech) -> None:
    """All words in order, within the sound, none into the next."""
    assert [word.text for word in spoken.words] == "hello world this is a test".split()
    edges = [edge for word in spoken.words for edge in (word.start_s, word.end_s)]
    assert edges == sorted(edges)
    assert edges[-1] <= len(spoken.samples) / spoken.rate_hz


def test_words_are_loud_and_the_pause_is_silent(spoken: espeak.Speech) -> None:
    """The comma's pause is between two words, not in one."""

    def level(start_s: float, end_s: float) -> float:
        return rms(spoken.samples[int(start_s * spoken.rate_hz) : int(end_s * spoken.rate_hz)])

    world, this = spoken.words[1:3]
    assert this.start_s - world.end_s > 0.1
    assert level(world.end_s + 0.03, this.start_s - 0.01) < 0.05 * level(world.start_s, world.end_s)


def test_joined_utterances_lie_where_they_are_said_to_lie(tmp_path: Path, speech_dir: Path) -> None:
    """Before each first word there is silence, at it there is sound."""
    timed = joined(tmp_path, 20)
    samples = samples_of(timed.recording.path)
    starts = [start_s for _, start_s, _ in timed.words if start_s is not None]
    ends = [end_s for _, _, end_s in timed.words if end_s is not None]

    assert len(starts) == len(ends) >= 2
    for start_s in starts:
        at = int(start_s * RATE_HZ)
        assert rms(samples[at - RATE_HZ // 5 : at]) < 0.001 < rms(samples[at : at + RATE_HZ // 5])
    for start_s, end_s in zip(starts[1:], ends, strict=False):
        assert start_s - end_s == pytest.approx(0.7, abs=0.001)


def test_only_recognised_words_and_known_edges_count() -> None:
    """Signed, in s."""
    items = (("one", 1.0, 2.0), ("two", 2.0, None), ("three", 3.0, 4.0))
    timed = Timed(Recording("a", "a.wav", "one two three", "en", 5.0), items)
    result = errors(timed, [Word(1.1, 2.0, "One,"), Word(2.2, 2.5, "two"), Word(3.0, 4.0, "tree")])

    assert (result.n_words, result.n_matched) == (3, 2)
    assert np.allclose(result.error_s, [0.1, 0.0, 0.2])
    assert result.median_s == pytest.approx(0.1)


def test_drift_is_the_slope_of_the_errors() -> None:
    """A clock that is slow by one in a thousand loses 3.6 s an hour."""
    items = tuple((f"w{i}", float(i), None) for i in range(100))
    timed = Timed(Recording("a", "a.wav", "", "en", 100.0), items)
    result = errors(timed, [Word(i * 1.001, i * 1.001, f"w{i}") for i in range(100)])

    assert result.drift_ms_per_hour == pytest.approx(3600, rel=1e-3)
