"""The worker in this very thread: for tests, where every step must come in a known order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.interfaces import Executor, WorkerExit


class WorkerLike(Protocol):
    """What an inline executor needs of a worker."""

    def run(self, command: p.RunBatch) -> None: ...

    def cancel(self, recording_id: str, attempt: int) -> None: ...

    def kept(self, recording_id: str, attempt: int) -> None: ...

    def erase(self, command: p.Erase) -> None: ...

    def preload(self, command: p.Preload) -> None: ...


#: Makes a worker that tells what it is given: `worker.worker.Worker`, bound by the caller.
MakeWorker = Callable[[Settings, Callable[[p.Message], None]], WorkerLike]


class InlineExecutor(Executor):
    """Runs each batch in one go on the loop, which stands still meanwhile.

    A worker that raises SystemExit has "died", with that status.
    """

    def __init__(self, make_worker: MakeWorker) -> None:
        self._make_worker = make_worker
        self._worker: WorkerLike | None = None
        self._on_message: Callable[[p.Message], None] | None = None
        self._on_exit: Callable[[WorkerExit], None] | None = None

    def start(
        self, on_message: Callable[[p.Message], None], on_exit: Callable[[WorkerExit], None]
    ) -> None:
        self._on_message, self._on_exit = on_message, on_exit
        self._loop = asyncio.get_running_loop()

    def send(self, command: p.Command) -> None:
        if self._on_message is None:
            return
        if isinstance(command, p.Configure):
            self._worker = self._make_worker(command.settings, self._tell)
        elif isinstance(command, p.CancelRecording) and self._worker is not None:
            self._worker.cancel(command.recording_id, command.attempt)
        elif isinstance(command, p.Checkpoint) and self._worker is not None:
            self._worker.kept(command.recording_id, command.attempt)
        elif isinstance(command, p.RunBatch | p.Erase | p.Preload):
            self._loop.call_soon(self._do, command)

    def _tell(self, message: p.Message) -> None:
        if self._on_message is not None:
            self._on_message(message)

    def _do(self, command: p.RunBatch | p.Erase | p.Preload) -> None:
        if self._worker is None:
            return
        try:
            if isinstance(command, p.RunBatch):
                self._worker.run(command)
            elif isinstance(command, p.Erase):
                self._worker.erase(command)
            else:
                self._worker.preload(command)
        except SystemExit as death:
            self._end(WorkerExit(death.code if isinstance(death.code, int) else 1))

    def _end(self, worker_exit: WorkerExit) -> None:
        on_exit, self._on_exit = self._on_exit, None
        self._on_message, self._worker = None, None
        if on_exit is not None:
            on_exit(worker_exit)

    def kill(self) -> None:
        if self._on_exit is not None:
            self._loop.call_soon(self._end, WorkerExit(-9))

    async def stop(self, grace_s: float) -> None:
        self._end(WorkerExit(0))

    @property
    def alive(self) -> bool:
        return self._on_exit is not None
