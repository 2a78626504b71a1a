"""The layout of openai-whisper: one checkpoint, and the attention heads that follow the audio."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models.convert import naming
from hybrid_transcribe.models.convert.ct2 import Weights

#: A checkpoint has no place for them; ``[[layer, head], …]`` as in CTranslate2's config.
HEADS_FILE = "alignment_heads.json"


def write(weights: Weights, config: Mapping[str, Any], name: str, folder: Path) -> None:
    """Write ``<name>.pt`` as ``whisper.load_model`` reads it. Raises ModelUnavailable."""
    try:
        import torch
    except ImportError as error:
        raise ModelUnavailable(UserMessage("needs_torch")) from error
    state = {n: torch.from_numpy(a) for n, a in naming.tensors(weights, "openai").items()}
    checkpoint = {"dims": asdict(naming.sizes(weights)), "model_state_dict": state}
    heads = config.get("alignment_heads")
    if heads:
        (folder / HEADS_FILE).write_text(json.dumps(heads) + "\n", encoding="utf-8")
    torch.save(checkpoint, folder / f"{name}.pt")
