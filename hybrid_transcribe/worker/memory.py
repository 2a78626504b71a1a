"""How much memory this process ever held, and giving back what it no longer needs."""

from __future__ import annotations

import contextlib
import ctypes
import gc
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


def give_back() -> None:
    """Return freed memory to the system at once, where the C library would keep it for later."""
    gc.collect()
    if sys.platform == "linux":
        # malloc_trim(3) is glibc's own; musl gives memory back by itself.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).malloc_trim(0)
