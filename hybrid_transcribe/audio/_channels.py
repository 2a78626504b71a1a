"""Frames of any rate and format into float32 at 16 kHz, every channel for itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from hybrid_transcribe.audio._clock import Silence
from hybrid_transcribe.audio._mix import as_channels
from hybrid_transcribe.audio._sandbox import check_shape
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

# Frames are resampled in groups of so many samples: one by one costs half as much again.
_GROUP = 65_536

# Silence comes in pieces, as everything does.
_SILENCE_S = 10.0


class ChannelConverter:
    """One recording's way to samples of shape (n_channels, n_samples).

    ``gain`` is applied to all channels alike, and what goes beyond [-1, 1] then is cut off; None
    leaves samples as they are. A change of the number of channels in mid-stream does not change
    ``n_channels``: missing ones are silent, and a single one is on all. Raises UnsafeInput for a
    rate or layout beyond the limits.
    """

    def __init__(self, display_name: str, gain: float | None = 1.0) -> None:
        self.n_channels = 0
        self._display_name, self._gain = display_name, gain

    def samples(self, items: Iterable[AudioFrame | Silence]) -> Iterator[Samples]:
        """The samples of frames and of the silence between them, in chunks."""
        shape = None
        path: _ChannelPath | None = None
        for item in items:
            if isinstance(item, Silence):
                if path is not None:
                    yield from self._fitted(path.flush())
                yield from self._silence(item)
                continue
            item.pts = None  # They follow each other now, whatever their time stamps say.
            layout = item.layout
            now = (item.sample_rate, layout.nb_channels, layout.name, item.format.name)
            if now != shape or path is None:
                if path is not None:
                    yield from self._fitted(path.flush())
                check_shape(item.sample_rate, layout.nb_channels, self._display_name)
                path, shape = _ChannelPath(layout.nb_channels), now
                self.n_channels = self.n_channels or layout.nb_channels
            yield from self._fitted(path.write(item))
        if path is not None:
            yield from self._fitted(path.flush())

    def _fitted(self, chunks: Iterable[Samples]) -> Iterator[Samples]:
        for chunk in chunks:
            if self._gain is not None:
                chunk = np.clip(chunk * np.float32(self._gain), -1.0, 1.0)
            if len(chunk) == self.n_channels:
                yield chunk
                continue
            fitted = np.zeros((self.n_channels, chunk.shape[1]), np.float32)
            n_channels = self.n_channels if len(chunk) == 1 else min(len(chunk), self.n_channels)
            fitted[:n_channels] = chunk[:n_channels]
            yield fitted

    def _silence(self, silence: Silence) -> Iterator[Samples]:
        n_left = round(silence.duration_s * RATE_HZ)
        while n_left > 0 and self.n_channels:
            n_samples = min(n_left, int(_SILENCE_S * RATE_HZ))
            yield np.zeros((self.n_channels, n_samples), np.float32)
            n_left -= n_samples


class _ChannelPath:
    """Groups and resamples frames of one shape, a resampler for each channel.

    libswresample keeps channels apart only in layouts that it knows.
    """

    def __init__(self, n_channels: int) -> None:
        self._fifo = AudioFifo()
        self._resamplers = self._make(n_channels)

    def write(self, frame: AudioFrame) -> Iterator[Samples]:
        """Take a frame; yield what is ready."""
        self._fifo.write(frame)
        if self._fifo.samples >= _GROUP:
            yield from self._take_group()

    def flush(self) -> Iterator[Samples]:
        """Yield what is left. Frames may follow."""
        yield from self._take_group()
        ends = [_joined(resampler.resample(None)) for resampler in self._resamplers]
        self._resamplers = self._make(len(self._resamplers))
        if ends[0].size:
            yield np.stack(ends)

    def _make(self, n_channels: int) -> list[AudioResampler]:
        return [
            AudioResampler(format="flt", layout="mono", rate=RATE_HZ) for _ in range(n_channels)
        ]

    def _take_group(self) -> Iterator[Samples]:
        frame = self._fifo.read() if self._fifo.samples else None
        if frame is None:
            return
        channels = as_channels(frame)
        done = [
            _joined(resampler.resample(_mono(row, frame.sample_rate)))
            for resampler, row in zip(self._resamplers, channels, strict=True)
        ]
        if done[0].size:
            yield np.stack(done)


def _mono(samples: Samples, rate_hz: int) -> AudioFrame:
    frame = AudioFrame.from_ndarray(
        np.ascontiguousarray(samples)[None, :], format="flt", layout="mono"
    )
    frame.sample_rate = rate_hz
    frame.pts = None
    return frame


def _joined(frames: list[AudioFrame]) -> Samples:
    rows = [frame.to_ndarray()[0] for frame in frames]
    return np.concatenate(rows) if rows else np.empty(0, np.float32)
