"""When will it be done, and how many come first: looked up often, computed now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hybrid_transcribe.clock import Clock
from hybrid_transcribe.jobs.eta import Load, Speeds, arrivals
from hybrid_transcribe.jobs.lane import Lane
from hybrid_transcribe.jobs.queue import Ticket
from hybrid_transcribe.types import Recording, State

#: A forecast is used for this long, and for so many times what it cost to compute.
FRESH_S = 0.25
COST_FACTOR = 50.0

#: An ETA is never 0: that would read as "unknown" or "done".
LEAST_S = 0.1


@dataclass(frozen=True, slots=True)
class Forecast:
    """Arrival times and places in the queue, by recording id, as of ``at`` (monotonic)."""

    at: float = 0.0
    now: float = 0.0
    arrivals_s: Mapping[str, float] = field(default_factory=dict)
    places: Mapping[str, int] = field(default_factory=dict)

    def eta_s(self, recording: Recording) -> float | None:
        """Seconds until it is done; None when over or unknown."""
        if recording.state.terminal or recording.state is State.CANCELING:
            return None
        arrival = self.arrivals_s.get(recording.recording_id)
        if arrival is None:
            return None
        return round(max(LEAST_S, arrival - (self.now - self.at)), 1)

    def latest_eta_s(self, recordings: Sequence[Recording]) -> float | None:
        """When the last of them is done; None as soon as one is unknown."""
        alive = [r for r in recordings if not r.state.terminal]
        found = [self.eta_s(r) for r in alive]
        known = [eta for eta in found if eta is not None]
        return max(known) if known and len(known) == len(found) else None

    def position(self, recordings: Sequence[Recording]) -> int:
        """How many recordings of others come before the first of these; 0 when at work."""
        waiting = [r for r in recordings if not r.state.terminal]
        if not waiting or any(r.state is not State.QUEUED for r in waiting):
            return 0
        return min((self.places.get(r.recording_id, 0) for r in waiting), default=0)


class Forecaster:
    """Makes forecasts no more often than worth it: a long queue is walked whole each time."""

    def __init__(
        self,
        clock: Clock,
        lanes: Mapping[str, Lane],
        speeds: Speeds,
        find: Callable[[str], Recording | None],
    ) -> None:
        self._clock = clock
        self._find = find
        self._lanes = lanes
        self._speeds = speeds
        self._latest = Forecast()
        self._until = float("-inf")

    def now(self) -> Forecast:
        """The latest forecast, or a new one where that has become old."""
        now = self._clock.monotonic()
        if now < self._until:
            latest = self._latest
            return Forecast(latest.at, now, latest.arrivals_s, latest.places)
        began = time.perf_counter()
        self._latest = self._make(now)
        cost_s = time.perf_counter() - began
        self._until = now + max(FRESH_S, COST_FACTOR * cost_s)
        return self._latest

    def _make(self, now: float) -> Forecast:
        arrivals_s: dict[str, float] = {}
        places: dict[str, int] = {}
        for lane in self._lanes.values():
            flights = lane.flights
            running = [self._load(f.ticket) for f in flights if f.working_since is not None]
            ahead = [self._load(f.ticket) for f in flights if f.working_since is None]
            ahead += [self._load(ticket) for ticket in lane.line()]
            arrivals_s.update(arrivals(running, ahead, self._speeds, lane.warm))
            for place, load in enumerate((*running, *ahead)):
                places[load.recording_id] = place
        return Forecast(now, now, arrivals_s, places)

    def _load(self, ticket: Ticket) -> Load:
        recording = self._find(ticket.recording_id)
        left_s = None
        if recording is not None and recording.duration_s is not None:
            left_s = recording.duration_s - recording.done_s
        return Load(ticket.recording_id, ticket.spec, left_s)
