"""Filterbanks are Kaldi's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from hybrid_transcribe.speakers.features import FRAME, HOP, N_MELS, Floats, filterbanks

REFERENCE = Path(__file__).with_name("kaldi_filterbanks.json")


def signal(n: int) -> Floats:
    """A tone, a rising tone, an offset and noise of a linear congruential generator."""
    t = np.arange(n) / 16_000
    tones = 0.3 * np.sin(2 * np.pi * 220 * t) + 0.1 * np.sin(2 * np.pi * (300 + 400 * t) * t) + 0.02
    noise = np.empty(n)
    state = 1
    for i in range(n):
        state = (state * 1103515245 + 12345) % 2**31
        noise[i] = state / 2**30 - 1
    return (tones + 0.05 * noise).astype(np.float32)


def test_they_equal_those_of_kaldi() -> None:
    """Frames of one second of sound, against what kaldi-native-fbank gives for it."""
    reference = json.loads(REFERENCE.read_text(encoding="utf-8"))["frames"]

    computed = filterbanks(signal(16_000))

    assert computed.shape == (98, N_MELS)
    for index, values in reference.items():
        np.testing.assert_allclose(computed[int(index)], values, atol=3e-4)


def test_a_frame_depends_on_its_own_samples_only() -> None:
    """Blocks cut at whole hops give the frames of the whole."""
    samples = signal(16_000)

    later = filterbanks(samples[30 * HOP :])

    np.testing.assert_allclose(later, filterbanks(samples)[30:], atol=1e-6)


def test_only_whole_frames_count() -> None:
    """Less than 25 ms has no frame, and silence is no infinity."""
    assert filterbanks(np.zeros(FRAME - 1, np.float32)).shape == (0, N_MELS)
    assert np.isfinite(filterbanks(np.zeros(FRAME + HOP, np.float32))).all()
    assert filterbanks(np.zeros(FRAME + HOP, np.float32)).shape == (2, N_MELS)
