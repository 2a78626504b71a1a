"""A look at an MP4's tables before FFmpeg builds memory from them.

Its reader makes 24 bytes of index for every sample the tables claim: 677 bytes of file that
claim 80 million samples take 2 GB as soon as they are opened, once for every track.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO

from hybrid_transcribe.errors import BrokenMedia, UnsafeInput
from hybrid_transcribe.messages import UserMessage

# moov, trak, mdia, minf, stbl: no table lies deeper.
_MAX_DEPTH = 8

_FOLDERS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf"))


def check_tables(file: BinaryIO, start: int, size: int, max_tracks: int, display_name: str) -> None:
    """Look at the MP4 that begins at byte ``start`` of a file of ``size`` bytes.

    Raises UnsafeInput for more tracks than allowed, or more samples than there are bytes;
    BrokenMedia for one without an index.
    """
    tracks = samples = 0
    has_index = False
    for kind, body in _boxes(file, start, size):
        has_index |= kind in (b"moov", b"moof")
        if kind == b"cmov":
            raise UnsafeInput(UserMessage("packed_index", name=display_name))
        tracks += kind == b"trak"
        samples += _claimed(file, kind, body)
        if tracks > max_tracks:
            raise UnsafeInput(UserMessage("more_streams", name=display_name, n=max_tracks))
        if samples > size:
            raise UnsafeInput(UserMessage("false_index", name=display_name))
    if not has_index:
        raise BrokenMedia(UserMessage("no_index", name=display_name))


def _claimed(file: BinaryIO, kind: bytes, body: int) -> int:
    """Samples that a table claims without spending bytes on each."""
    if kind not in (b"stsz", b"trun"):
        return 0
    file.seek(body)
    head = file.read(12)
    if len(head) < 12:
        return 0
    _, first, second = struct.unpack(">3L", head)
    if kind == b"trun":
        return int(first)
    return int(second) if first else 0


def _boxes(file: BinaryIO, start: int, end: int, depth: int = 0) -> Iterator[tuple[bytes, int]]:
    """Every box from ``start`` to ``end``, and those inside its folders: kind and body."""
    at = start
    while at + 8 <= end:
        file.seek(at)
        head = file.read(16)
        if len(head) < 8:
            return
        length, kind, body = int.from_bytes(head[:4], "big"), head[4:8], at + 8
        if length == 1:
            length, body = int.from_bytes(head[8:16], "big"), at + 16
        stop = end if length == 0 else min(end, at + length)
        if stop < body:
            return
        yield kind, body
        if kind in _FOLDERS and depth < _MAX_DEPTH:
            yield from _boxes(file, body, stop, depth + 1)
        at = stop
