"""Those who wait for a job to end."""

from __future__ import annotations

import asyncio


class Waiters:
    """By job. Used on one loop."""

    def __init__(self) -> None:
        self._waiters: dict[str, list[asyncio.Future[None]]] = {}

    async def wait(self, job_id: str) -> None:
        """Return when the job has ended. Raises what `fail` is given."""
        waiter = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(job_id, [])
        waiters.append(waiter)
        try:
            await waiter
        finally:
            if waiter in waiters:
                waiters.remove(waiter)

    def ended(self, job_id: str) -> None:
        """Wake those who wait for it."""
        for waiter in self._waiters.pop(job_id, ()):
            if not waiter.done():
                waiter.set_result(None)

    def fail(self, job_id: str, error: Exception) -> None:
        """It will never end."""
        for waiter in self._waiters.pop(job_id, ()):
            if not waiter.done():
                waiter.set_exception(error)

    def fail_all(self, error: Exception) -> None:
        """None of them will."""
        for job_id in tuple(self._waiters):
            self.fail(job_id, error)
