"""A submission as the bytes of a form, read from disk while it is sent: memory stays flat.

One file is open at a time, so a folder of thousands is one request like any other.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import quote

from hybrid_transcribe.audio.intake import InputFile
from hybrid_transcribe.errors import InputMissing
from hybrid_transcribe.messages import UserMessage, known_phrase

#: Bytes read at a time.
BLOCK = 256 * 1024

#: What cannot stand between quotes, as browsers write it (WHATWG).
_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class MultipartUpload:
    """Fields, then files in their order; it can be sent more than once.

    ``voices`` are recordings of known voices; each is called as the person is.
    """

    def __init__(
        self,
        fields: Mapping[str, str],
        files: Sequence[InputFile],
        voices: Sequence[InputFile] = (),
    ) -> None:
        self._boundary = secrets.token_hex(16)
        self._fields = fields
        self._files = (*(("file", file) for file in files), *(("voices", v) for v in voices))

    @property
    def headers(self) -> dict[str, str]:
        """With its length, so that what is too large is refused before it is sent."""
        sizes = (len(p) if isinstance(p, bytes) else p.size_bytes for p in self._parts())
        return {
            "Content-Type": f"multipart/form-data; boundary={self._boundary}",
            "Content-Length": str(sum(sizes)),
        }

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts():
            if isinstance(part, bytes):
                yield part
            else:
                yield from _blocks(part)

    def _parts(self) -> Iterator[bytes | InputFile]:
        for name, value in self._fields.items():
            yield f"{self._head(name)}\r\n\r\n{value}\r\n".encode()
        for field, item in self._files:
            # Twice: the first form cannot tell a quote from the text "%22".
            name, exact = item.name.translate(_ESCAPES), quote(item.name, safe="")
            head = self._head(field)
            yield f"{head}; filename=\"{name}\"; filename*=UTF-8''{exact}\r\n\r\n".encode()
            yield item
            yield b"\r\n"
        yield f"--{self._boundary}--\r\n".encode()

    def _head(self, name: str) -> str:
        return f'--{self._boundary}\r\nContent-Disposition: form-data; name="{name}"'


def _blocks(input_file: InputFile) -> Iterator[bytes]:
    remaining = input_file.size_bytes
    try:
        with input_file.path.open("rb") as file:
            while remaining and (block := file.read(min(BLOCK, remaining))):
                remaining -= len(block)
                yield block
    except OSError as error:
        raise InputMissing(
            UserMessage("unreadable", name=input_file.name, why=known_phrase(error.strerror))
        ) from error
    if remaining:
        raise InputMissing(UserMessage("became_shorter", name=input_file.name))
