"""The files of one request, on disk under random names."""

from __future__ import annotations

import errno
import io
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hybrid_transcribe.audio.sniff import EXTENSIONS
from hybrid_transcribe.core import names
from hybrid_transcribe.errors import DiskFull, TooLarge, TooMany
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.uploads.received import ReceivedFile, UploadLimits, size

#: Makes a file that is not there yet, for writing without a buffer.
Opener = Callable[[Path], io.RawIOBase]

# No space left, and none left for this user. Not every system knows the second.
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


def open_new(path: Path) -> io.RawIOBase:
    """A new file; never one that exists, nor what a link points to."""
    file = path.open("xb", buffering=0)
    path.chmod(0o600)
    return file


class Files:
    """Writes one file after the other. Not for two threads at the same time."""

    def __init__(self, folder: Path, limits: UploadLimits, opener: Opener = open_new) -> None:
        self._folder, self._limits, self._opener = folder, limits, opener
        self._file: io.RawIOBase | None = None
        self._name, self._display_name, self._field, self._size = "", "", "", 0
        self._paths: list[Path] = []
        self._uploads: list[ReceivedFile] = []

    @property
    def open(self) -> bool:
        """A file is being written."""
        return self._file is not None

    @property
    def uploads(self) -> tuple[ReceivedFile, ...]:
        """The files that are complete."""
        return tuple(self._uploads)

    def new(self, name: str, field: str = "") -> None:
        """Begin a file that its sender calls ``name``. Raises TooMany, DiskFull."""
        if len(self._paths) >= self._limits.files:
            raise TooMany(UserMessage("request_files", most=self._limits.files))
        self._display_name, self._field, self._size = names.display_name(name), field, 0
        self._name = name if name.strip() else self._display_name
        path = self._folder / stored_name(self._display_name)
        self._paths.append(path)
        with telling_full(self._display_name):
            self._file = self._opener(path)

    def write(self, data: bytes | memoryview) -> None:
        """Append to the file begun last. Raises TooLarge, DiskFull."""
        assert self._file is not None
        self._size += len(data)
        if self._size > self._limits.file_bytes:
            raise TooLarge(
                UserMessage(
                    "file_limit", name=self._display_name, size=size(self._limits.file_bytes)
                )
            )
        rest = memoryview(data)
        with telling_full(self._display_name):
            while rest:
                # The last write that fits on a full disk is cut short.
                rest = rest[self._file.write(rest) or 0 :]

    def done(self) -> None:
        """The file begun last is complete. Raises DiskFull."""
        assert self._file is not None
        with telling_full(self._display_name):
            # Where files lie on another machine, this is when it says that its disk is full.
            self._file.close()
        self._file = None
        self._uploads.append(ReceivedFile(self._name, self._paths[-1], self._size, self._field))

    def discard(self) -> None:
        """Delete all of them, complete or not."""
        # A file that cannot be closed or deleted keeps none of the others.
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            self._file = None
        for path in self._paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        self._paths, self._uploads = [], []


def check_room(folder: Path, n_bytes: int) -> None:
    """Raise DiskFull where so many bytes do not fit now."""
    free = shutil.disk_usage(folder).free
    if n_bytes > free:
        raise DiskFull(UserMessage("server_disk", size=size(n_bytes), free=size(free)))


def stored_name(display_name: str) -> str:
    """A random name; with the extension where it is a recording's: some readers go by it."""
    suffix = Path(display_name.lower()).suffix
    return names.new_id() + (suffix if suffix in EXTENSIONS else "")


@contextmanager
def telling_full(display_name: str, *, kept: bool = False) -> Iterator[None]:
    """Raise DiskFull for a disk that is; ``kept``: what had come stays."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        if kept:
            raise DiskFull(UserMessage("upload_full", name=display_name)) from error
        raise DiskFull(
            UserMessage("server_full", name=display_name, why=known_phrase(error.strerror))
        ) from error
