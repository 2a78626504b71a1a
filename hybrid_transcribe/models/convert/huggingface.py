"""The layout of Hugging Face: what transformers' Whisper classes load without a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models.convert import naming, tokens
from hybrid_transcribe.models.convert.ct2 import Weights
from hybrid_transcribe.models.convert.naming import Sizes
from hybrid_transcribe.models.convert.tokens import Tokenizer

_END, _START = "<|endoftext|>", "<|startoftranscript|>"


def write(weights: Weights, config: Mapping[str, Any], source: Path, folder: Path) -> None:
    """Write every file into the folder; ``config`` is CTranslate2's ``config.json``.

    Raises ModelUnavailable for weights or a tokenizer that cannot be used.
    """
    save_file = _saver()
    sizes, tokenizer = naming.sizes(weights), tokens.read(source)
    arrays = naming.tensors(weights, "huggingface")
    first = next(iter(arrays.values())).dtype.name
    _put(folder, "config.json", _config(sizes, tokenizer, first))
    _put(folder, "generation_config.json", _generation(sizes, tokenizer, config))
    _put(folder, "preprocessor_config.json", _preprocessor(sizes))
    _put(folder, "tokenizer.json", tokenizer.with_times())
    _put(folder, "tokenizer_config.json", _tokenizer(tokenizer))
    # The older, slower tokenizer class of transformers 4 reads these two.
    _put(folder, "vocab.json", tokenizer.vocabulary)
    merges = "\n".join(["#version: 0.2", *tokenizer.merges, ""])
    (folder / "merges.txt").write_text(merges, encoding="utf-8")
    save_file(arrays, folder / "model.safetensors", metadata={"format": "pt"})


def _saver() -> Any:
    try:
        from safetensors.numpy import save_file
    except ImportError as error:
        raise ModelUnavailable(UserMessage("needs_safetensors")) from error
    return save_file


def _put(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    (folder / name).write_text(text + "\n", encoding="utf-8")


def _config(sizes: Sizes, tokenizer: Tokenizer, dtype: str) -> dict[str, Any]:
    return {
        "architectures": ["WhisperForConditionalGeneration"],
        "model_type": "whisper",
        "is_encoder_decoder": True,
        "activation_function": "gelu",
        # Its name up to transformers 4.55, and after it.
        "torch_dtype": dtype,
        "dtype": dtype,
        "vocab_size": sizes.n_vocab,
        "num_mel_bins": sizes.n_mels,
        "d_model": sizes.n_audio_state,
        "encoder_layers": sizes.n_audio_layer,
        "encoder_attention_heads": sizes.n_audio_head,
        "encoder_ffn_dim": 4 * sizes.n_audio_state,
        "decoder_layers": sizes.n_text_layer,
        "decoder_attention_heads": sizes.n_text_head,
        "decoder_ffn_dim": 4 * sizes.n_text_state,
        "max_source_positions": sizes.n_audio_ctx,
        "max_target_positions": sizes.n_text_ctx,
        "scale_embedding": False,
        **_ids(tokenizer),
    }


def _ids(tokenizer: Tokenizer) -> dict[str, int]:
    end = tokenizer.id_of(_END)
    start = tokenizer.id_of(_START)
    return {
        "bos_token_id": end,
        "eos_token_id": end,
        "pad_token_id": end,
        "decoder_start_token_id": start,
    }


def _generation(sizes: Sizes, tokenizer: Tokenizer, config: Mapping[str, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {
        **_ids(tokenizer),
        "alignment_heads": config.get("alignment_heads"),
        "begin_suppress_tokens": config.get("suppress_ids_begin"),
        "suppress_tokens": config.get("suppress_ids"),
        "is_multilingual": sizes.multilingual,
        "max_initial_timestamp_index": 50,
        "max_length": sizes.n_text_ctx,
        "no_timestamps_token_id": tokenizer.id_of("<|notimestamps|>"),
        "prev_sot_token_id": tokenizer.id_of("<|startofprev|>"),
        "return_timestamps": False,
    }
    if sizes.multilingual:
        # Given to an English-only model, these would make it detect a language.
        content["lang_to_id"] = tokenizer.languages
        content["task_to_id"] = {
            task: tokenizer.id_of(f"<|{task}|>") for task in ("transcribe", "translate")
        }
    return content


def _preprocessor(sizes: Sizes) -> dict[str, Any]:
    """Windows of 30 s at 16 kHz; only the number of mel bands differs between models."""
    return {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "processor_class": "WhisperProcessor",
        "feature_size": sizes.n_mels,
        "sampling_rate": 16_000,
        "chunk_length": 30,
        "hop_length": 160,
        "n_fft": 400,
        "n_samples": 480_000,
        "nb_max_frames": 3_000,
        "padding_side": "right",
        "padding_value": 0.0,
        "return_attention_mask": False,
    }


def _tokenizer(tokenizer: Tokenizer) -> dict[str, Any]:
    return {
        "tokenizer_class": "WhisperTokenizer",
        "processor_class": "WhisperProcessor",
        "bos_token": _END,
        "eos_token": _END,
        "pad_token": _END,
        "unk_token": _END,
        "add_prefix_space": False,
        "clean_up_tokenization_spaces": False,
        "errors": "replace",
        "model_max_length": 1024,
        "additional_special_tokens": sorted(tokenizer.ids, key=tokenizer.ids.__getitem__),
    }
