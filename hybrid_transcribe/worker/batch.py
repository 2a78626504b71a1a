"""What a worker does with a batch: measure, load, decode, transcribe, and tell as it goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.probe import probe
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineFailed, HybridTranscribeError
from hybrid_transcribe.interfaces import (
    Capabilities,
    ClipDone,
    Engine,
    Heard,
    Language,
    Notice,
    Progress,
)
from hybrid_transcribe.types import Clip, ErrorInfo, Options, Segment, Stage
from hybrid_transcribe.worker.pool import Lent, ModelPool
from hybrid_transcribe.worker.source import Ahead, Begun, Nothing, Piece, Undecoded, pieces

Emit = Callable[[p.Message], None]


class Worker:
    """Runs batches and tells `emit`, on the thread that calls `run`. `cancel` is thread-safe.

    ``ahead`` decodes on a thread of its own while the engine works; without it everything
    happens on one thread, in an order that tests can rely on.
    """

    def __init__(self, settings: Settings, emit: Emit, *, ahead: bool = True) -> None:
        self.pool = ModelPool(settings)
        self._settings = settings
        self._emit = emit
        self._ahead = ahead
        self._cancelled: set[tuple[str, int]] = set()

    def cancel(self, recording_id: str, attempt: int) -> None:
        """Let a recording go at the next chance."""
        self._cancelled.add((recording_id, attempt))

    def run(self, command: p.Run) -> None:
        """Answer for every recording of the batch, whatever happens; `BatchDone` comes last."""
        batch = _Batch(command, self._settings, self._emit, self._cancelled)
        try:
            batch.measure()
            if batch.open_keys():
                with self.pool.lend(command.spec, batch.stage_all) as lent:
                    batch.transcribe(lent, ahead=self._ahead)
        except Exception as error:
            batch.fail_the_rest(as_info(error))
        finally:
            batch.forget_cancels()
        self._emit(p.BatchDone(command.batch_id))


def as_info(error: BaseException) -> ErrorInfo:
    """Any exception as plain data; one that is not ours is the engine's failure."""
    if isinstance(error, HybridTranscribeError):
        return error.info()
    text = str(error).strip() or "no message"
    return EngineFailed(f"{type(error).__name__}: {text}").info()


@dataclass(slots=True)
class _Place:
    """Where one recording of the batch stands. Clips queue up between source and engine."""

    item: p.Item
    next_index: int
    clips: list[tuple[Clip, bool]] = field(default_factory=list)
    transcribing: bool = False
    answered: bool = False


class _Batch:
    """One batch on its way through. Recordings are told apart by their place: the key."""

    def __init__(
        self, command: p.Run, settings: Settings, emit: Emit, cancels: set[tuple[str, int]]
    ) -> None:
        self._spec = command.spec
        self._settings = settings
        self._emit = emit
        self._cancels = cancels
        self._places = [_Place(item, item.first_index) for item in command.items]

    # ------------------------------------------------------------------- bookkeeping

    def open_keys(self) -> list[int]:
        """Recordings not answered for yet."""
        return [key for key, place in enumerate(self._places) if not place.answered]

    def cancelled(self, key: int) -> bool:
        """Was this one asked to be let go?"""
        item = self._places[key].item
        return (item.recording_id, item.attempt) in self._cancels

    def forget_cancels(self) -> None:
        """They were for this batch only."""
        for place in self._places:
            self._cancels.discard((place.item.recording_id, place.item.attempt))

    def _tell(self, key: int, message: type[p.About], **what: object) -> None:
        item = self._places[key].item
        self._emit(message(item.recording_id, item.attempt, **what))  # type: ignore[arg-type]

    def _answer(self, key: int, message: type[p.About], **what: object) -> None:
        place = self._places[key]
        if not place.answered:
            place.answered = True
            place.clips.clear()
            self._tell(key, message, **what)

    def stage_all(self, stage: Stage, percentage: float | None = None) -> None:
        """A stage that all recordings share, such as loading their model."""
        for key in self.open_keys():
            self._tell(key, p.Staged, stage=stage, percentage=percentage)

    def fail_the_rest(self, error: ErrorInfo) -> None:
        """What ended the batch ended every recording still open."""
        for key in self.open_keys():
            self._answer(key, p.Failed, error=error)

    # ------------------------------------------------------------------------ stages

    def measure(self) -> None:
        """Turn away what no engine should see, before a model is loaded for it."""
        for key in self.open_keys():
            if self.cancelled(key):
                self._answer(key, p.Canceled)
                continue
            item = self._places[key].item
            try:
                found = probe(item.path, self._settings, item.name)
            except Exception as error:
                self._answer(key, p.Failed, error=as_info(error))
                continue
            if found.duration_s is not None:
                self._tell(key, p.Measured, duration_s=found.duration_s)

    def transcribe(self, lent: Lent, *, ahead: bool) -> None:
        """Decode and transcribe everything still open with a loaded engine."""
        self._say_placed(lent)
        todo = [(key, self._places[key].item) for key in self.open_keys()]
        source: Iterable[Piece] = pieces(todo, self._settings, self.cancelled)
        runner = Ahead(iter(source)) if ahead else None
        try:
            heard = lent.engine.transcribe_many(
                self._clips(runner or source), self._options(todo), self.cancelled
            )
            for key, what in heard:
                self._take(key, what)
        finally:
            if runner is not None:
                runner.stop()
        self.fail_the_rest(EngineFailed("The engine stopped before the end of the audio").info())

    def _options(self, todo: list[tuple[int, p.Item]]) -> Options:
        """A resumed recording goes on in the language it was found to be in."""
        options = self._spec.options
        if options.language is None and len(todo) == 1 and todo[0][1].language:
            return replace(options, language=todo[0][1].language)
        return options

    def _say_placed(self, lent: Lent) -> None:
        notices = (*lent.loaded.notices, *not_honoured(lent.engine, self._spec.options))
        for key in self.open_keys():
            self._tell(
                key,
                p.Placed,
                device=lent.loaded.device,
                compute_type=lent.loaded.compute_type,
                load_s=lent.load_s,
            )
            for text in notices:
                self._tell(key, p.Noticed, text=text)

    # -------------------------------------------------------------- source to engine

    def _clips(self, source: Iterable[Piece]) -> Iterator[tuple[int, Clip]]:
        for piece in source:
            key = piece.key
            if isinstance(piece, Begun):
                self._tell(key, p.Staged, stage=Stage.DECODING)
            elif isinstance(piece, Undecoded):
                self._undecoded(key, piece.error)
            elif isinstance(piece, Nothing):
                self._answer(key, p.Finished, duration_s=self._places[key].item.resume_from_s)
            elif not self._places[key].answered:
                self._places[key].clips.append((piece.clip, piece.last))
                self._begin(key)
                yield key, piece.clip

    def _begin(self, key: int) -> None:
        if not self._places[key].transcribing:
            self._places[key].transcribing = True
            self._tell(key, p.Staged, stage=Stage.TRANSCRIBING)

    def _undecoded(self, key: int, error: Exception | None) -> None:
        if error is None or self.cancelled(key):
            self._answer(key, p.Canceled)
        else:
            self._answer(key, p.Failed, error=as_info(error))

    # --------------------------------------------------------------- engine to world

    def _take(self, key: int, what: Heard | ClipDone | Exception) -> None:
        place = self._places[key]
        if place.answered or not place.clips:
            return
        clip, last = place.clips[0]
        if isinstance(what, Segment):
            self._segment(key, place, shifted(what, clip.start_s))
        elif isinstance(what, Progress):
            self._tell(key, p.Advanced, done_s=clip.start_s + what.done_s)
        elif isinstance(what, Language):
            self._tell(key, p.LanguageFound, language=what.code, probability=what.probability)
        elif isinstance(what, Notice):
            self._tell(key, p.Noticed, text=what.text)
        elif isinstance(what, ClipDone):
            self._clip_done(key, clip, last)
        elif self.cancelled(key):
            self._answer(key, p.Canceled)
        else:
            self._answer(key, p.Failed, error=as_info(what))

    def _segment(self, key: int, place: _Place, segment: Segment) -> None:
        if not (math.isfinite(segment.start_s) and math.isfinite(segment.end_s)):
            error = EngineFailed(f"The engine gave a segment impossible times: {segment!r}")
            self._answer(key, p.Failed, error=error.info())
            return
        self._tell(key, p.SegmentHeard, index=place.next_index, segment=segment)
        place.next_index += 1

    def _clip_done(self, key: int, clip: Clip, last: bool) -> None:
        self._places[key].clips.pop(0)
        if self.cancelled(key):
            self._answer(key, p.Canceled)
        elif last:
            self._answer(key, p.Finished, duration_s=clip.start_s + clip.duration_s)
        else:
            self._tell(key, p.Advanced, done_s=clip.start_s + clip.duration_s)


def shifted(segment: Segment, by_s: float) -> Segment:
    """A segment whose times count from the start of the recording instead of the clip's."""
    if not by_s:
        return segment
    words = tuple(replace(w, start_s=w.start_s + by_s, end_s=w.end_s + by_s) for w in segment.words)
    return replace(segment, start_s=segment.start_s + by_s, end_s=segment.end_s + by_s, words=words)


def not_honoured(engine: Engine, options: Options) -> Iterator[str]:
    """One line for each option that was set and that the engine does not know."""
    known = _known(engine.capabilities)
    for name, value in options.given().items():
        if name not in known:
            yield f"{engine.name} does not honour {name}={value!r}"


def _known(capabilities: Capabilities) -> frozenset[str]:
    extra = {"silence_guard", "compute_type"}
    if capabilities.translates:
        extra.add("task")
    if capabilities.word_timestamps:
        extra.add("word_timestamps")
    return capabilities.options | extra
