"""Pieces of several recordings heard side by side, and told recording by recording."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

from hybrid_transcribe.engines.common.hallucinations import soundless, steady
from hybrid_transcribe.engines.common.postprocess import postprocess
from hybrid_transcribe.engines.faster_whisper.request import FasterWhisperRequest
from hybrid_transcribe.engines.faster_whisper.short_context.clip_transcription import (
    ClipTranscription,
)
from hybrid_transcribe.engines.faster_whisper.short_context.multilingual_transcription import (
    MultilingualTranscription,
)
from hybrid_transcribe.engines.faster_whisper.short_context.piece_decoder import PieceDecoder
from hybrid_transcribe.engines.faster_whisper.short_context.silence_padding import SilencePadding
from hybrid_transcribe.interfaces import ClipDone, EngineWarning, Heard, Language
from hybrid_transcribe.types import Clip, Options

#: Pieces that wait for each thread, so that none is idle while another takes long: a second look
#: at 20 s of sound is as much work as fifteen short clips.
AHEAD = 8

#: Most clips begun at once, and most seconds of them: they are in memory. One that takes long keeps
#: those behind it from being told, not from being heard.
MOST_CLIPS, MOST_S = 64, 45 * 60.0

#: A longer clip is begun before it is known whether there is any sound, in seconds: speech is
#: searched for in it first, and where there is none nothing is heard.
LONG_S = 60.0

_OVER = object()


def _nobody_counts(ear: PieceDecoder) -> None: ...


@dataclass(frozen=True, slots=True)
class ParallelTranscriber:
    """Who hears, with what, and how.

    ``threads`` have ``n_threads`` threads, ``request_of`` says how a clip is asked for and may
    raise, ``meaning`` turns a library's error into ours. ``count`` gets each clip's ear in the
    end, ``news`` gives what people should be told since it was asked last, ``tail`` is the
    model's silence, and windows are as long as a multiple of ``step_s``.
    """

    threads: Executor
    n_threads: int
    model: Any
    options: Options
    request_of: Callable[[Clip], FasterWhisperRequest]
    meaning: Callable[[Exception], Exception]
    count: Callable[[PieceDecoder], None] = _nobody_counts
    news: Callable[[], Sequence[str]] = tuple
    tail: SilencePadding | None = None
    step_s: float = 0.0


@dataclass(slots=True)
class _Begun:
    key: int
    clip: Clip
    ear: PieceDecoder
    hearing: ClipTranscription
    events: Iterator[Heard]


def in_order(
    crew: ParallelTranscriber, clips: Iterable[tuple[int, Clip]], canceled: Callable[[int], bool]
) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
    """As `Engine.transcribe_many`: the first clip's segments while those behind it are heard."""
    source, waiting = iter(clips), _Waiting(crew, canceled)
    more = True
    try:
        while True:
            while more and waiting.has_room():
                following = next(source, None)
                more = following is not None
                if following is not None:
                    error = waiting.begin(*following)
                    if error is not None:
                        yield following[0], error
            if not waiting.begun:
                return
            yield from waiting.step()
    finally:
        waiting.stop()


class _Waiting:
    """Clips that are begun, the first of which is being told."""

    def __init__(self, crew: ParallelTranscriber, canceled: Callable[[int], bool]) -> None:
        self._crew, self._canceled = crew, canceled
        self.begun: deque[_Begun] = deque()

    def has_room(self) -> bool:
        """True while the crew could run out of work."""
        if len(self.begun) >= MOST_CLIPS or sum(b.clip.duration_s for b in self.begun) >= MOST_S:
            return False
        return sum(b.hearing.n_waiting for b in self.begun) < AHEAD * self._crew.n_threads

    def begin(self, key: int, clip: Clip) -> Exception | None:
        """Have a clip heard; the error where it cannot even be asked for."""
        crew = self._crew
        try:
            request = crew.request_of(clip)
        except Exception as error:
            return error

        def canceled() -> bool:
            return self._canceled(key)

        ear = PieceDecoder(crew.model, request.arguments, crew.tail, crew.step_s)
        hearing = _transcription(crew, clip, request, ear, canceled)
        if clip.duration_s > LONG_S or not _nothing_in(clip, crew.options):
            hearing.start()
        events = postprocess(
            clip,
            crew.options,
            canceled,
            lambda: _events(crew.model, request, hearing),
            crew.meaning,
            request.notices,
        )
        self.begun.append(_Begun(key, clip, ear, hearing, events))
        return None

    def step(self) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        """The next that the first clip says; its end makes the second one the first."""
        first = self.begun[0]
        try:
            event = next(first.events, _OVER)
        except Exception as error:
            self._end()
            yield first.key, error
            return
        for line in self._crew.news():
            yield first.key, EngineWarning(line)
        if event is _OVER:
            self._end()
            yield first.key, ClipDone()
        else:
            yield first.key, event  # type: ignore[misc]

    def _end(self) -> None:
        over = self.begun.popleft()
        over.hearing.stop()
        self._crew.count(over.ear)

    def stop(self) -> None:
        """Nobody wants the rest."""
        for item in self.begun:
            item.hearing.stop()


def _transcription(
    crew: ParallelTranscriber,
    clip: Clip,
    request: FasterWhisperRequest,
    ear: PieceDecoder,
    canceled: Callable[[], bool],
) -> ClipTranscription:
    """How the clip is transcribed: in one language, or each piece in its own."""
    options, language = crew.options, _language(crew.model, request)
    everything = options.vad_filter is False
    if options.in_several_languages and crew.model.model.is_multilingual:
        return MultilingualTranscription(
            ear,
            crew.threads,
            clip.samples,
            language,
            canceled,
            options.languages or (),
            everything=everything,
        )
    return ClipTranscription(
        ear,
        crew.threads,
        clip.samples,
        language,
        canceled,
        always_cut=bool(options.vad_filter),
        everything=everything,
    )


def _nothing_in(clip: Clip, options: Options) -> bool:
    """True where the silence guard will look first, and it may be that nothing need be heard."""
    return options.silence_guard and (soundless(clip.samples) or steady(clip.samples))


def _language(model: Any, request: FasterWhisperRequest) -> str | None:
    """The language given, or the only one there is."""
    value = request.arguments.get("language")
    if value is None and not model.model.is_multilingual:
        return "en"
    return None if value is None else str(value)


def _events(model: Any, request: FasterWhisperRequest, hearing: ClipTranscription) -> Iterator[Any]:
    """An English-only model says what it found without having looked."""
    if "language" not in request.arguments and not model.model.is_multilingual:
        yield Language("en")
    yield from hearing
