"""How loud each channel is, moment by moment, and how the channels of a recording go together."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Levels = npt.NDArray[np.float32]

#: Most channels that are told apart.
MOST_CHANNELS = 8

#: A moment, in seconds.
MOMENT_S = 0.02

# Levels below this are silence, in dB of full scale.
_FLOOR_DB = -120.0

# A moment counts as loud down to so many dB below the loudest ones.
_LOUD_RANGE_DB = 45.0

#: A channel leads where it is louder than all others by so much, in dB.
LEAD_DB = 10.0

# Below this level, and below the loudest channel by so much, there is nothing on a channel.
_DEAD_DB, _DEAD_RANGE_DB = -110.0, 60.0

#: One person a channel: the channels have less than this in common ...
MOST_CORRELATION = 0.3
#: ... in more than this share of the loud moments somebody leads ...
LEAST_LEADING = 0.6
#: ... and everybody leads in at least this share.
LEAST_SHARE = 0.05

# Steady noise is nobody: the level of a tenth of a second varies by more than this in speech, also
# where somebody never pauses (see `_mix`), and by about 1 dB in noise.
_STEADY_DB, _TENTH_MOMENTS = 3.0, 5


@dataclass(frozen=True, slots=True)
class ChannelFacts:
    """What is known of a recording's channels, numbered from 0.

    Attributes:
        live: those with any sound on them.
        correlation: the largest size of a correlation coefficient of two live ones.
        leading: the share of the loud moments in which each is louder than all others by `LEAD_DB`.
        peak: the largest size of a sample.
    """

    n_channels: int
    live: tuple[int, ...] = ()
    correlation: float = 0.0
    leading: tuple[float, ...] = ()
    peak: float = 0.0

    @property
    def are_one_person_each(self) -> bool:
        """True where two people or more have a live channel each, and hardly leak into others."""
        return (
            len(self.live) > 1
            and self.correlation < MOST_CORRELATION
            and sum(self.leading) > LEAST_LEADING
            and all(self.leading[channel] >= LEAST_SHARE for channel in self.live)
        )


class LevelMeter:
    """Measures channels from chunks of their samples, in order. 100 bytes a second and channel."""

    def __init__(self) -> None:
        self._levels: list[npt.NDArray[np.float16]] = []
        self._n_channels = self._n_samples = 0
        self._peak = 0.0
        self._products = np.zeros((0, 0))
        self._sums = np.zeros(0)

    def add(self, channels: Samples, rate_hz: int) -> None:
        """Take samples, shape (n_channels, n_samples). Another number of channels is left out."""
        if not self._n_channels:
            self._n_channels = len(channels)
            self._products = np.zeros((len(channels), len(channels)))
            self._sums = np.zeros(len(channels))
        if len(channels) != self._n_channels or not channels.shape[1]:
            return
        self._levels.append(levels_db(channels, round(MOMENT_S * rate_hz)).astype(np.float16))
        self._peak = max(self._peak, float(np.abs(channels).max()))
        self._products += channels @ channels.T
        self._sums += channels.sum(axis=1, dtype=np.float64)
        self._n_samples += channels.shape[1]

    def levels(self) -> Levels:
        """Of each channel in each moment, in dB of full scale: shape (n_channels, n_moments)."""
        if not self._levels:
            return np.zeros((self._n_channels, 0), np.float32)
        return np.concatenate(self._levels, axis=1).astype(np.float32)

    def facts(self) -> ChannelFacts:
        """What the channels are like, as far as they were heard."""
        levels = self.levels()
        if not levels.size:
            return ChannelFacts(self._n_channels)
        loudest = levels.max(axis=1)
        floor_db = max(_DEAD_DB, float(loudest.max()) - _DEAD_RANGE_DB)
        live = tuple(int(channel) for channel in np.flatnonzero(loudest > floor_db))
        return ChannelFacts(
            self._n_channels, live, self._correlation(live), leading(levels), self._peak
        )

    def _correlation(self, live: tuple[int, ...]) -> float:
        means = self._sums / max(1, self._n_samples)
        covariances = self._products / max(1, self._n_samples) - np.outer(means, means)
        deviations = np.sqrt(np.maximum(np.diag(covariances), 1e-20))
        matrix = np.abs(covariances / np.outer(deviations, deviations))
        pairs = [matrix[first, second] for first in live for second in live if first < second]
        return float(max(pairs, default=0.0))


def levels_db(channels: Samples, hop: int) -> Levels:
    """Mean power of each channel in every ``hop`` samples, in dB: (n_channels, n_hops)."""
    n_hops = channels.shape[1] // max(1, hop)
    hops = channels[:, : n_hops * hop].reshape(len(channels), n_hops, hop)
    powers = np.einsum("cnh,cnh->cn", hops, hops) / np.float32(hop)
    floor = math.pow(10.0, _FLOOR_DB / 10)
    return np.asarray(10 * np.log10(np.maximum(powers, floor)), np.float32)


def leading(levels: Levels) -> tuple[float, ...]:
    """The share of the loud moments in which each channel is the loudest by `LEAD_DB`."""
    if len(levels) < 2 or not levels.size:
        return (0.0,) * len(levels)
    ordered = np.sort(levels, axis=0)
    loud = ordered[-1] > float(ordered[-1].max()) - _LOUD_RANGE_DB
    leads = loud & (ordered[-1] - ordered[-2] > LEAD_DB)
    leader = levels.argmax(axis=0)
    return tuple(
        0.0 if _is_steady(own) else float((leader[leads] == n).sum() / loud.sum())
        for n, own in enumerate(levels)
    )


def _is_steady(levels: Levels) -> bool:
    n_tenths = len(levels) // _TENTH_MOMENTS
    powers = np.power(10.0, levels[: n_tenths * _TENTH_MOMENTS] / 10)
    tenths = powers.reshape(n_tenths, _TENTH_MOMENTS).mean(axis=1)
    return bool(n_tenths) and float(np.std(10 * np.log10(tenths))) < _STEADY_DB
