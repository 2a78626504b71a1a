"""Recordings in a worker's hands, and how long they may stay there."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from hybrid_transcribe.config import Settings
from hybrid_transcribe.jobs.queue import QueueItem
from hybrid_transcribe.types import Recording


@dataclass(slots=True)
class Assignment:
    """A recording in the worker's hands.

    ``touched``: the worker opened it. ``working_since``: when transcribing began (monotonic).
    ``let_go``: canceled before the worker came to it. ``base_revision``: the text that a stage
    works on.
    """

    recording_id: str
    attempt: int
    ticket: QueueItem
    touched: bool = False
    working_since: float | None = None
    let_go: bool = False
    base_revision: int = 0


def allowed_s(recordings: Collection[Recording], settings: Settings) -> float:
    """Time each of these may take: a multiple of all their audio, as they may share the worker."""
    audio_s = sum(r.duration_s or 0.0 for r in recordings)
    return max(settings.time_limit_min_s, settings.time_limit_factor * audio_s)


def late(
    flights: Mapping[str, Assignment],
    now: float,
    heard_at: float,
    limit_s: float,
    settings: Settings,
) -> tuple[Assignment, ...]:
    """Those that took too long; before any is at work, those of a worker too long silent.

    ``now`` and ``heard_at`` (when the worker last said anything) are monotonic seconds.
    """
    working = {
        f.recording_id: f.working_since for f in flights.values() if f.working_since is not None
    }
    if working:
        return tuple(flights[rid] for rid, since in working.items() if now - since > limit_s)
    if now - heard_at <= max(settings.load_timeout_s, settings.decode_timeout_s):
        return ()
    return tuple(f for f in flights.values() if f.touched) or tuple(flights.values())
