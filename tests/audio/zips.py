"""Zips that no honest program writes."""

from __future__ import annotations

import io
import stat
import struct
import zipfile
from pathlib import Path


def packed(path: Path, *entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    """An honest zip of named bytes."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in entries:
            archive.writestr(zipfile.ZipInfo(name), data, method)
    return path


def overlapping(path: Path, data: bytes, count: int) -> Path:
    """``count`` entries, all of which inflate the same bytes."""
    packed(path, ("a.wav", data))
    whole = path.read_bytes()
    at, size, _ = _end(whole)
    table = whole[at : at + size] * count
    path.write_bytes(whole[:at] + table + _end_record(count, len(table), at))
    return path


def listing(path: Path, count: int, announced: int | None = None) -> Path:
    """A zip whose table of contents has ``count`` entries, announced as any number."""
    packed(path, ("a.wav", b"RIFF"))
    whole = path.read_bytes()
    at, size, _ = _end(whole)
    table = whole[at : at + size] * count
    path.write_bytes(whole[:at] + table + _end_record(announced or 1, len(table), at))
    return path


def patched(path: Path, local: dict[int, bytes], central: dict[int, bytes]) -> Path:
    """The first entry's headers with bytes replaced, by offset into each."""
    whole = bytearray(path.read_bytes())
    at, _, _ = _end(bytes(whole))
    for start, patches in ((0, local), (at, central)):
        for offset, data in patches.items():
            whole[start + offset : start + offset + len(data)] = data
    path.write_bytes(whole)
    return path


def linking(path: Path, name: str, target: str) -> Path:
    """A zip with a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(info, target)
    return path


def nested(depth: int, data: bytes) -> bytes:
    """A zip in a zip in a zip."""
    for _ in range(depth):
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("inner.zip", data)
        data = file.getvalue()
    return data


def _end(whole: bytes) -> tuple[int, int, int]:
    """Where the table starts, its size, and the record's place."""
    place = whole.rindex(b"PK\x05\x06")
    size, at = struct.unpack_from("<2L", whole, place + 12)
    return at, size, place


def _end_record(count: int, size: int, at: int) -> bytes:
    few = min(count, 0xFFFF)
    return struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, few, few, size, at, 0)
