"""How distilled checkpoints want to be asked, by their authors.

======================================  ==================  ====================================
Family                                  Stretches at once   Said by the model card of
======================================  ==================  ====================================
of large-v3 (128 mel bands)             25 s                distil-whisper/distil-large-v3, -v3.5
of large-v2 and older (80 mel bands)    15 s                distil-whisper/distil-large-v2,
                                                            distil-medium.en, distil-small.en
any other Whisper                       30 s                openai/whisper-large-v3
======================================  ==================  ====================================

It is ``chunk_length_s`` there, and counts only where stretches are decoded in batches. The
cards also decode without the text before; so does transformers for every checkpoint
(``condition_on_prev_tokens`` of its ``generate`` is false), and so do we.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Whisper's own window, which every checkpoint has.
WINDOW_S = 30.0

_OF_LARGE_V3_S, _OF_OLDER_S = 25.0, 15.0

#: Distillation kept the encoder and this many layers of the decoder (arXiv:2311.00430, 3.1).
_DECODER_LAYERS = 2

_BANDS_OF_LARGE_V3 = 128


def stretch_s(config: Mapping[str, Any], name: str) -> float:
    """The longest stretch to decode at once, for a checkpoint's config.json and its name."""
    known_as = f"{name} {config.get('_name_or_path') or ''}".lower()
    if config.get("decoder_layers") != _DECODER_LAYERS and "distil-" not in known_as:
        return WINDOW_S
    return _OF_LARGE_V3_S if config.get("num_mel_bins") == _BANDS_OF_LARGE_V3 else _OF_OLDER_S
