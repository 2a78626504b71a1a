"""Uploads in pieces, as they lie in a folder: found again after a restart, gone in their time.

::

    <partial>/<32 hexadecimal digits>           the bytes that have come
    <partial>/<32 hexadecimal digits>.json      how many there will be, and what people call it

The digits are 128 random bits and the only key to an upload: who knows them may go on with it,
end it or have it transcribed. Those of a panel's upload are a digest instead, see `hud.uploads`.
A path is made of no other name, and of what people call a file nothing is ever in a path.
"""

from __future__ import annotations

import base64
import binascii
import io
import logging
import os
import re
import shutil
import threading
import weakref
from collections.abc import Callable, Collection, Iterator, Sequence
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
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def name(self) -> str:
        """What its sender calls it, as it came."""
        return name_in(self.metadata)

    @property
    def label(self) -> str:
        """The same for messages."""
        return names.display_name(self.name or self.upload_id)

    @property
    def complete(self) -> bool:
        """All of it has come."""
        return self.offset == self.length


class _Note(msgspec.Struct):
    """What cannot be seen from the file."""

    length: int | None
    metadata: str


def open_end(path: Path) -> io.RawIOBase:
    """A file that is there, for writing at its end."""
    return path.open("r+b", buffering=0)


class UploadStore:
    """All uploads of one folder. Any thread may call it; its timer runs on one loop."""

    def __init__(self, folder: Path, settings: Settings, clock: Clock) -> None:
        """Takes up what an earlier process left. Raises OSError."""
        self._folder, self._settings, self._clock = folder, settings, clock
        self._lock = threading.Lock()
        self._uploads: dict[str, PartialUpload] = {}
        self._timer: Timer | None = None
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._restore()

    # ----------------------------------------------------------------------- what there is

    def resume(self, upload_id: str, length: int, metadata: str) -> PartialUpload:
        """The upload of that id as it lies there, whoever began it; a new one where none does.

        Raises QueueFull, DiskFull.
        """
        with self._lock:
            upload = self._uploads.get(upload_id)
        if upload is None:
            with suppress(OSError, ValueError, msgspec.DecodeError):
                upload = self._take_up(self._folder / upload_id)
        return upload or self.create(length, metadata, upload_id)

    def create(
        self, length: int | None, metadata: str, upload_id: str | None = None
    ) -> PartialUpload:
        """A new upload without bytes. Raises DiskFull, and QueueFull where no id is named."""
        most = self._settings.max_open_uploads if upload_id is None else None
        upload_id = upload_id or names.new_id()
        upload = PartialUpload(upload_id, self._folder / upload_id, length, metadata)
        upload.moved_s = self._clock.monotonic()
        with self._lock:
            if most is not None and len(self._uploads) >= most:
                raise QueueFull(UserMessage("uploads_open", most=most))
            self._uploads[upload_id] = upload
        try:
            with telling_full("The upload"):
                upload.path.unlink(missing_ok=True)
                upload.path.touch(mode=0o600)
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

    def find_all(self, upload_ids: Sequence[str]) -> list[PartialUpload]:
        """Raises UnknownUpload, InvalidRequest for one that is named twice."""
        check_once(upload_ids)
        return [self.find(upload_id) for upload_id in upload_ids]

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
        with telling_full(upload.label, kept=True):
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

    def append(self, upload: PartialUpload, offset: int, data: memoryview | bytes) -> None:
        """Write bytes, if they are those that come next; its ``offset`` then says which do.

        Raises TooLarge, DiskFull.
        """
        rest = memoryview(data).cast("B")
        with upload.lock:
            if offset != upload.offset or upload.claimed:
                return
            if upload.length is not None and offset + len(rest) > upload.length:
                raise TooLarge(UserMessage("upload_more", name=upload.label, n=upload.length))
            try:
                with telling_full(upload.label, kept=True), open_end(upload.path) as file:
                    file.seek(offset)
                    while rest:
                        rest = rest[file.write(rest) or 0 :]
                upload.offset += len(memoryview(data).cast("B"))
            except FileNotFoundError:
                # Another process made a job of it, or its time was up.
                upload.path.touch(mode=0o600)
                self._write_note(upload)
                upload.offset = 0
            upload.moved_s = self._clock.monotonic()

    def seize(self, upload: PartialUpload, writer: UploadWriter) -> UploadWriter | None:
        """Become the one who writes; otherwise who it is. Raises UnknownUpload."""
        with self._lock:
            if self._uploads.get(upload.upload_id) is not upload:
                raise UnknownUpload(UserMessage("upload_no_more", id=upload.upload_id))
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
    def claimed(self, uploads: list[PartialUpload]) -> Iterator[list[PartialUpload]]:
        """Complete uploads, which nobody else makes a job of meanwhile.

        Raises UploadConflict for what is not complete or already on its way.
        """
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
        for upload in self._idle():
            if not self.left_s(upload):
                self.remove(upload)

    def trim(self, spare: Collection[PartialUpload]) -> None:
        """Remove those whose time is up, other processes' too, and the oldest of too many."""
        with self._lock:
            self._uploads = {upload.upload_id: upload for upload in spare}
        self._restore()
        settings, n_bytes = self._settings, 0
        items = [upload for upload in self._idle() if upload not in spare]
        for n, upload in enumerate(sorted(items, key=lambda item: item.moved_s, reverse=True)):
            n_bytes += upload.offset
            is_too_much = n >= settings.max_open_uploads or n_bytes > settings.max_upload_bytes
            if is_too_much or not self.left_s(upload):
                self.remove(upload)

    def _idle(self) -> list[PartialUpload]:
        with self._lock:
            items = tuple(self._uploads.values())
        return [item for item in items if item.writer is None and not item.claimed]

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
            if path.name in self._uploads:
                continue
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

    def _take_up(self, path: Path) -> PartialUpload:
        if path.suffix or path.is_symlink():
            raise ValueError("a draft")
        note = msgspec.json.decode(_note_of(path).read_bytes(), type=_Note)
        result = path.stat()
        if note.length is not None and result.st_size > note.length:
            raise ValueError("longer than it said")
        # A wall clock that jumped while nobody ran neither ends it nor keeps it for years.
        idle_s = min(max(self._clock.wall() - result.st_mtime, 0.0), self._settings.upload_idle_s)
        moved_s = self._clock.monotonic() - idle_s
        upload = PartialUpload(path.name, path, note.length, note.metadata, result.st_size, moved_s)
        self._uploads[path.name] = upload
        return upload


def _note_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.json")


def check_once(upload_ids: Sequence[str]) -> None:
    """Raise InvalidRequest for one that is named twice."""
    twice = next((i for i in upload_ids if upload_ids.count(i) > 1), None)
    if twice is not None:
        raise InvalidRequest(UserMessage("upload_twice", id=twice[:80]))


def _check_ready(upload: PartialUpload) -> None:
    if upload.claimed:
        raise UploadConflict(UserMessage("upload_busy", name=upload.label))
    if not upload.complete or upload.writer is not None:
        length = "?" if upload.length is None else upload.length
        raise UploadConflict(
            UserMessage("upload_part", name=upload.label, n=upload.offset, count=length)
        )


def link(source: Path, target: Path) -> None:
    """The same file under another name, without reading it where the disk can do that.

    Raises UnknownUpload where it is gone, DiskFull.
    """
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise UnknownUpload(UserMessage("upload_gone")) from None
    except OSError:
        # FAT and some disks of other machines have no links.
        with telling_full("The upload", kept=True), source.open("rb") as old:
            with target.open("xb") as new:
                shutil.copyfileobj(old, new, 1 << 20)


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
        raise TooLarge(UserMessage("metadata_large", size=size(MAX_METADATA)))
    mapping: dict[str, str] = {}
    for pair in filter(None, (p.strip() for p in header.split(","))):
        key, _, value = pair.partition(" ")
        if not (key.isascii() and key.isprintable()):
            raise InvalidRequest(UserMessage("metadata_key", key=key[:80]))
        try:
            mapping[key] = text_of(base64.b64decode(value.strip(), validate=True))
        except (binascii.Error, ValueError):
            raise InvalidRequest(UserMessage("metadata_value", key=key[:80])) from None
    return mapping


def name_in(header: str) -> str:
    """What the sender calls the file; empty where nothing says. Raises as `read_metadata`."""
    result = read_metadata(header)
    return result.get("filename") or result.get("name") or ""


def metadata_of(name: str) -> str:
    """``Upload-Metadata`` for a file of that name.

    >>> metadata_of("reunião.m4a")
    'filename cmV1bmnDo28ubTRh'
    """
    return f"filename {base64.b64encode(name.encode()).decode()}"
