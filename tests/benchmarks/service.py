"""What the service around the engine costs, and how well it foretells."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from hybrid_transcribe import Service
from tests.benchmarks import speech, tools
from tests.benchmarks.apart import apart
from tests.benchmarks.harness import spread, table, take_turns
from tests.benchmarks.speech import Recording
from tests.benchmarks.speed import NO_SPEECH, Scale, made

MODEL = "tiny.en"

#: Work of one job, in seconds; times five groups it is more than a minute for either.
WORK_S = 20.0

#: Share of a job after which its ETA is judged, in per cent.
EARLY = 10.0

_LOOK_S = 0.02


def tax(scale: Scale) -> str:
    """A job of the warm product against the same recordings given to its engine."""
    recordings = scale.some(speech.librispeech())
    if not recordings:
        return NO_SPEECH
    with apart((tools.OURS, tools.PRODUCT), MODEL, beam=1) as running:
        bare = running[tools.OURS]
        bare.hear(recordings[:2])
        running[tools.PRODUCT].hear(recordings[:2])
        began = time.perf_counter()
        bare.hear(recordings)
        once_s = time.perf_counter() - began
        times = max(round(WORK_S * scale.share / once_s), 1)
        measured = take_turns(
            {name: _hearing(tool.hear, recordings * times) for name, tool in running.items()},
            scale.groups,
            warm_up=False,
        )
    rows = [
        (
            "speed of the product / its bare engine",
            spread(measured.ratios(tools.PRODUCT, tools.OURS)),
        ),
        *((f"{name}, s", spread(taken, 2)) for name, taken in measured.seconds.items()),
        (
            "equal text",
            "yes" if measured.found[tools.OURS] == measured.found[tools.PRODUCT] else "NO",
        ),
    ]
    return table(
        f"Product against its bare engine ({MODEL}, {len(recordings) * times} clips)", rows
    )


def _hearing(
    hear: Callable[[list[Recording]], list[str]], recordings: list[Recording]
) -> Callable[[], object]:
    return lambda: hear(recordings)


def eta(scale: Scale) -> str:
    """The ETA told after a tenth of a job against the time it then took."""
    if not speech.librispeech():
        return NO_SPEECH
    with made() as folder, tempfile.TemporaryDirectory() as state:
        whole = [Path(item.path) for item in speech.long(folder, max(600 * scale.share, 200))]
        many = [Path(item.path) for item in speech.librispeech()]
        with Service(state) as service:
            service.submit(many[:2], model=MODEL, language="en").result()
            rows = [
                (f"{title}, error in per cent", _errors(service, paths, scale.groups))
                for title, paths in (("one long recording", whole), ("many short ones", many))
            ]
    return table(f"ETA after {EARLY:.0f} % of a job ({MODEL}, {scale.groups} jobs each)", rows)


def _errors(service: Service, paths: list[Path], jobs: int) -> str:
    items = [_error(service, paths) for _ in range(jobs)]
    values = [error for error in items if error is not None]
    if not values:
        return "no ETA was told"
    untold = f", none told in {len(items) - len(values)}" if len(values) < len(items) else ""
    return f"{statistics.median(values):.0f} (at most {max(values):.0f}){untold}"


def _error(service: Service, paths: list[Path]) -> float | None:
    """How far the ETA was off, in per cent of what was left."""
    job = service.submit(paths, model=MODEL, language="en")
    while (job.percentage or 0.0) < EARLY and not job.done:
        time.sleep(_LOOK_S)
    message, requested = job.eta_s, time.perf_counter()
    job.wait()
    took = time.perf_counter() - requested
    return None if message is None else 100 * abs(message - took) / took
