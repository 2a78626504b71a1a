"""The installed program: its pipes, its signals, its letters."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import psutil
import pytest

from hybrid_transcribe import __version__
from hybrid_transcribe.testing import Script

Start = Callable[..., subprocess.Popen[bytes]]
Talk = Callable[..., Path]

ASCII = {"PYTHONIOENCODING": "ascii"}


def test_it_tells_its_version(start: Start) -> None:
    """``--version`` is the package's."""
    out, _ = start("--version").communicate(timeout=60)

    assert out.decode().strip() == f"hybrid-transcribe {__version__}"


def test_it_runs_as_a_module() -> None:
    """``python -m hybrid_transcribe`` is the same program, and help names the exit codes."""
    command = [sys.executable, "-m", "hybrid_transcribe", "--help"]

    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    assert ran.stdout.startswith("usage: hybrid-transcribe ")
    assert "exit codes:" in ran.stdout


def test_without_a_command_it_shows_its_help(start: Start) -> None:
    """That is wrong usage: exit code 2, help on stderr."""
    process = start()
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (2, b"")
    assert b"transcribe" in err


def test_a_recording_in_place_of_a_command_has_a_hint(start: Start, talk: Talk) -> None:
    """The whole command that was meant is told."""
    path = talk("a.wav")
    _, err = start(path).communicate(timeout=60)

    assert f"did you mean: hybrid-transcribe transcribe {path}".encode() in err


def test_models_alone_shows_its_help(start: Start) -> None:
    """With its own commands; it is wrong usage all the same."""
    process = start("models")
    _, err = process.communicate(timeout=60)

    assert process.returncode == 2
    assert b"list, get" not in err
    assert b"fetch one" in err


def test_a_reader_that_goes_away_is_no_error(start: Start, talk: Talk) -> None:
    """As with ``| head``: no traceback, and the exit code a shell expects."""
    process = start("transcribe", talk(), "-q")
    assert process.stdout is not None
    process.stdout.close()

    assert process.stderr is not None
    assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141


def test_characters_that_an_output_lacks_are_said(start: Start, talk: Talk) -> None:
    """They become question marks, also with -q never in silence; what a pipe lacks is a failure."""
    process = start("transcribe", talk("olá.wav", 1), "-q", **ASCII)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (1, b"ol?.wav 0\n")
    assert b"stdout (ascii)" in err
    assert b"U+00E1" in err
    assert b"PYTHONIOENCODING=utf-8" in err


def test_an_encoding_that_suffices_is_used(start: Start, talk: Talk) -> None:
    """What people configured is theirs to decide, and nothing is said of it."""
    process = start("transcribe", talk("olá.wav", 1), "-q", PYTHONIOENCODING="cp1252")
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out.decode("cp1252"), err) == (0, "olá.wav 0\n", b"")


def test_bytes_of_a_path_are_printed_as_they_are(start: Start, talk: Talk, tmp_path: Path) -> None:
    """A folder whose name is no text in UTF-8 still gives paths that a shell can use."""
    folder = os.fsencode(tmp_path) + b"/sa\xedda"
    process = start("transcribe", talk("a.wav", 1), "-q", "-o", os.fsdecode(folder))
    out, _ = process.communicate(timeout=60)

    assert (process.returncode, out) == (0, folder + b"/a.txt\n")
    assert Path(os.fsdecode(out.strip())).is_file()

    process = start("transcribe", talk("a.wav", 1), "--json", "-o", os.fsdecode(folder))
    out, _ = process.communicate(timeout=60)
    assert json.loads(out.decode("utf-8"))["written"] == [os.fsdecode(folder + b"/a.txt")]


def _closing(*arguments: object, redirect: str) -> subprocess.CompletedProcess[bytes]:
    """The program with a descriptor that a shell has closed or redirected."""
    command = shlex.join([sys.executable, "-m", "hybrid_transcribe", *map(str, arguments)])
    shell = ["sh", "-c", f"exec {command} {redirect}"]
    return subprocess.run(
        shell, stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
    )


def test_a_closed_stdout_is_said(talk: Talk, tmp_path: Path) -> None:
    """The text has nowhere to go; files are written all the same, and no harm is done."""
    ran = _closing("transcribe", talk(), "-q", redirect=">&-")
    assert ran.returncode == 1
    assert ran.stderr == b"hybrid-transcribe: stdout is closed, so that nothing could be printed\n"

    ran = _closing("transcribe", talk(), "-q", "-o", tmp_path / "out", redirect=">&- 2>&-")
    assert ran.returncode == 0
    assert (tmp_path / "out" / "talk.txt").read_text(encoding="utf-8").startswith("talk.wav 0")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("transcribe", "--help"),
        ("engines",),
        ("models", "list"),
        ("transcribe", "TALK", "-q"),
    ],
    ids=" ".join,
)
def test_a_full_output_is_an_error(
    talk: Talk, arguments: tuple[str, ...], unbuffered: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said, with exit code 1: never success and never a traceback."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)
    filled = [talk() if a == "TALK" else a for a in arguments]
    ran = _closing(*filled, redirect=">/dev/full")

    assert ran.returncode == 1
    assert ran.stderr.startswith(b"hybrid-transcribe: ")
    assert b"No space left" in ran.stderr
    assert b"Exception" not in ran.stderr


def test_standard_input_is_a_recording(start: Start, talk: Talk, tmp_path: Path) -> None:
    """``-`` is what comes through the pipe: a recording, or a zip of them, beside other files."""
    with ZipFile(tmp_path / "all.zip", "w") as zipped:
        zipped.write(talk("in.wav", 1), "in.wav")

    for name, expected in (("in.wav", b"stdin 0\n"), ("all.zip", b"in.wav 0\n")):
        process = start("transcribe", "-", "-q", stdin=(tmp_path / name).read_bytes())
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out, err) == (0, expected, b"")

    process = start(
        *("transcribe", talk("b.wav", 1), "-", "-q", "-o", tmp_path / "out"),
        stdin=(tmp_path / "in.wav").read_bytes(),
    )
    out, _ = process.communicate(timeout=60)
    assert [Path(line).name for line in out.decode().splitlines()] == ["b.txt", "stdin.txt"]


@pytest.mark.parametrize(
    ("paths", "sent", "message"),
    [
        (("-",), b"", b"stdin: the file is empty"),
        (("-",), b"import os\n" * 9, b"stdin: "),
        (("-", "-"), b"", b"once only"),
    ],
)
def test_standard_input_that_is_none(
    start: Start, paths: tuple[str, ...], sent: bytes, message: bytes
) -> None:
    """Said in one line, as of any file."""
    process = start("transcribe", *paths, stdin=sent)
    out, err = process.communicate(timeout=60)

    assert (process.returncode, out) == (2, b"")
    assert message in err
    assert err.count(b"\n") == 1


def test_a_keyboard_is_no_recording(start: Start) -> None:
    """Whoever forgets the redirection is not left waiting."""
    terminal, keyboard = os.openpty()
    try:
        process = start("transcribe", "-", stdin=keyboard)
        _, err = process.communicate(timeout=60)
    finally:
        os.close(terminal)
        os.close(keyboard)

    assert process.returncode == 2
    assert b"pipe or redirect" in err


def test_json_survives_any_terminal(start: Start, talk: Talk) -> None:
    """Programs get every letter, escaped where need be."""
    out, _ = start("transcribe", talk("olá.wav", 1), "--json", **ASCII).communicate(timeout=60)

    assert json.loads(out)["recordings"][0]["name"] == "olá.wav"


@pytest.mark.parametrize(("debug", "shown"), [("1", True), ("", False)])
def test_tracebacks_are_for_those_who_ask(
    start: Start, talk: Talk, debug: str, shown: bool
) -> None:
    """HYBRID_TRANSCRIBE_DEBUG=1 shows where an error came from."""
    requested = start("transcribe", talk(), "--engine", "nope", HYBRID_TRANSCRIBE_DEBUG=debug)

    _, err = requested.communicate(timeout=60)

    assert (b"Traceback" in err) is shown


def test_the_unexpected_has_an_exit_code_of_its_own(start: Start, talk: Talk) -> None:
    """An engine that is not where it was registered is one line and a hint."""
    process = start("transcribe", talk(), HYBRID_TRANSCRIBE_ENGINES="scripted=json:nothing")
    _, err = process.communicate(timeout=60)

    assert process.returncode == 3
    assert b"AttributeError" in err
    assert b"HYBRID_TRANSCRIBE_DEBUG=1" in err


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_keeps_what_is_finished(
    start: Start, talk: Talk, tmp_path: Path, sent: signal.Signals, code: int
) -> None:
    """Even of a worker that is deaf: the finished text is there, the worker is not."""
    # The longest goes first.
    model = Script(fault="sleep", at_s=1.0, only="deaf").model
    done = tmp_path / "out" / "a.txt"
    process = start(
        "transcribe", talk("a.wav", 3), talk("deaf.wav", 2), "--model", model, "-o", done.parent
    )
    _until(done.exists)
    workers = psutil.Process(process.pid).children(recursive=True)

    process.send_signal(sent)
    out, err = process.communicate(timeout=30)

    assert process.returncode == code
    assert str(done) in out.decode().splitlines()
    assert b"deaf.wav: Canceled\n" in err
    assert b"What is finished is kept." in err
    assert b"Traceback" not in err
    assert workers
    assert not psutil.wait_procs(workers, timeout=3)[1]


def test_a_second_interrupt_ends_it_at_once(start: Start, talk: Talk, tmp_path: Path) -> None:
    """Whoever presses Ctrl-C twice means it."""
    model = Script(fault="sleep", at_s=1.0, only="deaf").model
    done = tmp_path / "out" / "a.txt"
    process = start(
        "transcribe", talk("a.wav", 3), talk("deaf.wav", 2), "--model", model, "-o", done.parent
    )
    _until(done.exists)
    assert process.stderr is not None

    process.send_signal(signal.SIGINT)
    # Told before it waits for the worker.
    while b"interrupted" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)

    assert process.wait(timeout=5) == 130


def _until(true: Callable[[], bool], patience_s: float = 30.0) -> None:
    deadline = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)
