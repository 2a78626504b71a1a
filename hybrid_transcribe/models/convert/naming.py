"""What the three projects call the same weights, and the sizes that the shapes give away.

CTranslate2 keeps query, key and value of self-attention in one matrix, key and value of
cross-attention in another. Whisper's keys have no bias; CTranslate2 fills zeros in their place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hybrid_transcribe.models.convert.ct2 import Array, Weights

Style = Literal["huggingface", "openai"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """The dimensions of a Whisper model, by openai-whisper's names."""

    n_mels: int
    n_audio_ctx: int
    n_audio_state: int
    n_audio_head: int
    n_audio_layer: int
    n_vocab: int
    n_text_ctx: int
    n_text_state: int
    n_text_head: int
    n_text_layer: int

    @property
    def multilingual(self) -> bool:
        """English-only models have one token less (openai-whisper decides so too)."""
        return self.n_vocab >= 51865


#: Name in CTranslate2 to (Hugging Face, openai-whisper). No weights of their own: the
#: projection to tokens is the table of embeddings.
_OUTER = {
    "encoder/conv1/weight": ("model.encoder.conv1.weight", "encoder.conv1.weight"),
    "encoder/conv1/bias": ("model.encoder.conv1.bias", "encoder.conv1.bias"),
    "encoder/conv2/weight": ("model.encoder.conv2.weight", "encoder.conv2.weight"),
    "encoder/conv2/bias": ("model.encoder.conv2.bias", "encoder.conv2.bias"),
    "encoder/position_encodings/encodings": (
        "model.encoder.embed_positions.weight",
        "encoder.positional_embedding",
    ),
    "encoder/layer_norm/gamma": ("model.encoder.layer_norm.weight", "encoder.ln_post.weight"),
    "encoder/layer_norm/beta": ("model.encoder.layer_norm.bias", "encoder.ln_post.bias"),
    "decoder/embeddings/weight": (
        "model.decoder.embed_tokens.weight",
        "decoder.token_embedding.weight",
    ),
    "decoder/position_encodings/encodings": (
        "model.decoder.embed_positions.weight",
        "decoder.positional_embedding",
    ),
    "decoder/layer_norm/gamma": ("model.decoder.layer_norm.weight", "decoder.ln.weight"),
    "decoder/layer_norm/beta": ("model.decoder.layer_norm.bias", "decoder.ln.bias"),
}

#: Within a layer: linear maps to what they hold, row block by row block.
_SELF = {"linear_0": "qkv", "linear_1": "o"}
_CROSS = {"linear_0": "q", "linear_1": "kv", "linear_2": "o"}

_PROJECTIONS = {
    "q": ("q_proj", "query"),
    "k": ("k_proj", "key"),
    "v": ("v_proj", "value"),
    "o": ("out_proj", "out"),
}

#: Block in CTranslate2, its name in the other two, that of its norm, and what its maps hold.
_ATTENTION = (
    ("self_attention", ("self_attn", "attn"), ("self_attn_layer_norm", "attn_ln"), _SELF),
    (
        "attention",
        ("encoder_attn", "cross_attn"),
        ("encoder_attn_layer_norm", "cross_attn_ln"),
        _CROSS,
    ),
)

_FEED_FORWARD = {
    "ffn/linear_0/weight": ("fc1.weight", "mlp.0.weight"),
    "ffn/linear_0/bias": ("fc1.bias", "mlp.0.bias"),
    "ffn/linear_1/weight": ("fc2.weight", "mlp.2.weight"),
    "ffn/linear_1/bias": ("fc2.bias", "mlp.2.bias"),
    "ffn/layer_norm/gamma": ("final_layer_norm.weight", "mlp_ln.weight"),
    "ffn/layer_norm/beta": ("final_layer_norm.bias", "mlp_ln.bias"),
}


def sizes(weights: Weights) -> Sizes:
    """The model's dimensions. Raises ModelUnavailable where weights are missing."""
    audio, text = (
        weights[f"{part}/position_encodings/encodings"].shape for part in ("encoder", "decoder")
    )
    return Sizes(
        n_mels=weights["encoder/conv1/weight"].shape[1],
        n_audio_ctx=audio[0],
        n_audio_state=audio[1],
        n_audio_head=int(weights["encoder/num_heads"]),
        n_audio_layer=weights.layers("encoder"),
        n_vocab=weights["decoder/embeddings/weight"].shape[0],
        n_text_ctx=text[0],
        n_text_state=text[1],
        n_text_head=int(weights["decoder/num_heads"]),
        n_text_layer=weights.layers("decoder"),
    )


def tensors(weights: Weights, style: Style) -> dict[str, Array]:
    """Every weight under the names of the other project, each array contiguous."""
    named = ((_pick(names, style), weights[source]) for source, names in _OUTER.items())
    renamed = {name: np.ascontiguousarray(array) for name, array in named}
    for part in ("encoder", "decoder"):
        for number in range(weights.layers(part)):
            home = _pick((f"model.{part}.layers.{number}", f"{part}.blocks.{number}"), style)
            layer = _layer(weights, f"{part}/layer_{number}", style, crossed=part == "decoder")
            renamed.update({f"{home}.{name}": np.ascontiguousarray(a) for name, a in layer})
    return renamed


def _pick(names: tuple[str, str], style: Style) -> str:
    return names[("huggingface", "openai").index(style)]


def _layer(
    weights: Weights, home: str, style: Style, *, crossed: bool
) -> Iterator[tuple[str, Array]]:
    for block, names, norms, maps in _ATTENTION if crossed else _ATTENTION[:1]:
        norm = _pick(norms, style)
        yield f"{norm}.weight", weights[f"{home}/{block}/layer_norm/gamma"]
        yield f"{norm}.bias", weights[f"{home}/{block}/layer_norm/beta"]
        for linear, held in maps.items():
            for kind in ("weight", "bias"):
                blocks = np.split(weights[f"{home}/{block}/{linear}/{kind}"], len(held))
                for letter, array in zip(held, blocks, strict=True):
                    if (letter, kind) != ("k", "bias"):
                        projection = _pick(_PROJECTIONS[letter], style)
                        yield f"{_pick(names, style)}.{projection}.{kind}", array
    for source, both in _FEED_FORWARD.items():
        yield _pick(both, style), weights[f"{home}/{source}"]
