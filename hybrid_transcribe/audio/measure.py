"""Lengths of recordings: ``python -m hybrid_transcribe.audio.measure``, a child that may die.

A queue with known lengths has an ETA before its first recording runs. The look at a header is
native code on strangers' bytes, so it does not happen in the notebook's process.
"""

import json
import sys

from hybrid_transcribe.audio.probe import probe
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.child_process import die_with_parent
from hybrid_transcribe.errors import HybridTranscribeError


def main() -> None:
    """Paths as a JSON list on stdin; a line ``[path, seconds]`` for each that has a length."""
    die_with_parent()
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
