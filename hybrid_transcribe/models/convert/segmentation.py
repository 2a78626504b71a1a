"""The network of pyannote segmentation-3.0 as an ONNX graph.

Who of at most three people speaks, of whom at most two at once: filters of which only the cutoff
frequencies were learned (SincNet, Ravanelli and Bengio 2018, arXiv:1808.00158), four bidirectional
LSTM and three linear layers (Bredin 2023, "pyannote.audio 2.1 speaker diarization pipeline").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hybrid_transcribe.models.convert.onnx_graph import OnnxGraph

Array = np.ndarray[Any, Any]

#: Sinc filters: samples from one to the next, lowest and narrowest band in Hz, and half the rate.
_STRIDE, _LEAST_HZ, _NARROWEST_HZ, _HIGHEST_HZ = 10, 50.0, 50.0, 8000.0

#: What torch takes where a layer does not say.
_EPSILON, _SLOPE = 1e-5, 0.01

_LSTM_LAYERS, _LSTM_UNITS = 4, 128


def graph(weights: Mapping[str, Array]) -> bytes:
    """An ONNX file with input ``x`` (batch, 1, samples) and output ``y`` (batch, frames, 7).

    ``x`` is sound at 16 kHz, 160,000 samples give 589 frames; ``y`` is the logarithm of the
    probabilities of nobody, the first, second and third person, and of each pair of them.
    """
    net = OnnxGraph("pyannote-segmentation-3.0")
    value = _sinc_net(net, net.input("x", ("batch", 1, "samples")), weights)
    # An LSTM takes time first.
    value = net.node("Transpose", value, perm=(2, 0, 1))
    for layer in range(_LSTM_LAYERS):
        value = _lstm(net, value, weights, layer)
    for name in ("linear.0", "linear.1"):
        value = net.node("LeakyRelu", _linear(net, value, weights, name), alpha=_SLOPE)
    value = net.node("LogSoftmax", _linear(net, value, weights, "classifier"), axis=-1)
    value = net.node("Transpose", value, perm=(1, 0, 2))
    net.output("y", value, ("batch", "frames", 7))
    return net.model()


def _sinc_net(net: OnnxGraph, value: str, weights: Mapping[str, Array]) -> str:
    value = _norm(net, value, weights, "sincnet.wav_norm1d")
    filters = sinc_filters(weights)
    value = net.node("Abs", net.node("Conv", value, filters, strides=(_STRIDE,)))
    value = _pooled(net, value, weights, 0)
    for number in (1, 2):
        kernel, bias = (weights[f"sincnet.conv1d.{number}.{kind}"] for kind in ("weight", "bias"))
        value = _pooled(net, net.node("Conv", value, kernel, bias), weights, number)
    return value


def _pooled(net: OnnxGraph, value: str, weights: Mapping[str, Array], number: int) -> str:
    value = net.node("MaxPool", value, kernel_shape=(3,), strides=(3,))
    value = _norm(net, value, weights, f"sincnet.norm1d.{number}")
    return net.node("LeakyRelu", value, alpha=_SLOPE)


def _norm(net: OnnxGraph, value: str, weights: Mapping[str, Array], name: str) -> str:
    scale, bias = weights[f"{name}.weight"], weights[f"{name}.bias"]
    return net.node("InstanceNormalization", value, scale, bias, epsilon=_EPSILON)


def sinc_filters(weights: Mapping[str, Array]) -> Array:
    """Band-pass filters (80, 1, 251): 40 even ones and the 40 odd ones of the same bands.

    In float32, as the network was trained; sines and cosines are rounded from float64, so that
    every machine gets the same numbers.
    """
    low_hz, band_hz, window, times = (
        weights[f"sincnet.conv1d.0.filterbank.{name}"].astype(np.float32)
        for name in ("low_hz_", "band_hz_", "window_", "n_")
    )
    low = np.float32(_LEAST_HZ) + np.abs(low_hz)
    high = np.clip(low + np.float32(_NARROWEST_HZ) + np.abs(band_hz), _LEAST_HZ, _HIGHEST_HZ)
    band = high - low
    angles = [(edge * times).astype(np.float64) for edge in (low, high)]
    sines = [np.sin(angle).astype(np.float32) for angle in angles]
    cosines = [np.cos(angle).astype(np.float32) for angle in angles]
    even = (sines[1] - sines[0]) / (times / 2) * window
    odd = (cosines[0] - cosines[1]) / (times / 2) * window
    rows = np.concatenate(
        [
            np.concatenate([even, 2 * band, even[:, ::-1]], axis=1) / (2 * band),
            np.concatenate([odd, np.zeros_like(band), -odd[:, ::-1]], axis=1) / (2 * band),
        ]
    )
    return rows[:, None].astype(np.float32)


def _lstm(net: OnnxGraph, value: str, weights: Mapping[str, Array], layer: int) -> str:
    """One layer both ways: (frames, batch, features) to (frames, batch, 256)."""
    ways = (f"l{layer}", f"l{layer}_reverse")
    inputs, hidden = (
        np.stack([_gates(weights[f"lstm.weight_{kind}_{way}"]) for way in ways])
        for kind in ("ih", "hh")
    )
    bias = np.stack(
        [
            np.concatenate([_gates(weights[f"lstm.bias_{kind}_{way}"]) for kind in ("ih", "hh")])
            for way in ways
        ]
    )
    options: dict[str, Any] = {"hidden_size": _LSTM_UNITS, "direction": "bidirectional"}
    value = net.node("LSTM", value, inputs, hidden, bias, **options)
    # (frames, way, batch, units)
    value = net.node("Transpose", value, perm=(0, 2, 1, 3))
    return net.node("Reshape", value, np.array([0, 0, -1]))


def _gates(array: Array) -> Array:
    """Torch has input, forget, cell, output; ONNX has input, output, forget, cell."""
    first, forget, cell, output = np.split(array, 4)
    return np.concatenate([first, output, forget, cell])


def _linear(net: OnnxGraph, value: str, weights: Mapping[str, Array], name: str) -> str:
    product = net.node("MatMul", value, weights[f"{name}.weight"].T)
    return net.node("Add", product, weights[f"{name}.bias"])
