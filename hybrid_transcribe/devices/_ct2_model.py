"""A Whisper of a few kilobytes for CTranslate2, to see a device compute without a real model.

Its weights are noise: what it hears means nothing, that it hears means that convolutions,
matrix products and the softmax ran.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float32]]

#: Mel bands, frames, width of the network and words of the model. 80 bands are Whisper's own;
#: cuBLAS has kernels in 16 bits only for widths that are multiples of 8.
MELS, FRAMES, WIDTH = 80, 16, 64
WORDS = ("<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>", "<|nospeech|>", "a")


def write_model(folder: Path) -> None:
    """Write the model into a folder. Raises what the library raises."""
    from ctranslate2 import specs

    spec = specs.WhisperSpec(1, 1, 1, 1)
    spec.register_vocabulary(list(WORDS))
    spec.encoder.position_encodings.encodings = _numbers(FRAMES // 2, WIDTH)
    spec.decoder.position_encodings.encodings = _numbers(FRAMES, WIDTH)
    spec.encoder.conv1.bias = spec.encoder.conv2.bias = _numbers(WIDTH)
    _fill(spec.encoder, "encoder")
    _fill(spec.decoder, "decoder")
    spec.validate()
    spec.optimize()
    spec.save(str(folder))


def encode(folder: Path, device: str, compute_type: str) -> Array:
    """What the model in that folder hears, (1, FRAMES / 2, WIDTH), computed on ``device``."""
    import ctranslate2

    model = ctranslate2.models.Whisper(str(folder), device=device, compute_type=compute_type)
    sound = ctranslate2.StorageView.from_array(_numbers(1, MELS, FRAMES))
    return np.array(model.encode(sound, to_cpu=True), np.float32)


def _fill(layer: Any, name: str) -> None:
    """Give every weight that must be there its numbers, in the shape its place asks for."""
    for key, value in vars(layer).items():
        place = f"{name}/{key}"
        if isinstance(value, list):
            for i, inner in enumerate(value):
                _fill(inner, f"{place}_{i}")
        elif value is None:
            setattr(layer, key, _numbers(*_shape(place)))
        elif hasattr(value, "__dict__"):
            _fill(value, place)


def _shape(place: str) -> tuple[int, ...]:
    if place.endswith(("gamma", "beta")):
        return (WIDTH,)
    if "conv1" in place:
        return (WIDTH, MELS, 3)
    if "conv2" in place:
        return (WIDTH, WIDTH, 3)
    if "embeddings" in place or "projection" in place:
        return (len(WORDS), WIDTH)
    # Queries, keys and values are one matrix; of what the decoder hears, keys and values.
    stacked = {"self_attention/linear_0": 3, "/attention/linear_1": 2}
    n = next((n for end, n in stacked.items() if place.endswith(f"{end}/weight")), 1)
    return (n * WIDTH, WIDTH)


def _numbers(*shape: int) -> Array:
    # Small enough for 16 bits, whatever is summed.
    return (np.random.default_rng(0).standard_normal(shape) * 0.1).astype(np.float32)
