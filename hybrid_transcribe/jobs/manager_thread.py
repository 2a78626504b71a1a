"""A job manager on a daemon thread with an asyncio loop of its own.

A notebook cell that sleeps for a minute holds up nothing. What is called here is handed over to
that loop, which answers within microseconds.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from hybrid_transcribe.core.loop import run, run_all
from hybrid_transcribe.errors import ServiceClosed
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.slices import Sliced, finish, finish_in_slices
from hybrid_transcribe.messages import UserMessage

_T = TypeVar("_T")


class ManagerThread:
    """Runs ``manager`` from the end of `__init__` until `stop`. Raises what its start raises."""

    def __init__(self, manager: JobManager) -> None:
        self._manager = manager
        self.closed = False
        self._handing_over = threading.RLock()
        self.before_close: list[Callable[[], None]] = []
        self.after_close: list[Callable[[], Awaitable[None]]] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, name="job-manager", daemon=True)
        self._started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._thread.start()
        try:
            self._started.result()
        except BaseException:
            # Also Ctrl-C while it starts: the folder must not stay locked.
            self.stop()
            raise

    @property
    def is_current(self) -> bool:
        """True on this very thread."""
        return threading.current_thread() is self._thread

    def _main(self) -> None:
        run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._ready.set()
        try:
            self._manager.start()
        except BaseException as error:
            self._manager.state.close()
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        await self._stop.wait()
        run_all(self.before_close)
        try:
            await self._manager.stop()
        finally:
            for last in self.after_close:
                await last()

    def hand_over(self, coroutine: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        """Run it on the loop. Raises ServiceClosed."""
        try:
            # What is handed over while it closes must come before its end, or nobody answers.
            with self._handing_over:
                if self.closed:
                    raise ServiceClosed(UserMessage("service_closed"))
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError as error:
            coroutine.close()
            raise ServiceClosed(UserMessage("service_closed")) from error
        except ServiceClosed:
            coroutine.close()
            raise

    def call(self, action: Callable[[JobManager], _T]) -> concurrent.futures.Future[_T]:
        """Call that on the loop. Raises ServiceClosed."""

        async def run() -> _T:
            return action(self._manager)

        return self.hand_over(run())

    def do(self, action: Callable[[JobManager], _T]) -> _T:
        """`call` from any thread, and wait for it. Raises ServiceClosed."""
        # A listener is called back on the loop itself, where waiting for it would hang.
        if self.is_current:
            return action(self._manager)
        return self.call(action).result()

    def call_in_slices(
        self, action: Callable[[JobManager], Sliced[_T]]
    ) -> concurrent.futures.Future[_T]:
        """`call` for work that may take long: others have their turn between its slices."""

        async def run() -> _T:
            return await finish_in_slices(action(self._manager))

        return self.hand_over(run())

    def do_in_slices(self, action: Callable[[JobManager], Sliced[_T]]) -> _T:
        """The same from any thread, and wait for it. Raises ServiceClosed."""
        if self.is_current:
            return finish(action(self._manager))
        return self.call_in_slices(action).result()

    def orphan(self) -> None:
        """In a forked child no such thread runs: say so instead of waiting for it for ever."""
        self.closed = True
        # Another thread may have held it.
        self._handing_over = threading.RLock()

    def stop(self) -> None:
        """Stop the manager and end the thread; further calls wait for that."""
        with self._handing_over:
            is_first, self.closed = not self.closed, True
        if is_first:
            self._ready.wait()
            # It may have ended by itself: its start failed.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        if not self.is_current:
            self._thread.join()
