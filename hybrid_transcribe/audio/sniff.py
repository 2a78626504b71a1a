"""What a file really is, from its first bytes: no native parser, whatever its name says.

It runs in the notebook's own process, so that nothing a stranger uploaded meets C code there.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from hybrid_transcribe.audio import _mpeg, _streams, _unsupported
from hybrid_transcribe.core import names
from hybrid_transcribe.errors import (
    EmptyInput,
    InputMissing,
    UnsafeInput,
    UnsupportedMedia,
    check_descriptors,
)
from hybrid_transcribe.messages import UserMessage, known_phrase

_HEAD = 4096
_MAX_TAGS = 8

# (offset, bytes, container); the first that fits wins.
_MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"fLaC", "flac"),
    (0, b"OggS", "ogg"),
    (0, b".snd", "au"),
    (0, b"caff", "caf"),
    (0, b"#!AMR", "amr"),
    (0, b"FLV\x01", "flv"),
    (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
    (0, b"riff\x2e\x91\xcf\x11\xa5\xd6\x28\xdb", "w64"),
    (0, b".RMF", "rm"),
    (0, b".ra\xfd", "rm"),
    (0, b"wvpk", "wavpack"),
    (0, b"MAC ", "ape"),
    (0, b"TTA1", "tta"),
    (0, b"tBaK", "tak"),
    (0, b"MPCK", "mpc8"),
    (0, b"MP+", "mpc"),
    (0, b"Creative Voice File", "voc"),
    (0, b"NIST_1A", "sphere"),
    (0, b"DSD ", "dsf"),
    (0, b"\x7f\xfe\x80\x01", "dts"),
    (0, b"\xfe\x7f\x01\x80", "dts"),
    (0, b"\x1f\xff\xe8\x00", "dts"),
    (0, b"\xff\x1f\x00\xe8", "dts"),
    (0, b"DTSHDHDR", "dtshd"),
    (0, b"\x02dss", "dss"),
    (0, b"\x03dss", "dss"),
    (0, b".SoX", "sox"),
    (0, b"XoS.", "sox"),
    (0, b"ajkg", "shorten"),
    (0, b"EA3\x03", "oma"),
    (0, b"ea3\x03", "oma"),
    (0, b"TWIN97012000", "vqf"),
    (0, b"nut/multimedia container\x00", "nut"),
    (0, b"\xb7\xd8\x00\x20\x37\x49\xda\x11", "wtv"),
    (0, b"\x64\xa3\x01\x00", "ircam"),
    (0, b"\x64\xa3\x02\x00", "ircam"),
    (0, b"\x64\xa3\x03\x00", "ircam"),
    (0, b"2BIT", "avr"),
    (0, b"PVF1\n", "pvf"),
    (0, b"\x00\x00\x01\xba", "mpegps"),
    (0, b"\x06\x0e\x2b\x34", "mxf"),
    (4, b"\xf8\x72\x6f\xba", "truehd"),
    (4, b"\xf8\x72\x6f\xbb", "mlp"),
    (4, b"ftyp", "mp4"),
    (4, b"styp", "mp4"),
    (4, b"sidx", "mp4"),
    (4, b"moof", "mp4"),
    (4, b"moov", "mp4"),
    (4, b"mdat", "mp4"),
    (4, b"wide", "mp4"),
    (4, b"free", "mp4"),
    (4, b"skip", "mp4"),
)

# RIFF and IFF files tell their kind at byte 8.
_CHUNKED = {
    (b"RIFF", b"WAVE"): "wav",
    (b"RIFX", b"WAVE"): "wav",
    (b"RF64", b"WAVE"): "wav",
    (b"BW64", b"WAVE"): "wav",
    (b"RIFF", b"AVI "): "avi",
    (b"FORM", b"AIFF"): "aiff",
    (b"FORM", b"AIFC"): "aiff",
    (b"FORM", b"8SVX"): "iff",
    (b"RIFF", b"XWMA"): "xwma",
    (b"RIFF", b"QLCM"): "qcp",
}

# Headers that are found behind junk too: where their mark lies and what they must turn out to be.
# Marks of two bytes, or ordinary words, are met by chance.
_MARKS = (
    *((b"RIFF", 0), (b"RF64", 0), (b"FORM", 0), (b"fLaC", 0), (b"OggS\x00", 0)),
    *((b"caff\x00\x01", 0), (b"\x1a\x45\xdf\xa3", 0), (b"ftyp", 4), (b"#!AMR", 0)),
    *((b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0), (b"riff\x2e\x91\xcf\x11", 0), (b"wvpk", 0)),
    *((b"TTA1", 0), (b"FLV\x01", 0)),
)
_BEHIND_JUNK = frozenset(
    "aiff amr asf avi caf flac flv matroska mp4 ogg tta w64 wav wavpack webm".split()
)

#: Extensions of recordings people have; others are judged by their bytes alone.
EXTENSIONS = frozenset(
    ".3g2 .3ga .3gp .3gpp .3gpp2 .8svx .aac .ac3 .adts .aif .aifc .aiff .amr .ape .asf .au .avi"
    " .awb .caf .dff .dsf .dss .dts .dvr-ms .eac3 .ec3 .f4a .f4v .flac .flv .latm .loas .m1a .m2a"
    " .m2t .m2ts .m2v .m4a .m4b .m4r .m4v .mk3d .mka .mkv .mlp .mod .mov .mp1 .mp2 .mp3 .mp4 .mpa"
    " .mpc .mpe .mpeg .mpg .mpga .mts .mxf .nut .oga .ogg .ogm .ogv .ogx .oma .opus .qcp .qt .ra"
    " .ram .rf64 .rm .rmvb .shn .snd .spx .tak .thd .tod .trp .ts .tta .vob .voc .vqf .w64 .wav"
    " .wave .weba .webm .wma .wmv .wtv .wv".split()
)


@dataclass(frozen=True, slots=True)
class Located:
    """A recording inside a file: its container, and where it begins, in bytes."""

    container: str
    start: int = 0


def sniff(path: str | os.PathLike[str], name: str | None = None) -> str:
    """The container of the file at ``path``: ``"wav"``, ``"mp4"``, ``"ogg"``…, or ``"zip"``.

    ``name`` is what messages call the file, its own name when None. Raises InputMissing;
    EmptyInput; UnsafeInput for what is no regular file and for playlists, which name other
    files; UnsupportedMedia, which says what was found, for everything else.
    """
    place = Path(path)
    display_name = names.display_name(place.name if name is None else name)
    try:
        size = regular_size(place, display_name)
        with place.open("rb") as file:
            return identify(file, size, display_name)
    except (OSError, ValueError) as error:
        check_descriptors(error)
        raise InputMissing(
            UserMessage("unreadable", name=display_name, why=_reason(error))
        ) from error


def locate(path: Path, display_name: str) -> Located:
    """As `sniff`, and where in the file that container begins: behind tags or junk."""
    try:
        size = regular_size(path, display_name)
        with path.open("rb") as file:
            return _locate(file, size, display_name)
    except (OSError, ValueError) as error:
        check_descriptors(error)
        raise InputMissing(
            UserMessage("unreadable", name=display_name, why=_reason(error))
        ) from error


def regular_size(place: Path, display_name: str) -> int:
    """Size in bytes; raises EmptyInput for 0, UnsafeInput for devices, pipes and folders."""
    result = place.stat()
    if not stat.S_ISREG(result.st_mode):
        raise UnsafeInput(UserMessage("not_regular", name=display_name))
    if result.st_size == 0:
        raise EmptyInput(UserMessage("empty", name=display_name))
    return result.st_size


def identify(file: BinaryIO, size: int, display_name: str) -> str:
    """As `sniff`, for an open file of ``size`` bytes. Leaves the position anywhere."""
    return _locate(file, size, display_name).container


def _locate(file: BinaryIO, size: int, display_name: str) -> Located:
    start = _content_start(file)
    head = _read(file, start, _HEAD)
    if start and not head:
        raise UnsupportedMedia(UserMessage("only_a_tag", name=display_name))
    kind = _unsupported.playlist(head)
    if kind:
        raise UnsafeInput(UserMessage("playlist", name=display_name, phrase=known_phrase(kind)))
    part = _unsupported.part(head)
    if part:
        raise UnsupportedMedia(UserMessage("later_part", name=display_name, format=part))
    foreign = _unsupported.describe(head)
    if foreign is None:
        container = _by_magic(head)
        if container:
            return Located(container, start)
        data = _read(file, start, _mpeg.MAX_JUNK + _HEAD)
        located = _in_stream(data, start, whole=start + len(data) >= size)
        if located:
            return located
    raise UnsupportedMedia(_refusal(display_name, foreign))


def _in_stream(data: bytes, start: int, *, whole: bool) -> Located | None:
    """What begins within ``data``, at byte ``start`` of the file, without a header at its front."""
    container = _streams.find(data)
    if container:
        # Their readers find the first packet by themselves, wherever the file was cut.
        return Located(container, start)
    at, container = _behind_junk(data)
    if container:
        return Located(container, start + at)
    container = _mpeg.find(data, whole=whole)
    # A tag promises an MP3, and some begin with frames of no fixed length.
    return Located(container or "mp3", 0 if start else start) if container or start else None


def _behind_junk(data: bytes) -> tuple[int, str]:
    """The first header behind bytes of no meaning, and where it is; an empty name for none."""
    best, container = _mpeg.MAX_JUNK, ""
    for mark, offset in _MARKS:
        at = data.find(mark)
        while offset <= at < best:
            result = _by_magic(data[at - offset : at - offset + _HEAD])
            if result in _BEHIND_JUNK:
                best, container = at - offset, result
                break
            at = data.find(mark, at + 1)
    return best, container


def _refusal(display_name: str, foreign: str | None) -> str:
    if foreign is None:
        return UserMessage("unknown_kind", name=display_name)
    return UserMessage("foreign", name=display_name, phrase=known_phrase(foreign))


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return known_phrase("no such file")
    return known_phrase(getattr(error, "strerror", None) or str(error))


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _content_start(file: BinaryIO) -> int:
    """Where the content starts: behind tags, and zeros behind those unless they belong to it."""
    at = _after_tags(file)
    return at if at == 0 or _by_magic(_read(file, at, _HEAD)) else after_tags(file)


def after_tags(file: BinaryIO) -> int:
    """Behind ID3v2 tags and the zeros that some writers pad them with."""
    at = _after_tags(file)
    if at:
        padding = _read(file, at, _mpeg.MAX_JUNK)
        at += len(padding) - len(padding.lstrip(b"\x00"))
    return at


def _after_tags(file: BinaryIO) -> int:
    at = 0
    for _ in range(_MAX_TAGS):
        head = _read(file, at, 10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
            break
        length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        at += 10 + length + (10 if head[5] & 0x10 else 0)
    return at


def _by_magic(head: bytes) -> str | None:
    chunked = _CHUNKED.get((head[:4], head[8:12]))
    if chunked:
        return chunked
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "matroska"
    if head[:4] == b"FRM8" and head[12:16] == b"DSD ":
        return "iff"
    for offset, magic, container in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return container
    return None
