"""Lengths of recordings, looked up in a child process that may die of them.

A queue with known lengths has an ETA before its first recording runs. The look at a header is
native code on strangers' bytes, so it does not happen in the notebook's process; a child that
dies of one leaves those lengths unknown, and nothing else.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import HybridTranscribeError

#: Files one child looks at: what a crash leaves unknown.
AT_ONCE = 100

#: Longest a child may take, in seconds.
TIMEOUT_S = 60.0


def measure(paths: Sequence[str]) -> dict[str, float]:
    """Length in seconds by path, for those that say; blocks until the child is done."""
    found: dict[str, float] = {}
    for start in range(0, len(paths), AT_ONCE):
        found.update(_ask_child(paths[start : start + AT_ONCE]))
    return found


def _ask_child(paths: Sequence[str]) -> dict[str, float]:
    try:
        ran = subprocess.run(
            [sys.executable, "-m", __name__],
            input=json.dumps(list(paths)),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return {}
    # Line by line: what was found before a crash counts.
    return dict(json.loads(line) for line in ran.stdout.splitlines() if line.endswith("]"))


def main() -> None:
    """Paths as a JSON list on stdin; a line ``[path, seconds]`` for each that has a length."""
    from hybrid_transcribe.audio.probe import probe

    settings = Settings.load()
    for path in json.load(sys.stdin):
        try:
            duration_s = probe(path, settings).duration_s
        except HybridTranscribeError:
            continue
        if duration_s is not None:
            print(json.dumps([path, duration_s]), flush=True)


if __name__ == "__main__":
    main()
