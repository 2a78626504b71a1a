"""faster-whisper on machines whose GPU is no good, for workers: all else is real."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import ctranslate2

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Gpu
from hybrid_transcribe.engines.faster_whisper import engine as faster_whisper
from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from tests.devices.fake_gpus import prober


def _probe_with(fault: str, **how: Any) -> Any:
    def probe(backend: str, settings: Settings) -> Gpu:
        with tempfile.TemporaryDirectory() as folder:
            return prober(Path(folder), fault, **how).probe(backend, settings)

    return probe


class AbortingGpu(FasterWhisper):
    """Its cuDNN is missing, which ends the process that computes."""

    def __init__(self) -> None:
        super().__init__(probe=_probe_with("abort"))


class HiddenLibrary(FasterWhisper):
    """Its cuBLAS cannot be gpu."""

    def __init__(self) -> None:
        super().__init__(probe=_probe_with("library"))


class HangingGpu(FasterWhisper):
    """It never answers."""

    def __init__(self) -> None:
        super().__init__(probe=_probe_with("hang", timeout_s=0.5))


class FailingGpu(FasterWhisper):
    """It passes its probe and then fails in the middle of work, with `error`."""

    error = "CUDA failed with error unspecified launch failure"

    def __init__(self) -> None:
        super().__init__(self._open_here, lambda *_: Gpu(True))
        real = ctranslate2.get_supported_compute_types
        gpu = {"float16", "float32", "int8", "int8_float32"}
        ctranslate2.get_supported_compute_types = lambda device: (
            gpu if device == "cuda" else real(device)
        )

    def _open_here(
        self, folder: str, device: str, compute_type: str, cpu_threads: int, replicas: int
    ) -> Any:
        # What is said to be on the GPU is on the CPU, which lacks 16 bits.
        cpu_type = "float32" if compute_type == "float16" else compute_type
        model = faster_whisper._open_model(folder, "cpu", cpu_type, cpu_threads, replicas)
        if device == "cuda":
            model.encode = self._fail
        return model

    def _fail(self, features: Any) -> Any:
        raise RuntimeError(self.error)


class SmallGpu(FailingGpu):
    """It has not enough memory for anything."""

    error = "CUDA failed with error out of memory"
