"""Every line of shell on every page: its command is there, and what can be run here runs."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from hybrid_transcribe.cli.program import make_parser
from hybrid_transcribe.models.convert.speakers import FETCH_WHEEL
from tests.docs.pages import PAGES, ROOT, name_of, shell_lines
from tests.docs.test_snippets import furnish

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

LINES = sorted({line for page in PAGES for line in shell_lines(page)})

#: Packages of others that pages install.
OTHERS = ("jupyterlab", "torch", "pre-commit")

#: Commands of others, which are taken at their word.
FOREIGN = ("git", "pre-commit", "conda")

#: Part of a line, and why it is not run.
NOT_RUN = {
    " serve": "it serves until it is stopped: tests/rest/hosts does so",
    "--diarize": "its models are on the hub: tests of the stage run it",
    "--speakers": "the same",
    "--engine assemblyai": "it needs a key, and costs money",
    "freds0/": "its model is on the hub",
    "sherpa-onnx": "its models are on the hub",
    "models get speakers": "they are on the hub",
    "convert-speakers": "tests/cli/test_models.py does, with the wheel that its fixture fetches",
    "--language it": "the same command stands above with files",
}

RUN = [
    line
    for line in LINES
    if line.startswith("hybrid-transcribe ") and not any(part in line for part in NOT_RUN)
]


@cache
def _help(module: str, name: str) -> str:
    """What a program of the tests says of one of its commands."""
    command = [sys.executable, "-m", module, *([name] if name else []), "--help"]
    completed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    return completed.stdout if completed.returncode == 0 else ""


def _check_make(words: list[str]) -> None:
    assert re.search(rf"^{words[0]}:", MAKEFILE, re.MULTILINE), words
    for word in words[1:]:
        assert f"$({word.partition('=')[0]}" in MAKEFILE, word


def _check_pip(words: list[str]) -> None:
    if words[0] == "download":
        assert ["pip", *words] == FETCH_WHEEL.split()
        return
    assert words[0] == "install"
    for word in words[1:]:
        extras = re.match(r"(?:\.|hybrid-transcribe)\[(.*)\]$", word)
        if extras:
            assert set(extras[1].split(",")) <= set(PROJECT["optional-dependencies"]), word
        else:
            assert word.startswith(("-", "https://")) or word in OTHERS, word


def _check_python(words: list[str]) -> None:
    assert words[0] == "-m"
    if words[1] == "build":
        return
    if words[1] == "pytest":
        _check_pytest(words[2:])
        return
    names = [word for word in words[2:3] if not word.startswith("-")]
    text = _help(words[1], *(names or [""]))
    assert text, words
    for word in words[2:]:
        if word.startswith("--"):
            assert word.partition("=")[0] in text, (word, words)


def _check_pytest(words: list[str]) -> None:
    for word in words:
        path = word.partition("::")[0]
        assert "/" not in path or (ROOT / path).exists(), word


def _check_ours(words: list[str]) -> None:
    args = make_parser().parse_args(words)
    assert callable(args.run)


def _check_foreign(words: list[str]) -> None:
    """Nothing of ours."""


CHECKS = {
    "make": _check_make,
    "pip": _check_pip,
    "python": _check_python,
    "pytest": _check_pytest,
    "hybrid-transcribe": _check_ours,
    **dict.fromkeys(FOREIGN, _check_foreign),
}


def words_of(line: str) -> list[str]:
    """A line without variables before it and redirections behind it."""
    words = shlex.split(re.sub(r"\s[<>]\s*\S+", "", line))
    while words and (re.fullmatch(r"\w+=.*", words[0]) or words[0] == "export"):
        words.pop(0)
    return words


@pytest.mark.parametrize("line", LINES)
def test_the_command_is_there(line: str) -> None:
    """With the options that it is given."""
    words = words_of(line)
    if not words or words[0] == "curl":
        # tests/rest/hosts/test_pages.py sends them.
        return
    if words[0] == "voila":
        assert (ROOT / words[1]).is_file()
        return
    CHECKS[words[0]](words[1:])


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("line", RUN)
def test_the_command_runs(tmp_path: Path, line: str) -> None:
    """In a folder with recordings under the names that the pages use."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    completed = subprocess.run(
        ["bash", "-c", line],
        cwd=furnish(tmp_path),
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert completed.returncode == 0, completed.stderr


def test_what_is_not_run_is_on_some_page() -> None:
    """Each reason is for a line that is there."""
    text = "\n".join(line for page in PAGES for line in shell_lines(page))
    assert [part for part in NOT_RUN if part not in text] == []


def test_every_page_is_read() -> None:
    """None of the known ones is missed."""
    assert {"README.md", "docs/guide/server.md"} <= set(map(name_of, PAGES))
