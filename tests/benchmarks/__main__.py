"""``python -m tests.benchmarks [name…]``: run the benchmarks and print their tables."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import (
    accuracy,
    channels,
    detector,
    gpu,
    hud,
    longform,
    matrix,
    nospeech,
    overheads,
    padding,
    portuguese,
    product,
    rest,
    service,
    speakers,
    speed,
    summary,
    word_times,
)
from tests.benchmarks.speed import FULL, QUICK, Point, Report, Scale

#: What compares transcription: how fast, how good, what it costs around the engine.
TRANSCRIPTION: dict[str, Callable[[Scale], str | Report]] = {
    "short": speed.short,
    "short-base": speed.short_base,
    "librispeech": speed.librispeech,
    "long": speed.long,
    "silence": speed.silence,
    "zip": speed.zipped,
    "portuguese": speed.portuguese,
    "peers": speed.peers,
    "moonshine": speed.moonshine,
    "gpu": gpu.main,
    "accuracy": accuracy.main,
    "tax": service.tax,
    "eta": service.eta,
}

#: Around it; these take the size they have.
AROUND: dict[str, Callable[[], str]] = {
    "product": product.main,
    "padding": padding.main,
    "import": overheads.import_time,
    "submit": overheads.submit_latency,
    "http-submit": rest.submit_latency,
    "queue": rest.long_queue,
    "events": rest.many_listeners,
    "upload": rest.large_upload,
}

#: What people see; in the size that is asked for.
SEEN: dict[str, Callable[[Scale], str | Report]] = {"hud": hud.main}

#: These have options of their own (``matrix --help``) and run when they are named, never with all.
WITH_OPTIONS: dict[str, Callable[[Sequence[str]], str]] = {
    "table": summary.main,
    "matrix": matrix.main,
    "nospeech": nospeech.main,
    "detector": detector.main,
    "longform": longform.main,
    "word-times": word_times.main,
    "channels": channels.main,
    "portuguese-accuracy": portuguese.main,
    "speakers": speakers.main,
}

NAMES = (*TRANSCRIPTION, *AROUND, *SEEN)


def main() -> None:
    """Run those named, or all."""
    if len(sys.argv) > 1 and sys.argv[1] in WITH_OPTIONS:
        print(WITH_OPTIONS[sys.argv[1]](sys.argv[2:]))
        return
    requested = _arguments()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.machine()}")
    print(f"load average {_load()} at the beginning\n")
    scale = QUICK if requested.quick else FULL
    scale = Scale(requested.groups or scale.groups, requested.share or scale.share)
    points: list[Point] = []
    for name in requested.names or NAMES:
        began = time.perf_counter()
        result = _run(name, scale)
        points += result.points
        print(result.table, f"  ({time.perf_counter() - began:.0f} s)\n", sep="", flush=True)
    print(f"load average {_load()} in the end")
    if requested.chart:
        from tests.benchmarks.chart import draw

        draw(points, requested.chart)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        metavar="name",
        help=f"of {', '.join(NAMES)}; or first, with options of its own, one of "
        f"{', '.join(WITH_OPTIONS)}",
    )
    parser.add_argument(
        "--quick", action="store_true", help="one group of a tenth: does it run, not how fast"
    )
    parser.add_argument("--groups", type=int, help="groups of each measurement, 5 where not named")
    parser.add_argument("--share", type=float, help="a share (0..1) of the recordings")
    parser.add_argument(
        "--chart", type=Path, metavar="FILE", help="draw speed against wrong words (of 'peers')"
    )
    requested = parser.parse_args()
    unknown = [name for name in requested.names if name not in NAMES]
    if unknown:
        parser.error(f"No benchmark {unknown[0]!r}; choose from: {', '.join(NAMES)}")
    if requested.chart and requested.names and "peers" not in requested.names:
        parser.error("--chart draws what 'peers' measures: name it too")
    return requested


def _run(name: str, scale: Scale) -> Report:
    scaled = {**TRANSCRIPTION, **SEEN}
    result = scaled[name](scale) if name in scaled else AROUND[name]()
    return result if isinstance(result, Report) else Report(result)


def _load() -> str:
    return ", ".join(f"{item:.1f}" for item in os.getloadavg())


if __name__ == "__main__":
    main()
