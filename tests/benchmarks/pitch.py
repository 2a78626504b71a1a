"""Is a reader a man or a woman? By the pitch of the voice."""

from __future__ import annotations

import numpy as np

from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks.sounds import Samples, band

FRAME_N, HOP_N = 1024, 512

#: Pitch is looked for between these, in Hz.
LOWEST_HZ, HIGHEST_HZ = 65.0, 400.0

#: A frame is voiced where its autocorrelation at the best lag is this share of that at lag 0.
VOICED = 0.5

#: Of the 45 readers of LibriSpeech here none has a median between 165 and 186 Hz. Read lively a man
#: may lie above it (Kennedy's speech: 258 Hz), so single clips outside of LibriSpeech are a guess.
LIMIT_HZ = 175.0


def median_f0_hz(samples: Samples) -> float | None:
    """Median fundamental frequency of the voiced frames, in Hz; None where none is voiced.

    By normalised autocorrelation of frames of 64 ms, halves of which overlap.
    """
    if len(samples) < FRAME_N:
        return None
    starts = np.arange(0, len(samples) - FRAME_N + 1, HOP_N)
    # Some recordings have a constant offset, and formants above 800 Hz look like octaves.
    low_passed = band(samples - samples.mean(), 50, 800)
    frames = low_passed[starts[:, None] + np.arange(FRAME_N)].astype(np.float64)
    loud = np.sqrt(np.mean(frames**2, axis=1))
    frames = frames[loud > 0.3 * np.quantile(loud, 0.9)]
    spectra = np.abs(np.fft.rfft(frames, 2 * FRAME_N, axis=1)) ** 2
    correlation = np.fft.irfft(spectra, axis=1)[:, :FRAME_N]
    # A lag has fewer products the longer it is.
    correlation *= FRAME_N / (FRAME_N - np.arange(FRAME_N))
    low, high = int(RATE_HZ / HIGHEST_HZ), int(RATE_HZ / LOWEST_HZ)
    # The shortest lag near the best one: not an octave too low.
    part = correlation[:, low:high] / correlation[:, :1]
    best = part.max(axis=1)
    lags = low + np.argmax(part >= 0.93 * best[:, None], axis=1)
    voiced = lags[best > VOICED]
    return float(np.median(RATE_HZ / voiced)) if len(voiced) else None


def voice(samples: Samples) -> str:
    """``"man"`` or ``"woman"``, by `LIMIT_HZ`."""
    f0_hz = median_f0_hz(samples)
    return "man" if f0_hz is not None and f0_hz < LIMIT_HZ else "woman"
