"""The voice detector: what the library's own session says, of the same graph."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.listening import voice
from hybrid_transcribe.executors.subprocess import child_environment

vad = pytest.importorskip("faster_whisper.vad", reason="the detector comes with faster-whisper")


@pytest.fixture(autouse=True)
def in_a_worker(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A detector chosen for one test alone, where numpy has no threads of its own."""
    monkeypatch.setenv(voice.ALONE, child_environment()[voice.ALONE])
    voice.detector.cache_clear()
    yield
    voice.detector.cache_clear()


def sounds(seed: int, n_frames: int) -> voice.Floats:
    """A hum that swells over noise: the detector is unsure of it again and again."""
    at = np.arange(n_frames * voice.FRAME) / 16000
    hum = sum(np.sin(2 * np.pi * 140 * k * at) / k for k in range(1, 12))
    swell = np.maximum(np.sin(2 * np.pi * 1.5 * at), 0) ** 2
    noise = np.random.default_rng(seed).normal(0, 0.01, len(at))
    return np.asarray(0.2 * hum * swell + noise, dtype=np.float32)


def librarys(samples: voice.Floats) -> voice.Floats:
    # It writes into what it is given, and leaves out the end of the very last frame.
    return np.asarray(vad.get_vad_model()(samples.copy())).reshape(-1)


@pytest.mark.parametrize("n_frames", [2, 31, voice.BLOCK, voice.BLOCK + 1, 700])
def test_it_says_what_the_librarys_session_says(n_frames: int) -> None:
    """For less than a block, exactly one, and several."""
    samples = sounds(n_frames, n_frames)
    kept = samples.copy()
    ours, theirs = voice.detector()(samples), librarys(samples)
    assert ours.shape == theirs.shape == (n_frames,)
    assert np.abs(ours - theirs)[:-1].max() < 1e-4
    assert (samples == kept).all()
    if n_frames > 100:
        assert theirs.max() - theirs.min() > 0.2  # or there was nothing to agree on


def test_it_says_so_of_speech(sample: Path) -> None:
    """Somebody speaks, pauses and goes on."""
    (clip,) = decode(str(sample), name=sample.name, settings=Settings.load())
    samples = clip.samples[: len(clip.samples) // voice.FRAME * voice.FRAME]
    ours = voice.detector()(samples)
    assert np.abs(ours - librarys(samples))[:-1].max() < 1e-4
    assert ours.max() > 0.9
    assert ours.min() < 0.1


def test_one_frame_alone() -> None:
    """Nothing before it, nothing after it."""
    assert 0 <= voice.detector()(sounds(0, 1))[0] <= 1
    assert voice.detector()(np.zeros(0, np.float32)).shape == (0,)


def test_the_graph_is_the_known_one() -> None:
    """Else everybody pays for the library's session without noticing."""
    assert isinstance(voice.detector(), voice.Detector)


def test_another_graph_is_the_librarys_affair(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new version of it need not look like this one."""
    asked: list[Any] = []
    monkeypatch.setattr(voice, "KNOWN", "0" * 64)
    monkeypatch.setattr(vad, "get_vad_model", lambda: asked.append)
    assert voice.detector() == asked.append


@pytest.mark.parametrize("n_threads", [None, "", "2"])
def test_so_it_is_beside_threads_of_numpys(
    monkeypatch: pytest.MonkeyPatch, n_threads: str | None
) -> None:
    """They would take the cores from those who hear, and be waited for."""
    if n_threads is None:
        monkeypatch.delenv(voice.ALONE)
    else:
        monkeypatch.setenv(voice.ALONE, n_threads)
    assert not isinstance(voice.detector(), voice.Detector)


def test_tensors_are_read_among_other_fields() -> None:
    """Numbers of every wire type may stand around what is looked for."""
    raw = np.arange(6, dtype="<f4").tobytes()
    tensor = b"\x08\x02\x08\x03" + b"\x10\x01" + b"\x42\x03abc" + b"\x4a\x18" + raw
    whole_numbers = b"\x08\x01\x10\x07\x42\x01n\x4a\x08" + bytes(8)
    graph = b"\x0d" + bytes(4) + b"\x11" + bytes(8)
    for one in (whole_numbers, tensor):
        graph += b"\x2a" + bytes([len(one)]) + one
    model = b"\x08\x88\x01" + b"\x3a" + bytes([len(graph)]) + graph
    (found,) = voice.tensors(model).items()
    assert found[0] == "abc"
    assert found[1].tolist() == [[0, 1, 2], [3, 4, 5]]
