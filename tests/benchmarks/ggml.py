"""Weights of CTranslate2 as whisper.cpp reads them, so that it runs on the very same ones.

The layout is that of ``models/convert-pt-to-ggml.py`` in whisper.cpp: sizes, mel filters,
tokens, then one tensor after the other. Matrices become ``q8_0``: 32 values share a scale, each
is an int8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.config import Settings
from hybrid_transcribe.models.convert import ct2, naming, tokens
from hybrid_transcribe.models.resolve import source_of

Array = npt.NDArray[np.float32]

MAGIC = 0x67676D6C

#: ggml's numbers for types of tensors.
F32, F16, Q8_0 = 0, 1, 8

#: "Mostly q8_0" in the second version of ggml's quantised formats.
FILE_TYPE = 2 * 1000 + 7

BLOCK = 32

#: Never anything but float32 in whisper.cpp.
_WHOLE = ("encoder.positional_embedding", "decoder.positional_embedding")
_COLUMNS = ("encoder.conv1.bias", "encoder.conv2.bias")


def converted(model: str, settings: Settings) -> Path:
    """The model's file for whisper.cpp, made at first use."""
    source = source_of(model, settings)
    target = Path(settings.cache_path) / "benchmarks" / f"{model}-q8_0.bin"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        with part.open("wb") as file:
            _write(file, source)
        part.replace(target)
    return target


def _write(file: BinaryIO, source: Path) -> None:
    weights = ct2.read(source / "model.bin")
    sizes = naming.sizes(weights)
    file.write(
        struct.pack(
            "12i",
            MAGIC,
            sizes.n_vocab,
            sizes.n_audio_ctx,
            sizes.n_audio_state,
            sizes.n_audio_head,
            sizes.n_audio_layer,
            sizes.n_text_ctx,
            sizes.n_text_state,
            sizes.n_text_head,
            sizes.n_text_layer,
            sizes.n_mels,
            FILE_TYPE,
        )
    )
    filters = _mel_filters(sizes.n_mels)
    file.write(struct.pack("2i", *filters.shape) + filters.tobytes())
    words = list(_words(source))
    file.write(struct.pack("i", len(words)))
    for word in words:
        file.write(struct.pack("i", len(word)) + word)
    for name, array in naming.tensors(weights, "openai").items():
        file.write(_tensor(name, np.asarray(array, np.float32)))


def _mel_filters(n_mels: int) -> Array:
    from faster_whisper.feature_extractor import FeatureExtractor

    filters = FeatureExtractor.get_mel_filters(16000, 400, n_mels=n_mels)
    return np.ascontiguousarray(filters, np.float32)


def _words(source: Path) -> Iterator[bytes]:
    """The bytes of every token of text, by its number."""
    tokenizer = tokens.read(source)
    letters = _letters()
    end = tokenizer.id_of("<|endoftext|>")
    for word, number in sorted(tokenizer.vocabulary.items(), key=lambda item: item[1]):
        if number < end:
            yield bytes(letters[letter] for letter in word)


def _letters() -> dict[str, int]:
    """GPT-2's letter for every byte: itself where it can be seen, one from 256 on otherwise."""
    seen = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    unseen = [byte for byte in range(256) if byte not in seen]
    return {chr(b): b for b in seen} | {chr(256 + i): b for i, b in enumerate(unseen)}


def _tensor(name: str, array: Array) -> bytes:
    if name in _COLUMNS:
        array = array.reshape(-1, 1)
    if array.ndim < 2 or name in (*_WHOLE, *_COLUMNS):
        kind, data = F32, array.tobytes()
    elif array.ndim == 2:
        kind, data = Q8_0, _blocks(array)
    else:
        kind, data = F16, array.astype(np.float16).tobytes()
    title = name.encode()
    head = struct.pack("3i", array.ndim, len(title), kind)
    return head + struct.pack(f"{array.ndim}i", *reversed(array.shape)) + title + data


def _blocks(array: Array) -> bytes:
    """``q8_0``: a float16 scale before 32 int8 values."""
    rows = array.reshape(-1, BLOCK)
    scale = np.abs(rows).max(axis=1) / 127
    by = np.divide(1, scale, out=np.zeros_like(scale), where=scale > 0)
    out = np.empty(len(rows), dtype=[("scale", "<f2"), ("values", "i1", BLOCK)])
    out["scale"] = scale
    out["values"] = np.rint(rows * by[:, None])
    return out.tobytes()
