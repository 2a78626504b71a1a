"""``hybrid-transcribe serve``: the REST service and its page, on a port."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.cli.exits import EPILOG, FAILED, FINE, debugging, say

if TYPE_CHECKING:
    from hybrid_transcribe.rest.hosts.serve_config import ServeConfig

_ENVIRONMENT = """\
Each has a variable of the environment: HYBRID_TRANSCRIBE_HOST, _PORT, _TOKEN, _OPEN,
_OPEN_TO_NETWORK, _BASE_URL, _ALLOW_HOST, _TRUST_PROXY, _STATE_DIR. Each open page has a
kernel of about 100 MB: _MAX_PAGES (40) may be open, and _WARM_PAGES (2) more kernels wait for
visitors. DEBUG=true writes more about each request. No token and no session id is ever written to
the log.

examples:
  hybrid-transcribe serve
  HYBRID_TRANSCRIBE_TOKEN=… hybrid-transcribe serve --host 0.0.0.0 --allow-host speech.example.org
  hybrid-transcribe serve --open --port 9000

SIGTERM and Ctrl-C: no more work is taken, running work goes back to the journal for the next
start, and the exit code is 0. A second one ends it at once.

"""

#: What a missing library of these is mended by.
REMEDY = "pip install 'hybrid-transcribe[app]'"


def add_parser(commands: Any) -> None:
    """The command's arguments."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "serve",
        help="the REST service and its page, for others on this machine or a network",
        description="Serve transcription over HTTP, with a page at /ui and its documentation\n"
        "at /docs. Callers show a token: yours, or a new one that is printed.",
        epilog=_ENVIRONMENT + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", help="where to listen: 127.0.0.1 (default) is for this machine alone")
    add("--port", type=int, help="8866 by default; 0 takes a free one")
    who = parser.add_mutually_exclusive_group()
    who.add_argument("--token", help="what callers must show; the page /ui needs none")
    who.add_argument("--open", action="store_true", default=None, help="ask for no token")
    add(
        "--open-to-network",
        action="store_true",
        default=None,
        help="the same where others than this machine can reach it",
    )
    add("--base-url", metavar="PATH", help="goes before every address, such as /transcribe")
    add(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name this server is called by, beside localhost, addresses and this machine's "
        "own; repeat it; * for any",
    )
    add(
        "--trust-proxy",
        action="store_true",
        default=None,
        help="believe X-Forwarded-For and X-Forwarded-Proto: only behind a proxy that sets them",
    )
    add("--state-dir", metavar="FOLDER", help="where jobs and recordings are kept")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal comes."""
    from hybrid_transcribe.rest.hosts.serve_config import make_config

    plan = make_config(
        args.host,
        args.port,
        token=args.token,
        open_to_all=args.open,
        open_to_network=args.open_to_network,
        base_url=args.base_url,
        names=tuple(args.allow_host),
        trust_proxy=args.trust_proxy,
    )
    try:
        # Its own start takes a while, so only where it is needed.
        import voila  # noqa: F401
    except ModuleNotFoundError as error:
        say(f"hybrid-transcribe: serve needs {error.name}, which is not installed: {REMEDY}")
        return FAILED
    return _serve(plan, args.state_dir)


def _serve(plan: ServeConfig, state_dir: str | None) -> int:
    from hybrid_transcribe.jobs.service import Service
    from hybrid_transcribe.rest.hosts.app import PageServer, take_port
    from hybrid_transcribe.rest.logs import start_logs

    start_logs(plan.token, plan.visitor, debug=debugging())
    sockets = take_port(plan)
    with Service(state_dir) as service:
        server = PageServer()
        server.prepare(service, plan, sockets)
        for _, message in service.warnings:
            say(message)

        async def main() -> None:
            with _stopping() as stop:
                await server.run(lambda url: _up(url, plan), stop)

        asyncio.run(main())
    return FINE


def _up(url: str, plan: ServeConfig) -> None:
    """The one line that says where it is. A token of people's own is theirs to know."""
    address = f"{url}/ui?token={plan.token}" if plan.token_made else f"{url}/ui"
    print(f"Hybrid Transcribe is up at {address}", flush=True)


@contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """An event that the first signal sets; the second ends this process at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    stop_requested = False

    def on_signal(number: int, frame: object) -> None:
        nonlocal stop_requested
        if stop_requested:
            # The workers end by themselves when their stdin does.
            os._exit(128 + number)
        stop_requested = True
        loop.call_soon_threadsafe(_stop, stop)

    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    names = [n for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    numbers = [getattr(signal, n) for n in names]
    before = {n: signal.getsignal(n) for n in numbers if signal.getsignal(n) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, on_signal)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stop(stop: asyncio.Event) -> None:
    say("stopping: running work is handed back")
    stop.set()
