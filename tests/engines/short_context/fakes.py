"""What an ear asks of the library, from a model that says as a test wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from faster_whisper.feature_extractor import FeatureExtractor

#: Frames of the full window.
FULL = 3000

END, TIMES = 1000, 1001

GOOD = [TIMES, 1, 2, 3, 4, 5, 6, TIMES + 150]


class FakeModel:
    """Says one thing in a short window and another in the full one; remembers which it heard."""

    frames_per_second = 100
    feature_extractor: Any
    model = SimpleNamespace(is_multilingual=False)
    max_length = 448

    def __init__(self, in_short: Sequence[int], **how: float) -> None:
        self._in_short, self._how = list(in_short), how
        self.heard: list[int] = []
        self.feature_extractor = FeatureExtractor()

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
        parameters = self._how if short else {}
        result = SimpleNamespace(sequences_ids=[list(tokens)], no_speech_prob=0.0)
        return (
            result,
            parameters.get("avg_logprob", -0.3),
            0.0,
            parameters.get("compression_ratio", 1.2),
        )

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


@dataclass(frozen=True)
class FakeOptions:
    """What an ear asks of the library's options."""

    temperatures: tuple[float, ...] = (0.0, 0.2)
    without_timestamps: bool = False
    word_timestamps: bool = False
    hotwords: str | None = None
    initial_prompt: str | None = None
    no_speech_threshold: float | None = 0.6
    log_prob_threshold: float | None = -1.0
    max_new_tokens: int | None = None


class FakeTokenizer:
    """Its tokens are numbers, and so is its text."""

    eot, timestamp_begin = END, TIMES

    def decode(self, tokens: Sequence[int]) -> str:
        return " ".join(str(token) for token in tokens)
