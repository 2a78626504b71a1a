"""Log-mel filterbanks as Kaldi computes them, with numpy alone.

The embedding network was trained on these. They differ from kaldi-native-fbank's by at most 3e-4
(``tests/speakers/test_features.py``).
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from hybrid_transcribe.types import RATE_HZ

Floats = npt.NDArray[np.float32]

#: Samples of a frame (25 ms) and from one frame's start to the next one's (10 ms).
FRAME, HOP = 400, 160

#: Values of a frame.
N_MELS = 80

#: Frames of a second.
FRAMES_PER_S = RATE_HZ // HOP

_N_FFT = 512
_LOWEST_HZ = 20.0
_PREEMPHASIS = 0.97

#: Kaldi takes the logarithm of at least this.
_FLOOR = float(np.finfo(np.float32).eps)

#: Frames that are computed together: 13 MB.
_BLOCK = 2000


def filterbanks(samples: Floats) -> Floats:
    """Logarithms of the energies in 80 mel bands, shape (n_frames, 80).

    ``samples`` are float32, mono, 16 kHz. Only whole frames count: shorter than 25 ms has none.
    """
    if len(samples) < FRAME:
        return np.empty((0, N_MELS), np.float32)
    frames = sliding_window_view(samples, FRAME)[::HOP]
    blocks = [_block(frames[i : i + _BLOCK]) for i in range(0, len(frames), _BLOCK)]
    return np.concatenate(blocks)


def _block(frames: Floats) -> Floats:
    centred = frames - frames.mean(axis=1, keepdims=True)
    emphasised = centred.copy()
    emphasised[:, 1:] -= _PREEMPHASIS * centred[:, :-1]
    emphasised[:, 0] -= _PREEMPHASIS * centred[:, 0]
    spectra = np.fft.rfft(emphasised * _window(), _N_FFT)
    power = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    logarithms: Floats = np.log(np.maximum(power @ _mel_weights(), _FLOOR))
    return logarithms


@cache
def _window() -> Floats:
    """Povey's window: Hann's to the power of 0.85."""
    window: Floats = (np.hanning(FRAME) ** 0.85).astype(np.float32)
    return window


@cache
def _mel_weights() -> Floats:
    """Triangles that are equally wide in mel, shape (n_bins, 80)."""
    edges = np.linspace(_mel(_LOWEST_HZ), _mel(RATE_HZ / 2), N_MELS + 2)
    low, centre, high = edges[:-2], edges[1:-1], edges[2:]
    # The bin at half the sampling rate has no weight in Kaldi.
    bins = _mel(np.arange(_N_FFT // 2) * RATE_HZ / _N_FFT)[:, None]
    rising, falling = (bins - low) / (centre - low), (high - bins) / (high - centre)
    weights = np.zeros((_N_FFT // 2 + 1, N_MELS), np.float32)
    weights[:-1] = np.maximum(0, np.minimum(rising, falling))
    return weights


def _mel(hz: npt.ArrayLike) -> npt.NDArray[np.float64]:
    mel: npt.NDArray[np.float64] = 1127.0 * np.log1p(np.asarray(hz, np.float64) / 700.0)
    return mel
