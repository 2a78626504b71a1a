"""A Whisper of a few hundred numbers as CTranslate2 stores it, written by hand.

Written from the format rather than by CTranslate2's own classes, which import torch; a slower
test writes the same model with those and compares.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tests.models import fakes

Array = np.ndarray[Any, Any]

#: Two encoder layers and one decoder layer, 4 channels, 2 heads, 3 mel bands.
MELS, STATE, HEADS, AUDIO, TEXT = 3, 4, 2, 6, 5

TYPES = {"float32": 0, "int8": 1, "int16": 2, "int32": 3, "float16": 4}

SPECIAL = "<|endoftext|> <|startoftranscript|> <|en|> <|pt|> <|yue|> <|translate|> <|transcribe|>"
SPECIAL += " <|startoflm|> <|startofprev|> <|nospeech|> <|notimestamps|>"

CONFIG = {"alignment_heads": [[0, 1]], "suppress_ids": [1, 2], "suppress_ids_begin": [0]}


def variables(multilingual: bool = True) -> dict[str, Array]:
    """Every variable by name, float16, each number once and none of them zero but key biases."""
    vocabulary, rng = (51865 if multilingual else 51864), np.random.default_rng(7)

    def some(*shape: int) -> Array:
        return rng.uniform(0.1, 1.0, shape).astype(np.float16)

    by_name: dict[str, Array] = {
        "encoder/num_heads": np.array(HEADS, np.int16),
        "encoder/conv1/weight": some(STATE, MELS, 3),
        "encoder/conv1/bias": some(STATE),
        "encoder/conv2/weight": some(STATE, STATE, 3),
        "encoder/conv2/bias": some(STATE),
        "encoder/position_encodings/encodings": some(AUDIO, STATE),
        "decoder/num_heads": np.array(HEADS, np.int16),
        "decoder/embeddings/weight": some(vocabulary, STATE),
        "decoder/position_encodings/encodings": some(TEXT, STATE),
    }
    blocks = {"encoder": ["self_attention"], "decoder": ["self_attention", "attention"]}
    for part, number in (("encoder", 0), ("encoder", 1), ("decoder", 0)):
        home = f"{part}/layer_{number}"
        for block in blocks[part]:
            rows = [3, 1] if block == "self_attention" else [1, 2, 1]
            for n, times in enumerate(rows):
                by_name[f"{home}/{block}/linear_{n}/weight"] = some(times * STATE, STATE)
                by_name[f"{home}/{block}/linear_{n}/bias"] = some(times * STATE)
        key = "attention/linear_1" if part == "decoder" else None
        by_name[f"{home}/self_attention/linear_0/bias"][STATE : 2 * STATE] = 0
        if key:
            by_name[f"{home}/{key}/bias"][:STATE] = 0
        by_name[f"{home}/ffn/linear_0/weight"] = some(4 * STATE, STATE)
        by_name[f"{home}/ffn/linear_0/bias"] = some(4 * STATE)
        by_name[f"{home}/ffn/linear_1/weight"] = some(STATE, 4 * STATE)
        by_name[f"{home}/ffn/linear_1/bias"] = some(STATE)
        for norm in [*(f"{b}/layer_norm" for b in blocks[part]), "ffn/layer_norm"]:
            by_name[f"{home}/{norm}/gamma"], by_name[f"{home}/{norm}/beta"] = (
                some(STATE),
                some(STATE),
            )
    for part in blocks:
        by_name[f"{part}/layer_norm/gamma"] = some(STATE)
        by_name[f"{part}/layer_norm/beta"] = some(STATE)
    return by_name


def int8(of: Mapping[str, Array]) -> dict[str, Array]:
    """Matrices in 8 bits with a scale a row, as CTranslate2 quantises them."""
    result = dict(of)
    for name, array in of.items():
        if name.endswith("/weight"):
            rows = array.astype(np.float32).reshape(len(array), -1)
            scale = (127 / np.abs(rows).max(1)).astype(np.float32)
            result[name] = np.rint(rows * scale[:, None]).astype(np.int8).reshape(array.shape)
            result[f"{name}_scale"] = scale
    return result


def packed(
    of: Mapping[str, Array], version: int = 6, kind: str = "WhisperSpec", revision: int = 3
) -> bytes:
    """The bytes of a ``model.bin``."""

    def text(value: str) -> bytes:
        return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"

    out = struct.pack("<I", version) + text(kind) + struct.pack("<II", revision, len(of))
    for name, array in sorted(of.items()):
        out += text(name) + struct.pack("<B", array.ndim)
        out += struct.pack(f"<{array.ndim}I", *array.shape)
        out += struct.pack("<BI", TYPES[array.dtype.name], array.nbytes) + array.tobytes()
    if "decoder/embeddings/weight" not in of:
        return out + struct.pack("<I", 0)
    alias = text("decoder/projection/weight") + text("decoder/embeddings/weight")
    return out + struct.pack("<I", 1) + alias


def tokenizer(multilingual: bool = True) -> dict[str, Any]:
    """A ``tokenizer.json`` with three pieces of words and no tokens for times."""
    first = 50257 if multilingual else 50256
    added = [
        {"id": first + n, "content": token, "special": True}
        for n, token in enumerate(SPECIAL.split())
    ]
    model = {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": [["a", "b"]]}
    return {"version": "1.0", "added_tokens": added, "model": model}


def folder(
    where: Path, of: Mapping[str, Array] | None = None, *, multilingual: bool = True
) -> Path:
    """A model folder of the default engine's with that small Whisper in it."""
    weights = packed(variables(multilingual) if of is None else of)
    message = json.dumps(tokenizer(multilingual)).encode()
    config = json.dumps(CONFIG).encode()
    return fakes.model_folder(where, model_bin=weights, tokenizer_json=message, config_json=config)
