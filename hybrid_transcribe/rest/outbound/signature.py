"""Signatures as Standard Webhooks has them, so that any of its libraries can check them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from hybrid_transcribe.errors import InvalidOption

#: What a secret begins with.
PREFIX = "whsec_"

# Below that a secret is weak, above it no library takes it.
_LEAST_BYTES, _MOST_BYTES = 24, 64


def key_of(secret: str) -> bytes:
    """The bytes of a secret ``whsec_<base64>``. Raises InvalidOption, which does not show it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not _LEAST_BYTES <= len(key) <= _MOST_BYTES:
        raise InvalidOption(
            f"Setting webhook_secret=…: it must be {PREFIX} and the base64 of "
            f"{_LEAST_BYTES} to {_MOST_BYTES} random bytes"
        )
    return key


def headers_of(key: bytes, message_id: str, at: int, body: bytes) -> dict[str, str]:
    """The headers that prove who sent it, and when (seconds since the epoch)."""
    signed = b".".join((message_id.encode(), str(at).encode(), body))
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
