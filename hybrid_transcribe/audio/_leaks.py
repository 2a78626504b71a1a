"""Voices that leak from one channel into another: found from levels, and shut out.

A person who speaks into one microphone, or on one end of a line, is often heard on the other
channel too, fainter and perhaps a little later. In the moments in which somebody is loud on one
channel, the level of the other then follows at a constant distance: that is how a leak is told from
somebody else who speaks at the same time. A channel is shut where a leak explains all that is on
it, so that of two who speak at once both stay.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.float32]
Samples = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# How much later than the voice its leak may be, in moments of 20 ms; it may be a little earlier
# where clocks of devices differ.
_LAGS = range(-2, 26)

# A voice is loud down to so many dB below its own loudest hundredth; its leak is measured there,
# and its likeness in a wider range.
_LOUD_DB, _ALIKE_DB = 22.0, 32.0

# As loud as the other channel, or nearly.
_NEARLY_DB = 3.0

# The level of a leak is that of so much of these moments: in the others somebody speaks there too.
_LEAK_PERCENTILE = 20.0

# Fewer loud moments than a second of them tell nothing, and more than these no more.
_LEAST_MOMENTS, _MOST_MOMENTS = 50, 20_000

# Correlation of the levels (dB) of a voice and of the channel on which it is the louder one.
# Leaks: 0.77 to 1.0 (10 conversations, -6 to -20 dB, delays to 0.4 s, rooms). None: up to 0.13 in
# conversations, 0.26 to 0.70 where two talk all the time.
_LEAST_LIKENESS = 0.65

# Leaks vary with the room and with what is said: what is louder than a leak by less is still one.
_MARGIN_DB = 8.0

# However loud leaks between two channels are, what is nearly as loud as the voice is no leak.
_MOST_DB = -2.0

# A channel that repeats another one as loud as that, and not the other way round, is a mix of
# several: what it holds is on the others.
_MIX_DB, _MIX_MARGIN_DB = -5.0, 4.0

# Copies: the distance of their levels, over a tenth of a second each, varies by less than this.
# Two people who are heard on the other channel 3 dB fainter make it 6 dB.
_COPY_SPREAD_DB, _SMOOTH_MOMENTS = 6.5, 5

# A leak dies away: it is expected so many moments on, fainter by so much with each.
_TAIL_MOMENTS, _TAIL_DB = 15, 1.0

# Nor is it somebody who is hardly louder than the quiet tenth of a channel's moments.
_QUIET_PERCENTILE, _NOISE_DB = 10.0, 5.0

# A channel is open where so many of so many moments are louder than its leaks.
_VOTES, _OF_MOMENTS = 3, 5

# Words begin and end softly: it stays open so many moments before and after.
_BEFORE, _AFTER = 8, 10

# The level of nothing at all, in dB.
_NOTHING_DB = -200.0

# Doors open within so many samples: a step would be heard as a click.
_RAMP = 160


@dataclass(frozen=True, slots=True)
class Leak:
    """The voice of channel ``source`` on another one, ``channel``.

    ``gain_db`` is how loud it is there against the voice itself, ``lag`` how much later, in
    moments. ``is_mix``: the channel is a mix of several others.
    """

    channel: int
    source: int
    gain_db: float
    lag: int = 0
    is_mix: bool = False

    @property
    def limit_db(self) -> float:
        """What is louder than this against the voice is somebody else."""
        if self.is_mix:
            return self.gain_db + _MIX_MARGIN_DB
        return min(self.gain_db + _MARGIN_DB, _MOST_DB)


def distinct(levels: Levels, live: Iterable[int]) -> tuple[int, ...]:
    """The channels without those that are copies of an earlier one, perhaps at another level.

    A mono recording in two channels, a stereo microphone, one microphone on two tracks.
    """
    kernel = np.ones(_SMOOTH_MOMENTS, np.float32) / _SMOOTH_MOMENTS
    powers = {c: np.convolve(np.power(10.0, levels[c] / 10), kernel, "same") for c in live}
    smooth = {c: np.asarray(10 * np.log10(powers[c] + 1e-12), np.float32) for c in powers}
    chosen: list[int] = []
    for channel in smooth:
        if not any(_is_copy(smooth[channel], smooth[other]) for other in chosen):
            chosen.append(channel)
    return tuple(chosen)


def _is_copy(levels: Levels, source: Levels) -> bool:
    louder = np.maximum(levels, source)
    at = _thinned(np.flatnonzero(louder > float(np.percentile(louder, 99)) - _LOUD_DB))
    spreads = []
    for lag in _LAGS:
        inside = _inside(at, lag, len(levels))
        if len(inside) >= _LEAST_MOMENTS:
            low, high = np.percentile(levels[inside + lag] - source[inside], (5, 95))
            spreads.append(float(high - low))
    return bool(spreads) and min(spreads) < _COPY_SPREAD_DB


def find_leaks(levels: Levels, live: Iterable[int]) -> tuple[Leak, ...]:
    """The leaks between channels; ``levels`` (dB) are those of a whole recording."""
    channels = tuple(live)
    pairs = ((c, s) for c in channels for s in channels if c != s)
    every = (_leak(levels[c], levels[s], c, s) for c, s in pairs)
    leaks = {(leak.channel, leak.source): leak for leak in every if leak is not None}
    return tuple(
        replace(leak, is_mix=leak.gain_db > _MIX_DB and (source, channel) not in leaks)
        for (channel, source), leak in leaks.items()
    )


def _leak(levels: Levels, source: Levels, channel: int, source_channel: int) -> Leak | None:
    if not source.size:
        return None
    loudest = float(np.percentile(source, 99))
    # Not what leaks the other way.
    leads = source > levels - _NEARLY_DB
    at = _thinned(np.flatnonzero(leads & (source > loudest - _LOUD_DB)))
    if len(at) < _LEAST_MOMENTS:
        return None
    gains = [_gain_db(levels, source, at, lag) for lag in _LAGS]
    best = int(np.argmax(gains))
    wide = _thinned(np.flatnonzero(leads & (source > loudest - _ALIKE_DB)))
    if _likeness(levels, source, wide, _LAGS[best]) < _LEAST_LIKENESS:
        return None
    return Leak(channel, source_channel, float(gains[best]), _LAGS[best])


def _thinned(at: npt.NDArray[np.intp]) -> npt.NDArray[np.intp]:
    return at[:: max(1, len(at) // _MOST_MOMENTS)]


def _inside(at: npt.NDArray[np.intp], lag: int, n_moments: int) -> npt.NDArray[np.intp]:
    return at[(at + lag >= 0) & (at + lag < n_moments)]


def _gain_db(levels: Levels, source: Levels, at: npt.NDArray[np.intp], lag: int) -> float:
    at = _inside(at, lag, len(levels))
    return float(np.percentile(levels[at + lag] - source[at], _LEAK_PERCENTILE))


def _likeness(levels: Levels, source: Levels, at: npt.NDArray[np.intp], lag: int) -> float:
    """How much a channel's level goes with the source's where the source is the louder one."""
    at = _inside(at, lag, len(levels))
    at = at[levels[at + lag] < source[at]]
    if len(at) < _LEAST_MOMENTS:
        return 0.0
    own, other = levels[at + lag], source[at]
    spread = float(own.std() * other.std())
    return float(((own - own.mean()) * (other - other.mean())).mean()) / spread if spread else 0.0


def open_moments(levels: Levels, leaks: Iterable[Leak]) -> Mask:
    """Where each channel holds more than leaks: shape (n_channels, n_moments)."""
    doors = np.ones(levels.shape, np.bool_)
    by_channel: dict[int, list[Leak]] = {}
    if not levels.size:
        return doors
    for leak in leaks:
        by_channel.setdefault(leak.channel, []).append(leak)
    # What leaked into a channel does not leak back: a voice would shut out its own faint ends.
    own = levels.copy()
    for channel, into in by_channel.items():
        own[channel][levels[channel] <= _explained(levels, into)] = _NOTHING_DB
    for channel, into in by_channel.items():
        noise = np.float32(np.percentile(levels[channel], _QUIET_PERCENTILE) + _NOISE_DB)
        doors[channel] = _steady(levels[channel] > np.maximum(_explained(own, into), noise))
    return doors


def _explained(levels: Levels, leaks: Iterable[Leak]) -> Levels:
    """The level up to which leaks explain what is on their channel, in dB."""
    return np.asarray(np.max([_expected(levels[leak.source], leak) for leak in leaks], axis=0))


def _expected(source: Levels, leak: Leak) -> Levels:
    """The same for one leak."""
    arrived = _shifted(source, leak.lag)
    highest = arrived.copy()
    for later in range(1, _TAIL_MOMENTS + 1):
        np.maximum(highest, _shifted(arrived, later) - later * _TAIL_DB, out=highest)
    for earlier in (1, 2):
        np.maximum(highest, _shifted(arrived, -earlier), out=highest)
    return np.asarray(highest + np.float32(leak.limit_db))


def _shifted(values: Levels, by: int) -> Levels:
    """The same, so many moments later; silence where nothing is known."""
    out = np.full_like(values, _NOTHING_DB)
    if abs(by) >= len(values):
        return out
    if by >= 0:
        out[by:] = values[: len(values) - by]
    else:
        out[:by] = values[-by:]
    return out


def _steady(louder: Mask) -> Mask:
    """Without what lasts a moment only, and open a little before and after."""
    around = _OF_MOMENTS // 2
    votes = _counts(np.pad(louder, around, mode="edge"), around, around)[around:-around]
    return _counts(louder & (votes >= _VOTES), _AFTER, _BEFORE) > 0


def _counts(mask: Mask, back: int, ahead: int) -> npt.NDArray[np.int64]:
    """How many are true from ``back`` moments before each to ``ahead`` moments after it."""
    sums = np.concatenate([[0], np.cumsum(mask)])
    at = np.arange(len(mask))
    ends = np.minimum(len(mask), at + ahead + 1)
    return np.asarray(sums[ends] - sums[np.maximum(0, at - back)])


def shut(samples: Samples, doors: Mask, hop: int) -> Samples:
    """One channel's samples with silence where it is shut; ``doors``: one for every ``hop``."""
    if doors.all():
        return samples
    factors = np.repeat(doors.astype(np.float32), hop)[: len(samples)]
    tail = np.full(len(samples) - len(factors), factors[-1] if len(factors) else 1.0, np.float32)
    factors = np.concatenate([factors, tail])
    sums = np.concatenate([[0.0], np.cumsum(factors, dtype=np.float64)])
    at = np.arange(len(factors))
    ends = np.minimum(len(factors), at + _RAMP // 2)
    starts = np.maximum(0, at - _RAMP // 2)
    ramps = (sums[ends] - sums[starts]) / np.maximum(1, ends - starts)
    return np.asarray(samples * ramps, np.float32)
