"""A voice as 192 numbers: 3D-Speaker's CAM++, trained on Chinese and English."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hybrid_transcribe.speakers.network import Floats, Network

N_VALUES = 192

#: Windows of one length that go through the network together.
_BATCH = 8


class VoiceEmbedding:
    """The network, loaded."""

    def __init__(self, path: Path) -> None:
        self._network = Network(path)

    def __call__(self, windows: Sequence[Floats]) -> Floats:
        """One vector of length 1 for each window of filterbanks, shape (n_windows, 192).

        A window has shape (n_frames, 80); its mean is taken off here.
        """
        result = np.zeros((len(windows), N_VALUES), np.float32)
        by_length = defaultdict(list)
        for i, window in enumerate(windows):
            by_length[len(window)].append(i)
        for indices in by_length.values():
            for start in range(0, len(indices), _BATCH):
                chosen = indices[start : start + _BATCH]
                batch = np.stack([windows[i] - windows[i].mean(axis=0) for i in chosen])
                result[chosen] = self._network(batch)
        return normalized(result)


def normalized(vectors: Floats) -> Floats:
    """The vectors, of length 1 each."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    unit: Floats = vectors / np.maximum(lengths, 1e-9)
    return unit
