"""Row 19: a GPU that is missing, broken or too small ends in a transcript, and one line why."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineUnavailable, ModelUnavailable
from hybrid_transcribe.models import resolve
from hybrid_transcribe.types import Transcript

pytestmark = pytest.mark.model


@pytest.fixture(scope="module", autouse=True)
def _tiny() -> None:
    try:
        resolve("tiny.en", "ctranslate2", Settings.load(offline=True))
    except ModelUnavailable as error:
        pytest.skip(str(error))


def transcribed(sample: Path, engine: str, device: str = "auto", **options: int) -> Transcript:
    """By a real worker with tiny.en, whose engine may be one of ``tests.devices.faulty``."""
    engines = {engine: f"tests.devices.faulty:{engine}"} if engine.isidentifier() else {}
    with Service(journal=None, engines=engines) as service:
        job = service.submit(sample, engine=engine, model="tiny.en", device=device, **options)
        (result,) = job.result(60)
        assert service.snapshots()
    return result


@pytest.fixture(scope="module")
def on_cpu(_tiny: None) -> str:
    """What the sample says, as heard on the CPU."""
    from hybrid_transcribe import samples

    return transcribed(samples.sample(), "faster-whisper", "cpu").text


@pytest.mark.parametrize(
    ("engine", "cause"),
    [
        pytest.param(
            "AbortingGpu",
            "killed by SIGABRT when it tried (Unable to load any of {libcudnn",
            marks=pytest.mark.skipif(os.name != "posix", reason="no signals on Windows"),
        ),
        ("HiddenLibrary", "Library libcublas.so.12 is not found"),
        ("HangingGpu", "no answer"),
    ],
)
def test_f19_a_broken_gpu_costs_one_line(
    sample: Path, on_cpu: str, engine: str, cause: str
) -> None:
    """The worker and this process live, the text is that of the CPU, the line has the remedy."""
    result = transcribed(sample, engine)

    assert result.text == on_cpu
    (line,) = result.warnings
    assert line.startswith("Ran on the CPU. The GPU cannot be used: ")
    assert cause in line
    assert line.endswith("or choose device 'cpu'")
    assert "\n" not in line


def test_f19_a_broken_gpu_that_was_asked_for_is_an_error(sample: Path) -> None:
    """In the same words."""
    with pytest.raises(EngineUnavailable, match=r"Library libcublas.so.12.*; pip install nvidia"):
        transcribed(sample, "HiddenLibrary", "gpu")


def test_f19_too_little_memory_goes_down_step_by_step(sample: Path, on_cpu: str) -> None:
    """Half the batch, 8 bits, the CPU: each step is told in order, and nothing is lost."""
    result = transcribed(sample, "SmallGpu", batch_size=4)

    assert result.text == on_cpu
    assert result.device == "cpu"
    assert [line.split("went on with ")[-1].partition(";")[0] for line in result.warnings] == [
        "batch_size 2",
        "batch_size 1",
        "int8 weights",
        "the CPU",
    ]
    assert {line.split(":")[0] for line in result.warnings} == {"Not enough memory on the GPU"}


def test_f19_a_gpu_that_fails_in_the_middle_is_left_for_the_cpu(sample: Path, on_cpu: str) -> None:
    """At once: a smaller batch would mend nothing."""
    result = transcribed(sample, "FailingGpu")

    assert result.text == on_cpu
    assert [w.partition(";")[0] for w in result.warnings] == [
        "The GPU failed: went on with the CPU"
    ]
