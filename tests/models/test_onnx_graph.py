"""Files that onnx and onnxruntime read as they are meant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.models.convert.onnx_graph import OnnxGraph

onnx = pytest.importorskip("onnx")
ort = pytest.importorskip("onnxruntime")


def small() -> OnnxGraph:
    """Weights and attributes of every kind."""
    net = OnnxGraph("small")
    value = net.input("x", ("batch", 3))
    value = net.node("Gemm", value, np.arange(6, dtype=np.float32).reshape(2, 3), transB=1)
    value = net.node("LeakyRelu", value, alpha=0.25)
    value = net.node("Reshape", value, np.array([1, -1, 2]))
    value = net.node("Transpose", value, perm=(0, 2, 1))
    value = net.node("ReduceMean", value, axes=(-1,), keepdims=0)
    units = {"hidden_size": 1, "direction": "reverse"}
    gates = np.ones((1, 4, 2), np.float32), np.ones((1, 4, 1), np.float32)
    net.node("LSTM", net.node("Unsqueeze", value, np.array([0])), *gates, **units)
    net.output("y", value, (1, 2))
    return net


def run(content: bytes, value: Any) -> Any:
    """The output ``y``."""
    session = ort.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(["y"], {"x": np.array(value, np.float32)})[0]


def test_it_is_a_valid_file() -> None:
    """By the judgement of the format's makers, shapes and types too."""
    model = onnx.load_model_from_string(small().model())
    onnx.checker.check_model(model, full_check=True)

    assert [i.name for i in model.graph.input] == ["x"]
    sizes = model.graph.input[0].type.tensor_type.shape.dim
    assert (sizes[0].dim_param, sizes[1].dim_value) == ("batch", 3)


def test_it_computes_what_it_says() -> None:
    """By hand: two rows through the matrix, negative numbers to a quarter, the mean of both."""
    result = run(small().model(), [[1, 0, -1], [0, 1, 0]])

    assert result.tolist() == [[(-0.5 + 1) / 2, (-0.5 + 4) / 2]]


def test_attributes_keep_sign_and_size() -> None:
    """Varints of more than seven bits, and negative ones."""
    model = onnx.load_model_from_string(small().model())
    attributes = {
        a.name: onnx.helper.get_attribute_value(a) for n in model.graph.node for a in n.attribute
    }

    assert attributes["axes"] == [-1]
    assert attributes["alpha"] == 0.25
    assert attributes["direction"] == b"reverse"


def test_the_same_network_is_the_same_file() -> None:
    """So that a digest says something."""
    assert small().model() == small().model()


def test_large_weights_survive() -> None:
    """Lengths of several bytes."""
    weights = np.random.default_rng(1).normal(size=(3, 70_001)).astype(np.float32)
    net = OnnxGraph("large")
    net.output("y", net.node("MatMul", net.input("x", (1, 3)), weights), (1, 70_001))

    assert np.array_equal(run(net.model(), [[0, 1, 0]])[0], weights[1])
