"""NVIDIA's driver, asked without any other CUDA library: is there a GPU, which, how large?

The functions are those of the CUDA driver API (``cuda.h``), whose library comes with the
driver. Looking for it is safe anywhere; `cards` starts CUDA and belongs into a child process.
"""

from __future__ import annotations

import ctypes
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from hybrid_transcribe.messages import UserMessage

#: `CUresult` of a machine that has the driver and nothing for it to drive.
_NO_DEVICE = 100

_KERNEL_MODULE = Path("/proc/driver/nvidia/version")

#: Where Linux shows GPUs: each of NVIDIA's, and the gate to all of AMD's.
_DEV = Path("/dev")
_NVIDIA, _AMD = "nvidia[0-9]*", "kfd"


@dataclass(frozen=True, slots=True)
class Card:
    """One GPU. ``free_bytes`` as it was when somebody looked, None where nobody knows."""

    name: str
    total_bytes: int
    free_bytes: int | None = None


def why_no_gpu() -> str | None:
    """Why no GPU need be tried on this machine, None where one may be. Takes microseconds."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None and hidden.strip() in ("", "-1"):
        return UserMessage("gpu_hidden", value=hidden)
    if library() is not None or _devices(_NVIDIA) or _devices(_AMD):
        return None
    if _KERNEL_MODULE.exists():
        return UserMessage("gpu_container")
    return UserMessage("gpu_none")


def library() -> ctypes.CDLL | None:
    """The driver's own library, None where there is no driver."""
    name = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        return ctypes.CDLL(name)
    except OSError:
        return None


def version() -> str:
    """The driver's version, such as ``"550.54.14"``, or the CUDA it knows; empty without one."""
    try:
        text = _KERNEL_MODULE.read_text(encoding="utf-8")
    except OSError:
        text = ""
    match = re.search(r"\s(\d+\.\d+(?:\.\d+)?)\s", text)
    if match:
        return match[1]
    version_number, cuda = ctypes.c_int(0), library()
    if (
        cuda is None
        or cuda.cuDriverGetVersion(ctypes.byref(version_number))
        or not version_number.value
    ):
        return ""
    return f"CUDA {version_number.value // 1000}.{version_number.value % 1000 // 10}"


def driver_error() -> str | None:
    """Why the driver cannot be used, empty where it has no GPU, None where all is well."""
    cuda = library()
    if cuda is None:
        return UserMessage("libcuda") if _devices(_NVIDIA) else ""
    status = cuda.cuInit(0)
    if status in (0, _NO_DEVICE):
        return "" if status else None
    return UserMessage("driver_unusable", text=_error_name(cuda, status))


def _devices(pattern: str) -> bool:
    return any(_DEV.glob(pattern))


def _error_name(cuda: ctypes.CDLL, status: int) -> str:
    name = ctypes.c_char_p()
    if cuda.cuGetErrorName(status, ctypes.byref(name)) or name.value is None:
        return f"error {status}"
    return name.value.decode()


def cards() -> list[Card]:
    """Every GPU that CUDA shows to this process; empty where the driver does not tell."""
    cuda, count = library(), ctypes.c_int(0)
    if cuda is None or cuda.cuInit(0) or cuda.cuDeviceGetCount(ctypes.byref(count)):
        return []
    try:
        return [_card(cuda, i) for i in range(count.value)]
    except AttributeError:
        # A driver from before a function was made. It may compute all the same.
        return []


def _card(cuda: ctypes.CDLL, index: int) -> Card:
    device, name, total = ctypes.c_int(0), ctypes.create_string_buffer(256), ctypes.c_size_t(0)
    cuda.cuDeviceGet(ctypes.byref(device), index)
    cuda.cuDeviceGetName(name, len(name), device)
    cuda.cuDeviceTotalMem_v2(ctypes.byref(total), device)
    return Card(name.value.decode("utf-8", "replace"), total.value, _free_bytes(cuda, device))


def _free_bytes(cuda: ctypes.CDLL, device: ctypes.c_int) -> int | None:
    """Free memory, less what the context of this very process takes (some 0.5 GB)."""
    context, free, total = ctypes.c_void_p(), ctypes.c_size_t(0), ctypes.c_size_t(0)
    if cuda.cuDevicePrimaryCtxRetain(ctypes.byref(context), device):
        return None
    cuda.cuCtxPushCurrent_v2(context)
    failed = cuda.cuMemGetInfo_v2(ctypes.byref(free), ctypes.byref(total))
    cuda.cuCtxPopCurrent_v2(ctypes.byref(context))
    cuda.cuDevicePrimaryCtxRelease_v2(device)
    return None if failed else free.value
