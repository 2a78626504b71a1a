"""``-`` among the inputs: a recording, or a zip of them, from standard input."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hybrid_transcribe.errors import InvalidRequest, TooLarge

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
        raise InvalidRequest("- stands for standard input, which can be read once only")
    if not count:
        return
    if sys.stdin is None:
        raise InvalidRequest("- stands for standard input, which is closed")
    if sys.stdin.isatty():
        raise InvalidRequest(
            "- stands for standard input, which is the keyboard: pipe or redirect a recording "
            "into this command, as in: hybrid-transcribe transcribe - < talk.m4a"
        )


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
                    raise TooLarge(f"{NAME}: more than {limit_mib:.0f} MiB, the most for one file")
                file.write(block)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
