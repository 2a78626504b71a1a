"""Frames of any rate, format and layout into int16, mono, 16 kHz.

By libswresample through 16 bits, exactly as faster-whisper and openai-whisper do: the same
samples go into a model, so the same text comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import av
import numpy as np
import numpy.typing as npt
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from hybrid_transcribe.audio._source import check_shape
from hybrid_transcribe.types import RATE_HZ

Chunk = npt.NDArray[np.int16]

# Frames are resampled in groups of so many samples: one by one costs half as much again.
_GROUP = 131_072


class Mono:
    """One recording's way to mono. Raises UnsafeInput for a rate or layout beyond the limits."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._fifo = AudioFifo()
        self._resampler: AudioResampler | None = None
        self._average = False

    def samples(self, frames: Iterable[AudioFrame]) -> Iterator[Chunk]:
        """The frames' samples, in chunks of shape (n_samples,)."""
        shape = None
        for frame in frames:
            frame.pts = None  # Frames follow each other, whatever their time stamps say.
            layout = frame.layout
            now = (frame.sample_rate, layout.nb_channels, layout.name, frame.format.name)
            if now != shape:
                # The first frame, or a change in mid-stream, which the buffer cannot take: it
                # does not notice every one, and then writes where it should not.
                if shape is not None:
                    yield from self._finish()
                check_shape(frame.sample_rate, layout.nb_channels, self._shown)
                self._start()
                shape = now
            self._fifo.write(frame)
            if self._fifo.samples >= _GROUP:
                yield from self._convert(self._fifo.read())
        if shape is not None:
            yield from self._finish()

    def _start(self) -> None:
        self._fifo = AudioFifo()
        self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
        self._average = False

    def _finish(self) -> Iterator[Chunk]:
        if self._fifo.samples:
            yield from self._convert(self._fifo.read())
        yield from self._convert(None)

    def _convert(self, frame: AudioFrame | None) -> list[Chunk]:
        assert self._resampler is not None
        if frame is not None and self._average:
            frame = average(frame)
        try:
            done = self._resampler.resample(frame)
        except av.error.ArgumentError:
            # libswresample knows no way to mono for layouts such as 9 unnamed channels.
            if frame is None or self._average:
                raise
            self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE_HZ)
            self._average = True
            done = self._resampler.resample(average(frame))
        return [out.to_ndarray()[0] for out in done]


def average(frame: AudioFrame) -> AudioFrame:
    """The mean of a frame's channels, as a mono frame of float samples."""
    data = frame.to_ndarray()
    channels = data if frame.format.is_planar else data.reshape(frame.samples, -1).T
    if channels.dtype == np.uint8:
        scaled = channels.astype(np.float32) / 128 - 1
    elif channels.dtype.kind == "i":
        scaled = channels.astype(np.float32) / -float(np.iinfo(channels.dtype).min)
    else:
        scaled = channels.astype(np.float32)
    mono = AudioFrame.from_ndarray(scaled.mean(axis=0, keepdims=True), format="flt", layout="mono")
    mono.sample_rate = frame.sample_rate
    mono.pts = None
    return mono
