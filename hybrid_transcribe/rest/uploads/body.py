"""What all kinds of bodies have in common."""

from __future__ import annotations

from typing import Protocol

from hybrid_transcribe.rest.uploads.received import Received


class RequestBody(Protocol):
    """Makes sense of a request's bytes. Used by one thread at a time, never on the loop."""

    most_bytes: int
    """The longest body of this kind."""

    too_large: str
    """What to tell those who send more, beside the number."""

    def feed(self, chunk: bytes) -> None:
        """The next bytes, however they were cut. Raises what is wrong with them."""
        ...

    def end(self) -> Received:
        """That was all. Raises InvalidRequest for what is not complete."""
        ...
