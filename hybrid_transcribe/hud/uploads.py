"""Files that a panel sends, in chunks onto the disk: memory stays flat whatever their size.

They lie in an `UploadStore` under a digest of session, folder, name, size and time of change, so
that the rest of a file that was cut off (a page reloaded, a kernel gone) goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec

from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.core.clock import Clock, LoopClock
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
from hybrid_transcribe.uploads.store import (
    PartialUpload,
    UploadStore,
    check_once,
    link,
    metadata_of,
)

#: How the panel is to send: so many bytes a chunk, so many of them unanswered.
CHUNK_BYTES = MIB
WINDOW = 4

#: How often to look for what was left partial, in seconds.
SWEEP_S = 60.0

#: Longest name and id taken from a panel, in characters.
_LONGEST_NAME, _LONGEST_ID = 4000, 200


class PanelUploads:
    """The files of one panel. Any thread may call it."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        *,
        free_bytes: Callable[[Path], int] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """``folder`` is for partial files, of other panels too; it is made when needed."""
        self._folder, self._settings, self._clock = folder, settings, clock or LoopClock()
        self._free_bytes = free_bytes or _free_bytes
        self._lock = threading.Lock()
        # By the ids of the panel; those that no panel is known to send any more.
        self._uploads: dict[str, PartialUpload] = {}
        self._loose: set[str] = set()
        self._swept_at = float("-inf")

    @cached_property
    def _store(self) -> UploadStore:
        return UploadStore(self._folder, self._settings, self._clock)

    # -------------------------------------------------------------------------- coming in

    def begin(
        self,
        upload_id: str,
        session_id: str,
        name: str,
        size_bytes: int,
        modified_ms: float,
        folder: str = "",
    ) -> PartialUpload:
        """Take a file up where it stopped, or anew.

        ``folder`` is where it lies at its sender's, where that is known.

        Raises TooLarge, TooMany, EmptyInput, InvalidRequest, DiskFull.
        """
        name = name[:_LONGEST_NAME].encode("utf-8", "replace").decode()
        label = display_name(name)
        if len(upload_id) > _LONGEST_ID:
            raise InvalidRequest(UserMessage("upload_id_long", most=_LONGEST_ID))
        key = _digest(session_id, folder, name, size_bytes, modified_ms)
        with self._lock:
            entry = self._uploads.get(upload_id)
            if entry is not None:
                if (entry.name, entry.length) != (name, size_bytes):
                    raise UploadConflict(UserMessage("upload_other", name=label))
                self._loose.discard(upload_id)
                return entry
            key = self._free_key(key)
            self._check(label, size_bytes)
            self._sweep()
            upload = self._store.resume(key, size_bytes, metadata_of(name))
            missing = size_bytes - upload.offset
            if self._free_bytes(self._folder) < missing:
                if not upload.offset:
                    self._store.remove(upload)
                raise DiskFull(UserMessage("upload_room", name=label, n=missing / MIB))
            self._uploads[upload_id] = upload
            return upload

    def chunk(self, upload_id: str, offset: int, data: memoryview | bytes) -> PartialUpload:
        """Write bytes, if they are those that come next; ``offset`` of the answer says which do.

        Raises UnknownUpload, TooLarge, DiskFull.
        """
        upload = self._find(upload_id)
        self._loose.discard(upload_id)
        self._store.append(upload, offset, data)
        return upload

    def cancel(self, upload_id: str) -> None:
        """What has come goes. Unknown ones are gone already."""
        with self._lock:
            upload = self._uploads.get(upload_id)
            if upload is None or upload.claimed:
                return
            del self._uploads[upload_id]
        self._store.remove(upload)

    def loosen(self) -> None:
        """A panel begins anew: whatever was on its way may be taken up again."""
        with self._lock:
            self._loose.update(self._uploads)

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
        if not upload_ids:
            raise InvalidRequest(UserMessage("upload_none"))
        check_once(upload_ids)
        with self._store.claimed([self._find(item) for item in upload_ids]) as uploads:
            handed: list[Uploaded] = []
            try:
                for upload in uploads:
                    place = (into or self._folder) / new_id()
                    link(upload.path, place)
                    handed.append(Uploaded(place, upload.name))
                instance = make(handed)
            except BaseException as error:
                _unlink(handed)
                if isinstance(error, InputError):
                    self._forget(upload_ids)
                raise
            self._forget(upload_ids)
            if into is None:
                # They were sent elsewhere.
                _unlink(handed)
            return instance

    # ------------------------------------------------------------------------------ going

    def close(self, *, keep: bool) -> None:
        """Let go; with ``keep`` partial files stay for a panel that comes after this one."""
        if keep:
            self._uploads.clear()
        self._forget(tuple(self._uploads))

    def _forget(self, upload_ids: Sequence[str]) -> None:
        for upload_id in upload_ids:
            with self._lock:
                upload = self._uploads.pop(upload_id, None)
            if upload is not None:
                self._store.remove(upload)

    # ----------------------------------------------------------------------------- inside

    def _find(self, upload_id: str) -> PartialUpload:
        with self._lock:
            upload = self._uploads.get(upload_id)
        if upload is None:
            raise UnknownUpload(UserMessage("upload_unknown", id=upload_id[:80]))
        return upload

    def _free_key(self, key: str) -> str:
        """Where a file of that key belongs; another while the same one is being sent."""
        for upload_id, upload in tuple(self._uploads.items()):
            if upload.upload_id == key:
                if upload_id not in self._loose or upload.claimed:
                    return new_id()
                del self._uploads[upload_id]
        return key

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
        total = size_bytes + sum(upload.length or 0 for upload in self._uploads.values())
        if total > limits.max_upload_bytes:
            raise TooLarge(
                UserMessage(
                    "upload_total", name=label, n=total / MIB, most=limits.max_upload_bytes / MIB
                )
            )

    def _sweep(self) -> None:
        """What others left partial goes when it is old, and the oldest of it when it is much."""
        now = self._clock.monotonic()
        if now - self._swept_at >= SWEEP_S:
            self._swept_at = now
            self._store.trim(spare=tuple(self._uploads.values()))


def _digest(session_id: str, folder: str, name: str, size_bytes: int, modified_ms: float) -> str:
    names = [item.encode("utf-8", "replace") for item in (folder, name)]
    message = msgspec.json.encode([session_id, *names, size_bytes])
    return hashlib.sha256(message + repr(modified_ms).encode()).hexdigest()[:32]


def _unlink(files: Sequence[Uploaded]) -> None:
    for item in files:
        with suppress(OSError):
            item.path.unlink(missing_ok=True)


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
