"""One clip on its way: started at once, read in order while its pieces are heard side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.faster_whisper.trimmed.cuts import Piece, pieces
from hybrid_transcribe.engines.faster_whisper.trimmed.ear import Ear, Heard, Speaker, Window
from hybrid_transcribe.engines.listening.listen import Interrupted
from hybrid_transcribe.interfaces import Language, Progress
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: How often a reader that waits looks whether its recording was cancelled, in seconds.
LOOK_S = 0.1


#: Pieces that wait for each thread before the one that finds them hears one itself: the others
#: never run dry, and the search for speech in a long clip is spread over all of its time.
FOUND = 4


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece to be heard by whoever comes first."""

    piece: Piece
    hear: Callable[[], list[Heard]]
    heard: Future[list[Heard]] = field(default_factory=Future)

    @property
    def waits(self) -> bool:
        """Nobody hears it yet."""
        return not (self.heard.running() or self.heard.done())


class Hearing:
    """Gives a clip's language and segments, as `listen` wants them.

    ``crew``, of ``n_threads`` threads, hears the pieces. Where ``language`` is None it is
    detected in the first piece. ``always_cut`` looks for silence in short clips too.
    """

    def __init__(
        self,
        ear: Ear,
        crew: Executor,
        n_threads: int,
        samples: Samples,
        language: str | None,
        cancelled: Callable[[], bool],
        *,
        always_cut: bool = False,
    ) -> None:
        self._ear, self._crew, self._samples = ear, crew, samples
        self._most_found = FOUND * n_threads
        self._language, self._asked_to_stop = language, cancelled
        self._always_cut = always_cut
        self._stopped = False
        self._claiming = Lock()
        self._parts: list[_Part] = []
        self._plan: Future[None] | None = None
        # What there is to tell, in order; None is the end of it.
        self._to_tell: SimpleQueue[Language | _Part | None] = SimpleQueue()

    def start(self) -> None:
        """Have it heard from now on. Twice is once."""
        if self._plan is None:
            self._plan = self._crew.submit(self._begin)
            self._plan.add_done_callback(lambda _: self._to_tell.put(None))

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
            yield from self._wait(what.heard)
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
        language, probability, window = self._ear.language(self._of(first))
        self._to_tell.put(Language(language, probability))
        return self._ear.speaker_of(language), window

    def _hand_out(self, piece: Piece, speaker: Speaker, window: Window | None) -> None:
        part = _Part(piece, lambda: self._hear(piece, speaker, window))
        self._parts.append(part)
        self._to_tell.put(part)
        if self._is_all(piece):
            # Nothing to share out, and no second wait in the line.
            self._do(part)
            return
        self._crew.submit(self._do, part)
        waiting = [one for one in tuple(self._parts) if one.waits]
        if len(waiting) >= self._most_found:
            self._do(waiting[0])

    def _do(self, part: _Part) -> None:
        """Hear a piece, unless somebody does or nobody wants it any more."""
        with self._claiming:
            if not part.waits or not part.heard.set_running_or_notify_cancel():
                return
        try:
            part.heard.set_result(part.hear())
        except BaseException as error:
            part.heard.set_exception(error)

    def _is_all(self, piece: Piece) -> bool:
        return piece.start_s == 0 and int(piece.end_s * RATE_HZ) >= len(self._samples)

    def _hear(self, piece: Piece, speaker: Speaker, window: Window | None) -> list[Heard]:
        return self._ear.hear(self._of(piece), piece.start_s, speaker, self._cancelled, window)

    def _of(self, piece: Piece) -> Samples:
        return self._samples[int(piece.start_s * RATE_HZ) : int(piece.end_s * RATE_HZ)]
