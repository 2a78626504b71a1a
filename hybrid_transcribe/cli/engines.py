"""``hybrid-transcribe engines``: what engines there are, and why one cannot run here."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from hybrid_transcribe.cli.exits import EPILOG, FINE, say, terminal_width


def add_parser(commands: Any) -> None:
    """The command's arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "engines",
        help="list the engines, what each can do and who gets the audio",
        description="The engines of this package and of other installed ones. Loads no model "
        "and asks no network.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="a JSON array, for programs")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Look, and tell."""
    from msgspec import to_builtins

    from hybrid_transcribe.config import PREFIX, Settings
    from hybrid_transcribe.engines.listing import list_engines

    settings = Settings.load()
    result = list_engines(settings)
    if args.json:
        print(json.dumps(to_builtins(list(result)), indent=2))
    else:
        print(result.text(terminal_width(sys.stdout)))
    if settings.engine not in result.names:
        choices = ", ".join(result.names)
        say(f"The default engine {settings.engine!r} ({PREFIX}ENGINE) is none of these: {choices}")
    return FINE
