"""From a service's events to what the panel is told: at most ten times a second, and the last word.

One thread a panel reads the events; nobody else waits for it. So rows move while a cell blocks
the kernel, and a slow service holds up no cell.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from hybrid_transcribe.errors import HybridTranscribeError, NotFound
from hybrid_transcribe.events import Event
from hybrid_transcribe.hud.feed import Announcements, QueueFeed, TranscriptFollower, shown_run
from hybrid_transcribe.hud.messages import Connection, FromKernel, Text
from hybrid_transcribe.service_protocol import ServiceLike
from hybrid_transcribe.types import JobSnapshot

log = logging.getLogger(__name__)

#: Least time between two tellings, in seconds.
PERIOD_S = 0.1

#: What belongs together comes within so many seconds: a segment, and how far its recording is
#: with it. Told one by one, the second would wait for the next telling.
GATHER_S = 0.01

#: ETAs and places of what waits change without an event: they are looked up this often, and
#: less often where there is much of it (s, s for each that has not ended).
LOOK_S = 2.0
LOOK_EACH_S = 0.01

#: How long a service that does not answer is left alone, in seconds.
PAUSE_S = 2.0


class PanelMessages:
    """What to tell, and when. Without a thread: `PanelUpdater` drives it, and tests do.

    ``now`` are seconds of a clock that only goes forward. Nothing here is for two threads.
    """

    def __init__(
        self,
        service: ServiceLike,
        send: Callable[[FromKernel], None],
        session_ids: Sequence[str] | None,
        receivers: Mapping[str, str | None],
    ) -> None:
        self._service, self._send, self._sessions = service, send, session_ids
        self.queue = QueueFeed(receivers)
        self.asides = Announcements()
        self._followed: TranscriptFollower | None = None
        self._next = float("-inf")
        self._look_at = float("inf")
        self._up = True

    # ------------------------------------------------------------------------ what comes

    def take(self, event: Event) -> None:
        """An event: marked, and told in its time."""
        self.queue.take(event)
        self.asides.take(event)
        if self._followed is not None:
            self._followed.take(event)

    def follow(self, job_id: str, recording_id: str) -> None:
        """Tell this transcript, or none any more; at once.

        Raises UnknownJob, UnknownRecording.
        """
        self._followed = None
        if not recording_id:
            return
        follower = TranscriptFollower(job_id, recording_id)
        self._look_into(follower)
        self._followed = follower
        self._tell_text()

    # -------------------------------------------------------------------------- and goes

    def due(self, now: float) -> float | None:
        """Seconds until there is something to tell, 0 for now; None for nobody knows."""
        if self._is_dirty():
            return max(0.0, self._next - now)
        if self._look_at < float("inf"):
            return max(0.0, self._look_at - now)
        return None

    def turn(self, now: float) -> None:
        """Tell what is due, if anything is."""
        if now >= self._look_at:
            self.queue.lost, self._look_at = True, float("inf")
        if not self._is_dirty() or now < self._next:
            return
        self._next = now + PERIOD_S
        try:
            self._tell()
        except NotFound:
            # The transcript went with its job.
            self._followed = None
        except Exception as error:
            self._next = now + PAUSE_S
            self._reachable(False, error)
            return
        self._reachable(True)
        self._look_again(now)

    def end(self) -> None:
        """The service is closed: the last of what it said, and that it says no more."""
        if not self.queue.lost and self._is_dirty():
            if self._followed is not None and self._followed.lost:
                self._followed = None
            self._tell()
        self._reachable(False)

    def again(self, now: float) -> None:
        """The panel shows nothing yet: tell it everything now."""
        self.queue.again()
        self.queue.lost = True
        self._next = now
        self.turn(now)

    def _is_dirty(self) -> bool:
        followed = self._followed is not None and self._followed.dirty
        return self.queue.dirty or self.asides.dirty or followed

    def _tell(self) -> None:
        if self.queue.lost:
            self.queue.snapshot(self._service.snapshots(session_ids=self._sessions))
        lines: list[FromKernel | None] = []
        if self.queue.dirty:
            lines.append(self.queue.tell())
        lines += self.asides.tell()
        for message in lines:
            if message is not None:
                self._send(message)
        if self._followed is not None:
            if self._followed.lost:
                self._look_into(self._followed)
            self._tell_text()

    def _tell_text(self) -> None:
        text: Text | None = self._followed.tell() if self._followed else None
        if text is not None:
            self._send(text)

    def _look_into(self, follower: TranscriptFollower) -> None:
        job = self._job(follower.job_id)
        recording = job.recording(follower.recording_id)
        result = self._service.transcript(
            follower.job_id, follower.recording_id, partial=True, session_ids=self._sessions
        )
        if recording is None:
            follower.transcript(result, True, 0)
            return
        # A finished text is shown until the newer one is finished too.
        is_over = recording.has_result or recording.state.terminal
        follower.transcript(result, is_over, recording.attempt, shown_run(recording))

    def _job(self, job_id: str) -> JobSnapshot:
        return self._service.snapshot(job_id, session_ids=self._sessions)

    def _look_again(self, now: float) -> None:
        alive = self.queue.alive
        if alive and self._look_at == float("inf"):
            self._look_at = now + max(LOOK_S, LOOK_EACH_S * alive)

    def _reachable(self, up: bool, error: Exception | None = None) -> None:
        if up != self._up:
            self._up = up
            self._send(Connection(up=up))
        if error is not None:
            level = logging.INFO if isinstance(error, HybridTranscribeError) else logging.WARNING
            log.log(level, "The panel cannot ask its service: %s: %s", type(error).__name__, error)


class PanelUpdater:
    """A `PanelMessages` on a thread of its own, from `start` until the service or "
    "the panel closes."""

    def __init__(
        self,
        service: ServiceLike,
        send: Callable[[FromKernel], None],
        *,
        session_ids: Sequence[str] | None,
        receivers: Mapping[str, str | None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """``send`` is called on this thread or on that of whoever calls; never on two at once."""
        self._monotonic = monotonic
        # Held while anything is told, so that messages come in the order of what they say.
        self._lock = threading.RLock()
        self._teller = PanelMessages(service, send, session_ids, receivers)
        for code, message in service.warnings:
            self._teller.asides.notice(code, message)
        # Before the first snapshot: what happens between them is told twice rather than never.
        self._events = service.subscribe(session_ids=session_ids)
        self._closed = threading.Event()
        # The service is closed: the thread sends its last message and then stops.
        self._service_closed = False
        self._thread = threading.Thread(target=self._run, name="hud", daemon=True)

    @property
    def alive(self) -> bool:
        """True while further messages will be sent."""
        return self._thread.is_alive() and not self._service_closed

    def start(self) -> None:
        """Tell everything, then what changes."""
        self.again()
        self._thread.start()

    def again(self) -> None:
        """A panel is there that shows nothing yet."""
        with self._lock:
            self._teller.again(self._monotonic())

    def follow(self, job_id: str, recording_id: str) -> None:
        """Tell this transcript, or none. Raises UnknownJob, UnknownRecording."""
        with self._lock:
            self._teller.follow(job_id, recording_id)

    def close(self) -> None:
        """Tell nothing more. Twice is once."""
        self._closed.set()
        self._events.close()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join(PAUSE_S)

    def _run(self) -> None:
        while not self._closed.is_set():
            with self._lock:
                wait_s = self._teller.due(self._monotonic())
            until = float("inf") if wait_s is None else self._monotonic() + wait_s
            event = self._events.get(wait_s)
            events = [] if event is None else [event, *self._close_to_it()]
            with self._lock:
                if self._closed.is_set():
                    return
                for event in events:
                    self._teller.take(event)
                # Nothing before the time was up: nothing more will come.
                ended = not events and self._monotonic() < until
                self._service_closed = ended
                try:
                    self._teller.end() if ended else self._teller.turn(self._monotonic())
                except Exception:
                    log.exception("The panel cannot be told")
            if ended:
                return

    def _close_to_it(self) -> Iterator[Event]:
        """Events that come right after one."""
        until = self._monotonic() + GATHER_S
        while (remaining_s := until - self._monotonic()) > 0:
            event = self._events.get(remaining_s)
            if event is None:
                return
            yield event
