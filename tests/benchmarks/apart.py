"""Each tool in a process of its own, so that its memory can be told from that of the others.

Run as a module it is that process: it reads work from its standard input, a line of JSON each,
and answers in the same way.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import psutil

from hybrid_transcribe.executors.subprocess import child_environment
from tests.benchmarks.speech import Recording
from tests.benchmarks.tools import OURS, OURS_FULL, OURS_UNGUARDED, TOOLS, Loaded, Work


class Apart:
    """A tool that is loaded elsewhere, and warm.

    ``peak_mib`` is the most memory its process had so far, that of the product's worker for
    the product; ``second_looks`` are pieces heard again and all pieces, where they are known.
    ``cpu_s`` are the processor seconds of each call.
    """

    def __init__(self, tool: str, model: str, beam: int) -> None:
        self.peak_mib = 0.0
        self.second_looks: tuple[int, int] | None = None
        self.cpu_s: list[float] = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.apart", tool, model, str(beam)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Threads that wait must not take the cores from the one whose turn it is.
            env={**_environment(tool), "OMP_WAIT_POLICY": "PASSIVE"},
            text=True,
        )

    def hear(self, recordings: Sequence[Recording], packed: Path | None = None) -> list[str]:
        """A text for every recording."""
        fields = {
            "recordings": [recording.as_dict() for recording in recordings],
            "packed": str(packed) if packed else None,
        }
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps(fields) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise SystemExit("A tool's process ended early; what it said is above")
        answer = json.loads(line)
        self.peak_mib, self.second_looks = answer["peak_mib"], answer["second_looks"]
        self.cpu_s.append(answer["cpu_s"])
        texts: list[str] = answer["texts"]
        return texts

    def close(self) -> None:
        """End it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(30)
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def apart(tools: Sequence[str], model: str, beam: int) -> Iterator[dict[str, Apart]]:
    """Those of the tools that can run here."""
    with contextlib.ExitStack() as ends:
        running = {}
        for tool in tools:
            if TOOLS[tool].missing() is None:
                running[tool] = Apart(tool, model, beam)
                ends.callback(running[tool].close)
        yield running


# ---------------------------------------------------------------------- in the process


def _environment(tool: str) -> Mapping[str, str]:
    """Our engine runs as in its worker, the others as their users find them."""
    return child_environment() if tool in (OURS, OURS_FULL, OURS_UNGUARDED) else os.environ


def _peak_mib(process: psutil.Process) -> float:
    """The most memory that a process ever had resident.

    Where there is a ``/proc``: ``ru_maxrss`` also counts what the parent had at the fork.
    """
    status = Path(f"/proc/{process.pid}/status")
    if status.is_file():
        line = next(ln for ln in status.read_text().splitlines() if ln.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    who = resource.RUSAGE_SELF if process.pid == os.getpid() else resource.RUSAGE_CHILDREN
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(who).ru_maxrss / unit


def _answer(loaded: Loaded, given: dict[str, Any]) -> dict[str, Any]:
    recordings = [Recording(**item) for item in given["recordings"]]
    me = psutil.Process()
    before_s = _cpu_s(me)
    texts = loaded.hear(Work(recordings, given["packed"]))
    below = me.children(recursive=True) if loaded.elsewhere else []
    return {
        "texts": texts,
        "peak_mib": max(_peak_mib(item) for item in below or [me]),
        "second_looks": loaded.looks(),
        "cpu_s": _cpu_s(me) - before_s,
    }


def _cpu_s(process: psutil.Process) -> float:
    """Processor seconds of a process and of those below it that are there."""
    times = [item.cpu_times() for item in (process, *process.children(recursive=True))]
    return sum(item.user + item.system for item in times)


def main() -> None:
    """``python -m tests.benchmarks.apart TOOL MODEL BEAM``."""
    tool, model, beam = sys.argv[1:]
    # Libraries print what they like: the answers have a way of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    loaded = TOOLS[tool].load(model, int(beam))
    for line in sys.stdin:
        answers.write(json.dumps(_answer(loaded, json.loads(line))) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
