"""Who of up to three voices speaks when, in windows of 10 s: pyannote's segmentation-3.0.

A window's voices are its own: the first of one window need not be the first of the next. What is
used of it is where somebody speaks, where two do, and where one voice follows another.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.speakers.network import Floats, Network
from hybrid_transcribe.types import RATE_HZ

Bools = npt.NDArray[np.bool_]
Classes = npt.NDArray[np.uint8]

#: Samples of a window, and frames that the network answers for it.
WINDOW, N_FRAMES = 10 * RATE_HZ, 589

#: From one frame's start to the next one's, and how long a frame is, in s.
FRAME_STEP_S, FRAME_LENGTH_S = 270 / RATE_HZ, 991 / RATE_HZ

#: Frames and samples from one window's start to the next one's: 5.01 s, a whole number of frames.
STEP_FRAMES = 297
STEP = STEP_FRAMES * 270

#: Which of the three voices speak in each of the network's classes.
VOICES = np.array(
    [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1]], np.bool_
)

#: Speakers at once in each class.
N_VOICES = VOICES.sum(axis=1).astype(np.uint8)


class Segmentation:
    """The network, loaded."""

    def __init__(self, path: Path) -> None:
        self._network = Network(path)

    def __call__(self, samples: Floats) -> Classes:
        """The class of each frame of a window, shape (589,); a shorter one is padded."""
        window = np.zeros((1, 1, WINDOW), np.float32)
        window[0, 0, : len(samples)] = samples[:WINDOW]
        classes: Classes = self._network(window)[0].argmax(axis=-1).astype(np.uint8)
        return classes


def frame_start_s(index: float) -> float:
    """When a frame begins that is counted from the recording's start.

    A frame stands for the `FRAME_STEP_S` around the middle of what the network looks at.
    """
    return index * FRAME_STEP_S + (FRAME_LENGTH_S - FRAME_STEP_S) / 2


def frame_at(time_s: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """The frame in which a moment lies; its opposite."""
    times = np.asarray(time_s, np.float64)
    return np.floor((times - (FRAME_LENGTH_S - FRAME_STEP_S) / 2) / FRAME_STEP_S).astype(np.int64)
