"""How many requests bring files at the same time: each holds a connection and a megabyte."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from hybrid_transcribe.errors import QueueFull

_lock = threading.Lock()
# By the folder they go to, which each service has of its own; its handlers may be on many loops.
_inside: Counter[Path] = Counter()


def enter(folder: Path, most: int) -> Callable[[], None]:
    """Take one of ``most`` places; what is returned gives it back, once. Raises QueueFull."""
    with _lock:
        if _inside[folder] >= most:
            raise QueueFull(f"{most} uploads are coming in already, the most; try again later")
        _inside[folder] += 1
    entered = False

    def leave() -> None:
        nonlocal entered
        with _lock:
            if entered:
                return
            entered = True
            _inside[folder] -= 1
            if not _inside[folder]:
                del _inside[folder]

    return leave
