"""How likely somebody speaks: Silero's detector as faster-whisper ships it, in a third of the time.

It comes as a graph for onnxruntime, which runs the convolutions of every 32 ms alone, four columns
wide. Here they are products of large matrices, and what is left is the recurrent layer, a step for
every 32 ms. Nothing else needs onnxruntime, which a worker then does not hold in memory.

The library's session is asked where the graph is another than the one that is known here, and
where OpenBLAS, which numpy brings, may share products out to threads of its own: beside threads
that hear it waits for a core with each of them. A minute of sound takes 150 ms in the session,
70 ms here in a worker, and 590 ms where there are such threads and no idle core.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

Floats = npt.NDArray[np.float32]

#: The graph of faster-whisper 1.2, by its SHA-256.
KNOWN = "4cbf549b8326f60f80f2536d9eefeb450a9abe83365a098031c89719f1be17d2"

#: The environment says with it how many threads OpenBLAS has; to a worker it says one.
ALONE = "OPENBLAS_NUM_THREADS"

#: Samples of one answer (32 ms), and samples around them: those before it, and the last ones
#: mirrored.
FRAME, BEFORE, MIRRORED = 512, 64, 64

#: The short-time spectrum: window and step in samples, and frequencies.
WINDOW, STEP, BANDS = 256, 128, 129

#: Frames that go through the layers together: what is between two layers stays in the cache.
BLOCK = 256

# Of the graph: its tensors' names, the convolutions' strides, and columns of one frame's spectrum.
_BASIS = "encoder.feature_extractor.forward_basis_buffer"
_LAYERS = {"encoder.conv_layers.0": 1, "encoder.conv_layers.1": 2}
_LAYERS |= {"encoder.conv_layers.2": 2, "encoder.conv_layers.3": 1}
_INPUT, _STATE, _BIASES = "onnx::LSTM_209", "onnx::LSTM_210", "onnx::LSTM_211"
_ANSWER = "decoder.conv1d"
_COLUMNS = (BEFORE + FRAME + MIRRORED - WINDOW) // STEP + 1


@lru_cache(maxsize=1)
def detector() -> Callable[[Floats], Floats]:
    """What maps whole frames of samples (mono, 16 kHz) to probabilities, one a frame."""
    graph = _known_graph() if os.environ.get(ALONE) == "1" else None
    if graph is not None:
        return Detector(tensors(graph))
    from faster_whisper import vad

    return vad.get_vad_model()  # type: ignore[no-any-return]


def _known_graph() -> bytes | None:
    from faster_whisper.utils import get_assets_path

    for path in Path(get_assets_path()).glob("*.onnx"):
        graph = path.read_bytes()
        if hashlib.sha256(graph).hexdigest() == KNOWN:
            return graph
    return None


@dataclass(frozen=True, slots=True)
class _Layer:
    """``weight`` has shape (n_in, n_out), ``bias`` (n_out,)."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        found: Floats = x @ self.weight
        found += self.bias
        return found


class Detector:
    """The network with the weights of a graph. Any number of threads may ask."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._basis = np.ascontiguousarray(weights[_BASIS][:, 0].T)
        self._layers, n = [], _COLUMNS
        for name, stride in _LAYERS.items():
            layer, n = _convolution(weights[f"{name}.weight"], weights[f"{name}.bias"], n, stride)
            self._layers.append(layer)
        # Sigmoids (of the first three quarters) are tanh of the half, so that one call does all.
        half = np.repeat(np.array([0.5, 1.0], np.float32), [3 * _size(weights), _size(weights)])
        biases = weights[_BIASES][0].reshape(2, -1).sum(axis=0)
        self._into = _Layer(np.ascontiguousarray(weights[_INPUT][0].T * half), biases * half)
        self._round = np.ascontiguousarray(weights[_STATE][0].T * half)
        self._answer = weights[f"{_ANSWER}.weight"][0, :, 0]
        self._answer_bias = weights[f"{_ANSWER}.bias"][0]

    def __call__(self, samples: Floats) -> Floats:
        """Probabilities (0..1), shape (n,), for ``samples`` of shape (n * FRAME,)."""
        frames = samples.reshape(-1, FRAME)
        gates = np.empty((len(frames), 4 * len(self._answer)), np.float32)
        for at in range(0, len(frames), BLOCK):
            before = frames[at - 1, -BEFORE:] if at else np.zeros(BEFORE, np.float32)
            gates[at : at + BLOCK] = self._convolved(frames[at : at + BLOCK], before)
        spoken = np.maximum(self._remembered(gates), 0) @ self._answer + self._answer_bias
        found: Floats = 1 / (1 + np.exp(-spoken))
        return found

    def _convolved(self, frames: Floats, before: Floats) -> Floats:
        """What every frame means to the recurrent layer."""
        context = np.concatenate([before[None], frames[:-1, -BEFORE:]])
        mirrored = frames[:, -2 : -MIRRORED - 2 : -1]
        wave = np.concatenate([context, frames, mirrored], axis=1)
        windows = sliding_window_view(wave, WINDOW, axis=1)[:, ::STEP].reshape(-1, WINDOW)
        spectrum = windows @ self._basis
        power = spectrum[:, :BANDS] ** 2 + spectrum[:, BANDS:] ** 2
        x = np.sqrt(power, out=power).reshape(len(frames), -1)
        for layer in self._layers:
            x = layer(x)
            np.maximum(x, 0, out=x)
        return self._into(x)

    def _remembered(self, gates: Floats) -> Floats:
        """The recurrent layer (LSTM), ``gates`` in the graph's order: in, out, forget, new."""
        n = len(self._answer)
        told = np.empty((len(gates), n), np.float32)
        state, cell = np.zeros(n, np.float32), np.zeros(n, np.float32)
        for row, gate in zip(told, gates, strict=True):
            gate += state @ self._round
            np.tanh(gate, out=gate)
            opened = gate[: 3 * n]
            opened += 1
            opened *= 0.5
            cell *= gate[2 * n : 3 * n]
            cell += gate[:n] * gate[3 * n :]
            state = np.multiply(np.tanh(cell), gate[n : 2 * n], out=row)
        return told


def _size(weights: Mapping[str, Floats]) -> int:
    return int(weights[_STATE].shape[-1])


def _convolution(weight: Floats, bias: Floats, n: int, stride: int) -> tuple[_Layer, int]:
    """A convolution over ``n`` columns, a zero on either side, as one matrix; columns it gives.

    ``weight`` has shape (n_out, n_in, n_taps). Values lie column by column.
    """
    n_out, n_in, n_taps = weight.shape
    n_given = (n + 2 - n_taps) // stride + 1
    matrix = np.zeros((n, n_in, n_given, n_out), np.float32)
    for column in range(n_given):
        for tap in range(n_taps):
            at = column * stride + tap - 1
            if 0 <= at < n:
                matrix[at, :, column] = weight[:, :, tap].T
    return _Layer(matrix.reshape(n * n_in, n_given * n_out), np.tile(bias, n_given)), n_given


# ------------------------------------------------------------------- reading the graph

# Numbers of fields in ONNX's messages (onnx.proto3): a model's graph, a graph's tensors, and a
# tensor's sizes, type, name and bytes; and the type float.
_GRAPH, _TENSOR = 7, 5
_DIMS, _TYPE, _NAME, _RAW, _FLOAT = 1, 2, 8, 9, 1


def tensors(model: bytes) -> dict[str, Floats]:
    """The constant float tensors of an ONNX model, by name."""
    found = {}
    for graph in _fields(memoryview(model), _GRAPH):
        for tensor in _fields(graph, _TENSOR):
            if next(_fields(tensor, _TYPE)) == _FLOAT:
                name = bytes(next(_fields(tensor, _NAME))).decode()
                shape = tuple(_fields(tensor, _DIMS))
                found[name] = np.frombuffer(next(_fields(tensor, _RAW)), "<f4").reshape(shape)
    return found


def _fields(message: memoryview, wanted: int) -> Iterator[Any]:
    """The values of one field of a protobuf message: integers, or the bytes of a message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        size, value = 0, 0
        match key & 7:
            case 0:
                value, at = _varint(message, at)
            case 2:
                size, at = _varint(message, at)
            case 1:
                size = 8
            case 5:
                size = 4
        if key >> 3 == wanted:
            yield message[at : at + size] if key & 7 else value
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, and where it ends."""
    value = shift = 0
    while message[at] > 127:
        value |= (message[at] & 127) << shift
        at, shift = at + 1, shift + 7
    return value | message[at] << shift, at + 1
