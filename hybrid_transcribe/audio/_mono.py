"""Frames of any rate, format and layout into int16, mono, 16 kHz.

By libswresample through 16 bits, exactly as faster-whisper and openai-whisper do: the same
samples go into a model, so the same text comes out. `_mix` says when another way is better.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import av
import numpy as np
import numpy.typing as npt
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from hybrid_transcribe.audio._clock import Silence
from hybrid_transcribe.audio._levels import LevelMeter
from hybrid_transcribe.audio._mix import Mix, Mixer
from hybrid_transcribe.audio._sandbox import check_shape
from hybrid_transcribe.audio.report import DecodeReport
from hybrid_transcribe.types import RATE_HZ

Chunk = npt.NDArray[np.int16]

# Frames are resampled in groups of so many samples: one by one costs half as much again.
_GROUP = 131_072

# With many channels a group is shorter, so that it takes no more than some megabytes.
_GROUP_VALUES = 8 * _GROUP

# So much that is too quiet for 16 bits is held back until something louder comes, in values of
# at most four bytes: three minutes of stereo at 48 kHz.
_HELD_VALUES = 16 * 2**20

# Silence comes in pieces, as everything does.
_SILENCE_S = 10.0

# An inversion over less than this share of the recording is a coincidence.
_INVERTED_SHARE = 0.1


class Mono:
    """One recording's way to mono. Raises UnsafeInput for a rate or layout beyond the limits."""

    def __init__(self, display_name: str, report: DecodeReport) -> None:
        self._display_name, self._report = display_name, report
        self._n_samples = self._n_inverted = 0
        self._highest_gain = self._lowest_gain = 1.0
        self._meter = LevelMeter() if report.offers_channels else None

    def samples(self, items: Iterable[AudioFrame | Silence]) -> Iterator[Chunk]:
        """The samples of frames and of the silence between them, in chunks of (n_samples,)."""
        shape = None
        path: _Path | None = None
        for item in items:
            if isinstance(item, Silence):
                if path is not None:
                    yield from path.pause(item)
                continue
            item.pts = None  # They follow each other now, whatever their time stamps say.
            layout = item.layout
            now = (item.sample_rate, layout.nb_channels, layout.name, item.format.name)
            if now != shape or path is None:
                # The first frame, or a change in mid-stream, which the buffer cannot take: it
                # does not notice every one, and then writes where it should not.
                yield from self._end(path)
                check_shape(item.sample_rate, layout.nb_channels, self._display_name)
                path, shape = _Path(item, self._meter), now
            yield from path.write(item)
        yield from self._end(path)
        self._say()

    def _end(self, path: _Path | None) -> Iterator[Chunk]:
        if path is None:
            return
        yield from path.finish()
        self._n_samples += path.n_samples
        self._n_inverted += path.n_inverted
        self._highest_gain = max(self._highest_gain, path.mixer.highest_gain)
        self._lowest_gain = min(self._lowest_gain, path.mixer.lowest_gain)

    def _say(self) -> None:
        if self._meter is not None and self._meter.facts().are_one_person_each:
            self._report.one_person_each()
        if self._n_inverted > _INVERTED_SHARE * self._n_samples:
            self._report.inverted()
        if self._highest_gain > 1.0:
            self._report.louder(20 * math.log10(self._highest_gain))
        if self._lowest_gain < 1.0:
            self._report.quieter(-20 * math.log10(self._lowest_gain))


class _Path:
    """Groups, mixes and resamples frames of one shape."""

    def __init__(self, frame: AudioFrame, meter: LevelMeter | None) -> None:
        self.mixer = Mixer(frame, meter)
        self.n_samples = self.n_inverted = 0
        channels = max(1, frame.layout.nb_channels)
        self._group = min(_GROUP, _GROUP_VALUES // channels)
        self._most_held = _HELD_VALUES // channels
        self._fifo = AudioFifo()
        self._held: list[AudioFrame | Silence] = []
        self._n_held = 0
        self._resampler: AudioResampler | None = None
        self._is_mixed = False

    def write(self, frame: AudioFrame) -> Iterator[Chunk]:
        """Take a frame."""
        self._fifo.write(frame)
        if self._fifo.samples >= self._group:
            yield from self._take_group()

    def pause(self, silence: Silence) -> Iterator[Chunk]:
        """Take a gap."""
        yield from self._take_group()
        if self._held:
            self._held.append(silence)
        else:
            yield from self._silence(silence)

    def finish(self) -> Iterator[Chunk]:
        """Hand out what is left."""
        yield from self._take_group()
        self.mixer.level()
        yield from self._let_go()
        yield from self._flush()

    def _take_group(self) -> Iterator[Chunk]:
        frame = self._fifo.read() if self._fifo.samples else None
        if frame is not None:
            yield from self._take(frame)

    def _take(self, frame: AudioFrame) -> Iterator[Chunk]:
        self.n_samples += frame.samples
        if not self.mixer.watches:
            yield from self._convert(frame, None)
            return
        self.mixer.observe(frame)
        if not self.mixer.too_quiet_to_tell:
            yield from self._let_go()
            yield from self._convert(frame, self._mix(frame))
            return
        self._held.append(frame)
        self._n_held += frame.samples
        if self._n_held > self._most_held:
            self.mixer.level()
            yield from self._let_go()

    def _let_go(self) -> Iterator[Chunk]:
        """Hand out what was held back."""
        held, self._held, self._n_held = self._held, [], 0
        for item in held:
            if isinstance(item, Silence):
                yield from self._silence(item)
            else:
                yield from self._convert(item, self._mix(item))

    def _mix(self, frame: AudioFrame) -> Mix | None:
        mix = self.mixer.mix()
        if self.mixer.is_inverted:
            self.n_inverted += frame.samples
        return mix

    def _convert(self, frame: AudioFrame, mix: Mix | None) -> Iterator[Chunk]:
        if self._resampler is None or self._is_mixed != (mix is not None):
            yield from self._flush()
            self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            self._is_mixed = mix is not None
        try:
            done = self._resampler.resample(frame if mix is None else mix.apply(frame))
        except av.error.ArgumentError:
            # libswresample knows no way to mono for some layouts.
            if mix is not None:
                raise
            self.mixer.known_to_swr = False
            self._resampler = None
            yield from self._convert(frame, self.mixer.mix())
            return
        for out in done:
            yield out.to_ndarray()[0]

    def _flush(self) -> Iterator[Chunk]:
        if self._resampler is not None:
            for out in self._resampler.resample(None):
                yield out.to_ndarray()[0]
            self._resampler = None

    def _silence(self, silence: Silence) -> Iterator[Chunk]:
        yield from self._flush()
        n_left = round(silence.duration_s * RATE_HZ)
        while n_left > 0:
            n_samples = min(n_left, int(_SILENCE_S * RATE_HZ))
            yield np.zeros(n_samples, np.int16)
            n_left -= n_samples
