"""How long it will take, from what was measured: seconds of audio done per second of work.

One speed per (engine, model, device asked for). Recent work counts more: what was measured
loses half its weight with every minute of work after it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from hybrid_transcribe.types import Spec

HALF_LIFE_S = 60.0

#: Less work than this says nothing yet.
ENOUGH_S = 0.2


def key(spec: Spec) -> str:
    """What shares a speed."""
    return f"{spec.engine}|{spec.model}|{spec.device}"


@dataclass(slots=True)
class Speed:
    """Audio and work seconds, both fading, and the last time a model was loaded (s)."""

    audio_s: float = 0.0
    work_s: float = 0.0
    load_s: float = 0.0

    def add(self, audio_s: float, work_s: float) -> None:
        """Count some more audio, done in that much time."""
        fade = 0.5 ** (work_s / HALF_LIFE_S)
        self.audio_s = self.audio_s * fade + audio_s
        self.work_s = self.work_s * fade + work_s

    @property
    def per_s(self) -> float | None:
        """Seconds of audio per second of work; None before enough was measured."""
        if self.work_s < ENOUGH_S or self.audio_s <= 0:
            return None
        return self.audio_s / self.work_s


class Speeds:
    """Every speed measured, restorable from plain data."""

    def __init__(self) -> None:
        self._speeds: dict[str, Speed] = {}

    def load(self, plain: dict[str, Any] | None) -> None:
        """Go on from what `plain` gave in an earlier life."""
        self._speeds.update({name: Speed(*values) for name, values in (plain or {}).items()})

    def of(self, spec: Spec) -> Speed:
        """The speed of such work, made empty at first."""
        return self._speeds.setdefault(key(spec), Speed())

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: [s.audio_s, s.work_s, s.load_s] for name, s in self._speeds.items()}


@dataclass(frozen=True, slots=True)
class Load:
    """One recording's share of the work ahead, in the order it will be done."""

    recording_id: str
    spec: Spec
    left_s: float | None


def arrivals(
    running: Iterable[Load], ahead: Iterable[Load], speeds: Speeds, warm: str | None
) -> dict[str, float]:
    """Seconds until each recording is done, by id; those that cannot be known are left out.

    ``running`` are worked on at once and share the speed; ``ahead`` follow one after the
    other. ``warm`` is the key of the model that is loaded: another one costs its load time.
    One unknown length hides everything behind it.
    """
    found: dict[str, float] = {}
    at_s = 0.0
    now = list(running)
    for load in now:
        need = _need_s(load, speeds)
        if need is None:
            return found
        found[load.recording_id] = need * len(now)
        at_s += need
    for load in ahead:
        need = _need_s(load, speeds)
        if need is None:
            return found
        if warm != key(load.spec):
            at_s += speeds.of(load.spec).load_s
            warm = key(load.spec)
        at_s += need
        found[load.recording_id] = at_s
    return found


def _need_s(load: Load, speeds: Speeds) -> float | None:
    per_s = speeds.of(load.spec).per_s
    if per_s is None or load.left_s is None:
        return None
    return max(load.left_s, 0.0) / per_s
