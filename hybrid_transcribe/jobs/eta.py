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

#: What follows the first text within this share of the time that took came with it: engines tell
#: a window's segments together.
BURST = 0.1


def key(spec: Spec) -> str:
    """What shares a speed."""
    return f"{spec.engine}|{spec.model}|{spec.device}"


@dataclass(slots=True)
class Speed:
    """Audio and work seconds, both fading, and the last time a model was loaded (s).

    ``first`` is the beginning of what is at work now: a guess while nothing else is known.
    """

    audio_s: float = 0.0
    work_s: float = 0.0
    load_s: float = 0.0
    first: First | None = None

    def add(self, audio_s: float, work_s: float) -> None:
        """Count some more audio, done in that much time."""
        fade = 0.5 ** (work_s / HALF_LIFE_S)
        self.audio_s = self.audio_s * fade + audio_s
        self.work_s = self.work_s * fade + work_s

    @property
    def per_s(self) -> float | None:
        """Seconds of audio per second of work; None before enough was measured."""
        for entry in (self, self.first):
            if entry is not None and entry.work_s >= ENOUGH_S and entry.audio_s > 0:
                return entry.audio_s / entry.work_s
        return None


@dataclass(slots=True)
class First:
    """The beginning of a recording: its audio and work, and the work that followed (s)."""

    recording_id: str
    speed: Speed
    audio_s: float
    work_s: float
    followed_s: float = 0.0


class Stopwatch:
    """Measures one worker: what it finished, since it last finished something.

    The first text takes longest to come: several pieces are begun at once, and the first to be
    found tells nothing of the others. So a recording's beginning is not counted where at least as
    much work followed it, and a worker's time starts when its engine has something to hear.
    """

    def __init__(self) -> None:
        self._at_s = 0.0
        self._hears = self._reported = False
        self._first: First | None = None

    def segments_received(self, now: float) -> None:
        """It was given work: nothing is ready to be heard yet."""
        self._at_s = now
        self._hears = self._reported = False

    def hears(self, now: float) -> None:
        """Its engine has something to hear."""
        if not self._hears:
            self._at_s, self._hears = now, True

    def finished(self, speed: Speed, recording_id: str, audio_s: float, now: float) -> None:
        """It finished so much more of a recording, whose kind of work has this speed."""
        work_s = max(0.0, now - self._at_s)
        self._at_s = now
        if self._first is not None and self._first.recording_id != recording_id:
            self.over(self._first.recording_id)
        if not self._reported:
            self._reported = True
            self._first = speed.first = First(recording_id, speed, audio_s, work_s)
        elif not self._is_burst(audio_s, work_s):
            speed.add(audio_s, work_s)

    def _is_burst(self, audio_s: float, work_s: float) -> bool:
        """It came with the first; counts it there, and otherwise what followed."""
        first = self._first
        if first is None:
            return False
        if not first.followed_s and work_s <= BURST * first.work_s:
            first.audio_s += audio_s
            first.work_s += work_s
            return True
        first.followed_s += work_s
        return False

    def over(self, recording_id: str) -> None:
        """A recording is done, or no longer wanted."""
        first = self._first
        if first is None or first.recording_id != recording_id:
            return
        self._first = first.speed.first = None
        if first.followed_s < first.work_s:
            first.speed.add(first.audio_s, first.work_s)


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

    def of_stage(self, name: str) -> Speed:
        """The speed of a post-processor, made empty at first."""
        return self._speeds.setdefault(f"stage|{name}", Speed())

    def plain(self) -> dict[str, Any]:
        """As JSON values."""
        return {name: [s.audio_s, s.work_s, s.load_s] for name, s in self._speeds.items()}


@dataclass(frozen=True, slots=True)
class StageLoad:
    """The audio that a post-processor has still to go through (s), and its share of the work."""

    name: str
    share: float
    left_s: float


@dataclass(frozen=True, slots=True)
class Load:
    """One recording's share of the work ahead, in the order it will be done.

    ``left_s`` is what its engine has still to go through, 0 where that is through with it;
    ``stages`` follow.
    """

    recording_id: str
    spec: Spec
    left_s: float | None
    stages: tuple[StageLoad, ...] = ()

    @property
    def needs_engine(self) -> bool:
        """False where only stages are left."""
        return self.left_s != 0 or not self.stages


def arrivals(
    running: Iterable[Load], ahead: Iterable[Load], speeds: Speeds, warm: str | None
) -> dict[str, float]:
    """Seconds until each recording is done, by id; those that cannot be known are left out.

    ``running`` are worked on at once and share the speed; ``ahead`` follow one after the
    other. ``warm`` is the key of the model that is loaded: another one costs its load time.
    One unknown length hides everything behind it.
    """
    mapping: dict[str, float] = {}
    at_s = 0.0
    now = list(running)
    for load in now:
        need = _need_s(load, speeds)
        if need is None:
            return mapping
        mapping[load.recording_id] = need * len(now)
        at_s += need
    for load in ahead:
        need = _need_s(load, speeds)
        if need is None:
            return mapping
        if load.needs_engine and warm != key(load.spec):
            at_s += speeds.of(load.spec).load_s
            warm = key(load.spec)
        at_s += need
        mapping[load.recording_id] = at_s
    return mapping


def _need_s(load: Load, speeds: Speeds) -> float | None:
    """Seconds of work; None where its length or a speed is not known."""
    if load.left_s is None:
        return None
    per_s = speeds.of(load.spec).per_s
    need_s = 0.0
    if load.needs_engine:
        if per_s is None:
            return None
        need_s = max(load.left_s, 0.0) / per_s
    for stage in load.stages:
        stage_per_s = speeds.of_stage(stage.name).per_s
        if stage_per_s is not None:
            need_s += stage.left_s / stage_per_s
        elif per_s is not None:
            # Not measured yet: its share of what the engine takes.
            need_s += stage.share * stage.left_s / per_s
        else:
            return None
    return need_s
