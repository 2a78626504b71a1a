"""``hybrid-transcribe compare``: the same recordings through several engines."""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.cli import options
from hybrid_transcribe.cli.exits import EPILOG, FAILED, FINE, say
from hybrid_transcribe.cli.receivers import tell_receivers
from hybrid_transcribe.cli.signals import InterruptedBySignal
from hybrid_transcribe.cli.stdin import NAME as STDIN_NAME
from hybrid_transcribe.cli.stdin import STDIN, check_stdin, store_stdin

if TYPE_CHECKING:
    from hybrid_transcribe.comparison import Comparison, ComparisonPlan
    from hybrid_transcribe.config import Settings

#: How long an interrupted worker may take to let go before it is killed, in seconds.
GRACE_S = 1.0

_EXAMPLES = """\
examples:
  hybrid-transcribe compare talk.m4a
  hybrid-transcribe compare talk.m4a --engine faster-whisper:tiny --engine openai-whisper:base
  hybrid-transcribe compare interviews/ --reference texts/ --language pt --csv > engines.csv

"""


def add_parser(commands: Any) -> None:
    """The command's arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "compare",
        help="the same recordings through several engines: speed, memory, errors, differences",
        description="Transcribe the same recordings with several engines, each in a worker of\n"
        "its own, one after the other, and tell their speed, memory, errors and differences.",
        epilog=_EXAMPLES + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="audio or video files, folders of them (with the folders below), zips; - for stdin",
    )
    options.add_arguments(parser, several_engines=True)
    group = parser.add_argument_group("what to tell")
    group.add_argument(
        "--reference",
        metavar="FILE",
        type=Path,
        help="what was really said, as plain text; for several recordings a folder with "
        "NAME.txt for each",
    )
    as_data = group.add_mutually_exclusive_group()
    as_data.add_argument("--json", action="store_true", help="one JSON object, for programs")
    as_data.add_argument("--csv", action="store_true", help="a line an engine, for spreadsheets")
    group.add_argument(
        "-q",
        "--quiet",
        "--no-progress",
        action="store_true",
        help="no progress, nothing of who gets the audio",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Compare, print what there is, and tell what did not work."""
    from hybrid_transcribe.comparison import ComparisonPlan
    from hybrid_transcribe.config import Settings

    parameters = options.requested(args)
    engines, model, device = (parameters.pop(name, None) for name in ("engine", "model", "device"))
    settings = Settings.load(cancel_grace_s=GRACE_S, stop_grace_s=GRACE_S)
    check_stdin(args.paths)
    # Each engine reads the recordings anew, and standard input can be read once only.
    with tempfile.TemporaryDirectory(prefix="hybrid_transcribe_") as folder:
        paths = _stored(args.paths, Path(folder), settings)
        plan = ComparisonPlan(paths, engines, args.reference, model, device, settings, parameters)
        if not args.quiet:
            _tell_unable(plan)
        comparison, signal = _work(plan, args, settings)
    _print(comparison, args)
    sys.stdout.flush()
    failed = any(row.errors for row in comparison.rows)
    return signal or (FAILED if failed else FINE)


def _stored(paths: list[str], folder: Path, settings: Settings) -> list[str]:
    """The paths with a file in the folder in place of standard input."""
    if STDIN not in paths:
        return paths
    file = folder / STDIN_NAME
    store_stdin(file, settings)
    return [str(file) if path == STDIN else path for path in paths]


def _tell_unable(plan: ComparisonPlan) -> None:
    """Which engines cannot run, before anybody waits for the others."""
    for entry in plan.entries:
        if entry.error is not None:
            why_not = entry.error.message.removeprefix(f"{entry.engine}: ")
            say(f"{entry.label} cannot run: {why_not}")


def _work(
    plan: ComparisonPlan, args: argparse.Namespace, settings: Settings
) -> tuple[Comparison, int]:
    """The comparison of as many engines as there was patience for."""
    done, signal = [], 0

    def accepted() -> None:
        if not args.quiet:
            tell_receivers([entry.engine for entry in plan.entries if entry.spec], settings)

    try:
        for run in plan.runs(progress=not args.quiet, accepted=accepted):
            done.append(run)
    except InterruptedBySignal as interrupted:
        signal = interrupted.exit_code
        say("interrupted")
    return plan.judge(done), signal


def _print(comparison: Comparison, args: argparse.Namespace) -> None:
    from hybrid_transcribe.cli.outcome import json_text
    from hybrid_transcribe.comparison.report import document

    if args.json:
        print(json_text(document(comparison)))
    elif args.csv:
        _print_csv(comparison.records())
    else:
        print(comparison.text())


def _print_csv(records: list[dict[str, Any]]) -> None:
    if records:
        writer = csv.DictWriter(sys.stdout, list(records[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
