"""The number format that a library computes in where nobody asks for one."""

from __future__ import annotations

from collections.abc import Container

#: By preference. Old GPUs lack float16; on a CPU 8 bits are the fastest that CTranslate2 has.
_PREFERRED = {
    ("ctranslate2", "cpu"): ("int8", "int8_float32", "float32"),
    ("ctranslate2", "gpu"): ("float16", "int8_float16", "int8_float32", "float32"),
    ("torch", "cpu"): ("float32",),
    ("torch", "gpu"): ("float16", "float32"),
}


def preferred(backend: str, device: str, can: Container[str]) -> str | None:
    """The best of what the device can; None where it can none that we would choose."""
    return next((name for name in _PREFERRED[backend, device] if name in can), None)
