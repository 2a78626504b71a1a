"""The libraries that we load send nothing to their makers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hybrid_transcribe.core import telemetry
from hybrid_transcribe.executors.subprocess import child_environment


def test_every_process_has_the_switches(tmp_path: Path) -> None:
    """Importing the package is enough, in an environment that has none of them."""
    code = "import hybrid_transcribe, os, json; print(json.dumps(dict(os.environ)))"
    ran = subprocess.run(
        [sys.executable, "-c", code], env={}, capture_output=True, check=True, timeout=60
    )
    environ = json.loads(ran.stdout)

    assert {name: environ.get(name) for name in telemetry.SWITCHES} == dict(telemetry.SWITCHES)
    assert telemetry.SWITCHES.items() <= child_environment().items()


def test_a_users_own_choice_stays() -> None:
    """A value of the user's is kept, an empty one is none."""
    environ = {"DO_NOT_TRACK": "0", "ORT_DISABLE_TELEMETRY": " "}

    telemetry.disable(environ)

    assert environ["DO_NOT_TRACK"] == "0"
    assert environ["ORT_DISABLE_TELEMETRY"] == "1"
    assert telemetry.enabled(environ) == ["DO_NOT_TRACK"]


def test_onnxruntime_keeps_no_device_id(tmp_path: Path) -> None:
    """Its import writes nothing into the user's folders once the package is imported."""
    pytest.importorskip("onnxruntime")
    code = "import hybrid_transcribe, onnxruntime"
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}

    subprocess.run([sys.executable, "-c", code], env=home, check=True, timeout=60)

    assert list(tmp_path.rglob("*")) == []
