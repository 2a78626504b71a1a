"""An engine that says where there is sound and where there is none: no model, no words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

import numpy as np

from hybrid_transcribe import Capabilities, Clip, Engine, Options, Segment

#: Samples of one frame: 50 ms at 16 kHz.
FRAME = 800

#: A frame is sound when its root mean square is above this: -46 dB of full scale.
LEVEL = 0.005


class Sound(Engine):
    """One segment ``[sound]`` for each stretch of frames above a level."""

    name: ClassVar[str] = "sound"
    capabilities: ClassVar[Capabilities] = Capabilities(options=frozenset(), default_model="energy")

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Segment]:
        for start, stop in stretches(loud(clip)):
            if canceled():
                return
            end_s = min(stop * FRAME / 16_000, clip.duration_s)
            yield Segment(start * FRAME / 16_000, end_s, "[sound]")


def loud(clip: Clip) -> np.ndarray:
    """Whether each frame of a clip is sound, shape (n_frames,); the last one may be short."""
    padded = np.pad(clip.samples, (0, -len(clip.samples) % FRAME))
    return np.sqrt(np.mean(padded.reshape(-1, FRAME) ** 2, axis=1)) > LEVEL


def stretches(frames: np.ndarray) -> Iterator[tuple[int, int]]:
    """First frame of each run of True, and the frame behind its last one."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], frames, [False])).astype(np.int8)))
    yield from ((int(a), int(b)) for a, b in edges.reshape(-1, 2))
