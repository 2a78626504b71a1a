"""How the channels of a recording become one, so that everything said on any of them is heard.

As long as all is well, libswresample's own way is taken (`Mix` None): what faster-whisper and
openai-whisper do, to the sample. It loses sound in four cases, which are looked for here: a
channel that is the other one upside down, a dead channel, channels that no mask gives a place
(the fourth of six is then no LFE), and float samples far below or above full scale.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame

from hybrid_transcribe.audio._levels import MOST_CHANNELS, LevelMeter

Samples = npt.NDArray[np.float32]

# Two steps of 16 bits: a channel that peaks no higher is dead. So is one 60 dB below the
# loudest: a disconnected input, with what its neighbour's cable leaks into it.
_DEAD_PEAK = 2 / 32768
_DEAD_SHARE = 1e-3

# Correlation with the loudest channel below which a channel is upside down. Microphones apart
# stay above -0.5 over seconds; a mis-wired cable is at -1, less some noise.
_INVERTED = -0.8

# From so many samples on, every fourth tells as much of a channel, in a quarter of the time.
_THINNED = 8192

# A group with this share of the energy of those before it tells how channels go together.
_LOUD_SHARE = 0.1

# Groups of some seconds: sums forget by this factor, so that a change is followed in half a minute.
_FORGET = 0.8

# 16 bits hold peaks down to here (-54 dB of full scale, 65 steps) well enough; below the second
# figure (-120 dB) is the dither of 20 bits and more, not sound.
_QUIET_PEAK, _NOTHING_PEAK = 0.002, 1e-6

# Decoders of lossy formats pass full scale by up to 3 dB, and nobody hears that cut off.
_LOUD_PEAK = 1.5

# Peaks of a recording that was levelled.
_LEVEL_PEAK = 0.5

# Of a group's samples this share may lie above its peak: clicks are no level.
_CLICKS = 1e-3

# Float samples beyond this are damage.
_ABSURD_PEAK = 1e4

# The level of a tenth of a second varies by more than 4 dB in speech (131 clips, most above 4.4),
# by 1.2 dB in room noise, and hardly in the hum of a broken cable. Over less than a second
# nobody can tell, nor where the other channel is below -60 dB.
_SPEECH_SPREAD_DB, _HUM_SPREAD_DB, _LEAST_TENTHS, _LEAST_SPEECH = 4.0, 1.0, 10, 1e-6

#: Formats that hold no more than 16 bits do: nothing to level.
_PLAIN_FORMATS = frozenset(("u8", "u8p", "s16", "s16p"))

# As libswresample weighs them (ITU-R BS.775), where a mask gives channels their places.
_WEIGHTS = {"FL": 0.707, "FR": 0.707, "FC": 1.0, "LFE": 0.0, "LFE2": 0.0}
_OTHER_WEIGHT = 0.5

_UNNAMED = re.compile(r"\d+ channels")


@dataclass(frozen=True, slots=True)
class Mix:
    """One factor for each channel; their sum is the sound."""

    factors: tuple[float, ...]

    def apply(self, frame: AudioFrame) -> AudioFrame:
        """The frame mixed, as mono float samples."""
        channels = as_channels(frame)
        factors = np.asarray(self.factors, np.float32)
        mono = AudioFrame.from_ndarray(
            np.clip(factors @ channels, -1.0, 1.0)[None, :], format="flt", layout="mono"
        )
        mono.sample_rate = frame.sample_rate
        mono.pts = None
        return mono


def as_channels(frame: AudioFrame) -> Samples:
    """A frame's samples as float32 in about [-1, 1], shape (n_channels, n_samples), all finite."""
    channels = _raw_channels(frame)
    return channels if _peak(channels) < math.inf else _finite(channels)


def _raw_channels(frame: AudioFrame) -> Samples:
    data = frame.to_ndarray()
    values = data if frame.format.is_planar else data.reshape(frame.samples, -1).T
    with np.errstate(over="ignore"):
        channels: Samples = values.astype(np.float32, copy=False)
    if values.dtype == np.uint8:
        channels = channels / np.float32(128) - np.float32(1)
    elif values.dtype.kind == "i":
        channels = channels / np.float32(-float(np.iinfo(values.dtype).min))
    return channels


def _finite(channels: Samples) -> Samples:
    return np.nan_to_num(channels, nan=0.0, posinf=0.0, neginf=0.0)


def _peak(channels: Samples) -> float:
    """The largest size of a sample; infinite where some are no numbers."""
    peak = max(float(channels.max(initial=0.0)), -float(channels.min(initial=0.0)))
    return peak if math.isfinite(peak) else math.inf


class Mixer:
    """Decides how to mix, from groups of frames of one shape in their order.

    Attributes:
        is_inverted: in the group observed last a channel is upside down.
        gain: by how much the recording is levelled, 1 where it is not.
        highest_gain, lowest_gain: of all groups so far.
        known_to_swr: libswresample has a way from this layout to mono.

    ``meter`` measures the channels where each may be one person: not where a mask gives them their
    places, as in films.
    """

    def __init__(self, frame: AudioFrame, meter: LevelMeter | None = None) -> None:
        self.is_inverted = False
        self.gain = self.highest_gain = self.lowest_gain = 1.0
        self.known_to_swr = True
        self._names = [channel.name for channel in frame.layout.channels]
        self._count = frame.layout.nb_channels
        self._rate_hz = frame.sample_rate
        self._placed = not _UNNAMED.fullmatch(frame.layout.name) or self._count <= 2
        may_be_people = self._count == 2 or (not self._placed and self._count <= MOST_CHANNELS)
        self._meter = meter if may_be_people else None
        self._levels = frame.format.name not in _PLAIN_FORMATS
        self._peaks = np.zeros(self._count, np.float32)
        self._loudest_peak = 0.0
        self._products = self._recent = np.zeros((self._count, self._count))
        self._hums = np.zeros(self._count, np.bool_)
        self._levelled = False
        self._sound = True

    @property
    def watches(self) -> bool:
        """Is there anything to decide? Not over one channel of 16 bits."""
        return self._count > 1 or self._levels

    def observe(self, frame: AudioFrame) -> None:
        """Look at a group of samples, which `mix` is then for."""
        if not self.watches:
            return
        channels = _raw_channels(frame)
        peak = _peak(channels) if self._levels else 0.0
        # Samples beyond that are damage: converting them to integers is not defined.
        self._sound = peak < _ABSURD_PEAK
        if peak == math.inf:
            channels = _finite(channels)
        if not self._sound:
            channels = np.clip(channels, -1.0, 1.0)
        loudest = _loudness(channels, peak)
        self._loudest_peak = max(self._loudest_peak, loudest)
        if self._levelled or loudest > _LOUD_PEAK:
            self._soften(loudest)
        if self._count > 1:
            thinned = channels.shape[1] >= _THINNED
            if thinned:
                channels = channels[:, ::4]
            means = channels.mean(axis=1, keepdims=True, dtype=np.float64)
            channels = channels - means.astype(np.float32)
            if self._meter is not None:
                self._meter.add(channels, self._rate_hz // (4 if thinned else 1))
            peaks = np.maximum(channels.max(axis=1), -channels.min(axis=1))
            self._peaks = np.maximum(self._peaks, peaks)
            products = channels @ channels.T
            self._products = _FORGET * self._products + products
            # What a wire does now counts, unless nobody speaks now.
            loud = np.trace(products) > _LOUD_SHARE * np.trace(self._products)
            self._recent = products if loud else self._products
            self._hums = _hums(channels, frame.sample_rate // (40 if thinned else 10))

    @property
    def too_quiet_to_tell(self) -> bool:
        """So far nothing is louder than what 16 bits lose: `level` decides once all is known."""
        return self._levels and not self._levelled and self._loudest_peak < _QUIET_PEAK

    def level(self) -> None:
        """Make a recording louder that has been too quiet all along."""
        if self.too_quiet_to_tell and self._loudest_peak > _NOTHING_PEAK:
            self.gain = self.highest_gain = _LEVEL_PEAK / self._loudest_peak
        self._levelled = True

    def mix(self) -> Mix | None:
        """How to mix the group observed last; None leaves it to libswresample."""
        if self._count == 1:
            plain = self.gain == 1.0 and self._sound and self.known_to_swr
            return None if plain else Mix((self.gain,))
        energies = np.where(self._hums, 0.0, np.diag(self._products))
        # The first of those that are about as loud as any: always the same one.
        reference = int(np.argmax(energies >= 0.5 * energies.max()))
        alive = self._alive(energies)
        signs = self._signs(reference, alive)
        self.is_inverted = bool((signs < 0).any())
        plain = bool(alive.all() or not alive.any()) and bool((signs > 0).all())
        if plain and self._placed and self.gain == 1.0 and self._sound and self.known_to_swr:
            return None
        return Mix(tuple(self._factors(alive, signs, energies, reference)))

    def _soften(self, loudest: float) -> None:
        """Never up again: a step in level is heard by nobody, pumping is."""
        if loudest * self.gain > _LOUD_PEAK:
            self.gain = 0.9 / min(loudest, _ABSURD_PEAK)
            self.lowest_gain = min(self.lowest_gain, self.gain)

    def _alive(self, energies: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        floor = _DEAD_PEAK / max(1.0, self.gain)
        alive = self._peaks > max(floor, _DEAD_SHARE * float(self._peaks.max()))
        return np.asarray(alive & (energies > 0))

    def _signs(self, reference: int, alive: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        energies = np.diag(self._recent)
        norms = np.sqrt(energies * energies[reference])
        products = self._recent[reference]
        against = alive & (products < _INVERTED * norms)
        return np.where(against, -1.0, 1.0)

    def _factors(
        self,
        alive: npt.NDArray[np.bool_],
        signs: npt.NDArray[np.float64],
        energies: npt.NDArray[np.float64],
        reference: int,
    ) -> npt.NDArray[np.float64]:
        weights = np.ones(self._count)
        if self._placed and self._count > 2:
            weights = np.array([_WEIGHTS.get(name, _OTHER_WEIGHT) for name in self._names])
        if alive.any():
            weights = np.where(alive, weights, 0.0)
        if not weights.any():
            weights[reference] = 1.0  # Everything is on the LFE: then that is the sound.
        factors = signs * weights / weights.sum()
        return np.asarray(factors * self.gain * self._make_up(factors, energies))

    def _make_up(
        self, factors: npt.NDArray[np.float64], energies: npt.NDArray[np.float64]
    ) -> float:
        """What brings the mean of many tracks back to the level of the loudest of them.

        One of ten microphones is spoken into, and a tenth of it would be left.
        """
        mixed = float(factors @ self._products @ factors)
        if self._count <= 2 or self._placed or mixed <= 0.0:
            return 1.0
        gain = math.sqrt(float(energies.max()) / mixed)
        return min(max(gain, 1.0), float(self._count))


def _hums(channels: Samples, hop: int) -> npt.NDArray[np.bool_]:
    """Channels of steady noise, as loud as the speech that is on another; ``hop``: a tenth of a
    second, in samples."""
    n_hops = channels.shape[1] // max(1, hop)
    if n_hops < _LEAST_TENTHS:
        return np.zeros(len(channels), np.bool_)
    tenths = channels[:, : n_hops * hop].reshape(len(channels), n_hops, hop)
    powers = np.square(tenths).mean(axis=2) + np.float32(1e-10)
    spread_db = (10 * np.log10(powers)).std(axis=1)
    power = powers.mean(axis=1)
    speech = power[spread_db > _SPEECH_SPREAD_DB].max(initial=0.0)
    return np.asarray(
        (speech > _LEAST_SPEECH) & (spread_db < _HUM_SPREAD_DB) & (power > 0.25 * speech)
    )


def _loudness(channels: Samples, peak: float) -> float:
    """The peak, without clicks where it lies outside of what is usual."""
    if _QUIET_PEAK <= peak <= _LOUD_PEAK or peak == 0.0:
        return peak
    sizes = np.abs(channels).max(axis=0)
    kept = len(sizes) - 1 - min(len(sizes) - 1, int(_CLICKS * len(sizes)))
    return float(np.partition(sizes, kept)[kept])
