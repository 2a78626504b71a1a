"""A checkpoint that says what it is told to, shaped like `transformers.model.Model`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.engines.transformers.model import (
    GeneratedText,
    GenerationOptions,
    Vocabulary,
    WindowStatistics,
)
from hybrid_transcribe.engines.transformers.words import Alignment
from hybrid_transcribe.types import RATE_HZ

END, START, PREVIOUS, TRANSCRIBE, TRANSLATE = 1000, 1001, 1002, 1003, 1004
LANGUAGES = {"en": 1010, "pt": 1011, "ja": 1012}
NO_TIMES = 1100


def at(seconds: float) -> int:
    """The token of a time."""
    return NO_TIMES + 1 + round(seconds / 0.02)


class Lexicon:
    """Every word is one token, numbered as it comes."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def write(self, text: str) -> list[int]:
        """Tokens of words, each with the space before it."""
        return [self._token(f" {word}") for word in text.split()]

    def read(self, tokens: Sequence[int]) -> str:
        """Their text."""
        return "".join(self.words[token] for token in tokens)

    def _token(self, word: str) -> int:
        if word not in self.words:
            self.words.append(word)
        return self.words.index(word)


@dataclass
class Call:
    """One call of `generate`."""

    windows: list[Any]
    prompts: list[list[int]]
    how: GenerationOptions
    temperature: float


@dataclass
class FakeWhisper:
    """Stands for a loaded checkpoint.

    ``says`` gives each decoded window in turn: times as numbers, words as text; a
    `GeneratedText` or an exception as it is. When it has run out, windows are silent.
    """

    says: list[Any] = field(default_factory=list)
    multilingual: bool = True
    aligns: bool = True
    context: int = 448
    stretch_s: float = 30.0
    no_speech: float = 0.01
    spoken: dict[str, float] = field(default_factory=lambda: {"en": 0.1, "pt": 0.7, "ja": 0.2})
    cancel_within: Callable[[], None] | None = None
    calls: list[Call] = field(default_factory=list)
    heard: list[float] = field(default_factory=list)
    aligned: list[list[int]] = field(default_factory=list)
    closed: bool = False

    def __post_init__(self) -> None:
        self.lexicon = Lexicon()
        self.canceled: Callable[[], bool] = lambda: False
        self.vocabulary = Vocabulary(
            end=END,
            start=START,
            previous=PREVIOUS,
            transcribe=TRANSCRIBE,
            translate=TRANSLATE,
            no_times=NO_TIMES,
            languages=LANGUAGES if self.multilingual else {},
            read=self.lexicon.read,
            write=self.lexicon.write,
        )

    @contextmanager
    def interruptible(self, canceled: Callable[[], bool]) -> Iterator[None]:
        """Remember whom to ask."""
        self.canceled = canceled
        yield

    def encode(self, windows: Sequence[Any]) -> list[Any]:
        """Windows are their own encoding."""
        self.heard += [len(window) / RATE_HZ for window in windows]
        return list(windows)

    def look(self, encodings: Sequence[Any]) -> list[WindowStatistics]:
        """The same for all."""
        spoken = self.spoken if self.multilingual else {}
        return [WindowStatistics(self.no_speech, spoken) for _ in encodings]

    def generate(
        self,
        encodings: Sequence[Any],
        prompts: Sequence[Sequence[int]],
        how: GenerationOptions,
        temperature: float,
    ) -> list[GeneratedText]:
        """The next answers of the script."""
        self.calls.append(Call(list(encodings), [list(p) for p in prompts], how, temperature))
        if self.cancel_within is not None:
            self.cancel_within()
        if self.canceled():
            raise DecodingInterrupted
        return [self._answer(self.says.pop(0) if self.says else []) for _ in encodings]

    def _answer(self, said: Any) -> GeneratedText:
        if isinstance(said, Exception):
            raise said
        if isinstance(said, GeneratedText):
            return said
        return GeneratedText(self.tokens(said), -0.2)

    def tokens(self, said: Sequence[Any]) -> tuple[int, ...]:
        """Times and text to tokens."""
        items: list[int] = []
        for part in said:
            items += self.lexicon.write(part) if isinstance(part, str) else [at(part)]
        return tuple(items)

    def align(
        self, encoding: Any, head: Sequence[int], text: Sequence[int], window_s: float
    ) -> Alignment:
        """A quarter of a second for each token."""
        self.aligned.append(list(head))
        return Alignment(np.arange(len(text) + 1) * 0.25, np.full(len(text), 0.9))

    def close(self) -> None:
        """Nothing to let go of."""
        self.closed = True
