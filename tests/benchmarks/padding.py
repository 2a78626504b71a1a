"""What a shorter window is worth for encoders wider than base's: time only.

The encoders have the shapes of published models and random weights in int8, so that nothing is
downloaded and nothing is said about text. Processor seconds of one thread, the median of several.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

#: Of a window, in seconds, and frames of features a second.
WINDOW_S, FRAMES_PER_S = 30.0, 100

#: Pieces of speech, in seconds.
PIECES_S = (6.0, 12.0, 20.0)

#: Silence behind them: all that the decoder needs, and what base's encoder gets of it.
WHOLE_S, SPARED_S = 5.0, 2.0

REPEATS = 3

#: Tokens that the decoder, which is not measured, knows.
N_TOKENS = 51_866


@dataclass(frozen=True, slots=True)
class Shape:
    """An encoder: layers, width, heads and mel bands."""

    layers: int
    width: int
    heads: int
    mels: int = 80


SHAPES = {
    "base": Shape(6, 512, 8),
    "small": Shape(12, 768, 12),
    "medium": Shape(24, 1024, 16),
    "large-v3-turbo": Shape(32, 1280, 20, 128),
}


def main() -> str:
    """A row a shape and length."""
    lines = [
        "| encoder | piece | 30 s | piece and 5 s | worth | piece and 2 s | worth |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, shape in SHAPES.items():
        with tempfile.TemporaryDirectory(prefix="padding-") as folder:
            encoder = _encoder(shape, folder)
            full_s = _seconds(encoder, shape, WINDOW_S)
            for piece_s in PIECES_S:
                whole_s, spared_s = (
                    _seconds(encoder, shape, piece_s + silence_s)
                    for silence_s in (WHOLE_S, SPARED_S)
                )
                lines.append(
                    f"| {name} | {piece_s:.0f} s | {full_s:.2f} s | {whole_s:.2f} s "
                    f"| {full_s / whole_s:.1f} × | {spared_s:.2f} s | {full_s / spared_s:.1f} × |"
                )
    return "\n".join(["Encoders of random weights, int8, one thread, CPU seconds:", "", *lines, ""])


def _encoder(shape: Shape, folder: str) -> Any:
    """Such an encoder, with one layer of a decoder, as CTranslate2 loads it."""
    import ctranslate2
    from ctranslate2.converters.transformers import WhisperLoader
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=N_TOKENS,
        num_mel_bins=shape.mels,
        d_model=shape.width,
        encoder_layers=shape.layers,
        encoder_attention_heads=shape.heads,
        encoder_ffn_dim=4 * shape.width,
        decoder_layers=1,
        decoder_attention_heads=shape.heads,
        decoder_ffn_dim=4 * shape.width,
    )
    spec = WhisperLoader().get_model_spec(WhisperForConditionalGeneration(config))
    spec.register_vocabulary([f"<{number}>" for number in range(N_TOKENS)])
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(folder)
    return ctranslate2.models.Whisper(folder, device="cpu", compute_type="int8", intra_threads=1)


def _seconds(encoder: Any, shape: Shape, length_s: float) -> float:
    """To encode a window of that length."""
    from ctranslate2 import StorageView

    random = np.random.default_rng(0)
    size = (1, shape.mels, round(length_s * FRAMES_PER_S))
    features = StorageView.from_array(random.standard_normal(size).astype(np.float32))
    encoder.encode(features)
    spent = []
    for _ in range(REPEATS):
        began = time.process_time()
        encoder.encode(features)
        spent.append(time.process_time() - began)
    return statistics.median(spent)
