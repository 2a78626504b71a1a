"""One clip on its way: started at once, read in order while its pieces are heard side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.common.chunking import AudioPiece, pieces
from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted, Undetected
from hybrid_transcribe.engines.common.times import within
from hybrid_transcribe.engines.faster_whisper.short_context.contiguous import contiguous
from hybrid_transcribe.engines.faster_whisper.short_context.piece_decoder import (
    SURE_LANGUAGE,
    DecodedSegment,
    DecodingContext,
    EncodedWindow,
    PieceDecoder,
)
from hybrid_transcribe.interfaces import Language, Progress
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: How often a reader that waits looks whether its recording was canceled, in seconds.
LOOK_S = 0.1

#: Pieces in which the language is looked for before the surest of them decides.
MOST_UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class _Detected:
    """A piece, the language found in it with its probability (0..1), and its window."""

    piece: AudioPiece
    language: str
    probability: float
    window: EncodedWindow

    @property
    def is_sure(self) -> bool:
        """False for music and noise: they have a language to Whisper, too."""
        return self.probability >= SURE_LANGUAGE and not self.piece.disputed


@dataclass(frozen=True, slots=True)
class Part:
    """A piece, and its segments once they are there."""

    piece: AudioPiece
    segments: Future[list[DecodedSegment]]


class ClipTranscription:
    """Gives a clip's language and segments, as `listen` wants them.

    ``crew`` hears the pieces. Where ``language`` is None it is that of the first piece in which it
    is sure, or of the surest of the first `MOST_UNKNOWN`: a recording may begin with music.
    ``always_cut`` looks for silence in short clips too, ``everything`` leaves none out.
    """

    def __init__(
        self,
        ear: PieceDecoder,
        crew: Executor,
        samples: Samples,
        language: str | None,
        canceled: Callable[[], bool],
        *,
        always_cut: bool = False,
        everything: bool = False,
    ) -> None:
        self._ear, self._crew, self._samples = ear, crew, samples
        self._language, self._asked_to_stop = language, canceled
        self._always_cut, self._everything = always_cut, everything
        self._stopped = False
        self._parts: list[Part] = []
        self._plan: Future[None] | None = None
        # What there is to tell, in order; None is the end of it.
        self._to_tell: SimpleQueue[Language | Part | None] = SimpleQueue()

    def start(self) -> None:
        """Have it heard from now on. Twice is once."""
        if self._plan is None:
            self._plan = self._crew.submit(self._begin)
            # Without a word of ourselves: a circle would keep the samples until it is found.
            to_tell = self._to_tell
            self._plan.add_done_callback(lambda _: to_tell.put(None))

    def stop(self) -> None:
        """Nobody reads on: what is not begun is not heard."""
        self._stopped = True
        for part in tuple(self._parts):
            part.segments.cancel()

    @property
    def n_waiting(self) -> int:
        """Pieces that are not heard yet, as far as they are known."""
        unknown = self._plan is None or not self._plan.done()
        return unknown + sum(not part.segments.done() for part in tuple(self._parts))

    def __iter__(self) -> Iterator[Any]:
        self.start()
        assert self._plan is not None
        while (item := self._next()) is not None:
            if isinstance(item, Language):
                yield item
                continue
            if item.piece.disputed:
                yield Undetected(item.piece.start_s, item.piece.end_s)
            segments = self._wait(item.segments)
            yield from self._new_languages()
            yield from within(segments, item.piece.start_s, item.piece.end_s)
            yield Progress(item.piece.end_s)
        self._wait(self._plan)

    def _new_languages(self) -> Iterator[Language]:
        """Languages that were found with the piece at hand."""
        return iter(())

    def _next(self) -> Language | Part | None:
        while True:
            try:
                return self._to_tell.get(timeout=LOOK_S)
            except Empty:
                if self._canceled():
                    raise DecodingInterrupted from None

    def _wait(self, future: Future[Any]) -> Any:
        while not wait([future], LOOK_S).done:
            if self._canceled():
                raise DecodingInterrupted
        if future.cancelled():
            raise DecodingInterrupted
        return future.result()

    def _canceled(self) -> bool:
        return self._stopped or self._asked_to_stop()

    # --------------------------------------------------------------------- in the crew

    def _begin(self) -> None:
        """Cut it, find its language, and hand its pieces out as they are found."""
        speaker = None if self._language is None else self._ear.speaker_of(self._language)
        unknown: list[_Detected] = []
        for piece in self._pieces():
            if self._canceled():
                raise DecodingInterrupted
            if speaker is not None:
                self._hand_out(piece, speaker, None)
                continue
            unknown.append(self._detected(piece))
            if unknown[-1].is_sure or len(unknown) == MOST_UNKNOWN:
                speaker = self._decide(unknown)
                unknown = []
        if unknown:
            self._decide(unknown)

    def _pieces(self) -> Iterator[AudioPiece]:
        if self._everything:
            return contiguous(self._samples)
        return pieces(self._samples, always=self._always_cut)

    def _detected(self, piece: AudioPiece) -> _Detected:
        return _Detected(piece, *self._ear.language(self._of(piece), self._canceled))

    def _decide(self, detected: list[_Detected]) -> DecodingContext:
        """The language of the surest piece, in which all of these are then transcribed."""
        surest = max(detected, key=lambda entry: (entry.is_sure, entry.probability))
        self._to_tell.put(Language(surest.language, surest.probability))
        speaker = self._ear.speaker_of(surest.language)
        for item in detected:
            self._hand_out(item.piece, speaker, item.window)
        return speaker

    def _hand_out(
        self, piece: AudioPiece, speaker: DecodingContext, window: EncodedWindow | None
    ) -> None:
        if self._is_all(piece):
            # Nothing to share out, and no second wait in the line.
            segments: Future[list[DecodedSegment]] = Future()
            segments.set_result(self._hear(piece, speaker, window))
        else:
            segments = self._crew.submit(self._hear, piece, speaker, window)
        part = Part(piece, segments)
        self._parts.append(part)
        self._to_tell.put(part)

    def _is_all(self, piece: AudioPiece) -> bool:
        return piece.start_s == 0 and int(piece.end_s * RATE_HZ) >= len(self._samples)

    def _hear(
        self, piece: AudioPiece, speaker: DecodingContext, window: EncodedWindow | None
    ) -> list[DecodedSegment]:
        samples, start_s = self._of(piece), piece.start_s
        return self._ear.hear(samples, start_s, speaker, self._canceled, window, piece.disputed)

    def _of(self, piece: AudioPiece) -> Samples:
        return self._samples[int(piece.start_s * RATE_HZ) : int(piece.end_s * RATE_HZ)]
