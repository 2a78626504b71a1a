"""Sounds with the levels of speech, and conversations of them with a channel for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RATE_HZ = 16_000


def voice(seconds: float, seed: int, pitch_hz: float = 150.0) -> np.ndarray:
    """Syllables and pauses of a buzz, as float32 of shape (n_samples,), peak 0.5."""
    rng = np.random.default_rng(seed)
    n_samples = round(seconds * RATE_HZ)
    envelope = np.zeros(n_samples)
    at = 0
    while at < n_samples:
        length = int(rng.uniform(0.08, 0.3) * RATE_HZ)
        end = min(n_samples, at + length)
        hump = np.sin(np.pi * np.arange(end - at) / length) ** 2
        envelope[at:end] = hump * 10 ** rng.uniform(-0.9, 0.0)
        at = end + int(rng.choice([0.01, 0.05, 0.25], p=[0.6, 0.3, 0.1]) * RATE_HZ)
    times = np.arange(n_samples) / RATE_HZ
    buzz = sum(np.sin(2 * np.pi * pitch_hz * k * times + k * seed) / k for k in range(1, 20))
    sound = envelope * (buzz + 0.2 * rng.standard_normal(n_samples))
    return np.asarray(0.5 * sound / np.abs(sound).max(), np.float32)


@dataclass(frozen=True)
class Conversation:
    """People on channels of their own.

    Attributes:
        dry: float32 (n_channels, n_samples), nobody on another's channel.
        turns: who speaks from when to when: channel, start, end in seconds.
    """

    dry: np.ndarray
    turns: tuple[tuple[int, float, float], ...]

    def speaking(self, channel: int, margin_s: float = 0.0) -> np.ndarray:
        """Where that one speaks, for every sample, wider by a margin."""
        mask = np.zeros(self.dry.shape[1], bool)
        for speaker, start_s, end_s in self.turns:
            if speaker == channel:
                first = max(0, round((start_s - margin_s) * RATE_HZ))
                mask[first : round((end_s + margin_s) * RATE_HZ)] = True
        return mask

    def recorded(
        self, leak_db: float | None = None, delay_s: float = 0.0, noise_db: float = -70.0
    ) -> np.ndarray:
        """As microphones hear it: everybody on all other channels too, fainter and later."""
        out = self.dry.copy()
        if leak_db is not None:
            later = round(delay_s * RATE_HZ)
            moved = np.pad(self.dry, ((0, 0), (later, 0)))[:, : self.dry.shape[1]]
            out += (moved.sum(axis=0) - moved) * np.float32(10 ** (leak_db / 20))
        noise = np.random.default_rng(7).standard_normal(out.shape)
        return np.asarray(out + noise * 10 ** (noise_db / 20), np.float32)


def conversation(
    n_turns: int = 8,
    n_people: int = 2,
    *,
    overlap_s: float = 0.0,
    shares: Sequence[float] = (),
    seed: int = 0,
) -> Conversation:
    """Turns of 2 to 4 s in rotation, each beginning ``overlap_s`` before the last one ends.

    ``shares`` are lengths of people's turns against the usual.
    """
    rng = np.random.default_rng(seed)
    turns, at = [], 0.5
    for n in range(n_turns):
        who = n % n_people
        length = rng.uniform(2.0, 4.0) * (shares[who] if shares else 1.0)
        turns.append((who, at, at + length))
        at += length + (0.4 if not overlap_s else -min(overlap_s, length / 2))
    dry = np.zeros((n_people, round((max(end for _, _, end in turns) + 0.5) * RATE_HZ)), np.float32)
    for n, (who, start_s, end_s) in enumerate(turns):
        sound = voice(end_s - start_s, 100 * seed + n, 110.0 + 45.0 * who)
        first = round(start_s * RATE_HZ)
        dry[who, first : first + len(sound)] += sound
    return Conversation(dry, tuple(turns))


def int16(channels: np.ndarray) -> np.ndarray:
    """For a WAV: int16 of shape (n_samples, n_channels)."""
    return np.asarray(np.clip(channels.T * 32767, -32768, 32767), np.int16)
