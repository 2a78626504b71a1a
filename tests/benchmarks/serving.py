"""A server for benchmarks of the panel, and what its processes do."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from hybrid_transcribe.testing import SCRIPTED
from tests.benchmarks.watched import LOADS, WATCHED
from tests.rest.hosts.running import ROOT, TOKEN, Running, serve

MB = 1e6

#: Longest wait for a large recording or for a machine to come to rest, in seconds.
PATIENCE_S = 120.0

#: Modules that a worker, and a kernel, are started with.
WORKER, KERNEL = "hybrid_transcribe.worker", "ipykernel_launcher"

Rows = list[tuple[str, str]]


@contextlib.contextmanager
def served(folder: Path, engine: str = "timed", **more: str) -> Iterator[Running]:
    """``hybrid-transcribe serve`` with engines that leave word; ``more`` are settings."""
    engines = ",".join(f"{name}={where}" for name, where in {**SCRIPTED, **WATCHED}.items())
    fields = {"ENGINES": engines, "ENGINE": engine, **more}
    named = {f"HYBRID_TRANSCRIBE_{name}": value for name, value in fields.items()}
    named[LOADS] = str(folder / "loads")
    with serve(folder, "--token", TOKEN, **named, PYTHONPATH=str(ROOT)) as running:
        yield running


def until_at_rest(site: Running) -> None:
    """Until neither the server nor a kernel of it has anything to do: the pool is filled."""
    deadline = time.monotonic() + PATIENCE_S
    before = -1.0
    while time.monotonic() < deadline:
        now = _worked_s(site)
        if 0 <= now - before < 0.05:
            return
        before = now
        time.sleep(1.0)


def _worked_s(site: Running) -> float:
    worked = 0.0
    for item in alive(site):
        # Kernels of closed pages go meanwhile.
        with contextlib.suppress(psutil.NoSuchProcess):
            worked += sum(item.cpu_times()[:2])
    return worked


def alive(site: Running) -> list[psutil.Process]:
    """The server, and every process that it or a child of it started."""
    server = psutil.Process(site.process.pid)
    return [server, *server.children(recursive=True)]
