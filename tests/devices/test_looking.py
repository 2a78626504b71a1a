"""Looking at the GPU: the trial is a real process, whatever its library does to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Gpu, Looker, choose, look, without_gpu
from hybrid_transcribe.devices.finding import Finding
from hybrid_transcribe.errors import EngineUnavailable
from tests.devices.trials import looker

PIP = "pip install nvidia-cublas-cu12"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A cache of its own."""
    return Settings(cache_dir=str(tmp_path / "cache"))


def memos(settings: Settings) -> list[Path]:
    """What is remembered on disk."""
    return sorted((settings.cache_path / "gpu").glob("*"))


# ----------------------------------------------------------------------------- the trial


def test_a_gpu_that_computes_is_usable(tmp_path: Path, settings: Settings) -> None:
    """With the formats of the library, whatever that prints, and nothing to tell."""
    found = looker(tmp_path / "lib", "works").look("ctranslate2", settings)

    assert (found.usable, found.there, found.told) == (True, True, "")
    assert found.compute_types == ("float16", "float32", "int8")


@pytest.mark.parametrize(
    ("backend", "cause", "remedy"),
    [
        ("ctranslate2", "Library libcublas.so.12 is not found", PIP),
        ("torch", "Library libcublas.so.12 is not found", "install torch anew"),
    ],
)
def test_f19_a_gpu_that_does_not_compute_has_a_cause_and_a_remedy(
    tmp_path: Path, settings: Settings, backend: str, cause: str, remedy: str
) -> None:
    """In one line, which always has a way out."""
    found = looker(tmp_path / "lib", "library", backend).look(backend, settings)

    assert (found.usable, found.there) == (False, True)
    assert cause in found.why_not
    assert remedy in found.remedy
    assert found.told == f"{found.why_not}; {found.remedy}"
    assert found.told.endswith("or choose device 'cpu'")
    assert "\n" not in found.told


@pytest.mark.skipif(os.name != "posix", reason="Windows has no signals to be killed by")
@pytest.mark.parametrize("backend", ["ctranslate2", "torch"])
def test_f19_a_missing_cudnn_kills_the_trial_and_nobody_else(
    tmp_path: Path, settings: Settings, backend: str
) -> None:
    """Its last words name the library."""
    found = looker(tmp_path / "lib", "abort", backend).look(backend, settings)

    assert not found.usable
    assert f"{backend} was killed by SIGABRT" in found.why_not
    assert "Unable to load any of {libcudnn_ops.so.9.1.0" in found.why_not


def test_f19_a_gpu_that_hangs_is_given_up(tmp_path: Path, settings: Settings) -> None:
    """After a time, and its trial with it."""
    found = looker(tmp_path / "lib", "hang", trial_s=0.5).look("ctranslate2", settings)

    assert not found.usable
    assert "no answer" in found.why_not
    assert "restart the machine" in found.remedy


def test_torch_computes_as_well(tmp_path: Path, settings: Settings) -> None:
    """A convolution and a product of matrices, in half precision."""
    found = looker(tmp_path / "lib", "works", "torch").look("torch", settings)

    assert found.usable
    assert found.compute_types == ("bfloat16", "float16", "float32")


@pytest.mark.slow
def test_what_torch_is_asked_it_can_do(tmp_path: Path, settings: Settings) -> None:
    """The real library, which takes seconds to import, with the CPU for its GPU."""
    pytest.importorskip("torch")
    found = looker(tmp_path / "lib", "works", "real torch").look("torch", settings)

    assert found.told == ""
    assert found.compute_types == ("float16", "float32")


def test_a_trial_that_cannot_be_started_is_a_finding(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An interpreter that is gone, or no more processes."""
    monkeypatch.setattr(sys, "executable", "/no/such/python")

    found = Looker(nothing_there=lambda: None).look("ctranslate2", settings)

    assert not found.usable
    assert found.there


def test_no_trial_where_there_is_nothing_to_try(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without a GPU pays nothing for the question."""

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "run", never)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")

    found = look("ctranslate2", settings)

    assert (found.usable, found.there) == (False, False)
    assert found.told == (
        "CUDA_VISIBLE_DEVICES='-1' hides every GPU; unset that variable, or choose device 'cpu'"
    )


def test_a_driver_without_a_gpu_is_no_gpu(settings: Settings) -> None:
    """The real library, in a real trial that sees none: hidden from it, wherever this runs."""
    blind = Looker(nothing_there=lambda: None, variables={"CUDA_VISIBLE_DEVICES": "-1"})

    found = blind.look("ctranslate2", settings)

    assert (found.usable, found.there) == (False, False)
    assert found.why_not == "No GPU was found on this machine"


# ------------------------------------------------------------------------------- memory


class Trials:
    """Stands for the processes of trials: counts them, and ends them as told."""

    def __init__(self) -> None:
        self.n = 0
        self.finding = Finding(compute_types=("float16",))
        self.ended: subprocess.CompletedProcess[bytes] | None = None

    def run(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[bytes]:
        """As subprocess.run."""
        self.n += 1
        return self.ended or subprocess.CompletedProcess(
            command, 0, msgspec.json.encode(self.finding), b""
        )


@pytest.fixture
def trials(monkeypatch: pytest.MonkeyPatch) -> Trials:
    """No processes."""
    trials = Trials()
    monkeypatch.setattr(subprocess, "run", trials.run)
    return trials


def new_process() -> Looker:
    """What looks in a process that was just started, on a machine with a driver."""
    return Looker(nothing_there=lambda: None)


def test_what_works_is_remembered_here_and_for_the_next_process(
    settings: Settings, trials: Trials
) -> None:
    """One trial for three looks, the third by a new process; asking afresh tries again."""
    first = new_process()
    found = first.look("ctranslate2", settings)

    assert found.usable
    assert first.look("ctranslate2", settings) == found
    assert new_process().look("ctranslate2", settings) == found
    assert trials.n == 1
    first.look("ctranslate2", settings, fresh=True)
    assert trials.n == 2


def test_what_is_gone_is_forgotten_here_and_for_the_next_process(
    settings: Settings, trials: Trials
) -> None:
    """Both look again; what another library can do is still known."""
    looking = new_process()
    looking.look("ctranslate2", settings)
    looking.look("torch", settings)
    looking.forget("ctranslate2", settings)
    assert len(memos(settings)) == 1
    trials.finding = Finding("")

    assert new_process().look("ctranslate2", settings).there is False
    assert looking.look("ctranslate2", settings).there is False
    assert looking.look("torch", settings).usable
    assert trials.n == 4


def test_what_nobody_remembers_can_be_forgotten(settings: Settings, trials: Trials) -> None:
    """Another process was faster, or nothing could be written."""
    new_process().forget("ctranslate2", settings)

    assert new_process().look("ctranslate2", settings).usable


def test_libraries_are_remembered_apart(settings: Settings, trials: Trials) -> None:
    """What works for one may not for another."""
    looking = new_process()
    looking.look("ctranslate2", settings)
    trials.finding = Finding("no kernel image is available")

    assert not looking.look("torch", settings).usable
    assert looking.look("ctranslate2", settings).usable


def test_what_fails_is_forgotten_with_the_process(settings: Settings, trials: Trials) -> None:
    """So that a mended machine is seen at the next start."""
    trials.finding = Finding("Library libcublas.so.12 is not found")
    broken = new_process()
    broken.look("ctranslate2", settings)

    assert not broken.look("ctranslate2", settings).usable
    assert trials.n == 1
    assert not memos(settings)
    trials.finding = Finding()
    assert new_process().look("ctranslate2", settings).usable


def test_a_full_gpu_is_asked_again(settings: Settings, trials: Trials) -> None:
    """Memory may be free again by the next time."""
    trials.finding = Finding("CUDA failed with error out of memory")
    full = new_process()
    full.look("ctranslate2", settings)
    trials.finding = Finding()

    assert full.look("ctranslate2", settings).usable


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\x00", b"[]", b'{"key": 1}', b'{"key": "another\'s", "finding": {}}'],
)
def test_a_broken_memory_is_no_memory(settings: Settings, trials: Trials, content: bytes) -> None:
    """It is replaced by what a new trial finds."""
    new_process().look("ctranslate2", settings)
    (memo,) = memos(settings)
    good = memo.read_bytes()
    memo.write_bytes(content)

    assert new_process().look("ctranslate2", settings).usable
    assert trials.n == 2
    assert memo.read_bytes() == good


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
    settings: Settings, trials: Trials, monkeypatch: pytest.MonkeyPatch, changed: str, value: Any
) -> None:
    """Another driver, other libraries, another Python, another choice of GPUs."""
    new_process().look("ctranslate2", settings)
    monkeypatch.setattr(changed, value)
    new_process().look("ctranslate2", settings)

    assert trials.n == 2


def test_a_library_that_is_gone_is_noticed(
    tmp_path: Path, settings: Settings, trials: Trials
) -> None:
    """What the trial had loaded must still be there."""
    library = tmp_path / "libcublas.so.12"
    library.touch()
    trials.finding = Finding(files=(str(library),))
    new_process().look("ctranslate2", settings)
    new_process().look("ctranslate2", settings)
    assert trials.n == 1
    library.unlink()
    new_process().look("ctranslate2", settings)

    assert trials.n == 2


@pytest.mark.parametrize(
    ("why_not", "remedy"),
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
    settings: Settings, trials: Trials, why_not: str, remedy: str
) -> None:
    """One that fits where the cause is known."""
    trials.finding = Finding(why_not)
    found = new_process().look("torch", settings)

    assert remedy in found.remedy
    assert why_not in found.told


def test_a_trial_that_says_nothing_is_told_by_its_status(
    settings: Settings, trials: Trials
) -> None:
    """And by the last line it wrote."""
    trials.ended = subprocess.CompletedProcess([], 3, b"", b"warming up\nsorry\n")
    found = new_process().look("ctranslate2", settings)

    assert "ctranslate2 ended with status 3 when it tried (sorry)" in found.why_not


def test_a_cache_that_cannot_be_written_costs_only_time(tmp_path: Path, trials: Trials) -> None:
    """The look itself works."""
    (tmp_path / "file").write_text("no folder")

    assert new_process().look("torch", Settings(cache_dir=str(tmp_path / "file"))).usable


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process has loaded")
def test_what_pip_installed_is_loaded_for_the_trial(tmp_path: Path, settings: Settings) -> None:
    """From the folder of its namespace, where no loader looks; and it is remembered with it."""
    cublas = tmp_path / "lib" / "nvidia" / "cublas" / "lib" / "libcublas.so.12"
    cublas.parent.mkdir(parents=True)
    # Any library will do, under that name.
    cublas.write_bytes(Path(msgspec._core.__file__).read_bytes())
    looker(tmp_path / "lib", "works").look("ctranslate2", settings)

    (memo,) = memos(settings)
    assert str(cublas) in memo.read_text(encoding="utf-8")


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
    """With the same cause and remedy."""
    with pytest.raises(EngineUnavailable) as caught:
        choose("gpu", "torch", Settings(), lambda *_: gpu)

    assert str(caught.value) == gpu.told


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
