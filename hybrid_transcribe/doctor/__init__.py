"""What works on this machine, why the rest does not, and what would help.

Whatever might take a process with it (CUDA's libraries, a broken decoder) is tried in a child.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hybrid_transcribe.config import Settings
from hybrid_transcribe.doctor import cloud, engine, gpu, machine
from hybrid_transcribe.doctor.check import Check

__all__ = ["Check", "checkup", "ready"]

#: Everything looked at, in order.
LOOKS: tuple[tuple[str, Callable[[Settings], Iterable[Check]]], ...] = (
    ("python", machine.python),
    ("machine", machine.machine),
    ("engines", engine.engines),
    ("model", engine.model),
    ("models", engine.models),
    ("speaker models", engine.speaker_models),
    ("gpu", gpu.gpu),
    ("cloud", cloud.clouds),
    ("worker", engine.worker),
    ("state folder", machine.state_folder),
    ("cache folder", machine.cache_folder),
    ("extras", machine.extras),
    ("telemetry", machine.library_telemetry),
)

#: Without these there is no transcript.
NEEDED = ("engines", "model", "worker")


def checkup(settings: Settings) -> tuple[Check, ...]:
    """Look at everything. Takes a few seconds, fetches nothing and raises nothing."""
    return tuple(check for name, look in LOOKS for check in _guarded(name, look, settings))


def ready(checks: Iterable[Check]) -> bool:
    """True when the default engine can transcribe with the default model."""
    return all(check.ok for check in checks if check.needed)


def _guarded(
    name: str, look: Callable[[Settings], Iterable[Check]], settings: Settings
) -> list[Check]:
    try:
        return list(look(settings))
    except Exception as error:
        # A check that breaks is a result, not a reason to hide all others.
        return [Check(name, False, f"{type(error).__name__}: {error}", needed=name in NEEDED)]
