"""A model that says what it is told to, shaped like `openai_whisper.model.Model`, without torch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices.gpu_probe import Gpu
from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.engines.openai_whisper.engine import OpenAIWhisper
from hybrid_transcribe.engines.openai_whisper.pieces import WhisperWindow, WindowPiece, WindowWord
from hybrid_transcribe.interfaces import LoadRequest, ModelFiles

#: Tokens below this are words, those from the second on timestamps.
EOT, STAMPS = 1000, 1100

FILES = ModelFiles("fake", Path("nowhere"), "openai", Path("nowhere/fake.pt"))


@dataclass
class Answer:
    """What the library decodes from one window. Sound by its own statistics unless told."""

    tokens: list[int]
    avg_logprob: float = -0.2
    no_speech_prob: float = 0.01
    compression_ratio: float = 1.2
    temperature: float = 0.0


class FakeTokenizer:
    """Words to numbers and back."""

    eot, timestamp_begin = EOT, STAMPS

    def __init__(self) -> None:
        self._words: list[str] = []

    def encode(self, text: str) -> list[int]:
        """A token a word."""
        words = text.split()
        self._words += [word for word in words if word not in self._words]
        return [self._words.index(word) for word in words]

    def decode(self, tokens: list[int]) -> str:
        """With a blank before every word, as in Whisper's vocabulary."""
        return "".join(" " + self._words[token] for token in tokens)


@dataclass
class FakeSound:
    """A clip of so many frames."""

    n_frames: int


@dataclass
class FakeModel:
    """Stands for a loaded model.

    Attributes:
        says: what each window holds, in order; text among timestamps (s), an `Answer`'s changed
            fields after it. The last is repeated.
        calls: what `decode` was asked.
        windows: seek and size in frames of each window looked at.
        words: for `time_words`: the words of each window's pieces.
    """

    says: list[tuple[Any, ...]] = field(default_factory=lambda: [(0.0, "Hello", 4.0)])
    supported_languages: tuple[str, ...] = LANGUAGES
    words: list[list[list[WindowWord]]] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    windows: list[tuple[int, int]] = field(default_factory=list)
    talk: FakeTokenizer = field(default_factory=FakeTokenizer)
    detected: int = 0

    @contextmanager
    def interruptible(self, canceled: Callable[[], bool]) -> Iterator[None]:
        """Nothing here takes long enough."""
        yield

    def hear(self, samples: Any) -> FakeSound:
        """100 frames a second."""
        return FakeSound(len(samples) // 160)

    def detect_language(self, sound: FakeSound) -> tuple[str, float]:
        """Always Portuguese."""
        self.detected += 1
        return "pt", 0.8

    def tokenizer(self, language: str, task: str) -> FakeTokenizer:
        """The same for all languages."""
        return self.talk

    def window(self, sound: FakeSound, window: WhisperWindow) -> WhisperWindow:
        """Remembers where the engine looks."""
        self.windows.append((window.seek, window.size))
        return window

    def decode(self, mel: WhisperWindow, options: dict[str, Any]) -> Answer:
        """The next thing to be said."""
        said = self.says[min(len(self.calls), len(self.says) - 1)]
        self.calls.append(options)
        if isinstance(said[0], Exception):
            raise said[0]
        changes = said[-1] if isinstance(said[-1], dict) else {}
        answer = Answer(self._tokens([part for part in said if part is not changes]))
        return replace(answer, temperature=options["temperature"], **changes)

    def time_words(
        self,
        pieces: list[WindowPiece],
        mel: Any,
        window: WhisperWindow,
        tokenizer: Any,
        last_speech_s: float,
    ) -> None:
        """The next window's words, which also move its pieces' edges."""
        for piece, words in zip(pieces, self.words.pop(0), strict=True):
            piece.words = words
            if words:
                piece.start, piece.end = words[0].start, words[-1].end

    def _tokens(self, parts: list[Any]) -> list[int]:
        tokens = []
        for part in parts:
            tokens += (
                self.talk.encode(part) if isinstance(part, str) else [STAMPS + round(part * 50)]
            )
        return tokens


def no_gpu(backend: str, settings: Settings) -> Gpu:
    """A machine without one."""
    return Gpu(False, False, "No GPU was found", "choose device 'auto' or 'cpu'")


def one_gpu(backend: str, settings: Settings) -> Gpu:
    """A machine whose GPU works."""
    return Gpu(True)


def engine_with(model: FakeModel, name: str = "fake") -> OpenAIWhisper:
    """An engine that has loaded the fake model."""
    engine = OpenAIWhisper(lambda *_: model, no_gpu)
    engine.load(LoadRequest(replace(FILES, name=name), device="cpu"))
    return engine
