"""``hybrid-transcribe doctor``: what works on this machine, why the rest does not, what helps."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.cli.exits import EPILOG, FAILED, FINE, terminal_width
from hybrid_transcribe.core.columns import wrapped

if TYPE_CHECKING:
    from hybrid_transcribe.doctor import Check

#: Marks for works, does not, and does not matter; and where an encoding lacks them.
_MARKS = {True: "✓", False: "✗", None: "–"}
_PLAIN_MARKS = {True: "+", False: "x", None: "-"}


def add_parser(commands: Any) -> None:
    """The command's arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="what works on this machine, and what helps where something does not",
        description="Look at what transcribing needs. Exit code 0 when the default engine can "
        "transcribe with the default model, else 1.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="one JSON object, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look, and tell."""
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.doctor import checkup, ready

    checks = checkup(Settings.load())
    well = ready(checks)
    if args.json:
        print(json.dumps({"ready": well, "checks": [asdict(c) for c in checks]}, indent=2))
    else:
        sys.stdout.write(_page(checks, well))
    return FINE if well else FAILED


def _page(checks: Sequence[Check], well: bool) -> str:
    width = max(len(check.name) for check in checks)
    marks = _marks()
    lines = [line for check in checks for line in _lines(check, marks[check.ok], width)]
    end = "Ready to transcribe." if well else "Not ready to transcribe: see what is marked above."
    return "\n".join([*lines, "", end, ""])


def _lines(check: Check, mark: str, width: int) -> list[str]:
    indent = " " * (width + 4)
    columns = terminal_width(sys.stdout)
    room = 0 if columns is None else columns - len(indent)
    texts = [check.detail] + ([f"-> {check.hint}"] if check.hint else [])
    first, *rest = [part for text in texts for part in wrapped(text, room)]
    return [f"{mark} {check.name:<{width}}  {first}".rstrip(), *(indent + line for line in rest)]


def _marks() -> dict[bool | None, str]:
    try:
        "".join(_MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeError, LookupError):
        return dict(_PLAIN_MARKS)
    return dict(_MARKS)
