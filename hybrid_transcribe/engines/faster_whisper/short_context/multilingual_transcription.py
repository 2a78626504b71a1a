"""One clip in several languages: each piece is transcribed in its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, Future, InvalidStateError
from dataclasses import replace
from itertools import pairwise
from threading import Lock

from hybrid_transcribe.engines.common.chunking import TURN_S, AudioPiece, pieces
from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.engines.faster_whisper.short_context.clip_transcription import (
    ClipTranscription,
    Part,
    Samples,
)
from hybrid_transcribe.engines.faster_whisper.short_context.contiguous import contiguous
from hybrid_transcribe.engines.faster_whisper.short_context.language_smoothing import (
    LEAST_SURE_S,
    LanguageSmoother,
    among,
)
from hybrid_transcribe.engines.faster_whisper.short_context.piece_decoder import (
    DecodedSegment,
    EncodedWindow,
    PieceDecoder,
)
from hybrid_transcribe.interfaces import Language
from hybrid_transcribe.types import RATE_HZ


class MultilingualTranscription(ClipTranscription):
    """As `ClipTranscription`, where every piece has its own language.

    The clip is cut at every pause in which the speaker may change. ``candidates`` are the
    languages there may be, empty for all. ``language`` is that of unsure pieces at the beginning.
    The language it reports for the clip is that of the first piece in which it is sure.
    """

    def __init__(
        self,
        ear: PieceDecoder,
        crew: Executor,
        samples: Samples,
        language: str | None,
        canceled: Callable[[], bool],
        candidates: Collection[str] = (),
        *,
        everything: bool = False,
    ) -> None:
        super().__init__(ear, crew, samples, language, canceled, everything=everything)
        self._candidates = candidates
        self._smoother = LanguageSmoother(language)
        self._windows: dict[int, EncodedWindow | None] = {}
        self._lock = Lock()
        self._reported = language is not None

    def _begin(self) -> None:
        """Cut it, and have the language of each piece detected.

        Waits for no other task of the crew: all its threads may be here.
        """
        for piece in self._pieces():
            if self._canceled():
                raise DecodingInterrupted
            part = Part(piece, Future())
            self._parts.append(part)
            self._to_tell.put(part)
            self._crew.submit(self._detect, len(self._parts) - 1)
        with self._lock:
            self._submit(self._smoother.close(len(self._parts)))

    def _pieces(self) -> Iterator[AudioPiece]:
        turns = pieces(self._samples, always=True, gap_s=TURN_S)
        return self._without_gaps(list(turns)) if self._everything else turns

    def _without_gaps(self, turns: Sequence[AudioPiece]) -> Iterator[AudioPiece]:
        """All of the clip, cut where a piece begins and where it is quietest."""
        edges = [0, *(int(turn.start_s * RATE_HZ) for turn in turns[1:]), len(self._samples)]
        for first, last in pairwise(edges):
            for piece in contiguous(self._samples[first:last]):
                offset_s = first / RATE_HZ
                yield AudioPiece(offset_s + piece.start_s, offset_s + piece.end_s)

    def _new_languages(self) -> Iterator[Language]:
        if not self._reported and self._smoother.first is not None:
            self._reported = True
            yield Language(*self._smoother.first)

    # --------------------------------------------------------------------- in the crew

    def _detect(self, index: int) -> None:
        piece = self._parts[index].piece
        try:
            if self._canceled():
                raise DecodingInterrupted
            reliable = not piece.disputed and _speech_s(piece) >= LEAST_SURE_S
            probabilities, window = self._ear.language_probabilities(
                self._of(piece), self._canceled, thorough=not piece.disputed
            )
            detected = among(probabilities, self._candidates, reliable)
            with self._lock:
                self._windows[index] = window
                self._submit(self._smoother.add(index, detected))
        except Exception as error:
            # Neighbours may wait for this piece: without its language none of them is decided.
            for part in tuple(self._parts):
                _settle(part, error)

    def _submit(self, decided: Sequence[tuple[int, str]]) -> None:
        for index, language in decided:
            window = self._windows.pop(index)
            self._crew.submit(self._decode, self._parts[index], language, window)

    def _decode(self, part: Part, language: str, window: EncodedWindow | None) -> None:
        try:
            if self._canceled():
                raise DecodingInterrupted
            segments = self._hear(part.piece, self._ear.speaker_of(language), window)
            _settle(part, [replace(segment, language=language) for segment in segments])
        except Exception as error:
            _settle(part, error)


def _speech_s(piece: AudioPiece) -> float:
    """Its speech, without margins and pauses; its length where that was not measured."""
    return piece.end_s - piece.start_s if piece.speech_s is None else piece.speech_s


def _settle(part: Part, result: list[DecodedSegment] | Exception) -> None:
    """Give a part its result, unless it has one or was canceled."""
    try:
        if isinstance(result, Exception):
            part.segments.set_exception(result)
        else:
            part.segments.set_result(result)
    except InvalidStateError:
        pass
