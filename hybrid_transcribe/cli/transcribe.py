"""``hybrid-transcribe transcribe``: recordings in, text out."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.cli import options
from hybrid_transcribe.cli.exits import EPILOG, FAILED, FINE, explain, say
from hybrid_transcribe.cli.receivers import tell_receivers
from hybrid_transcribe.cli.signals import InterruptedBySignal
from hybrid_transcribe.cli.stdin import NAME as STDIN_NAME
from hybrid_transcribe.cli.stdin import STDIN, check_stdin, store_stdin

if TYPE_CHECKING:
    from hybrid_transcribe.audio.intake import Uploaded
    from hybrid_transcribe.cli.outcome import Outcome
    from hybrid_transcribe.cli.targets import Targets
    from hybrid_transcribe.jobs.handle import Job
    from hybrid_transcribe.jobs.service import Service

#: How long an interrupted worker may take to let go before it is killed, in seconds.
GRACE_S = 1.0

_EXAMPLES = """\
examples:
  hybrid-transcribe transcribe talk.m4a
  hybrid-transcribe transcribe interviews/ more.zip --format srt,txt --output-dir out
  ffmpeg -i talk.mkv -f wav - | hybrid-transcribe transcribe -
  hybrid-transcribe transcribe talk.m4a --language pt --task translate --format vtt > talk.vtt

"""


def add_parser(commands: Any) -> None:
    """The command's arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "transcribe",
        help="write down what recordings say",
        description="Write down what recordings say. Their text goes to stdout, or with\n"
        "--output-dir into a file each. Recordings stay on this machine, unless the\n"
        "engine is one of a cloud: then it is said who gets them.",
        epilog=_EXAMPLES + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="audio or video files, folders of them (with the folders below), zips; - for stdin",
    )
    options.add_arguments(parser)
    add = parser.add_argument_group("what to write").add_argument
    add(
        "-f",
        "--format",
        action="append",
        default=[],
        metavar="NAME",
        help="txt (default), srt, vtt, tsv, json…; several with commas, or repeat it",
    )
    add(
        "-o",
        "--output-dir",
        metavar="FOLDER",
        help="write FOLDER/<name>.<format> as each recording ends, replacing what is there, "
        "and print the paths; what ended early is <name>.partial.<format>",
    )
    add("--json", action="store_true", help="print one JSON object about all, for programs")
    add("-q", "--quiet", "--no-progress", action="store_true", help="no progress, no warnings")
    parser.set_defaults(run=run, usage_error=parser.error)


def run(args: argparse.Namespace) -> int:
    """Transcribe, write, and tell what did not work."""
    from hybrid_transcribe.cli.outcome import print_json

    try:
        return _run(args, _formats(args))
    except Exception as error:
        if args.json and not isinstance(error, BrokenPipeError):
            print_json(None, error)
            return explain(error)
        raise


def _formats(args: argparse.Namespace) -> list[str]:
    """The formats asked for, checked before any work. Raises UnknownFormat, SystemExit."""
    from hybrid_transcribe.registry import WRITERS

    listed = [n.strip().lower() for text in args.format for n in text.split(",") if n.strip()]
    names = list(dict.fromkeys(listed)) or ["txt"]
    for name in names:
        WRITERS.get(name)
    if args.output_dir is None and len(names) > 1:
        args.usage_error(f"several formats ({', '.join(names)}) need --output-dir")
    if args.output_dir is None and args.json and listed:
        args.usage_error("--json prints JSON only: --format needs --output-dir with it")
    return names


def _run(args: argparse.Namespace, formats: list[str]) -> int:
    from hybrid_transcribe.cli.outcome import print_json, print_paths, print_text
    from hybrid_transcribe.cli.targets import Targets
    from hybrid_transcribe.jobs.service import Service

    parameters = options.requested(args)
    check_stdin(args.paths)
    targets = None if args.output_dir is None else Targets(args.output_dir, formats)
    # In memory: the jobs and results of notebooks are none of this command's business.
    with Service(journal=None, cancel_grace_s=GRACE_S, stop_grace_s=GRACE_S) as service:
        outcome = _work(service, args, parameters, targets)
    kept = [message for code, message in service.warnings if code == "not_erased"]
    for line in (*outcome.error_lines(), *kept):
        say(line)
    if args.json:
        print_json(outcome)
    elif targets is None:
        print_text(outcome, formats[0])
    else:
        print_paths(outcome)
    sys.stdout.flush()
    return outcome.signal or (FAILED if outcome.errors else FINE)


def _work(
    service: Service, args: argparse.Namespace, parameters: dict[str, Any], targets: Targets | None
) -> Outcome:
    from hybrid_transcribe.cli.outcome import collect, listed_names
    from hybrid_transcribe.progress import follow

    job = service.submit(_inputs(args.paths, service), **parameters)
    if not args.quiet:
        # Of a request that was refused nobody gets anything.
        tell_receivers([parameters.get("engine")], service.settings)
        if job.left_out:
            say(f"left out, as neither audio nor video: {listed_names(job.left_out)}")
    signal = 0
    try:
        if targets is not None:
            targets.plan(service, job)
        follow(job, silent=args.quiet, ended=targets.write if targets else lambda _: None)
    except InterruptedBySignal as interrupted:
        signal = interrupted.exit_code
        _cancel(job, targets)
    return collect(service, job, targets, signal)


def _inputs(paths: list[str], service: Service) -> list[str | Uploaded]:
    """The paths, with what came by standard input among them: a file of the service's own."""
    from hybrid_transcribe.audio.intake import Uploaded
    from hybrid_transcribe.core.names import new_id

    if STDIN not in paths:
        return list(paths)
    path = service.uploads_dir / new_id()
    store_stdin(path, service.settings)
    return [Uploaded(path, STDIN_NAME) if value == STDIN else value for value in paths]


def _cancel(job: Job, targets: Targets | None) -> None:
    """Let go, but keep what is finished, whole recordings and parts of them."""
    # Before it waits for the worker, so that nobody presses again for want of an answer.
    say("interrupted")
    job.cancel()
    job.wait(GRACE_S + 1.0)
    if targets is not None:
        for recording in job.recordings:
            targets.write(recording)
        if targets.written:
            say("What is finished is kept.")
