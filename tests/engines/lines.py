"""What a telephone line makes of a recording, with numpy alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

#: Sampling rate of ours in Hz, and edges of a telephone's band, cut as a Butterworth filter of
#: order 4 does.
RATE_HZ, LOW_HZ, HIGH_HZ, ORDER = 16000, 300.0, 3400.0, 4

#: Peak of the speech, and root mean square of the hiss beside it.
PEAK, HISS = 0.7, 0.0015


def telephone(samples: Samples, seed: int = 0) -> Samples:
    """Band-pass, hiss and 8-bit mu-law at 8 kHz; returned at 16 kHz."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / RATE_HZ)
    with np.errstate(divide="ignore"):
        low = 1 / np.sqrt(1 + (LOW_HZ / hertz) ** (2 * ORDER))
    high = 1 / np.sqrt(1 + (hertz / HIGH_HZ) ** (2 * ORDER))
    line = np.fft.irfft(spectrum * low * high * (hertz < 4000), len(samples))
    line *= PEAK / np.abs(line).max()
    line += np.random.default_rng(seed).normal(0, HISS, len(line))
    coded = _mu_law(np.clip(line[::2], -1, 1))
    return _doubled(coded).astype(np.float32)


def _mu_law(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Through 256 steps and back."""
    level = np.sign(samples) * np.log1p(255 * np.abs(samples)) / np.log1p(255)
    level = np.round((level + 1) / 2 * 255) / 255 * 2 - 1
    return np.asarray(np.sign(level) * np.expm1(np.abs(level) * np.log1p(255)) / 255)


def _doubled(samples: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """From 8 kHz to 16 kHz."""
    spectrum = np.fft.rfft(samples)
    padded = np.pad(spectrum, (0, len(samples) + 1 - len(spectrum)))
    return 2 * np.fft.irfft(padded, 2 * len(samples))
