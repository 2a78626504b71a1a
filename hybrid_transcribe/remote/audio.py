"""A recording's bytes from a service elsewhere, read as they are wanted."""

from __future__ import annotations

import io
from collections.abc import Iterator

import httpx

from hybrid_transcribe.audio.source_audio import BYTES, Original
from hybrid_transcribe.errors import Unreachable
from hybrid_transcribe.remote.http_client import Address, check, session_headers, unreachable

_CHUNK = 256 * 1024


class _Body(io.RawIOBase):
    """An answer's body as a file that is read once, from its beginning."""

    def __init__(self, address: Address, answer: httpx.Response) -> None:
        self._address, self._answer = address, answer
        self._chunks: Iterator[bytes] = answer.iter_raw(_CHUNK)
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

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
        return n_bytes

    def close(self) -> None:
        if not self.closed:
            self._answer.close()
        super().close()


def open_audio(
    client: httpx.Client, address: Address, path: str, name: str, sessions: tuple[str, ...] | None
) -> Original:
    """The recording at that path of the service. Raises what the service raises, Unreachable."""
    # Packed bytes would be told with another length.
    headers = {**session_headers(sessions), "Accept-Encoding": "identity"}
    request = client.build_request("GET", address.url + path, headers=headers)
    try:
        answer = client.send(request, stream=True)
    except httpx.TransportError as error:
        raise unreachable(address, error) from error
    try:
        if not answer.is_success:
            check(address, answer.status_code, answer.read())
        message = answer.headers
        n_bytes = int(message["Content-Length"])
    except KeyError:
        answer.close()
        raise Unreachable(f"The service at {address.url} does not say how long it is") from None
    except BaseException:
        answer.close()
        raise
    body = io.BufferedReader(_Body(address, answer), _CHUNK)
    return Original(body, name, n_bytes, message.get("Content-Type", BYTES))
