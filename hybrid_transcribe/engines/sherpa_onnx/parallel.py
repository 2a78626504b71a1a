"""Pieces of several clips recognised side by side, and told clip by clip, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field, replace
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.common.chunking import AudioPiece, pieces
from hybrid_transcribe.engines.common.hallucinations import (
    SPEECH_PROBABILITY,
    loud_enough,
    soundless,
)
from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted, Undetected
from hybrid_transcribe.engines.common.silero_vad import speech_probabilities
from hybrid_transcribe.engines.sherpa_onnx.recognizer import Recognition, Recognizer
from hybrid_transcribe.engines.sherpa_onnx.request import RecognitionPlan
from hybrid_transcribe.engines.sherpa_onnx.segments import segments_of
from hybrid_transcribe.interfaces import ClipDone, EngineWarning, Heard, Language, Progress
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import RATE_HZ, Clip, Options

Samples = npt.NDArray[np.float32]

#: Pieces in line for each thread, so that none is idle while a reader is slow.
_PIECES_AHEAD = 4

#: Most clips begun at once, and most seconds of them: they are in memory.
_MAX_CLIPS, _MAX_CLIPS_S = 64, 45 * 60.0

#: How often a reader that waits asks whether its recording was canceled, in seconds.
_POLL_S = 0.1

#: Stretches of a clip shorter than this hold no word, in seconds.
_MIN_PIECE_S = 0.1


@dataclass(frozen=True, slots=True)
class _PieceResult:
    piece: AudioPiece
    recognition: Future[Recognition]


@dataclass(slots=True)
class ClipRecognition:
    """One clip: cut and recognised by the pool from `start` on, read in order by iterating.

    Iterating gives what `listen` wants, and raises Interrupted once ``canceled`` says so.
    """

    clip: Clip
    plan: RecognitionPlan
    options: Options
    recognizer: Recognizer
    pool: Executor
    canceled: Callable[[], bool]
    _stopped: bool = False
    _cutting: Future[None] | None = None
    _submitted: list[Future[Recognition]] = field(default_factory=list)
    # In order; None is the end of it.
    _results: SimpleQueue[_PieceResult | None] = field(default_factory=SimpleQueue)

    def start(self) -> None:
        """Have it recognised from now on. A second call does nothing."""
        if self._cutting is None:
            self._cutting = self.pool.submit(self._cut)
            results = self._results
            self._cutting.add_done_callback(lambda _: results.put(None))

    def stop(self) -> None:
        """Nobody reads on: pieces that have not begun are dropped."""
        self._stopped = True
        for future in tuple(self._submitted):
            future.cancel()

    def join(self) -> None:
        """Wait for what runs: at most one piece a thread once it was stopped."""
        wait([self._cutting] if self._cutting else [])
        wait(tuple(self._submitted))

    @property
    def n_waiting(self) -> int:
        """Pieces that are not recognised yet, as far as they are known."""
        cutting = self._cutting is None or not self._cutting.done()
        return cutting + sum(not future.done() for future in tuple(self._submitted))

    def __iter__(self) -> Iterator[Any]:
        self.start()
        assert self._cutting is not None
        language = self.plan.announced or self.plan.language
        if self.plan.announced is not None:
            yield Language(self.plan.announced)
        unwritten: list[AudioPiece] = []
        untimed = False
        while (result := self._next()) is not None:
            if result.piece.disputed:
                yield Undetected(result.piece.start_s, result.piece.end_s)
            recognition = self._wait(result.recognition)
            if language is None and recognition.language and recognition.text:
                language = recognition.language
                yield Language(language)
            if not recognition.text and self._has_voice(result.piece):
                unwritten.append(result.piece)
            untimed = untimed or bool(recognition.text and not recognition.starts_s)
            yield from segments_of(
                recognition,
                result.piece.start_s,
                result.piece.end_s,
                with_words=self.options.word_timestamps,
            )
            yield Progress(result.piece.end_s)
        self._wait(self._cutting)
        yield from self._notices(unwritten, untimed)

    def _notices(self, unwritten: list[AudioPiece], untimed: bool) -> Iterator[EngineWarning]:
        if untimed and self.options.word_timestamps:
            yield EngineWarning(UserMessage("no_word_times"))
        if unwritten:
            # sherpa-onnx also answers with an empty text where its runtime failed.
            yield EngineWarning(
                UserMessage("unwritten", count=len(unwritten), at=unwritten[0].start_s)
            )

    def _next(self) -> _PieceResult | None:
        while True:
            try:
                return self._results.get(timeout=_POLL_S)
            except Empty:
                self._raise_if_canceled()

    def _wait(self, future: Future[Any]) -> Any:
        while not wait([future], _POLL_S).done:
            self._raise_if_canceled()
        if future.cancelled():
            raise DecodingInterrupted
        return future.result()

    def _raise_if_canceled(self) -> None:
        if self._stopped or self.canceled():
            raise DecodingInterrupted

    def _has_voice(self, piece: AudioPiece) -> bool:
        samples = self._samples(piece)
        if soundless(samples):
            return False
        return bool(speech_probabilities(loud_enough(samples)).max() >= SPEECH_PROBABILITY)

    # ------------------------------------------------------------------ in the pool

    def _cut(self) -> None:
        for start_s, end_s in self.plan.stretches:
            samples = self._samples(AudioPiece(start_s, end_s))
            for piece in pieces(samples, always=bool(self.options.vad_filter)):
                self._raise_if_canceled()
                self._submit(
                    replace(piece, start_s=start_s + piece.start_s, end_s=start_s + piece.end_s)
                )

    def _submit(self, piece: AudioPiece) -> None:
        if piece.end_s - piece.start_s < _MIN_PIECE_S:
            return
        future = self.pool.submit(self._recognize, piece)
        self._submitted.append(future)
        self._results.put(_PieceResult(piece, future))

    def _recognize(self, piece: AudioPiece) -> Recognition:
        self._raise_if_canceled()
        return self.recognizer.recognize(self._samples(piece))

    def _samples(self, piece: AudioPiece) -> Samples:
        first, end = round(piece.start_s * RATE_HZ), round(piece.end_s * RATE_HZ)
        return self.clip.samples[first:end]


@dataclass(slots=True)
class _BegunClip:
    key: int
    clip: Clip
    recognition: ClipRecognition
    events: Iterator[Heard]


@dataclass(slots=True)
class ParallelRecognition:
    """Several clips begun ahead, the first of which is being read.

    ``begin`` makes a clip's recognition and what `listen` gives of it; it may raise.
    """

    begin: Callable[[int, Clip], tuple[ClipRecognition, Iterator[Heard]]]
    n_threads: int
    _begun: deque[_BegunClip] = field(default_factory=deque)

    def run(
        self, clips: Iterable[tuple[int, Clip]]
    ) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        """As `Engine.transcribe_many`."""
        source = iter(clips)
        exhausted = False
        try:
            while not exhausted or self._begun:
                while not exhausted and self._has_room():
                    following = next(source, None)
                    exhausted = following is None
                    if following is not None:
                        yield from self._begin(*following)
                if self._begun:
                    yield from self._read_first()
        finally:
            for begun in self._begun:
                begun.recognition.stop()
            # The next call may choose another language, which no running piece must see.
            for begun in self._begun:
                begun.recognition.join()

    def _has_room(self) -> bool:
        """True while the pool could run out of work."""
        length_s = sum(begun.clip.duration_s for begun in self._begun)
        if len(self._begun) >= _MAX_CLIPS or length_s >= _MAX_CLIPS_S:
            return False
        waiting = sum(begun.recognition.n_waiting for begun in self._begun)
        return waiting < _PIECES_AHEAD * self.n_threads

    def _begin(self, key: int, clip: Clip) -> Iterator[tuple[int, Exception]]:
        try:
            recognition, event = self.begin(key, clip)
        except Exception as error:
            yield key, error
            return
        self._begun.append(_BegunClip(key, clip, recognition, event))

    def _read_first(self) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        """The next that the first clip says; its end makes the second one the first."""
        first = self._begun[0]
        outcome: Heard | ClipDone | Exception
        try:
            outcome = next(first.events, ClipDone())
        except Exception as error:
            outcome = error
        if isinstance(outcome, ClipDone | Exception):
            self._begun.popleft().recognition.stop()
        yield first.key, outcome
