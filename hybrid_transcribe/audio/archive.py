"""Zips into recordings, trusting nothing they say about themselves.

What is wrong with one entry rejects that entry. What is wrong with the whole (no zip, a bomb)
raises BrokenArchive and leaves nothing behind.
"""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from hybrid_transcribe.audio import _zipdir, _zipnames
from hybrid_transcribe.audio.sniff import EXTENSIONS, sniff
from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.core import names
from hybrid_transcribe.errors import (
    BrokenArchive,
    EmptyInput,
    HybridTranscribeError,
    InputMissing,
    TooLarge,
    TooMany,
    UnsafeInput,
    UnsupportedMedia,
    check_descriptors,
)
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.types import Rejection

#: So much may come out of a zip before the ratio counts: silence packs very well.
FREE_BYTES = 64 * MIB

_READ_BYTES = 64 * 1024

# Small where the standard library unpacks all that it reads at once: 4 KiB of bzip2 may hold
# 90 MB, 64 KiB more than a gigabyte.
_CAUTIOUS_BYTES = 4096

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_ARCHIVES = frozenset((".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst"))
_LITTER = frozenset(("thumbs.db", "desktop.ini"))
_ENCRYPTED = 0x1 | 0x40 | 0x2000

# All that the standard library raises over a damaged zip; it documents only the first.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    ValueError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    OverflowError,
)


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A recording taken out of a zip: its name for people, and where it lies now."""

    name: str
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Unpacked:
    """What a zip held.

    Attributes:
        entries: recordings, in its own order.
        rejected: what was turned away, and why.
        other: names of what never called itself a recording and is none (notes, covers).
    """

    entries: tuple[ArchiveEntry, ...]
    rejected: tuple[Rejection, ...]
    other: tuple[str, ...] = ()


def unpack(
    zip_path: str | os.PathLike[str],
    into: Path,
    settings: Settings,
    *,
    name: str | None = None,
    max_files: int | None = None,
) -> Unpacked:
    """Write the recordings of a zip under random names into the folder ``into``.

    ``name`` is what messages call the zip. Folders, hidden files and what systems leave lying
    about are passed over; what is no recording is rejected only where its extension says that it
    is one, as in folders; entries beyond ``max_files`` are rejected unread. Raises InputMissing;
    TooLarge; BrokenArchive, having removed all it wrote; OSError when writing fails, likewise.
    """
    place = Path(zip_path)
    display_name = names.display_name(place.name if name is None else name, "archive")
    try:
        file = place.open("rb")
    except OSError as error:
        check_descriptors(error)
        raise InputMissing(
            UserMessage("unreadable", name=display_name, why=known_phrase(error.strerror))
        ) from error
    with file:
        packed_bytes = os.fstat(file.fileno()).st_size
        if packed_bytes > settings.archive_max_bytes:
            raise TooLarge(
                UserMessage(
                    "too_large",
                    name=display_name,
                    n=packed_bytes / MIB,
                    most=settings.archive_max_bytes / MIB,
                )
            )
        with _table(file, display_name, settings) as archive:
            return _Unpacking(archive, into, display_name, settings, packed_bytes, max_files).run()


def _table(file: BinaryIO, display_name: str, settings: Settings) -> zipfile.ZipFile:
    """The zip, its table of contents read and found sane. Raises BrokenArchive."""
    try:
        _zipdir.count_entries(file, settings.archive_max_entries, display_name)
        archive = zipfile.ZipFile(file)
        entries = archive.infolist()
    except (*_DAMAGE, OSError) as error:
        raise BrokenArchive(UserMessage("zip_damaged", name=display_name, why=error)) from error
    if len(entries) > settings.archive_max_entries:
        raise BrokenArchive(
            UserMessage(
                "zip_entries", name=display_name, n=len(entries), most=settings.archive_max_entries
            )
        )
    _zipdir.check_overlaps(entries, archive.start_dir, display_name)
    _zipnames.decode_names(entries)
    return archive


class _Bomb(BrokenArchive):
    """The whole zip is refused, not one entry."""


class _Unpacking:
    """One zip on its way out; counts what is really written."""

    def __init__(
        self,
        archive: zipfile.ZipFile,
        into: Path,
        display_name: str,
        settings: Settings,
        packed_bytes: int,
        max_files: int | None,
    ) -> None:
        self._archive, self._into, self._display_name = archive, into, display_name
        self._settings, self._packed_bytes, self._max_files = settings, packed_bytes, max_files
        self._total = 0
        self._entries: list[ArchiveEntry] = []
        self._rejected: list[Rejection] = []
        self._other: list[str] = []

    def run(self) -> Unpacked:
        try:
            for info in self._archive.infolist():
                if not _passed_over(info):
                    self._consider(info)
        except BaseException:
            for entry in self._entries:
                entry.path.unlink(missing_ok=True)
            raise
        return Unpacked(tuple(self._entries), tuple(self._rejected), tuple(self._other))

    def _consider(self, info: zipfile.ZipInfo) -> None:
        display_name = names.display_name(info.filename)
        path = self._into / (names.new_id() + _extension(display_name))
        try:
            self._admit(info, display_name)
            size = self._write(info, path, display_name)
            recording = _is_recording(path, display_name)
        except _Bomb:
            path.unlink(missing_ok=True)
            raise
        except HybridTranscribeError as error:
            path.unlink(missing_ok=True)
            self._rejected.append(Rejection(display_name, error.info()))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        else:
            self._keep(ArchiveEntry(display_name, path, size), recording)

    def _keep(self, entry: ArchiveEntry, recording: bool) -> None:
        if recording:
            self._entries.append(entry)
        else:
            entry.path.unlink(missing_ok=True)
            self._other.append(entry.name)

    def _admit(self, info: zipfile.ZipInfo, display_name: str) -> None:
        """Raise what makes this entry one that is not even read."""
        mode = info.external_attr >> 16
        if stat.S_IFMT(mode) and not stat.S_ISREG(mode):
            raise UnsafeInput(UserMessage("zip_link", name=display_name))
        if info.flag_bits & _ENCRYPTED:
            raise BrokenArchive(UserMessage("zip_encrypted", name=display_name))
        if info.compress_type not in _METHODS:
            raise BrokenArchive(
                UserMessage("zip_method", name=display_name, method=info.compress_type)
            )
        if PurePosixPath(display_name.lower()).suffix in _ARCHIVES:
            raise BrokenArchive(UserMessage("zip_archive", name=display_name))
        if self._max_files is not None and len(self._entries) >= self._max_files:
            raise TooMany(UserMessage("zip_recordings", name=display_name, n=self._max_files))
        self._check_size(info, info.file_size, display_name)

    def _write(self, info: zipfile.ZipInfo, path: Path, display_name: str) -> int:
        """Unpack one entry, counting; returns its size in bytes."""
        written = 0
        with path.open("xb") as out:
            # Nobody else's, whatever the umask says.
            path.chmod(0o600)
            path.chmod(0o600)
            for data in _pieces(self._archive, info, display_name):
                written += len(data)
                self._total += len(data)
                self._check_size(info, written, display_name)
                out.write(data)
        return written

    def _check_size(self, info: zipfile.ZipInfo, size: int, display_name: str) -> None:
        limits, ratio = self._settings, self._settings.archive_max_ratio
        if size > FREE_BYTES and size > ratio * max(info.compress_size, 1):
            raise _Bomb(
                UserMessage("zip_bomb_entry", name=self._display_name, entry=display_name, n=ratio)
            )
        if self._total > FREE_BYTES and self._total > ratio * self._packed_bytes:
            raise _Bomb(UserMessage("zip_bomb", name=self._display_name, n=ratio))
        if self._total > limits.archive_max_bytes:
            raise _Bomb(
                UserMessage(
                    "zip_bomb_mib", name=self._display_name, n=limits.archive_max_bytes / MIB
                )
            )
        if size > limits.max_file_bytes:
            raise TooLarge(
                UserMessage(
                    "too_large", name=display_name, n=size / MIB, most=limits.max_file_bytes / MIB
                )
            )


def _pieces(archive: zipfile.ZipFile, info: zipfile.ZipInfo, display_name: str) -> Iterator[bytes]:
    """An entry's bytes as they are unpacked. Raises BrokenArchive where they are damaged."""
    try:
        mild = info.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
        with archive.open(info) as source:
            while data := source.read(_READ_BYTES if mild else _CAUTIOUS_BYTES):
                yield data
    except (*_DAMAGE, OSError) as error:
        raise BrokenArchive(
            UserMessage("zip_entry_damaged", name=display_name, why=error)
        ) from error


def _is_recording(path: Path, display_name: str) -> bool:
    """False for what never said it was one. Raises for what did and is none, and for zips."""
    try:
        container = sniff(path, display_name)
    except (EmptyInput, UnsafeInput, UnsupportedMedia):
        if _extension(display_name):
            raise
        return False
    if container == "zip":
        raise BrokenArchive(UserMessage("zip_zip", name=display_name))
    return True


def _passed_over(info: zipfile.ZipInfo) -> bool:
    """Folders, hidden files, and what macOS and Windows leave in every folder."""
    parts = [part for part in info.filename.replace("\\", "/").split("/") if part]
    if info.is_dir() or not parts:
        return True
    hidden = any(part.startswith(".") and part.strip(".") for part in parts)
    return hidden or "__MACOSX" in parts or parts[-1].lower() in _LITTER


def _extension(display_name: str) -> str:
    suffix = PurePosixPath(display_name.lower()).suffix
    return suffix if suffix in EXTENSIONS else ""
