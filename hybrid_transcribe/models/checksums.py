"""Digests of large files, computed once and remembered.

A stamp says "this file, of this size and modification time, had this digest". It lies in our
cache, never beside the file, which may be in a folder we must not write to.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage

_BLOCK_BYTES = 1 << 20


def sha256_of(path: Path) -> str:
    """The file's SHA-256 as hexadecimal digits, read in blocks of 1 MiB."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def verify(path: Path, expected: str, stamps: Path) -> None:
    """Check the file against a digest, from its stamp where that still fits.

    Raises ModelUnavailable naming the file and both digests.
    """
    if stamped(path, stamps) == expected:
        return
    result = sha256_of(path)
    if result != expected:
        raise mismatch(path, expected, result)
    stamp(path, result, stamps)


def mismatch(where: Path | str, expected: str, value: str) -> ModelUnavailable:
    """The error for a file, here or at an address, that is not what it should be."""
    return ModelUnavailable(UserMessage("checksum", path=where, digest=expected, actual=value))


def stamped(path: Path, stamps: Path) -> str | None:
    """The digest remembered for the file as it is now, or None."""
    try:
        payload = json.loads(_stamp_path(path, stamps).read_text(encoding="utf-8"))
        status = path.stat()
    except (OSError, ValueError):
        return None
    if not isinstance(payload, dict):
        return None
    same = payload.get("size") == status.st_size and payload.get("mtime_ns") == status.st_mtime_ns
    return str(payload.get("sha256")) if same else None


def stamp(path: Path, digest: str, stamps: Path) -> None:
    """Remember the digest of the file as it is now. A cache that cannot be written is no error."""
    status = path.stat()
    by_name = {
        "path": str(path),
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
        "sha256": digest,
    }
    target = _stamp_path(path, stamps)
    fresh = target.with_name(f"{target.name}.{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_text(json.dumps(by_name), encoding="utf-8")
        fresh.replace(target)
    except OSError:
        # The next load hashes again: slower by 0.1 s for base, and no less safe.
        fresh.unlink(missing_ok=True)


def _stamp_path(path: Path, stamps: Path) -> Path:
    key = hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:32]
    return stamps / f"{key}.json"
