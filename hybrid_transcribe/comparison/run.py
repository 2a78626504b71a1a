"""One engine on the recordings, in a worker of its own, with its time and memory."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hybrid_transcribe.comparison.entries import ComparisonEntry
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import HybridTranscribeError, InputError
from hybrid_transcribe.events import Event, RecordingChanged
from hybrid_transcribe.jobs.handle import Job, errors_of
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.progress import follow
from hybrid_transcribe.types import Recording, Rejection, Spec, Stage, State, Transcript

#: Stages that are over before a model hears anything.
_BEFORE = (Stage.DOWNLOADING_MODEL, Stage.LOADING_MODEL)


@dataclass(frozen=True, slots=True)
class EngineRun:
    """What came of one engine.

    Attributes:
        transcripts: of the recordings that were completed, in order, by their place (from 0).
        names: of all recordings, in order; empty where none was tried.
        fetch_s, load_s, transcribe_s: see `WallClock`; None where it never got there.
        peak_bytes: most memory of the worker's process.
    """

    entry: ComparisonEntry
    transcripts: dict[int, Transcript] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    errors: tuple[Rejection, ...] = ()
    warnings: tuple[str, ...] = ()
    device: str | None = None
    fetch_s: float = 0.0
    load_s: float | None = None
    transcribe_s: float | None = None
    peak_bytes: int | None = None


class WallClock:
    """Where the time of a job went, from the stages its recordings enter.

    ``fetch_s`` is what fetching or converting the model took. ``load_s`` is all the rest before
    anything is decoded: starting the worker, importing the library, loading the model.
    ``transcribe_s`` is from there to the end, with decoding. Times (s) may be of any clock that
    only rises.
    """

    def __init__(self, now: float) -> None:
        self.fetch_s = 0.0
        self._began_at = self._stage_at = now
        self._stage: Stage | None = None
        self._loaded_at: float | None = None
        self._ended_at: float | None = None

    def enter(self, stage: Stage | None, now: float) -> None:
        """A recording is in that stage now; of a later one's loading nothing is counted."""
        if stage is None or self._loaded_at is not None:
            return
        if self._stage is Stage.DOWNLOADING_MODEL:
            self.fetch_s += now - self._stage_at
        self._stage, self._stage_at = stage, now
        if stage not in _BEFORE:
            self._loaded_at = now

    def end(self, now: float) -> None:
        """A recording has ended; the last one counts."""
        self._ended_at = now

    @property
    def load_s(self) -> float | None:
        """None where nothing was ever loaded."""
        if self._loaded_at is None:
            return None
        return self._loaded_at - self._began_at - self.fetch_s

    @property
    def transcribe_s(self) -> float | None:
        """None where nothing was transcribed to its end."""
        if self._loaded_at is None or self._ended_at is None:
            return None
        return self._ended_at - self._loaded_at


def run(
    entry: ComparisonEntry,
    inputs: Sequence[str | Path],
    settings: Settings,
    *,
    progress: bool = False,
    names_known: Callable[[tuple[str, ...]], None] = lambda _: None,
) -> EngineRun:
    """Transcribe everything with one engine. Its failures are in the run, not raised.

    ``names_known`` is told the recordings' names and may raise, before any work is waited for.
    Raises InputError where no input can be used, which no other engine would change.
    """
    if entry.spec is None:
        return _failed(entry)
    # Nothing but this engine's own model is loaded.
    with Service(journal=None, settings=settings, preload_models=False) as service:
        watch = WallClock(time.monotonic())
        service.subscribe(lambda event: _note(watch, event))
        try:
            job = _submit(service, inputs, entry.spec)
        except InputError:
            raise
        except HybridTranscribeError as error:
            return _failed(entry, error)
        names_known(tuple(r.name for r in job.recordings))
        # Its speed would count the loading, which the table tells apart.
        follow(job, sys.stderr, silent=not progress, speed=False)
        job.wait()
        return _ended(entry, job, watch, service)


def _submit(service: Service, inputs: Sequence[str | Path], spec: Spec) -> Job:
    return service.submit(
        inputs, engine=spec.engine, model=spec.model, device=spec.device, options=spec.options
    )


def _note(watch: WallClock, event: Event) -> None:
    if isinstance(event, RecordingChanged) and event.recording is not None:
        now = time.monotonic()
        watch.enter(event.recording.stage, now)
        if event.recording.state.terminal:
            watch.end(now)


def _failed(entry: ComparisonEntry, error: HybridTranscribeError | None = None) -> EngineRun:
    info = error.info() if error else entry.error
    errors = (Rejection(entry.label, info),) if info else ()
    return EngineRun(entry, errors=errors, warnings=_lines(entry.notice))


def _ended(entry: ComparisonEntry, job: Job, watch: WallClock, service: Service) -> EngineRun:
    # Asking goes through the room's loop, behind the last event the watch is to see.
    snapshot = job.snapshot()
    done = [r for r in snapshot.recordings if r.state is State.COMPLETED]
    return EngineRun(
        entry,
        {r.index: service.transcript(job.job_id, r.recording_id) for r in done},
        tuple(r.name for r in snapshot.recordings),
        errors_of(snapshot),
        _lines(entry.notice, *_warnings(snapshot.recordings)),
        next((r.device for r in done if r.device), None),
        watch.fetch_s,
        watch.load_s,
        watch.transcribe_s if done else None,
        _peak_bytes(service),
    )


def _warnings(recordings: Sequence[Recording]) -> list[str]:
    """Each with the recording's name, where there are several."""
    several = len(recordings) > 1
    return [f"{r.name}: {w}" if several else w for r in recordings for w in r.warnings]


def _lines(*texts: str | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _peak_bytes(service: Service) -> int | None:
    """Of the workers together: those of the cloud are several."""
    peaks = [w.peak_bytes for w in service.workers() if w.peak_bytes is not None]
    return sum(peaks) if peaks else None
