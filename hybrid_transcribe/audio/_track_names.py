"""What a field recorder calls its tracks: iXML and bext chunks of a WAV.

iXML has ``<TRACK>`` elements with the index of the channel (from 1) and a name; older recorders
write lines such as ``sTRK1=Ana`` into the description of the Broadcast Wave extension (EBU Tech
3285).
"""

from __future__ import annotations

import re
import struct
from html import unescape
from typing import BinaryIO

from hybrid_transcribe.core import names

# Chunks are looked at up to so many, and so far into each.
_MOST_CHUNKS, _MOST_BYTES = 1000, 256 * 1024

# The description of a bext chunk.
_DESCRIPTION_BYTES = 256

_TRACK = re.compile(r"<TRACK>(.*?)</TRACK>", re.DOTALL | re.IGNORECASE)
_LINE = re.compile(r"^\s*[sz]?TRK(\d{1,2})=(.*)$", re.MULTILINE | re.IGNORECASE)

# What says no more than the number does.
_NO_NAME = re.compile(
    r"(tr(ac)?k?|ch(annel)?|in(put)?|mic|line|iso|mix|st|lr|ms)?[ _.#-]*([0-9]{1,2}|[lr]|left|right"
    r"|mono|stereo|mid|side)?",
    re.IGNORECASE,
)

#: Most characters of a name.
MOST_NAME = 40


def read(file: BinaryIO, start: int, n_channels: int) -> tuple[str, ...]:
    """A name for each channel of the WAV at byte ``start``; empty where it says none.

    No two are alike.
    """
    try:
        chunks = _chunks(file, start)
    except (OSError, struct.error):
        chunks = {}
    mapping = _bext(chunks.get(b"bext", b"")) | _ixml(chunks.get(b"iXML", b""))
    cleaned = [_cleaned(mapping.get(number, "")) for number in range(1, n_channels + 1)]
    return tuple(
        name if name and [n.casefold() for n in cleaned].count(name.casefold()) == 1 else ""
        for name in cleaned
    )


def _chunks(file: BinaryIO, start: int) -> dict[bytes, bytes]:
    """The beginnings of the chunks that hold names."""
    file.seek(start)
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RF64", b"BW64", b"RIFX") or head[8:] != b"WAVE":
        return {}
    order = ">" if head[:4] == b"RIFX" else "<"
    at, large, chunks = start + 12, None, dict[bytes, bytes]()
    for _ in range(_MOST_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8:
            break
        name, length = head[:4], struct.unpack(order + "L", head[4:])[0]
        if name == b"ds64":
            large = struct.unpack("<Q", file.read(16)[8:])[0]
        elif name == b"data" and length == 0xFFFFFFFF and large is not None:
            length = large
        elif name in (b"bext", b"iXML"):
            chunks[name] = file.read(min(length, _MOST_BYTES))
        at += 8 + length + length % 2
    return chunks


def _ixml(data: bytes) -> dict[int, str]:
    result: dict[int, str] = {}
    for track in _TRACK.findall(data.decode("utf-8", "replace")):
        number = _element(track, "INTERLEAVE_INDEX") or _element(track, "CHANNEL_INDEX")
        if number.isdecimal():
            result[int(number)] = _element(track, "NAME")
    return result


def _element(text: str, name: str) -> str:
    match = re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL | re.IGNORECASE)
    return unescape(match[1]).strip() if match else ""


def _bext(data: bytes) -> dict[int, str]:
    text = data[:_DESCRIPTION_BYTES].split(b"\x00")[0].decode("utf-8", "replace")
    return {int(number): name.strip() for number, name in _LINE.findall(text)}


def _cleaned(text: str) -> str:
    """As a speaker may be called; empty for what is no name."""
    text = text.strip()
    if not text or _NO_NAME.fullmatch(text):
        return ""
    return names.display_name(text, "")[:MOST_NAME].strip()
