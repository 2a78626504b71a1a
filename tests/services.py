"""Services with the scripted engine, and recordings for them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from hybrid_transcribe import Service
from hybrid_transcribe.events import Event, RecordingChanged, SegmentAdded
from hybrid_transcribe.testing import SCRIPTED, SCRIPTED_STAGES, tone, write_wav
from hybrid_transcribe.types import SPEAKERS, State

#: The scripted post-processor under its own name, and as the one that tells speakers apart: it
#: needs no models.
STAGES = {**SCRIPTED_STAGES, SPEAKERS: SCRIPTED_STAGES["scripted-stage"]}


def service(state_dir: Path | None = None, **settings: Any) -> Service:
    """In memory, or on disk when a folder is given."""
    known = {
        "engines": SCRIPTED,
        "engine": "scripted",
        "postprocessors": STAGES,
        **settings,
    }
    if state_dir is None:
        return Service(journal=None, **known)
    return Service(state_dir, **known)


def wavs(folder: Path, *names: str, seconds: float = 3.0) -> list[Path]:
    """Tones of that length under those names."""
    folder.mkdir(parents=True, exist_ok=True)
    return [write_wav(folder / f"{name}.wav", tone(seconds)) for name in names]


def worker_pid(of: Service) -> int:
    """The process id of the local worker."""
    pid = next(w.pid for w in of.workers() if w.lane == "local")
    assert pid is not None
    return pid


def until(of: Service, true: Callable[[Event], bool], timeout_s: float = 30.0) -> Event:
    """The first event, from now on, of which that is true."""
    deadline = time.monotonic() + timeout_s
    with of.subscribe() as events:
        while (event := events.get(deadline - time.monotonic())) is not None:
            if true(event):
                return event
    raise AssertionError("it never happened")


def until_segment(of: Service, n: int = 1) -> None:
    """Wait until some recording has n segments, also when it has them already."""
    with of.subscribe() as events:
        while not any(r.n_segments >= n for job in of.snapshots() for r in job.recordings):
            assert events.get(30.0) is not None, "no segment came"


def is_segment(event: Event) -> bool:
    return isinstance(event, SegmentAdded)


def is_state(state: State) -> Callable[[Event], bool]:
    """True of a recording's change into that state."""

    def check(event: Event) -> bool:
        return (
            isinstance(event, RecordingChanged)
            and event.recording is not None
            and event.recording.state is state
        )

    return check


def gone(pid: int, within_s: float) -> bool:
    """True when that process has ended in time."""
    try:
        psutil.Process(pid).wait(within_s)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return False
    return True


def environment(**more: str) -> dict[str, str]:
    """For a process of ours that is to find the scripted engine."""
    return {
        **os.environ,
        "HYBRID_TRANSCRIBE_ENGINES": _as_variable(SCRIPTED),
        "HYBRID_TRANSCRIBE_POSTPROCESSORS": _as_variable(STAGES),
        "HYBRID_TRANSCRIBE_ENGINE": "scripted",
        **more,
    }


def _as_variable(targets: dict[str, str]) -> str:
    return ",".join(f"{name}={target}" for name, target in targets.items())
