"""Whisper's features as the library's extractor gives them, in less time.

Two things make the difference: digital silence after the audio is known and need not be
computed (five seconds of it follow every piece), and blocks of frames that stay in the cache
go through the steps together.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Floats = npt.NDArray[np.float32]

#: Frames that go through the steps together: their spectra are 200 KiB.
BLOCK = 128

#: Products of matrices up to so many multiplications are done by OpenBLAS in the thread that asks
#: (its ``SMP_THRESHOLD_MIN`` times ``GEMM_MULTITHREAD_THRESHOLD``). For larger ones it wakes
#: threads of its own, which then spin on the cores that are needed for hearing. A worker has
#: none of them; this is for engines in anybody else's process.
SMALL = 4 * 65536

#: Whisper's own: less power than this counts as none, and what is eight powers of ten below
#: the loudest counts as that.
LEAST, RANGE = np.float32(1e-10), np.float32(8)


def log_mel(extractor: Any, samples: Floats, n_silent: int = 0) -> Floats:
    """What ``extractor`` makes of ``samples`` and ``n_silent`` zeros, shape (n_mels, n_frames).

    ``extractor`` is the library's: its sizes and mel filters are used.
    """
    hop, n_fft = extractor.hop_length, extractor.n_fft
    # The extractor adds one hop of its own, and leaves out the last frame.
    n_frames = (len(samples) + n_silent) // hop + 1
    wave = np.pad(samples, (0, min(n_silent, n_fft) + hop))
    power = _power(wave, extractor.mel_filters, hop, n_fft)
    logs = np.log10(np.maximum(power, LEAST, out=power), out=power)
    floor = logs.max() - RANGE
    result = np.empty((logs.shape[0], n_frames), np.float32)
    n_heard = logs.shape[1]
    np.maximum(logs, floor, out=result[:, :n_heard])
    # Behind the end of the first n_fft zeros no frame reaches the audio.
    result[:, n_heard:] = max(np.log10(LEAST), floor)
    result += 4
    result /= 4
    return result


def _power(wave: Floats, filters: Floats, hop: int, n_fft: int) -> Floats:
    """Power in each mel band and frame, the last frame left out."""
    edged = np.pad(wave, n_fft // 2, mode="reflect")
    frames = sliding_window_view(edged, n_fft)[::hop][:-1]
    window = _window(n_fft)
    result = np.empty((len(filters), len(frames)), np.float32)
    for at in range(0, len(frames), BLOCK):
        spectrum = np.fft.rfft(frames[at : at + BLOCK] * window)
        _filtered(filters, spectrum.real**2 + spectrum.imag**2, result[:, at : at + BLOCK])
    return result


def _filtered(filters: Floats, power: npt.NDArray[np.floating[Any]], into: Floats) -> None:
    """The mel bands of some frames' power, shape (n_frames, n_bins)."""
    step = max(SMALL // filters.size, 1)
    for at in range(0, len(power), step):
        part = into[:, at : at + step]
        np.matmul(filters, power[at : at + step].T, out=part, casting="same_kind")


@lru_cache(maxsize=2)
def _window(n_fft: int) -> Floats:
    return np.hanning(n_fft + 1)[:-1].astype(np.float32)
