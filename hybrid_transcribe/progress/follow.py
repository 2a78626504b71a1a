"""Listening to a job until it has ended."""

from __future__ import annotations

import sys
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO

from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.events import Resync
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.progress.display import ProgressOutput, display, print_lines
from hybrid_transcribe.progress.job_progress import JobProgressText
from hybrid_transcribe.progress.render import render, render_final
from hybrid_transcribe.service_protocol import ServiceLike
from hybrid_transcribe.types import Recording

#: Longest time without a look at the clock, and shortest between two drawings, in seconds.
TICK_S, BLINK_S = 1.0, 0.1

#: What people were told of each service already: its warnings stay, and one telling is enough.
_reported: weakref.WeakKeyDictionary[Any, set[tuple[str, str]]] = weakref.WeakKeyDictionary()


def follow(
    job: Job,
    file: TextIO | None = None,
    *,
    silent: bool = False,
    speed: bool = True,
    ended: Callable[[Recording], None] = lambda _: None,
) -> None:
    """Show a job on ``file`` (stderr) until it has ended, then what it warned of.

    Args:
        silent: show nothing, only wait.
        speed: say at the end how fast it was, from first to last.
        ended: called in this thread with each recording that has ended, once.

    Says nothing of a job that was deleted or a service that was closed: ask the job.
    """
    out = None if silent else file or sys.stderr
    with suppress(HybridTranscribeError):
        with job.service.subscribe(session_ids=[job.session_id]) as events:
            story = JobProgressText(job.snapshot())
            with display(out) as display_name:
                _watch(job, events, story, display_name, ended)
                if not story.deleted:
                    display_name.last(render_final(story, time.monotonic(), speed=speed))
        print_lines(_warnings(story, job.service), out)


def _watch(
    job: Job,
    events: Any,
    story: JobProgressText,
    progress_output: ProgressOutput,
    ended: Callable[[Recording], None],
) -> None:
    drawn_at = 0.0
    while not story.over:
        _pass_on(story, ended)
        now = time.monotonic()
        if now - drawn_at >= BLINK_S:
            drawn_at = now
            progress_output.show(render(story, now))
        event = events.get(TICK_S)
        if event is None or isinstance(event, Resync):
            # In a silence the forecast is asked anew, and a closed service noticed.
            story.read(job.snapshot())
        elif event.job_id == job.job_id:
            story.take(event)
    if not story.deleted:
        story.read(job.snapshot())
        _pass_on(story, ended)


def _pass_on(story: JobProgressText, ended: Callable[[Recording], None]) -> None:
    for recording in story.news():
        ended(recording)


def _warnings(story: JobProgressText, service: ServiceLike) -> list[str]:
    """Each warning once, with whom it concerns."""
    whom: dict[str, list[str]] = {}
    for recording in story.recordings.values():
        for text in dict.fromkeys(recording.warnings):
            whom.setdefault(text, []).append(recording.name)
    lines = [
        f"{names[0] if len(names) == 1 else f'{len(names)} recordings'}: {text}"
        for text, names in whom.items()
    ]
    fields = _reported.setdefault(service, set())
    fresh = [w for w in service.warnings if w not in fields]
    fields.update(fresh)
    return [f"warning: {line}" for line in (*lines, *(message for _, message in fresh))]
