"""Where models run: is there a GPU that really computes, and what to do when it does not."""

from hybrid_transcribe.devices.choice import choose, without_gpu
from hybrid_transcribe.devices.driver import Card
from hybrid_transcribe.devices.formats import preferred
from hybrid_transcribe.devices.gpu_probe import Forget, Gpu, GpuProber, Probe, forget, probe
from hybrid_transcribe.devices.hint import hint_for
from hybrid_transcribe.devices.libraries import preload

__all__ = [
    "Card",
    "Forget",
    "Gpu",
    "GpuProber",
    "Probe",
    "choose",
    "forget",
    "hint_for",
    "preferred",
    "preload",
    "probe",
    "without_gpu",
]
