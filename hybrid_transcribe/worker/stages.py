"""What a worker does with a stage after the engine: decode again, process, report.

The text that a stage gets is whole and journalled: nothing that goes wrong here costs any of it.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import msgspec

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineFailed, EngineUnavailable, OutOfMemory, as_info
from hybrid_transcribe.interfaces import EngineWarning, PostProcessor, Processed, Progress
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import stage_models
from hybrid_transcribe.registry import POSTPROCESSORS
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.types import Clip, Stage
from hybrid_transcribe.worker.batch_state import Emit
from hybrid_transcribe.worker.memory import give_back, peak_bytes
from hybrid_transcribe.worker.pool import Report

#: Longest clip that a post-processor gets, in seconds: 19 MB. An engine's block may be six times
#: as long, but a post-processor works while an engine's model may still be in memory.
CLIP_S = 300.0

#: What more memory may mend.
_TOO_MUCH = (OutOfMemory, MemoryError)


@dataclass(slots=True)
class _HeldStage:
    """A loaded post-processor and when it was last used (monotonic)."""

    stage: PostProcessor
    used_at: float = 0.0


class StagePool:
    """Loaded post-processors by name, kept warm until they are idle."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._held: dict[str, _HeldStage] = {}

    @contextmanager
    def lend(self, name: str, report: Report) -> Iterator[PostProcessor]:
        """A post-processor that is ready. Raises what `PostProcessor.load` and `resolve` raise."""
        held = self._held.get(name)
        if held is None:
            held = self._held[name] = _HeldStage(self._loaded(name, report))
        try:
            yield held.stage
        finally:
            held.used_at = self._now()

    def _loaded(self, name: str, report: Report) -> PostProcessor:
        stage = POSTPROCESSORS.make(name, self._settings.postprocessors)
        why_not = stage.available(self._settings)
        if why_not:
            raise EngineUnavailable(UserMessage("labelled", label=name, why=why_not))
        models = stage_models(
            stage.capabilities.models,
            self._settings,
            lambda percentage: report(Stage.DOWNLOADING_MODEL, percentage),
        )
        report(Stage.LOADING_MODEL, None)
        stage.load(models, self._settings)
        return stage

    def unload_idle(self) -> None:
        """Give back the memory of those unused for `Settings.model_idle_s`."""
        limit = self._now() - self._settings.model_idle_s
        self._unload([name for name, held in self._held.items() if held.used_at <= limit])

    def unload_all(self) -> None:
        """Give everything back now."""
        self._unload(list(self._held))

    def _unload(self, names: list[str]) -> None:
        for name in names:
            self._held.pop(name).stage.unload()
        if names:
            give_back()


class StageRun:
    """One post-processor at work on one recording.

    ``free_memory`` gives back what others hold in this process.
    """

    def __init__(
        self,
        command: p.RunStage,
        settings: Settings,
        emit: Emit,
        canceled: Callable[[], bool],
        free_memory: Callable[[], None],
    ) -> None:
        self._command = command
        self._settings = settings.but(block_s=min(settings.block_s, CLIP_S))
        self._emit = emit
        self._canceled = canceled
        self._free_memory = free_memory

    def run(self, pool: StagePool) -> None:
        """Work, and report how it ended; nothing is raised."""
        name = self._command.stage
        try:
            document = self._document(pool)
        except Exception as error:
            failed = p.PostProcessingFailed(name, as_info(error))
            self._report(p.RecordingCanceled() if self._canceled() else failed)
            return
        if document is None:
            self._report(p.RecordingCanceled())
        else:
            self._report(p.PostProcessed(name, document, peak_bytes()))

    def _document(self, pool: StagePool) -> Document | None:
        """What the post-processor made; None where it was canceled. Raises what it raises."""
        if self._canceled():
            return None
        try:
            return self._processed(pool)
        except _TOO_MUCH:
            # Once more, with all the memory that this process has.
            self._free_memory()
            pool.unload_all()
            return self._processed(pool)

    def _processed(self, pool: StagePool) -> Document | None:
        command = self._command
        document: Document | None = None
        with pool.lend(command.stage, self._stage_changed) as stage:
            self._stage_changed(stage.capabilities.stage, None)
            for event in stage.process(
                self._audio(), command.transcript, command.options, self._canceled
            ):
                if isinstance(event, Document):
                    document = event
                else:
                    self._take(event)
        if self._canceled():
            # The sound may have ended early for it.
            return None
        if document is None:
            raise EngineFailed(UserMessage("stage_gave_nothing"))
        return checked(document)

    def _audio(self) -> Iterator[Clip]:
        command = self._command
        return decode(
            command.path,
            name=command.transcript.name,
            settings=self._settings,
            canceled=self._canceled,
            audio_track=command.options.audio_track,
        )

    def _take(self, event: Processed) -> None:
        match event:
            case Progress(done_s):
                self._report(p.ProgressAdvanced(done_s=done_s))
            case EngineWarning(text):
                self._report(p.WarningRaised.of(text))

    def _stage_changed(self, stage: Stage, percentage: float | None) -> None:
        self._report(p.StageChanged(stage=stage, percentage=percentage))

    def _report(self, report: p.RecordingReport) -> None:
        command = self._command
        self._emit(p.RecordingMessage(command.recording_id, command.attempt, report))


def checked(document: Document) -> Document:
    """The document, if it can be kept. Raises EngineFailed, or what cannot be written down."""
    ids: set[str] = set()
    for segment in document.segments:
        if not (math.isfinite(segment.start_s) and math.isfinite(segment.end_s)):
            raise EngineFailed(UserMessage("stage_times", text=repr(segment)))
        # New ones have none yet.
        if segment.id and segment.id in ids:
            raise EngineFailed(UserMessage("stage_ids", text=repr(segment)))
        ids.add(segment.id)
    msgspec.json.encode(document)
    return document
