"""An engine of another package, installed as its users would: it is there everywhere.

``sample_engine`` is that package, whole. Nothing of ours names it.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hybrid_transcribe.testing import tone, write_wav
from hybrid_transcribe.types import Clip

PACKAGE = Path(__file__).with_name("sample_engine")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package, built and installed by pip without a network."""
    for module in ("pip", "hatchling"):
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    folder = tmp_path_factory.mktemp("plugin")
    # Builds leave things behind, so not in the checkout.
    source = shutil.copytree(PACKAGE, folder / "source")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    command += ["--no-build-isolation", "--disable-pip-version-check"]
    ran = subprocess.run(
        [*command, "--target", str(folder / "site"), str(source)], capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr
    return folder / "site"


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """A second of tone, one of silence, one of tone."""
    beep = tone(1.0).samples
    return write_wav(tmp_path / "talk.wav", Clip(np.concatenate((beep, np.zeros_like(beep), beep))))


def python(installed: Path, *arguments: str) -> str:
    """What Python says, with the package to be found."""
    path = os.pathsep.join(filter(None, (str(installed), os.environ.get("PYTHONPATH", ""))))
    ran = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": path},
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_without_it_the_engine_is_unknown(talk: Path) -> None:
    """The other tests find it because it was installed."""
    command = [sys.executable, "-m", "hybrid_transcribe", "transcribe", str(talk)]
    ran = subprocess.run([*command, "--engine", "sound"], capture_output=True, text=True)

    assert ran.returncode == 2
    assert "No engine 'sound'" in ran.stderr


def test_the_engines_command_lists_it(installed: Path) -> None:
    """With what it can do, beside ours."""
    rows = json.loads(python(installed, "-m", "hybrid_transcribe", "engines", "--json"))

    (sound,) = (row for row in rows if row["name"] == "sound")
    assert (sound["available"], sound["why_not"]) == (True, None)
    assert (sound["default_model"], sound["sends_audio_to"]) == ("energy", None)
    assert "faster-whisper" in [row["name"] for row in rows]


def test_the_help_names_it(installed: Path) -> None:
    """Where engines are asked for."""
    message = python(installed, "-m", "hybrid_transcribe", "transcribe", "--help")

    # Where a line ends within a name depends on the names before it.
    assert "whotranscribes:faster-whisper," in "".join(message.split())
    assert ",sound(default:" in "".join(message.split())


def test_the_command_line_transcribes_with_it(installed: Path, talk: Path) -> None:
    """Its times come out as subtitles."""
    command = ("-m", "hybrid_transcribe", "transcribe", str(talk), "--engine", "sound")
    message = python(installed, *command, "--format", "srt", "--quiet")

    assert message.split() == [
        *("1", "00:00:00,000", "-->", "00:00:01,000", "[sound]"),
        *("2", "00:00:02,000", "-->", "00:00:03,000", "[sound]"),
    ]


def test_python_transcribes_with_it(installed: Path, talk: Path) -> None:
    """By its name, as with any other."""
    code = f"""
from hybrid_transcribe import list_engines, transcribe
assert list_engines()["sound"].available
heard = transcribe({str(talk)!r}, engine="sound", progress=False)
print(heard.engine, heard.model, [(s.start_s, s.end_s, s.text) for s in heard.segments])
"""
    message = python(installed, "-c", code)

    assert message == "sound energy [(0.0, 1.0, '[sound]'), (2.0, 3.0, '[sound]')]\n"


def test_it_keeps_what_engines_promise(installed: Path) -> None:
    """In the way its author would test it: a line."""
    code = """
from hybrid_transcribe.testing import check_engine, tone
from hybrid_transcribe_sound import Sound
check_engine(Sound(), tone(3.0))
print("kept")
"""
    assert python(installed, "-c", code) == "kept\n"
