"""Audio, block by block, becomes activity and embeddings: all that the end needs."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.speakers.activity import Analysis, OverlappingWindows, RegionTracker
from hybrid_transcribe.speakers.embedding import N_VALUES, VoiceEmbedding
from hybrid_transcribe.speakers.features import FRAME, FRAMES_PER_S, HOP, filterbanks
from hybrid_transcribe.speakers.network import Floats
from hybrid_transcribe.speakers.segmentation import (
    FRAME_STEP_S,
    N_VOICES,
    STEP,
    STEP_FRAMES,
    WINDOW,
    Bools,
    Classes,
    Segmentation,
    frame_at,
)
from hybrid_transcribe.types import RATE_HZ

#: Filterbanks of one voice alone that are enough for an embedding; where there are fewer, those of
#: overlapped speech count too. And how many it has at least.
LEAST_ALONE, LEAST_FRAMES = 40, 30

#: Steps of the segmentation that an embedded window may reach back.
_RECENT_STEPS = 3


class Analyzer:
    """Takes the sound of one recording, in order, in parts of any length."""

    def __init__(self, segmentation: Segmentation, embedding: VoiceEmbedding) -> None:
        self._segmentation, self._embedding = segmentation, embedding
        self._sound = _RecentSound()
        self._speech, self._overlap = OverlappingWindows(), OverlappingWindows()
        self._alone = _RecentFrames()
        self._regions = RegionTracker()
        self._classes: list[Classes] = []
        self._spans: list[tuple[float, float]] = []
        self._alone_s: list[float] = []
        self._vectors: list[Floats] = []

    @property
    def done_s(self) -> float:
        """How far it is."""
        return len(self._classes) * STEP / RATE_HZ

    def add(self, samples: Floats) -> None:
        """The next samples: float32, mono, 16 kHz."""
        self._sound.append(samples)
        while self._sound.end >= len(self._classes) * STEP + WINDOW:
            self._step()

    def finish(self) -> Analysis:
        """What was gathered, after the last samples."""
        duration_s = self._sound.end / RATE_HZ
        self._step(last=True)
        self._embed(self._regions.finish(duration_s))
        return Analysis(
            duration_s,
            np.stack(self._classes),
            np.array(self._spans, np.float64).reshape(-1, 2),
            np.array(self._alone_s, np.float64),
            np.concatenate([np.zeros((0, N_VALUES), np.float32), *self._vectors]),
        )

    def _step(self, last: bool = False) -> None:
        start = len(self._classes) * STEP
        classes = self._segmentation(self._sound.between(start, start + WINDOW))
        self._classes.append(classes)
        n_voices = N_VOICES[classes]
        speech = self._speech.add(n_voices > 0, last) > 0.5
        overlap = self._overlap.add(n_voices > 1, last) > 0.5
        self._alone.append(speech & ~overlap, ~overlap)
        self._embed(self._regions.add(speech))
        needed = int(self._regions.needed_s * RATE_HZ)
        # Filterbanks begin at a multiple of their step.
        self._sound.forget(min(start + STEP, needed) // HOP * HOP)

    def _embed(self, complete: Iterable[tuple[float, float]]) -> None:
        spans = list(complete)
        if not spans:
            return
        first = int(min(start_s for start_s, _ in spans) * FRAMES_PER_S)
        end = int(max(end_s for _, end_s in spans) * FRAMES_PER_S) + LEAST_FRAMES
        frames = filterbanks(self._sound.between(first * HOP, end * HOP + FRAME - HOP))
        windows = [self._window(frames, first, start_s, end_s) for start_s, end_s in spans]
        # At the very end of a recording there may be speech of less than a frame.
        kept = [i for i, window in enumerate(windows) if len(window)]
        self._spans += [spans[i] for i in kept]
        self._alone_s += [self._alone.seconds(*spans[i]) for i in kept]
        self._vectors.append(self._embedding([windows[i] for i in kept]))

    def _window(self, frames: Floats, first: int, start_s: float, end_s: float) -> Floats:
        """The filterbanks of one span, without those where two speak if enough are left."""
        begin = int(start_s * FRAMES_PER_S)
        indices = np.arange(begin, max(int(end_s * FRAMES_PER_S), begin + LEAST_FRAMES)) - first
        indices = indices[indices < len(frames)]
        middles_s = ((indices + first) * HOP + FRAME / 2) / RATE_HZ
        alone = indices[self._alone.not_overlapped(middles_s)]
        return frames[alone if len(alone) >= LEAST_ALONE else indices]


class _RecentSound:
    """The samples that are still needed."""

    def __init__(self) -> None:
        self._samples = np.zeros(0, np.float32)
        self._start = 0

    @property
    def end(self) -> int:
        """Samples so far, those that are gone too."""
        return self._start + len(self._samples)

    def append(self, samples: Floats) -> None:
        self._samples = np.concatenate([self._samples, samples])

    def between(self, start: int, end: int) -> Floats:
        """Samples of the recording from one to another; fewer at its end."""
        assert start >= self._start
        return self._samples[start - self._start : max(end - self._start, 0)]

    def forget(self, before: int) -> None:
        """Samples before that are not asked for again."""
        n = min(max(before - self._start, 0), len(self._samples))
        self._samples, self._start = self._samples[n:], self._start + n


class _RecentFrames:
    """Where one person speaks alone, and where not two do, for the last steps."""

    def __init__(self) -> None:
        self._alone: list[Bools] = []
        self._single: list[Bools] = []
        self._n_dropped = 0

    def append(self, alone: Bools, single: Bools) -> None:
        self._alone.append(alone)
        self._single.append(single)
        # Every step but the last has as many frames.
        while len(self._alone) > _RECENT_STEPS:
            self._alone.pop(0)
            self._single.pop(0)
            self._n_dropped += STEP_FRAMES

    def seconds(self, start_s: float, end_s: float) -> float:
        """For how long one person speaks alone between two times."""
        first, end = (int(i) - self._n_dropped for i in frame_at([start_s, end_s]))
        return float(np.concatenate(self._alone)[max(first, 0) : end].sum()) * FRAME_STEP_S

    def not_overlapped(self, times_s: npt.NDArray[np.float64]) -> Bools:
        """Whether fewer than two speak at each time."""
        single = np.concatenate(self._single)
        result: Bools = single[np.clip(frame_at(times_s) - self._n_dropped, 0, len(single) - 1)]
        return result
