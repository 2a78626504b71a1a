"""``-`` among the inputs: a recording, or a zip of them, from standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hybrid_transcribe.errors import InvalidRequest, TooLarge
from hybrid_transcribe.messages import UserMessage

if TYPE_CHECKING:
    from hybrid_transcribe.config import Settings

#: What stands for standard input; a file of that name is ``./-``.
STDIN = "-"

#: What a recording from there is called.
NAME = "stdin"

_BLOCK_BYTES = 1024 * 1024


def check_stdin(paths: Sequence[str]) -> None:
    """Raise InvalidRequest where standard input is named twice, or nobody pipes anything in."""
    count = paths.count(STDIN)
    if count > 1:
        raise InvalidRequest(UserMessage("stdin_once"))
    if not count:
        return
    if sys.stdin is None:
        raise InvalidRequest(UserMessage("stdin_closed"))
    if sys.stdin.isatty():
        raise InvalidRequest(UserMessage("stdin_keyboard"))


def store_stdin(path: Path, settings: Settings) -> None:
    """Write standard input into a new file. Raises TooLarge and OSError, leaving no file."""
    try:
        with path.open("xb") as file:
            path.chmod(0o600)
            n_bytes = 0
            while block := sys.stdin.buffer.read(_BLOCK_BYTES):
                n_bytes += len(block)
                if n_bytes > settings.max_file_bytes:
                    limit_mib = settings.max_file_bytes / 1024**2
                    raise TooLarge(UserMessage("file_limit_mib", name=NAME, most=limit_mib))
                file.write(block)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
