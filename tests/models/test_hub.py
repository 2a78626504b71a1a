"""Fetching from a hub that behaves, and from one that does not. The hub runs on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.models import fakes
from tests.models.hub_server import COMMIT, REPO, Hub, serving

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = fakes.CT2_FILES["model.bin"]

# The client reads its address when it is imported, hence a process of its own.
_CHILD = """
import json, sys, time
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.models import resolve
seen, started = [], time.monotonic()
try:
    files = resolve(sys.argv[2], "ctranslate2", Settings(cache_dir=sys.argv[1]), seen.append)
    answer = {"folder": str(files.folder)}
except HybridTranscribeError as error:
    answer = {"code": error.code, "message": str(error)}
print(json.dumps({**answer, "seen": seen, "took_s": time.monotonic() - started}))
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub with one repository."""
    served = Hub()
    with serving(served):
        yield served


def fetched(tmp_path: Path, endpoint: str, name: str = REPO) -> dict[str, Any]:
    """What a process that resolves the model says about it."""
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
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD, str(tmp_path / "cache"), name],
        capture_output=True,
        text=True,
        env=environ,
        timeout=90,
    )
    assert ran.returncode == 0, ran.stderr
    answer: dict[str, Any] = json.loads(ran.stdout)
    return answer


def blobs(tmp_path: Path) -> list[Path]:
    """Blobs of the repository in the hub client's cache."""
    folder = tmp_path / "hf" / "hub" / ("models--" + REPO.replace("/", "--")) / "blobs"
    return sorted(folder.iterdir())


def test_a_model_is_fetched_with_its_percentage(hub: Hub, tmp_path: Path) -> None:
    """Unknown at first, then rising to 100; the files are those of the hub."""
    answer = fetched(tmp_path, hub.url)

    folder = Path(answer["folder"])
    assert folder.name == COMMIT
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == fakes.CT2_FILES
    known = [p for p in answer["seen"] if p is not None]
    assert answer["seen"][0] is None
    assert known == sorted(known)
    assert known[-1] == 100


@pytest.mark.slow
def test_what_was_fetched_once_needs_no_hub(hub: Hub, tmp_path: Path) -> None:
    """The second time nothing is asked, so a hub that is gone does not matter."""
    first = fetched(tmp_path, hub.url)
    second = fetched(tmp_path, "http://127.0.0.1:9")

    assert (second["folder"], second["seen"]) == (first["folder"], [])


def test_f20_a_cut_connection_is_resumed(hub: Hub, tmp_path: Path) -> None:
    """The bytes that came are kept, and only the rest is asked for."""
    # The client keeps whole blocks of 10 MiB.
    block = 10 << 20
    hub.files["model.bin"] = WEIGHTS * (2 * block // len(WEIGHTS))
    hub.cut_after = block + 100_000
    answer = fetched(tmp_path, hub.url)

    assert (Path(answer["folder"]) / "model.bin").read_bytes() == hub.files["model.bin"]
    assert hub.ranges == [f"bytes={block}-"]


@pytest.mark.slow
def test_f20_wrong_bytes_are_refused_and_deleted(hub: Hub, tmp_path: Path) -> None:
    """The right number of wrong bytes passes the client's checks, not ours; a retry starts anew."""
    hub.sent = b"x" * len(WEIGHTS)
    answer = fetched(tmp_path, hub.url)

    assert answer["code"] == "model_unavailable"
    assert fakes.sha256(WEIGHTS) in answer["message"]
    assert fakes.sha256(hub.sent) in answer["message"]
    assert fakes.sha256(WEIGHTS) not in [b.name for b in blobs(tmp_path)]
    hub.sent = None
    assert "folder" in fetched(tmp_path, hub.url)


def test_f20_an_unreachable_hub_is_told_soon_and_with_the_remedy(tmp_path: Path) -> None:
    """No minute of retries: one message with what to put where."""
    answer = fetched(tmp_path, "http://127.0.0.1:9")

    assert answer["code"] == "model_unavailable"
    assert answer["took_s"] < 10
    assert f"http://127.0.0.1:9/{REPO}" in answer["message"]
    assert str(tmp_path / "cache" / "models" / "someone--whisper-mine") in answer["message"]


def test_a_repository_that_does_not_exist_is_told_as_such(hub: Hub, tmp_path: Path) -> None:
    """The hub's own answer is in the message."""
    answer = fetched(tmp_path, hub.url, "someone/else")

    assert answer["code"] == "model_unavailable"
    assert "someone/else" in answer["message"]
    assert "404" in answer["message"]


def test_a_repository_of_another_kind_is_refused(hub: Hub, tmp_path: Path) -> None:
    """A repository without such weights is named with what it lacks."""
    del hub.files["model.bin"]
    answer = fetched(tmp_path, hub.url)

    assert answer["code"] == "model_unavailable"
    assert "model.bin" in answer["message"]
