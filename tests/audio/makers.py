"""Recordings, and files that only claim to be some, made on the spot."""

from __future__ import annotations

import struct
import wave
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

#: Encoder and extension of what people have, beside what `wave` writes.
CODECS = {
    ".flac": "flac",
    ".mp3": "libmp3lame",
    ".m4a": "aac",
    ".opus": "libopus",
    ".mka": "aac",
    ".webm": "libopus",
    ".aiff": "pcm_s16be",
    ".caf": "pcm_s16le",
    ".au": "pcm_s16be",
    ".w64": "pcm_s16le",
    ".wma": "wmav2",
    ".aac": "aac",
    ".mov": "aac",
    ".avi": "libmp3lame",
    ".flv": "aac",
    ".ts": "aac",
    ".mpg": "mp2",
    ".3gp": "aac",
    ".ac3": "ac3",
    ".wv": "wavpack",
    ".tta": "tta",
}

_FORMATS = {".m4a": "ipod", ".wma": "asf", ".mpg": "mpeg", ".ts": "mpegts", ".aac": "adts"}


def tone(seconds: float, rate_hz: int = 16_000, pitch_hz: float = 220.0) -> np.ndarray:
    """A swelling tone: int16, shape (n_samples,)."""
    at = np.arange(round(seconds * rate_hz)) / rate_hz
    swell = 0.5 - 0.5 * np.cos(2 * np.pi * at / 1.7)
    return np.asarray(12_000 * swell * np.sin(2 * np.pi * pitch_hz * at), np.int16)


def wav(path: Path, samples: np.ndarray, rate_hz: int = 16_000) -> Path:
    """int16 samples, shape (n_samples,) or (n_samples, n_channels), as a WAV file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1 if samples.ndim == 1 else samples.shape[1])
        file.setsampwidth(2)
        file.setframerate(rate_hz)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def wav_bytes(
    data: bytes, rate_hz: int = 16_000, channels: int = 1, claimed: int | None = None
) -> bytes:
    """A 16-bit WAV with any header: ``claimed`` bytes of data, whatever there is."""
    size = len(data) if claimed is None else claimed
    width = 2 * channels
    form = struct.pack(
        "<HHIIHH", 1, channels, rate_hz, min(rate_hz * width, 2**32 - 1), width % 65536, 16
    )
    return (
        b"RIFF" + struct.pack("<I", min(size + 36, 2**32 - 1)) + b"WAVEfmt "
        + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", size) + data
    )  # fmt: skip


def encoded(
    path: Path,
    samples: np.ndarray,
    rate_hz: int = 44_100,
    streams: int = 1,
    layout: str = "mono",
) -> Path:
    """Mono int16 samples through the encoder of the path's extension, ``streams`` times.

    Any other ``layout`` has the samples on each of its channels.
    """
    suffix = path.suffix
    with av.open(str(path), "w", format=_FORMATS.get(suffix)) as out:
        items = [_stream(out, CODECS[suffix], rate_hz, layout) for _ in range(streams)]
        for stream in items:
            _fill(out, stream, samples, rate_hz)
    return path


def _stream(out: Any, codec: str, rate_hz: int, layout: str = "mono") -> Any:
    stream = out.add_stream(codec, rate=48_000 if codec == "libopus" else rate_hz)
    stream.codec_context.layout = layout
    stream.codec_context.bit_rate = 64_000
    return stream


def _fill(out: Any, stream: Any, samples: np.ndarray, rate_hz: int) -> None:
    context = stream.codec_context
    if not context.is_open:
        context.open()
    frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate = rate_hz
    resampler = av.AudioResampler(
        format=context.format,
        layout=context.layout,
        rate=context.sample_rate,
        frame_size=context.frame_size or 1024,
    )
    for piece in [*resampler.resample(frame), *resampler.resample(None)]:
        out.mux(stream.encode(piece))
    out.mux(stream.encode(None))


def video(path: Path, sound: np.ndarray | None = None) -> Path:
    """A second of grey film, mute unless there is sound (mono int16, 44.1 kHz)."""
    with av.open(str(path), "w") as out:
        film = out.add_stream("mpeg4", rate=10)
        film.width, film.height, film.pix_fmt = 32, 32, "yuv420p"
        track = _stream(out, "aac", 44_100) if sound is not None else None
        for _ in range(10):
            grey = np.full((32, 32, 3), 128, np.uint8)
            out.mux(film.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
        out.mux(film.encode(None))
        if track is not None:
            _fill(out, track, sound, 44_100)
    return path


def flac_of_silence(path: Path, seconds: float, claimed_s: float, rate_hz: int = 16_000) -> Path:
    """Digital silence in the fewest bytes FLAC has for it: ten hours are 120 kB."""
    block = 65_535
    info = struct.pack(">HH", block, block) + bytes(6)
    info += (rate_hz << 44 | 15 << 36 | round(claimed_s * rate_hz)).to_bytes(8, "big") + bytes(16)
    count = round(seconds * rate_hz / block)
    head = b"fLaC\x80" + len(info).to_bytes(3, "big") + info
    path.write_bytes(head + b"".join(_silent_frame(n, block) for n in range(count)))
    return path


def _silent_frame(number: int, block: int) -> bytes:
    head = b"\xff\xf8\x70\x08" + _like_utf8(number) + struct.pack(">H", block - 1)
    head += bytes([_crc(head, 0x07, 8)])
    body = head + b"\x00\x00\x00"  # One constant subframe: the sample 0.
    return body + struct.pack(">H", _crc(body, 0x8005, 16))


def _like_utf8(number: int) -> bytes:
    if number < 0x80:
        return bytes([number])
    if number < 0x800:
        return bytes([0xC0 | number >> 6, 0x80 | number & 63])
    return bytes([0xE0 | number >> 12, 0x80 | number >> 6 & 63, 0x80 | number & 63])


def _crc(data: bytes, polynomial: int, bits: int) -> int:
    value = 0
    for byte in data:
        value ^= byte << (bits - 8)
        for _ in range(8):
            top = value >> (bits - 1)
            value = (value << 1 ^ polynomial * top) & ((1 << bits) - 1)
    return value


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", 8 + len(body)) + kind + body


def mp4_claiming(n_samples: int, tracks: int = 1) -> bytes:
    """A few hundred bytes of MP4 whose index claims ``n_samples`` in each track."""
    table = _box(b"stsz", struct.pack(">III", 0, 1, n_samples))
    inner = _box(b"mdia", _box(b"minf", _box(b"stbl", table)))
    return _box(b"ftyp", b"M4A \0\0\0\0") + _box(b"moov", *[_box(b"trak", inner)] * tracks)


def joined(clips: Sequence[Any]) -> np.ndarray:
    """The samples of clips one behind the other, having checked that they follow each other."""
    for before, after in pairwise(clips):
        gap = after.start_s - before.start_s - before.duration_s
        assert abs(gap) < 1e-6, f"{gap} s between clips"
    return np.concatenate([clip.samples for clip in clips])


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """``data`` in pieces of ``size`` bytes."""
    return (data[at : at + size] for at in range(0, len(data), size))
