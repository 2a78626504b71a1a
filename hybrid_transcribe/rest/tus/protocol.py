"""The words of tus 1.0: headers in, headers out."""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass

from hybrid_transcribe.errors import InvalidRequest, TooLarge
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.uploads.received import size

VERSION = "1.0.0"

EXTENSIONS = (
    "creation",
    "creation-with-upload",
    "creation-defer-length",
    "termination",
    "expiration",
    "checksum",
)

#: Algorithms of ``Upload-Checksum``; tus asks for the first.
CHECKSUMS = ("sha1", "sha256", "sha512", "md5")

#: The type of a body that is a piece of an upload.
PIECE = "application/offset+octet-stream"

#: The status of a piece that came through damaged; HTTP itself has none for it.
CHECKSUM_MISMATCH = 460


@dataclass(frozen=True, slots=True)
class Checksum:
    """What a piece's bytes must add up to."""

    algorithm: str
    digest: bytes


def whole_number(name: str, text: str | None) -> int:
    """A header that counts bytes. Raises InvalidRequest."""
    if text is None:
        raise InvalidRequest(UserMessage("header_missing", name=name))
    digits = text.strip()
    # More digits than any disk has bytes; and "²" is a digit to Python.
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise InvalidRequest(UserMessage("whole_bytes", name=name, value=text[:80]))
    return int(digits)


def declared_length(length: str | None, defer: str | None, most: int) -> int | None:
    """The length a new upload will have, None where it is told later.

    Raises InvalidRequest where it is told both ways or neither; TooLarge.
    """
    if defer is not None and (defer.strip() != "1" or length is not None):
        raise InvalidRequest(UserMessage("defer_length"))
    if defer is not None:
        return None
    n_bytes = whole_number("Upload-Length", length)
    if n_bytes > most:
        raise TooLarge(UserMessage("upload_large", size=size(n_bytes), most=size(most)))
    return n_bytes


def checksum(header: str | None) -> Checksum | None:
    """``Upload-Checksum``. Raises InvalidRequest."""
    if header is None:
        return None
    algorithm, _, value = header.strip().partition(" ")
    if algorithm not in CHECKSUMS:
        raise InvalidRequest(UserMessage("no_algorithm", name=algorithm[:80], choices=CHECKSUMS))
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest(
            UserMessage("checksum_kind", value=value[:80], algorithm="Base64")
        ) from None
    if len(digest) != hashlib.new(algorithm, usedforsecurity=False).digest_size:
        raise InvalidRequest(UserMessage("checksum_kind", value=value[:80], algorithm=algorithm))
    return Checksum(algorithm, digest)
