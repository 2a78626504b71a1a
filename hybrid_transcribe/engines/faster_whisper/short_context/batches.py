"""Calls that many threads make of one model, answered in batches.

Each piece is transcribed by a thread of its own; what these threads call on CTranslate2's model
meets here. One `Batches` stands for the model:

* On a GPU sixteen pieces take little more time than one. Encoding is put off until something is
  asked of the encoding, and everything that came while the GPU was busy goes in one call. An
  encoding is not kept for a second call (the language, then the text): to encode again is a small
  part of a GPU's work.
* On a CPU a piece is encoded at once and alone: batches of windows gain nothing. The decoder
  reads all its weights for every token, whether for one piece or for eight: of clips of 6.5 s
  one thread decodes one in 153 ms with tiny.en and 375 ms with base (beam 1), and eight together
  in 80 and 132 ms each; with beam 5 in 245 and 398 ms, and 148 and 255.

**Only pieces of the same length share a call**, and `lengths` gives pieces few lengths. CTranslate2
has no mask for what is behind a piece: padded to its neighbours' length, a piece's text would
depend on its neighbours. With equal lengths, int8 and any composition of the batch (2 to 16 clips,
beam 1 and 5, tiny.en and base), tokens and scores were the same to the last bit; in float32 scores
differ by up to 1.3e-6 and no token did (32 clips, batches of five sizes).

The batch is run by one of the threads that wait for its answers, in one of the model's slots: as
many as CTranslate2 has replicas.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from threading import Condition, local
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper.transcribe import get_ctranslate2_storage

from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.messages import UserMessage

Floats = npt.NDArray[np.float32]

#: States of all pieces of one call on a CPU, at most: their keys and values are in memory, for
#: base 24 KiB a state. Four pieces of 20 s, eight of 8 s.
MAX_STATES = 3000

#: A call is answered after this at the latest, though its batch is not full, in seconds: large
#: models take seconds to encode a piece, and people wait for text.
MAX_WAIT_S = 10.0

#: How often a waiting thread checks whether its recording was canceled, in seconds.
CANCEL_CHECK_S = 0.5


def batched(model: Any, batches: Batches) -> Any:
    """A copy of the library's model that calls ``batches`` instead of CTranslate2's model."""
    other = copy(model)
    other.model = batches
    return other


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """One piece's part of a call of the model.

    ``piece`` are its features or states, shape (1, …); ``length`` how many of them there are.
    ``own`` becomes lists, ``shared`` is equal for all pieces of a batch. CTranslate2 takes
    prompts of one length only: that is ``n_prompt``.
    """

    method: str
    piece: Any
    length: int
    own: dict[str, Any]
    shared: dict[str, Any]
    n_prompt: int = 0
    since_s: float = field(default_factory=time.monotonic)
    answer: Future[Any] = field(default_factory=Future)

    def fits(self, other: Call) -> bool:
        """True where both can go in one call."""
        mine = (self.method, self.length, self.n_prompt, self.shared)
        return mine == (other.method, other.length, other.n_prompt, other.shared)


class Batches:
    """Stands for CTranslate2's Whisper, ``whisper``, in any number of threads.

    At most ``most`` pieces make a batch; half as many for good after an error of which
    ``no_memory`` is true, which `news` reports. ``slots`` is how many calls run side by side.
    """

    def __init__(
        self, whisper: Any, most: int, no_memory: Callable[[Exception], bool], slots: int = 1
    ) -> None:
        self._whisper, self._no_memory = whisper, no_memory
        #: Pieces that make a batch, at most.
        self.most = most
        self._free = slots
        self._calls: list[Call] = []
        # Threads that want to encode, in the order of their coming.
        self._encoders: deque[object] = deque()
        self._changed = Condition()
        self._news: list[str] = []
        self._thread = local()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whisper, name)

    def news(self) -> list[str]:
        """What people should know since the last call of this, one line each."""
        with self._changed:
            news, self._news = self._news, []
        return news

    @property
    def n_waiting(self) -> int:
        """Calls that are in no batch yet."""
        return len(self._calls)

    def close(self) -> None:
        """Drop the model. No thread may wait for an answer any more."""
        self._whisper = None

    @contextmanager
    def interruptible(self, canceled: Callable[[], bool]) -> Iterator[None]:
        """Within this, calls of this thread raise Interrupted while they wait for their turn."""
        self._thread.canceled = canceled
        try:
            yield
        finally:
            del self._thread.canceled

    # ---------------------------------------------------------- as CTranslate2's Whisper

    def encode(self, features: Any, to_cpu: bool = False) -> Any:
        """The encoding of one piece, shape (1, n_mels, n_frames)."""
        raise NotImplementedError

    def detect_language(self, encoding: Any) -> list[Any]:
        """As the library's, of one piece."""
        return [self._answer(self._call("detect_language", encoding, {}, {}))]

    def generate(self, encoding: Any, prompts: Sequence[list[int]], **options: Any) -> list[Any]:
        """As the library's, of one piece and one prompt."""
        call = self._call("generate", encoding, {"prompts": prompts[0]}, options, len(prompts[0]))
        return [self._answer(call)]

    def align(
        self,
        encoding: Any,
        start_sequence: Sequence[int],
        text_tokens: Sequence[list[int]],
        num_frames: int,
        **options: Any,
    ) -> list[Any]:
        """As the library's, of one piece and one text."""
        own = {"text_tokens": text_tokens[0], "num_frames": num_frames}
        shared = {"start_sequence": list(start_sequence), **options}
        return [self._answer(self._call("align", encoding, own, shared))]

    # ------------------------------------------------------------- what devices do apart

    def _call(
        self,
        method: str,
        encoding: Any,
        own: dict[str, Any],
        shared: dict[str, Any],
        n_prompt: int = 0,
    ) -> Call:
        raise NotImplementedError

    def _encoding_of(self, batch: Sequence[Call]) -> Any:
        """What the model is given for a batch."""
        raise NotImplementedError

    def _room_for(self, call: Call) -> int:
        """How many like this make a full batch."""
        return self.most

    # ------------------------------------------------------------------------- turns

    @contextmanager
    def slot(self) -> Iterator[None]:
        """A slot for what is not decoded in batches; full batches go first."""
        ticket = object()
        with self._changed:
            self._encoders.append(ticket)
            try:
                while not (self._free and self._encoders[0] is ticket and not self._full()):
                    self._changed.wait(CANCEL_CHECK_S)
                    self._check_canceled()
                self._free -= 1
            finally:
                self._encoders.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            self._release()

    def _release(self) -> None:
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    def _check_canceled(self) -> None:
        canceled = getattr(self._thread, "canceled", None)
        if canceled is not None and canceled():
            raise DecodingInterrupted

    def _answer(self, call: Call) -> Any:
        """Wait for the answer, running batches meanwhile."""
        with self._changed:
            self._calls.append(call)
            self._changed.notify_all()
        while (batch := self._turn(call)) is not None:
            try:
                self._run(batch)
            finally:
                self._release()
        return call.answer.result()

    def _turn(self, call: Call) -> list[Call] | None:
        """A batch to run, which takes a slot; None when the call has its answer."""
        with self._changed:
            while not call.answer.done():
                batch = self._next()
                if batch:
                    self._calls = [item for item in self._calls if item not in batch]
                    self._free -= 1
                    self._changed.notify_all()
                    return batch
                self._changed.wait(CANCEL_CHECK_S)
                if call in self._calls:
                    self._drop_canceled(call)
        return None

    def _drop_canceled(self, call: Call) -> None:
        try:
            self._check_canceled()
        except DecodingInterrupted:
            self._calls.remove(call)
            raise

    def _next(self) -> list[Call]:
        """The calls that go now; none where it pays to wait for more."""
        if not self._free or not self._calls:
            return []
        full = self._full()
        if full or self._encoders:
            return full
        # Nothing can come to them but from slots that are at work.
        groups = _groups(self._calls)
        first = groups[0]
        n = self._room_for(first[0])
        if len(groups) == 1:
            n = min(n, -(-len(first) // self._free))
        return first[:n]

    def _full(self) -> list[Call]:
        """A batch that waits for nobody: a full one, or one that has waited long enough."""
        for group in _groups(self._calls):
            most = self._room_for(group[0])
            if len(group) >= most or time.monotonic() - group[0].since_s >= MAX_WAIT_S:
                return group[:most]
        return []

    # ----------------------------------------------------------------------- batches

    def _run(self, batch: list[Call]) -> None:
        try:
            answers = self._answers(batch)
        except Exception as error:
            self._failed(batch, error)
            return
        for call, answer in zip(batch, answers, strict=True):
            call.answer.set_result(answer)

    def _failed(self, batch: list[Call], error: Exception) -> None:
        """Again in smaller batches; what fails alone has failed."""
        if len(batch) == 1:
            batch[0].answer.set_exception(error)
            return
        size = 1
        if self._no_memory(error):
            size = len(batch) // 2
            self._at_most(size, len(batch))
        for first in range(0, len(batch), size):
            self._run(batch[first : first + size])

    def _at_most(self, most: int, too_many: int) -> None:
        with self._changed:
            self.most = most
            self._news = [UserMessage("pieces", n=too_many, most=most)]

    def _answers(self, batch: list[Call]) -> list[Any]:
        lists = {name: [call.own[name] for call in batch] for name in batch[0].own}
        method = getattr(self._whisper, batch[0].method)
        answers: list[Any] = method(self._encoding_of(batch), **lists, **batch[0].shared)
        if len(answers) != len(batch):
            raise RuntimeError(f"{len(answers)} answers to {len(batch)} calls")
        return answers


def _groups(calls: Iterable[Call]) -> list[list[Call]]:
    """Calls that can go together, the oldest first."""
    groups: list[list[Call]] = []
    for call in calls:
        group = next((group for group in groups if group[0].fits(call)), None)
        if group is None:
            groups.append([call])
        else:
            group.append(call)
    return groups


@dataclass(frozen=True, slots=True)
class _Features:
    """What will be encoded when it is needed, shape (1, n_mels, n_frames)."""

    features: Floats


class GpuBatches(Batches):
    """Pieces are encoded together, when something is asked of their encoding."""

    def encode(self, features: Any, to_cpu: bool = False) -> _Features:
        """Put off."""
        return _Features(np.array(features))

    def _call(
        self,
        method: str,
        encoding: _Features,
        own: dict[str, Any],
        shared: dict[str, Any],
        n_prompt: int = 0,
    ) -> Call:
        features = encoding.features
        return Call(method, features, features.shape[-1], own, shared, n_prompt)

    def _encoding_of(self, batch: Sequence[Call]) -> Any:
        features = np.concatenate([call.piece for call in batch])
        return self._whisper.encode(get_ctranslate2_storage(features))


class CpuBatches(Batches):
    """Pieces are encoded alone and at once, and decoded together."""

    def encode(self, features: Any, to_cpu: bool = False) -> Any:
        """The encoding, computed in a slot."""
        with self.slot():
            return self._whisper.encode(features, to_cpu)

    def _call(
        self,
        method: str,
        encoding: Any,
        own: dict[str, Any],
        shared: dict[str, Any],
        n_prompt: int = 0,
    ) -> Call:
        return Call(method, encoding, encoding.shape[1], own, shared, n_prompt)

    def _room_for(self, call: Call) -> int:
        # What numpy has no type for (bfloat16) cannot be put together here.
        if call.method != "generate" or str(call.piece.dtype) != "DataType.float32":
            return 1
        return max(1, min(self.most, MAX_STATES // call.length))

    def _encoding_of(self, batch: Sequence[Call]) -> Any:
        if len(batch) == 1:
            return batch[0].piece
        states = np.concatenate([np.asarray(call.piece) for call in batch])
        return get_ctranslate2_storage(states)
