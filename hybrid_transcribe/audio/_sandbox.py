"""The fence around FFmpeg: what it may read, for how long, and which decoders it may use.

FFmpeg is handed an open file under no name, one demuxer, and no protocol at all, so that
nothing inside a recording can make it open another file or an address. Every read passes
through a `DecodeLimits`, which bounds the time and hears about a cancel.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from hybrid_transcribe.audio import _headers, _mp4
from hybrid_transcribe.audio.sniff import after_tags, locate
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
from hybrid_transcribe.messages import UserMessage, known_phrase

MIN_RATE_HZ, MAX_RATE_HZ = 4_000, 384_000
MAX_CHANNELS = 64  # The most tracks that a field recorder writes into one WAV.
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
    "avr": "avr",
    "caf": "caf",
    "dsf": "dsf",
    "dss": "dss",
    "dts": "dts",
    "dtshd": "dtshd",
    "eac3": "eac3",
    "flac": "flac",
    "flac-frames": "flac",
    "flv": "flv",
    "iff": "iff",
    "ircam": "ircam",
    "latm": "loas",
    "matroska": "matroska",
    "mlp": "mlp",
    "mp3": "mp3",
    "mp4": "mov",
    "mpc": "mpc",
    "mpc8": "mpc8",
    "mpegps": "mpeg",
    "mpegts": "mpegts",
    "mxf": "mxf",
    "nut": "nut",
    "ogg": "ogg",
    "oma": "oma",
    "pvf": "pvf",
    "qcp": "qcp",
    "rm": "rm",
    "shorten": "shn",
    "sox": "sox",
    "sphere": "nistsphere",
    "tak": "tak",
    "truehd": "truehd",
    "tta": "tta",
    "voc": "voc",
    "vqf": "vqf",
    "w64": "w64",
    "wav": "wav",
    "wavpack": "wv",
    "webm": "matroska",
    "wtv": "wtv",
    "xwma": "xwma",
}

# Their length is guessed from the bit rate or from time stamps, wrongly at times, so that it
# may be shown but not held against them: the samples are counted instead.
_GUESSED = frozenset(
    ("aac", "ac3", "dts", "dtshd", "eac3", "latm", "mlp", "mpegps", "mpegts", "truehd", "wtv")
)

#: Decoders allowed, by FFmpeg's canonical names; those of the pcm_ and adpcm_ families too.
CODECS = frozenset(
    "8svx_exp 8svx_fib aac aac_latm ac3 alac als amr_nb amr_wb ape atrac1 atrac3 atrac3al atrac3p"
    " atrac3pal cook dsd_lsbf dsd_lsbf_planar dsd_msbf dsd_msbf_planar dss_sp dst dts eac3 evrc"
    " flac g723_1 g729 gsm gsm_ms ilbc mace3 mace6 mlp mp1 mp2 mp3 mp3adu mp3on4 musepack7"
    " musepack8 nellymoser opus qcelp qdm2 qdmc ra_144 ra_288 s302m shorten sipr speex tak truehd"
    " truespeech tta twinvq vorbis wavpack wmalossless wmapro wmav1 wmav2 wmavoice".split()
)

# A frame of an ordinary codec has at most some 100,000 samples; ALAC may claim 16 million.
_MAX_FRAME_SAMPLES = 2**21

_TAGGED_DURATION = re.compile(r"(\d+):(\d\d):(\d\d(?:\.\d+)?)")

# A reader that fails this often in one file is not going to find its way back.
_MAX_BAD_READS = 100

_BUFFER_BYTES = 64 * 1024
_ASK_EVERY_S = 0.2


class Stopped(Exception):
    """Somebody asked for an end. Never leaves this folder."""


class DecodeLimits:
    """Called often, it ends the work in time: by `Stopped` or, past the limit, UnsafeInput.

    ``limit_s`` counts from the last `restart`, by a clock that no one can set back.
    """

    def __init__(self, display_name: str, limit_s: float, canceled: Callable[[], bool]) -> None:
        self._display_name, self._limit_s, self._canceled = display_name, limit_s, canceled
        self._ask_at = 0.0
        self.restart()

    def restart(self) -> None:
        """Begin the time allowed anew."""
        self._end = time.monotonic() + self._limit_s

    def __call__(self) -> None:
        now = time.monotonic()
        if now >= self._ask_at:
            self._ask_at = now + _ASK_EVERY_S
            if self._canceled():
                raise Stopped
        if now > self._end:
            raise UnsafeInput(
                UserMessage("given_up", name=self._display_name, seconds=self._limit_s)
            )


class _WatchedFile:
    """A file for FFmpeg: bytes and positions, no name, no descriptor.

    What lies before ``start`` is not there for it.
    """

    def __init__(self, file: BinaryIO, start: int, watch: DecodeLimits) -> None:
        self._file, self._start, self._watch = file, start, watch
        file.seek(start)

    def tell(self) -> int:
        return self._file.tell() - self._start

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            if whence == 0:
                offset += self._start
            return self._file.seek(offset, whence) - self._start
        except (OSError, ValueError):
            # Damaged tables point before the start: FFmpeg expects a number, not an exception.
            return -1

    def read(self, count: int) -> bytes:
        self._watch()
        return self._file.read(count)


@dataclass(frozen=True, slots=True)
class Admitted:
    """A recording whose bytes may be opened.

    Attributes:
        container: as `hybrid_transcribe.audio.sniff` names it.
        start: where it begins in its file, in bytes.
        size: bytes of the file behind that.
        header: what its header says about its size.
    """

    path: Path
    display_name: str
    container: str
    start: int
    size: int
    header: _headers.Header


def admit(path: Path, display_name: str, settings: Settings) -> Admitted:
    """Look at a recording before FFmpeg does.

    Raises what `sniff` raises, UnsupportedMedia for a zip, TooLarge, UnsafeInput for an
    index that would fill the memory, and BrokenMedia where it is known why FFmpeg would fail.
    """
    located = locate(path, display_name)
    if located.container == "zip":
        raise UnsupportedMedia(UserMessage("unexpected_zip", name=display_name))
    size = path.stat().st_size
    if size > settings.max_file_bytes:
        raise TooLarge(
            UserMessage(
                "too_large", name=display_name, n=size / MIB, most=settings.max_file_bytes / MIB
            )
        )
    with path.open("rb") as file:
        if located.container == "mp4":
            _mp4.check_tables(file, located.start, size, MAX_STREAMS, display_name)
        header = _headers.read(file, located.container, located.start, size)
    return Admitted(
        path=path,
        display_name=display_name,
        container=located.container,
        start=located.start,
        size=size - located.start,
        header=header,
    )


def binary(path: Path, display_name: str) -> BinaryIO:
    """The file opened for reading without a buffer of ours; raises InputMissing."""
    try:
        return path.open("rb", buffering=0)
    except OSError as error:
        raise InputMissing(
            UserMessage("unreadable", name=display_name, why=known_phrase(error.strerror))
        ) from error


@contextmanager
def opened(
    file: BinaryIO,
    container: str,
    display_name: str,
    watch: DecodeLimits,
    start: int = 0,
    ignores_length: bool = False,
) -> Iterator[InputContainer]:
    """FFmpeg's view of an open file, by the one demuxer of ``container``, closed at the end.

    The recording begins at byte ``start``; ``ignores_length`` reads a WAV to the end of the file,
    whatever its header says. Raises BrokenMedia when FFmpeg makes nothing of it, and what
    ``watch`` raises.
    """
    try:
        media = av.open(
            _WatchedFile(file, start, watch),
            "r",
            format=DEMUXERS[container],
            options=_options(container, ignores_length),
            metadata_errors="ignore",
            buffer_size=_BUFFER_BYTES,
            io_open=_refuse,
        )
    except av.FFmpegError as error:
        raise BrokenMedia(
            UserMessage("not_as_such", name=display_name, format=container)
        ) from error
    with media:
        yield media


@contextmanager
def reading(recording: Admitted, watch: DecodeLimits) -> Iterator[tuple[BinaryIO, InputContainer]]:
    """An admitted recording, opened: its file and FFmpeg's view of it. Raises as `opened`."""
    header = recording.header
    with (
        binary(recording.path, recording.display_name) as file,
        opened(
            file,
            recording.container,
            recording.display_name,
            watch,
            recording.start,
            ignores_length=header.is_short or header.is_open,
        ) as media,
    ):
        yield file, media


def _options(container: str, ignores_length: bool) -> dict[str, str]:
    demuxer = DEMUXERS[container]
    options = {"format_whitelist": demuxer, "protocol_whitelist": "none"}
    if demuxer in ("wav", "w64"):
        # FFmpeg looks for DTS in every PCM file by all of its demuxers: one packet is enough,
        # and takes 0.4 ms where the default takes 5 to 35.
        options["max_probe_packets"] = "1"
    if demuxer == "wav" and ignores_length:
        options["ignore_length"] = "1"
    return options


def _refuse(url: str, *_: Any) -> Any:
    raise UnsafeInput(UserMessage("asked_for_another", text=url))


def audio_streams(media: InputContainer, display_name: str) -> list[AudioStream]:
    """The audio streams that we decode.

    Raises UnsafeInput (too many streams), NoAudio, UnsupportedMedia.
    """
    if len(media.streams) > MAX_STREAMS:
        raise UnsafeInput(
            UserMessage(
                "too_many_streams", name=display_name, count=len(media.streams), most=MAX_STREAMS
            )
        )
    streams = media.streams.audio
    if not streams:
        types: list[str] = sorted({s.type for s in media.streams if s.type})
        kinds = [known_phrase(name) for name in types or ["nothing"]]
        raise NoAudio(UserMessage("no_audio", name=display_name, phrase=kinds))
    usable = [stream for stream in streams if _codec(stream) is not None]
    if not usable:
        raise UnsupportedMedia(UserMessage("undecoded_format", name=display_name))
    return usable


def audio_stream(media: InputContainer, display_name: str) -> AudioStream:
    """The first audio stream that we decode, checked and ready. Raises as `audio_streams`."""
    return prepare(sane_streams(media, display_name)[0], display_name)


def prepare(stream: AudioStream, display_name: str) -> AudioStream:
    """The stream, checked and ready to be decoded. Raises UnsafeInput for an absurd shape."""
    check_shape(stream.codec_context.sample_rate, stream.codec_context.channels, display_name)
    stream.codec_context.options = {"max_samples": str(_MAX_FRAME_SAMPLES)}
    return stream


def sane_streams(media: InputContainer, display_name: str) -> list[AudioStream]:
    """As `audio_streams`, without those of an absurd shape. Raises UnsafeInput if all are."""
    streams = audio_streams(media, display_name)
    sane = [stream for stream in streams if _is_sane(stream)]
    if not sane:
        prepare(streams[0], display_name)
    return sane


def _is_sane(stream: AudioStream) -> bool:
    context = stream.codec_context
    return MIN_RATE_HZ <= context.sample_rate <= MAX_RATE_HZ and (
        1 <= context.channels <= MAX_CHANNELS
    )


def packets(
    media: InputContainer, streams: Sequence[Stream], watch: DecodeLimits
) -> Iterator[Packet[Any]]:
    """The packets of some streams in the file's order, past what cannot be read."""
    for _ in range(_MAX_BAD_READS):
        try:
            for packet in media.demux(list(streams)):
                watch()
                yield packet
            return
        except av.FFmpegError:
            # The reader stumbled, not a packet: it may find its way from where it stands.
            continue
        except IndexError:
            # PyAV's end, after our streams' last packet, when streams came up on the way.
            return


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


def check_shape(rate_hz: int, channels: int, display_name: str) -> None:
    """Raise UnsafeInput for a sample rate or a number of channels that no recording has.

    Raises BrokenMedia where there is none, as behind a header that is damaged.
    """
    if rate_hz <= 0 or channels <= 0:
        raise BrokenMedia(UserMessage("nothing_decodes", name=display_name))
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        raise UnsafeInput(
            UserMessage("rate", name=display_name, n=rate_hz, least=MIN_RATE_HZ, most=MAX_RATE_HZ)
        )
    if not 1 <= channels <= MAX_CHANNELS:
        raise UnsafeInput(
            UserMessage("channels", name=display_name, n=channels, least=1, most=MAX_CHANNELS)
        )


def header_end_s(recording: Admitted, media: InputContainer, stream: AudioStream) -> float | None:
    """Where a stream ends in the recording, in seconds, as the file claims; None if it does not."""
    if stream.duration and stream.time_base:
        # An MP4 states how long the sound is, wherever it begins; the others, where it ends.
        start = (stream.start_time or 0) if recording.container == "mp4" else 0
        return float((stream.duration + max(0, start)) * stream.time_base)
    # Matroska has it as text, as its tools write it: "00:00:15.005000000".
    tagged = _TAGGED_DURATION.fullmatch(stream.metadata.get("DURATION", ""))
    if tagged:
        return int(tagged[1]) * 3600 + int(tagged[2]) * 60 + float(tagged[3])
    return media.duration / av.time_base if media.duration else None


def check_duration(seconds: float, settings: Settings, display_name: str) -> None:
    """Raise TooLong past the longest recording accepted."""
    if seconds > settings.max_duration_s + _GRACE_S:
        raise TooLong(
            UserMessage(
                "too_long", name=display_name, n=seconds / 3600, most=settings.max_duration_s / 3600
            )
        )


def trusts_length(recording: Admitted) -> bool:
    """Does this file state its length, rather than have it guessed from its bit rate?"""
    if recording.container != "mp3":
        return recording.container not in _GUESSED
    # An MP3 states it in its first frame, by one of these marks.
    with recording.path.open("rb") as file:
        file.seek(after_tags(file))
        first = file.read(4096)
    return any(mark in first for mark in (b"Xing", b"Info", b"VBRI"))
