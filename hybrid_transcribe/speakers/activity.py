"""Windows of the segmentation become one row of frames; those become regions and windows to embed.

Everything here takes the recording step by step, so that memory does not grow with its length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.speakers.network import Floats
from hybrid_transcribe.speakers.segmentation import (
    N_FRAMES,
    STEP_FRAMES,
    Bools,
    Classes,
    frame_start_s,
)

#: Length of the windows that are embedded, and from one to the next, in s.
EMBEDDED_S, EMBEDDED_STEP_S = 1.5, 0.75

#: Silences that are shorter belong to speech, and speech that is shorter is none, in s.
CLOSED_S, LEAST_S = 0.25, 0.15


@dataclass(frozen=True, slots=True)
class Analysis:
    """What is kept of a recording until its end, 5 MB an hour.

    Attributes:
        duration_s: the recording's length.
        classes: the segmentation's answer for each frame of each window, shape (n_windows, 589).
        spans: start and end (s) of the windows that were embedded, shape (n, 2).
        alone_s: for how long of each of them exactly one person speaks, shape (n,).
        embeddings: one of each, shape (n, 192), length 1.
    """

    duration_s: float
    classes: Classes
    spans: npt.NDArray[np.float64]
    alone_s: npt.NDArray[np.float64]
    embeddings: Floats


def _trust() -> npt.NDArray[np.float64]:
    from_ends = np.minimum(np.arange(N_FRAMES), np.arange(N_FRAMES)[::-1])
    return np.minimum(1, 0.05 + from_ends / 60)


#: What each frame of a window counts: its ends know less than its middle.
TRUST = _trust()


class OverlappingWindows:
    """Values for the frames of windows, averaged where two windows cover a frame."""

    def __init__(self) -> None:
        self._tail: npt.NDArray[np.float64] | None = None

    def add(self, values: npt.ArrayLike, last: bool) -> npt.NDArray[np.float64]:
        """The values of the frames that no later window covers.

        ``values`` are those of the next window, shape (589,) or (589, n); those of the first 297
        frames come back, of all when it is the ``last``.
        """
        weights = TRUST.copy()
        row = np.asarray(values, np.float64)
        shape = (-1, *[1] * (row.ndim - 1))
        sums = row * TRUST.reshape(shape)
        if self._tail is not None:
            sums[: len(self._tail)] += self._tail
            weights[: len(self._tail)] += TRUST[STEP_FRAMES:]
        self._tail = (row * TRUST.reshape(shape))[STEP_FRAMES:]
        n = N_FRAMES if last else STEP_FRAMES
        mean: npt.NDArray[np.float64] = sums[:n] / weights[:n].reshape(shape)
        return mean


class RegionTracker:
    """Frames become regions of speech, and those windows to embed, as soon as each is complete."""

    def __init__(self) -> None:
        self._start_s: float | None = None
        self._end_s = self._next_s = 0.0
        self._n_frames = 0

    @property
    def needed_s(self) -> float:
        """Sound before that time is not needed any more."""
        if self._start_s is None:
            return frame_start_s(self._n_frames)
        return max(self._start_s, self._next_s - EMBEDDED_STEP_S)

    def add(self, active: Bools) -> Iterator[tuple[float, float]]:
        """The next frames; gives the windows (start and end in s) that are complete."""
        for first, end in runs(active):
            start_s = frame_start_s(self._n_frames + first)
            if self._start_s is not None and start_s - self._end_s >= CLOSED_S:
                yield from self._close()
            if self._start_s is None:
                self._start_s = self._next_s = start_s
            self._end_s = frame_start_s(self._n_frames + end)
            yield from self._complete()
        self._n_frames += len(active)
        if frame_start_s(self._n_frames) - self._end_s >= CLOSED_S:
            yield from self._close()

    def finish(self, duration_s: float) -> Iterator[tuple[float, float]]:
        """The last windows; nothing lies behind the end."""
        self._end_s = min(self._end_s, duration_s)
        yield from self._close()

    def _complete(self) -> Iterator[tuple[float, float]]:
        while self._next_s + EMBEDDED_S < self._end_s:
            yield self._next_s, self._next_s + EMBEDDED_S
            self._next_s += EMBEDDED_STEP_S

    def _close(self) -> Iterator[tuple[float, float]]:
        if self._start_s is not None and self._end_s - self._start_s >= LEAST_S:
            start_s = max(self._start_s, min(self._next_s, self._end_s - EMBEDDED_S))
            yield start_s, self._end_s
        self._start_s = None


def runs(active: Bools) -> Iterator[tuple[int, int]]:
    """First index and end of each run of true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], active, [False]]).astype(np.int8)))
    yield from zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
