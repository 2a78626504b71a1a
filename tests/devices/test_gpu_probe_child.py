"""What a probe makes of errors, which depends on whether there is a GPU at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from hybrid_transcribe.devices import driver, gpu_probe_child
from hybrid_transcribe.devices.probe_result import ProbeResult

INSUFFICIENT = "CUDA failed with error CUDA driver version is insufficient for CUDA runtime version"
WITHOUT_CUDA = "Torch not compiled with CUDA enabled"
LIBRARY = "Library libcublas.so.12 is not found or cannot be loaded"


@pytest.mark.parametrize(
    ("error", "driver_error", "why_not"),
    [
        # No GPU: a library's complaint about that is none, anything else is one.
        (INSUFFICIENT, "", ""),
        (WITHOUT_CUDA, "", ""),
        (LIBRARY, "", LIBRARY),
        (None, "", ""),
        # A GPU and a driver that works: whatever is said is the cause.
        (INSUFFICIENT, None, INSUFFICIENT),
        (WITHOUT_CUDA, None, WITHOUT_CUDA),
        (f"{LIBRARY}\n  or so", None, f"{LIBRARY} or so"),
        (None, None, "ctranslate2 does not see it"),
        # A driver that does not: it is the cause of all the rest.
        (LIBRARY, "the driver is broken", "the driver is broken"),
        (None, "the driver is broken", "the driver is broken"),
    ],
)
def test_the_cause_is_told_where_there_is_a_gpu(
    monkeypatch: pytest.MonkeyPatch, error: str | None, driver_error: str | None, why_not: str
) -> None:
    """In one line, and empty where there is none."""

    def tried() -> tuple[str, ...]:
        if error is not None:
            raise RuntimeError(error)
        return ()

    monkeypatch.setitem(gpu_probe_child.PROBES, "ctranslate2", tried)
    monkeypatch.setattr(driver, "driver_error", lambda: driver_error)

    result = gpu_probe_child.run_probe("ctranslate2")
    assert replace(result, message=None) == ProbeResult(why_not)
    assert (result.message is not None) == (why_not == "ctranslate2 does not see it")


def test_what_computes_wrongly_is_not_usable(monkeypatch: pytest.MonkeyPatch) -> None:
    """No number came out, and nothing was said."""

    def wrong() -> tuple[str, ...]:
        gpu_probe_child._must_be_numbers(float("nan"))
        return ("float16",)

    monkeypatch.setitem(gpu_probe_child.PROBES, "torch", wrong)

    assert "computed nan" in str(gpu_probe_child.run_probe("torch").why_not)
