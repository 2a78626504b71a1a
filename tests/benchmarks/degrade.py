"""Recordings as they come from telephones, bad rooms and small files, made from clean ones.

Each condition turns clean speech (float32, mono, 16 kHz) into what a file would hold. Codecs are
those of the ffmpeg and sox programs of this machine; a condition whose program or encoder is
missing says so and is left out.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
import wave
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks import sounds
from tests.benchmarks.sounds import Random, Samples, rms

#: Part of a cached result's key: to be raised with every change of what a condition does.
VERSION = 1

TELEPHONE_HZ = 8_000


@dataclass(frozen=True, slots=True)
class Sound:
    """What a file holds: ``samples`` of shape (n,) or (n, channels)."""

    samples: Samples
    rate_hz: int = RATE_HZ


#: Makes it from the clean clip, a seeded generator and other speakers' clips (for babble).
Degrade = Callable[[Samples, Random, Sequence[Samples]], Sound]


@dataclass(frozen=True, slots=True)
class Condition:
    """A degradation, and the encoder of ffmpeg or the program that it needs."""

    degrade: Degrade
    encoder: str | None = None
    program: str | None = None

    def missing(self) -> str | None:
        """Why it cannot be made here; None where it can."""
        if self.program and not shutil.which(self.program):
            return f"{self.program} is not installed"
        if self.encoder and self.encoder not in _encoders():
            return f"the ffmpeg here has no encoder {self.encoder}"
        return None


def seeded(*names: str) -> Random:
    """A generator that depends on names alone."""
    return np.random.default_rng(zlib.crc32("\0".join(names).encode()))


def write(path: Path, sound: Sound) -> None:
    """A 16-bit WAV."""
    channels = 1 if sound.samples.ndim == 1 else sound.samples.shape[1]
    whole = np.clip(np.round(sound.samples * 32767), -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(sound.rate_hz)
        file.writeframes(whole.tobytes())


def read(path: Path) -> Sound:
    """A 16-bit mono WAV."""
    with wave.open(str(path), "rb") as file:
        whole = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        return Sound((whole / 32768).astype(np.float32), file.getframerate())


# ------------------------------------------------------------------------------ programs


@functools.cache
def _encoders() -> frozenset[str]:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return frozenset()
    answer = subprocess.run([ffmpeg, "-hide_banner", "-encoders"], capture_output=True, text=True)
    lines = (line.split() for line in answer.stdout.splitlines())
    return frozenset(parts[1] for parts in lines if len(parts) > 1)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)


def _encoded(
    samples: Samples, name: str, rate_hz: int, encoding: Sequence[str], program: str = "ffmpeg"
) -> Sound:
    """Through an encoder into a file called ``name`` and back, at ``rate_hz``."""
    with tempfile.TemporaryDirectory(prefix="degrade-") as folder:
        clean, coded, plain = (Path(folder) / file for file in ("in.wav", name, "out.wav"))
        write(clean, Sound(samples))
        if program == "sox":
            _run("sox", "-D", str(clean), "-r", str(rate_hz), "-c", "1", *encoding, str(coded))
            _run("sox", "-D", str(coded), "-b", "16", "-e", "signed-integer", str(plain))
            return read(plain)
        ffmpeg = ("ffmpeg", "-nostdin", "-v", "error", "-y", "-i")
        _run(*ffmpeg, str(clean), "-ar", str(rate_hz), *encoding, str(coded))
        _run(*ffmpeg, str(coded), "-ar", str(rate_hz), "-c:a", "pcm_s16le", str(plain))
        return read(plain)


def _codec(
    name: str, rate_hz: int, *encoding: str, encoder: str | None = None, program: str = "ffmpeg"
) -> Condition:
    return Condition(
        lambda samples, random, others: _encoded(samples, name, rate_hz, encoding, program),
        encoder,
        program,
    )


def _filtered(graph: str) -> Condition:
    """Through a filter graph of ffmpeg."""
    return _codec("filtered.wav", RATE_HZ, "-af", graph)


# ---------------------------------------------------------------------------- conditions


def _clean(samples: Samples, random: Random, others: Sequence[Samples]) -> Sound:
    return Sound(samples)


def _telephone(samples: Samples, random: Random, others: Sequence[Samples]) -> Sound:
    """300 to 3,400 Hz, hiss of 0.0015 rms at peak 0.7, 8 kHz in mu-law."""
    line = sounds.levelled(sounds.band(samples, 300, 3400), 0.7)
    hiss = 0.0015 * random.standard_normal(len(line)).astype(np.float32)
    return _encoded(line + hiss, "line.wav", TELEPHONE_HZ, ("-c:a", "pcm_mulaw"))


def _quiet(samples: Samples, random: Random, others: Sequence[Samples]) -> Sound:
    """-50 dBFS rms."""
    return Sound(samples * np.float32(10 ** (-50 / 20) / max(rms(samples), 1e-9)))


def _clipped(samples: Samples, random: Random, others: Sequence[Samples]) -> Sound:
    """15 dB above full scale."""
    return Sound(np.clip(sounds.levelled(samples, 10 ** (15 / 20)), -1, 1))


def mixed(samples: Samples, noise: Samples, snr_db: float) -> Samples:
    """Speech and noise at a ratio of their rms; peak 0.9 at most."""
    gain = rms(samples) / max(rms(noise), 1e-9) * 10 ** (-snr_db / 20)
    both = samples + np.float32(gain) * noise
    return sounds.levelled(both, 0.9) if np.abs(both).max() > 0.9 else both


def _noisy(snr_db: float, generator: sounds.Generator) -> Condition:
    return Condition(
        lambda samples, random, others: Sound(
            mixed(samples, generator(len(samples), random), snr_db)
        )
    )


def _babble(samples: Samples, random: Random, others: Sequence[Samples]) -> Sound:
    """Six other readers at once, 10 dB below."""
    chosen = random.choice(len(others), min(6, len(others)), replace=False)
    voices = [np.resize(others[i] / max(rms(others[i]), 1e-9), len(samples)) for i in chosen]
    return Sound(mixed(samples, np.sum(voices, axis=0).astype(np.float32), 10))


def _reverberant(rt60_s: float) -> Condition:
    """A room: the direct sound, and noise of the same energy that decays by 60 dB in ``rt60_s``."""

    def degrade(samples: Samples, random: Random, others: Sequence[Samples]) -> Sound:
        n = int(rt60_s * RATE_HZ)
        tail = random.standard_normal(n) * 10 ** (-3 * np.arange(n) / n)
        # The first reflection comes after 5 ms.
        tail[: RATE_HZ // 200] = 0
        response = tail / np.sqrt(np.sum(tail**2))
        response[0] = 1.0
        size = len(samples) + n
        echo = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)
        return Sound(sounds.levelled(echo[: len(samples) + n // 2], 0.7))

    return Condition(degrade)


def _one_ear(samples: Samples, random: Random, others: Sequence[Samples]) -> Sound:
    """Stereo with speech on the left and a room's noise on the right."""
    return Sound(np.stack([samples, sounds.room(len(samples), random)], axis=1))


def _pitched(semitones: float) -> Condition:
    """Higher or lower at the same tempo."""
    ratio = 2 ** (semitones / 12)
    return _filtered(
        f"asetrate={round(RATE_HZ * ratio)},aresample={RATE_HZ},atempo={1 / ratio:.6f}"
    )


CONDITIONS: Mapping[str, Condition] = {
    "clean": Condition(_clean),
    "telephone": Condition(_telephone, "pcm_mulaw", "ffmpeg"),
    "mu-law": _codec("m.wav", TELEPHONE_HZ, "-c:a", "pcm_mulaw", encoder="pcm_mulaw"),
    "A-law": _codec("a.wav", TELEPHONE_HZ, "-c:a", "pcm_alaw", encoder="pcm_alaw"),
    "GSM": _codec("g.gsm", TELEPHONE_HZ, "-c:a", "libgsm", encoder="libgsm"),
    "AMR-NB": _codec("n.amr-nb", TELEPHONE_HZ, program="sox"),
    "Opus 6 kb/s": _codec(
        "o.opus", RATE_HZ, *"-c:a libopus -b:a 6k -application voip".split(), encoder="libopus"
    ),
    "Opus 12 kb/s": _codec(
        "o.opus", RATE_HZ, *"-c:a libopus -b:a 12k -application voip".split(), encoder="libopus"
    ),
    "MP3 16 kb/s": _codec(
        "m.mp3", RATE_HZ, *"-c:a libmp3lame -b:a 16k".split(), encoder="libmp3lame"
    ),
    "-50 dBFS": Condition(_quiet),
    "clipped +15 dB": Condition(_clipped),
    "pink noise 10 dB": _noisy(10, sounds.pink),
    "pink noise 5 dB": _noisy(5, sounds.pink),
    "babble 10 dB": Condition(_babble),
    "reverberation 0.6 s": _reverberant(0.6),
    "reverberation 1.2 s": _reverberant(1.2),
    "music 10 dB": _noisy(10, sounds.music),
    "speed 0.85": _filtered("atempo=0.85"),
    "speed 1.2": _filtered("atempo=1.2"),
    "pitch -4": _pitched(-4),
    "pitch +4": _pitched(+4),
    "one ear": Condition(_one_ear),
}
