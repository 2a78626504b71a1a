"""The network CAM++ as an ONNX graph: a voice as 192 numbers.

Wang and others 2023, "CAM++: A Fast and Efficient Network for Speaker Verification Using
Context-Aware Masking", arXiv:2303.00332. A head of two-dimensional convolutions, then time-delay
layers each of which sees the outputs of all before it, weighted by a mask that the context of
100 frames and of the whole gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hybrid_transcribe.models.convert.onnx_graph import OnnxGraph

Array = np.ndarray[Any, Any]

#: Layers and dilation of each block.
_BLOCKS = ((12, 1), (24, 2), (16, 2))

#: Frames (of 20 ms) that the mask takes for the context nearby.
_NEARBY_FRAMES = 100

#: What torch takes where a layer does not say.
_EPSILON = 1e-5


def graph(weights: Mapping[str, Array]) -> bytes:
    """An ONNX file with input ``feats`` (batch, frames, 80) and output ``embedding`` (batch, 192).

    ``feats`` are logarithms of Kaldi's mel filterbanks, 100 a second, less their mean over time;
    four frames at least. ``embedding`` has any length: compare directions.
    """
    net = OnnxGraph("campplus-zh-en")
    features = net.input("feats", ("batch", "frames", 80))
    value = _Builder(net, weights).embedding(features)
    net.output("embedding", value, ("batch", 192))
    return net.model()


class _Builder:
    """Adds the network's layers by the names of its weights."""

    def __init__(self, net: OnnxGraph, weights: Mapping[str, Array]) -> None:
        self._net, self._weights = net, weights
        #: How many frames there are behind the head, set by `_delays`.
        self._n_frames = ""

    def embedding(self, features: str) -> str:
        """(batch, frames, 80) to (batch, 192)."""
        value = self._delays(self._head(features))
        value = self._statistics(value)
        dense = self._weights["xvector.dense.linear.weight"][:, :, 0]
        return self._norm(
            self._net.node("MatMul", value, dense.T), "xvector.dense.nonlinear.batchnorm"
        )

    # ------------------------------------------------------------- pictures of time and pitch

    def _head(self, features: str) -> str:
        """(batch, frames, 80) to (batch, 320, frames)."""
        value = self._net.node("Transpose", features, perm=(0, 2, 1))
        value = self._net.node("Unsqueeze", value, np.array([1]))
        value = self._picture(value, "head.conv1", "head.bn1", 1)
        for name, step in (("1.0", 2), ("1.1", 1), ("2.0", 2), ("2.1", 1)):
            value = self._residual(value, f"head.layer{name}", step)
        value = self._picture(value, "head.conv2", "head.bn2", 2)
        return self._net.node("Reshape", value, np.array([0, 320, -1]))

    def _residual(self, value: str, name: str, step: int) -> str:
        """Two convolutions beside a shortcut; ``step`` divides the pitches."""
        inner = self._picture(value, f"{name}.conv1", f"{name}.bn1", step)
        inner = self._picture(inner, f"{name}.conv2", f"{name}.bn2", 1, relu=False)
        if step > 1:
            names = (f"{name}.shortcut.0", f"{name}.shortcut.1")
            value = self._picture(value, *names, step, relu=False)
        return self._net.node("Relu", self._net.node("Add", inner, value))

    def _picture(self, value: str, conv: str, norm: str, step: int, relu: bool = True) -> str:
        kernel = self._weights[f"{conv}.weight"]
        edge = kernel.shape[2] // 2
        value = self._net.node("Conv", value, kernel, strides=(step, 1), pads=(edge,) * 4)
        value = self._norm(value, norm)
        return self._net.node("Relu", value) if relu else value

    # --------------------------------------------------------------------- time-delay layers

    def _delays(self, value: str) -> str:
        """(batch, 320, frames) to (batch, 512, half as many frames)."""
        kernel = self._weights["xvector.tdnn.linear.weight"]
        value = self._net.node("Conv", value, kernel, strides=(2,), pads=(2, 2))
        value = self._norm_relu(value, "xvector.tdnn.nonlinear")
        self._n_frames = self._net.node("Shape", value, start=2, end=3)
        for number, (n_layers, dilation) in enumerate(_BLOCKS, 1):
            for layer in range(1, n_layers + 1):
                name = f"xvector.block{number}.tdnnd{layer}"
                value = self._net.node(
                    "Concat", value, self._dense_layer(value, name, dilation), axis=1
                )
            name = f"xvector.transit{number}"
            value = self._conv(self._norm_relu(value, f"{name}.nonlinear"), f"{name}.linear")
        return self._norm_relu(value, "xvector.out_nonlinear")

    def _dense_layer(self, value: str, name: str, dilation: int) -> str:
        """32 channels more, from all before them."""
        value = self._conv(self._norm_relu(value, f"{name}.nonlinear1"), f"{name}.linear1")
        value = self._norm_relu(value, f"{name}.nonlinear2")
        local = self._weights[f"{name}.cam_layer.linear_local.weight"]
        frames = self._net.node(
            "Conv", value, local, dilations=(dilation,), pads=(dilation, dilation)
        )
        return self._net.node("Mul", frames, self._mask(value, f"{name}.cam_layer"))

    def _mask(self, value: str, name: str) -> str:
        """How much of each channel passes, by the mean over all and over the frames nearby."""
        everywhere = self._net.node("ReduceMean", value, axes=(2,), keepdims=1)
        context = self._net.node("Add", self._nearby(value), everywhere)
        context = self._net.node("Relu", self._conv(context, f"{name}.linear1"))
        return self._net.node("Sigmoid", self._conv(context, f"{name}.linear2"))

    def _nearby(self, value: str) -> str:
        """Each frame is the mean of its hundred; the last ones may be fewer."""
        size = (_NEARBY_FRAMES,)
        value = self._net.node("AveragePool", value, kernel_shape=size, strides=size, ceil_mode=1)
        value = self._net.node("Unsqueeze", value, np.array([3]))
        value = self._net.node("Expand", value, np.array([1, 1, 1, _NEARBY_FRAMES]))
        value = self._net.node("Reshape", value, np.array([0, 0, -1]))
        return self._net.node("Slice", value, np.array([0]), self._n_frames, np.array([2]))

    # ---------------------------------------------------------------------------- small parts

    def _statistics(self, value: str) -> str:
        """Mean and standard deviation (of a sample: divided by one less) over time."""
        mean = self._net.node("ReduceMean", value, axes=(2,), keepdims=1)
        difference = self._net.node("Sub", value, mean)
        square = self._net.node("Mul", difference, difference)
        total = self._net.node("ReduceSum", square, np.array([2]), keepdims=0)
        count = self._net.node("Cast", self._n_frames, to=1)
        fewer = self._net.node("Sub", count, np.array([1.0], np.float32))
        deviation = self._net.node("Sqrt", self._net.node("Div", total, fewer))
        mean = self._net.node("Squeeze", mean, np.array([2]))
        return self._net.node("Concat", mean, deviation, axis=1)

    def _conv(self, value: str, name: str) -> str:
        """A linear map of each frame."""
        names = (f"{name}.weight", f"{name}.bias")
        return self._net.node(
            "Conv", value, *(self._weights[n] for n in names if n in self._weights)
        )

    def _norm_relu(self, value: str, name: str) -> str:
        return self._net.node("Relu", self._norm(value, f"{name}.batchnorm"))

    def _norm(self, value: str, name: str) -> str:
        mean, variance = self._weights[f"{name}.running_mean"], self._weights[f"{name}.running_var"]
        scale = self._weights.get(f"{name}.weight", np.ones_like(mean))
        bias = self._weights.get(f"{name}.bias", np.zeros_like(mean))
        inputs = (scale, bias, mean, variance)
        return self._net.node("BatchNormalization", value, *inputs, epsilon=_EPSILON)
