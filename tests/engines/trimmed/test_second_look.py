"""Text that the short window gets wrong is heard again with the full one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.engines.faster_whisper.trimmed.ear import Ear, Speaker
from hybrid_transcribe.types import RATE_HZ
from tests.engines.trimmed.heard import heard_as

#: Frames of the full window.
FULL = 3000

END, TIMES = 1000, 1001

GOOD = [TIMES, 1, 2, 3, 4, 5, 6, TIMES + 150]


class FakeModel:
    """Says one thing in a short window and another in the full one; remembers which it heard."""

    frames_per_second = 100
    feature_extractor: Any
    model = SimpleNamespace(is_multilingual=False)

    def __init__(self, in_short: Sequence[int], **how: float) -> None:
        self._in_short, self._how = list(in_short), how
        self.heard: list[int] = []
        self.feature_extractor = _Features()

    def encode(self, features: Any) -> int:
        return int(features.shape[-1])

    def get_prompt(self, tokenizer: Any, previous: Any, **how: Any) -> list[int]:
        return []

    def generate_with_fallback(
        self, encoding: int, prompt: Any, tokenizer: Any, options: Any
    ) -> tuple[Any, float, float, float]:
        self.heard.append(encoding)
        short = encoding < FULL
        tokens = self._in_short if short else GOOD
        how = self._how if short else {}
        result = SimpleNamespace(sequences_ids=[list(tokens)], no_speech_prob=0.0)
        return result, how.get("avg_logprob", -0.3), 0.0, how.get("compression_ratio", 1.2)

    def generate_segments(
        self, features: Any, tokenizer: Any, options: Any, log_progress: bool
    ) -> Iterator[SimpleNamespace]:
        """The library's own way: it pads the features to the full window."""
        self.heard.append(FULL)
        yield SimpleNamespace(
            start=0.0,
            end=3.0,
            text="1 2 3 4 5 6",
            words=None,
            avg_logprob=-0.3,
            no_speech_prob=0.0,
            compression_ratio=1.2,
            temperature=0.0,
        )

    def _split_segments_by_timestamps(
        self,
        *,
        tokenizer: Any,
        tokens: list[int],
        time_offset: float,
        segment_size: int,
        seek: int,
        **_: Any,
    ) -> tuple[list[dict[str, Any]], int, bool]:
        text = [token for token in tokens if token < END]
        segment = {"start": time_offset, "end": time_offset + 3.0, "tokens": text}
        return [segment], seek + segment_size, True


class _Features:
    nb_max_frames = FULL

    def __call__(self, samples: Any) -> Any:
        return np.zeros((80, len(samples) * 100 // RATE_HZ + 1), dtype=np.float32)


@dataclass(frozen=True)
class _Options:
    """What an ear asks of the library's options."""

    temperatures: tuple[float, ...] = (0.0, 0.2)
    without_timestamps: bool = False
    word_timestamps: bool = False
    hotwords: str | None = None
    initial_prompt: str | None = None
    no_speech_threshold: float | None = 0.6
    log_prob_threshold: float | None = -1.0


class _Tokenizer:
    eot, timestamp_begin = END, TIMES

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(str(token) for token in tokens)


def heard(model: FakeModel) -> tuple[str, Ear]:
    """The text of three seconds."""
    ear = Ear(model, {})
    samples = np.zeros(3 * RATE_HZ, dtype=np.float32)
    found = ear.hear(samples, 0.0, Speaker(_Tokenizer(), _Options()), lambda: False)
    return " ".join(one.text for one in found), ear


@pytest.mark.parametrize(
    ("tokens", "how"),
    [
        # "the press yard the press yard": neither of Whisper's own tests sees it.
        ([TIMES, 1, 2, 3, 1, 2, 3, TIMES + 150], {}),
        ([TIMES, *[1, 2] * 20, TIMES + 150], {"compression_ratio": 4.0}),
        ([TIMES, 7, 8, 9, TIMES + 150], {"avg_logprob": -1.5}),
        ([TIMES, *range(1, 100), TIMES + 150], {}),
        ([TIMES, 1, 2, 3], {}),
        ([TIMES, TIMES + 150], {}),
    ],
    ids=["same end twice", "repetition", "unsure", "too much", "no end", "nothing"],
)
def test_doubtful_text_gives_way_to_that_of_the_full_window(
    tokens: list[int], how: dict[str, float]
) -> None:
    """It is told nowhere, and the second look is counted."""
    model = FakeModel(tokens, **how)

    text, ear = heard(model)

    assert text == "1 2 3 4 5 6"
    assert (model.heard[0] < FULL, model.heard[1:]) == (True, [FULL])
    assert (ear.second_looks, ear.looks) == (1, 1)


def test_sound_text_is_heard_once() -> None:
    """In the short window only."""
    model = FakeModel([TIMES, 7, 8, 9, TIMES + 150])

    text, ear = heard(model)

    assert text == "7 8 9"
    assert len(model.heard) == 1
    assert (ear.second_looks, ear.looks) == (0, 1)


@pytest.mark.model
def test_a_real_clip_ends_in_the_library_s_text(tiny: FasterWhisper, speech_dir: Path) -> None:
    """Beam 5 is unsure of its middle: all of it is what the full windows say."""
    path = speech_dir / "librispeech" / "audio" / "2391-145015-0000.flac"
    before = tiny.second_looks[0]

    short, full = (heard_as(tiny, [path], context, 5) for context in ("auto", "full"))

    assert tiny.second_looks[0] == before + 1
    assert short == full
