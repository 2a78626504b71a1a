"""Ctrl-C, SIGTERM and a closed terminal, as one exception in the main thread."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class InterruptedBySignal(KeyboardInterrupt):
    """Somebody wants this process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number

    @property
    def exit_code(self) -> int:
        """What a shell makes of a process that a signal ended."""
        return 128 + self.number


@contextmanager
def interruptible() -> Iterator[None]:
    """Within, the first signal raises `InterruptedBySignal`, the second ends the process at once.

    Signals that were ignored stay so, as under nohup. Another thread than the main one gets
    no signals and nothing is changed for it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
    before: dict[int, Any] = {n: signal.getsignal(n) for n in numbers}
    items = [n for n, handler in before.items() if handler != signal.SIG_IGN]
    for number in items:
        signal.signal(number, _first)
    try:
        yield
    finally:
        for number in items:
            signal.signal(number, before[number])


def _first(number: int, frame: FrameType | None) -> NoReturn:
    for name in _NAMES:
        if hasattr(signal, name) and signal.getsignal(getattr(signal, name)) is _first:
            signal.signal(getattr(signal, name), _second)
    raise InterruptedBySignal(number)


def _second(number: int, frame: FrameType | None) -> NoReturn:
    # The worker ends by itself when its stdin does.
    os._exit(128 + number)
