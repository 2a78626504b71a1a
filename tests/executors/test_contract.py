"""Every executor starts, serves, is told to stop, and tells of its end exactly once."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.executors.inline import InlineExecutor
from hybrid_transcribe.executors.subprocess import SubprocessExecutor
from hybrid_transcribe.interfaces import Executor, WorkerExit
from hybrid_transcribe.testing import SCRIPTED, Script
from hybrid_transcribe.types import Spec
from hybrid_transcribe.worker.worker import Worker
from tests.messages import reports
from tests.processes import command_of
from tests.services import gone, wavs

EXECUTORS: dict[str, Callable[[], Executor]] = {
    "inline": lambda: InlineExecutor(lambda s, emit: Worker(s, emit, ahead=False)),
    "subprocess": SubprocessExecutor,
}

SETTINGS = Settings(engines=SCRIPTED)


class Ear:
    """Hears an executor."""

    def __init__(self, executor: Executor) -> None:
        self.executor = executor
        self.messages: list[p.Message] = []
        self.exits: list[WorkerExit] = []
        self._changed = asyncio.Event()
        executor.start(self._heard, self._ended)
        executor.send(p.Configure(SETTINGS))

    def _heard(self, message: p.Message) -> None:
        assert not self.exits, "a message after the end"
        self.messages.append(message)
        self._changed.set()

    def _ended(self, how: WorkerExit) -> None:
        self.exits.append(how)
        self._changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        while not true():
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), 30)

    def heard(self, kind: type[p.Message]) -> list[p.Message]:
        return [m for m in self.messages if isinstance(m, kind)]


Scene = Callable[[Ear], Awaitable[None]]


@pytest.fixture(params=EXECUTORS)
def play(request: pytest.FixtureRequest) -> Callable[[Scene], None]:
    def run(scene: Scene) -> None:
        async def main() -> None:
            ear = Ear(EXECUTORS[request.param]())
            await scene(ear)
            await ear.executor.stop(5)
            assert len(ear.exits) <= 1

        asyncio.run(main())

    return run


def batch(*paths: Path, model: str = "steady") -> p.RunBatch:
    items = tuple(p.Item(f"r{i}", 1, str(path), path.name) for i, path in enumerate(paths))
    return p.RunBatch(7, Spec("scripted", model), items)


def test_a_batch_is_answered_for(play: Callable[[Scene], None], tmp_path: Path) -> None:
    """Every recording is finished or failed, in order, and BatchDone is the last word."""
    good, other = wavs(tmp_path, "good", "other")
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"")

    async def scene(ear: Ear) -> None:
        ear.executor.send(batch(good, bad, other))
        await ear.until(lambda: bool(ear.heard(p.BatchDone)))
        finished = [rid for rid, _ in reports(ear.messages, p.RecordingCompleted)]
        failed = [rid for rid, _ in reports(ear.messages, p.RecordingFailed)]
        assert (finished, failed) == (["r0", "r2"], ["r1"])
        assert isinstance(ear.messages[-1], p.BatchDone)
        assert len(list(reports(ear.messages, p.SegmentTranscribed))) == 6

    play(scene)


def test_it_serves_again(play: Callable[[Scene], None], tmp_path: Path) -> None:
    """A second batch runs on the same worker, with the model still loaded."""
    (path,) = wavs(tmp_path, "a")

    async def scene(ear: Ear) -> None:
        for n in (1, 2):
            ear.executor.send(batch(path))
            await ear.until(lambda n=n: len(ear.heard(p.BatchDone)) == n)  # type: ignore[misc]
        first, second = (m.load_s for m in ear.heard(p.BatchPlaced))  # type: ignore[union-attr]
        assert first > 0
        assert second == 0

    play(scene)


def test_stopping_ends_it(play: Callable[[Scene], None]) -> None:
    """After stop the worker is gone, and that was told once."""

    async def scene(ear: Ear) -> None:
        pid = ear.executor.pid
        await ear.executor.stop(5)
        assert not ear.executor.alive
        assert pid is None or gone(pid, 0.5)
        assert len(ear.exits) == 1
        ear.executor.send(p.Unload())

    play(scene)


def test_killing_ends_it(play: Callable[[Scene], None], tmp_path: Path) -> None:
    """A killed worker's end is told, and another one can be started."""
    (path,) = wavs(tmp_path, "a")

    async def scene(ear: Ear) -> None:
        ear.executor.kill()
        await ear.until(lambda: bool(ear.exits))
        assert ear.exits[0].status == -9
        again = Ear(ear.executor)
        ear.executor.send(batch(path))
        await again.until(lambda: bool(again.heard(p.BatchDone)))
        assert len(list(reports(again.messages, p.RecordingCompleted))) == 1

    play(scene)


def test_a_worker_that_cannot_start_says_why() -> None:
    """A broken installation ends with its last words, not with a silence."""

    async def run() -> None:
        code = "raise SystemExit('no such library')"
        ear = Ear(SubprocessExecutor([sys.executable, "-c", code]))
        await ear.until(lambda: bool(ear.exits))
        assert ear.exits[0].status == 1
        assert "no such library" in ear.exits[0].last_words

    asyncio.run(run())


def test_a_flood_of_commands_does_not_block_the_loop(tmp_path: Path) -> None:
    """A worker that no longer reads cannot hold up the job manager."""

    async def run() -> None:
        code = "import time; time.sleep(60)"
        executor = SubprocessExecutor([sys.executable, "-c", code])
        ear = Ear(executor)
        (path,) = wavs(tmp_path, "a")
        for _ in range(2000):
            executor.send(batch(path, model=Script(gate="x" * 500).model))
        executor.kill()
        await ear.until(lambda: bool(ear.exits))

    asyncio.run(run())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_helper_that_holds_the_pipes_does_not_hide_a_death() -> None:
    """A worker's end is told though a process it forked still has its pipes open."""

    async def run() -> None:
        code = "import os, time\nif os.fork() == 0: time.sleep(8)\nelse: os.kill(os.getpid(), 9)"
        ear = Ear(SubprocessExecutor([sys.executable, "-c", code]))
        began = asyncio.get_running_loop().time()
        await ear.until(lambda: bool(ear.exits))
        assert asyncio.get_running_loop().time() - began < 6
        assert ear.exits[0].status == -9

    asyncio.run(run())
    for child in psutil.Process(1).children() + psutil.Process().children():
        if "time.sleep(8)" in " ".join(command_of(child)):
            child.kill()
