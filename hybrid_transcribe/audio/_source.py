"""The fence around FFmpeg: what it may read, for how long, and which decoders it may use.

FFmpeg is handed an open file under no name, one demuxer, and no protocol at all, so that
nothing inside a recording can make it open another file or an address. Every read passes
through a `Watch`, which bounds the time and hears about a cancel.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from hybrid_transcribe.audio import _mp4
from hybrid_transcribe.audio.sniff import after_tags, sniff
from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.errors import (
    BrokenMedia,
    InputMissing,
    NoAudio,
    TooLarge,
    TooLong,
    UnsafeInput,
    UnsupportedMedia,
)

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 16
MAX_STREAMS = 32

# Encoders pad the end and lengths are rounded: a recording of just the limit must pass.
_GRACE_S = 1.0

#: Container (as `sniff` calls it) -> the one FFmpeg demuxer that may open it.
DEMUXERS = {
    "aac": "aac",
    "ac3": "ac3",
    "aiff": "aiff",
    "amr": "amr",
    "ape": "ape",
    "asf": "asf",
    "au": "au",
    "avi": "avi",
    "caf": "caf",
    "dsf": "dsf",
    "dts": "dts",
    "flac": "flac",
    "flv": "flv",
    "matroska": "matroska",
    "mp3": "mp3",
    "mp4": "mov",
    "mpc": "mpc",
    "mpc8": "mpc8",
    "mpegps": "mpeg",
    "mpegts": "mpegts",
    "mxf": "mxf",
    "ogg": "ogg",
    "rm": "rm",
    "sphere": "nistsphere",
    "tak": "tak",
    "tta": "tta",
    "voc": "voc",
    "w64": "w64",
    "wav": "wav",
    "wavpack": "wv",
    "webm": "matroska",
}

# Their length is guessed from the bit rate or from time stamps, wrongly at times, so that it
# may be shown but not held against them: the samples are counted instead.
_GUESSED = frozenset({"aac", "ac3", "dts", "mpegps", "mpegts"})

#: Decoders allowed, by FFmpeg's canonical names; those of the pcm_ and adpcm_ families too.
CODECS = frozenset(
    "aac aac_latm ac3 alac amr_nb amr_wb ape atrac1 atrac3 atrac3p cook dsd_lsbf dsd_lsbf_planar"
    " dsd_msbf dsd_msbf_planar dts eac3 flac g723_1 g729 gsm gsm_ms ilbc mace3 mace6 mlp mp1 mp2"
    " mp3 musepack7 musepack8 nellymoser opus qdm2 qdmc ra_144 ra_288 shorten sipr speex tak"
    " truehd truespeech tta vorbis wavpack wmalossless wmapro wmav1 wmav2 wmavoice".split()
)

# A frame of an ordinary codec has at most some 100,000 samples; ALAC may claim 16 million.
_MAX_FRAME_SAMPLES = 2**21

_BUFFER_BYTES = 64 * 1024
_ASK_EVERY_S = 0.2


class Stopped(Exception):
    """Somebody asked for an end. Never leaves this folder."""


class Watch:
    """Called often, it ends the work in time: by `Stopped` or, past the limit, UnsafeInput.

    ``limit_s`` counts from the last `restart`, by a clock that no one can set back.
    """

    def __init__(self, shown: str, limit_s: float, cancelled: Callable[[], bool]) -> None:
        self._shown, self._limit_s, self._cancelled = shown, limit_s, cancelled
        self._ask_at = 0.0
        self.restart()

    def restart(self) -> None:
        """Begin the time allowed anew."""
        self._end = time.monotonic() + self._limit_s

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= self._ask_at:
            self._ask_at = now + _ASK_EVERY_S
            if self._cancelled():
                raise Stopped
        if now > self._end:
            raise UnsafeInput(
                f"{self._shown}: decoding took more than {self._limit_s:g} s, so it was given up"
            )


class _Watched:
    """A file for FFmpeg: bytes and positions, no name, no descriptor."""

    def __init__(self, file: BinaryIO, watch: Watch) -> None:
        self._file, self._watch = file, watch
        self.tell = file.tell

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            # Damaged tables point before the start: FFmpeg expects a number, not an exception.
            return -1

    def read(self, count: int) -> bytes:
        self._watch()
        return self._file.read(count)


def admit(path: Path, shown: str, settings: Settings) -> str:
    """The container of a recording whose bytes may be opened at all.

    Raises what `sniff` raises, UnsupportedMedia for a zip, TooLarge, and UnsafeInput for an
    index that would fill the memory.
    """
    container = sniff(path, shown)
    if container == "zip":
        raise UnsupportedMedia(f"{shown}: a zip where one recording was expected")
    size = path.stat().st_size
    if size > settings.max_file_bytes:
        raise TooLarge(
            f"{shown}: {size / MIB:.0f} MiB;"
            f" at most {settings.max_file_bytes / MIB:.0f} MiB allowed"
        )
    if container == "mp4":
        with path.open("rb") as file:
            _mp4.check_tables(file, size, MAX_STREAMS, shown)
    return container


def binary(path: Path, shown: str) -> BinaryIO:
    """The file opened for reading without a buffer of ours; raises InputMissing."""
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise InputMissing(f"{shown}: cannot be read ({error.strerror})") from error


@contextmanager
def opened(file: BinaryIO, container: str, shown: str, watch: Watch) -> Iterator[InputContainer]:
    """FFmpeg's view of an open file, by the one demuxer of ``container``, closed at the end.

    Raises BrokenMedia when it makes nothing of it, and what ``watch`` raises.
    """
    try:
        media = av.open(
            _Watched(file, watch),
            "r",
            format=DEMUXERS[container],
            options=_options(container),
            metadata_errors="ignore",
            buffer_size=_BUFFER_BYTES,
            io_open=_refuse,
        )
    except av.FFmpegError as error:
        raise BrokenMedia(
            f"{shown}: looks like {container} but cannot be read as such ({_short(error)})"
        ) from error
    with media:
        yield media


def _options(container: str) -> dict[str, str]:
    options = {"format_whitelist": DEMUXERS[container], "protocol_whitelist": "none"}
    if container in ("wav", "w64"):
        # FFmpeg looks for DTS in every PCM file by all of its demuxers: one packet is enough,
        # and takes 0.4 ms where the default takes 5 to 35.
        options["max_probe_packets"] = "1"
    return options


def _refuse(url: str, *_: Any) -> Any:
    raise UnsafeInput(f"A recording asked for another file or address: {url!r}")


def _short(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def audio_stream(media: InputContainer, shown: str) -> AudioStream:
    """The first audio stream that we decode, checked and ready.

    Raises UnsafeInput (too many streams, absurd rate or channels), NoAudio, UnsupportedMedia.
    """
    if len(media.streams) > MAX_STREAMS:
        raise UnsafeInput(
            f"{shown}: {len(media.streams)} streams in one file; at most {MAX_STREAMS} allowed"
        )
    streams = media.streams.audio
    if not streams:
        kinds = ", ".join(sorted({s.type for s in media.streams if s.type})) or "nothing"
        raise NoAudio(f"{shown}: no audio in this file, only {kinds}")
    stream = next((s for s in streams if _codec(s) is not None), None)
    if stream is None:
        raise UnsupportedMedia(f"{shown}: its audio is in a format that is not decoded here")
    check_shape(stream.codec_context.sample_rate, stream.codec_context.channels, shown)
    stream.codec_context.options = {"max_samples": str(_MAX_FRAME_SAMPLES)}
    return stream


def codec_name(stream: AudioStream) -> str:
    """FFmpeg's canonical name of the stream's codec, such as ``"mp3"``."""
    return _codec(stream) or "unknown"


def _codec(stream: AudioStream) -> str | None:
    """The codec's canonical name when it is one of ours."""
    context = getattr(stream, "codec_context", None)
    if context is None:  # No decoder for it in this FFmpeg.
        return None
    name = str(context.codec.canonical_name)
    return name if name in CODECS or name.startswith(("pcm_", "adpcm_")) else None


def check_shape(rate_hz: int, channels: int, shown: str) -> None:
    """Raise UnsafeInput for a sample rate or a number of channels that no recording has."""
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise UnsafeInput(
            f"{shown}: {rate_hz} samples a second; from {MIN_RATE_HZ} to {MAX_RATE_HZ} allowed"
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise UnsafeInput(f"{shown}: {channels} channels; from 1 to {MAX_CHANNELS} allowed")


def header_duration_s(media: InputContainer, stream: AudioStream) -> float | None:
    """The length in seconds that the file claims, None when it claims none."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    return media.duration / av.time_base if media.duration else None


def check_duration(seconds: float, settings: Settings, shown: str) -> None:
    """Raise TooLong past the longest recording accepted."""
    if seconds > settings.max_duration_s + _GRACE_S:
        raise TooLong(
            f"{shown}: {seconds / 3600:.1f} h of audio or more; at most"
            f" {settings.max_duration_s / 3600:.1f} h allowed"
        )


def trusts_length(container: str, path: Path) -> bool:
    """Does this file state its length, rather than have it guessed from its bit rate?"""
    if container != "mp3":
        return container not in _GUESSED
    # An MP3 states it in its first frame, by one of these marks.
    with path.open("rb") as file:
        file.seek(after_tags(file))
        first = file.read(4096)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))
