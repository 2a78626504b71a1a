"""A worker process: commands in by stdin, messages out by what was stdout.

The protocol gets a duplicate of descriptor 1, and descriptor 1 itself points at stderr, so
that whatever a library prints cannot break a line. A thread reads stdin all the time; its end
means that the parent is gone, and the process ends at once, wherever it is: an orphan must
not keep a GPU.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from typing import BinaryIO

import msgspec

from hybrid_transcribe import protocol as p
from hybrid_transcribe.core.child_process import die_with_parent, register_current_folder
from hybrid_transcribe.worker.worker import Worker

#: How often an idle worker looks for models to unload, in seconds.
IDLE_LOOK_S = 5.0


#: What is done in order, one after the other.
Work = p.Configure | p.RunBatch | p.RunStage | p.Preload | p.Erase | p.Unload

#: The exit status after a command that nobody can read.
BAD_COMMAND = 70


def main() -> None:
    """Serve until the parent says stop, or is gone."""
    # Ctrl-C in a terminal reaches the whole process group: the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    out = _claim_stdout()
    commands: queue.Queue[Work] = queue.Queue()
    worker = _Held()
    threading.Thread(
        target=_read, args=(sys.stdin.buffer, commands, worker), name="commands", daemon=True
    ).start()
    first = commands.get()
    if not isinstance(first, p.Configure):
        raise SystemExit("The first command must be 'configure'")
    for target in (*first.settings.engines.values(), *first.settings.postprocessors.values()):
        register_current_folder(target.partition(":")[0])
    speaking = threading.Lock()

    def tell(message: p.Message) -> None:
        with speaking:
            _write(out, message)

    worker.now = Worker(first.settings, tell)
    for early in worker.early:
        worker.now.cancel(early.recording_id, early.attempt)
    tell(p.Ready(os.getpid()))
    _serve(worker.now, commands)


class _Held:
    """The worker, once it is configured, and the cancels that came before."""

    def __init__(self) -> None:
        self.now: Worker | None = None
        self.early: list[p.CancelRecording] = []


def _claim_stdout() -> BinaryIO:
    sys.stdout.flush()
    mine = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(mine, "wb", buffering=0)


def _write(out: BinaryIO, message: p.Message) -> None:
    try:
        out.write(p.encode(message))
    except OSError:
        _leave()


def _serve(worker: Worker, commands: queue.Queue[Work]) -> None:
    while True:
        try:
            command = commands.get(timeout=IDLE_LOOK_S)
        except queue.Empty:
            worker.unload_idle()
            continue
        if isinstance(command, p.RunBatch):
            worker.run(command)
        elif isinstance(command, p.RunStage):
            worker.run_stage(command)
        elif isinstance(command, p.Preload):
            worker.preload(command)
        elif isinstance(command, p.Erase):
            worker.erase(command)
        elif isinstance(command, p.Unload):
            worker.unload_all()


def _read(pipe: BinaryIO, commands: queue.Queue[Work], worker: _Held) -> None:
    for line in pipe:
        try:
            command = p.decode_command(line)
        except msgspec.MsgspecError as error:
            # What it asked for would be waited for for ever: it fails with this worker.
            print(f"worker: not a command: {error}", file=sys.stderr, flush=True)
            os._exit(BAD_COMMAND)
        if isinstance(command, p.Stop):
            break
        if isinstance(command, p.CancelRecording):
            worker.early.append(command)
            if worker.now is not None:
                worker.now.cancel(command.recording_id, command.attempt)
        elif isinstance(command, p.Checkpoint):
            if worker.now is not None:
                worker.now.kept(command.recording_id, command.attempt)
        elif isinstance(command, p.Erase) and worker.now is not None:
            # Not behind a batch that may wait for the cloud for an hour.
            erase = threading.Thread(target=worker.now.erase, args=(command,), daemon=True)
            erase.start()
        else:
            commands.put(command)
    _leave()


def _leave() -> None:
    """Without ceremony: native threads of an inference in progress would hold up an exit."""
    os._exit(0)
