"""faster-whisper's model with two things added: it can be interrupted between windows, and
finding the language does not encode the first window twice.

Imports the model library, so it is imported only when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import ctranslate2
import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel

from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.engines.common.prompt import hotwords_room_of, room_of
from hybrid_transcribe.engines.common.silero_vad import serve_faster_whisper
from hybrid_transcribe.engines.faster_whisper.sampling import SEED

Features = npt.NDArray[np.float32]


def _never() -> bool:
    return False


class CTranslate2Whisper(WhisperModel):  # type: ignore[misc]
    """A loaded model, used by one thread at a time but for what `trimmed` does with it.

    ``trims`` says that its encoder takes windows shorter than 30 s. ``open_again`` opens
    CTranslate2's part of it once more, with one replica; None on a GPU, whose memory it would
    take.
    """

    trims = True
    open_again: Callable[[], Any] | None = None

    _canceled: Callable[[], bool] = staticmethod(_never)
    _detecting = False
    _cached: tuple[Features, Any] | None = None

    @property
    def supported_languages(self) -> list[str]:
        """Codes the tokenizer has a token for: only some models know Cantonese."""
        return [
            code
            for code in super().supported_languages
            if code == "en" or self.hf_tokenizer.token_to_id(f"<|{code}|>") is not None
        ]

    @contextmanager
    def interruptible(self, canceled: Callable[[], bool]) -> Iterator[None]:
        """Within this, a window that is about to be encoded raises Interrupted instead."""
        self._canceled = canceled
        try:
            yield
        finally:
            self._canceled = _never
            self._cached = None

    def encode(self, features: Features) -> Any:
        """The encoding of one window (n_mels, n_frames), or of several."""
        if self._canceled():
            raise DecodingInterrupted
        entry, self._cached = self._cached, None
        if entry is not None and np.array_equal(entry[0], features):
            return entry[1]
        encoding = super().encode(features)
        if self._detecting:
            self._cached = (features, encoding)
        return encoding

    def count_tokens(self, text: str) -> int:
        """Of a text that goes before what is heard."""
        return len(self.hf_tokenizer.encode(f" {text.strip()}", add_special_tokens=False).ids)

    def get_prompt(
        self,
        tokenizer: Any,
        previous_tokens: Sequence[int],
        without_timestamps: bool = False,
        prefix: str | None = None,
        hotwords: str | None = None,
    ) -> list[int]:
        """As the library's, which bounds each text alone: together they overflow the decoder."""
        room = room_of(self.max_length)
        if prefix or hotwords:
            # With a prefix the library takes no hotwords.
            text = str(prefix or hotwords)
            tokens = tokenizer.encode(" " + text.strip())[: hotwords_room_of(self.max_length)]
            text = tokenizer.decode(tokens).rstrip("\ufffd")
            prefix, hotwords = (text, None) if prefix else (None, text)
            room -= len(tokenizer.encode(" " + text.strip()))
        prompt: list[int] = super().get_prompt(
            tokenizer, previous_tokens[-room:], without_timestamps, prefix, hotwords
        )
        return prompt

    def detect_language(
        self, audio: Any = None, features: Features | None = None, **kwargs: Any
    ) -> tuple[str, float, list[tuple[str, float]]]:
        """As the library's, keeping the encoding for the window that follows.

        The last frame is the extractor's padding, which transcription leaves out. Left out
        here too, both encode the very same window: on base that is half the work of a short
        clip (measured 506 ms against 31 ms for the language alone).
        """
        if features is not None and features.shape[-1] > 1:
            features = features[..., :-1]
        self._detecting = True
        try:
            result: tuple[str, float, list[tuple[str, float]]] = super().detect_language(
                audio, features, **kwargs
            )
        finally:
            self._detecting = False
        return result


def open_model(
    folder: str, device: str, compute_type: str, cpu_threads: int, replicas: int = 1
) -> CTranslate2Whisper:
    """Load a model. ``device`` is ``cpu`` or ``cuda``. Raises what the library raises."""
    serve_faster_whisper()
    ctranslate2.set_random_seed(SEED)
    whisper = CTranslate2Whisper(
        folder,
        device=device,
        compute_type=compute_type,
        cpu_threads=cpu_threads,
        num_workers=replicas,
    )
    if device == "cpu":
        whisper.open_again = partial(
            ctranslate2.models.Whisper,
            folder,
            device=device,
            compute_type=compute_type,
            intra_threads=cpu_threads,
        )
    return whisper
