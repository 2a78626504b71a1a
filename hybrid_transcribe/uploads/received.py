"""What one request brings, and how much and how slowly it may."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.core import names

KIB = 1024


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """Bounds of one request. Whatever is not a file is kept in memory, hence small.

    Attributes:
        body_bytes: the whole body.
        file_bytes: one file.
        files: files of one request.
        parallel: requests that may bring files at the same time, per folder.
        fields, field_bytes: how many fields a form may have, and the longest of them.
        json_bytes: a JSON or URL-encoded body, or all fields of a multipart one together.
        header_bytes: one header line of a part. A name of 4,000 characters fits.
        idle_s: longest wait for the next byte.
        least_bytes_per_s: slowest rate accepted, as the mean over ``window_s``.
    """

    body_bytes: int = 8192 * MIB
    file_bytes: int = 4096 * MIB
    files: int = 10_000
    parallel: int = 100
    fields: int = 200
    field_bytes: int = 64 * KIB
    json_bytes: int = MIB
    header_bytes: int = 16 * KIB
    # A phone at the edge of its network still sends 10 kB/s; nginx waits as long for a byte.
    idle_s: float = 60.0
    least_bytes_per_s: float = 1000.0
    window_s: float = 60.0

    @classmethod
    def of(cls, settings: Settings) -> UploadLimits:
        """The limits that the settings ask for."""
        return cls(
            body_bytes=settings.max_upload_bytes,
            file_bytes=settings.max_file_bytes,
            files=settings.max_files,
            parallel=settings.max_parallel_uploads,
        )


def size(n_bytes: int) -> str:
    """A number of bytes for people.

    >>> size(4096 * MIB), size(1000)
    ('4096 MiB', '1000 bytes')
    """
    return f"{n_bytes / MIB:.0f} MiB" if n_bytes >= MIB else f"{n_bytes} bytes"


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that was sent.

    Attributes:
        name: what its sender calls it, as it came: to be judged, never part of a path.
        path: where it lies, under a random name.
        field: the form's field that brought it; empty for a body that is one file.
    """

    name: str
    path: Path
    size_bytes: int
    field: str = ""

    @property
    def display_name(self) -> str:
        """The name made fit to be display_name."""
        return names.display_name(self.name)


@dataclass(frozen=True, slots=True)
class Received:
    """Everything of a request's body; its files belong to whoever holds this.

    Attributes:
        fields: each name with its values, in the order sent.
        uploads: in the order sent.
        json: what a JSON body said, None without one.
    """

    fields: Mapping[str, tuple[str, ...]]
    uploads: tuple[ReceivedFile, ...]
    json: Any | None = None

    def discard(self) -> None:
        """Delete the files. Those that somebody took or deleted before do not matter."""
        for upload in self.uploads:
            upload.path.unlink(missing_ok=True)


def text_of(header: bytes) -> str:
    """A header as text: UTF-8, or Latin-1 where it is none."""
    try:
        return header.decode("utf-8")
    except UnicodeDecodeError:
        return header.decode("latin-1")
