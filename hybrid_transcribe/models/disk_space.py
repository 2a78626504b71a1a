"""Is there room for it? Asked before gigabytes are fetched or written, not found out after."""

from __future__ import annotations

import shutil
from pathlib import Path

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage


def need(folder: Path, size_bytes: int, purpose: str) -> None:
    """Raise ModelUnavailable unless the disk of ``folder`` has so many bytes free.

    The folder need not be there yet. A disk that does not tell is taken to have room.
    """
    there = next((p for p in (folder, *folder.parents) if p.exists()), Path())
    try:
        free_bytes = shutil.disk_usage(there).free
    except OSError:
        return
    if free_bytes < size_bytes:
        raise ModelUnavailable(
            UserMessage(
                "no_space",
                purpose=purpose,
                folder=folder,
                size=in_words(size_bytes),
                free=in_words(free_bytes),
            )
        )


def in_words(size_bytes: float) -> str:
    """Bytes as people read them.

    >>> in_words(147_964_211), in_words(3_091_000_000), in_words(12)
    ('148 MB', '3.1 GB', '1 MB')
    """
    if size_bytes >= 1e9:
        return UserMessage("gigabytes", n=size_bytes / 1e9)
    # A need of half a megabyte is no need of nothing.
    return UserMessage("megabytes", n=max(1.0, size_bytes / 1e6))
