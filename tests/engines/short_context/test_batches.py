"""What several threads ask of one model is asked in batches, and answered to each."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from faster_whisper.transcribe import get_ctranslate2_storage

from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.engines.faster_whisper.short_context.batches import (
    MAX_STATES,
    Batches,
    CpuBatches,
    GpuBatches,
    batched,
)
from hybrid_transcribe.engines.faster_whisper.short_context.parallelism import wide
from hybrid_transcribe.engines.faster_whisper.short_context.piece_decoder import (
    DecodingContext,
    PieceDecoder,
)
from hybrid_transcribe.types import RATE_HZ
from tests.engines.short_context.fakes import GOOD, FakeModel, FakeOptions, FakeTokenizer

WAIT_S = 20.0


class FakeWhisper:
    """Answers with what a piece's features and prompt say; remembers the batches.

    The first call waits for ``gate``, so that others gather behind it. ``fail`` may raise,
    knowing the marks of a batch.
    """

    device = "cuda"

    def __init__(self, fail: Callable[[list[int]], None] = lambda marks: None) -> None:
        self.gate, self.busy = threading.Event(), threading.Event()
        self.calls: list[tuple[str, list[int], int]] = []
        self._fail = fail

    def encode(self, features: Any, to_cpu: bool = False) -> Any:
        return np.asarray(features)

    def generate(self, encoding: Any, prompts: list[list[int]], **how: Any) -> list[Any]:
        marks = self._called("generate", encoding)
        return [(mark, prompt, how) for mark, prompt in zip(marks, prompts, strict=True)]

    def detect_language(self, encoding: Any) -> list[Any]:
        return [[("<|pt|>", mark)] for mark in self._called("detect_language", encoding)]

    def align(
        self,
        encoding: Any,
        start_sequence: list[int],
        text_tokens: list[list[int]],
        num_frames: list[int],
    ) -> list[Any]:
        self._called("align", encoding)
        return list(zip(text_tokens, num_frames, strict=True))

    def _called(self, what: str, encoding: Any) -> list[int]:
        encoding = np.asarray(encoding)
        marks = [round(float(mark)) for mark in encoding[:, 0, 0]]
        self.calls.append((what, marks, encoding.shape[-1]))
        if not self.busy.is_set():
            self.busy.set()
            assert self.gate.wait(WAIT_S)
        self._fail(marks)
        return marks


class States:
    """What a CPU's encoder gives, shaped like CTranslate2's storage."""

    dtype = "DataType.float32"

    def __init__(self, mark: int, n_states: int) -> None:
        self.shape = [1, n_states, 2]
        self._states = np.full(self.shape, mark, dtype=np.float32)

    def __array__(self, *how: Any, **more: Any) -> Any:
        return self._states


class Asking:
    """Threads that ask; ``first`` keeps the model busy until the gate opens."""

    def __init__(
        self, whisper: FakeWhisper, most: int = 16, kind: type[Batches] = GpuBatches
    ) -> None:
        self.whisper = whisper
        self.batches = kind(whisper, most, lambda error: "memory" in str(error))
        self._threads = ThreadPoolExecutor(40)

    def first(self) -> Future[Any]:
        """Asked, and being answered."""
        window = States(0, 350) if isinstance(self.batches, CpuBatches) else self.window(0)
        requested = self._threads.submit(lambda: self.batches.generate(window, [[1]])[0])
        assert self.whisper.busy.wait(WAIT_S)
        return requested

    def generate(
        self, mark: int, n_frames: int = 700, prompt: tuple[int, ...] = (1,), **how: Any
    ) -> Future[Any]:
        return self.ask(
            lambda: self.batches.generate(self.window(mark, n_frames), [list(prompt)], **how)[0]
        )

    def ask(self, question: Callable[[], Any]) -> Future[Any]:
        """Returns when it is in the line."""
        before = self.batches.n_waiting
        requested = self._threads.submit(question)
        while self.batches.n_waiting == before and not requested.done():
            wait([requested], 0.001)
        return requested

    def window(self, mark: int, n_frames: int = 700) -> Any:
        features = np.full((1, 80, n_frames), mark, dtype=np.float32)
        return self.batches.encode(get_ctranslate2_storage(features))

    def close(self) -> None:
        self.whisper.gate.set()
        self._threads.shutdown()
        self.batches.close()


@pytest.fixture
def asking() -> Iterator[Callable[..., Asking]]:
    """Makes them, and ends them."""
    items: list[Asking] = []

    def make(whisper: FakeWhisper | None = None, **how: Any) -> Asking:
        items.append(Asking(whisper or FakeWhisper(), **how))
        return items[-1]

    yield make
    for item in items:
        item.close()


def answers(asked: list[Future[Any]]) -> list[Any]:
    return [item.result(WAIT_S) for item in asked]


def test_what_waits_is_asked_at_once(asking: Callable[..., Asking]) -> None:
    """As many as a batch may have; everyone gets the answer to what they asked."""
    all_of_them = asking(most=4)
    first = all_of_them.first()
    items = [all_of_them.generate(mark, prompt=(mark, 7), beam_size=5) for mark in range(1, 7)]
    all_of_them.whisper.gate.set()

    assert answers([first]) == [(0, [1], {})]
    assert answers(items) == [(mark, [mark, 7], {"beam_size": 5}) for mark in range(1, 7)]
    assert [marks for _, marks, _ in all_of_them.whisper.calls] == [[0], [1, 2, 3, 4], [5, 6]]


def test_only_pieces_of_one_length_go_together(asking: Callable[..., Asking]) -> None:
    """A full batch first, then the oldest piece with those of its length: nothing is padded."""
    all_of_them = asking(most=2)
    all_of_them.first()
    lengths = {1: 1000, 2: 3000, 3: 1100, 4: 3000, 5: 1000, 6: 1000}
    items = [all_of_them.generate(mark, n) for mark, n in lengths.items()]
    all_of_them.whisper.gate.set()
    answers(items)

    batches = [(marks, n_frames) for _, marks, n_frames in all_of_them.whisper.calls[1:]]
    assert batches == [([1, 5], 1000), ([2, 4], 3000), ([3], 1100), ([6], 1000)]


def test_only_equal_questions_share_a_batch(asking: Callable[..., Asking]) -> None:
    """Another temperature, a prompt of another length and another call go by themselves."""
    all_of_them = asking()
    all_of_them.first()
    batches, window = all_of_them.batches, all_of_them.window
    items = [
        all_of_them.generate(1, temperature=0.0),
        all_of_them.generate(2, temperature=0.2),
        all_of_them.generate(3, prompt=(1, 2), temperature=0.0),
        all_of_them.ask(lambda: batches.detect_language(window(4))[0]),
        all_of_them.ask(lambda: batches.align(window(5), [1], [[8, 9]], 300)[0]),
        all_of_them.ask(lambda: batches.detect_language(window(6))[0]),
        all_of_them.generate(7, temperature=0.0),
    ]
    all_of_them.whisper.gate.set()
    result = answers(items[3:6])

    assert [marks for _, marks, _ in all_of_them.whisper.calls] == [
        [0], [1, 7], [2], [3], [4, 6], [5],
    ]  # fmt: skip
    assert result == [[("<|pt|>", 4)], ([8, 9], 300), [("<|pt|>", 6)]]


def test_too_little_memory_halves_the_batch(asking: Callable[..., Asking]) -> None:
    """Nothing is lost, later batches are small from the beginning, and people are told once."""

    def at_most_5(marks: list[int]) -> None:
        if len(marks) > 5:
            raise RuntimeError("CUDA failed with error out of memory")

    all_of_them = asking(FakeWhisper(at_most_5))
    all_of_them.first()
    items = [all_of_them.generate(mark) for mark in range(1, 21)]
    all_of_them.whisper.gate.set()

    assert [mark for mark, _, _ in answers(items)] == list(range(1, 21))
    assert all_of_them.batches.most == 4
    assert len(all_of_them.whisper.calls[-1][1]) == 4
    lines = ["Not enough memory for 8 pieces at once: 4 from now on."]
    assert [all_of_them.batches.news(), all_of_them.batches.news()] == [lines, []]


def test_one_bad_piece_sinks_no_other(asking: Callable[..., Asking]) -> None:
    """Where a batch fails, each is asked alone; what fails then has the library's own error."""

    def not_3(marks: list[int]) -> None:
        if 3 in marks:
            raise ValueError("broken")

    all_of_them = asking(FakeWhisper(not_3))
    all_of_them.first()
    items = [all_of_them.generate(mark) for mark in range(1, 6)]
    all_of_them.whisper.gate.set()
    errors = [item.exception(WAIT_S) for item in items]

    assert [str(error) if error else None for error in errors] == [None, None, "broken", None, None]
    assert all_of_them.batches.most == 16


def test_a_piece_too_large_by_itself_fails(asking: Callable[..., Asking]) -> None:
    """There is nothing to halve: the worker loads the model in a smaller way."""

    def never(marks: list[int]) -> None:
        raise RuntimeError("out of memory")

    whisper = FakeWhisper(never)
    whisper.gate.set()
    error = asking(whisper).generate(1).exception(WAIT_S)

    assert str(error) == "out of memory"


def test_what_is_no_question_is_the_model_s(asking: Callable[..., Asking]) -> None:
    """The library looks at where it is, and at more."""
    assert asking().batches.device == "cuda"


class Library(FakeModel):
    """Asks its model, and goes on after four seconds of what is longer than a window of ten."""

    def __init__(self, whisper: FakeWhisper) -> None:
        super().__init__(GOOD)
        self.model = whisper

    def encode(self, features: Any) -> Any:
        return self.model.encode(get_ctranslate2_storage(features[None]))

    def generate_with_fallback(self, encoding: Any, *how: Any) -> tuple[Any, float, float, float]:
        self.model.generate(encoding, [[1]])
        return SimpleNamespace(sequences_ids=[GOOD], no_speech_prob=0.0), -0.3, 0.0, 1.2

    def _split_segments_by_timestamps(self, **how: Any) -> tuple[list[dict[str, Any]], int, bool]:
        n_frames, seek = how["segment_size"], how["seek"]
        cut, _, whole = super()._split_segments_by_timestamps(**how)
        return cut, seek + (400 if n_frames > 500 else n_frames), whole


def test_a_piece_comes_back_for_another_round(asking: Callable[..., Asking]) -> None:
    """It waits in line again, with whatever else is there by then."""
    whisper = FakeWhisper()
    all_of_them = asking(whisper)
    all_of_them.first()
    model = batched(Library(whisper), all_of_them.batches)
    speaker = DecodingContext(FakeTokenizer(), FakeOptions())

    def hear(seconds: int) -> list[float]:
        samples = np.full(seconds * RATE_HZ, 0.1, dtype=np.float32)
        piece_decoder = PieceDecoder(model, {}, step_s=5.0).hear(
            samples, 100.0, speaker, lambda: False
        )
        return [item.start for item in piece_decoder]

    items = [all_of_them.ask(lambda s=seconds: hear(s)) for seconds in (7, 6)]  # type: ignore[misc]
    whisper.gate.set()

    assert answers(items) == [[100.0, 104.0], [100.0, 104.0]]
    calls = [(len(marks), n_frames) for _, marks, n_frames in whisper.calls[1:]]
    assert calls[0] == (2, 1500)
    # The second round begins for each when its features are ready.
    assert calls[1:] in ([(2, 1000)], [(1, 1000), (1, 1000)])


def test_a_cpu_decodes_encoded_pieces_together(asking: Callable[..., Asking]) -> None:
    """Those of one length, and fewer of long ones: their keys and values are in memory."""
    cpu = asking(most=8, kind=CpuBatches)
    long = MAX_STATES // 2
    first = cpu.first()

    def generate(mark: int, n_states: int) -> Future[Any]:
        return cpu.ask(lambda: cpu.batches.generate(States(mark, n_states), [[mark]])[0])

    marks = [(1, 400), (2, long), (3, 400), (4, long), (5, long), (6, 500)]
    items = [generate(mark, n_states) for mark, n_states in marks]
    cpu.whisper.gate.set()

    assert answers([first]) == [(0, [1], {})]
    assert answers(items) == [(mark, [mark], {}) for mark, _ in marks]
    batches = [result for _, result, _ in cpu.whisper.calls]
    assert batches == [[0], [2, 4], [1, 3], [5], [6]]


def test_pieces_are_encoded_before_few_are_decoded(asking: Callable[..., Asking]) -> None:
    """A batch that is not full waits for those that come."""
    cpu = asking(most=8, kind=CpuBatches)
    first = cpu.first()
    order: list[str] = []
    encode = cpu.whisper.encode
    cpu.whisper.encode = lambda *given: (order.append("encode"), encode(*given))[1]  # type: ignore[method-assign]
    cpu.whisper._fail = lambda marks: order.append(f"decode {marks}")
    item = cpu.ask(lambda: cpu.batches.generate(States(1, 400), [[1]])[0])
    encoders = [
        cpu._threads.submit(cpu.batches.encode, np.zeros((1, 80, 700), np.float32))
        for _ in range(2)
    ]
    while len(cpu.batches._encoders) < 2:
        wait(encoders, 0.001)
    cpu.whisper.gate.set()
    answers([first, item, *encoders])

    assert order == ["decode [0]", "encode", "encode", "decode [1]"]


def test_who_is_canceled_waits_for_nothing(asking: Callable[..., Asking]) -> None:
    """Neither for a slot nor for a batch, though the model is busy."""
    cpu = asking(kind=CpuBatches)
    cpu.first()
    canceled = threading.Event()

    def interrupted(call: Callable[[], Any]) -> Future[Any]:
        def run() -> Any:
            with cpu.batches.interruptible(canceled.is_set):
                return call()

        return cpu._threads.submit(run)

    items = [
        interrupted(lambda: cpu.batches.generate(States(1, 350), [[1]])),
        interrupted(lambda: cpu.batches.encode(np.zeros((1, 80, 700), np.float32))),
    ]
    canceled.set()
    assert [type(item.exception(WAIT_S)) for item in items] == [
        DecodingInterrupted,
        DecodingInterrupted,
    ]
    assert cpu.batches.n_waiting == 0


def test_each_device_has_its_batches() -> None:
    """A CPU decodes as many batches side by side as it has cores, a GPU one large one."""
    cpu, gpu = wide(4, "cpu"), wide(4, "gpu")
    assert (cpu.replicas, cpu.threads, cpu.batch, cpu.n_ears) == (4, 1, 8, 48)
    assert (gpu.replicas, gpu.batch, gpu.n_ears) == (1, 16, 48)
