"""What the header of a container says about its size, where FFmpeg would not tell.

FFmpeg cuts a stated length down to the bytes that there are without a word, and stops a WAV at
the length that its header states, though the sound may go on.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

# Sizes that mean "not known", as programs write them that cannot go back to the header: 0,
# 0xFFFFFFFF, and from 2 GiB less a header down to where SoX and arecord begin.
_UNKNOWN_32 = 0x7FFF0000

# A WAV's header is short by at least so much before its length is not believed, in bytes:
# padding, and the tail of a broken tag, are no sound.
_LEAST_SOUND_BYTES = 4096

_MAX_CHUNKS = 1000


@dataclass(frozen=True, slots=True)
class Header:
    """What a header promises.

    Attributes:
        promised_bytes: size of the whole container, None where it is not stated.
        is_short: there is more sound behind the stated end (WAV only).
        is_open: it states no length: the sound of a WAV goes on to the end of the file, an MP4
            in fragments to the last of them.
    """

    promised_bytes: int | None = None
    is_short: bool = False
    is_open: bool = False


def read(file: BinaryIO, container: str, start: int, size: int) -> Header:
    """The header of the container at byte ``start`` of a file of ``size`` bytes."""
    reader = _READERS.get(container)
    if reader is None:
        return Header()
    try:
        return reader(file, start, size)
    except (struct.error, ValueError, OSError, IndexError):
        return Header()


def _at(file: BinaryIO, at: int, count: int) -> bytes:
    file.seek(at)
    return file.read(count)


def _wav(file: BinaryIO, start: int, size: int) -> Header:
    head = _at(file, start, 12)
    order = ">" if head[:4] == b"RIFX" else "<"
    large = _ds64(file, start) if head[:4] in (b"RF64", b"BW64") else None
    at = start + 12
    for _ in range(_MAX_CHUNKS):
        chunk = _at(file, at, 8)
        if len(chunk) < 8:
            return Header()
        length = struct.unpack(order + "L", chunk[4:])[0]
        if chunk[:4] == b"data":
            if length == 0xFFFFFFFF and large is not None:
                length = large
            return _wav_data(file, start, size, at + 8, length)
        at += 8 + length + length % 2
    return Header()


def _ds64(file: BinaryIO, start: int) -> int | None:
    """Size of the data chunk of an RF64, in bytes."""
    chunk = _at(file, start + 12, 28)
    return struct.unpack("<Q", chunk[16:24])[0] if chunk[:4] == b"ds64" else None


def _wav_data(file: BinaryIO, start: int, size: int, at: int, length: int) -> Header:
    end = at + length
    if length == 0 or (length >= _UNKNOWN_32 and length < 2**32 and end > size):
        return Header(is_open=_is_sound(file, at, size))
    if end > size:
        return Header(promised_bytes=end - start)
    return Header(promised_bytes=end - start, is_short=_is_sound(file, end + length % 2, size))


def _is_sound(file: BinaryIO, at: int, size: int) -> bool:
    """Are the bytes from here to the end of the file sound, rather than other chunks?"""
    if size - at < _LEAST_SOUND_BYTES:
        return False
    for _ in range(_MAX_CHUNKS):
        chunk = _at(file, at, 8)
        if len(chunk) < 8 or at >= size - 8:
            return False
        name, length = chunk[:4], struct.unpack("<L", chunk[4:])[0]
        if not (name.isascii() and name.replace(b" ", b"").isalnum() and at + length <= size):
            return True
        at += 8 + length + length % 2
    return False


def _riff(file: BinaryIO, start: int, size: int) -> Header:
    length = struct.unpack("<L", _at(file, start + 4, 4))[0]
    is_stated = 0 < length < _UNKNOWN_32
    return Header(length + 8 if is_stated else None)


def _form(file: BinaryIO, start: int, size: int) -> Header:
    length = struct.unpack(">L", _at(file, start + 4, 4))[0]
    is_stated = 0 < length < _UNKNOWN_32
    return Header(length + 8 if is_stated else None)


def _w64(file: BinaryIO, start: int, size: int) -> Header:
    return _stated(struct.unpack("<Q", _at(file, start + 16, 8))[0])


def _dsf(file: BinaryIO, start: int, size: int) -> Header:
    return _stated(struct.unpack("<Q", _at(file, start + 12, 8))[0])


def _caf(file: BinaryIO, start: int, size: int) -> Header:
    at = start + 8
    for _ in range(_MAX_CHUNKS):
        chunk = _at(file, at, 12)
        if len(chunk) < 12:
            break
        length = struct.unpack(">q", chunk[4:])[0]
        if length < 0:  # Only of the data, which then go on to the end.
            break
        at += 12 + length
    return _stated(at - start)


# ASF's File Properties Object, and the flag of a broadcast, whose sizes are not known.
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_ASF_BROADCAST = 1


def _asf(file: BinaryIO, start: int, size: int) -> Header:
    head = _at(file, start, 64 * 1024)
    at = head.find(_ASF_PROPERTIES)
    if at < 0:
        return Header()
    length = struct.unpack_from("<Q", head, at + 40)[0]
    flags = struct.unpack_from("<L", head, at + 88)[0]
    return Header() if flags & _ASF_BROADCAST else _stated(length)


def _mp4(file: BinaryIO, start: int, size: int) -> Header:
    at, is_fragmented = start, False
    for _ in range(_MAX_CHUNKS * 100):
        if at + 8 > size:
            break
        head = _at(file, at, 16)
        length = int.from_bytes(head[:4], "big")
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        is_fragmented |= head[4:8] == b"moof"
        # 0 goes up to the end, and what is no box is no promise.
        if length < 8 or not head[4:8].isalnum():
            return Header(is_open=is_fragmented)
        at += length
    return Header(promised_bytes=at - start, is_open=is_fragmented)


def _stated(length: int) -> Header:
    return Header(length if 0 < length < 2**62 else None)


_READERS: dict[str, Callable[[BinaryIO, int, int], Header]] = {
    "aiff": _form,
    "asf": _asf,
    "avi": _riff,
    "caf": _caf,
    "dsf": _dsf,
    "mp4": _mp4,
    "w64": _w64,
    "wav": _wav,
}
