"""Whose a submission is that names a key and no session."""

from __future__ import annotations

import hashlib
import hmac

from hybrid_transcribe.rest.uploads.received import Received

#: Characters of a session id: 128 bits.
_ID_CHARS = 32

_BLOCK = 1024 * 1024


def session_of(key: str, received: Received, secret: str) -> str:
    """A session that the same request finds again, and nobody without the same content.

    Keys alone may be guessed. Reads the files: not on a loop.
    """
    digest = hmac.new(secret.encode(), key.encode(), hashlib.sha256)
    for upload in received.uploads:
        with upload.path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        # With its length and name, so that no two requests read as the same bytes.
        digest.update(f"\0{upload.size_bytes}\0{upload.name}\0".encode())
    return digest.hexdigest()[:_ID_CHARS]
