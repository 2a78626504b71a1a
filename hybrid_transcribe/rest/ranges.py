"""Parts of a file by ``Range`` (RFC 9110, 14): one part at a time, as players ask for them."""

from __future__ import annotations

import re

_ONE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class NotInFile(Exception):
    """The part lies behind the end."""


def part(header: str | None, n_bytes: int) -> range | None:
    """Which bytes are asked for; None for all of them.

    What is no range, and several at once, count as not asked. Raises NotInFile.

    >>> part("bytes=2-", 10), part("bytes=-3", 10), part("bytes=0-99", 10)
    (range(2, 10), range(7, 10), range(0, 10))
    >>> part("bytes=0-1,4-5", 10), part("lines=1-2", 10), part("bytes=5-4", 10)
    (None, None, None)
    """
    match = _ONE.fullmatch(header or "")
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        required = range(max(0, n_bytes - int(match[2])), n_bytes)
    else:
        first, last = int(match[1]), int(match[2] or n_bytes)
        if match[2] and last < first:
            return None
        required = range(first, min(last + 1, n_bytes))
    if not required:
        raise NotInFile
    return required
