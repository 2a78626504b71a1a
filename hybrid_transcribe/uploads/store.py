"""Uploads in pieces, as they lie in a folder: found again after a restart, gone in their time.

::

    <partial>/<32 hexadecimal digits>           the bytes that have come
    <partial>/<32 hexadecimal digits>.json      how many there will be, and what people call it

The digits are 128 random bits and the only key to an upload: who knows them may go on with it,
end it or have it transcribed. A path is made of them only after they were found on the shelf.
"""

from __future__ import annotations

import base64
import binascii
import logging
import os
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core import names
from hybrid_transcribe.core.clock import Clock, LoopClock, Timer
from hybrid_transcribe.errors import (
    InvalidRequest,
    QueueFull,
    TooLarge,
    UnknownUpload,
    UploadConflict,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.service_protocol import HostedService
from hybrid_transcribe.uploads.files import telling_full
from hybrid_transcribe.uploads.received import size, text_of

log = logging.getLogger(__name__)

_ID = re.compile(r"[0-9a-f]{32}")


#: Longest ``Upload-Metadata``, which we keep: a name of 4,000 characters fits.
MAX_METADATA = 24 * 1024


@dataclass(slots=True)
class UploadWriter:
    """A request that brings bytes. ``stop`` asks it, from any thread, to let go; ``done`` says so.

    ``over``: it takes no more, and only writes what it has.
    """

    stop: Callable[[], object]
    over: bool = False
    done: Future[None] = field(default_factory=Future)


@dataclass(slots=True, eq=False)
class PartialUpload:
    """One upload.

    Attributes:
        length: bytes it will have, None while nobody has said.
        metadata: the header as it came, which is to be given back.
        offset: bytes that lie there.
        moved_s: when the last of them came, on the clock that does not jump.
        claimed: a job is being made of it.
    """

    upload_id: str
    path: Path
    length: int | None
    metadata: str
    offset: int = 0
    moved_s: float = 0.0
    writer: UploadWriter | None = None
    claimed: bool = False

    @property
    def name(self) -> str:
        """What its sender calls it, as it came."""
        return name_in(self.metadata)

    @property
    def complete(self) -> bool:
        """All of it has come."""
        return self.offset == self.length


class _Note(msgspec.Struct):
    """What cannot be seen from the file."""

    length: int | None
    metadata: str


class UploadStore:
    """All uploads of one service. Any thread may call it; its timer runs on one loop."""

    def __init__(self, folder: Path, settings: Settings, clock: Clock) -> None:
        """Takes up what an earlier process left. Raises OSError."""
        self._folder, self._settings, self._clock = folder, settings, clock
        self._lock = threading.Lock()
        self._uploads: dict[str, PartialUpload] = {}
        self._timer: Timer | None = None
        folder.mkdir(mode=0o700, exist_ok=True)
        self._restore()

    # ----------------------------------------------------------------------- what there is

    def create(self, length: int | None, metadata: str) -> PartialUpload:
        """A new upload without bytes. Raises QueueFull, DiskFull."""
        upload_id = names.new_id()
        upload = PartialUpload(upload_id, self._folder / upload_id, length, metadata)
        upload.moved_s = self._clock.monotonic()
        with self._lock:
            most = self._settings.max_open_uploads
            if len(self._uploads) >= most:
                raise QueueFull(f"{most} uploads are open already, the most; end some or wait")
            self._uploads[upload_id] = upload
        try:
            with telling_full("The upload"):
                upload.path.touch(mode=0o600, exist_ok=False)
                self._write_note(upload)
        except BaseException:
            self.remove(upload)
            raise
        return upload

    def find(self, upload_id: str) -> PartialUpload:
        """Raises UnknownUpload."""
        with self._lock:
            upload = self._uploads.get(upload_id)
        if upload is None:
            raise UnknownUpload(UserMessage("upload_unknown", id=upload_id[:80]))
        return upload

    def left_s(self, upload: PartialUpload) -> float:
        """Seconds until it expires, if nothing more comes."""
        due = upload.moved_s + self._settings.upload_idle_s
        return max(0.0, due - self._clock.monotonic())

    def expires_at(self, upload: PartialUpload) -> float:
        """The same on the wall clock, in seconds since the epoch."""
        return self._clock.wall() + self.left_s(upload)

    def tell_length(self, upload: PartialUpload, length: int) -> None:
        """Now somebody has said. Raises DiskFull."""
        upload.length = length
        with telling_full("The upload", "what had come is kept"):
            self._write_note(upload)

    def remove(self, upload: PartialUpload) -> None:
        """It goes, with its bytes. Twice is once."""
        with self._lock:
            self._uploads.pop(upload.upload_id, None)
        # The note last: bytes without one are found and deleted at the next start.
        for path in (upload.path, _note_of(upload.path)):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    # -------------------------------------------------------------------------- who writes

    def seize(self, upload: PartialUpload, writer: UploadWriter) -> UploadWriter | None:
        """Become the one who writes; otherwise who it is. Raises UnknownUpload."""
        with self._lock:
            if self._uploads.get(upload.upload_id) is not upload:
                raise UnknownUpload(f"No upload {upload.upload_id!r} any more")
            if upload.writer is None:
                upload.writer = writer
                return None
            return upload.writer

    def release(self, upload: PartialUpload) -> None:
        """Write no more. Twice is once."""
        with self._lock:
            writer, upload.writer = upload.writer, None
        if writer is not None:
            upload.moved_s = self._clock.monotonic()
            writer.done.set_result(None)

    # --------------------------------------------------------------------------- for a job

    @contextmanager
    def claimed(self, upload_ids: Sequence[str]) -> Iterator[list[PartialUpload]]:
        """Complete uploads, which nobody else makes a job of meanwhile.

        Raises UnknownUpload, UploadConflict for what is not complete or already on its way,
        InvalidRequest for one that is named twice.
        """
        twice = next((i for i in upload_ids if upload_ids.count(i) > 1), None)
        if twice is not None:
            raise InvalidRequest(UserMessage("upload_twice", id=twice[:80]))
        uploads = [self.find(upload_id) for upload_id in upload_ids]
        with self._lock:
            for upload in uploads:
                _check_ready(upload)
            for upload in uploads:
                upload.claimed = True
        try:
            yield uploads
        finally:
            for upload in uploads:
                upload.claimed = False

    # ------------------------------------------------------------------------------- in time

    def watch(self) -> None:
        """Begin to look for those whose time is up; on the loop that is to do it."""
        wait_s = min(self._settings.janitor_interval_s, self._settings.upload_idle_s)
        self._timer = self._clock.call_later(max(wait_s, 1.0), self._look)

    def close(self) -> None:
        """Look no more; everything stays where it lies."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self.watch()
        self.expire()

    def expire(self) -> None:
        """Remove those whose time is up."""
        with self._lock:
            every = tuple(self._uploads.values())
        for upload in every:
            if upload.writer is None and not upload.claimed and not self.left_s(upload):
                self.remove(upload)

    # ------------------------------------------------------------------------------ on disk

    def _write_note(self, upload: PartialUpload) -> None:
        note = _note_of(upload.path)
        draft = note.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_bytes(msgspec.json.encode(_Note(upload.length, upload.metadata)))
        # Whole or not at all, also when the machine stops here.
        draft.replace(note)

    def _restore(self) -> None:
        for path in sorted(self._folder.iterdir()):
            if _ID.fullmatch(path.stem) and path.suffix in ("", ".new"):
                try:
                    self._take_up(path)
                except (OSError, ValueError, msgspec.DecodeError) as error:
                    log.info("Part of an upload is of no use: %s", error)
                    with suppress(OSError):
                        path.unlink()
            elif _ID.fullmatch(path.stem) and not path.with_suffix("").exists():
                with suppress(OSError):
                    path.unlink()

    def _take_up(self, path: Path) -> None:
        if path.suffix or path.is_symlink():
            raise ValueError("a draft")
        note = msgspec.json.decode(_note_of(path).read_bytes(), type=_Note)
        result = path.stat()
        if note.length is not None and result.st_size > note.length:
            raise ValueError("longer than it said")
        # A wall clock that jumped while nobody ran neither ends it nor keeps it for years.
        idle_s = min(max(self._clock.wall() - result.st_mtime, 0.0), self._settings.upload_idle_s)
        self._uploads[path.name] = PartialUpload(
            path.name,
            path,
            note.length,
            note.metadata,
            offset=result.st_size,
            moved_s=self._clock.monotonic() - idle_s,
        )


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def _check_ready(upload: PartialUpload) -> None:
    if upload.claimed:
        raise UploadConflict(f"A job is being made of upload {upload.upload_id!r} already")
    if not upload.complete or upload.writer is not None:
        of = "" if upload.length is None else f" of {upload.length}"
        raise UploadConflict(
            f"Upload {upload.upload_id!r} is not complete: {upload.offset}{of} bytes have come"
        )


def link(source: Path, target: Path) -> None:
    """The same file under another name, without reading it where the disk can do that."""
    try:
        os.link(source, target)
    except OSError:
        # FAT and some disks of other machines have no links.
        with telling_full("The upload", "it is kept"), source.open("rb") as old:
            with target.open("xb") as new:
                while block := old.read(1 << 20):
                    new.write(block)


_shelves: weakref.WeakKeyDictionary[HostedService, UploadStore] = weakref.WeakKeyDictionary()


def opened(service: HostedService) -> UploadStore | None:
    """The service's shelf, None before it was opened."""
    return _shelves.get(service)


def open_shelf(service: HostedService) -> UploadStore:
    """The service's shelf. Called on the service's loop, so that there is one."""
    shelf = _shelves.get(service)
    if shelf is None:
        shelf = _shelves[service] = UploadStore(service.partial_dir, service.settings, LoopClock())
        # What an earlier process left may be overdue.
        shelf.expire()
        shelf.watch()
        service.before_close(shelf.close)
    return shelf


def expire_abandoned(service: HostedService) -> None:
    """Have what an earlier process left in pieces expire, though nobody asks for it."""
    if service.partial_dir.exists():
        service.on_loop(lambda: open_shelf(service))


def read_metadata(header: str) -> dict[str, str]:
    """``Upload-Metadata``: keys with values in Base64. Raises InvalidRequest, TooLarge.

    >>> read_metadata("filename cmV1bmnDo28ubTRh,is_confidential")
    {'filename': 'reunião.m4a', 'is_confidential': ''}
    """
    if len(header) > MAX_METADATA:
        raise TooLarge(f"Upload-Metadata: more than {size(MAX_METADATA)}")
    mapping: dict[str, str] = {}
    for pair in filter(None, (p.strip() for p in header.split(","))):
        key, _, value = pair.partition(" ")
        if not (key.isascii() and key.isprintable()):
            raise InvalidRequest(f"Upload-Metadata: the key {key[:80]!r} is no plain text")
        try:
            mapping[key] = text_of(base64.b64decode(value.strip(), validate=True))
        except (binascii.Error, ValueError):
            raise InvalidRequest(
                f"Upload-Metadata: the value of {key[:80]!r} is no Base64"
            ) from None
    return mapping


def name_in(header: str) -> str:
    """What the sender calls the file; empty where nothing says. Raises as `read_metadata`."""
    result = read_metadata(header)
    return result.get("filename") or result.get("name") or ""
