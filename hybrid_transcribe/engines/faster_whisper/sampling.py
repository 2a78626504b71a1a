"""Sampling that gives the same text every time.

Where text fails Whisper's tests it is tried again at temperatures above zero: tokens are drawn by
chance. CTranslate2 draws from one generator for each of a model's threads, seeded when that thread
draws for the first time and never again, so a recording's text would depend on what was
transcribed before it. Here whatever is sampled for one recording (or one piece of it) comes from a
model that was opened for it, whose generator begins at the seed. Opening takes 0.15 to 0.6 s for
tiny.en and base; sampling happens for what is hardly understood, and takes longer than that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from copy import copy
from threading import Lock
from typing import Any

#: Seed of every generator.
SEED = 0

#: Held while something is sampled: five candidates of a full window have 180 MB of keys and values
#: with base, and with two threads at it the peak of a worker was 1.6 GB instead of 0.7.
_SAMPLING = Lock()


def seeded(model: Any) -> Any:
    """A copy of the library's model whose sampling begins at the seed; itself where it cannot."""
    open_again = getattr(model, "open_again", None)
    if open_again is None:
        return model
    other = copy(model)
    other.model = SeededWhisper(model.model, open_again)
    return other


class SeededWhisper:
    """Stands for CTranslate2's Whisper, and samples with a fresh one. For one thread."""

    def __init__(self, whisper: Any, open_again: Callable[[], Any]) -> None:
        self._whisper, self._open_again = whisper, open_again
        self._fresh: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whisper, name)

    def generate(self, encoding: Any, prompts: Sequence[list[int]], **options: Any) -> list[Any]:
        """As CTranslate2's."""
        if options.get("sampling_temperature", 0.0) <= 0:
            return self._whisper.generate(encoding, prompts, **options)  # type: ignore[no-any-return]
        with getattr(self._whisper, "slot", nullcontext)(), _SAMPLING:
            if self._fresh is None:
                self._fresh = self._open_again()
            return self._fresh.generate(encoding, prompts, **options)  # type: ignore[no-any-return]
