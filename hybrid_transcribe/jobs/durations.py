"""Lengths of what waits, looked up beside the work, so that a queue has an ETA early."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import islice

from hybrid_transcribe.core.child_process import module_command
from hybrid_transcribe.executors.subprocess import child_environment
from hybrid_transcribe.types import Recording, State

#: Looks up the lengths (s) of files, by path, without blocking.
Measure = Callable[[Sequence[str]], Awaitable[Mapping[str, float]]]

#: Files one child looks at: what a crash leaves unknown.
AT_ONCE = 100

#: Longest a child may take, and how long we gather files for it, in seconds.
TIMEOUT_S, GATHER_S = 60.0, 0.1

#: Longest that leaving waits for a child that was killed, in seconds.
STOP_S = 3.0

#: Lengths learned before the loop gets a breath.
LEARNED_AT_ONCE = 20


class DurationProber:
    """Runs `measure` for recordings that wait, one child at a time, on the manager loop.

    ``learn`` is told each length found. What is at work is measured by its worker. Without a
    ``measure`` nothing happens.
    """

    def __init__(self, measure: Measure | None, learn: Callable[[str, float], None]) -> None:
        self._measure = measure
        self._learn = learn
        self._unknown: dict[str, str] = {}
        self._errand: asyncio.Task[None] | None = None

    def look_up(self, recordings: Sequence[Recording]) -> None:
        """Begin to look up those that wait and are not known."""
        for r in recordings:
            if r.state is State.QUEUED and r.duration_s is None:
                self._unknown[r.recording_id] = r.path
        if self._measure is not None and self._unknown and self._errand is None:
            self._errand = asyncio.get_running_loop().create_task(self._run(self._measure))

    async def _run(self, measure: Measure) -> None:
        try:
            while self._unknown:
                await asyncio.sleep(GATHER_S)
                # Those that come first are wanted first.
                chosen = dict(islice(self._unknown.items(), AT_ONCE))
                for recording_id in chosen:
                    del self._unknown[recording_id]
                result = await measure(tuple(chosen.values()))
                for n, (recording_id, path) in enumerate(chosen.items()):
                    if path in result:
                        self._learn(recording_id, result[path])
                    if n % LEARNED_AT_ONCE == 0:
                        await asyncio.sleep(0)
        finally:
            self._errand = None

    async def stop(self) -> None:
        """What is not known by now is not needed any more."""
        self._unknown.clear()
        if self._errand is not None:
            self._errand.cancel()
            await asyncio.wait({self._errand}, timeout=STOP_S)


async def measure(paths: Sequence[str]) -> Mapping[str, float]:
    """Length in seconds by path, for those that say, as a child process finds them.

    A child that dies of a file leaves the lengths behind it unknown, and nothing else.
    """
    try:
        child = await asyncio.create_subprocess_exec(
            *module_command("hybrid_transcribe.audio.measure"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=child_environment(),
        )
    except OSError:
        return {}
    try:
        said, _ = await asyncio.wait_for(
            child.communicate(json.dumps(list(paths)).encode()), TIMEOUT_S
        )
    except (asyncio.TimeoutError, OSError):
        return {}
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    return dict(filter(None, map(_read, said.splitlines())))


def _read(line: bytes) -> tuple[str, float] | None:
    """A line of the child; None for what a library printed in between."""
    try:
        path, duration_s = json.loads(line)
        return str(path), float(duration_s)
    except (ValueError, TypeError):
        return None
