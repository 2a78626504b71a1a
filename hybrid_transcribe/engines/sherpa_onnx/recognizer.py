"""A loaded model of sherpa-onnx: samples in, text with its tokens and their times out.

Imports the library only when a model is opened.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.sherpa_onnx.families import RecognizedFolder
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: Shorter samples are filled up with silence: convolutions and feature frames need some.
_MIN_LENGTH_S = 0.5

_LANGUAGE = re.compile(r"<\|(\w+)\|>")


@dataclass(frozen=True, slots=True)
class Recognition:
    """What a model wrote for one piece.

    Attributes:
        tokens: pieces of words; one that begins a word begins with a space, where the writing
            has spaces.
        starts_s, durations_s: times of the tokens from the piece's start; empty where the model
            gives none.
        logprobs: their natural log-probabilities; empty where the model gives none.
        language: ISO 639-1 code that the model found, None where it says nothing.
    """

    text: str
    tokens: tuple[str, ...] = ()
    starts_s: tuple[float, ...] = ()
    durations_s: tuple[float, ...] = ()
    logprobs: tuple[float, ...] = ()
    language: str | None = None


class Recognizer:
    """One model, shared by threads: `recognize` may run in several of them at once.

    sherpa-onnx's decoding keeps its state in the stream and lets go of the interpreter's lock.
    Two threads with Moonshine tiny took 1.22 s where one took 2.28 s (87 s of speech), with the
    same texts.
    """

    def __init__(self, folder: RecognizedFolder) -> None:
        self._folder = folder
        self._language: str | None = None
        self._translate = False
        self._library: Any = self._open(None)

    def choose_language(self, language: str | None, *, translate: bool = False) -> None:
        """Which language is spoken, and whether English is written.

        Call it before `recognize`, never while one runs. Families that are told nothing about
        the language ignore it.
        """
        if (language, translate) == (self._language, self._translate):
            return
        family = self._folder.family
        if family.has_targets:
            config = self._library.config
            config.model_config.canary.src_lang = language or "en"
            config.model_config.canary.tgt_lang = "en" if translate else language or "en"
            self._library.recognizer.set_config(config)
        elif family.language_argument:
            # The library takes it when it opens the model, and at no other time.
            self._library = self._open(language)
        self._language, self._translate = language, translate

    def recognize(self, samples: Samples) -> Recognition:
        """The text of samples (float32, mono, 16 kHz, at most some 30 s)."""
        missing = round(_MIN_LENGTH_S * RATE_HZ) - len(samples)
        stream = self._library.create_stream()
        stream.accept_waveform(RATE_HZ, np.pad(samples, (0, missing)) if missing > 0 else samples)
        self._library.decode_stream(stream)
        result = stream.result
        language = _LANGUAGE.fullmatch(result.lang or "")
        return Recognition(
            text=result.text.strip(),
            tokens=tuple(result.tokens),
            # They come as 32-bit floats: 1.0399999618530273.
            starts_s=tuple(round(start_s, 3) for start_s in result.timestamps),
            durations_s=tuple(round(duration_s, 3) for duration_s in result.durations),
            logprobs=tuple(result.ys_log_probs),
            language=language[1] if language else None,
        )

    def _open(self, language: str | None) -> Any:
        from sherpa_onnx import OfflineRecognizer

        family = self._folder.family
        arguments: dict[str, Any] = {
            **{argument: str(path) for argument, path in self._folder.files.items()},
            **family.arguments,
        }
        if language and family.language_argument:
            arguments[family.language_argument] = language
        # One thread: pieces run side by side instead, which wins more than sharing one.
        return getattr(OfflineRecognizer, family.factory)(
            tokens=str(self._folder.tokens), num_threads=1, **arguments
        )
