"""How much memory this process ever held."""

from __future__ import annotations

import sys


def peak_bytes() -> int | None:
    """The most memory (resident set) of this process so far; None where it cannot be told."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # getrusage(2): kilobytes on Linux, bytes on macOS.
    return peak if sys.platform == "darwin" else peak * 1024
