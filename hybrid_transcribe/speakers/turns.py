"""Activity and clusters become turns: who speaks from when to when.

The segmentation knows to 17 ms where one voice ends and another begins, but not whose they are; the
clusters of windows of 1.5 s know whose. So each voice of each window of the segmentation is given
to a speaker by the embeddings of the windows in which it speaks, those nearby counting most.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.speakers import segmentation
from hybrid_transcribe.speakers.activity import (
    CLOSED_S,
    LEAST_S,
    Analysis,
    OverlappingWindows,
    runs,
)
from hybrid_transcribe.speakers.clustering import Labels, centres
from hybrid_transcribe.speakers.network import Floats
from hybrid_transcribe.speakers.segmentation import (
    N_FRAMES,
    STEP_FRAMES,
    Bools,
    Classes,
    frame_at,
    frame_start_s,
)

Doubles = npt.NDArray[np.float64]

#: How far away an embedding still counts, as the standard deviation of a bell curve in s.
_REACH_S = 1.0

#: Differences of cosine similarity that make a speaker e times as likely.
_TEMPERATURE = 0.05


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """Somebody speaks from one moment (s) to another."""

    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Diarization:
    """Who speaks when in a recording, and what their voices are like.

    Attributes:
        turns: in order of their starts; speakers are S1, S2… in the order in which they begin.
        voices: an embedding of length 1 for each speaker.
    """

    turns: tuple[Turn, ...] = ()
    voices: Mapping[str, Floats] = field(default_factory=dict)


def turns_of(analysis: Analysis, labels: Labels) -> Diarization:
    """Who speaks when. ``labels`` has the cluster of each embedding."""
    if not len(labels):
        return Diarization()
    active = _active(analysis, labels)
    stretches = sorted(
        (start_s, end_s, cluster)
        for cluster in range(active.shape[1])
        for start_s, end_s in _regions(active[:, cluster], analysis.duration_s)
    )
    numbers = {c: f"S{i}" for i, c in enumerate(dict.fromkeys(c for _, _, c in stretches), 1)}
    vectors = centres(analysis.embeddings, labels)
    return Diarization(
        tuple(Turn(start_s, end_s, numbers[cluster]) for start_s, end_s, cluster in stretches),
        {name: vectors[cluster] for cluster, name in numbers.items()},
    )


def _regions(active: Bools, duration_s: float) -> Iterator[tuple[float, float]]:
    """Start and end (s) of each stretch; short gaps are closed, what is short is left out."""
    regions: list[tuple[float, float]] = []
    for first, end in runs(active):
        start_s, end_s = frame_start_s(first), min(frame_start_s(end), duration_s)
        if regions and start_s - regions[-1][1] < CLOSED_S:
            regions[-1] = (regions[-1][0], end_s)
        else:
            regions.append((start_s, end_s))
    return (region for region in regions if region[1] - region[0] >= LEAST_S)


def _active(analysis: Analysis, labels: Labels) -> Bools:
    """Which clusters speak in each frame, shape (n_frames, n_clusters)."""
    evidence = _Evidence(analysis, labels)
    scores, spoken, double = (OverlappingWindows() for _ in range(3))
    rows = []
    for index, classes in enumerate(analysis.classes):
        last = index == len(analysis.classes) - 1
        n_voices = segmentation.N_VOICES[classes]
        share = scores.add(evidence.scores(index, classes), last)
        rows.append(
            _strongest(
                share, spoken.add(n_voices > 0, last) > 0.5, double.add(n_voices > 1, last) > 0.5
            )
        )
    return np.concatenate(rows)


def _strongest(share: Doubles, spoken: Bools, double: Bools) -> Bools:
    """The likeliest speaker where somebody speaks, and the second where two do."""
    order = np.argsort(-share, axis=1, kind="stable")
    active = np.zeros(share.shape, np.bool_)
    for place, here in ((0, spoken), (1, double & spoken))[: share.shape[1]]:
        frames = np.flatnonzero(here)
        columns = order[frames, place]
        active[frames, columns] = share[frames, columns] > 0
    return active


class _Evidence:
    """Whose the voices of a window are, by the embeddings around."""

    def __init__(self, analysis: Analysis, labels: Labels) -> None:
        self._similarity: Floats = analysis.embeddings @ centres(analysis.embeddings, labels).T
        self._first = frame_at(analysis.spans[:, 0])
        self._end = np.maximum(frame_at(analysis.spans[:, 1]), self._first + 1)
        self._middles_s = analysis.spans.mean(axis=1)

    def scores(self, index: int, classes: Classes) -> Doubles:
        """How likely each cluster speaks in each frame of a window, shape (589, n_clusters)."""
        start = index * STEP_FRAMES
        near = np.flatnonzero((self._end > start) & (self._first < start + N_FRAMES))
        voices = segmentation.VOICES[classes]
        scores = np.zeros((N_FRAMES, self._similarity.shape[1]))
        if not len(near):
            return scores
        middles_s = frame_start_s(start + 0.5) + np.arange(N_FRAMES) * segmentation.FRAME_STEP_S
        distance = (middles_s[:, None] - self._middles_s[near]) / _REACH_S
        # Never nothing: a voice far from all embeddings goes by the nearest.
        nearness = np.exp(-0.5 * distance**2) + 1e-9
        for voice in voices.T:
            weights = self._weights(voices, voice, start, near)
            if weights.any():
                scores += voice[:, None] * self._likelihood(nearness * weights, near)
        return scores

    def _weights(
        self, voices: Bools, voice: Bools, start: int, near: npt.NDArray[np.int64]
    ) -> Doubles:
        """How much each embedding says about a voice: frames of it alone, and how pure they are."""
        alone = voice & (voices.sum(axis=1) == 1)
        frames = self._counted(alone, start, near)
        if not frames.any():
            frames = self._counted(voice, start, near)
        spoken = self._counted(np.asarray(voices.any(axis=1)), start, near)
        weights: Doubles = frames * (frames / np.maximum(spoken, 1)) ** 2
        return weights

    def _counted(self, frames: Bools, start: int, near: npt.NDArray[np.int64]) -> Doubles:
        """True frames within each embedded window."""
        sums = np.concatenate([[0], np.cumsum(frames)])
        first = np.clip(self._first[near] - start, 0, N_FRAMES)
        end = np.clip(self._end[near] - start, 0, N_FRAMES)
        counted: Doubles = (sums[end] - sums[first]).astype(np.float64)
        return counted

    def _likelihood(self, weights: Doubles, near: npt.NDArray[np.int64]) -> Doubles:
        mean = weights @ self._similarity[near] / weights.sum(axis=1, keepdims=True)
        likely = np.exp((mean - mean.max(axis=1, keepdims=True)) / _TEMPERATURE)
        result: Doubles = likely / likely.sum(axis=1, keepdims=True)
        return result
