"""What a probe tells the process that started it."""

from __future__ import annotations

from dataclasses import dataclass

from hybrid_transcribe.devices.driver import Card


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe, as JSON on its way.

    Attributes:
        why_not: None when the GPU computed, empty when there is none.
        compute_types: number formats of the library, by its own names.
        files: NVIDIA's libraries that were loaded for it, as far as the system tells.
    """

    why_not: str | None = None
    cards: tuple[Card, ...] = ()
    compute_types: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
