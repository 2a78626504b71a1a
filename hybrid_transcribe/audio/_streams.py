"""Streams without a header at their front, which may begin anywhere: a broadcast, a cut file.

They are told by packets or frames that follow each other at the distance they state.
"""

from __future__ import annotations

from collections.abc import Callable

from hybrid_transcribe.audio._mpeg import MAX_JUNK

# Packet length of MPEG transport streams: plain, with a time code before each packet, with
# error correction behind each.
_TS_PACKETS = (188, 192, 204)
_TS_SYNC = 0x47  # "G"

# So many packets in a row: 5 sync bytes at a fixed distance are met by chance once in 2^40.
_TS_CHAIN = 5

# Frames in a row that are believed, as with MPEG audio.
_CHAIN = 3

#: AC-3: kilobits per second by half the header's frame size code (ATSC A/52, table 5.18).
_AC3_KBPS = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)

# The bytes that a frame's header needs.
_HEADER_BYTES = 8

_LengthOf = Callable[[bytes], "int | None"]


def find(data: bytes) -> str | None:
    """The container of a stream that has begun within `MAX_JUNK` bytes of ``data``, or None."""
    if any(_has_packets(data, length) for length in _TS_PACKETS):
        return "mpegts"
    for container, sync, length_of in _FRAMES:
        if _has_frames(data, sync, length_of):
            return container
    if _has_pack(data):
        return "mpegps"
    return "flac-frames" if _has_flac_frames(data) else None


def _has_packets(data: bytes, length: int) -> bool:
    """Do transport packets of this length follow each other somewhere in ``data``?"""
    at = data.find(_TS_SYNC)
    while 0 <= at < MAX_JUNK:
        syncs = data[at : at + length * _TS_CHAIN : length]
        # A file may be shorter than the chain, if it begins with one.
        enough = len(syncs) == _TS_CHAIN or (at < length and len(syncs) >= 3)
        if enough and syncs.count(_TS_SYNC) == len(syncs) and len(set(data[at : at + 32])) > 1:
            return True
        at = data.find(_TS_SYNC, at + 1)
    return False


def _has_frames(data: bytes, sync: bytes, length_of: _LengthOf) -> bool:
    """Do frames of one kind follow each other somewhere in ``data``?"""
    at = data.find(sync)
    while 0 <= at < MAX_JUNK:
        if _chain(data, at, sync, length_of):
            return True
        at = data.find(sync, at + 1)
    return False


def _chain(data: bytes, at: int, sync: bytes, length_of: _LengthOf) -> bool:
    for _ in range(_CHAIN):
        header = data[at : at + _HEADER_BYTES]
        if not header.startswith(sync) or len(header) < _HEADER_BYTES:
            return False
        length = length_of(header)
        if length is None:
            return False
        at += length
    return True


def ac3_length(header: bytes) -> int | None:
    """Length in bytes of the AC-3 frame that this header begins, None for no header."""
    rate_index, size_index, version = header[4] >> 6, header[4] & 63, header[5] >> 3
    if rate_index == 3 or size_index >= 2 * len(_AC3_KBPS) or version > 10:
        return None
    kbps = _AC3_KBPS[size_index >> 1]
    # 1,536 samples a frame, in words of 16 bits; at 44.1 kHz an odd code has one word more.
    words = (96 * kbps // 48, 96 * kbps * 10 // 441 + (size_index & 1), 96 * kbps // 32)
    return 2 * words[rate_index]


def eac3_length(header: bytes) -> int | None:
    """The same for Enhanced AC-3."""
    version, length = header[5] >> 3, 2 * (((header[2] & 7) << 8 | header[3]) + 1)
    return length if 10 < version <= 16 and length >= _HEADER_BYTES else None


def latm_length(header: bytes) -> int | None:
    """The same for AAC in LATM, with its LOAS header."""
    if header[1] & 0xE0 != 0xE0:
        return None
    length = (header[1] & 0x1F) << 8 | header[2]
    return length + 3 if length >= 4 else None


def dts_length(header: bytes) -> int | None:
    """The same for DTS."""
    length = ((header[5] & 3) << 12 | header[6] << 4 | header[7] >> 4) + 1
    return length if length >= 96 else None


def _has_pack(data: bytes) -> bool:
    """Is there a pack header of a program stream, with its marker bits (ISO 13818-1, 2.5.3.4)?"""
    at = data.find(_PACK)
    while 0 <= at < MAX_JUNK:
        head = data[at + 4 : at + 10]
        if len(head) == 6 and (
            (head[0] & 0xC4 == 0x44 and head[2] & 4 and head[4] & 4 and head[5] & 1)
            or (head[0] & 0xF1 == 0x21 and head[2] & 1 and head[4] & 1)
        ):
            return True
        at = data.find(_PACK, at + 1)
    return False


def _has_flac_frames(data: bytes) -> bool:
    """Are there two headers of FLAC frames of one shape? They do not state their length."""
    shapes: set[bytes] = set()
    at = data.find(b"\xff")
    while 0 <= at < MAX_JUNK:
        shape = _flac_shape(data[at : at + 16])
        if shape is not None:
            if shape in shapes:
                return True
            shapes.add(shape)
        at = data.find(b"\xff", at + 1)
    return False


def _flac_shape(header: bytes) -> bytes | None:
    """Block size, rate, channels and bits of a FLAC frame's header, if its checksum is right."""
    if len(header) < 16 or header[1] & 0xFE != 0xF8 or header[3] & 1:
        return None
    size_code, rate_code = header[2] >> 4, header[2] & 15
    if size_code == 0 or rate_code == 15 or header[3] >> 4 > 10:
        return None
    first = header[4]
    if first < 0x80:
        n_number = 1
    elif 0xC0 <= first < 0xFF:
        n_number = 8 - (first ^ 0xFF).bit_length()
    else:
        return None
    end = 4 + n_number + {6: 1, 7: 2}.get(size_code, 0) + {12: 1, 13: 2, 14: 2}.get(rate_code, 0)
    if end >= len(header) or _crc8(header[:end]) != header[end]:
        return None
    return bytes(header[2:4])


def _crc8(data: bytes) -> int:
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = (value << 1 ^ 0x07) & 0xFF if value & 0x80 else value << 1
    return value


_PACK = b"\x00\x00\x01\xba"

_FRAMES: tuple[tuple[str, bytes, _LengthOf], ...] = (
    ("ac3", b"\x0b\x77", ac3_length),
    ("eac3", b"\x0b\x77", eac3_length),
    ("latm", b"\x56", latm_length),
    ("dts", b"\x7f\xfe\x80\x01", dts_length),
)
