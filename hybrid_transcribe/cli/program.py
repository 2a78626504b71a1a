"""From arguments to a command's function, and from whatever it raises to an exit code."""

from __future__ import annotations

import argparse
import logging
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from typing import Any

from hybrid_transcribe._version import __version__
from hybrid_transcribe.cli import compare, doctor, engines, models, serve, streams, transcribe
from hybrid_transcribe.cli.exits import EPILOG, FINE, READER_GONE, USAGE, debugging, explain, say
from hybrid_transcribe.cli.signals import InterruptedBySignal, interruptible

#: A module a command, in the order of the help.
COMMANDS = (transcribe, compare, serve, engines, models, doctor)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; wrong usage raises SystemExit, as argparse does."""
    streams.prepare()
    try:
        return streams.finish(_run(arguments))
    except SystemExit as remaining:
        # Help and version are printed, too, and their reader may be gone.
        raise SystemExit(streams.finish(int(remaining.code or FINE))) from None


def _run(arguments: Sequence[str] | None) -> int:
    parser = make_parser()
    items = list(sys.argv[1:] if arguments is None else arguments)
    _hint_at_transcribe(parser, items)
    args = parser.parse_args(items)
    if not hasattr(args, "run"):
        parser.print_help(sys.stderr)
        return USAGE
    _prepare_logs()
    with interruptible():
        return _guarded(args.run, args)


def _hint_at_transcribe(parser: argparse.ArgumentParser, value: Sequence[str]) -> None:
    """Wrong usage with a hint for a recording where a command should be."""
    first = value[0] if value else ""
    is_command = first in (command.__name__.rpartition(".")[2] for command in COMMANDS)
    if not is_command and not first.startswith("-") and os.path.lexists(first):
        meant = shlex.join([parser.prog, "transcribe", *value])
        parser.error(f"{first!r} is no command; did you mean: {meant}")


class _Parser(argparse.ArgumentParser):
    """Help and version that stdout does not take are an error; argparse passes over it."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if file is not sys.stdout:
            super()._print_message(message, file)
        elif code := streams.write_out(lambda: file.write(message)):
            self.exit(code)


def make_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="hybrid-transcribe",
        description="Recordings into text: on this machine, or in a cloud whose engine you name.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    return parser


def _guarded(run: Callable[[argparse.Namespace], int], args: argparse.Namespace) -> int:
    try:
        return run(args)
    except InterruptedBySignal as signal:
        say("interrupted")
        return signal.exit_code
    except BrokenPipeError:
        return READER_GONE
    except Exception as error:
        return explain(error)


def _prepare_logs() -> None:
    """Logs are for those who ask: what people should know comes as warnings of the job."""
    log = logging.getLogger("hybrid_transcribe")
    if debugging():
        logging.basicConfig(level=logging.DEBUG)
    elif not log.handlers:
        log.addHandler(logging.NullHandler())
