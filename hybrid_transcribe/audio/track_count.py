"""How many audio tracks files have: ``python -m hybrid_transcribe.audio.track_count`` is the child.

A header is read by native code, on strangers' bytes: that does not happen in the notebook's own
process, which `by_track` may run in.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hybrid_transcribe.audio.intake import Intake
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.child_process import (
    die_with_parent,
    module_command,
    package_environment,
)
from hybrid_transcribe.core.names import with_note
from hybrid_transcribe.errors import HybridTranscribeError, TooMany
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Rejection

#: Longest that a child may take, in seconds: it reads headers only.
TIMEOUT_S = 60.0


def by_track(taken: Intake, settings: Settings) -> Intake:
    """One recording for each audio track of each file, told apart by their names.

    A file with one track, or of which nothing can be read, stays one recording. Tracks beyond
    ``max_files`` recordings in all are rejected.
    """
    counts = count_tracks([item.path for item in taken.files])
    items = [
        replace(item, name=with_note(item.name, f"track {number}"), audio_track=str(number))
        if counts.get(str(item.path), 1) > 1
        else item
        for item in taken.files
        for number in range(1, counts.get(str(item.path), 1) + 1)
    ]
    rejected = [
        Rejection(
            item.name,
            TooMany(UserMessage("job_recordings", name=item.name, n=settings.max_files)).info(),
        )
        for item in items[settings.max_files :][:1]
    ]
    kept = tuple(items[: settings.max_files])
    return Intake(kept, (*taken.rejected, *rejected), taken.left_out)


def count_tracks(paths: Sequence[Path]) -> dict[str, int]:
    """Audio tracks by path, of the files that can be read."""
    try:
        done = subprocess.run(
            module_command("hybrid_transcribe.audio.track_count"),
            input=json.dumps([str(path) for path in paths]).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=TIMEOUT_S,
            env=package_environment(),
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    counts: dict[str, int] = {}
    for line in done.stdout.splitlines():
        try:
            path, count = json.loads(line)
        except (ValueError, TypeError):
            continue  # A library printed it.
        counts[str(path)] = int(count)
    return counts


def main() -> None:
    """Paths as a JSON list on stdin; a line ``[path, tracks]`` for each that can be read."""
    from hybrid_transcribe.audio.probe import probe

    die_with_parent()
    settings = Settings.load()
    for path in json.load(sys.stdin):
        try:
            count = probe(path, settings).n_tracks
        except HybridTranscribeError:
            continue
        print(json.dumps([path, count]), flush=True)


if __name__ == "__main__":
    main()
