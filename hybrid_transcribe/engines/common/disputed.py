"""Stretches about which level and voice detector disagree: they count as speech.

No stretch of a recording is left out because the detector alone says so: where the level rises
over the noise floor for a second or more and the detector finds next to nothing, the decoder is
asked as well.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.common.silero_vad import FRAME
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]
Probabilities = npt.NDArray[np.float32]

FRAME_S = FRAME / RATE_HZ

#: A voice begins above this probability: Silero's own threshold.
SPEECH = 0.5

#: The level rises over the noise floor by more than this (dB) where somebody may speak, and is
#: above the second figure (dB full scale).
RISE_DB, LEAST_DB = 10.0, -55.0

#: Frames on either side in which a frame's noise floor is looked for, about 15 s.
AROUND = 470

#: A shorter stretch of raised level (s) is breath or a knock. Shorter dips in it are the gaps
#: between words.
LEAST_S, DIP_S = 1.0, 0.3

#: It is disputed where the detector finds a voice in less than this share of it: in speech that
#: it hears it finds 0.45 or more (45 readers on a telephone line).
SHARE = 0.3

#: What a disputed frame counts as in place of a probability, and one in a dip: both are speech,
#: and the dips are the better places for a cut.
RAISED, DIP = 0.6, 0.4


def with_disputed(probabilities: Probabilities, samples: Samples) -> Probabilities:
    """The detector's probabilities, one for every 32 ms of samples, disputed stretches raised."""
    raised = _raised(samples, len(probabilities))
    result = probabilities.copy()
    for start, end in _runs(raised):
        inside = slice(start, end)
        if (end - start) * FRAME_S >= LEAST_S and share(probabilities[inside]) < SHARE:
            level = np.where(raised[inside], RAISED, DIP).astype(np.float32)
            result[inside] = np.maximum(result[inside], level)
    return np.asarray(result, dtype=np.float32)


def share(probabilities: Probabilities) -> float:
    """The share of frames (0..1) in which the detector finds a voice."""
    return float((probabilities >= SPEECH).mean()) if len(probabilities) else 0.0


def _raised(samples: Samples, n_frames: int) -> npt.NDArray[np.bool_]:
    """Frames whose level rises over the noise floor around them."""
    padded = np.pad(samples[: n_frames * FRAME], (0, max(n_frames * FRAME - len(samples), 0)))
    rows = padded.reshape(-1, FRAME)
    power = np.square(rows).mean(axis=1) - np.square(rows.mean(axis=1))
    levels = 10 * np.log10(np.maximum(power, 0.0) + 1e-12)
    floors = np.empty_like(levels)
    for start in range(0, n_frames, AROUND):
        around = levels[max(0, start - AROUND) : start + 2 * AROUND]
        floors[start : start + AROUND] = np.percentile(around, 10)
    return np.asarray(levels > np.maximum(floors + RISE_DB, LEAST_DB))


def _runs(raised: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First frames of raised stretches, and the frames behind their last; dips are bridged."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], raised, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for start, end in edges.reshape(-1, 2).tolist():
        if runs and (start - runs[-1][1]) * FRAME_S < DIP_S:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return runs
