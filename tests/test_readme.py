"""What the README shows is run as it stands."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")

#: Every Python block, in order.
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def run_blocks(python: Path, folder: Path) -> str:
    """Paste one block after the other; those that begin with a file's name are that file."""
    said = ""
    for block in BLOCKS:
        named = re.match(r"# (\w+\.py)\n", block)
        if named:
            (folder / named[1]).write_text(block, encoding="utf-8")
            continue
        ran = subprocess.run(
            [str(python), "-c", block],
            cwd=folder,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:hybrid_transcribe"},
            timeout=300,
        )
        assert ran.returncode == 0, f"{block}\n{ran.stderr}"
        said += ran.stdout
    return said


def check(folder: Path, said: str) -> None:
    """The snippets did what the text around them says."""
    assert said.count("what your country can do for you") >= 3
    assert " dB" in said
    written = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert {"jfk.srt", "out/jfk.srt", "out.zip", "loudness.py"} <= {
        name.replace(os.sep, "/") for name in written
    }


@pytest.mark.model
def test_snippets_run_here(tmp_path: Path) -> None:
    """Each Python block of the README runs in this environment."""
    check(tmp_path, run_blocks(Path(sys.executable), tmp_path))


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
def test_snippets_run_in_a_fresh_environment(tmp_path: Path) -> None:
    """The same in a new virtual environment with nothing but the wheel and its starter extra."""
    dist, home, folder = tmp_path / "dist", tmp_path / "venv", tmp_path / "empty"
    folder.mkdir()
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = dist.glob("*.whl")
    venv.create(home, with_pip=True)
    bin_folder = home / ("Scripts" if os.name == "nt" else "bin")
    python = bin_folder / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", f"{wheel}[starter]"]
    subprocess.run(install, check=True, capture_output=True)
    check(folder, run_blocks(python, folder))
    doctor = [str(bin_folder / "hybrid-transcribe"), "doctor"]
    assert subprocess.run(doctor, capture_output=True, cwd=folder).returncode == 0


def test_commands_exist() -> None:
    """Every make target and every command the README names is there."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in set(re.findall(r"^make (\w+)", README, re.MULTILINE)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for command in set(re.findall(r"^hybrid-transcribe (\w+)", README, re.MULTILINE)):
        ran = subprocess.run(
            [sys.executable, "-m", "hybrid_transcribe", command, "--help"], capture_output=True
        )
        assert ran.returncode == 0, command


def test_nothing_is_left_to_fill_in() -> None:
    """No marker of ours is still in the text."""
    assert not re.search(r"@[A-Z]+@", README)
