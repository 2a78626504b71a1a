"""A stream of samples cut into blocks of bounded length, where it is quietest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.types import RATE_HZ, Clip

# The cut lies within the last stretch of a block, in the middle of its quietest window.
_SEARCH_S = 30.0
_WINDOW_S = 0.3
_HOP = RATE_HZ // 20
_WINDOW_HOPS = round(_WINDOW_S * RATE_HZ / _HOP)

Block = TypeVar("Block")

Chunk = npt.NDArray[Any]


class Blocks(ABC, Generic[Block]):
    """Collects samples and hands them out as blocks that follow each other exactly.

    Chunks have the shape (n_samples,) or (n_channels, n_samples), and are all of one kind.

    Attributes:
        size: most samples of one block.
    """

    #: What stands for 1.0 in the samples that are added.
    full_scale = 32768.0

    def __init__(self, block_s: float, start_s: float = 0.0, first_sample: int = 0) -> None:
        """``start_s`` is where blocks begin, ``first_sample`` the place of the first one added."""
        self.size = max(1, int(block_s * RATE_HZ))
        self._skip = max(0, round(start_s * RATE_HZ) - first_sample)
        self._start = first_sample + self._skip
        self._chunks: list[Chunk] = []
        self._held = 0

    @abstractmethod
    def block(self, samples: npt.NDArray[np.float32], start_s: float) -> Block:
        """A block of these samples, which begins at that time of the recording."""

    def add(self, chunk: Chunk) -> Iterator[Block]:
        """Take samples; yield the blocks that are full now."""
        if self._skip:
            passed = min(self._skip, chunk.shape[-1])
            self._skip -= passed
            chunk = chunk[..., passed:]
        self._chunks.append(chunk)
        self._held += chunk.shape[-1]
        while self._held > self.size:
            yield self._take(quietest(self._last(self.size), self.size))

    def finish(self) -> Iterator[Block]:
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
            pieces.insert(0, chunk[..., : max(0, end - (at - chunk.shape[-1]))])
            at -= chunk.shape[-1]
        return np.concatenate(pieces, axis=-1)[..., -count:] if count else np.empty(0, np.int16)

    def _take(self, count: int) -> Block:
        samples = np.empty((*self._chunks[0].shape[:-1], count), np.float32)
        at = 0
        while at < count:
            chunk = self._chunks.pop(0)
            if chunk.shape[-1] > count - at:
                self._chunks.insert(0, chunk[..., count - at :])
                chunk = chunk[..., : count - at]
            end = at + chunk.shape[-1]
            np.divide(chunk, self.full_scale, out=samples[..., at:end], dtype=np.float32)
            at = end
        block = self.block(samples, self._start / RATE_HZ)
        self._start += count
        self._held -= count
        return block


class MonoBlocks(Blocks[Clip]):
    """Clips of a recording with that name, from int16 samples of shape (n_samples,)."""

    def __init__(
        self, name: str, block_s: float, start_s: float = 0.0, first_sample: int = 0
    ) -> None:
        super().__init__(block_s, start_s, first_sample)
        self._name = name

    def block(self, samples: npt.NDArray[np.float32], start_s: float) -> Clip:
        """A clip."""
        return Clip(samples, start_s, self._name)


def quietest(stretch: Chunk, end: int) -> int:
    """Where to cut a block of ``end`` samples, whose last ones are ``stretch``.

    The middle of the window of least energy (of all channels), the latest of equals; ``end``
    itself when the stretch is too short to tell.
    """
    n_hops = int(stretch.shape[-1]) // _HOP
    if n_hops < _WINDOW_HOPS:
        return end
    hops = stretch[..., stretch.shape[-1] - n_hops * _HOP :].astype(np.float32)
    energies = np.square(hops.reshape(-1, n_hops, _HOP)).sum(axis=(0, 2))
    energy = np.convolve(energies, np.ones(_WINDOW_HOPS), mode="valid")
    latest = len(energy) - 1 - int(np.argmin(energy[::-1]))
    return end - (n_hops - latest) * _HOP + _WINDOW_HOPS * _HOP // 2
