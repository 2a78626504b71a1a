"""A token-and-duration transducer in Parakeet's layout with text and times known by hand.

The encoder averages eight feature frames (80 ms) into one number, which is above 0 where the
sound is louder than the clip's mean, as features are normalised. The joiner gives the token that
follows the one before, with its duration, where the number is above 0, and the blank elsewhere.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

#: Tokens in the order in which they follow each other, and how many frames each lasts.
TOKENS = {"▁Bom": 3, "▁di": 2, "a": 2, ".": 4}

#: Seconds of an encoder frame.
FRAME_S = 0.08

_BLANK = len(TOKENS)

#: Logit of the chosen token and duration: the others have 0, so their softmax is almost 0.
_LOGIT = 20.0

_N_DURATIONS = 5

#: What NVIDIA's exporter of this layout writes.
METADATA = {
    "model_type": "EncDecRNNTBPEModel",
    "vocab_size": str(_BLANK),
    "subsampling_factor": "8",
    "pred_rnn_layers": "1",
    "pred_hidden": "2",
    "normalize_type": "per_feature",
    "feat_dim": "128",
    "url": "https://example.org/tiny-tdt",
}


def write_tdt(folder: Path, **changes: str) -> Path:
    """The model in a folder; ``changes`` replace metadata, an empty text leaves a pair out."""
    folder.mkdir(parents=True, exist_ok=True)
    encoder = _encoder()
    for key, value in {**METADATA, **changes}.items():
        if value:
            encoder.metadata_props.add(key=key, value=value)
    onnx.save(encoder, folder / "encoder.int8.onnx")
    onnx.save(_decoder(), folder / "decoder.int8.onnx")
    onnx.save(_joiner(), folder / "joiner.int8.onnx")
    symbols = [*TOKENS, "<blk>"]
    lines = "".join(f"{symbol} {index}\n" for index, symbol in enumerate(symbols))
    (folder / "tokens.txt").write_text(lines, encoding="utf-8")
    return folder


def bursts(spans_s: list[tuple[float, float]], length_s: float) -> npt.NDArray[np.float32]:
    """Samples (16 kHz) with loud noise in the spans and faint noise elsewhere."""
    rng = np.random.default_rng(3)
    samples = rng.normal(0, 1e-3, round(length_s * 16_000))
    for start_s, end_s in spans_s:
        first, last = round(start_s * 16_000), round(end_s * 16_000)
        samples[first:last] += rng.normal(0, 0.2, last - first)
    return samples.astype(np.float32)


def _model(
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
    **constants: npt.ArrayLike,
) -> onnx.ModelProto:
    initializers = [
        numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()
    ]
    graph = helper.make_graph(nodes, "tdt", inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _floats(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _encoder() -> onnx.ModelProto:
    """``audio_signal`` (1, 128, T) to ``outputs`` (1, 1, T / 8, rounded up)."""
    length = helper.make_tensor_value_info("length", TensorProto.INT64, ["batch"])
    lengths = helper.make_tensor_value_info("encoded_lengths", TensorProto.INT64, ["batch"])
    nodes = [
        helper.make_node("ReduceMean", ["audio_signal", "mel_axis"], ["level"], keepdims=1),
        helper.make_node(
            "AveragePool", ["level"], ["outputs"], kernel_shape=[8], strides=[8], ceil_mode=1
        ),
        helper.make_node("Add", ["length", "seven"], ["rounded"]),
        helper.make_node("Div", ["rounded", "eight"], ["encoded_lengths"]),
    ]
    return _model(
        nodes,
        [_floats("audio_signal", "batch", 128, "frames"), length],
        [_floats("outputs", "batch", 1, "steps"), lengths],
        mel_axis=np.array([1]),
        seven=np.array(7),
        eight=np.array(8),
    )


def _decoder() -> onnx.ModelProto:
    """The token before, as a number; the states pass through."""
    targets = helper.make_tensor_value_info("targets", TensorProto.INT32, [1, 1])
    n_targets = helper.make_tensor_value_info("target_length", TensorProto.INT32, [1])
    n_outputs = helper.make_tensor_value_info("prednet_lengths", TensorProto.INT32, [1])
    nodes = [
        helper.make_node("Cast", ["targets"], ["token"], to=TensorProto.FLOAT),
        helper.make_node("Reshape", ["token", "shape"], ["outputs"]),
        helper.make_node("Identity", ["target_length"], ["prednet_lengths"]),
        helper.make_node("Identity", ["states"], ["next_states"]),
        helper.make_node("Identity", ["cells"], ["next_cells"]),
    ]
    return _model(
        nodes,
        [targets, n_targets, _floats("states", 1, 1, 2), _floats("cells", 1, 1, 2)],
        [
            _floats("outputs", 1, 1, 1),
            n_outputs,
            _floats("next_states", 1, 1, 2),
            _floats("next_cells", 1, 1, 2),
        ],
        shape=np.array([1, 1, 1]),
    )


def _joiner() -> onnx.ModelProto:
    """A row of logits for the token before, and the last row where it is quiet."""
    rows = np.zeros((_BLANK + 2, _BLANK + 1 + _N_DURATIONS), np.float32)
    durations = list(TOKENS.values())
    for before in range(_BLANK + 1):
        # After the blank and after the last token comes the first.
        following = before + 1 if before + 1 < _BLANK else 0
        rows[before, following] = _LOGIT
        rows[before, _BLANK + 1 + durations[following]] = _LOGIT
    rows[-1, _BLANK] = rows[-1, _BLANK + 1 + 1] = _LOGIT
    nodes = [
        helper.make_node("Reshape", ["encoder_outputs", "one"], ["level"]),
        helper.make_node("Greater", ["level", "zero"], ["loud"]),
        helper.make_node("Reshape", ["decoder_outputs", "one"], ["token"]),
        helper.make_node("Cast", ["token"], ["before"], to=TensorProto.INT64),
        helper.make_node("Where", ["loud", "before", "quiet"], ["row"]),
        helper.make_node("Gather", ["rows", "row"], ["logits"], axis=0),
        helper.make_node("Reshape", ["logits", "shape"], ["outputs"]),
    ]
    return _model(
        nodes,
        [_floats("encoder_outputs", 1, 1, 1), _floats("decoder_outputs", 1, 1, 1)],
        [_floats("outputs", 1, 1, 1, rows.shape[1])],
        one=np.array([1]),
        zero=np.float32(0),
        quiet=np.array([_BLANK + 1]),
        rows=rows,
        shape=np.array([1, 1, 1, rows.shape[1]]),
    )
