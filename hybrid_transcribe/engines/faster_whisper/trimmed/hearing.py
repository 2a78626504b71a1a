"""One clip on its way: started at once, read in order while its pieces are heard side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.faster_whisper.trimmed.ear import Ear, Heard, Speaker, Window
from hybrid_transcribe.engines.listening.cuts import Piece, pieces
from hybrid_transcribe.engines.listening.listen import Interrupted, Undetected
from hybrid_transcribe.engines.listening.times import within
from hybrid_transcribe.interfaces import Language, Progress
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: How often a reader that waits looks whether its recording was cancelled, in seconds.
LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class _Part:
    piece: Piece
    heard: Future[list[Heard]]


class Hearing:
    """Gives a clip's language and segments, as `listen` wants them.

    ``crew`` hears the pieces. Where ``language`` is None it is detected in the first piece.
    ``always_cut`` looks for silence in short clips too.
    """

    def __init__(
        self,
        ear: Ear,
        crew: Executor,
        samples: Samples,
        language: str | None,
        cancelled: Callable[[], bool],
        *,
        always_cut: bool = False,
    ) -> None:
        self._ear, self._crew, self._samples = ear, crew, samples
        self._language, self._asked_to_stop = language, cancelled
        self._always_cut = always_cut
        self._stopped = False
        self._parts: list[_Part] = []
        self._plan: Future[None] | None = None
        # What there is to tell, in order; None is the end of it.
        self._to_tell: SimpleQueue[Language | _Part | None] = SimpleQueue()

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
            part.heard.cancel()

    @property
    def n_waiting(self) -> int:
        """Pieces that are not heard yet, as far as they are known."""
        unknown = self._plan is None or not self._plan.done()
        return unknown + sum(not part.heard.done() for part in tuple(self._parts))

    def __iter__(self) -> Iterator[Any]:
        self.start()
        assert self._plan is not None
        while (what := self._next()) is not None:
            if isinstance(what, Language):
                yield what
                continue
            if what.piece.disputed:
                yield Undetected(what.piece.start_s, what.piece.end_s)
            yield from within(self._wait(what.heard), what.piece.start_s, what.piece.end_s)
            yield Progress(what.piece.end_s)
        self._wait(self._plan)

    def _next(self) -> Language | _Part | None:
        while True:
            try:
                return self._to_tell.get(timeout=LOOK_S)
            except Empty:
                if self._cancelled():
                    raise Interrupted from None

    def _wait(self, future: Future[Any]) -> Any:
        while not wait([future], LOOK_S).done:
            if self._cancelled():
                raise Interrupted
        if future.cancelled():
            raise Interrupted
        return future.result()

    def _cancelled(self) -> bool:
        return self._stopped or self._asked_to_stop()

    # --------------------------------------------------------------------- in the crew

    def _begin(self) -> None:
        """Cut it, find its language, and hand its pieces out as they are found."""
        speaker: Speaker | None = None
        for piece in pieces(self._samples, always=self._always_cut):
            if self._cancelled():
                raise Interrupted
            window = None
            if speaker is None:
                speaker, window = self._speaker(piece)
            self._hand_out(piece, speaker, window)

    def _speaker(self, first: Piece) -> tuple[Speaker, Window | None]:
        """Who speaks: the language given, or that of the first piece, whose window is known."""
        if self._language is not None:
            return self._ear.speaker_of(self._language), None
        language, probability, window = self._ear.language(self._of(first), self._cancelled)
        self._to_tell.put(Language(language, probability))
        return self._ear.speaker_of(language), window

    def _hand_out(self, piece: Piece, speaker: Speaker, window: Window | None) -> None:
        if self._is_all(piece):
            # Nothing to share out, and no second wait in the line.
            heard: Future[list[Heard]] = Future()
            heard.set_result(self._hear(piece, speaker, window))
        else:
            heard = self._crew.submit(self._hear, piece, speaker, window)
        part = _Part(piece, heard)
        self._parts.append(part)
        self._to_tell.put(part)

    def _is_all(self, piece: Piece) -> bool:
        return piece.start_s == 0 and int(piece.end_s * RATE_HZ) >= len(self._samples)

    def _hear(self, piece: Piece, speaker: Speaker, window: Window | None) -> list[Heard]:
        return self._ear.hear(self._of(piece), piece.start_s, speaker, self._cancelled, window)

    def _of(self, piece: Piece) -> Samples:
        return self._samples[int(piece.start_s * RATE_HZ) : int(piece.end_s * RATE_HZ)]
