"""Broken models of sherpa-onnx: its library would end the process, so they never reach it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.testing import write_wav
from hybrid_transcribe.types import Clip
from tests.engines.tdt_graph import bursts, write_tdt
from tests.services import worker_pid

#: A row of faults to what is done to a sound folder, and what the message says.
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "cut": (
        lambda folder: _cut(folder / "encoder.int8.onnx"),
        "encoder.int8.onnx is damaged or no ONNX file (cut short)",
    ),
    "pointer": (
        lambda folder: (folder / "encoder.int8.onnx").write_text(
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"
        ),
        "encoder.int8.onnx is damaged or no ONNX file",
    ),
    "metadata": (
        lambda folder: write_tdt(folder, subsampling_factor="", pred_hidden=""),
        "lacks metadata that sherpa-onnx needs: subsampling_factor, pred_hidden",
    ),
    "vocabulary": (
        lambda folder: (folder / "tokens.txt").write_text("a 0\n<blk> 1\n"),
        "has 2 symbols in its tokens.txt where its weights have 5",
    ),
    "text": (
        lambda folder: (folder / "tokens.txt").write_text("<html>Not found</html>\n"),
        "has no token with its id in line '<html>Not found</html>'",
    ),
}


def _cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("fault", BROKEN)
def test_f100_a_broken_model_is_an_error_and_no_dead_worker(fault: str, tmp_path: Path) -> None:
    """The message names the file; the same worker goes on with a sound model."""
    damage, message = BROKEN[fault]
    recording = write_wav(tmp_path / "a.wav", Clip(bursts([(1.04, 2.16)], 4.0)))
    broken, sound = (write_tdt(tmp_path / name) for name in ("broken", "sound"))
    damage(broken)
    with Service(journal=None) as service:
        options = {"engine": "sherpa-onnx", "silence_guard": False}
        failed = service.submit(recording, model=str(broken), **options)
        assert failed.wait(60)
        worker = worker_pid(service)
        (transcript,) = service.submit(recording, model=str(sound), **options).result(60)
        assert worker_pid(service) == worker
        error = failed.recordings[0].error

    assert error is not None
    assert error.code == "model_unavailable"
    assert message in error.message
    assert transcript.text == "Bom dia. Bom"
