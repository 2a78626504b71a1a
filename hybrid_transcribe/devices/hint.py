"""What would help where a GPU is not used, in one line."""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import metadata

from hybrid_transcribe.messages import UserMessage


def hint_for(backend: str, why_not: str) -> str:
    """What to do about it, always with a way out."""
    text = why_not.lower()
    for signs, hint in _KNOWN:
        if re.search(signs, text):
            return UserMessage("or_cpu", remedy=hint(backend))
    return UserMessage("or_cpu", remedy=_libraries(backend))


def cuda_libraries() -> str:
    """The pip line for what the installed CTranslate2 needs of NVIDIA on a GPU."""
    cudnn = " 'nvidia-cudnn-cu12>=9,<10'" if _needs_cudnn() else ""
    return f"pip install nvidia-cublas-cu12{cudnn}"


def _needs_cudnn() -> bool:
    """Newer wheels convolve without it; those that need it carry the smallest part of it."""
    try:
        files = metadata.files("ctranslate2") or ()
    except metadata.PackageNotFoundError:
        return False
    return any(file.name.startswith(("libcudnn", "cudnn")) for file in files)


def _libraries(backend: str) -> str:
    if backend == "ctranslate2":
        return cuda_libraries()
    return UserMessage("remedy_torch")


def _torch_with_cuda(backend: str) -> str:
    return UserMessage("remedy_torch_gpu")


def _always(hint: str) -> Callable[[str], str]:
    return lambda backend: hint


#: Signs in a cause (lower case), and what helps; the first that fits.
_KNOWN: tuple[tuple[str, Callable[[str], str]], ...] = (
    (r"out of memory|alloc_failed", _always(UserMessage("remedy_memory"))),
    (r"_visible_devices", _always(UserMessage("remedy_variable"))),
    (r"no gpu was found", _always(UserMessage("remedy_driver"))),
    (r"was given no gpu", _always(UserMessage("remedy_start"))),
    (r"driver.*(insufficient|too old)", _always(UserMessage("remedy_newer"))),
    (r"driver", _always(UserMessage("remedy_anew"))),
    (r"no answer", _always(UserMessage("remedy_restart"))),
    (r"not compiled with|no kernel image|not compatible", _torch_with_cuda),
)
