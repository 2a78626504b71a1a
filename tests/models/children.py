"""Processes that resolve a model: the hub's client reads its address when it is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.models.hub_server import REPO

ROOT = Path(__file__).resolve().parents[2]

# Says each percentage as it comes, then what happened, a line each.
_CHILD = """
import json, sys, time
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.models import fetch, resolve
cache, name, layout = sys.argv[1:]
started, fetch.PAUSE_S = time.monotonic(), 0.0
def say(*what): print(json.dumps(what), flush=True)
try:
    files = resolve(name, layout, Settings(cache_dir=cache), lambda p: say("seen", p))
    answer = {"folder": str(files.folder), "file": str(files.file)}
except HybridTranscribeError as error:
    answer = {"code": error.code, "message": str(error)}
say("end", {**answer, "took_s": time.monotonic() - started})
"""


def start(
    tmp_path: Path, endpoint: str, name: str = REPO, layout: str = "ctranslate2"
) -> subprocess.Popen[str]:
    """Start a process that resolves the model."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "HF_ENDPOINT": endpoint,
        "HF_HOME": str(tmp_path / "hf"),
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
    }
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(tmp_path / "cache"), name, layout],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environ,
    )


def fetched(
    tmp_path: Path, endpoint: str, name: str = REPO, layout: str = "ctranslate2"
) -> dict[str, Any]:
    """What a process that resolves the model says, with the percentages as ``seen``."""
    with start(tmp_path, endpoint, name, layout) as child:
        out, err = child.communicate(timeout=90)
    assert child.returncode == 0, err
    said = [json.loads(line) for line in out.splitlines()]
    answer: dict[str, Any] = {"seen": [what for kind, what in said if kind == "seen"]}
    return {**answer, **said[-1][1]}


def blobs(tmp_path: Path) -> dict[str, Path]:
    """Blobs of the repository in the hub client's cache, by name."""
    folder = tmp_path / "hf" / "hub" / ("models--" + REPO.replace("/", "--")) / "blobs"
    return {path.name: path for path in folder.iterdir()}
