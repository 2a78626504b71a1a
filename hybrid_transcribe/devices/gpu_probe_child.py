"""``python -m hybrid_transcribe.devices.gpu_probe_child BACKEND``: let the GPU compute something.

Runs in a process of its own, because a missing cuDNN or a broken driver ends the process that
meets it. Prints its result as one line of JSON, a `ProbeResult`; no such line means that
the process did not survive.
"""

from __future__ import annotations

import faulthandler
import signal
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec

from hybrid_transcribe.core.child_process import die_with_parent
from hybrid_transcribe.devices import driver, libraries
from hybrid_transcribe.devices.probe_result import ProbeResult
from hybrid_transcribe.messages import UserMessage, message_info

#: After so many seconds a probe ends itself, should nobody wait for it any more.
EXIT_AFTER_S = 90.0


def ctranslate2() -> tuple[str, ...]:
    """Let CTranslate2 hear something. Returns its number formats, none without a GPU."""
    libraries.preload()
    import ctranslate2 as ct2

    # It imports torch with its specs where it can, and torch would load the CUDA libraries that
    # it brings along: the probe would work where the worker then does not.
    sys.modules.setdefault("torch", None)  # type: ignore[arg-type]
    from hybrid_transcribe.devices import _ct2_model

    if not ct2.get_cuda_device_count():
        # Says why, where there is something to say: a driver too old counts as no GPU.
        ct2.get_supported_compute_types("cuda")
        return ()
    can = sorted(ct2.get_supported_compute_types("cuda"))
    with tempfile.TemporaryDirectory() as folder:
        _ct2_model.write_model(Path(folder))
        compute_type = "float16" if "float16" in can else "float32"
        product = _ct2_model.encode(Path(folder), "cuda", compute_type)
    _must_be_numbers(abs(float(product.sum())))
    return tuple(can)


def torch() -> tuple[str, ...]:
    """Let torch convolve and multiply. Returns number formats, none without a GPU."""
    t: Any = import_module("torch")
    if not t.cuda.is_available():
        # Says why, where there is something to say.
        t.cuda.init()
        return ()
    with t.inference_mode():
        sound = t.full((1, 80, 64), 0.01, dtype=t.float16, device="cuda")
        weights = t.full((64, 80, 3), 0.01, dtype=t.float16, device="cuda")
        product = t.nn.functional.conv1d(sound, weights)[0]
        product = product @ product.T
        _must_be_numbers(float(product.sum()))
    bfloat16 = ("bfloat16",) if t.cuda.is_bf16_supported() else ()
    return (*bfloat16, "float16", "float32")


def _must_be_numbers(total: float) -> None:
    # Sums of what is not a number are not, and nothing here is zero.
    if not 0 < total < float("inf"):
        raise ArithmeticError(UserMessage("gpu_computes_wrong", text=total))


PROBES: dict[str, Callable[[], tuple[str, ...]]] = {"ctranslate2": ctranslate2, "torch": torch}


#: As CUDA says it, then as torch does.
_NONE = (
    "driver version is insufficient",
    "no CUDA-capable device",
    "Torch not compiled with CUDA",
    "Found no NVIDIA driver",
    "CUDA GPUs",
    "HIP GPUs",
)


def run_probe(backend: str) -> ProbeResult:
    """Try, and return an error as a result."""
    try:
        compute_types = PROBES[backend]()
    except Exception as error:
        return _failed(_why_not(backend, error))
    if compute_types:
        return ProbeResult(None, tuple(driver.cards()), compute_types, tuple(libraries.in_use()))
    return _failed(_why_not(backend, None))


def _failed(why_not: str) -> ProbeResult:
    message = message_info(why_not)
    return ProbeResult(message.text, message=message if message.code else None)


def _why_not(backend: str, error: Exception | None) -> str:
    driver_error = driver.driver_error()
    if driver_error:
        return driver_error
    # Without a GPU a library may say so in an error, which is of no interest then.
    if driver_error == "" and (error is None or _says_none(error)):
        return ""
    if error is None:
        return UserMessage("gpu_unseen", library=backend)
    message = error.args[0] if error.args else None
    if isinstance(message, UserMessage):
        return message
    return " ".join(str(error).split()) or type(error).__name__


def _says_none(error: Exception) -> bool:
    """Whether that is a library's way to say that it found no GPU, or was not made for any."""
    return any(sign in str(error) for sign in _NONE)


def main() -> None:
    """Try the backend that the command line names and print the result."""
    # Ctrl-C in a terminal reaches the whole process group and would probe like a broken GPU.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent()
    faulthandler.dump_traceback_later(EXIT_AFTER_S, exit=True)
    result = run_probe(sys.argv[1])
    sys.stdout.buffer.write(b"\n" + msgspec.json.encode(result) + b"\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
