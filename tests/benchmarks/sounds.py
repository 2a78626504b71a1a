"""Synthesised sounds: noise colours, machines, music, and whatever else is no speech.

Every generator takes a length and a random generator and returns float32, mono, 16 kHz, peak 0.5
unless it says otherwise. The same seed gives the same sound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]
Random = np.random.Generator

#: Makes a sound of ``n`` samples.
Generator = Callable[[int, Random], Samples]

#: Frequencies in Hz of the rows and columns of a telephone's keys (ITU-T Q.23).
DTMF_ROWS_HZ, DTMF_COLUMNS_HZ = (697, 770, 852, 941), (1209, 1336, 1477, 1633)

#: Semitones above a chord's root.
MAJOR, MINOR = (0, 4, 7), (0, 3, 7)


def levelled(samples: npt.NDArray[np.floating], peak: float = 0.5) -> Samples:
    """The sound at a peak amplitude; silence stays silent."""
    highest = float(np.abs(samples).max(initial=0.0))
    return (samples * (peak / highest if highest else 0.0)).astype(np.float32)


def rms(samples: npt.NDArray[np.floating]) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64))))


def seconds(n: int) -> npt.NDArray[np.float64]:
    """Time of each of ``n`` samples, in s."""
    return np.arange(n) / RATE_HZ


def band(samples: Samples, low_hz: float, high_hz: float, order: int = 4) -> Samples:
    """Band-pass with a Butterworth magnitude of that order and without phase shift."""
    spectrum = np.fft.rfft(samples)
    hz = np.maximum(np.fft.rfftfreq(len(samples), 1 / RATE_HZ), 1e-3)
    gain = 1 / np.sqrt((1 + (low_hz / hz) ** (2 * order)) * (1 + (hz / high_hz) ** (2 * order)))
    return np.fft.irfft(spectrum * gain, len(samples)).astype(np.float32)


# ------------------------------------------------------------------------------ noise


def coloured(exponent: float) -> Generator:
    """Noise with power proportional to frequency to the ``exponent``: -1 pink, -2 brown."""

    def generate(n: int, random: Random) -> Samples:
        spectrum = np.fft.rfft(random.standard_normal(n))
        hz = np.fft.rfftfreq(n, 1 / RATE_HZ)
        # Nothing below 20 Hz: brown noise would be all rumble.
        weights = np.where(hz < 20, 0.0, np.maximum(hz, 1.0) ** (exponent / 2))
        return levelled(np.fft.irfft(spectrum * weights, n))

    return generate


pink = coloured(-1.0)


def speech_shaped(n: int, random: Random) -> Samples:
    """Noise with the long-term spectrum of speech: flat to 500 Hz, then -9 dB an octave."""
    return levelled(band(random.standard_normal(n).astype(np.float32), 100, 500, 2))


def _swelling(n: int, random: Random, rate_hz: float, floor: float = 0.05) -> Samples:
    """A slow random envelope between ``floor`` and 1."""
    points = max(int(n / RATE_HZ * rate_hz) + 2, 3)
    envelope = np.interp(np.linspace(0, points - 1, n), range(points), random.random(points))
    return (floor + (1 - floor) * envelope).astype(np.float32)


def wind(n: int, random: Random) -> Samples:
    """Low noise that comes and goes."""
    return levelled(band(pink(n, random), 60, 500, 2) * _swelling(n, random, 0.7))


def rain(n: int, random: Random) -> Samples:
    """Steady hiss with drops."""
    drops = np.where(random.random(n) < 0.002, random.standard_normal(n), 0).astype(np.float32)
    hiss = random.standard_normal(n).astype(np.float32) * 0.05
    return levelled(band(drops, 800, 6000) + band(hiss, 1000, 7000))


def breath(n: int, random: Random) -> Samples:
    """Breathing: in and out, noise between 300 and 3,000 Hz."""
    period_s = random.uniform(2.5, 5.0)
    phase = (seconds(n) / period_s) % 1.0
    inhaled = np.clip(np.sin(np.pi * phase / 0.4), 0, None) * (phase < 0.4)
    exhaled = 0.7 * np.clip(np.sin(np.pi * (phase - 0.45) / 0.45), 0, None) * (phase >= 0.45)
    noise = random.standard_normal(n).astype(np.float32)
    return levelled(band(noise, 300, 3000, 2) * (inhaled + exhaled * (phase < 0.9)), 0.2)


def applause(n: int, random: Random) -> Samples:
    """Many hands."""
    return levelled(_bursts(n, random, 40.0, 0.008, (800, 4000)))


def room(n: int, random: Random) -> Samples:
    """A silent room: noise of -70 dBFS with a little hum."""
    hum = np.sin(2 * np.pi * 50 * seconds(n)) * 1e-4
    return (random.standard_normal(n) * 3e-4 + hum).astype(np.float32)


def silence(n: int, random: Random) -> Samples:
    """Digital silence."""
    return np.zeros(n, np.float32)


# ------------------------------------------------------------------- clicks and impacts


def _bursts(
    n: int, random: Random, rate_hz: float, decay_s: float, band_hz: tuple[float, float]
) -> Samples:
    """Decaying bursts of noise at random times, ``rate_hz`` of them a second."""
    length = max(int(decay_s * 6 * RATE_HZ), 8)
    decay = np.exp(-np.arange(length) / (decay_s * RATE_HZ))
    samples = np.zeros(n + length, np.float32)
    for start in random.integers(0, n, max(int(n / RATE_HZ * rate_hz), 1)):
        burst = random.standard_normal(length) * decay * random.uniform(0.3, 1.0)
        samples[start : start + length] += burst
    return band(samples[:n], *band_hz)


def clicks(n: int, random: Random) -> Samples:
    """A worn record."""
    crackle = _bursts(n, random, random.uniform(2, 15), 0.0008, (500, 7000))
    return levelled(crackle + 0.002 * random.standard_normal(n))


def keyboard(n: int, random: Random) -> Samples:
    """Typing: two clicks a key, in runs with pauses."""
    down = _bursts(n, random, random.uniform(3, 7), 0.004, (1500, 6000))
    up = 0.5 * np.roll(down, int(0.09 * RATE_HZ))
    runs = (_swelling(n, random, 0.5) > 0.35).astype(np.float32)
    return levelled((down + up) * runs + 0.001 * random.standard_normal(n))


def knocks(n: int, random: Random) -> Samples:
    """A hammer, or somebody at the door."""
    return levelled(_bursts(n, random, random.uniform(0.8, 3), 0.03, (80, 900)))


def drums(n: int, random: Random) -> Samples:
    """Kick and hi-hat at a steady beat."""
    beat = int(60 / random.uniform(80, 150) * RATE_HZ)
    kick_time = np.arange(beat) / RATE_HZ
    kick = np.sin(2 * np.pi * (50 + 80 * np.exp(-kick_time * 30)) * kick_time)
    kick *= np.exp(-kick_time * 9)
    hat = random.standard_normal(beat) * np.exp(-kick_time * 60) * 0.3
    bar = kick + np.roll(hat, beat // 2)
    return levelled(np.tile(bar, n // beat + 1)[:n])


# ----------------------------------------------------------------------------- tones


def hum(base_hz: float) -> Generator:
    """Mains hum with its harmonics."""

    def generate(n: int, random: Random) -> Samples:
        harmonics = [random.uniform(0.1, 1) / k for k in range(1, 9)]
        waves = [
            a * np.sin(2 * np.pi * base_hz * k * seconds(n)) for k, a in enumerate(harmonics, 1)
        ]
        return levelled(np.sum(waves, axis=0) + 0.005 * random.standard_normal(n), 0.3)

    return generate


def tone(n: int, random: Random) -> Samples:
    """One steady tone."""
    return levelled(np.sin(2 * np.pi * random.uniform(200, 3000) * seconds(n)))


def sweep(n: int, random: Random) -> Samples:
    """A tone that rises or falls without end, as of a siren."""
    low_hz, high_hz = sorted(random.uniform(200, 2500, 2))
    speed_hz = random.uniform(0.1, 1.0)
    hz = (low_hz + high_hz) / 2 + (high_hz - low_hz) / 2 * np.sin(2 * np.pi * speed_hz * seconds(n))
    return levelled(np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ))


def beeps(n: int, random: Random) -> Samples:
    """Dial, ring and busy tones: 425 Hz or so, on and off."""
    period_s = random.uniform(0.4, 4.0)
    on = (seconds(n) / period_s) % 1.0 < random.uniform(0.25, 0.6)
    return levelled(np.sin(2 * np.pi * random.uniform(350, 480) * seconds(n)) * on)


def dtmf(n: int, random: Random) -> Samples:
    """Telephone keys."""
    key_n = int(random.uniform(0.12, 0.4) * RATE_HZ)
    time = seconds(key_n)
    keys = []
    for _ in range(n // key_n + 1):
        row_hz, column_hz = random.choice(DTMF_ROWS_HZ), random.choice(DTMF_COLUMNS_HZ)
        pair = np.sin(2 * np.pi * row_hz * time) + np.sin(2 * np.pi * column_hz * time)
        keys.append(pair * (time < 0.6 * time[-1]))
    return levelled(np.concatenate(keys)[:n])


def engine(n: int, random: Random) -> Samples:
    """A motor: harmonics of its firing rate, which wanders, and exhaust noise."""
    hz = random.uniform(25, 90) * (0.8 + 0.4 * _swelling(n, random, 0.4))
    phase = 2 * np.pi * np.cumsum(hz) / RATE_HZ
    harmonics = sum(random.uniform(0.2, 1) / k * np.sin(k * phase) for k in range(1, 12))
    noise = band(pink(n, random), 80, 1500, 2) * (1 + np.sin(phase))
    return levelled(np.asarray(harmonics) * 0.2 + noise)


def fan(n: int, random: Random) -> Samples:
    """Air with a blade tone."""
    blade = np.sin(2 * np.pi * random.uniform(60, 180) * seconds(n)) * 0.05
    return levelled(band(pink(n, random), 100, 4000, 1) + blade, 0.2)


def birds(n: int, random: Random) -> Samples:
    """Chirps between 2 and 6 kHz."""
    samples = np.zeros(n + RATE_HZ, np.float32)
    for start in random.integers(0, n, max(int(n / RATE_HZ * 2), 1)):
        time = seconds(int(random.uniform(0.05, 0.3) * RATE_HZ))
        hz = random.uniform(2000, 5000) + random.uniform(-8000, 8000) * time
        chirp = np.sin(2 * np.pi * np.cumsum(hz) / RATE_HZ) * np.hanning(len(time))
        samples[start : start + len(time)] += chirp
    return levelled(samples[:n] + 0.001 * random.standard_normal(n), 0.3)


# ----------------------------------------------------------------------------- music


def _note(hz: float, n: int, random: Random, harmonics: int = 6) -> Samples:
    """A plucked note: harmonics that fade the faster the higher they are."""
    time = seconds(n)
    wave = sum(
        np.sin(2 * np.pi * hz * k * time + random.uniform(0, 6)) / k * np.exp(-time * (1 + k))
        for k in range(1, harmonics + 1)
    )
    attack = np.minimum(time / 0.01, 1)
    return np.asarray(wave * attack, np.float32)


def _pitch_hz(semitones: float) -> float:
    return float(220 * 2 ** (semitones / 12))


def melody(n: int, random: Random) -> Samples:
    """One instrument on a pentatonic scale."""
    samples, at = np.zeros(n + 2 * RATE_HZ, np.float32), 0
    while at < n:
        length = int(random.choice([0.2, 0.4, 0.8]) * RATE_HZ)
        note = _note(_pitch_hz(random.choice([0, 2, 4, 7, 9, 12, 14])), 2 * length, random)
        samples[at : at + len(note)] += note
        at += length
    return levelled(samples[:n])


def music(n: int, random: Random) -> Samples:
    """Chords, bass, a melody and drums."""
    bar = int(random.uniform(1.5, 2.5) * RATE_HZ)
    roots = [int(random.choice([0, 5, 7, -3])) for _ in range(n // bar + 1)]
    bars = []
    for root in roots:
        third = MINOR if root == -3 else MAJOR
        chord = sum(_note(_pitch_hz(root + step), bar, random) for step in third)
        bars.append(chord + 1.5 * _note(_pitch_hz(root - 24), bar, random, 3))
    chords = np.concatenate(bars)[:n]
    return levelled(chords + 1.5 * melody(n, random) + 0.8 * drums(n, random))


def pad(n: int, random: Random) -> Samples:
    """Slow strings: detuned saws behind a low-pass."""
    steps = random.choice([MAJOR, MINOR], axis=0)
    saws = [
        ((seconds(n) * _pitch_hz(step - 12) * detune) % 1.0) - 0.5
        for step in steps
        for detune in (0.995, 1.0, 1.005)
    ]
    strings = np.sum(saws, axis=0).astype(np.float32)
    return levelled(band(strings, 80, 1500, 2) * _swelling(n, random, 0.5, 0.3))


def bells(n: int, random: Random) -> Samples:
    """Inharmonic partials that ring for seconds."""
    samples = np.zeros(n + 6 * RATE_HZ, np.float32)
    for start in range(0, n, int(random.uniform(1, 3) * RATE_HZ)):
        time, hz = seconds(5 * RATE_HZ), random.uniform(250, 900)
        partials = (1.0, 2.0, 2.76, 5.4)
        ring = sum(np.sin(2 * np.pi * hz * p * time) * np.exp(-time * p) for p in partials)
        samples[start : start + len(time)] += np.asarray(ring, np.float32)
    return levelled(samples[:n])


# ------------------------------------------------------------------- voices without words


def crowd(n: int, random: Random) -> Samples:
    """A crowd without words: dozens of sustained vowels that glide, each with a pitch of its own.

    A pulse train behind two formants, in syllable rhythm; no consonants, so no words.
    """
    voices = [_vowels(n, random) for _ in range(24)]
    return levelled(np.sum(voices, axis=0) + 0.3 * band(pink(n, random), 200, 3000))


def _vowels(n: int, random: Random) -> Samples:
    hz = random.uniform(90, 260) * (0.85 + 0.3 * _swelling(n, random, 2.0))
    phase = np.cumsum(hz) / RATE_HZ
    pulses = (np.diff(np.floor(phase), prepend=0.0) > 0).astype(np.float32)
    first_hz, second_hz = random.uniform(300, 800), random.uniform(900, 2400)
    formants = band(pulses, first_hz * 0.85, first_hz * 1.15, 2)
    formants = formants + 0.5 * band(pulses, second_hz * 0.9, second_hz * 1.1, 2)
    return levelled(formants * _swelling(n, random, random.uniform(2, 5)))


#: What is no speech, by kind.
KINDS: Mapping[str, Generator] = {
    "white noise": coloured(0.0),
    "pink noise": pink,
    "brown noise": coloured(-2.0),
    "blue noise": coloured(1.0),
    "speech-shaped noise": speech_shaped,
    "hum 50 Hz": hum(50.0),
    "hum 60 Hz": hum(60.0),
    "steady tone": tone,
    "sweep": sweep,
    "telephone tones": beeps,
    "DTMF": dtmf,
    "clicks": clicks,
    "keyboard": keyboard,
    "knocks": knocks,
    "breath": breath,
    "wind": wind,
    "rain": rain,
    "applause": applause,
    "engine": engine,
    "fan": fan,
    "birds": birds,
    "drums": drums,
    "melody": melody,
    "music": music,
    "strings": pad,
    "bells": bells,
    "crowd without words": crowd,
    "silent room": room,
    "digital silence": silence,
}
