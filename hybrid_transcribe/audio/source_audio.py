"""A recording's own bytes, as they were given, for whoever plays them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from hybrid_transcribe.audio.sniff import identify, regular_size
from hybrid_transcribe.core.names import display_name
from hybrid_transcribe.errors import InputError, NotFound, check_descriptors
from hybrid_transcribe.messages import UserMessage

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

#: What is no container we know.
BYTES = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Original:
    """An open file, read from its beginning. ``name`` is for people. Close it, or use ``with``.

    ``etag`` stands for this very version of the file.
    """

    file: BinaryIO
    name: str
    n_bytes: int
    media_type: str
    etag: str = ""

    def close(self) -> None:
        """Let go of the file."""
        self.file.close()

    def __enter__(self) -> Original:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def open_original(path: Path, name: str) -> Original:
    """The file of a recording that people call ``name``.

    Raises NotFound where it is gone, Overloaded where no more files can be opened.
    """
    label = display_name(name)
    try:
        regular_size(path, label)
        file = path.open("rb")
    except (OSError, InputError) as error:
        check_descriptors(error)
        raise NotFound(UserMessage("audio_gone", name=label)) from error
    try:
        status = os.fstat(file.fileno())
        n_bytes = status.st_size
        media_type = _media_type(file, n_bytes, label)
        file.seek(0)
        version = f"{status.st_ino} {n_bytes} {status.st_mtime_ns}".encode()
        etag = f'"{hashlib.sha256(version).hexdigest()[:32]}"'
        return Original(file, label, n_bytes, media_type, etag)
    except BaseException:
        file.close()
        raise


def _media_type(file: BinaryIO, n_bytes: int, label: str) -> str:
    try:
        return MEDIA_TYPES.get(identify(file, n_bytes, label), BYTES)
    except InputError:
        return BYTES
