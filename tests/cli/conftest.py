"""The command line on an engine that follows a script, in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe.cli import main
from hybrid_transcribe.config import PREFIX
from hybrid_transcribe.testing import tone, write_wav
from tests.speaking import ENGINES


@dataclass(frozen=True)
class Ran:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def _scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scripted engine is known, and the one that is taken when none is named."""
    pairs = ",".join(f"{name}={target}" for name, target in ENGINES.items())
    monkeypatch.setenv(PREFIX + "ENGINES", pairs)
    monkeypatch.setenv(PREFIX + "ENGINE", "scripted")


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command in this process."""

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        try:
            code = main([str(a) for a in arguments])
        except SystemExit as remaining:
            code = int(remaining.code or 0)
        return Ran(code, *capsys.readouterr())

    return run


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start the installed program; it is ended after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(
        *arguments: object, stdin: bytes | int | None = None, **environment: str
    ) -> subprocess.Popen[bytes]:
        program = Path(sys.executable).with_name("hybrid-transcribe")
        if not program.is_file():
            pytest.skip("the package is not installed here")
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        with tempfile.TemporaryFile() as sent:
            if isinstance(stdin, bytes):
                sent.write(stdin)
                sent.seek(0)
                stdin = sent.fileno()
            process = subprocess.Popen(
                [str(program), *map(str, arguments)],
                env={**os.environ, **environment},
                stdin=stdin,
                **pipes,
            )
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def talk(tmp_path: Path) -> Callable[..., Path]:
    """Make a wave file of some seconds."""

    def make(name: str = "talk.wav", seconds: float = 2.0) -> Path:
        return write_wav(tmp_path / name, tone(seconds))

    return make
