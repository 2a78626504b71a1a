"""An event loop on a thread of its own, from its first turn to its last.

As `asyncio.run`, which however waits for ever for a task that hears no cancel, and for a thread
that a disk or a name server holds up.
"""

from __future__ import annotations

import asyncio
import logging
import weakref
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

log = logging.getLogger(__name__)

#: Longest that leaving waits for what is still under way: once for tasks, once for threads; in
#: seconds.
LEAVE_S = 3.0


def run_all(actions: Iterable[Callable[[], None]]) -> None:
    """Call each; one that fails is logged and keeps none of the others from its turn."""
    for action in actions:
        try:
            action()
        except Exception:
            log.exception("closing: %r failed", action)


def run(main: Coroutine[Any, Any, None], loop: asyncio.AbstractEventLoop | None = None) -> None:
    """Run that on a loop of its own; what is not over then is told to end, and left behind."""
    loop = loop or asyncio.new_event_loop()
    threads = _Threads()
    loop.set_default_executor(threads)
    try:
        loop.run_until_complete(main)
    finally:
        try:
            loop.run_until_complete(_end_tasks())
            loop.run_until_complete(_end_threads(threads))
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()


class _Threads(ThreadPoolExecutor):
    """For what waits for a disk; knows what it has in hand."""

    def __init__(self) -> None:
        super().__init__(thread_name_prefix="loop-disk")
        self.submitted: weakref.WeakSet[Future[Any]] = weakref.WeakSet()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future = super().submit(fn, *args, **kwargs)
        self.submitted.add(future)
        return future


async def _end_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    if tasks:
        _, remaining = await asyncio.wait(tasks, timeout=LEAVE_S)
        for task in remaining:
            # Not the task: whoever keeps what is logged would keep it alive.
            log.error("It does not end: %s", repr(task))


async def _end_threads(threads: _Threads) -> None:
    threads.shutdown(wait=False, cancel_futures=True)
    waiting = [asyncio.wrap_future(future) for future in threads.submitted if not future.done()]
    if waiting:
        _, remaining = await asyncio.wait(waiting, timeout=LEAVE_S)
        for future in remaining:
            # Nobody is there any more to be told when it is done.
            future.cancel()
        if remaining:
            log.error("%d threads that wait for a disk are left to themselves", len(remaining))
