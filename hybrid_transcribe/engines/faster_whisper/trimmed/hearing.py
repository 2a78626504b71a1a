"""One clip on its way: started at once, read in order while its pieces are heard side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
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
        self._found: Language | None = None
        self._parts: list[tuple[Piece, Future[list[Heard]]]] = []
        self._plan: Future[None] | None = None

    def start(self) -> None:
        """Have it heard from now on. Twice is once."""
        if self._plan is None:
            self._plan = self._crew.submit(self._begin)

    def stop(self) -> None:
        """Nobody reads on: what is not begun is not heard."""
        self._stopped = True
        for _, future in tuple(self._parts):
            future.cancel()

    @property
    def n_waiting(self) -> int:
        """Pieces that are not heard yet, as far as they are known."""
        if self._plan is None or not self._plan.done():
            return 1
        return sum(not future.done() for _, future in self._parts)

    def __iter__(self) -> Iterator[Any]:
        self.start()
        assert self._plan is not None
        self._wait(self._plan)
        if self._found is not None:
            yield self._found
        for piece, future in self._parts:
            yield from self._wait(future)
            yield Progress(piece.end_s)

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
        """Cut it, find its language, and hand its pieces out."""
        if self._cancelled():
            raise Interrupted
        cut = pieces(self._samples, always=self._always_cut)
        if not cut:
            return
        language, window = self._language, None
        if language is None:
            language, probability, window = self._ear.language(self._of(cut[0]))
            self._found = Language(language, probability)
        speaker = self._ear.speaker_of(language)
        if len(cut) == 1:
            # Nothing to share out, and no second wait in the line.
            done: Future[list[Heard]] = Future()
            done.set_result(self._hear(cut[0], speaker, window))
            self._parts = [(cut[0], done)]
            return
        self._parts = [
            (piece, self._crew.submit(self._hear, piece, speaker, None if i else window))
            for i, piece in enumerate(cut)
        ]

    def _hear(self, piece: Piece, speaker: Speaker, window: Window | None) -> list[Heard]:
        return self._ear.hear(self._of(piece), piece.start_s, speaker, self._cancelled, window)

    def _of(self, piece: Piece) -> Samples:
        return self._samples[int(piece.start_s * RATE_HZ) : int(piece.end_s * RATE_HZ)]
