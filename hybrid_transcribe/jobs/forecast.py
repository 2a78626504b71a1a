"""When will it be done, and how many come first: looked up often, computed now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from hybrid_transcribe.core.clock import Clock
from hybrid_transcribe.jobs.eta import Load, Speeds, StageLoad, arrivals
from hybrid_transcribe.jobs.queue import QueueItem
from hybrid_transcribe.jobs.slices import Sliced, finish, finish_in_slices, portions
from hybrid_transcribe.jobs.worker_slot import WorkerSlot
from hybrid_transcribe.types import Recording, State

#: A forecast is used for this long, and for so many times what it cost to compute.
FRESH_S = 0.25
COST_FACTOR = 50.0

#: A forecast as it was so long (s) ago is as good: ETAs are told in tenths of a second.
SAME_S = 0.05

#: A queue of more recordings than these is forecast in slices, so many of them at once.
AT_ONCE, PORTION = 500, 500

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
        lanes: Mapping[str, WorkerSlot],
        speeds: Speeds,
        find: Callable[[str], Recording | None],
    ) -> None:
        self._clock = clock
        self._find = find
        self._lanes = lanes
        self._speeds = speeds
        self._latest = self._published = Forecast()
        self._until = float("-inf")
        self._task: asyncio.Task[None] | None = None
        #: Counts the forecasts that were made.
        self.number = 0

    def now(self) -> Forecast:
        """The latest forecast, or a new one where that has become old.

        Of a long queue a new one is made beside other work, and the old one is used until then.
        """
        now = self._clock.monotonic()
        if now >= self._until and self._task is None:
            if sum(len(lane.queue) for lane in self._lanes.values()) <= AT_ONCE:
                self._take(finish(self._timed(now)))
            else:
                self._task = asyncio.get_running_loop().create_task(self._refresh(now))
        if now - self._published.now > SAME_S or now < self._published.now:
            self._published = replace(self._latest, now=now)
        return self._published

    def latest(self) -> Forecast:
        """The same as of when it was made: equal each time until a new one is."""
        self.now()
        return self._latest

    def stop(self) -> None:
        """Make no more."""
        if self._task is not None:
            self._task.cancel()

    async def _refresh(self, now: float) -> None:
        try:
            self._take(await finish_in_slices(self._timed(now)))
        finally:
            self._task = None

    def _take(self, forecasts: tuple[Forecast, float]) -> None:
        self._latest, cost_s = forecasts
        self._published = self._latest
        self.number += 1
        self._until = self._clock.monotonic() + max(FRESH_S, COST_FACTOR * cost_s)

    def _timed(self, now: float) -> Sliced[tuple[Forecast, float]]:
        """A forecast, and the time it took (s) without that of others in between."""
        work, cost_s = self._make(now), 0.0
        while True:
            began = time.perf_counter()
            try:
                next(work)
            except StopIteration as end:
                return end.value, cost_s + time.perf_counter() - began
            cost_s += time.perf_counter() - began
            yield

    def _make(self, now: float) -> Sliced[Forecast]:
        arrivals_s: dict[str, float] = {}
        places: dict[str, int] = {}
        for lane in tuple(self._lanes.values()):
            flights = lane.flights
            running = [self._load(f.ticket) for f in flights if f.working_since is not None]
            ahead = [self._load(f.ticket) for f in flights if f.working_since is None]
            for tickets in portions(lane.line(), PORTION):
                ahead += map(self._load, tickets)
                yield
            if lane.foretold:
                arrivals_s.update(arrivals(running, ahead, self._speeds, lane.warm))
                yield
            for place, load in enumerate((*running, *ahead)):
                places[load.recording_id] = place
        jobs_s: dict[str, float | None] = {}
        for recording_ids in portions(places, PORTION):
            self._add_jobs(jobs_s, recording_ids, arrivals_s)
            yield
        return Forecast(now, now, arrivals_s, places, jobs_s)

    def _add_jobs(
        self,
        latest: dict[str, float | None],
        recording_ids: Iterable[str],
        arrivals_s: Mapping[str, float],
    ) -> None:
        """The latest arrival of each job, None where one of its recordings has none."""
        for recording_id in recording_ids:
            recording = self._find(recording_id)
            if recording is None:
                continue
            arrival, before = arrivals_s.get(recording_id), latest.get(recording.job_id, 0.0)
            is_known = arrival is not None and before is not None
            latest[recording.job_id] = max(arrival or 0.0, before or 0.0) if is_known else None

    def _load(self, ticket: QueueItem) -> Load:
        recording = self._find(ticket.recording_id)
        if recording is None or recording.duration_s is None:
            return Load(ticket.recording_id, ticket.spec, None)
        left_s = 0.0 if recording.transcribed else recording.duration_s - recording.done_s
        return Load(ticket.recording_id, ticket.spec, left_s, _stage_loads(recording))


def _stage_loads(recording: Recording) -> tuple[StageLoad, ...]:
    """What its stages have still to go through; the first of them may be under way."""
    if not recording.pending_stages:
        return ()
    length_s, done_s = recording.duration_s or 0.0, recording.stage_done_s or 0.0
    lengths_s = (max(0.0, length_s - done_s), *(length_s for _ in recording.pending_stages[1:]))
    return tuple(
        StageLoad(stage.name, stage.share, left_s)
        for stage, left_s in zip(recording.pending_stages, lengths_s, strict=True)
    )
