"""A job's progress, for people: one live line in a terminal or a cell, a few lines in a log.

::

    talk.m4a  ██████████▌               42 % · 0:13 left
    3/20 talk.m4a  ███▎                 13 % · loading model · 0:04
    20 recordings  ████████████████████ 100 % · 1:12 · 4.8× real time · 1 failed

`follow` listens, `Story` knows, `look` decides what is shown, and a display shows it.
"""

from __future__ import annotations

import os
import sys
import time
import unicodedata
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.events import Event, JobChanged, JobDeleted, RecordingChanged, Resync
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.types import JobSnapshot, Recording, Stage, State

#: Longest time without a look at the clock, and shortest between two looks of the bar, in seconds.
TICK_S, BLINK_S = 1.0, 0.1

#: Shortest time between two lines of a log, in seconds, and the step in % that is worth one.
LINE_S, LINE_STEP = 3.0, 10

#: What is shown for a stage; transcribing speaks for itself.
_STAGES = {
    Stage.DOWNLOADING_MODEL: "downloading model",
    Stage.LOADING_MODEL: "loading model",
    Stage.DECODING: "decoding",
    Stage.UPLOADING_TO_CLOUD: "uploading",
    Stage.WAITING_FOR_CLOUD: "waiting for the cloud",
}

#: The same for the states in which there is no stage.
_STATES = {
    State.QUEUED: "waiting",
    State.PREPARING: "starting",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
    State.CANCELING: "canceling",
}

#: Whom the line names: the liveliest, and the first of those.
_LIVELIEST = (State.RUNNING, State.PREPARING, State.CANCELING, State.QUEUED)

_BAR_COLUMNS = 24

#: What is drawn instead where an encoding lacks it.
_PLAIN = str.maketrans({"·": "-", "×": "x", "…": "~"})


def follow(
    job: Job,
    file: TextIO | None = None,
    *,
    silent: bool = False,
    ended: Callable[[Recording], None] | None = None,
) -> None:
    """Show a job on ``file`` (stderr) until it has ended, then what it warned of.

    Args:
        silent: show nothing, only wait.
        ended: called in this thread with each recording that has ended, once.

    Never raises over a job that was deleted or a service that was closed: ask the job.
    """
    out = None if silent else file or sys.stderr
    with suppress(HybridTranscribeError), job._service.subscribe(
        session_ids=[job.session_id]
    ) as events:
        story = Story(job.snapshot())
        with display(out) as shown:
            _watch(job, events, story, shown, ended or (lambda _: None))
        if out is not None:
            tell(_warnings(story, job._service), out)


def _watch(
    job: Job, events: Any, story: Story, shown: Display, ended: Callable[[Recording], None]
) -> None:
    drawn_at = 0.0
    while not story.over:
        for recording in story.news():
            ended(recording)
        now = time.monotonic()
        if now - drawn_at >= BLINK_S:
            drawn_at = now
            shown.show(look(story, now))
        event = events.get(TICK_S)
        if event is None or isinstance(event, Resync):
            # Silence: read the forecast anew; this also notices a service that was closed.
            story.read(job.snapshot())
        elif event.job_id == job.job_id:
            story.take(event)
    if not story.deleted:
        story.read(job.snapshot())
        for recording in story.news():
            ended(recording)
        shown.last(final_look(story, time.monotonic()))


# --------------------------------------------------------------------------- the story


class Story:
    """What is known of a job: a snapshot, and what events told since."""

    def __init__(self, snapshot: JobSnapshot) -> None:
        self.deleted = False
        self._told: set[str] = set()
        age_s = (snapshot.finished_at or time.time()) - snapshot.created_at
        self._began_at = time.monotonic() - max(0.0, age_s)
        self.read(snapshot)

    def read(self, snapshot: JobSnapshot) -> None:
        """Start over from a snapshot."""
        self.recordings = {r.recording_id: r for r in snapshot.recordings}
        self.rejected = snapshot.rejected
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
        return now - self._began_at

    def left_s(self, now: float) -> float | None:
        """What is left of the last forecast; at least a second while it is not over."""
        return None if self._eta_s is None else max(1.0, self._eta_s - (now - self._told_at))

    def news(self) -> Iterator[Recording]:
        """Recordings that have ended, each once."""
        for key, recording in self.recordings.items():
            if recording.state.terminal and key not in self._told:
                self._told.add(key)
                yield recording


@dataclass(frozen=True, slots=True)
class Look:
    """One line: the bar stands between left and right. ``key`` changes when it is worth telling."""

    left: str
    percentage: float | None
    right: str
    key: object = None


def look(story: Story, now: float) -> Look:
    """The line while the job is alive."""
    every = list(story.recordings.values())
    current = min((r for r in every if not r.state.terminal), key=_rank, default=every[-1])
    doing = _doing(current)
    if current.state is State.QUEUED and story.ahead:
        doing += f", {story.ahead} ahead"
    left_s = story.left_s(now)
    clock = f"{clock_text(left_s)} left" if left_s else clock_text(story.elapsed_s(now))
    place = min(1 + sum(r.state.terminal for r in every), len(every))
    step = None if story.percentage is None else int(story.percentage) // LINE_STEP
    return Look(
        current.name if len(every) == 1 else f"{place}/{len(every)} {current.name}",
        story.percentage,
        _joined(_share(story.percentage), doing, clock),
        (step, doing.rstrip(" %0123456789")),
    )


def final_look(story: Story, now: float) -> Look:
    """The line that stays."""
    every = list(story.recordings.values())
    states = Counter(r.state for r in every)
    elapsed_s = story.elapsed_s(now)
    left = every[0].name if len(every) == 1 else f"{len(every)} recordings"
    failed, canceled = states[State.FAILED] + len(story.rejected), states[State.CANCELED]
    if not states[State.COMPLETED]:
        how = "failed" if states[State.FAILED] else "canceled"
        share = max((r.percentage or 0.0 for r in every), default=0.0)
        return Look(left, share, f"{how} after {clock_text(elapsed_s)}")
    audio_s = sum(r.duration_s or 0.0 for r in every if r.state is State.COMPLETED)
    right = _joined(
        "100 %",
        clock_text(elapsed_s),
        speed_text(audio_s, elapsed_s),
        f"{failed} failed" if failed else "",
        f"{canceled} canceled" if canceled else "",
    )
    return Look(left, 100.0, right)


def describe(recording: Recording) -> str:
    """One short line: the recording and what is being done to it."""
    doing = _doing(recording)
    return f"{recording.name}: {doing}" if doing else recording.name


def clock_text(seconds: float) -> str:
    """Seconds as people read them.

    >>> clock_text(75)
    '1:15'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def speed_text(audio_s: float, elapsed_s: float) -> str:
    """How much faster than listening; empty where nothing was measured.

    >>> speed_text(48.0, 10.0), speed_text(0.0, 10.0)
    ('4.8× real time', '')
    """
    if audio_s <= 0 or elapsed_s <= 0:
        return ""
    factor = audio_s / elapsed_s
    return f"{factor:.{0 if factor >= 10 else 1}f}× real time"


def _rank(recording: Recording) -> tuple[int, int]:
    return _LIVELIEST.index(recording.state), recording.index


def _doing(recording: Recording) -> str:
    if recording.stage is None or recording.state not in (State.PREPARING, State.RUNNING):
        return _STATES.get(recording.state, "")
    doing, share = _STAGES.get(recording.stage, ""), recording.stage_percentage
    return f"{doing} {share:.0f} %" if doing and share is not None else doing


def _share(percentage: float | None) -> str:
    # Downwards: 100 % is for what is done.
    return "" if percentage is None else f"{int(percentage)} %"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)


def _warnings(story: Story, service: Any) -> list[str]:
    """Each warning once, with whom it concerns."""
    whom: dict[str, list[str]] = {}
    for recording in story.recordings.values():
        for text in recording.warnings:
            whom.setdefault(text, []).append(recording.name)
    lines = [
        f"{names[0] if len(names) == 1 else f'{len(names)} recordings'}: {text}"
        for text, names in whom.items()
    ]
    told = _told_of.setdefault(service, set())
    fresh = [w for w in getattr(service, "warnings", ()) if w not in told]
    told.update(fresh)
    return [f"warning: {line}" for line in (*lines, *(message for _, message in fresh))]


#: What people were told of each service already: its warnings stay, and one telling is enough.
_told_of: weakref.WeakKeyDictionary[Any, set[tuple[str, str]]] = weakref.WeakKeyDictionary()
