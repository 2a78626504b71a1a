"""From the device that was asked for to the one that is used."""

from __future__ import annotations

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices.looking import Look, look
from hybrid_transcribe.errors import EngineUnavailable


def choose(
    asked: str, backend: str, settings: Settings, look: Look = look
) -> tuple[str, tuple[str, ...]]:
    """``"cpu"`` or ``"gpu"``, with the lines that people should read.

    ``auto`` takes the CPU where the GPU cannot be used and says why; where there is no GPU
    there is nothing to say. Raises EngineUnavailable where ``gpu`` was asked for in vain.
    """
    if asked == "cpu":
        return "cpu", ()
    gpu = look(backend, settings)
    if gpu.usable:
        return "gpu", ()
    if asked == "gpu":
        raise EngineUnavailable(gpu.told)
    return "cpu", (f"Ran on the CPU. {gpu.told}",) if gpu.there else ()
