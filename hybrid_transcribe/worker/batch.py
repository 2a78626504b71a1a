"""What a worker does with a batch: measure, decode, transcribe, and tell as it goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from msgspec import structs

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.probe import probe
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import DeviceFailed, EngineFailed, OutOfMemory, as_info
from hybrid_transcribe.interfaces import (
    Capabilities,
    CheckpointUpdate,
    ClipDone,
    Engine,
    EngineWarning,
    Heard,
    Language,
    Progress,
    StageUpdate,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.types import (
    WHO_SPEAKS,
    Clip,
    KnownVoice,
    Options,
    Segment,
    Spec,
    Stage,
    WithheldSegment,
)
from hybrid_transcribe.worker.batch_state import (
    BatchState,
    ClipSpan,
    Emit,
    RecordingCursor,
    shifted,
)
from hybrid_transcribe.worker.channel_plan import ChannelPlan, decide, may_be_separate
from hybrid_transcribe.worker.channels import ChannelTranscription, channel_pieces
from hybrid_transcribe.worker.memory import peak_bytes
from hybrid_transcribe.worker.pool import ModelLease
from hybrid_transcribe.worker.source import (
    DecodeFailed,
    DecodeStarted,
    EmptyAudio,
    Piece,
    Prefetcher,
    Reported,
    pieces,
)

#: What a smaller way of running the model may mend.
TOO_MUCH = (OutOfMemory, DeviceFailed)

#: Waits until the service has journalled a note; False when it did not.
Journalled = Callable[[str, int], bool]


class Batch:
    """One batch on its way through. Recordings are told apart by their place: the key."""

    def __init__(
        self,
        command: p.RunBatch,
        settings: Settings,
        emit: Emit,
        cancels: set[tuple[str, int]],
        journalled: Journalled,
    ) -> None:
        self.spec: Spec = command.spec
        self._stage_options = command.stage_options
        self.places = BatchState(command.items, emit, cancels)
        self._batch_id = command.batch_id
        self._emit = emit
        #: The recording that was too much, where it is known.
        self.troubled: int | None = None
        self._settings = settings
        self._cancels = cancels
        self._journalled = journalled

    def forget_cancels(self) -> None:
        """They were for this batch only."""
        for place in self.places:
            self._cancels.discard((place.item.recording_id, place.item.attempt))

    def measure(self) -> None:
        """Turn away what no engine should see, before a model is loaded for it."""
        for key in self.places.open():
            if self.places.canceled(key):
                self.places.end(key, p.RecordingCanceled())
                continue
            item = self.places[key].item
            try:
                result = probe(item.path, self._settings, item.name, self.spec.options.audio_track)
            except Exception as error:
                self.places.end(key, p.RecordingFailed(error=as_info(error)))
                continue
            if result.duration_s is not None:
                self.places.learned(key, duration_s=result.duration_s)
            if self._asks_for_channels():
                self._decide_channels(key, result.channels)

    def _asks_for_channels(self) -> bool:
        return may_be_separate(self.spec.options) and self._can().by_channel

    def _can(self) -> Capabilities:
        capabilities: Capabilities = ENGINES.get(
            self.spec.engine, self._settings.engines
        ).capabilities
        return capabilities

    def _decide_channels(self, key: int, n_channels: int) -> None:
        place = self.places[key]
        try:
            decision = decide(
                place.item,
                n_channels,
                self.spec.options,
                self._settings,
                lambda: self.places.canceled(key),
            )
        except Exception as error:
            self.places.end(key, p.RecordingFailed(error=as_info(error)))
            return
        if self.places.canceled(key):
            self.places.end(key, p.RecordingCanceled())
            return
        place.channels = decision.plan
        if decision.message is not None:
            self.places.report(key, p.WarningRaised.of(decision.message))

    def turns(self) -> list[list[int]]:
        """The open recordings, in groups that can share a call of the engine.

        What goes on in the middle has a language of its own, so it goes alone, as does what is
        transcribed channel by channel.
        """
        alone = [key for key in self.places.open() if self._goes_alone(key)]
        fresh = [key for key in self.places.open() if not self._goes_alone(key)]
        return [*([key] for key in alone), *([fresh] if fresh else [])]

    def _goes_alone(self, key: int) -> bool:
        place = self.places[key]
        return bool(place.next_index) or place.channels is not None

    def go_back(self) -> None:
        """After trouble: what is open starts again behind what it has finished."""
        self.troubled = None
        for key in self.places.open():
            self.places[key].go_back()

    # ---------------------------------------------------------------------- one turn

    def transcribe(
        self, keys: Sequence[int], lent: ModelLease, batch_size: int | None, *, ahead: bool
    ) -> None:
        """Decode and transcribe some recordings with a loaded engine.

        Raises OutOfMemory and DeviceFailed, with what was heard so far counted.
        """
        plan = self.places[keys[0]].channels
        if plan is not None:
            self._by_channel(keys[0], plan, lent, batch_size, ahead=ahead)
            return
        can = lent.engine.capabilities
        self._say_placed(keys, lent, self.spec.options)
        todo = [
            (key, self._whole(key) if can.whole_recordings else self.places[key].item)
            for key in keys
        ]
        source: Iterable[Piece[Clip]] = pieces(
            todo,
            self._decoding(can),
            self.places.canceled,
            self.spec.options.audio_track,
            offers_channels=self.spec.options.channels is None and can.by_channel,
        )
        runner = Prefetcher(iter(source)) if ahead else None
        options = replace(self._options(todo, can), batch_size=batch_size)
        try:
            for key, event in lent.engine.transcribe_many(
                self._clips(runner or source, can), options, self.places.canceled
            ):
                self._take(key, event)
        finally:
            if runner is not None:
                runner.stop()
        stopped = EngineFailed(UserMessage("stopped_early")).info()
        for key in keys:
            self.places.end(key, p.RecordingFailed(error=stopped))

    def _by_channel(
        self,
        key: int,
        plan: ChannelPlan,
        lent: ModelLease,
        batch_size: int | None,
        *,
        ahead: bool,
    ) -> None:
        """The same for one recording, each of whose channels is a person."""
        place, track = self.places[key], self.spec.options.audio_track
        # Who speaks is known.
        unasked: dict[str, Any] = dict.fromkeys(WHO_SPEAKS)
        options = replace(self.spec.options, diarize=False, channels=None, **unasked)
        self._say_placed([key], lent, options)
        options = replace(options, audio_track=None, batch_size=batch_size)
        source = channel_pieces(key, place.item, plan, self._settings, self.places, track)
        runner = Prefetcher(source) if ahead else None
        work = ChannelTranscription(key, plan, self.places, lent.engine, options)
        try:
            work.run(runner or source)
        except Exception as error:
            self._error(key, error)
        finally:
            if runner is not None:
                runner.stop()

    def _whole(self, key: int) -> p.Item:
        """From the beginning: segments that were journalled already are known by their index."""
        place = self.places[key]
        place.next_index = 0
        return structs.replace(place.item, resume_from_s=0.0, first_index=0)

    def _decoding(self, can: Capabilities) -> Settings:
        """For an engine that wants whole recordings, a block is as long as can be."""
        settings = self._settings
        if not can.whole_recordings or settings.max_duration_s <= settings.block_s:
            return settings
        blocks = math.ceil(settings.max_duration_s / settings.block_s)
        return settings.but(
            block_s=settings.max_duration_s + 1.0,
            decode_timeout_s=settings.decode_timeout_s * blocks,
        )

    def _options(self, todo: list[tuple[int, p.Item]], can: Capabilities) -> Options:
        """A resumed recording goes on in the language it was found to be in.

        What is decoded of a file is settled when the engine gets its clips.
        """
        options = replace(self.spec.options, audio_track=None, channels=None)
        alone = len(todo) == 1 and not can.whole_recordings
        if options.language is None and alone and todo[0][1].language:
            return replace(options, language=todo[0][1].language)
        return options

    def _say_placed(self, keys: Sequence[int], lent: ModelLease, options: Options) -> None:
        self._emit(p.BatchPlaced(self._batch_id, lent.load_s))
        for key in keys:
            self.places.learned(key, device=lent.loaded.device)
        for text in (
            *lent.loaded.notices,
            *lent.notices,
            *not_honoured(lent.engine, options, self._stage_options),
        ):
            self.places.report_all(keys, p.WarningRaised.of(text))

    # -------------------------------------------------------------- source to engine

    def _clips(
        self, source: Iterable[Piece[Clip]], can: Capabilities
    ) -> Iterator[tuple[int, Clip]]:
        for piece in source:
            key = piece.key
            if isinstance(piece, DecodeStarted):
                self.places.report(key, p.StageChanged(stage=Stage.DECODING))
            elif isinstance(piece, Reported):
                self.places.report(key, p.WarningRaised.of(piece.text, piece.audio_missing))
            elif isinstance(piece, DecodeFailed):
                self._undecoded(key, piece.error)
            elif isinstance(piece, EmptyAudio):
                self.places.end(
                    key, p.RecordingCompleted(duration_s=self.places[key].item.resume_from_s)
                )
            elif not self.places[key].ended:
                clip = self.places.take(key, piece.clip, piece.last)
                self._begin(key, can)
                yield key, clip

    def _begin(self, key: int, can: Capabilities) -> None:
        place = self.places[key]
        if not place.begun:
            place.begun = True
            # An engine that sends the audio away says itself what it is doing.
            if not can.needs_network:
                self.places.report(key, p.StageChanged(stage=Stage.TRANSCRIBING))

    def _undecoded(self, key: int, error: Exception | None) -> None:
        if error is None or self.places.canceled(key):
            self.places.end(key, p.RecordingCanceled())
        else:
            self.places.end(key, p.RecordingFailed(error=as_info(error)))

    # --------------------------------------------------------------- engine to world

    def _take(self, key: int, event: Heard | ClipDone | Exception) -> None:
        place = self.places[key]
        if place.ended or not place.spans:
            return
        span = place.spans[0]
        match event:
            case Segment():
                self._segment(key, place, shifted(event, span))
            case WithheldSegment():
                self.places.report(key, p.TextWithheld(withheld=shifted(event, span)))
            case Progress(done_s):
                place.done_s = max(place.done_s, span.start_s + done_s)
                self.places.report(key, p.ProgressAdvanced(done_s=span.start_s + done_s))
            case Language(code, probability):
                place.language = code
                self.places.learned(key, language=code, language_probability=probability)
            case EngineWarning(text):
                self.places.report(key, p.WarningRaised.of(text))
            case StageUpdate(stage, percentage):
                self.places.report(key, p.StageChanged(stage=stage, percentage=percentage))
            case CheckpointUpdate(note):
                self._remember(key, place, note)
            case ClipDone():
                self._clip_done(key, place, span)
            case Exception():
                self._error(key, event)

    def _error(self, key: int, error: Exception) -> None:
        if self.places.canceled(key):
            self.places.end(key, p.RecordingCanceled())
        elif isinstance(error, TOO_MUCH):
            self.troubled = key
            raise error
        else:
            self.places.end(key, p.RecordingFailed(error=as_info(error)))

    def _segment(self, key: int, place: RecordingCursor, segment: Segment) -> None:
        if not (math.isfinite(segment.start_s) and math.isfinite(segment.end_s)):
            error = EngineFailed(UserMessage("impossible_times", text=repr(segment)))
            self.places.end(key, p.RecordingFailed(error=error.info()))
            return
        self.places.report(key, p.SegmentTranscribed(index=place.next_index, segment=segment))
        place.next_index += 1
        place.done_s = max(place.done_s, segment.end_s)

    def _remember(self, key: int, place: RecordingCursor, note: str) -> None:
        place.item = structs.replace(place.item, note=note or None)
        self.places.report(key, p.CheckpointSaved(note=note))
        if not self._journalled(place.item.recording_id, place.item.attempt):
            # The engine must not go on, and cleans up as after a cancel.
            self._cancels.add((place.item.recording_id, place.item.attempt))
            lost = EngineFailed(UserMessage("note_lost"))
            self.places.end(key, p.RecordingFailed(error=lost.info()))

    def _clip_done(self, key: int, place: RecordingCursor, span: ClipSpan) -> None:
        place.spans.pop(0)
        if self.places.canceled(key):
            self.places.end(key, p.RecordingCanceled())
        elif span.last:
            self.places.end(
                key, p.RecordingCompleted(duration_s=span.end_s, peak_bytes=peak_bytes())
            )
        else:
            place.done_s = max(place.done_s, span.end_s)
            self.places.report(key, p.ProgressAdvanced(done_s=span.end_s))


def not_honoured(
    engine: Engine, options: Options, stage_options: Collection[str] = ()
) -> Iterator[str]:
    """One line for each option that was set and that nobody knows, engine or stage after it."""
    entry = _known_options(engine.capabilities).union(stage_options)
    for name, value in options.given().items():
        if name not in entry:
            text = _value_text(value)
            yield UserMessage("not_honoured", engine=engine.name, option=name, value=text)


def _value_text(value: object) -> str:
    """As people gave it; of known voices only the names, as their files are nobody's business."""
    if isinstance(value, tuple):
        value = tuple(v.name if isinstance(v, KnownVoice) else v for v in value)
    return repr(value)


def _known_options(capabilities: Capabilities) -> frozenset[str]:
    extra = {"silence_guard", "audio_track", "postprocess"}
    if capabilities.by_channel:
        extra.add("channels")
    if capabilities.compute_types:
        extra.add("compute_type")
    if capabilities.translates:
        extra.add("task")
    if capabilities.word_timestamps:
        extra.add("word_timestamps")
    return capabilities.options | extra
