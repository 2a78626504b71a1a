"""Where and in which number format torch runs, what its errors mean, and giving memory back.

Imports torch only inside functions: nothing here needs it until a model is loaded.
"""

from __future__ import annotations

import gc
import re
import sys
from collections.abc import Sequence
from traceback import clear_frames

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Probe, choose, preferred, probe
from hybrid_transcribe.errors import (
    DeviceFailed,
    EngineFailed,
    EngineUnavailable,
    HybridTranscribeError,
    InvalidOption,
    OutOfMemory,
)
from hybrid_transcribe.messages import UserMessage, known_phrase

#: Number formats by torch's own names, the halves first.
COMPUTE_TYPES = ("float16", "bfloat16", "float32")

#: Asking for these leaves the choice to us, as with faster-whisper.
_OPEN_CHOICES = (None, "default", "auto")

# How torch words it: "CUDA out of memory", "DefaultCPUAllocator: can't allocate memory" (or, on
# Windows, "not enough memory"), and cuBLAS where its workspace found no room.
_NO_MEMORY = re.compile(
    r"out of memory|can't allocate memory|not enough memory|bad_alloc|status_alloc_failed"
)

_GPU = re.compile(r"\b(cuda|hip|nvrtc|nccl)|cublas|cudnn|cufft|cusolver|cusparse|libcu")


def choose_device(
    requested: str, settings: Settings, probe: Probe = probe
) -> tuple[str, tuple[str, ...]]:
    """``"cpu"`` or ``"gpu"`` and what people should know. Raises EngineUnavailable."""
    return choose(requested, "torch", settings, probe)


def choose_compute_type(
    engine: str, requested: str | None, device: str, can: Sequence[str] = COMPUTE_TYPES
) -> str:
    """A number format out of ``can``: half precision on a GPU where nobody asked for one.

    Raises InvalidOption naming the engine, the value and the choices.
    """
    if requested in _OPEN_CHOICES:
        return preferred("torch", device, can) or "float32"
    if requested in can:
        return requested
    raise InvalidOption(
        UserMessage(
            "compute_type",
            engine=engine,
            value=requested,
            phrase=known_phrase(device),
            choices=sorted(can),
        )
    )


def torch_name(device: str) -> str:
    """torch's word for a device of ours."""
    return "cuda" if device == "gpu" else "cpu"


def meaning(error: Exception, device: str, extra: str) -> HybridTranscribeError:
    """A library's error as one of ours, with its cause in the message.

    ``extra`` is the engine's name, which is also that of the extra that installs it.
    """
    if isinstance(error, HybridTranscribeError):
        return error
    text = first_line(error)
    lower = str(error).lower()
    if isinstance(error, MemoryError) or _NO_MEMORY.search(lower):
        _let_go(error)
        return OutOfMemory(
            UserMessage("out_of_memory", phrase=known_phrase(device), text=text), device
        )
    if isinstance(error, ImportError):
        return EngineUnavailable(
            UserMessage("extra_unusable", engine=extra, text=text, install=install_line(extra))
        )
    # torch raises RuntimeError, or a subclass of it, for whatever goes wrong on a GPU.
    if device == "gpu" and isinstance(error, RuntimeError) and _GPU.search(lower):
        _let_go(error)
        return DeviceFailed(UserMessage("gpu_failed", why=text), device)
    return EngineFailed(
        UserMessage("engine_failed", engine=extra, kind=type(error).__name__, text=text)
    )


def install_line(extra: str) -> str:
    """What to type to get an engine's libraries."""
    return f"pip install 'hybrid-transcribe[{extra}]'"


def give_back() -> None:
    """Give memory that nothing refers to any more back to the system, and to the GPU."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_initialized():
        return
    try:
        torch.cuda.empty_cache()
        torch.cuda.ipc_collect()
    except RuntimeError:
        # After a failure of the GPU every call fails in the same way; what it held goes with
        # the process.
        pass


def _let_go(error: Exception) -> None:
    """Drop what the calls that failed still hold: with it, no memory could be given back.

    Whoever tries again in a smaller way does so while the error is still being handled.
    """
    clear_frames(error.__traceback__)


def first_line(error: Exception) -> str:
    """What an error says, in one line, or its type where it says nothing."""
    # torch appends a page of advice about its own debugging.
    lines = (line.strip() for line in str(error).splitlines())
    return next(filter(None, lines), type(error).__name__)
