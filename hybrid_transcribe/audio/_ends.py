"""Does a recording end where its file says that it ends?"""

from __future__ import annotations

import os
from collections.abc import Callable

from hybrid_transcribe.audio import _mpeg, _sandbox, _streams

# An Ogg page has at most 255 segments of 255 bytes behind a header of 27 + 255.
_OGG_PAGE_BYTES = 65_307

#: Length in bytes of a frame, from its first eight.
FRAME_LENGTHS: dict[str, Callable[[bytes], int | None]] = {
    "aac": _mpeg.adts_length,
    "mp3": _mpeg.mpeg_length,
    "ac3": _streams.ac3_length,
    "eac3": _streams.eac3_length,
    "latm": _streams.latm_length,
    "dts": _streams.dts_length,
}

# Track number, time and flags: what FFmpeg counts as the place of a block's packet is its start.
_BLOCK_HEADER_BYTES = 4

# Elements of Matroska that may follow a block: at most a handful, and never deep.
_MOST_ELEMENTS = 10_000


def promised_s(
    recording: _sandbox.Admitted, start_s: float, header_end_s: float | None, end_s: float
) -> float | None:
    """Where the recording should end, by its length or its size; None where neither is stated.

    ``header_end_s`` is what the header states; ``start_s`` and ``end_s`` are where the sound
    really began and ended.
    """
    promised, size = recording.header.promised_bytes, recording.size
    if recording.container == "mp4":
        # In fragments the length grows as they come.
        return None if recording.header.is_open else header_end_s
    if promised is None:
        return header_end_s
    # All of its bytes are here: what the lengths in it say is no evidence of a cut.
    return None if promised <= size else start_s + (end_s - start_s) * promised / size


def breaks_off(
    recording: _sandbox.Admitted, last_packet: tuple[int, int] | None, has_length: bool
) -> bool:
    """Does the file stop in the middle of something that it began, and usually ends well?

    ``has_length``: its header states one, which was kept, and is better evidence.
    """
    try:
        if recording.container == "ogg":
            return _ogg_breaks_off(recording)
        if recording.container == "mp4" and recording.header.is_open:
            return (recording.header.promised_bytes or 0) > recording.size
        is_matroska = recording.container in ("webm", "matroska")
        if is_matroska and not has_length and last_packet is not None:
            return _matroska_breaks_off(recording, sum(last_packet) + _BLOCK_HEADER_BYTES)
    except OSError:
        pass
    return False


def ends_within_a_frame(recording: _sandbox.Admitted, last_packet: tuple[int, int] | None) -> bool:
    """Is the last frame longer than what is left of the file? Streams are often cut so."""
    length_of = FRAME_LENGTHS.get(recording.container)
    if length_of is None or last_packet is None:
        return False
    at = last_packet[0]
    try:
        with recording.path.open("rb") as file:
            file.seek(recording.start + at)
            header = file.read(8)
    except OSError:
        return False
    length = length_of(header) if len(header) == 8 else None
    return length is not None and at + length > recording.size


def _ogg_breaks_off(recording: _sandbox.Admitted) -> bool:
    with recording.path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        at = max(recording.start, size - 2 * _OGG_PAGE_BYTES)
        file.seek(at)
        data = file.read()
    page = data.rfind(b"OggS\x00")
    if page < 0:
        return False
    head = data[page : page + 27]
    if len(head) < 27:
        return True
    table = data[page + 27 : page + 27 + head[26]]
    return len(table) < head[26] or page + 27 + len(table) + sum(table) > len(data)


def _matroska_breaks_off(recording: _sandbox.Admitted, behind_block: int) -> bool:
    """Walk the elements behind the last block: does one reach beyond the end of the file?"""
    at = recording.start + behind_block
    size = recording.start + recording.size
    with recording.path.open("rb") as file:
        for _ in range(_MOST_ELEMENTS):
            if at >= size:
                return False
            file.seek(at)
            head = file.read(12)
            id_bytes = _vint_bytes(head[:1])
            if not 1 <= id_bytes <= 4 or len(head) < id_bytes + 1:
                # No element: damage, or a block header that FFmpeg counts otherwise.
                return len(head) < 2
            length_bytes = _vint_bytes(head[id_bytes : id_bytes + 1])
            if not length_bytes or len(head) < id_bytes + length_bytes:
                return False
            value = int.from_bytes(head[id_bytes : id_bytes + length_bytes], "big")
            value &= (1 << 7 * length_bytes) - 1
            at += id_bytes + length_bytes
            if value != (1 << 7 * length_bytes) - 1:  # All ones: unknown, its children follow.
                at += value
            if at > size:
                return True
    return False


def _vint_bytes(first: bytes) -> int:
    """Bytes of an EBML number, by its first byte; 0 for none."""
    return 9 - first[0].bit_length() if first and first[0] else 0
