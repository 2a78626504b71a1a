"""What is known of a job: a snapshot, and what events told since."""

from __future__ import annotations

import time
from collections.abc import Iterator

from hybrid_transcribe.events import Event, JobChanged, JobDeleted, RecordingChanged
from hybrid_transcribe.types import JobSnapshot, Recording


class JobProgressText:
    """A job as its listener knows it.

    Attributes:
        recordings: by id, in order.
        rejected: how many inputs never became recordings.
        percentage: of the job.
        ahead: recordings of others that come before it.
        over: nothing more will happen; ``deleted``: because it is gone.
    """

    def __init__(self, snapshot: JobSnapshot) -> None:
        self.deleted = False
        self._reported: set[str] = set()
        age_s = (snapshot.finished_at or time.time()) - snapshot.created_at
        self._began_at = time.monotonic() - max(0.0, age_s)
        self.read(snapshot)

    def read(self, snapshot: JobSnapshot) -> None:
        """Start over from a snapshot."""
        self.recordings = {r.recording_id: r for r in snapshot.recordings}
        self.rejected = len(snapshot.rejected)
        self.ahead = snapshot.position
        self._forecast(snapshot.percentage, snapshot.eta_s)
        self.over = snapshot.done

    def take(self, event: Event) -> None:
        """One fact more, about this job."""
        if isinstance(event, JobDeleted):
            self.deleted = self.over = True
        elif isinstance(event, JobChanged) and event.job is not None:
            self.read(event.job)
        elif isinstance(event, RecordingChanged) and event.recording is not None:
            self.recordings[event.recording.recording_id] = event.recording
            self._forecast(event.job_percentage, event.job_eta_s)
            self.over = event.job_state.terminal

    def _forecast(self, percentage: float | None, eta_s: float | None) -> None:
        self.percentage, self._eta_s, self._told_at = percentage, eta_s, time.monotonic()

    def elapsed_s(self, now: float) -> float:
        """Since the job was accepted."""
        return max(0.0, now - self._began_at)

    def left_s(self, now: float) -> float | None:
        """What is left of the last forecast; at least a second while it is not over."""
        return None if self._eta_s is None else max(1.0, self._eta_s - (now - self._told_at))

    def news(self) -> Iterator[Recording]:
        """Recordings that have ended, each once."""
        for key, recording in tuple(self.recordings.items()):
            if recording.state.terminal and key not in self._reported:
                self._reported.add(key)
                yield recording
