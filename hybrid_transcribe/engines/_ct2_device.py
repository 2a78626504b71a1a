"""Where and in which number format CTranslate2 runs, and what its errors mean."""

from __future__ import annotations

from hybrid_transcribe.errors import (
    EngineError,
    EngineFailed,
    EngineUnavailable,
    HybridTranscribeError,
    InvalidOption,
    OutOfMemory,
)

#: Number formats by preference where nobody asked for one. Old GPUs lack float16.
_PREFERRED = {
    "cpu": ("int8", "int8_float32", "float32"),
    "gpu": ("float16", "int8_float16", "int8_float32", "float32"),
}

#: Asking for these leaves the choice to CTranslate2.
_OPEN_CHOICES = ("default", "auto")

CUDA_REMEDY = "pip install nvidia-cublas-cu12 'nvidia-cudnn-cu12>=9,<10', or choose device 'cpu'"


def choose_device(asked: str) -> str:
    """``"cpu"`` or ``"gpu"`` for what was asked. Raises EngineUnavailable without a GPU."""
    if asked == "cpu":
        return "cpu"
    import ctranslate2

    if ctranslate2.get_cuda_device_count() > 0:
        return "gpu"
    if asked == "gpu":
        raise EngineUnavailable(
            "No NVIDIA GPU that CTranslate2 can use was found on this machine; "
            "choose device 'auto' or 'cpu', or install NVIDIA's driver"
        )
    return "cpu"


def choose_compute_type(asked: str | None, device: str) -> str:
    """A number format the device can compute in. Raises InvalidOption for one it cannot."""
    import ctranslate2

    can = ctranslate2.get_supported_compute_types(ct2_name(device))
    if asked is None:
        return next((c for c in _PREFERRED[device] if c in can), "default")
    if asked in can or asked in _OPEN_CHOICES:
        return asked
    raise InvalidOption(
        f"No compute_type {asked!r} on this {device}; choose from: {', '.join(sorted(can))}"
    )


def ct2_name(device: str) -> str:
    """CTranslate2's word for a device of ours."""
    return "cuda" if device == "gpu" else "cpu"


def meaning(error: Exception, device: str) -> HybridTranscribeError:
    """The library's error as one of ours, with its cause in the message."""
    if isinstance(error, HybridTranscribeError):
        return error
    text = str(error).strip() or type(error).__name__
    lower = text.lower()
    if isinstance(error, MemoryError) or "out of memory" in lower or "bad_alloc" in lower:
        return OutOfMemory(
            f"Not enough memory on the {device}: {text}; a smaller model, a smaller "
            "batch_size or compute_type 'int8' needs less"
        )
    if any(sign in lower for sign in ("libcu", "cublas", "cudnn", "cuda driver")):
        return EngineUnavailable(f"The GPU's libraries cannot be used: {text}; {CUDA_REMEDY}")
    return _failed(error, text)


def _failed(error: Exception, text: str) -> EngineError:
    return EngineFailed(f"faster-whisper failed: {type(error).__name__}: {text}")
