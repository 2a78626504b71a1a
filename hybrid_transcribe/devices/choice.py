"""From the device that was asked for to the one that is used."""

from __future__ import annotations

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices.gpu_probe import Forget, Probe, forget, probe
from hybrid_transcribe.errors import EngineUnavailable
from hybrid_transcribe.messages import UserMessage


def choose(
    requested: str, backend: str, settings: Settings, probe: Probe = probe
) -> tuple[str, tuple[str, ...]]:
    """``"cpu"`` or ``"gpu"``, with the lines that people should read.

    ``auto`` takes the CPU where the GPU cannot be used and says why; where there is no GPU
    there is nothing to say. Raises EngineUnavailable where ``gpu`` was asked for in vain.
    """
    if requested == "cpu":
        return "cpu", ()
    gpu = probe(backend, settings)
    if gpu.usable:
        return "gpu", ()
    if requested == "gpu":
        raise EngineUnavailable(gpu.explanation)
    return "cpu", (_on_the_cpu(gpu.explanation),) if gpu.present else ()


def without_gpu(
    requested: str,
    backend: str,
    settings: Settings,
    gone: EngineUnavailable,
    forget: Forget = forget,
) -> tuple[str, tuple[str, ...]]:
    """As `choose`, after it took a GPU that was remembered to work and is ``gone``.

    What was remembered is forgotten, so that the next choice looks again. Raises ``gone`` where
    ``gpu`` was asked for.
    """
    forget(backend, settings)
    if requested == "gpu":
        raise gone
    return "cpu", (_on_the_cpu(gone.message),)


def _on_the_cpu(why: str) -> str:
    return UserMessage("on_the_cpu", why=why)
