"""The table of docs/speed-and-accuracy.md, from one run of everything in it."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.benchmarks import speed
from tests.benchmarks.speed import FULL, QUICK, Report, Scale, Versus

#: What the table consists of, in its order.
ENTRIES: Sequence[Callable[[Scale], Report]] = (
    speed.short,
    speed.librispeech,
    speed.long,
    speed.silence,
    speed.zipped,
    speed.portuguese,
    speed.peers,
)

HEADER = """\
| Recordings | Against | Ours is faster by | Wrong words, ours / theirs |
|---|---|---|---|"""


def markdown(rows: Sequence[Versus]) -> str:
    """A row a comparison; the recordings stand in the first of theirs only."""
    lines, before = [], None
    for row in rows:
        title = "" if row.recordings == before else row.recordings
        before = row.recordings
        lines.append(
            f"| {title} | {row.tool} | {row.faster} "
            f"| {row.ours_wer:.1f} % / {row.their_wer:.1f} % |"
        )
    return "\n".join([HEADER, *lines])


def main(arguments: Sequence[str]) -> str:
    """The table as Markdown, also into a file."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks table", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one group of a tenth: does it run")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there, too")
    options = parser.parse_args(arguments)
    scale = QUICK if options.quick else FULL
    reports = [entry(scale) for entry in ENTRIES]
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    details = "\n".join(report.table for report in reports)
    table = markdown([row for report in reports for row in report.versus])
    text = f"{machine}, {scale.groups} groups of each\n\n{table}\n\n```text\n{details}```\n"
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text, encoding="utf-8")
    return text
