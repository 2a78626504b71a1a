"""A server as a process of its own, whose loop is watched: what held it, and for how long.

``python -m tests.campaigns._server STATE_DIR [NAME=NUMBER …]`` serves until its input ends. It
prints its address, and for each line of input what has held the loop since the last one.
"""

from __future__ import annotations

import json
import sys
import time
from asyncio.events import Handle
from pathlib import Path
from typing import Any

#: Shorter callbacks are no matter, in seconds of CPU: another program's work does not count.
SHORT_S = 0.02

TOKEN = "campaign"

#: The longest callbacks, as (milliseconds, what).
_held: list[tuple[float, str]] = []


def _watch() -> None:
    run = Handle._run

    def timed(self: Handle) -> None:
        began = time.thread_time()
        run(self)
        took_s = time.thread_time() - began
        if took_s > SHORT_S:
            _held.append((round(took_s * 1000, 1), repr(self)[:200]))

    Handle._run = timed  # type: ignore[method-assign]


def main() -> None:
    """Serve until the input ends."""
    from tests.services import service

    _watch()
    settings: dict[str, Any] = {}
    for value in sys.argv[2:]:
        name, _, number = value.partition("=")
        settings[name] = int(number)
    began = time.monotonic()
    with (
        service(Path(sys.argv[1]), preload_models=False, **settings) as s,
        s.serve(token=TOKEN) as server,
    ):
        print(json.dumps({"url": server.url, "up_s": time.monotonic() - began}), flush=True)
        for _ in sys.stdin:
            message, _held[:] = sorted(_held, reverse=True)[:5], []
            print(json.dumps(message), flush=True)


if __name__ == "__main__":
    main()
