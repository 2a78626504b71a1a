"""What a file really is, from its first bytes: no native parser, whatever its name says.

It runs in the notebook's own process, so that nothing a stranger uploaded meets C code there.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from hybrid_transcribe import names
from hybrid_transcribe.audio import _foreign, _mpeg
from hybrid_transcribe.errors import (
    EmptyInput,
    InputMissing,
    UnsafeInput,
    UnsupportedMedia,
    check_descriptors,
)

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
    (0, b"\x0b\x77", "ac3"),
    (0, b"\x7f\xfe\x80\x01", "dts"),
    (0, b"\x00\x00\x01\xba", "mpegps"),
    (0, b"\x06\x0e\x2b\x34", "mxf"),
    (4, b"ftyp", "mp4"),
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
}

# Packet length and offset of the sync byte 0x47, of MPEG transport streams.
_TS_PACKETS = ((188, 0), (192, 4), (204, 0))

#: Extensions of recordings people have; others are judged by their bytes alone.
EXTENSIONS = frozenset(
    ".3g2 .3gp .aac .ac3 .aif .aifc .aiff .amr .ape .asf .au .avi .caf .dsf .dts .eac3 .flac"
    " .flv .m4a .m4b .m4v .mka .mkv .mov .mp2 .mp3 .mp4 .mpc .mpeg .mpg .mts .mxf .oga .ogg"
    " .ogv .opus .ra .rm .snd .sph .spx .tak .ts .tta .voc .w64 .wav .webm .wma .wmv .wv".split()
)


def sniff(path: str | os.PathLike[str], name: str | None = None) -> str:
    """The container of the file at ``path``: ``"wav"``, ``"mp4"``, ``"ogg"``…, or ``"zip"``.

    ``name`` is what messages call the file, its own name when None. Raises InputMissing;
    EmptyInput; UnsafeInput for what is no regular file and for playlists, which name other
    files; UnsupportedMedia, which says what was found, for everything else.
    """
    place = Path(path)
    shown = names.display_name(place.name if name is None else name)
    try:
        size = regular_size(place, shown)
        with place.open("rb") as file:
            return identify(file, size, shown)
    except (OSError, ValueError) as error:
        check_descriptors(error)
        raise InputMissing(f"{shown}: cannot be read ({_reason(error)})") from error


def regular_size(place: Path, shown: str) -> int:
    """Size in bytes; raises EmptyInput for 0, UnsafeInput for devices, pipes and folders."""
    found = place.stat()
    if not stat.S_ISREG(found.st_mode):
        raise UnsafeInput(f"{shown}: not a regular file, so it is not opened")
    if found.st_size == 0:
        raise EmptyInput(f"{shown}: the file is empty (0 bytes)")
    return found.st_size


def identify(file: BinaryIO, size: int, shown: str) -> str:
    """As `sniff`, for an open file of ``size`` bytes. Leaves the position anywhere."""
    start = after_tags(file)
    head = _read(file, start, _HEAD)
    if start and not head:
        raise UnsupportedMedia(f"{shown}: a tag (title, artist, cover) without any sound")
    kind = _foreign.playlist(head)
    if kind:
        raise UnsafeInput(f"{shown}: looks like {kind}; refused, as those name other files")
    foreign = _foreign.describe(head)
    if foreign is None:
        container = _by_magic(head)
        if container:
            return container
        data = _read(file, start, _mpeg.MAX_JUNK + 4096)
        container = _mpeg.find(data, whole=start + len(data) >= size)
        # A tag promises an MP3, and some begin with frames of no fixed length.
        if container or start:
            return container or "mp3"
    found = foreign or "bytes of no kind we know"
    raise UnsupportedMedia(f"{shown}: looks like {found}, neither audio nor video")


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return getattr(error, "strerror", None) or str(error)


def _read(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def after_tags(file: BinaryIO) -> int:
    """Where the content starts, behind ID3v2 tags (and the zeros some writers pad them with)."""
    at = 0
    for _ in range(_MAX_TAGS):
        head = _read(file, at, 10)
        if len(head) < 10 or head[:3] != b"ID3" or max(head[6:10]) > 127:
            break
        length = head[6] << 21 | head[7] << 14 | head[8] << 7 | head[9]
        at += 10 + length + (10 if head[5] & 0x10 else 0)
    if at:
        padding = _read(file, at, _mpeg.MAX_JUNK)
        at += len(padding) - len(padding.lstrip(b"\x00"))
    return at


def _by_magic(head: bytes) -> str | None:
    chunked = _CHUNKED.get((head[:4], head[8:12]))
    if chunked:
        return chunked
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "webm" if b"webm" in head[:64] else "matroska"
    for offset, magic, container in _MAGIC:
        if head[offset : offset + len(magic)] == magic:
            return container
    return "mpegts" if _is_transport_stream(head) else None


def _is_transport_stream(head: bytes) -> bool:
    for length, offset in _TS_PACKETS:
        syncs = head[offset : offset + 5 * length : length]
        if len(syncs) >= 3 and set(syncs) == {0x47}:
            return True
    return False
