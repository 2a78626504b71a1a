"""A recording's bytes from a service elsewhere, read as they are wanted."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping

import httpx

from hybrid_transcribe.audio.source_audio import BYTES, Original
from hybrid_transcribe.errors import Unreachable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.remote.http_client import Address, check, session_headers, unreachable

_CHUNK = 256 * 1024


class _RemoteFile(io.RawIOBase):
    """A file at an address: read from its beginning, or from wherever it is sought."""

    def __init__(
        self, client: httpx.Client, address: Address, path: str, headers: Mapping[str, str]
    ) -> None:
        self._client, self._address, self._path = client, address, path
        # Packed bytes would be told with another length.
        self._headers = {**headers, "Accept-Encoding": "identity"}
        self._position = 0
        self._begin()

    def _begin(self) -> None:
        """Ask for what is from here on. Raises what the service raises, Unreachable."""
        headers = dict(self._headers)
        if self._position:
            headers["Range"] = f"bytes={self._position}-"
        request = self._client.build_request("GET", self._address.url + self._path, headers=headers)
        try:
            self.response = self._client.send(request, stream=True)
        except httpx.TransportError as error:
            raise unreachable(self._address, error) from error
        if not self.response.is_success:
            try:
                check(self._address, self.response.status_code, self.response.read())
            finally:
                self.response.close()
        self._chunks: Iterator[bytes] = self.response.iter_raw(_CHUNK)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence != os.SEEK_SET:
            raise io.UnsupportedOperation("Only places counted from the beginning are known")
        if offset != self._position:
            self.response.close()
            self._position = offset
            self._begin()
        return offset

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer).cast("B")  # type: ignore[arg-type]
        try:
            while not self._rest:
                self._rest = memoryview(next(self._chunks))
        except StopIteration:
            return 0
        except httpx.TransportError as error:
            raise unreachable(self._address, error) from error
        n_bytes = min(len(view), len(self._rest))
        view[:n_bytes], self._rest = self._rest[:n_bytes], self._rest[n_bytes:]
        self._position += n_bytes
        return n_bytes

    def close(self) -> None:
        if not self.closed:
            self.response.close()
        super().close()


def open_audio(
    client: httpx.Client, address: Address, path: str, name: str, sessions: tuple[str, ...] | None
) -> Original:
    """The recording at that path of the service. Raises what the service raises, Unreachable."""
    file = _RemoteFile(client, address, path, session_headers(sessions))
    headers = file.response.headers
    length = headers.get("Content-Length")
    if length is None:
        file.close()
        raise Unreachable(UserMessage("no_length", url=address.url))
    media_type, etag = headers.get("Content-Type", BYTES), headers.get("ETag", "")
    return Original(io.BufferedReader(file, _CHUNK), name, int(length), media_type, etag)
