"""What is the same for every engine on torch: device, number format, errors, memory."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines import torch_device as torch_device
from hybrid_transcribe.errors import (
    DeviceFailed,
    EngineFailed,
    EngineUnavailable,
    HybridTranscribeError,
    InvalidOption,
    ModelUnavailable,
    OutOfMemory,
)
from tests.engines.openai_fakes import no_gpu, one_gpu

# torch's own words, as it raised them.
FULL_GPU = "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 7 GiB"
FULL_CPU = (
    "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: "
    "you tried to allocate 4000000000000 bytes."
)
BROKEN = "CUDA error: an illegal memory access was encountered\nCUDA kernel errors might be…"


def test_auto_takes_the_gpu_that_works() -> None:
    """Under our own name."""
    assert torch_device.choose_device("auto", Settings(), one_gpu) == ("gpu", ())
    assert torch_device.torch_name("gpu") == "cuda"


def test_auto_takes_the_cpu_where_there_is_no_gpu() -> None:
    """With nothing to tell."""
    assert torch_device.choose_device("auto", Settings(), no_gpu) == ("cpu", ())
    assert torch_device.torch_name("cpu") == "cpu"


def test_f19_a_gpu_that_is_not_there_is_refused() -> None:
    """With cause and remedy."""
    with pytest.raises(EngineUnavailable, match=r"No GPU.*'auto' or 'cpu'"):
        torch_device.choose_device("gpu", Settings(), no_gpu)


@pytest.mark.parametrize(
    ("asked", "device", "chosen"),
    [
        (None, "gpu", "float16"),
        (None, "cpu", "float32"),
        ("auto", "gpu", "float16"),
        ("default", "cpu", "float32"),
        ("bfloat16", "gpu", "bfloat16"),
        ("float32", "gpu", "float32"),
        ("float16", "cpu", "float16"),
    ],
)
def test_half_precision_belongs_to_the_gpu(asked: str | None, device: str, chosen: str) -> None:
    """Unless something else was asked for."""
    assert torch_device.choose_compute_type("some-engine", asked, device) == chosen


def test_a_format_there_is_not_is_refused_with_the_choices() -> None:
    """The message names the engine, the value, the device and what it can be."""
    with pytest.raises(InvalidOption, match=r"some-engine has no .*'int8' on the gpu.*bfloat16"):
        torch_device.choose_compute_type("some-engine", "int8", "gpu")
    with pytest.raises(InvalidOption, match=r"'float16' on the cpu; choose from: float32$"):
        torch_device.choose_compute_type("some-engine", "float16", "cpu", ("float32",))


@pytest.mark.parametrize(
    ("error", "device", "becomes", "says"),
    [
        (RuntimeError(FULL_GPU), "gpu", OutOfMemory, "on the gpu.*Tried to allocate"),
        (RuntimeError(FULL_CPU), "cpu", OutOfMemory, "on the cpu"),
        (MemoryError(), "cpu", OutOfMemory, "MemoryError"),
        (RuntimeError("CUBLAS_STATUS_ALLOC_FAILED when calling x"), "gpu", OutOfMemory, "gpu"),
        (RuntimeError(BROKEN), "gpu", DeviceFailed, "illegal memory access"),
        (RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"), "gpu", DeviceFailed, "cuDNN"),
        (RuntimeError("CUBLAS_STATUS_EXECUTION_FAILED"), "gpu", DeviceFailed, "CUBLAS"),
        (RuntimeError("Torch not compiled with CUDA enabled"), "cpu", EngineFailed, "Torch not"),
        (RuntimeError("mat1 and mat2 shapes differ"), "gpu", EngineFailed, "shapes differ"),
        (ModuleNotFoundError("No module named 'numba'"), "cpu", EngineUnavailable, r"\[some\]"),
        (ValueError("no"), "cpu", EngineFailed, "some failed: ValueError: no"),
    ],
)
def test_errors_of_torch_become_ours(
    error: Exception, device: str, becomes: type[HybridTranscribeError], says: str
) -> None:
    """One tree of errors, each in one line, and those of a device say which."""
    meaning = torch_device.meaning(error, device, "some")

    assert type(meaning) is becomes
    with pytest.raises(becomes, match=says):
        raise meaning
    assert "\n" not in str(meaning)
    assert getattr(meaning, "device", device) == device


def test_our_own_errors_stay_as_they_are() -> None:
    """Nothing is wrapped twice."""
    error = ModelUnavailable("gone")

    assert torch_device.meaning(error, "gpu", "some") is error


class _Tensor:
    """Stands for what a failed call holds."""


def _fail(held: list[Any]) -> None:
    tensor = _Tensor()
    held.append(weakref.ref(tensor))
    raise RuntimeError(FULL_GPU)


def test_memory_of_a_failed_call_is_free_while_its_error_is_handled() -> None:
    """The next, smaller attempt is made in the same except clause."""
    held: list[Any] = []
    try:
        _fail(held)
    except RuntimeError as error:
        assert held[0]() is not None
        torch_device.meaning(error, "gpu", "some")
        gc.collect()

        assert held[0]() is None
