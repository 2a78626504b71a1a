"""What the loop over windows asks of a loaded checkpoint. `whisper` answers with torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.transformers.words import Alignment

#: What Whisper tries in turn (arXiv:2212.04356, section 4.5), and when it goes on trying.
TEMPERATURES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
COMPRESSION_RATIO, LOG_PROB, NO_SPEECH = 2.4, -1.0, 0.6

#: One window as the model encoded it: only handed back to it.
Encoding = Any


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Numbers of the special tokens, and text to tokens and back.

    Attributes:
        languages: ISO 639-1 code to token; empty for a model that only knows English.
        no_times: says that no times follow; those of times come right behind it.
        read: text of text tokens.
        write: tokens of text, without special ones.
    """

    end: int
    start: int
    previous: int
    transcribe: int
    translate: int
    no_times: int
    languages: Mapping[str, int]
    read: Callable[[Sequence[int]], str]
    write: Callable[[str], list[int]]

    @property
    def first_time(self) -> int:
        """The token of 0.00 s."""
        return self.no_times + 1

    @property
    def no_speech(self) -> int:
        """Whisper's last special token before "no times"."""
        return self.no_times - 1

    def text_only(self, tokens: Sequence[int]) -> list[int]:
        """Tokens that are text: all others follow behind the end's."""
        return [token for token in tokens if token < self.end]


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """How to decode a window; the defaults are those of transformers' Whisper and of Whisper."""

    beam_size: int = 1
    best_of: int = 1
    length_penalty: float = 1.0
    repetition_penalty: float = 1.0
    no_repeat_ngram_size: int = 0
    suppress_blank: bool = True
    suppress_tokens: tuple[int, ...] = (-1,)
    times: bool = True
    max_new_tokens: int | None = None
    temperatures: tuple[float, ...] = TEMPERATURES
    compression_ratio_threshold: float = COMPRESSION_RATIO
    log_prob_threshold: float = LOG_PROB
    no_speech_threshold: float = NO_SPEECH


@dataclass(frozen=True, slots=True)
class WindowStatistics:
    """What a window looks like before it is decoded: probabilities (0..1)."""

    no_speech: float
    languages: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class GeneratedText:
    """A decoded window: its tokens without the end's, and their mean log-probability."""

    tokens: tuple[int, ...]
    avg_logprob: float


class SpeechModel(Protocol):
    """A loaded checkpoint. Whatever it does raises Interrupted once canceled (`interruptible`)."""

    vocabulary: Vocabulary
    #: Most tokens at once, those before the window among them.
    context: int
    #: The longest stretch (s) its authors decode at once.
    stretch_s: float
    #: It has heads that follow the audio, so that words can be timed.
    aligns: bool

    def interruptible(self, canceled: Callable[[], bool]) -> AbstractContextManager[None]:
        """Within this, ``canceled`` is asked at every layer."""

    def encode(self, windows: Sequence[npt.NDArray[np.float32]]) -> list[Encoding]:
        """Each window's samples (float32, mono, 16 kHz, at most 30 s), encoded."""

    def look(self, encodings: Sequence[Encoding]) -> list[WindowStatistics]:
        """Does somebody speak, and in which language?"""

    def generate(
        self,
        encodings: Sequence[Encoding],
        prompts: Sequence[Sequence[int]],
        generation_options: GenerationOptions,
        temperature: float,
    ) -> list[GeneratedText]:
        """Decode windows behind their prompts, which are equally long."""

    def align(
        self, encoding: Encoding, head: Sequence[int], text: Sequence[int], window_s: float
    ) -> Alignment:
        """Find text tokens in a window; ``head`` are start, language and task."""

    def close(self) -> None:
        """Let go of weights and hooks."""
