"""What a probe tells the process that started it."""

from __future__ import annotations

from dataclasses import dataclass

from hybrid_transcribe.devices.driver import Card
from hybrid_transcribe.messages import MessageInfo, from_message_info


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The result of a probe, as JSON on its way.

    Attributes:
        why_not: None when the GPU computed, empty when there is none.
        message: the same with its code, where it has one.
        compute_types: number formats of the library, by its own names.
        files: NVIDIA's libraries that were loaded for it, as far as the system tells.
    """

    why_not: str | None = None
    cards: tuple[Card, ...] = ()
    compute_types: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    message: MessageInfo | None = None

    @property
    def reason(self) -> str:
        """Why not, as a message where it has a code."""
        return from_message_info(self.message) if self.message else self.why_not or ""
