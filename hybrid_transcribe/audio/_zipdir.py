"""A zip's table of contents, walked before the standard library believes it.

`zipfile` builds an object for every entry the table holds, whatever number it announces, so
that a table of millions would fill the memory before anyone could count.
"""

from __future__ import annotations

import os
import struct
from typing import BinaryIO
from zipfile import ZipInfo

from hybrid_transcribe.errors import BrokenArchive
from hybrid_transcribe.messages import UserMessage

_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")
_ENTRY_BYTES = 46
_LOCAL_BYTES = 30
_MAX_COMMENT = 65_535


def count_entries(file: BinaryIO, limit: int, display_name: str) -> int:
    """The entries the table really has. Raises BrokenArchive beyond ``limit``, or without table."""
    start, size, announced = _table(file, display_name)
    if announced > limit:
        raise _too_many(announced, limit, display_name)
    file.seek(start)
    at = count = 0
    while at + _ENTRY_BYTES <= size:
        head = file.read(_ENTRY_BYTES)
        if len(head) < _ENTRY_BYTES or head[:4] != b"PK\x01\x02":
            break
        rest = sum(struct.unpack_from("<3H", head, 28))
        file.seek(rest, os.SEEK_CUR)
        at += _ENTRY_BYTES + rest
        count += 1
        if count > limit:
            raise _too_many(max(count, announced), limit, display_name)
    return count


def check_overlaps(entries: list[ZipInfo], end: int, display_name: str) -> None:
    """Raise BrokenArchive when two entries share bytes, as bombs do: the standard library
    before 3.11.8 inflates them. ``end`` is where the table of contents begins."""
    ordered = sorted(entries, key=lambda e: e.header_offset)
    ends = [e.header_offset + _LOCAL_BYTES + e.compress_size for e in ordered]
    # One start more than ends where there are no entries: an empty zip overlaps nothing.
    starts = [e.header_offset for e in ordered[1:]] + [end]
    for entry_end, next_start in zip(ends, starts, strict=False):
        if entry_end > next_start:
            raise BrokenArchive(UserMessage("zip_overlap", name=display_name))


def _table(file: BinaryIO, display_name: str) -> tuple[int, int, int]:
    """Where the table starts, its size in bytes, the entries it announces."""
    size = file.seek(0, os.SEEK_END)
    tail_at = max(0, size - _END.size - _MAX_COMMENT)
    file.seek(tail_at)
    tail = file.read()
    # As the standard library looks for it: at the very end first, else the last one.
    at = len(tail) - _END.size
    if at < 0 or tail[at : at + 4] != b"PK\x05\x06" or tail[-2:] != b"\x00\x00":
        at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END.size > len(tail):
        raise BrokenArchive(UserMessage("zip_no_table", name=display_name))
    fields = _END.unpack_from(tail, at)
    table_size, announced, end = fields[5], fields[4], tail_at + at
    large = _table_64(file, end)
    if large:
        table_size, announced, end = large
    if table_size > end:
        raise BrokenArchive(UserMessage("zip_cut_table", name=display_name))
    return end - table_size, table_size, announced


def _table_64(file: BinaryIO, end: int) -> tuple[int, int, int] | None:
    """The same from the record for large zips, which lies before ``end``, if there is one."""
    at = end - _LOCATOR_64.size - _END_64.size
    if at < 0:
        return None
    file.seek(at)
    record = file.read(_END_64.size + _LOCATOR_64.size)
    if record[:4] != b"PK\x06\x06" or record[_END_64.size :][:4] != b"PK\x06\x07":
        return None
    fields = _END_64.unpack_from(record)
    return fields[8], fields[7], at


def _too_many(count: int, limit: int, display_name: str) -> BrokenArchive:
    return BrokenArchive(UserMessage("zip_entries", name=display_name, n=count, most=limit))
