"""Files that a panel sends, in chunks onto the disk: memory stays flat whatever their size.

::

    <folder>/<32 hexadecimal digits>

The digits are a digest of session, folder, name, size and time of change, so that the rest of a
file that was cut off (a page reloaded, a kernel gone) goes on where it stopped. Of what people
call a file nothing is ever in a path.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.core.names import display_name, new_id
from hybrid_transcribe.errors import (
    DiskFull,
    EmptyInput,
    InputError,
    InvalidRequest,
    TooLarge,
    TooMany,
    UnknownUpload,
    UploadConflict,
)
from hybrid_transcribe.messages import UserMessage

#: How the panel is to send: so many bytes a chunk, so many of them unanswered.
CHUNK_BYTES = MIB
WINDOW = 4

#: How often to look for what was left partial, in seconds.
SWEEP_S = 60.0

#: Longest name and id taken from a panel, in characters.
_LONGEST_NAME, _LONGEST_ID = 5000, 200

_OURS = re.compile(r"[0-9a-f]{32}")

# No space left, and none left for this user. Not every system knows the second.
_FULL = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}


@dataclass(slots=True, eq=False)
class PanelUpload:
    """One file on its way. ``offset`` bytes of it are safe.

    ``loose``: no panel is known to send it any more. ``claimed``: a job is being made of it.
    """

    upload_id: str
    name: str
    path: Path
    size_bytes: int
    offset: int = 0
    loose: bool = False
    claimed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def complete(self) -> bool:
        """All of it has come."""
        return self.offset == self.size_bytes


class PanelUploads:
    """The files of one panel. Any thread may call it."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        free_bytes: Callable[[Path], int] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """``folder`` is for partial files, of other panels too; it is made when needed."""
        self._folder, self._settings, self._wall = folder, settings, wall
        self._free_bytes = free_bytes or _free_bytes
        self._lock = threading.Lock()
        self._uploads: dict[str, PanelUpload] = {}
        self._swept_at = float("-inf")

    # -------------------------------------------------------------------------- coming in

    def begin(
        self,
        upload_id: str,
        session_id: str,
        name: str,
        size_bytes: int,
        modified_ms: float,
        folder: str = "",
    ) -> PanelUpload:
        """Take a file up where it stopped, or anew.

        ``folder`` is where it lies at its sender's, where that is known.

        Raises TooLarge, TooMany, EmptyInput, InvalidRequest, DiskFull.
        """
        label = display_name(name[:_LONGEST_NAME])
        if len(upload_id) > _LONGEST_ID:
            raise InvalidRequest(f"An upload's id has at most {_LONGEST_ID} characters")
        key = _digest(session_id, folder, name, size_bytes, modified_ms)
        with self._lock:
            entry = self._uploads.get(upload_id)
            if entry is not None:
                if (entry.name, entry.size_bytes) != (name, size_bytes):
                    raise UploadConflict(UserMessage("upload_other", name=label))
                entry.loose = False
                return entry
            path = self._free_path(key)
            self._check(label, size_bytes)
            with _telling(label):
                panel_upload = PanelUpload(
                    upload_id, name, path, size_bytes, self._open(path, size_bytes)
                )
            try:
                self._check_room(label, size_bytes - panel_upload.offset)
            except DiskFull:
                if not panel_upload.offset:
                    _unlink([path])
                raise
            self._uploads[upload_id] = panel_upload
            return panel_upload

    def chunk(self, upload_id: str, offset: int, data: memoryview | bytes) -> PanelUpload:
        """Write bytes, if they are those that come next; ``offset`` of the answer says which do.

        Raises UnknownUpload, TooLarge, DiskFull.
        """
        upload = self._find(upload_id)
        with upload.lock:
            upload.loose = False
            if offset != upload.offset or upload.claimed:
                return upload
            label = display_name(upload.name)
            if offset + len(data) > upload.size_bytes:
                raise TooLarge(UserMessage("upload_more", name=label, n=upload.size_bytes))
            try:
                with _telling(label), upload.path.open("r+b", buffering=0) as file:
                    _write_all(file.fileno(), data, offset)
            except FileNotFoundError:
                # Another panel of the same session made a job of it, or it was swept.
                upload.path.touch(mode=0o600)
                upload.offset = 0
                return upload
            upload.offset += len(data)
        return upload

    def cancel(self, upload_id: str) -> None:
        """What has come goes. Unknown ones are gone already."""
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload is None or upload.claimed:
                return
            del self._uploads[upload_id]
        with suppress(OSError):
            upload.path.unlink()

    def loosen(self) -> None:
        """A panel begins anew: whatever was on its way may be taken up again."""
        with self._lock:
            for upload in self._uploads.values():
                upload.loose = True

    # ------------------------------------------------------------------------- into a job

    def submit(
        self,
        upload_ids: Sequence[str],
        into: Path | None,
        make: Callable[[list[Uploaded]], Any],
    ) -> Any:
        """What ``make`` makes of complete uploads, which then are its own.

        ``into`` is the folder where they belong, None for one of ours. When it cannot be made
        they stay, to be tried again; unless it is the files that cannot be used. Raises
        UnknownUpload, UploadConflict, InvalidRequest, DiskFull, and what ``make`` raises.
        """
        with self._claimed(upload_ids) as uploads:
            folder = into or self._folder
            handed: list[Uploaded] = []
            try:
                for upload in uploads:
                    place = folder / new_id()
                    with _telling(display_name(upload.name)):
                        _link(upload.path, place)
                    handed.append(Uploaded(place, upload.name))
                instance = make(handed)
            except BaseException as error:
                _unlink(item.path for item in handed)
                if isinstance(error, InputError):
                    self._forget(uploads)
                raise
            self._forget(uploads)
            if into is None:
                # They were sent elsewhere.
                _unlink(item.path for item in handed)
            return instance

    @contextmanager
    def _claimed(self, upload_ids: Sequence[str]) -> Iterator[list[PanelUpload]]:
        if not upload_ids:
            raise InvalidRequest(UserMessage("upload_none"))
        twice = next((i for i in upload_ids if upload_ids.count(i) > 1), None)
        if twice is not None:
            raise InvalidRequest(UserMessage("upload_twice", id=twice[:80]))
        with self._lock:
            uploads = [self._upload(upload_id) for upload_id in upload_ids]
            for upload in uploads:
                _check_ready(upload)
            for upload in uploads:
                upload.claimed = True
        try:
            yield uploads
        finally:
            for upload in uploads:
                upload.claimed = False

    # ------------------------------------------------------------------------------ going

    def close(self, *, keep: bool) -> None:
        """Let go; with ``keep`` partial files stay for a panel that comes after this one."""
        with self._lock:
            items = list(self._uploads.values())
            self._uploads.clear()
        if not keep:
            _unlink(upload.path for upload in items)

    def _forget(self, uploads: Sequence[PanelUpload]) -> None:
        with self._lock:
            for upload in uploads:
                self._uploads.pop(upload.upload_id, None)
        _unlink(upload.path for upload in uploads)

    # ----------------------------------------------------------------------------- inside

    def _upload(self, upload_id: str) -> PanelUpload:
        upload = self._uploads.get(upload_id)
        if upload is None:
            raise UnknownUpload(UserMessage("upload_unknown", id=upload_id[:80]))
        return upload

    def _find(self, upload_id: str) -> PanelUpload:
        with self._lock:
            return self._upload(upload_id)

    def _free_path(self, key: str) -> Path:
        """Where a file of that key belongs; beside it while the same one is being sent."""
        path = self._folder / key
        for upload in tuple(self._uploads.values()):
            if upload.path == path:
                if not upload.loose or upload.claimed:
                    return self._folder / new_id()
                del self._uploads[upload.upload_id]
        return path

    def _open(self, path: Path, size_bytes: int) -> int:
        """Make the file unless it is there; how many of its bytes are."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self._wall() - self._swept_at >= SWEEP_S:
            self._swept_at = self._wall()
            self._sweep(spare=path)
        path.touch(mode=0o600)
        result = path.stat().st_size
        if result > size_bytes:
            os.truncate(path, 0)
            return 0
        return result

    def _check(self, label: str, size_bytes: int) -> None:
        limits = self._settings
        if size_bytes < 0:
            raise InvalidRequest(UserMessage("upload_size", name=label, n=size_bytes))
        if size_bytes == 0:
            raise EmptyInput(UserMessage("empty", name=label))
        if size_bytes > limits.max_file_bytes:
            raise TooLarge(
                UserMessage(
                    "too_large", name=label, n=size_bytes / MIB, most=limits.max_file_bytes / MIB
                )
            )
        if len(self._uploads) >= limits.max_files:
            raise TooMany(UserMessage("upload_many", name=label, n=limits.max_files))
        total = size_bytes + sum(upload.size_bytes for upload in self._uploads.values())
        if total > limits.max_upload_bytes:
            raise TooLarge(
                UserMessage(
                    "upload_total", name=label, n=total / MIB, most=limits.max_upload_bytes / MIB
                )
            )

    def _check_room(self, label: str, missing: int) -> None:
        if self._free_bytes(self._folder) < missing:
            raise DiskFull(UserMessage("upload_room", name=label, n=missing / MIB))

    def _sweep(self, spare: Path) -> None:
        """What others left partial goes when it is old, and the oldest of it when it is much."""
        mine = {upload.path for upload in self._uploads.values()} | {spare}
        items = []
        for entry in self._folder.iterdir():
            if _OURS.fullmatch(entry.name) and entry not in mine:
                with suppress(OSError):
                    result = entry.stat()
                    items.append((result.st_mtime, result.st_size, entry))
        limits, n_bytes = self._settings, 0
        for n, (modified, size, path) in enumerate(sorted(items, reverse=True)):
            n_bytes += size
            old = self._wall() - modified > limits.upload_idle_s
            if old or n >= limits.max_open_uploads or n_bytes > limits.max_upload_bytes:
                _unlink([path])


def _digest(session_id: str, folder: str, name: str, size_bytes: int, modified_ms: float) -> str:
    names = [item.encode("utf-8", "replace") for item in (folder, name)]
    message = msgspec.json.encode([session_id, *names, size_bytes])
    return hashlib.sha256(message + repr(modified_ms).encode()).hexdigest()[:32]


def _check_ready(upload: PanelUpload) -> None:
    label = display_name(upload.name)
    if upload.claimed:
        raise UploadConflict(UserMessage("upload_busy", name=label))
    if not upload.complete:
        raise UploadConflict(
            UserMessage("upload_part", name=label, n=upload.offset, count=upload.size_bytes)
        )


def _write_all(file: int, data: memoryview | bytes, offset: int) -> None:
    remaining = memoryview(data).cast("B")
    while remaining:
        # Not where the last write ended: another panel may bring the same file.
        written = (
            os.pwrite(file, remaining, offset)
            if hasattr(os, "pwrite")
            else _write_at(file, remaining, offset)
        )
        remaining, offset = remaining[written:], offset + written


def _write_at(file: int, data: memoryview, offset: int) -> int:
    os.lseek(file, offset, os.SEEK_SET)
    return os.write(file, data)


def _link(source: Path, target: Path) -> None:
    """The same file under another name, copied where the disk knows no links."""
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise UnknownUpload(UserMessage("upload_gone")) from None
    except OSError:
        shutil.copyfile(source, target)


def _unlink(paths: Iterator[Path] | Sequence[Path]) -> None:
    for path in paths:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


@contextmanager
def _telling(label: str) -> Iterator[None]:
    """A full disk by its own name."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFull(UserMessage("upload_full", name=label)) from error
        raise
