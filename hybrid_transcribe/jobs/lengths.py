"""Lengths of what waits, looked up beside the work, so that a queue has an ETA early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from hybrid_transcribe.types import Recording, State

#: Looks up the lengths (s) of files, by path; it may block and runs on a thread of its own.
Measure = Callable[[Sequence[str]], Mapping[str, float]]


class Lengths:
    """Runs `measure` for recordings that wait. Used on the engine-room loop only.

    ``learn`` is told each length found. What is at work is measured by its worker. Without a
    ``measure`` nothing happens.
    """

    def __init__(self, measure: Measure | None, learn: Callable[[str, float], None]) -> None:
        self._measure = measure
        self._learn = learn
        self._errands: set[asyncio.Task[None]] = set()

    def look_up(self, recordings: Sequence[Recording]) -> None:
        """Begin to look up those that wait and are not known."""
        unknown = {
            r.recording_id: r.path
            for r in recordings
            if r.state is State.QUEUED and r.duration_s is None
        }
        if self._measure is not None and unknown:
            task = asyncio.get_running_loop().create_task(self._run(self._measure, unknown))
            self._errands.add(task)
            task.add_done_callback(self._errands.discard)

    async def _run(self, measure: Measure, unknown: Mapping[str, str]) -> None:
        found = await asyncio.to_thread(measure, tuple(unknown.values()))
        for recording_id, path in unknown.items():
            if path in found:
                self._learn(recording_id, found[path])

    def stop(self) -> None:
        """What is not known by now is not needed any more."""
        for errand in self._errands:
            errand.cancel()
