"""Looking at the GPU: the probe is a real process, whatever its library does to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Gpu, GpuProber, choose, probe, without_gpu
from hybrid_transcribe.devices.probe_result import ProbeResult
from hybrid_transcribe.errors import EngineUnavailable
from tests.devices.fake_gpus import prober

PIP = "pip install nvidia-cublas-cu12"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A cache of its own."""
    return Settings(cache_dir=str(tmp_path / "cache"))


def memos(settings: Settings) -> list[Path]:
    """What is remembered on disk."""
    return sorted((settings.cache_path / "gpu").glob("*"))


# ----------------------------------------------------------------------------- the probe


def test_a_gpu_that_computes_is_usable(tmp_path: Path, settings: Settings) -> None:
    """With the formats of the library, whatever that prints, and nothing to tell."""
    gpu = prober(tmp_path / "lib", "works").probe("ctranslate2", settings)

    assert (gpu.usable, gpu.present, gpu.explanation) == (True, True, "")
    assert gpu.compute_types == ("float16", "float32", "int8")


@pytest.mark.parametrize(
    ("backend", "cause", "hint"),
    [
        ("ctranslate2", "Library libcublas.so.12 is not found", PIP),
        ("torch", "Library libcublas.so.12 is not found", "install torch anew"),
    ],
)
def test_f19_a_gpu_that_does_not_compute_has_a_cause_and_a_remedy(
    tmp_path: Path, settings: Settings, backend: str, cause: str, hint: str
) -> None:
    """In one line, which always has a way out."""
    gpu = prober(tmp_path / "lib", "library", backend).probe(backend, settings)

    assert (gpu.usable, gpu.present) == (False, True)
    assert cause in gpu.why_not
    assert hint in gpu.hint
    assert gpu.explanation == f"{gpu.why_not}; {gpu.hint}"
    assert gpu.explanation.endswith("or choose device 'cpu'")
    assert "\n" not in gpu.explanation


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to be killed by")
@pytest.mark.parametrize("backend", ["ctranslate2", "torch"])
def test_f19_a_missing_cudnn_kills_the_trial_and_nobody_else(
    tmp_path: Path, settings: Settings, backend: str
) -> None:
    """Its last words name the library."""
    gpu = prober(tmp_path / "lib", "abort", backend).probe(backend, settings)

    assert not gpu.usable
    assert f"{backend} was killed by SIGABRT" in gpu.why_not
    assert "Unable to load any of {libcudnn_ops.so.9.1.0" in gpu.why_not


def test_f19_a_gpu_that_hangs_is_given_up(tmp_path: Path, settings: Settings) -> None:
    """After a time, and its probe with it."""
    gpu = prober(tmp_path / "lib", "hang", timeout_s=0.5).probe("ctranslate2", settings)

    assert not gpu.usable
    assert "no answer" in gpu.why_not
    assert "restart the machine" in gpu.hint


def test_torch_computes_as_well(tmp_path: Path, settings: Settings) -> None:
    """A convolution and a product of matrices, in half precision."""
    gpu = prober(tmp_path / "lib", "works", "torch").probe("torch", settings)

    assert gpu.usable
    assert gpu.compute_types == ("bfloat16", "float16", "float32")


@pytest.mark.slow
def test_what_torch_is_asked_it_can_do(tmp_path: Path, settings: Settings) -> None:
    """The real library, which takes seconds to import, with the CPU for its GPU."""
    pytest.importorskip("torch")
    gpu = prober(tmp_path / "lib", "works", "real torch").probe("torch", settings)

    assert gpu.explanation == ""
    assert gpu.compute_types == ("float16", "float32")


def test_a_trial_that_cannot_be_started_is_a_finding(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that is gone, or no more processes."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    gpu = GpuProber(why_no_gpu=lambda: None).probe("ctranslate2", settings)

    assert not gpu.usable
    assert gpu.present


def test_no_trial_where_there_is_nothing_to_try(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without a GPU pays nothing for the question."""

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", never)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")

    gpu = probe("ctranslate2", settings)

    assert (gpu.usable, gpu.present) == (False, False)
    assert gpu.explanation == (
        "CUDA_VISIBLE_DEVICES='-1' hides every GPU; unset that variable, or choose device 'cpu'"
    )


def test_a_driver_without_a_gpu_is_no_gpu(settings: Settings) -> None:
    """The real library, in a real probe that sees none: hidden from it, wherever this runs."""
    blind = GpuProber(why_no_gpu=lambda: None, variables={"CUDA_VISIBLE_DEVICES": "-1"})

    gpu = blind.probe("ctranslate2", settings)

    assert (gpu.usable, gpu.present) == (False, False)
    assert gpu.why_not == "No GPU was found on this machine"


# ------------------------------------------------------------------------------- memory


class ProbeRuns:
    """Stands for the processes of runs: counts them, and ends them as told."""

    def __init__(self) -> None:
        self.n = 0
        self.result = ProbeResult(compute_types=("float16",))
        self.child_exit: subprocess.CompletedProcess[bytes] | None = None

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        """As subprocess.run."""
        self.n += 1
        return self.child_exit or subprocess.CompletedProcess(
            command, 0, msgspec.json.encode(self.result), b""
        )


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> ProbeRuns:
    """No processes."""
    runs = ProbeRuns()
    monkeypatch.setattr(subprocess, "run", runs.run)
    return runs


def new_process() -> GpuProber:
    """What looks in a process that was just started, on a machine with a driver."""
    return GpuProber(why_no_gpu=lambda: None)


def test_what_works_is_remembered_here_and_for_the_next_process(
    settings: Settings, runs: ProbeRuns
) -> None:
    """One probe for three looks, the third by a new process; asking afresh tries again."""
    first = new_process()
    gpu = first.probe("ctranslate2", settings)

    assert gpu.usable
    assert first.probe("ctranslate2", settings) == gpu
    assert new_process().probe("ctranslate2", settings) == gpu
    assert runs.n == 1
    first.probe("ctranslate2", settings, fresh=True)
    assert runs.n == 2


def test_what_is_gone_is_forgotten_here_and_for_the_next_process(
    settings: Settings, runs: ProbeRuns
) -> None:
    """Both look again; what another library can do is still known."""
    prober = new_process()
    prober.probe("ctranslate2", settings)
    prober.probe("torch", settings)
    prober.forget("ctranslate2", settings)
    assert len(memos(settings)) == 1
    runs.result = ProbeResult("")

    assert new_process().probe("ctranslate2", settings).present is False
    assert prober.probe("ctranslate2", settings).present is False
    assert prober.probe("torch", settings).usable
    assert runs.n == 4


def test_what_nobody_remembers_can_be_forgotten(settings: Settings, runs: ProbeRuns) -> None:
    """Another process was faster, or nothing could be written."""
    new_process().forget("ctranslate2", settings)

    assert new_process().probe("ctranslate2", settings).usable


def test_libraries_are_remembered_apart(settings: Settings, runs: ProbeRuns) -> None:
    """What works for one may not for another."""
    prober = new_process()
    prober.probe("ctranslate2", settings)
    runs.result = ProbeResult("no kernel image is available")

    assert not prober.probe("torch", settings).usable
    assert prober.probe("ctranslate2", settings).usable


def test_what_fails_is_forgotten_with_the_process(settings: Settings, runs: ProbeRuns) -> None:
    """So that a mended machine is seen at the next start."""
    runs.result = ProbeResult("Library libcublas.so.12 is not found")
    broken = new_process()
    broken.probe("ctranslate2", settings)

    assert not broken.probe("ctranslate2", settings).usable
    assert runs.n == 1
    assert not memos(settings)
    runs.result = ProbeResult()
    assert new_process().probe("ctranslate2", settings).usable


def test_a_full_gpu_is_asked_again(settings: Settings, runs: ProbeRuns) -> None:
    """Memory may be free again by the next time."""
    runs.result = ProbeResult("CUDA failed with error out of memory")
    full = new_process()
    full.probe("ctranslate2", settings)
    runs.result = ProbeResult()

    assert full.probe("ctranslate2", settings).usable


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\x00", b"[]", b'{"key": 1}', b'{"key": "another\'s", "result": {}}'],
)
def test_a_broken_memory_is_no_memory(settings: Settings, runs: ProbeRuns, content: bytes) -> None:
    """It is replaced by what a new probe finds."""
    new_process().probe("ctranslate2", settings)
    (cached,) = memos(settings)
    good = cached.read_bytes()
    cached.write_bytes(content)

    assert new_process().probe("ctranslate2", settings).usable
    assert runs.n == 2
    assert cached.read_bytes() == good


@pytest.mark.parametrize(
    ("changed", "value"),
    [
        ("hybrid_transcribe.devices.driver.version", lambda: "999.1"),
        ("hybrid_transcribe.devices.libraries.installed", lambda: [Path("libcublas.so.12")]),
        ("importlib.metadata.version", lambda _: "99.0"),
        ("sys.prefix", "/other"),
        ("os.environ", {"CUDA_VISIBLE_DEVICES": "1"}),
    ],
)
def test_another_machine_is_tried_anew(
    settings: Settings,
    runs: ProbeRuns,
    monkeypatch: pytest.MonkeyPatch,
    changed: str,
    value: Any,
) -> None:
    """Another driver, other libraries, another Python, another choice of GPUs."""
    new_process().probe("ctranslate2", settings)
    monkeypatch.setattr(changed, value)
    new_process().probe("ctranslate2", settings)

    assert runs.n == 2


def test_a_library_that_is_gone_is_noticed(
    tmp_path: Path, settings: Settings, runs: ProbeRuns
) -> None:
    """What the probe had loaded must still be there."""
    library = tmp_path / "libcublas.so.12"
    library.touch()
    runs.result = ProbeResult(files=(str(library),))
    new_process().probe("ctranslate2", settings)
    new_process().probe("ctranslate2", settings)
    assert runs.n == 1
    library.unlink()
    new_process().probe("ctranslate2", settings)

    assert runs.n == 2


@pytest.mark.parametrize(
    ("why_not", "hint"),
    [
        ("CUDA driver version is insufficient for CUDA", "install a newer NVIDIA driver"),
        ("CUDA failed with error out of memory", "end what else uses the GPU's memory"),
        ("NVIDIA's driver cannot be used: CUDA_ERROR_UNKNOWN", "restart the machine"),
        ("no kernel image is available for execution", "install a torch built for this GPU"),
        ("Torch not compiled with CUDA enabled", "install a torch built for this GPU"),
        ("something nobody knew", "install torch anew"),
    ],
)
def test_every_cause_has_a_remedy(
    settings: Settings, runs: ProbeRuns, why_not: str, hint: str
) -> None:
    """One that fits where the cause is known."""
    runs.result = ProbeResult(why_not)
    gpu = new_process().probe("torch", settings)

    assert hint in gpu.hint
    assert why_not in gpu.explanation


def test_a_trial_that_says_nothing_is_told_by_its_status(
    settings: Settings, runs: ProbeRuns
) -> None:
    """And by the last line it wrote."""
    runs.child_exit = subprocess.CompletedProcess([], 3, b"", b"warming up\nsorry\n")
    gpu = new_process().probe("ctranslate2", settings)

    assert "ctranslate2 ended with status 3 when it tried (sorry)" in gpu.why_not


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path, runs: ProbeRuns) -> None:
    """The look itself works."""
    (tmp_path / "file").write_text("no folder")

    assert new_process().probe("torch", Settings(cache_dir=str(tmp_path / "file"))).usable


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process has loaded")
def test_what_pip_installed_is_loaded_for_the_trial(tmp_path: Path, settings: Settings) -> None:
    """From the folder of its namespace, where no loader looks; and it is remembered with it."""
    cublas = tmp_path / "lib" / "nvidia" / "cublas" / "lib" / "libcublas.so.12"
    cublas.parent.mkdir(parents=True)
    # Any library will do, under that name.
    cublas.write_bytes(Path(msgspec._core.__file__).read_bytes())
    prober(tmp_path / "lib", "works").probe("ctranslate2", settings)

    (cached,) = memos(settings)
    assert str(cublas) in cached.read_text(encoding="utf-8")


# ------------------------------------------------------------------------------- choice

BROKEN = Gpu(False, True, "The GPU cannot be used: no libx", "pip install x")
NONE = Gpu(False, False, "No GPU was found on this machine", "buy one")
FINE = Gpu(True)


@pytest.mark.parametrize(
    ("asked", "gpu", "chosen"),
    [
        ("auto", FINE, ("gpu", ())),
        ("gpu", FINE, ("gpu", ())),
        ("auto", NONE, ("cpu", ())),
        (
            "auto",
            BROKEN,
            ("cpu", ("Ran on the CPU. The GPU cannot be used: no libx; pip install x",)),
        ),
    ],
)
def test_the_device_follows_from_the_look(
    asked: str, gpu: Gpu, chosen: tuple[str, tuple[str, ...]]
) -> None:
    """Where there is no GPU there is nothing to say about it."""
    assert choose(asked, "torch", Settings(), lambda *_: gpu) == chosen


@pytest.mark.parametrize("gpu", [BROKEN, NONE])
def test_f19_a_gpu_that_was_asked_for_in_vain_is_an_error(gpu: Gpu) -> None:
    """With the same cause and hint."""
    with pytest.raises(EngineUnavailable) as caught:
        choose("gpu", "torch", Settings(), lambda *_: gpu)

    assert str(caught.value) == gpu.explanation


GONE = EngineUnavailable("The GPU cannot be used: no driver; restart")


def test_f19_auto_does_without_a_gpu_that_has_gone() -> None:
    """It is forgotten, and people are told."""
    forgotten: list[str] = []
    chosen = without_gpu("auto", "torch", Settings(), GONE, lambda b, _: forgotten.append(b))

    assert chosen == ("cpu", ("Ran on the CPU. The GPU cannot be used: no driver; restart",))
    assert forgotten == ["torch"]


def test_f19_a_gpu_that_was_asked_for_and_has_gone_is_an_error() -> None:
    """The same one; it is forgotten all the same."""
    forgotten: list[str] = []
    with pytest.raises(EngineUnavailable) as caught:
        without_gpu("gpu", "torch", Settings(), GONE, lambda b, _: forgotten.append(b))

    assert caught.value is GONE
    assert forgotten == ["torch"]


def test_the_cpu_needs_no_look() -> None:
    """Nobody starts CUDA for it."""

    def never(*_: Any) -> Gpu:
        raise AssertionError("looked")

    assert choose("cpu", "torch", Settings(), never) == ("cpu", ())
