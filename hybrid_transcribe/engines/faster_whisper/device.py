"""Where and in which number format CTranslate2 runs, and what its errors mean."""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_transcribe import devices
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import (
    DeviceFailed,
    EngineError,
    EngineFailed,
    EngineUnavailable,
    HybridTranscribeError,
    InvalidOption,
    OutOfMemory,
)
from hybrid_transcribe.messages import UserMessage, known_phrase

#: Asking for these leaves the choice to CTranslate2.
_OPEN_CHOICES = ("default", "auto")

#: CTranslate2's names for the number formats of weights.
COMPUTE_TYPES = (
    "int8",
    "int8_float32",
    "int8_float16",
    "int8_bfloat16",
    "int16",
    "float16",
    "bfloat16",
    "float32",
)

#: In the library's errors. CTranslate2's ``THROW_RUNTIME_ERROR`` puts its own words before
#: those of CUDA ("CUDA failed with error out of memory").
_NO_MEMORY = ("out of memory", "bad_alloc", "cublas_status_alloc_failed")
_NO_DRIVER = ("driver version is insufficient", "no cuda-capable device")
_NO_LIBRARY = ("cannot be loaded", "unable to load", "cannot open shared object", "libcu")
#: What CTranslate2 says of more tokens than a decoder holds.
_NO_POSITIONS = "no position encodings"

_BROKEN = ("cuda failed", "cuda error", "cublas", "cudnn")


def choose_device(
    requested: str, settings: Settings, probe: devices.Probe = devices.probe
) -> tuple[str, tuple[str, ...]]:
    """``"cpu"`` or ``"gpu"`` and what people should know. Raises EngineUnavailable."""
    device, notices = devices.choose(requested, "ctranslate2", settings, probe)
    if device == "gpu":
        devices.preload()
    return device, notices


def without_gpu(
    requested: str,
    settings: Settings,
    gone: EngineUnavailable,
    forget: devices.Forget = devices.forget,
) -> tuple[str, tuple[str, ...]]:
    """As `choose_device`, after the GPU it chose is ``gone``, which is raised for ``"gpu"``."""
    return devices.without_gpu(requested, "ctranslate2", settings, gone, forget)


def choose_compute_type(requested: str | None, device: str) -> str:
    """A number format the device can compute in. Raises InvalidOption for one it cannot.

    Also raises EngineUnavailable and DeviceFailed where a GPU has gone meanwhile.
    """
    import ctranslate2

    try:
        can = ctranslate2.get_supported_compute_types(ct2_name(device))
    except RuntimeError as error:
        raise meaning(error, device) from error
    if requested is None:
        return devices.preferred("ctranslate2", device, can) or "default"
    if requested in can or requested in _OPEN_CHOICES:
        return requested
    raise InvalidOption(
        UserMessage(
            "compute_type",
            engine="faster-whisper",
            value=requested,
            phrase=known_phrase(device),
            choices=sorted(can),
        )
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

    def says(signs: Sequence[str]) -> bool:
        return any(sign in lower for sign in signs)

    if isinstance(error, MemoryError) or says(_NO_MEMORY):
        return OutOfMemory(
            UserMessage("out_of_memory_int8", phrase=known_phrase(device), text=text),
            device,
        )
    if says((*_NO_DRIVER, *_NO_LIBRARY)):
        why_not = UserMessage("gpu_unusable", why=text)
        return EngineUnavailable(
            UserMessage("with_remedy", why=why_not, remedy=devices.hint_for("ctranslate2", why_not))
        )
    if device == "gpu" and says(_BROKEN):
        return DeviceFailed(UserMessage("gpu_failed", why=text), device)
    if _NO_POSITIONS in lower:
        return InvalidOption(UserMessage("no_positions"))
    return _failed(error, text)


def _failed(error: Exception, text: str) -> EngineError:
    return EngineFailed(
        UserMessage("engine_failed", engine="faster-whisper", kind=type(error).__name__, text=text)
    )
