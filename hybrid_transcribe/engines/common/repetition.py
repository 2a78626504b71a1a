"""How much a text repeats itself: models that lose the thread write loops."""

from __future__ import annotations

import zlib


def compression_ratio(text: str) -> float:
    """Bytes over their zlib size (Whisper's paper, arXiv:2212.04356, section 4.5); 0 for no text.

    >>> compression_ratio("la " * 100) > 10 > compression_ratio("A short line.")
    True
    """
    encoded = text.encode()
    return len(encoded) / len(zlib.compress(encoded)) if encoded else 0.0
