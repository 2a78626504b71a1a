"""Clips for benchmarks, from the speech beside the checkout."""

from __future__ import annotations

import json
import os
from pathlib import Path


def folder() -> Path:
    """Where recorded speech is looked for (see ``tests/conftest.py``)."""
    given = os.environ.get("HYBRID_TRANSCRIBE_TEST_SPEECH")
    return Path(given or Path(__file__).resolve().parents[2].parent / "shared" / "speech")


def clips(n: int) -> list[Path]:
    """Up to n read English utterances; none where the speech is absent."""
    manifest = folder() / "librispeech" / "manifest.jsonl"
    if not manifest.is_file():
        return []
    lines = manifest.read_text(encoding="utf-8").splitlines()
    return [manifest.parent / json.loads(line)["file"] for line in lines if line.strip()][:n]
