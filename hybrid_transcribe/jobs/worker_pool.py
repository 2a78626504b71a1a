"""All lanes: one worker for the models of this machine, several that wait for the cloud.

The lanes of the cloud share one line, so that a recording that waits for an hour holds up
nobody, and so that turns stay fair between sessions.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock
from hybrid_transcribe.interfaces import Executor
from hybrid_transcribe.jobs.eta import Speeds, key
from hybrid_transcribe.jobs.queue import BatchLimits, FairQueue, QueueItem
from hybrid_transcribe.jobs.report_receiver import JobSink
from hybrid_transcribe.jobs.request import capabilities
from hybrid_transcribe.jobs.worker_slot import WorkerSlot
from hybrid_transcribe.service_protocol import WorkerInfo
from hybrid_transcribe.types import Spec

log = logging.getLogger(__name__)

#: The kinds of lane: local models, and engines that only wait for somebody else's machine.
LOCAL, CLOUD = "local", "cloud"

#: Specs of which it is remembered which kind of lane they need.
MOST_KINDS = 100

#: Least time a cloud engine has to let a recording go, in seconds: it deletes its copy first.
CLOUD_GRACE_S = 2.0

#: A turn may always be as much audio as its engine does in this time (s): in the end of each turn
#: an engine that hears several recordings side by side runs out of work.
TURN_S = 20.0

#: How long a worker may take to be gone after it was killed, in seconds.
KILL_S = 3.0

#: How often leaving looks whether the lanes are free, in seconds.
LOOK_S = 0.05


class WorkerPool:
    """Lanes are opened when first needed. Used on the manager loop only."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        make_executor: Callable[[str], Executor],
        ledger: JobSink,
        speeds: Speeds,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._make_executor = make_executor
        self._ledger = ledger
        self._speeds = speeds
        self._queues: dict[str, FairQueue] = {}
        self._kinds: dict[Spec, str] = {}
        #: Lanes by name.
        self.by_name: dict[str, WorkerSlot] = {}

    def queue_for(self, spec: Spec, stage: str | None = None) -> FairQueue:
        """The line a recording of that spec waits in. A stage after the engine works here."""
        return self._opened(LOCAL if stage else self._kind(spec))

    def _kind(self, spec: Spec) -> str:
        # Looked up once for each kind of spec: a job may have thousands of recordings.
        kind = self._kinds.get(spec)
        if kind is None:
            can = capabilities(spec, self._settings)
            kind = self._kinds[spec] = CLOUD if can.needs_network else LOCAL
            if len(self._kinds) > MOST_KINDS:
                del self._kinds[next(iter(self._kinds))]
        return kind

    def _opened(self, kind: str) -> FairQueue:
        if kind not in self._queues:
            queue = self._queues[kind] = FairQueue()
            n = max(1, self._settings.cloud_workers) if kind == CLOUD else 1
            for i in range(n):
                name = kind if i == 0 else f"{kind}-{i + 1}"
                self.by_name[name] = self._lane(name, kind, queue, leads=i == 0)
        return self._queues[kind]

    def _lane(self, name: str, kind: str, queue: FairQueue, leads: bool) -> WorkerSlot:
        return WorkerSlot(
            name,
            self._make_executor(name),
            self._settings_of(kind),
            self._clock,
            self._ledger,
            self._speeds,
            self._turn,
            queue=queue,
            leads=leads,
            foretold=kind != CLOUD,
            patience_s=self._settings.cloud_timeout_s if kind == CLOUD else 0.0,
        )

    def _settings_of(self, kind: str) -> Settings:
        """No worker gets secrets that it has no use for.

        The cloud needs time to delete what is no longer wanted.
        """
        settings = replace(self._settings, webhook_secret=None)
        if kind != CLOUD:
            return replace(settings, assemblyai_api_key=None)
        return replace(settings, cancel_grace_s=max(settings.cancel_grace_s, CLOUD_GRACE_S))

    def _turn(self, ticket: QueueItem) -> BatchLimits:
        if ticket.stage:
            # Its engine may not even be installed any more.
            return BatchLimits(1)
        can = capabilities(ticket.spec, self._settings)
        most = min(can.batch_recordings, self._settings.batch_recordings)
        if can.needs_network:
            # What waits for the cloud keeps nobody from working.
            return BatchLimits(most, float("inf"))
        at_once_s = TURN_S * (self._speeds.of(ticket.spec).per_s or 0.0)
        return BatchLimits(most, max(self._settings.batch_audio_s, at_once_s))

    def waiting(self) -> int:
        """Recordings in all lines."""
        return sum(len(queue) for queue in self._queues.values())

    def waiting_of(self, session_id: str) -> int:
        """Recordings of one session in all lines."""
        return sum(queue.length_of(session_id) for queue in self._queues.values())

    def lines(self) -> dict[str, int]:
        """How many recordings wait for each kind of lane."""
        return {kind: len(queue) for kind, queue in self._queues.items()}

    def pump(self) -> None:
        """Hand out work wherever a worker is free."""
        for lane in tuple(self.by_name.values()):
            lane.pump()

    def remove(self, recording_id: str) -> None:
        """Take a recording out of its line."""
        for queue in self._queues.values():
            queue.remove(recording_id)

    def cancel(self, recording_id: str) -> None:
        """Tell the worker that has it to let go."""
        for lane in self.by_name.values():
            lane.cancel(recording_id)

    def preload(self, spec: Spec) -> None:
        """Make a model ready before anybody asks."""
        kind = self._kind(spec)
        self._opened(kind)
        self.by_name[kind].preload(spec)

    def warm(self, spec: Spec) -> bool:
        """True when a worker has used that model and is still there."""
        return any(lane.warm == key(spec) for lane in self.by_name.values())

    def unload(self) -> None:
        """Have idle workers give the memory of their models back; busy ones when they are done."""
        for lane in self.by_name.values():
            if lane.executor.alive:
                lane.executor.send(p.Unload())

    def erase(self, engine: str, note: str) -> None:
        """Have an engine delete what it left elsewhere."""
        self._opened(CLOUD)
        alive = [lane for lane in self.by_name.values() if lane.executor.alive]
        away = [lane for lane in alive if lane.name != LOCAL]
        (away[0] if away else self.by_name[CLOUD]).erase(engine, note)

    def workers(self) -> tuple[WorkerInfo, ...]:
        """The live workers."""
        return tuple(
            WorkerInfo(lane.name, lane.executor.pid, lane.peak_bytes)
            for lane in self.by_name.values()
            if lane.executor.alive
        )

    def away(self, spec: Spec) -> bool:
        """True when such recordings are in somebody else's hands."""
        return self._kind(spec) == CLOUD

    async def let_go(self, within_s: float) -> None:
        """Wait until no cloud lane has anything in hand, as after cancels."""
        # Real time, whatever clock tests turn: what is waited for is a process.
        loop = asyncio.get_running_loop()
        until = loop.time() + within_s
        while any(lane.flights for lane in self.by_name.values() if lane.name != LOCAL):
            if loop.time() >= until:
                return
            await asyncio.sleep(LOOK_S)

    async def stop(self, grace_s: float) -> None:
        """End every worker, in real time, whatever clock there is and whatever a worker does."""
        stops = {asyncio.ensure_future(lane.stop(grace_s)) for lane in self.by_name.values()}
        if not stops:
            return
        ended, late = await asyncio.wait(stops, timeout=grace_s + KILL_S)
        for problem in filter(None, (stop.exception() for stop in ended)):
            log.error("A lane did not stop in order", exc_info=problem)
        for stop in late:
            log.error("A worker cannot be ended")
            stop.cancel()
