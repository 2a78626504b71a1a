"""Expires old results: by a clock that does not jump, and never what somebody still holds."""

from __future__ import annotations

import logging
from collections.abc import Callable

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock, Timer

log = logging.getLogger(__name__)


class Janitor:
    """Looks every `Settings.janitor_interval_s`. Used on the manager loop only.

    ``expire`` erases a job; ``in_use`` says that its `Job` object is alive in this process.
    Only ended jobs are ever put in its hands. ``look_after_files`` is called each time.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        expire: Callable[[str], None],
        in_use: Callable[[str], bool],
        look_after_files: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._expire = expire
        self._in_use = in_use
        self._look_after_files = look_after_files
        self._due: dict[str, float] = {}
        self._timer: Timer | None = None

    def start(self) -> None:
        """Begin to look."""
        self._timer = self._clock.call_later(self._settings.janitor_interval_s, self._look)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def expect(self, job_id: str, in_s: float) -> None:
        """A job may go in so many seconds: never later than the retention, never before now.

        A wall clock that jumped while nobody ran could otherwise keep it for years.
        """
        wait_s = min(max(in_s, 0.0), self._settings.retention_s)
        self._due[job_id] = self._clock.monotonic() + wait_s

    def forget(self, job_id: str) -> None:
        """Leave this job alone."""
        self._due.pop(job_id, None)

    def _look(self) -> None:
        self.start()
        now = self._clock.monotonic()
        for job_id in [j for j, due in self._due.items() if due <= now and not self._in_use(j)]:
            self.forget(job_id)
            try:
                self._expire(job_id)
            except Exception:
                log.exception("Job %s could not be erased", job_id)
        try:
            self._look_after_files()
        except OSError:
            log.exception("Old files could not be looked after")
