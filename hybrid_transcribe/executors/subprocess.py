"""The worker in a process of its own: JSON lines on its pipes, four small threads here.

Not a process pool: those fail every future when one process dies, and leave an orphan when
the parent is killed. This child ends by itself when its stdin does.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import subprocess
import threading
from collections import deque
from collections.abc import Callable
from typing import IO

import msgspec

from hybrid_transcribe import protocol as p
from hybrid_transcribe.core.child_process import module_command, package_environment
from hybrid_transcribe.core.environment import HUB_TOKENS, needed
from hybrid_transcribe.interfaces import Executor, WorkerExit

#: How a child's libraries use memory and cores, unless its user says otherwise.
#:
#: One heap: glibc's malloc gives memory of one window to the next, and a worker with tiny.en
#: stays at 500 MiB rather than 650 after four long recordings. What is up to 32 MiB (the most
#: that malloc itself would come to) lies on it from the start, and up to 128 MiB of it are kept
#: when they are free: the system hands out and clears half as many pages for the same clips, and
#: the peak stays where it was. MKL's own store of freed memory, one for each thread, holds
#: another 30 MiB and spares no time; OpenBLAS spins a second core that a replica has work for.
_THRIFT = {
    "MALLOC_ARENA_MAX": "1",
    "MALLOC_MMAP_THRESHOLD_": str(32 * 1024**2),
    "MALLOC_TRIM_THRESHOLD_": str(128 * 1024**2),
    "MKL_DISABLE_FAST_MM": "1",
    "OPENBLAS_NUM_THREADS": "1",
}

#: Lines of its stderr that are kept as a dead worker's last words.
LAST_WORDS = 20

#: How long we wait for the rest of a dead worker's pipes, in seconds.
PIPE_GRACE_S = 0.5


class SubprocessExecutor(Executor):
    """One child process at a time, started when first needed."""

    def __init__(self, command: list[str] | None = None, pass_environment: str = "") -> None:
        """``pass_environment``: see `Settings.pass_environment`."""
        self._pass_environment = pass_environment
        self._command = command or module_command("hybrid_transcribe.worker")
        self._child: _Child | None = None

    def start(
        self, on_message: Callable[[p.Message], None], on_exit: Callable[[WorkerExit], None]
    ) -> None:
        loop = asyncio.get_running_loop()

        def ended(worker_exit: WorkerExit) -> None:
            self._child = None
            on_exit(worker_exit)

        self._child = _Child(
            self._command, child_environment(self._pass_environment), loop, on_message, ended
        )

    def send(self, command: p.Command) -> None:
        if self._child is not None:
            self._child.send(command)

    def kill(self) -> None:
        if self._child is not None:
            self._child.process.kill()

    async def stop(self, grace_s: float) -> None:
        child = self._child
        if child is None:
            return
        child.send(p.Stop())
        try:
            await asyncio.wait_for(child.gone.wait(), grace_s)
        except asyncio.TimeoutError:
            child.process.kill()
            await child.gone.wait()

    @property
    def alive(self) -> bool:
        return self._child is not None

    @property
    def pid(self) -> int | None:
        return self._child.process.pid if self._child else None


class _Child:
    """A live child and the threads that serve its pipes and its end."""

    def __init__(
        self,
        command: list[str],
        environment: dict[str, str],
        loop: asyncio.AbstractEventLoop,
        on_message: Callable[[p.Message], None],
        on_exit: Callable[[WorkerExit], None],
    ) -> None:
        self._loop = loop
        self._on_message = on_message
        self._on_exit = on_exit
        self.gone = asyncio.Event()
        self._last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._outbox: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
        )
        self._stdout = self._thread(self._read, "worker-messages")
        self._stderr = self._thread(self._listen, "worker-stderr")
        self._thread(self._write, "worker-commands")
        self._thread(self._bury, "worker-end")

    @staticmethod
    def _thread(work: Callable[[], None], name: str) -> threading.Thread:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        return thread

    def send(self, command: p.Command) -> None:
        """Never blocks the loop, even when the child no longer reads."""
        self._outbox.put(p.encode(command))

    def _write(self) -> None:
        pipe = _pipe(self.process.stdin)
        with contextlib.suppress(OSError, ValueError):
            while (line := self._outbox.get()) is not None:
                pipe.write(line)
                pipe.flush()
        # Closing may flush into a broken pipe.
        with contextlib.suppress(OSError):
            pipe.close()

    def _listen(self) -> None:
        with _pipe(self.process.stderr) as pipe:
            for line in pipe:
                self._last_words.append(line.decode("utf-8", "replace").rstrip())

    def _read(self) -> None:
        with _pipe(self.process.stdout) as pipe:
            for line in pipe:
                try:
                    message = p.decode_message(line)
                except msgspec.MsgspecError as error:
                    self._last_words.append(f"(not a message: {error})")
                    continue
                self._call(self._hear, message)

    def _bury(self) -> None:
        status = self.process.wait()
        self._outbox.put(None)
        # Its last messages come first; but a helper it forked may hold the pipes for ever.
        self._stdout.join(PIPE_GRACE_S)
        self._stderr.join(PIPE_GRACE_S)
        self._call(self._ended, WorkerExit(status, "\n".join(self._last_words)))

    def _hear(self, message: p.Message) -> None:
        if not self.gone.is_set():
            self._on_message(message)

    def _ended(self, worker_exit: WorkerExit) -> None:
        self.gone.set()
        self._on_exit(worker_exit)

    def _call(self, callback: Callable[..., None], argument: object) -> None:
        # The loop may be closed already when the process is being left.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(callback, argument)


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # pragma: no cover - Popen was given PIPE
        raise RuntimeError("no pipe")
    return pipe


def child_environment(pass_environment: str = "") -> dict[str, str]:
    """A child of ours imports this very package, and is thrifty with memory and cores.

    It gets what it needs of this process's environment, and no keys but the model hub's;
    ``pass_environment`` names more, with commas.
    """
    more = tuple(name.strip().upper() for name in pass_environment.split(",") if name.strip())
    return {
        **_THRIFT,
        **package_environment(needed(more=(*HUB_TOKENS, *more))),
        "PYTHONUNBUFFERED": "1",
        "PYTHONIOENCODING": "utf-8",
    }
