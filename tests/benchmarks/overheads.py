"""What it costs to import the package, and to submit a job while the machine is busy."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hybrid_transcribe import Service
from hybrid_transcribe.testing import SCRIPTED, Script, tone, write_wav
from tests.benchmarks.harness import spread, table, take_turns
from tests.benchmarks.speech import clips


def _python(code: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, "-c", code], check=True)


def import_time(groups: int = 5) -> str:
    """Importing the package, and its service, on top of an interpreter that starts."""
    variants = {
        "python": _python("pass"),
        "package": _python("import hybrid_transcribe"),
        "service": _python("from hybrid_transcribe import Service"),
        "engine": _python("import faster_whisper"),
    }
    seconds = take_turns(variants, groups).seconds
    rows = [
        (
            f"{name}, ms more than python alone",
            spread(
                [1e3 * (s - p) for s, p in zip(seconds[name], seconds["python"], strict=True)], 0
            ),
        )
        for name in ("package", "service", "engine")
    ]
    return table("Import time", rows)


def submit_latency(n: int = 200) -> str:
    """Answering `submit` in an idle service, and while real inference fills every core."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_wav(Path(folder) / "tone.wav", tone(1.0))
        with Service(Path(folder) / "state", engines=SCRIPTED) as service:
            idle = _latencies(service, path, n)
            rows = [("idle, ms", spread(idle, 2))]
            busy_paths = clips(40)
            if busy_paths:
                job = service.submit(busy_paths, model="tiny.en", session_id="busy")
                next(iter(job))
                busy = _latencies(service, path, n)
                job.cancel()
                ratio = sorted(busy)[n // 2] / sorted(idle)[n // 2]
                rows += [
                    ("both cores transcribing, ms", spread(busy, 2)),
                    ("99 of 100 within, ms", f"{sorted(busy)[int(0.99 * n)]:.2f}"),
                    ("busy / idle (medians)", f"{ratio:.2f}"),
                ]
    return table(f"Submit latency ({n} jobs of one recording, journal on disk)", rows)


def _latencies(service: Service, path: Path, n: int) -> list[float]:
    taken = []
    script = Script(segment_s=10).model
    for _ in range(n):
        began = time.perf_counter()
        service.submit(path, engine="scripted", model=script)
        taken.append(1e3 * (time.perf_counter() - began))
    return taken
