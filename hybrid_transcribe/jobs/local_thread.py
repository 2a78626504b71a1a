"""A service of this process hands its calls over to the thread of its job manager."""

from __future__ import annotations

import concurrent.futures
import time
from collections.abc import Callable
from typing import TypeVar

from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.manager_thread import ManagerThread
from hybrid_transcribe.jobs.service_base import ServiceBase

_T = TypeVar("_T")

#: How long a call waits for a journal that is locked, and how often it looks, in seconds.
WRITTEN_WITHIN_S, WRITTEN_LOOK_S = 2.0, 0.05


class LocalThread(ServiceBase):
    """Calls on the loop of the job manager, from any thread."""

    _manager: JobManager
    _thread: ManagerThread

    def call(self, action: Callable[[JobManager], _T]) -> concurrent.futures.Future[_T]:
        """Run something on the loop of the job manager, for tests and debugging.

        The future can be awaited from any loop with `asyncio.wrap_future`. Raises
        ServiceClosed.
        """
        return self._thread.call(action)

    def ask(self, action: Callable[[], _T]) -> concurrent.futures.Future[_T]:
        return self.call(lambda manager: action())

    _hand_over = ask

    def do(self, action: Callable[[JobManager], _T]) -> _T:
        """`call` from any thread, and wait for it. Raises ServiceClosed."""
        return self._thread.do(action)

    @property
    def _on_own_thread(self) -> bool:
        return self._thread.is_current

    def _wait_until_written(self) -> None:
        """What is acknowledged is in the journal, but where people are warned that it is not.

        A lock of another program mostly goes within moments; the loop goes on meanwhile.
        """
        if self._on_own_thread:
            return
        until = time.monotonic() + WRITTEN_WITHIN_S
        while self.do(lambda manager: manager.is_behind) and time.monotonic() < until:
            time.sleep(WRITTEN_LOOK_S)
