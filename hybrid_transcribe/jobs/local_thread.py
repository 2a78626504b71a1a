"""A service of this process hands its calls over to the thread of its job manager."""

from __future__ import annotations

import concurrent.futures
from collections.abc import Callable
from typing import TypeVar

from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.manager_thread import ManagerThread
from hybrid_transcribe.jobs.service_base import ServiceBase

_T = TypeVar("_T")


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
