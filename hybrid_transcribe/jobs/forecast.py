"""When will it be done, and how many come first: looked up often, computed now and then."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
    jobs_s: Mapping[str, float | None] = field(default_factory=dict)

    def eta_s(self, recording: Recording) -> float | None:
        """Seconds until it is done; None when over or unknown."""
        if recording.state.terminal or recording.state is State.CANCELING:
            return None
        arrival = self.arrivals_s.get(recording.recording_id)
        if arrival is None:
            return None
        return round(max(LEAST_S, arrival - (self.now - self.at)), 1)

    def job_eta_s(self, job_id: str) -> float | None:
        """When the last recording of a job is done; None as soon as one is unknown."""
        arrival = self.jobs_s.get(job_id)
        return None if arrival is None else round(max(LEAST_S, arrival - (self.now - self.at)), 1)

    def room_in_s(self, n: int) -> float | None:
        """When the next ``n`` recordings will be done; None when nobody can tell."""
        arrivals = sorted(self.arrivals_s.values())
        if n > len(arrivals):
            return None
        return max(LEAST_S, arrivals[n - 1] - (self.now - self.at))

    def position(self, recordings: Sequence[Recording]) -> int:
        """How many recordings of others come before the first of these; 0 when at work."""
        waiting = [r for r in recordings if not r.state.terminal]
        if not waiting or any(r.state is not State.QUEUED for r in waiting):
            return 0
        # One that came after this forecast is behind all that was there.
        last = len(self.places)
        return min(self.places.get(r.recording_id, last) for r in waiting)


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
            return replace(latest, now=now)
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
            if lane.foretold:
                arrivals_s.update(arrivals(running, ahead, self._speeds, lane.warm))
            for place, load in enumerate((*running, *ahead)):
                places[load.recording_id] = place
        return Forecast(now, now, arrivals_s, places, self._jobs(places, arrivals_s))

    def _jobs(
        self, recording_ids: Iterable[str], arrivals_s: Mapping[str, float]
    ) -> dict[str, float | None]:
        """The latest arrival of each job, None where one of its recordings has none."""
        latest: dict[str, float | None] = {}
        for recording_id in recording_ids:
            recording = self._find(recording_id)
            if recording is None:
                continue
            arrival, before = arrivals_s.get(recording_id), latest.get(recording.job_id, 0.0)
            known = arrival is not None and before is not None
            latest[recording.job_id] = max(arrival or 0.0, before or 0.0) if known else None
        return latest

    def _load(self, ticket: Ticket) -> Load:
        recording = self._find(ticket.recording_id)
        left_s = None
        if recording is not None and recording.duration_s is not None:
            left_s = recording.duration_s - recording.done_s
        return Load(ticket.recording_id, ticket.spec, left_s)
