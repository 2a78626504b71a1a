"""Frame headers of MPEG audio (MP1, MP2, MP3) and of AAC in ADTS, read in pure Python.

Neither has a magic number: a file is believed when several frames follow each other exactly.
"""

from __future__ import annotations

from collections.abc import Callable

# A frame's first bytes to its length in bytes and what all frames of a file share.
_LengthOf = Callable[[bytes], "tuple[int, tuple[int, ...]] | None"]

# Kilobits per second by (MPEG-1?, layer), for the header's bitrate index 1..14.
_KBPS = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# Hertz by the header's version bits (1 is reserved).
_RATES_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}

#: Frames that must follow each other before a file is believed; random bytes manage one
#: in about ten million searches of this length.
CHAIN = 3

#: How far into a file the first frame may lie: FFmpeg's own reader skips as much.
MAX_JUNK = 64 * 1024


def find(data: bytes, whole: bool) -> str | None:
    """``"mp3"`` or ``"aac"`` when a chain of frames starts within ``data``, else None.

    ``whole`` says that ``data`` reaches the end of the file, where a shorter chain counts
    if it starts at the first byte.
    """
    for kind, length_of in (("aac", _adts_length), ("mp3", _mpeg_length)):
        if whole and _frames(data, 0, length_of, to_end=True):
            return kind
    at = data.find(b"\xff")
    while 0 <= at < MAX_JUNK:
        for kind, length_of in (("aac", _adts_length), ("mp3", _mpeg_length)):
            if _frames(data, at, length_of, to_end=False):
                return kind
        at = data.find(b"\xff", at + 1)
    return None


def _frames(data: bytes, at: int, length_of: _LengthOf, *, to_end: bool) -> bool:
    """Do CHAIN frames of one kind lie at ``at``, or fewer that end with the data?"""
    seen, kind = 0, None
    while seen < CHAIN:
        head = length_of(data[at : at + 6])
        if head is None or (kind is not None and head[1] != kind):
            # The last 128 bytes of an MP3 may be a tag.
            return to_end and seen > 0 and (at >= len(data) or data[at : at + 3] == b"TAG")
        kind = head[1]
        at += head[0]
        seen += 1
    return True


def _mpeg_length(head: bytes) -> tuple[int, tuple[int, ...]] | None:
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return None
    version, layer = head[1] >> 3 & 3, 4 - (head[1] >> 1 & 3)
    index, rate_index, padding = head[2] >> 4, head[2] >> 2 & 3, head[2] >> 1 & 1
    if version == 1 or layer == 4 or index in (0, 15) or rate_index == 3:
        return None
    rate_hz = _RATES_HZ[version][rate_index]
    bits_per_s = _KBPS[version == 3, layer][index - 1] * 1000
    if layer == 1:
        length = (12 * bits_per_s // rate_hz + padding) * 4
    else:
        length = (72 if layer == 3 and version != 3 else 144) * bits_per_s // rate_hz + padding
    return length, (version, layer, rate_hz)


def _adts_length(head: bytes) -> tuple[int, tuple[int, ...]] | None:
    if len(head) < 6 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return None
    profile, rate_index = head[2] >> 6, head[2] >> 2 & 15
    length = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    if rate_index > 12 or length < 7:
        return None
    return length, (head[1] & 8, profile, rate_index)


def mpeg_length(header: bytes) -> int | None:
    """Length in bytes of the MPEG audio frame that this header begins, None for no header."""
    result = _mpeg_length(header)
    return result[0] if result else None


def adts_length(header: bytes) -> int | None:
    """The same for AAC in ADTS."""
    result = _adts_length(header)
    return result[0] if result else None
