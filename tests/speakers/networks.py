"""Two tiny networks with known answers, in the shapes of the real ones, and sounds for them.

The segmentation hears one voice where it is loud, and two where it is very loud. A voice's
embedding is how much each mel band changes over time: voices are tones that come and go.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: Mean absolute values above which one voice speaks, and two do.
ONE, TWO = 0.02, 0.26

#: Tones of "people", in Hz.
VOICES_HZ = (300.0, 700.0, 1500.0, 3000.0, 5500.0)


def networks(folder: Path) -> dict[str, Path]:
    """Both as files, by the names of the real ones."""
    paths = {
        "pyannote-segmentation-3.0": folder / "segmentation.onnx",
        "campplus-zh-en": folder / "embedding.onnx",
    }
    onnx.save(_segmentation(), paths["pyannote-segmentation-3.0"])
    onnx.save(_embedding(), paths["campplus-zh-en"])
    return paths


def _segmentation() -> onnx.ModelProto:
    # Of each frame's level x the classes are: nobody 0.02, the first voice x, both 3 x - 0.6.
    weights = np.array([0, 1, 0, 0, 3, 0, 0], np.float32)
    offsets = np.array([ONE, 0, -9, -9, -2 * TWO, -9, -9], np.float32)
    nodes = [
        helper.make_node("Abs", ["x"], ["level"]),
        helper.make_node("AveragePool", ["level"], ["f"], kernel_shape=[991], strides=[270]),
        helper.make_node("Transpose", ["f"], ["t"], perm=[0, 2, 1]),
        helper.make_node("Mul", ["t", "weights"], ["scaled"]),
        helper.make_node("Add", ["scaled", "offsets"], ["y"]),
    ]
    constants = {"weights": weights, "offsets": offsets}
    return _model(nodes, constants, ("x", ["N", 1, "T"]), ("y", ["N", "F", 7]))


def _embedding() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Mul", ["feats", "feats"], ["squares"]),
        helper.make_node("ReduceMean", ["squares"], ["variance"], axes=[1], keepdims=0),
        helper.make_node("MatMul", ["variance", "widen"], ["embedding"]),
    ]
    widen = np.eye(80, 192, dtype=np.float32)
    return _model(nodes, {"widen": widen}, ("feats", ["N", "T", 80]), ("embedding", ["N", 192]))


def _model(
    nodes: list[onnx.NodeProto],
    constants: dict[str, npt.NDArray[np.float32]],
    given: tuple[str, list[object]],
    result: tuple[str, list[object]],
) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(given[0], TensorProto.FLOAT, given[1])],
        [helper.make_tensor_value_info(result[0], TensorProto.FLOAT, result[1])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


# --------------------------------------------------------------------------------- sounds


def spoken(turns: Iterable[tuple[float, float, int]], duration_s: float) -> Samples:
    """Voices (by number) from one moment (s) to another, over a hiss; where two meet it is loud."""
    n = int(duration_s * RATE_HZ)
    samples = 0.01 * np.random.default_rng(0).standard_normal(n)
    t = np.arange(n) / RATE_HZ
    for start_s, end_s, voice in turns:
        here = slice(int(start_s * RATE_HZ), int(end_s * RATE_HZ))
        # It comes and goes 8 times a second, never long enough to be a pause.
        swell = 0.5 + 0.5 * np.sin(2 * np.pi * 8 * t[here])
        samples[here] += 0.4 * swell * np.sin(2 * np.pi * VOICES_HZ[voice] * t[here])
    return samples.astype(np.float32)
