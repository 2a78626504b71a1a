"""What the driver is asked, on machines that have none, a bad one and a good one."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe.devices import Card, driver

OPEN_MODULE = (
    "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build  "
    "(dvs-builder@U16)  Fri Aug 16\nGCC version:  gcc version 12.2.0 (Debian 12.2.0-14)\n"
)
OLD_MODULE = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.104.05  Sat Aug 19 01:15:15\n"


class FakeCuda:
    """libcuda with two GPUs, or one that fails with a status when it is started."""

    def __init__(self, status: int = 0, name: bytes = b"CUDA_ERROR_UNKNOWN") -> None:
        self.status, self.name, self.held = status, name, 0

    def cuInit(self, flags: int) -> int:
        return self.status

    def cuGetErrorName(self, status: int, out: Any) -> int:
        out._obj.value = self.name
        return 0

    def cuDriverGetVersion(self, out: Any) -> int:
        out._obj.value = 12040
        return 0

    def cuDeviceGetCount(self, out: Any) -> int:
        out._obj.value = 2
        return 0

    def cuDeviceGet(self, out: Any, index: int) -> int:
        out._obj.value = index
        return 0

    def cuDeviceGetName(self, buffer: Any, size: int, device: Any) -> int:
        buffer.value = b"Tester %d" % device.value
        return 0

    def cuDeviceTotalMem_v2(self, out: Any, device: Any) -> int:
        out._obj.value = 80 * 10**9
        return 0

    def cuDevicePrimaryCtxRetain(self, out: Any, device: Any) -> int:
        if device.value == 1:
            return 2  # CUDA_ERROR_OUT_OF_MEMORY
        self.held += 1
        return 0

    def cuDevicePrimaryCtxRelease_v2(self, device: Any) -> int:
        self.held -= 1
        return 0

    def cuCtxPushCurrent_v2(self, context: Any) -> int:
        return 0

    def cuCtxPopCurrent_v2(self, out: Any) -> int:
        return 0

    def cuMemGetInfo_v2(self, free: Any, total: Any) -> int:
        free._obj.value, total._obj.value = 70 * 10**9, 80 * 10**9
        return 0


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine without any GPU, to add to."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(driver, "library", lambda: None)
    monkeypatch.setattr(driver, "_DEV", tmp_path)
    monkeypatch.setattr(driver, "_KERNEL_MODULE", tmp_path / "version")
    return monkeypatch


def test_without_a_driver_there_is_nothing(bare: pytest.MonkeyPatch) -> None:
    """Nothing to try, no version, no cards, and no driver_error either."""
    assert driver.why_no_gpu() == "No GPU was found on this machine"
    assert (driver.version(), driver.cards(), driver.driver_error()) == ("", [], "")


@pytest.mark.parametrize("file", ["nvidia0", "kfd"])
def test_the_file_of_a_device_is_worth_a_trial(
    bare: pytest.MonkeyPatch, tmp_path: Path, file: str
) -> None:
    """Also without the driver's library, whose absence is then told."""
    (tmp_path / file).touch()

    assert driver.why_no_gpu() is None
    assert ("libcuda" in str(driver.driver_error())) == (file == "nvidia0")


def test_the_driver_is_worth_a_trial(bare: pytest.MonkeyPatch) -> None:
    """Under WSL there are no files of devices."""
    bare.setattr(driver, "library", FakeCuda)

    assert driver.why_no_gpu() is None
    assert driver.driver_error() is None


def test_a_container_that_was_given_no_gpu(bare: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The host's driver can be seen in it, which is told to who asks for the GPU."""
    (tmp_path / "version").write_text(OLD_MODULE)

    assert "--gpus all" in str(driver.why_no_gpu())


@pytest.mark.parametrize("value", ["", " ", "-1"])
def test_gpus_can_be_hidden(bare: pytest.MonkeyPatch, value: str) -> None:
    """By the variable that CUDA itself knows."""
    bare.setattr(driver, "library", FakeCuda)
    bare.setenv("CUDA_VISIBLE_DEVICES", value)

    assert "CUDA_VISIBLE_DEVICES" in str(driver.why_no_gpu())
    bare.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert driver.why_no_gpu() is None


@pytest.mark.parametrize(
    ("text", "version"), [(OPEN_MODULE, "560.35.03"), (OLD_MODULE, "535.104.05")]
)
def test_the_version_is_that_of_the_kernel_module(
    bare: pytest.MonkeyPatch, tmp_path: Path, text: str, version: str
) -> None:
    """In both of its wordings."""
    (tmp_path / "version").write_text(text)

    assert driver.version() == version


def test_without_a_module_the_version_is_that_of_cuda(bare: pytest.MonkeyPatch) -> None:
    """As on Windows."""
    bare.setattr(driver, "library", FakeCuda)

    assert driver.version() == "CUDA 12.4"


def test_no_device_is_no_trouble_and_anything_else_is(bare: pytest.MonkeyPatch) -> None:
    """By the status that the driver's start returns (100: CUDA_ERROR_NO_DEVICE)."""
    bare.setattr(driver, "library", lambda: FakeCuda(100))
    assert driver.driver_error() == ""

    bare.setattr(driver, "library", lambda: FakeCuda(999))
    assert driver.driver_error() == "NVIDIA's driver cannot be used: CUDA_ERROR_UNKNOWN"
    assert driver.cards() == []


def test_cards_have_a_name_and_memory(bare: pytest.MonkeyPatch) -> None:
    """One that has no room for a context does not say how much is free; all is given back."""
    cuda = FakeCuda()
    bare.setattr(driver, "library", lambda: cuda)

    assert driver.cards() == [
        Card("Tester 0", 80 * 10**9, 70 * 10**9),
        Card("Tester 1", 80 * 10**9, None),
    ]
    assert cuda.held == 0


def test_an_old_driver_tells_nothing_about_its_cards(bare: pytest.MonkeyPatch) -> None:
    """It may compute all the same."""

    class Old(FakeCuda):
        @property
        def cuDevicePrimaryCtxRetain(self) -> Any:
            raise AttributeError("undefined symbol")

    bare.setattr(driver, "library", Old)

    assert driver.cards() == []


def test_the_real_library_is_asked_with_the_right_types() -> None:
    """Where there is a driver; elsewhere that there is none is the answer."""
    cuda = driver.library()

    assert isinstance(cuda, ctypes.CDLL | None)
    assert bool(driver.version()) == (cuda is not None)
