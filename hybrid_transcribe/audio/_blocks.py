"""A stream of samples cut into clips of bounded length, where it is quietest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.types import RATE_HZ, Clip

# The cut lies within the last stretch of a block, in the middle of its quietest window.
_SEARCH_S = 30.0
_WINDOW_S = 0.3
_HOP = RATE_HZ // 20
_WINDOW_HOPS = round(_WINDOW_S * RATE_HZ / _HOP)

Chunk = npt.NDArray[np.int16]


class Blocks:
    """Collects int16 samples and hands them out as clips that follow each other exactly.

    Attributes:
        size: most samples of one clip.
    """

    def __init__(
        self, name: str, block_s: float, start_s: float = 0.0, first_sample: int = 0
    ) -> None:
        """``start_s`` is where clips begin, ``first_sample`` the place of the first one added."""
        self.size = max(1, int(block_s * RATE_HZ))
        self._name = name
        self._skip = max(0, round(start_s * RATE_HZ) - first_sample)
        self._start = first_sample + self._skip
        self._chunks: list[Chunk] = []
        self._held = 0

    def add(self, chunk: Chunk) -> Iterator[Clip]:
        """Take samples, shape (n_samples,); yield the clips that are full now."""
        if self._skip:
            passed = min(self._skip, len(chunk))
            self._skip -= passed
            chunk = chunk[passed:]
        self._chunks.append(chunk)
        self._held += len(chunk)
        while self._held > self.size:
            yield self._take(quietest(self._last(self.size), self.size))

    def finish(self) -> Iterator[Clip]:
        """Yield what is left, if anything."""
        if self._held:
            yield self._take(self._held)

    def _last(self, end: int) -> Chunk:
        """The stretch in which to look for a cut: what lies before sample ``end``."""
        count = min(int(_SEARCH_S * RATE_HZ), end // 2)
        pieces: list[Chunk] = []
        at = self._held
        for chunk in reversed(self._chunks):
            if at <= end - count:
                break
            pieces.insert(0, chunk[: max(0, end - (at - len(chunk)))])
            at -= len(chunk)
        return np.concatenate(pieces)[-count:] if count else np.empty(0, np.int16)

    def _take(self, count: int) -> Clip:
        samples = np.empty(count, np.float32)
        at = 0
        while at < count:
            chunk = self._chunks.pop(0)
            if len(chunk) > count - at:
                self._chunks.insert(0, chunk[count - at :])
                chunk = chunk[: count - at]
            np.divide(chunk, 32768.0, out=samples[at : at + len(chunk)], dtype=np.float32)
            at += len(chunk)
        clip = Clip(samples, self._start / RATE_HZ, self._name)
        self._start += count
        self._held -= count
        return clip


def quietest(stretch: Chunk, end: int) -> int:
    """Where to cut a block of ``end`` samples, whose last ones are ``stretch``.

    The middle of the window of least energy, the latest of equals; ``end`` itself when the
    stretch is too short to tell.
    """
    n_hops = len(stretch) // _HOP
    if n_hops < _WINDOW_HOPS:
        return end
    hops = stretch[len(stretch) - n_hops * _HOP :].astype(np.float32).reshape(n_hops, _HOP)
    energy = np.convolve(np.square(hops).sum(axis=1), np.ones(_WINDOW_HOPS), mode="valid")
    latest = len(energy) - 1 - int(np.argmin(energy[::-1]))
    return end - (n_hops - latest) * _HOP + _WINDOW_HOPS * _HOP // 2
