"""What many threads ask of one model, asked in batches.

A GPU hears sixteen pieces in little more time than one. There, as on a CPU, each piece has an
ear on a thread of its own; what the ears ask of CTranslate2 meets here. To encode is put off
until something is asked of the encoding, and all that came while the GPU was busy is asked in
one go. Rounds, doubts, second looks, other temperatures and word times are the ears' affair as
everywhere, and are batched with whatever else waits.

An encoding is not kept for a second question (the language, then the text): to encode again is
a small part of a GPU's work, and needs no way to take one piece out of a batch.

On a CPU nothing is gained: batches were 1.1 times as fast at best, at more memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from copy import copy
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper.transcribe import get_ctranslate2_storage

Features = npt.NDArray[np.float32]


def batched(model: Any, batches: Batches) -> Any:
    """The library's model over again, asking ``batches`` instead of CTranslate2 itself."""
    other = copy(model)
    other.model = batches
    return other


@dataclass(frozen=True, slots=True)
class _Unheard:
    """What will be encoded when it is needed, shape (n_mels, n_frames)."""

    features: Features


@dataclass(frozen=True, slots=True)
class _Question:
    """One piece's part of a call: ``own`` becomes lists, ``shared`` is equal for all.

    CTranslate2 takes prompts of one length only: that is ``n_prompt``.
    """

    call: str
    features: Features
    own: dict[str, Any]
    shared: dict[str, Any]
    n_prompt: int = 0
    answer: Future[Any] = field(default_factory=Future)

    def goes_with(self, other: _Question) -> bool:
        return (self.call, self.n_prompt, self.shared) == (
            other.call,
            other.n_prompt,
            other.shared,
        )

    def unlike(self, other: _Question) -> int:
        """Frames by which the lengths differ."""
        return abs(int(self.features.shape[-1]) - int(other.features.shape[-1]))


class Batches:
    """Looks like CTranslate2's Whisper, ``whisper``, to any number of threads.

    ``most`` questions make a batch; half as many for good where ``no_memory`` says so of an
    error. `news` tells it.
    """

    def __init__(self, whisper: Any, most: int, no_memory: Callable[[Exception], bool]) -> None:
        self._whisper, self._no_memory = whisper, no_memory
        #: Questions that make a batch, at most.
        self.most = most
        self._waiting: list[_Question] = []
        self._news: list[str] = []
        self._lock = Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batch")

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whisper, name)

    def news(self) -> list[str]:
        """What people should know since it was asked last, one line each."""
        with self._lock:
            told, self._news = self._news, []
        return told

    @property
    def n_waiting(self) -> int:
        """Questions that are in no batch yet."""
        return len(self._waiting)

    def close(self) -> None:
        """Let go of the model. Nobody may be asking any more."""
        self._thread.shutdown()
        self._whisper = None

    # ---------------------------------------------------------- as CTranslate2's Whisper

    def encode(self, features: Any, to_cpu: bool = False) -> _Unheard:
        """Put off; ``features`` are of one piece, shape (1, n_mels, n_frames)."""
        return _Unheard(np.array(features)[0])

    def detect_language(self, window: _Unheard) -> list[Any]:
        """As the library's, of one window."""
        return [self._ask(_Question("detect_language", window.features, {}, {}))]

    def generate(self, window: _Unheard, prompts: Sequence[list[int]], **how: Any) -> list[Any]:
        """As the library's, of one window and one prompt."""
        own = {"prompts": prompts[0]}
        return [self._ask(_Question("generate", window.features, own, how, len(prompts[0])))]

    def align(
        self,
        window: _Unheard,
        start_sequence: Sequence[int],
        text_tokens: Sequence[list[int]],
        num_frames: int,
        **how: Any,
    ) -> list[Any]:
        """As the library's, of one window and one text."""
        own = {"text_tokens": text_tokens[0], "num_frames": num_frames}
        shared = {"start_sequence": list(start_sequence), **how}
        return [self._ask(_Question("align", window.features, own, shared))]

    # ---------------------------------------------------------------------------- batches

    def _ask(self, question: _Question) -> Any:
        with self._lock:
            self._waiting.append(question)
        # A round for each question: those that came to a batch leave rounds with nothing to do.
        self._thread.submit(self._round)
        return question.answer.result()

    def _round(self) -> None:
        batch = self._next()
        if batch:
            self._answer(batch)

    def _next(self) -> list[_Question]:
        """The oldest question, and those most like it in length."""
        with self._lock:
            if not self._waiting:
                return []
            oldest = self._waiting[0]
            alike = [one for one in self._waiting if one.goes_with(oldest)]
            alike.sort(key=oldest.unlike)
            batch = alike[: self.most]
            self._waiting = [one for one in self._waiting if all(one is not b for b in batch)]
        return batch

    def _answer(self, batch: list[_Question]) -> None:
        try:
            answers = self._call(batch)
        except Exception as error:
            self._failed(batch, error)
            return
        for one, answer in zip(batch, answers, strict=True):
            one.answer.set_result(answer)

    def _failed(self, batch: list[_Question], error: Exception) -> None:
        """Again in smaller batches; what fails alone has failed."""
        if len(batch) == 1:
            batch[0].answer.set_exception(error)
            return
        size = 1
        if self._no_memory(error):
            size = len(batch) // 2
            self._at_most(size, len(batch))
        for at in range(0, len(batch), size):
            self._answer(batch[at : at + size])

    def _at_most(self, most: int, too_many: int) -> None:
        with self._lock:
            self.most = most
            self._news = [f"Not enough memory for {too_many} pieces at once: {most} from now on."]

    def _call(self, batch: list[_Question]) -> list[Any]:
        longest = max(one.features.shape[-1] for one in batch)
        features = np.stack([extended(one.features, longest) for one in batch])
        encoding = self._whisper.encode(get_ctranslate2_storage(features))
        lists = {name: [one.own[name] for one in batch] for name in batch[0].own}
        call = getattr(self._whisper, batch[0].call)
        answers: list[Any] = call(encoding, **lists, **batch[0].shared)
        if len(answers) != len(batch):
            raise RuntimeError(f"{len(answers)} answers to {len(batch)} questions")
        return answers


def extended(features: Features, n_frames: int) -> Features:
    """With as much more digital silence, as if it had been in the audio.

    A window shorter than the full one ends in digital silence, whose features are its last
    frame's: zeros would be something else, and break the text.
    """
    more = n_frames - features.shape[-1]
    return np.pad(features, ((0, 0), (0, more)), mode="edge") if more else features
