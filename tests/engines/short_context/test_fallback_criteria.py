"""What makes text from a trimmed window doubtful."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from hybrid_transcribe.engines.faster_whisper.short_context.fallback_criteria import (
    reason,
    repeated_end,
    repeated_run,
    too_little,
)


def why(text: Sequence[int] = (5, 6, 7), **changed: object) -> str | None:
    options = {"seconds": 4.0, "avg_logprob": -0.3, "compression_ratio": 1.2, "ended": True}
    return reason(text, **{**options, **changed})  # type: ignore[arg-type]


def test_sound_text_is_not_looked_at_again() -> None:
    """Most is: a second look costs what the trimming saved."""
    assert why() is None


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"text": ()}, "nothing heard"),
        ({"compression_ratio": 2.5}, "repeats itself"),
        ({"avg_logprob": -0.75}, "unsure"),
        ({"avg_logprob": -0.75, "least_logprob": -1.0}, None),
        ({"text": tuple(range(100))}, "too much text"),
        ({"ended": False}, "no end"),
        ({"text": (1, 2, 3, 4, 9, 2, 3, 4, 9)}, "same end twice"),
        ({"text": (*range(8), 30, *range(8), 31), "seconds": 9.0}, "says it twice"),
    ],
)
def test_each_sign_is_enough(changed: dict[str, object], told: str) -> None:
    """One reason suffices."""
    assert why(**changed) == told  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("tokens", "repeated"),
    [
        ([], False),
        ([1, 2, 3], False),
        ([1, 2, 3, 1, 2, 3], True),
        ([9, 8, 1, 2, 3, 4, 1, 2, 3, 4], True),
        ([1, 2, 3, 1, 2, 3, 4], False),
        # "no, no" and "very very" are said.
        ([1, 1], False),
        ([1, 2, 1, 2], False),
    ],
)
def test_the_same_end_twice(tokens: list[int], repeated: bool) -> None:
    """Three tokens or more, right after each other, at the very end."""
    assert repeated_end(tokens) is repeated


@pytest.mark.parametrize(
    ("n_tokens", "speech_s", "little"),
    [(4, 12, True), (15, 12, False), (4, 2, False), (0, 0, False), (30, 20, False)],
)
def test_f95_too_little_text_for_so_much_speech(n_tokens: int, speech_s: int, little: bool) -> None:
    """A heading where somebody speaks for twelve seconds; silence around a word is no reason."""
    samples = np.zeros(20 * 16000, np.float32)

    def detect(part: np.ndarray) -> np.ndarray:
        return (np.arange(len(part) // 512) < speech_s / 0.032).astype(np.float32)

    assert too_little(n_tokens, samples, detect) is little


def test_enough_text_asks_no_detector() -> None:
    """It costs something."""
    samples = np.zeros(10 * 16000, np.float32)
    assert not too_little(20, samples, lambda part: pytest.fail("it was asked"))


@pytest.mark.parametrize(
    ("tokens", "repeated"),
    [
        ([*range(8), *range(8)], True),
        ([50, *range(8), 51, 52, *range(8), 53], True),
        ([*range(7), 60, *range(7), 61], False),
        # A run that overlaps itself is "no, no, no": its compression tells it.
        ([1] * 12, False),
        ([], False),
    ],
)
def test_the_same_words_again_anywhere(tokens: list[int], repeated: bool) -> None:
    """Eight tokens or more, wherever they stand: a chorus costs a second look, no more."""
    assert repeated_run(tokens) is repeated
