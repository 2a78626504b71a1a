"""What the conditions of the matrix do to a recording."""

from __future__ import annotations

import numpy as np
import pytest

from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks import sounds
from tests.benchmarks.degrade import CONDITIONS, Sound, mixed, read, seeded, write
from tests.benchmarks.pitch import median_f0_hz, voice
from tests.benchmarks.sounds import KINDS, Samples, rms


@pytest.fixture
def vowel() -> Samples:
    """Two seconds of a voice at 120 Hz."""
    time = sounds.seconds(2 * RATE_HZ)
    harmonics = [np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 40)]
    return sounds.levelled(np.sum(harmonics, axis=0))


def degraded(name: str, samples: Samples) -> Sound:
    """The condition of that name; the test is skipped where it cannot be made."""
    reason = CONDITIONS[name].missing()
    if reason:
        pytest.skip(f"{name}: {reason}")
    return CONDITIONS[name].degrade(samples, seeded("clip", name), [samples[::-1].copy()] * 3)


@pytest.mark.parametrize("name", CONDITIONS)
def test_a_condition_is_repeatable_and_audible(name: str, vowel: Samples) -> None:
    """The same clip gives the same file; no condition loses the sound or its length."""
    first, second = degraded(name, vowel), degraded(name, vowel)

    assert np.array_equal(first.samples, second.samples)
    assert rms(first.samples) > 1e-3
    length_s = len(first.samples) / first.rate_hz
    assert 1.6 <= length_s <= 2.8


@pytest.mark.parametrize("name", ["telephone", "mu-law", "A-law", "GSM", "AMR-NB"])
def test_telephone_codecs_are_at_8_khz(name: str, vowel: Samples) -> None:
    """As their files are."""
    assert degraded(name, vowel).rate_hz == 8_000


def test_a_telephone_line_has_no_bass(vowel: Samples) -> None:
    """The 120 Hz of the voice itself are gone, its harmonics are not."""
    line = degraded("telephone", vowel)
    spectrum = np.abs(np.fft.rfft(line.samples[:16_000]))
    hz = np.fft.rfftfreq(16_000, 1 / line.rate_hz)

    def level(at_hz: float) -> float:
        return float(spectrum[np.abs(hz - at_hz) < 5].max())

    assert level(120) < 0.2 * level(600)


def test_quiet_is_50_db_below_full_scale(vowel: Samples) -> None:
    """Rms."""
    assert 20 * np.log10(rms(degraded("-50 dBFS", vowel).samples)) == pytest.approx(-50, abs=0.1)


def test_one_ear_is_silent_on_the_other_side(vowel: Samples) -> None:
    """Stereo."""
    remaining, right = degraded("one ear", vowel).samples.T

    assert rms(remaining) > 100 * rms(right)


def test_speed_keeps_the_pitch_and_pitch_keeps_the_speed(vowel: Samples) -> None:
    """Four semitones are a factor of 1.26."""
    slow, low = degraded("speed 0.85", vowel), degraded("pitch -4", vowel)

    assert len(slow.samples) / len(vowel) == pytest.approx(1 / 0.85, rel=0.03)
    assert median_f0_hz(slow.samples) == pytest.approx(120, rel=0.03)
    assert len(low.samples) / len(vowel) == pytest.approx(1.0, rel=0.03)
    assert median_f0_hz(low.samples) == pytest.approx(120 / 1.26, rel=0.03)


def test_noise_is_mixed_at_its_ratio(vowel: Samples) -> None:
    """10 dB: the noise has a tenth of the power."""
    noise = sounds.pink(len(vowel), seeded("noise"))
    both = mixed(0.2 * vowel, noise, 10.0)

    assert rms(both - 0.2 * vowel) == pytest.approx(rms(0.2 * vowel) / np.sqrt(10), rel=0.01)


def test_a_wav_comes_back_as_it_was(tmp_path, vowel: Samples) -> None:
    """But for the rounding to 16 bits."""
    write(tmp_path / "a.wav", Sound(vowel, 8_000))
    back = read(tmp_path / "a.wav")

    assert back.rate_hz == 8_000
    assert np.abs(back.samples - vowel).max() < 1e-4


def test_pitch_tells_low_voices_from_high_ones(vowel: Samples) -> None:
    """Twice as fast is an octave higher."""
    assert voice(vowel) == "man"
    assert voice(np.ascontiguousarray(vowel[::2])) == "woman"


@pytest.mark.parametrize("kind", KINDS)
def test_sounds_are_repeatable_and_within_full_scale(kind: str) -> None:
    """The same seed gives the same sound; all but silence is audible."""
    first, second = (KINDS[kind](RATE_HZ * 2, seeded(kind)) for _ in range(2))

    assert np.array_equal(first, second)
    assert len(first) == 2 * RATE_HZ
    assert np.isfinite(first).all()
    assert np.abs(first).max() <= 1.0
    assert kind == "digital silence" or rms(first) > 1e-4
