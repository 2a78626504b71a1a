"""A recording's own bytes, to be listened to: from any second on, without reading the rest."""

from __future__ import annotations

import asyncio
import hashlib
import os
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

from tornado.iostream import StreamClosedError

from hybrid_transcribe.audio.sniff import identify, regular_size
from hybrid_transcribe.errors import InputError, NotFound
from hybrid_transcribe.names import display_name
from hybrid_transcribe.rest import ranges
from hybrid_transcribe.rest.door import Door
from hybrid_transcribe.rest.results import disposition

#: Read and sent at once: this much memory for each listener.
CHUNK_BYTES = 256 * 1024

#: Longest wait for a listener who takes no more; a player that was paused asks anew.
STALL_S = 60.0

#: Media types by container; all others are bytes. Never a type that a browser would run.
MEDIA_TYPES = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "ogg": "audio/ogg",
    "mp3": "audio/mpeg",
    "aac": "audio/aac",
    "adts": "audio/aac",
    "au": "audio/basic",
    "caf": "audio/x-caf",
    "amr": "audio/amr",
    "aiff": "audio/aiff",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "matroska": "video/x-matroska",
    "avi": "video/x-msvideo",
    "flv": "video/x-flv",
    "mpegts": "video/mp2t",
    "mpegps": "video/mpeg",
    "asf": "video/x-ms-asf",
}

#: Whatever the bytes are: no script of theirs runs, and nothing is fetched for them.
POLICY = "sandbox; default-src 'none'; media-src 'self'"


@dataclass(slots=True)
class _Opened:
    file: BinaryIO
    n_bytes: int
    media_type: str
    etag: str


class Audio(Door):
    """``GET`` and ``HEAD /jobs/{job_id}/recordings/{recording_id}/audio``."""

    async def get(self, job_id: str, recording_id: str) -> None:
        """All of it, or the part that ``Range`` names."""
        sessions = self.sessions
        (recording,) = await self.ask(
            lambda room: room.reading.recordings(job_id, recording_id, sessions)
        )
        loop = asyncio.get_running_loop()
        shown = display_name(recording.name)
        opened = await loop.run_in_executor(None, partial(_open, Path(recording.path), shown))
        try:
            self._describe(opened, shown)
            if self.check_etag_header():
                self.set_status(HTTPStatus.NOT_MODIFIED)
                return
            await self._send(opened)
        finally:
            opened.file.close()

    head = get

    def _describe(self, opened: _Opened, shown: str) -> None:
        self.set_header("Content-Type", opened.media_type)
        self.set_header(
            "Content-Disposition", disposition(shown).replace("attachment", "inline", 1)
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Etag", opened.etag)

    async def _send(self, opened: _Opened) -> None:
        try:
            wanted = ranges.part(self._range(opened.etag), opened.n_bytes)
        except ranges.NotInFile:
            self.set_status(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.set_header("Content-Range", f"bytes */{opened.n_bytes}")
            self.set_header("Content-Length", "0")
            return
        if wanted is None:
            wanted = range(opened.n_bytes)
        else:
            self.set_status(HTTPStatus.PARTIAL_CONTENT)
            told = f"bytes {wanted.start}-{wanted.stop - 1}/{opened.n_bytes}"
            self.set_header("Content-Range", told)
        self.set_header("Content-Length", str(len(wanted)))
        if self.request.method != "HEAD":
            await self._stream(opened.file, wanted)

    def _range(self, etag: str) -> str | None:
        """Of another version of the file no part is sent, but all of it."""
        condition = self.request.headers.get("If-Range")
        return self.request.headers.get("Range") if condition in (None, etag) else None

    async def _stream(self, file: BinaryIO, wanted: range) -> None:
        loop = asyncio.get_running_loop()
        try:
            for start in range(wanted.start, wanted.stop, CHUNK_BYTES):
                count = min(CHUNK_BYTES, wanted.stop - start)
                # A disk may take seconds.
                chunk = await loop.run_in_executor(None, _read, file, start, count)
                if len(chunk) < count:
                    raise StreamClosedError
                self.write(chunk)
                # Who listens slowly is read for slowly.
                await asyncio.wait_for(self.flush(), STALL_S)
        except (StreamClosedError, asyncio.TimeoutError):
            # The listener is gone or sleeps, or the file became shorter than we said.
            self.detach().close()


def _open(path: Path, shown: str) -> _Opened:
    """Raises NotFound where nothing is left to be heard."""
    try:
        regular_size(path, shown)
        file = path.open("rb")
    except (OSError, InputError) as error:
        raise NotFound(f"{shown}: its audio is not there any more") from error
    try:
        found = os.fstat(file.fileno())
        mark = f"{found.st_ino} {found.st_size} {found.st_mtime_ns}".encode()
        etag = f'"{hashlib.sha256(mark).hexdigest()[:32]}"'
        return _Opened(file, found.st_size, _media_type(file, found.st_size, shown), etag)
    except BaseException:
        file.close()
        raise


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


def _media_type(file: BinaryIO, n_bytes: int, shown: str) -> str:
    try:
        return MEDIA_TYPES.get(identify(file, n_bytes, shown), "application/octet-stream")
    except InputError:
        return "application/octet-stream"
