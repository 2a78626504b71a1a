"""Films and sounds on a clock: stretches of sound where they belong, and what is heard of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.types import RATE_HZ, Clip

#: Container, audio encoder and its sample format.
SOUNDS = {
    ".mp4": ("aac", "fltp"),
    ".mov": ("aac", "fltp"),
    ".mkv": ("aac", "fltp"),
    ".webm": ("libopus", "flt"),
    ".ts": ("aac", "fltp"),
    ".mpg": ("mp2", "s16"),
    ".flv": ("aac", "fltp"),
    ".wma": ("wmav2", "fltp"),
    ".ogg": ("libopus", "flt"),
}
_FORMATS = {".ts": "mpegts", ".mpg": "mpeg", ".wma": "asf"}
_PICTURES = {".webm": "libvpx", ".ts": "mpeg2video", ".mpg": "mpeg2video", ".flv": "flv"}


def film(path: Path, stretches: Sequence[tuple[float, np.ndarray]], pictures: bool = True) -> Path:
    """A film whose sound comes in stretches: where each begins (s) and its samples at 48 kHz."""
    codec, sample_format = SOUNDS[path.suffix]
    with av.open(str(path), "w", format=_FORMATS.get(path.suffix)) as out:
        track: Any = out.add_stream(codec, rate=48_000)
        track.codec_context.layout = "mono"
        track.codec_context.format = sample_format
        track.codec_context.bit_rate = 64_000
        packets = (
            [_pictures(out, path.suffix, stretches)] if pictures and path.suffix != ".ogg" else []
        )
        track.codec_context.open()
        packets.append(_sound(track, sample_format, stretches))
        for packet in sorted(itertools.chain(*packets), key=_time):
            out.mux(packet)
    return path


def _time(packet: Any) -> Fraction:
    return Fraction(packet.dts) * packet.time_base


def _pictures(out: Any, suffix: str, stretches: Sequence[tuple[float, np.ndarray]]) -> list[Any]:
    stream = out.add_stream(_PICTURES.get(suffix, "mpeg4"), rate=25)
    stream.width = stream.height = 64
    stream.pix_fmt = "yuv420p"
    end_s = stretches[-1][0] + len(stretches[-1][1]) / 48_000
    grey = np.full((64, 64, 3), 128, np.uint8)
    packets: list[Any] = []
    for number in range(round((end_s + 1) * 25)):
        frame = av.VideoFrame.from_ndarray(grey, format="rgb24")
        frame.pts, frame.time_base = number, Fraction(1, 25)
        packets += stream.encode(frame)
    return packets + stream.encode(None)


def _sound(track: Any, sample_format: str, stretches: Iterable[tuple[float, Any]]) -> list[Any]:
    size = track.codec_context.frame_size or 1024
    packets: list[Any] = []
    for start_s, samples in stretches:
        for at in range(0, len(samples) - size + 1, size):
            piece = samples[at : at + size].reshape(1, -1)
            if sample_format != "s16":
                piece = (piece / 32_768).astype(np.float32)
            frame = av.AudioFrame.from_ndarray(piece, format=sample_format, layout="mono")
            frame.sample_rate, frame.time_base = 48_000, Fraction(1, 48_000)
            frame.pts = round(start_s * 48_000) + at
            packets += track.encode(frame)
    return packets + track.encode(None)


def decoded(
    path: Path, settings: Settings | None = None, **how: Any
) -> tuple[np.ndarray, list[Clip]]:
    """Samples from the recording's 0 on, silent up to the first clip; and the clips."""
    clips = list(decode(path, name=path.name, settings=settings or Settings(), **how))
    lead = np.zeros(round(clips[0].start_s * RATE_HZ), np.float32)
    return np.concatenate([lead, *(clip.samples for clip in clips)]), clips


def onsets(samples: np.ndarray) -> list[float]:
    """Where sound begins after half a second of silence, in seconds."""
    loud = np.flatnonzero(np.abs(samples) > 0.02)
    first = [loud[0], *(b for a, b in itertools.pairwise(loud) if b - a > RATE_HZ // 2)]
    return [at / RATE_HZ for at in first]


def steady(seconds: float) -> np.ndarray:
    """A tone that does not swell, at 48 kHz."""
    at = np.arange(round(seconds * 48_000)) / 48_000
    return np.asarray(8000 * np.sin(2 * np.pi * 300 * at), np.int16)
