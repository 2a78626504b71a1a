"""A model that says what it is told to, shaped like faster-whisper's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe import sample
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.interfaces import LoadRequest, ModelFiles
from hybrid_transcribe.types import RATE_HZ, Clip


@dataclass
class Raw:
    """A segment as the library yields it. Sound by its own statistics unless told otherwise."""

    start: float = 0.0
    end: float = 1.0
    text: str = " Hello there."
    words: Any = None
    avg_logprob: float = -0.2
    no_speech_prob: float = 0.01
    compression_ratio: float = 1.2
    temperature: float = 0.0


@dataclass
class RawWord:
    """A word as the library yields it."""

    start: float
    end: float
    word: str
    probability: float = 0.9


@dataclass
class Info:
    """What the library says about a transcription."""

    language: str = "pt"
    language_probability: float = 0.8


@dataclass
class FakeModel:
    """Stands for a loaded model: yields ``says`` and remembers how it was called."""

    says: list[Any] = field(default_factory=lambda: [Raw()])
    supported_languages: tuple[str, ...] = LANGUAGES
    calls: list[dict[str, Any]] = field(default_factory=list)
    yielded: int = 0
    model: Any = None

    def transcribe(self, audio: Any, **arguments: Any) -> tuple[Iterator[Any], Info]:
        """As the library: a lazy run of segments, and what is known before it."""
        self.calls.append(arguments)
        return self._segments(), Info()

    def _segments(self) -> Iterator[Any]:
        for said in self.says:
            if isinstance(said, Exception):
                raise said
            self.yielded += 1
            yield said


def engine_with(model: FakeModel, name: str = "fake") -> FasterWhisper:
    """An engine that has loaded the fake model."""
    engine = FasterWhisper(opener=lambda *_: model)
    engine.load(LoadRequest(ModelFiles(name, Path("nowhere"), "ctranslate2"), device="cpu"))
    return engine


def voice(seconds: float = 5.0, start_s: float = 0.0) -> Clip:
    """A clip in which somebody speaks without a pause: the sample's first words, over and over."""
    words = _words()
    n_samples = int(seconds * RATE_HZ)
    return Clip(np.resize(words, n_samples), start_s)


@lru_cache(maxsize=1)
def _words() -> npt.NDArray[np.float32]:
    (clip,) = decode(str(sample()), name="sample", settings=Settings.load())
    return clip.samples[int(0.68 * RATE_HZ) : int(1.92 * RATE_HZ)]


def swelling(seconds: float, level: float) -> npt.NDArray[np.float32]:
    """Noise that rises and falls four times a second, as syllables do."""
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    noise = np.random.default_rng(0).normal(0, level, len(times))
    return (noise * (np.sin(2 * np.pi * 2 * times) ** 2 + 0.001)).astype(np.float32)


def never() -> bool:
    """Nobody cancels."""
    return False
