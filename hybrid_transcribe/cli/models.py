"""``hybrid-transcribe models``: what models are here, getting one and letting one go."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.cli.exits import EPILOG, FINE, USAGE, explain, say
from hybrid_transcribe.errors import HybridTranscribeError

if TYPE_CHECKING:
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.models import Installed

#: Columns of the list, and what stands for a model that is not here.
_HEAD = ("NAME", "LAYOUT", "SIZE", "SOURCE", "WHERE")
_NOT_HERE = "not here"

_LAYOUTS = ("ctranslate2", "huggingface")


def add_parser(commands: Any) -> None:
    """The command's own commands and their arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "models",
        help="list, get and remove models",
        description="The models on this machine.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=lambda _: _help(parser))
    actions = parser.add_subparsers(title="commands", metavar="COMMAND")
    listing = actions.add_parser("list", help="what is here: nothing of it needs a network")
    listing.add_argument("--all", action="store_true", help="also those known but not here")
    listing.add_argument("--json", action="store_true", help="a JSON array, for programs")
    listing.set_defaults(run=_list)
    get = actions.add_parser("get", help="fetch one, or say where it is")
    get.add_argument("name", metavar="NAME", help="short name, or id on the hub")
    get.add_argument("--layout", choices=_LAYOUTS, default=_LAYOUTS[0], help="default: %(default)s")
    get.add_argument("-q", "--quiet", "--no-progress", action="store_true", help="no progress")
    get.set_defaults(run=_get)
    remove = actions.add_parser("rm", help="delete from the caches, and say what was freed")
    remove.add_argument("names", nargs="+", metavar="NAME")
    remove.set_defaults(run=_remove)


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return USAGE


# ------------------------------------------------------------------------------ list


def _list(args: argparse.Namespace) -> int:
    from hybrid_transcribe import models
    from hybrid_transcribe.config import Settings

    here = models.listing(Settings.load())
    rows = [_row(model) for model in here]
    if args.all:
        rows += _known_but_not_here({model.name for model in here})
    if args.json:
        print(json.dumps(rows, indent=2))
    elif rows:
        sys.stdout.write(_table(rows))
    else:
        say("No models here yet: hybrid-transcribe models get base fetches one.")
    return FINE


def _row(model: Installed) -> dict[str, Any]:
    return {
        "name": model.name,
        "layout": model.layout,
        "size_bytes": model.size_bytes,
        "source": model.source,
        "where": str(model.where),
        "here": True,
    }


def _known_but_not_here(here: set[str]) -> list[dict[str, Any]]:
    from hybrid_transcribe.models.catalogue import MODELS

    layout = _LAYOUTS[0]
    return [
        {
            "name": entry.name,
            "layout": layout,
            "size_bytes": entry.size_bytes,
            "source": None,
            "where": entry.repos[layout],
            "here": False,
        }
        for entry in MODELS.values()
        if entry.name not in here
    ]


def _table(rows: Iterable[dict[str, Any]]) -> str:
    lines: list[Sequence[str]] = [_HEAD]
    for row in rows:
        about = "" if row["here"] else "~"
        size = about + size_text(row["size_bytes"])
        lines.append((row["name"], row["layout"], size, row["source"] or _NOT_HERE, row["where"]))
    widths = [max(len(line[n]) for line in lines) for n in range(len(_HEAD))]
    return "".join(_aligned(line, widths) + "\n" for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        # Sizes to the right, so that their digits stand below each other.
        text.rjust(width) if n == _HEAD.index("SIZE") else text.ljust(width)
        for n, (text, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def size_text(size_bytes: int) -> str:
    """Bytes as people read them.

    >>> size_text(147_964_211), size_text(3_091_000_000)
    ('148 MB', '3.1 GB')
    """
    if size_bytes >= 1e9:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.0f} MB"


# --------------------------------------------------------------------------- get, rm


def _get(args: argparse.Namespace) -> int:
    from hybrid_transcribe import models
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.progress.display import display
    from hybrid_transcribe.progress.look import transfer_look

    with display(None if args.quiet else sys.stderr) as shown:
        got = models.get(
            args.name,
            args.layout,
            Settings.load(),
            lambda percentage: shown.show(transfer_look(args.name, percentage)),
        )
    print(f"{got.name} ({got.layout}, {size_text(got.size_bytes)}) is in {got.where}")
    return FINE


def _remove(args: argparse.Namespace) -> int:
    from hybrid_transcribe.config import Settings

    settings, worst = Settings.load(), FINE
    for name in args.names:
        try:
            _remove_one(name, settings)
        except HybridTranscribeError as error:
            worst = max(worst, explain(error))
    return worst


def _remove_one(name: str, settings: Settings) -> None:
    from hybrid_transcribe import models
    from hybrid_transcribe.models import starter

    freed = models.remove(name, settings)
    print(f"{name}: {size_text(freed.size_bytes)} freed")
    for folder in freed.folders:
        print(f"  {folder} is gone")
    if starter.carried(name) is not None:
        packages = " ".join(starter.STARTERS[name].packages)
        print(f"  It can still be used: it is part of an installed package ({packages})")
