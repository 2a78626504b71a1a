"""Features made in less time are the library's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from faster_whisper.audio import decode_audio
from faster_whisper.feature_extractor import FeatureExtractor

from hybrid_transcribe.engines.faster_whisper.short_context.mel import log_mel
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: Silence that follows, in samples: none, less than a frame, what every piece gets.
SILENCES = (0, 1, 159, 399, 400, 401, 5 * RATE_HZ)


@pytest.fixture(scope="module", params=[80, 128], ids="{} bands".format)
def extractor(request: pytest.FixtureRequest) -> FeatureExtractor:
    """Those of the older models and of large-v3."""
    return FeatureExtractor(feature_size=request.param)


def noise(n_samples: int) -> Samples:
    instance = np.random.default_rng(n_samples).normal(0, 0.1, n_samples)
    return np.asarray(instance, dtype=np.float32)


def same(extractor: FeatureExtractor, samples: Samples, n_silent: int) -> None:
    """Asserts as many frames, of the same values."""
    silence = np.zeros(n_silent, dtype=np.float32)
    expected = extractor(np.concatenate([samples, silence]))
    result = log_mel(extractor, samples, n_silent)
    assert (result.shape, result.dtype) == (expected.shape, np.float32)
    np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("n_silent", SILENCES)
@pytest.mark.parametrize("n_samples", [0, 1, 159, 160, 161, 200, 400, 6399, 20480, 23456])
def test_features_of_any_length(extractor: FeatureExtractor, n_samples: int, n_silent: int) -> None:
    """Also of nothing at all, of one sample, and at the edges of frames and blocks."""
    same(extractor, noise(n_samples), n_silent)


@pytest.mark.parametrize("n_silent", SILENCES)
@pytest.mark.parametrize("level", [0.0, 1e-7, 1.0])
def test_features_of_a_steady_level(
    extractor: FeatureExtractor, level: float, n_silent: int
) -> None:
    """Silence, what is next to it, and as loud as it gets."""
    same(extractor, np.full(RATE_HZ, level, dtype=np.float32), n_silent)


@pytest.mark.parametrize("n_silent", SILENCES)
def test_features_of_speech(extractor: FeatureExtractor, sample: Path, n_silent: int) -> None:
    """The recording that comes with the package, from a loud and from a soft place on."""
    samples = decode_audio(str(sample))
    for first in (0, 12345):
        same(extractor, samples[first:], n_silent)
    same(extractor, samples * np.float32(0.001), n_silent)


def test_it_leaves_the_audio_alone(extractor: FeatureExtractor) -> None:
    """Others hear the same samples at the same time."""
    samples = noise(RATE_HZ)
    before = samples.copy()
    log_mel(extractor, samples, RATE_HZ)
    assert np.array_equal(samples, before)
