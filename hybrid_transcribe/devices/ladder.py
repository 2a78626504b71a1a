"""What to try next where a device had too little memory, or broke down.

A pure decision: whoever runs the engine loads it again that way, and shows the line to people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hybrid_transcribe.messages import UserMessage

#: Number formats of 8 bits, best first for each format that was too large. A GPU that computed
#: in one kind of float keeps it: not every GPU has the others.
_INT8 = {
    "float32": ("int8_float32", "int8"),
    "bfloat16": ("int8_bfloat16", "int8"),
    "int16": ("int8_float32", "int8"),
}
_INT8_ELSE = ("int8_float16", "int8")


@dataclass(frozen=True, slots=True)
class Setup:
    """A way to run a model.

    Attributes:
        device: ``"gpu"`` or ``"cpu"``, as it really was loaded.
        compute_type: number format of the weights, None leaves it to the engine.
        batch_size: windows at once, None for an engine's own.
    """

    device: str
    compute_type: str | None = None
    batch_size: int | None = None


def smaller(setup: Setup, compute_types: Sequence[str]) -> tuple[Setup, str] | None:
    """The next way that needs less memory, and the line to show; None where there is none.

    Half the batch down to 1, then 8-bit weights where ``compute_types``, those of the engine,
    have them, then the CPU. A CPU without memory is the end: more swapping would help nobody.
    """
    if setup.device == "cpu":
        return None
    if setup.batch_size is not None and setup.batch_size > 1:
        half = setup.batch_size // 2
        return replace(setup, batch_size=half), UserMessage("smaller_batch", n=half)
    int8 = _int8(setup.compute_type, compute_types)
    if int8 is not None:
        return replace(setup, compute_type=int8), UserMessage("smaller_weights")
    return _on_cpu(setup), UserMessage("smaller_cpu")


def after_failure(setup: Setup) -> tuple[Setup, str] | None:
    """The way to go on after the device itself failed: the CPU. None where it was the CPU."""
    if setup.device == "cpu":
        return None
    return _on_cpu(setup), UserMessage("gpu_failed_cpu")


def _int8(now: str | None, compute_types: Sequence[str]) -> str | None:
    if now is not None and now.startswith("int8"):
        return None
    preferred = _INT8.get(now or "", _INT8_ELSE)
    return next((name for name in preferred if name in compute_types), None)


def _on_cpu(setup: Setup) -> Setup:
    # The engine chooses the format again: a CPU computes in others than a GPU.
    return replace(setup, device="cpu", compute_type=None)
