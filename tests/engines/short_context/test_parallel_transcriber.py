"""Several recordings side by side, with an ear that does as a test says."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest

from hybrid_transcribe.engines.faster_whisper.request import FasterWhisperRequest
from hybrid_transcribe.engines.faster_whisper.short_context import malloc
from hybrid_transcribe.engines.faster_whisper.short_context import parallel_transcriber as crews
from hybrid_transcribe.engines.faster_whisper.short_context.parallel_transcriber import (
    ParallelTranscriber,
    in_order,
)
from hybrid_transcribe.engines.faster_whisper.short_context.piece_decoder import DecodedSegment
from hybrid_transcribe.errors import EngineFailed
from hybrid_transcribe.interfaces import ClipDone, EngineWarning, Language, Progress
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment

#: Of every ear of a test: what each piece does, by the value of its samples.
Acts = dict[int, Callable[[], None]]


class FakeEar:
    """Says the value of a piece's samples, after doing what the test wants of that piece."""

    acts: ClassVar[Acts] = {}
    #: What it finds in a piece, by its mark; Portuguese in others.
    languages: ClassVar[dict[int, tuple[str, float]]] = {}
    heard: ClassVar[list[int]] = []
    lock = threading.Lock()

    def __init__(
        self, model: Any, arguments: dict[str, Any], tail: Any = None, step_s: float = 0.0
    ) -> None:
        self.language_given = arguments.get("language")

    def language(self, samples: Any, canceled: Any) -> tuple[str, float, None]:
        mark = round(float(samples[1]) * 1000)
        return (*self.languages.get(mark, ("pt", 0.9)), None)

    def speaker_of(self, language: str) -> str:
        return language

    def hear(
        self,
        samples: Any,
        start_s: float,
        speaker: str,
        canceled: Any,
        window: Any = None,
        disputed: bool = False,
    ) -> list[DecodedSegment]:
        mark = round(float(samples[1]) * 1000)
        with self.lock:
            self.heard.append(mark)
        self.acts.get(mark, lambda: None)()
        end_s = start_s + len(samples) / RATE_HZ
        return [DecodedSegment(start_s, end_s, f" {speaker} {mark}", (), -0.2, 0.0, 1.0, 0.0)]


@pytest.fixture
def ear(monkeypatch: pytest.MonkeyPatch) -> type[FakeEar]:
    """In place of the real one."""
    FakeEar.acts, FakeEar.heard, FakeEar.languages = {}, [], {}
    monkeypatch.setattr(crews, "PieceDecoder", FakeEar)
    return FakeEar


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as instance:
        yield instance


def clip(mark: int, seconds: float = 2.0) -> Clip:
    """Noise around a level that tells the pieces apart, loud enough not to be silence."""
    samples = np.full(int(seconds * RATE_HZ), mark / 1000, dtype=np.float32)
    samples[::2000] = 0.9
    return Clip(samples)


def a_crew(threads: ThreadPoolExecutor, **changed: Any) -> ParallelTranscriber:
    model = SimpleNamespace(model=SimpleNamespace(is_multilingual=True))
    options: dict[str, Any] = {
        "threads": threads,
        "n_threads": 2,
        "model": model,
        "options": Options(silence_guard=False),
        "request_of": lambda clip: FasterWhisperRequest({"language": "en"}),
        "meaning": lambda error: EngineFailed(f"{error}"),
    }
    return ParallelTranscriber(**{**options, **changed})


def told(
    parallel_transcriber: ParallelTranscriber, clips: list[tuple[int, Clip]], **how: Any
) -> list[tuple[int, Any]]:
    return list(in_order(parallel_transcriber, clips, how.get("canceled", lambda key: False)))


def texts(found: list[tuple[int, Any]]) -> list[tuple[int, str]]:
    return [(key, item.text) for key, item in found if isinstance(item, Segment)]


def test_each_recording_is_told_whole_and_in_order(
    ear: type[FakeEar], threads: ThreadPoolExecutor
) -> None:
    """Though they are heard side by side, and the first one last."""
    slow, second = threading.Event(), threading.Event()
    ear.acts = {1: lambda: _wait(slow), 2: lambda: (second.set(), slow.set())}
    result = told(a_crew(threads), [(7, clip(1)), (8, clip(2)), (9, clip(3))])
    assert second.is_set()
    assert texts(result) == [(7, "en 1"), (8, "en 2"), (9, "en 3")]
    assert [key for key, item in result if isinstance(item, ClipDone)] == [7, 8, 9]
    assert isinstance(result[-1][1], ClipDone)


def test_a_language_that_was_not_given_is_told_first(
    ear: type[FakeEar], threads: ThreadPoolExecutor
) -> None:
    """And the text is in it."""
    parallel_transcriber = a_crew(threads, request_of=lambda clip: FasterWhisperRequest({}))
    items = [item for _, item in told(parallel_transcriber, [(0, clip(1))])]
    assert items[0] == Language("pt", 0.9)
    assert items[1].text == "pt 1"
    assert isinstance(items[2], Progress)


@pytest.mark.parametrize(
    ("languages", "decided"),
    [
        ({1: ("en", 0.5), 2: ("de", 0.9)}, ("de", 0.9)),
        ({1: ("en", 0.5), 2: ("ja", 0.6), 3: ("fr", 0.55)}, ("ja", 0.6)),
        ({1: ("es", 0.85), 2: ("en", 0.99)}, ("es", 0.85)),
    ],
    ids=["music first", "nothing sure", "sure at once"],
)
def test_the_first_sure_piece_decides_the_language(
    ear: type[FakeEar],
    threads: ThreadPoolExecutor,
    languages: dict[int, tuple[str, float]],
    decided: tuple[str, float],
) -> None:
    """A recording may begin with music or noise, in which Whisper finds some language, too."""
    ear.languages = languages
    parts = [clip(mark, 15.0).samples for mark in (1, 2, 3)]
    options = Options(silence_guard=False, vad_filter=False)
    parallel_transcriber = a_crew(
        threads, options=options, request_of=lambda clip: FasterWhisperRequest({})
    )
    items = [item for _, item in told(parallel_transcriber, [(0, Clip(np.concatenate(parts)))])]

    assert items[0] == Language(*decided)
    assert sum(isinstance(item, Language) for item in items) == 1
    assert {text.split()[0] for _, text in texts([(0, item) for item in items])} == {decided[0]}


def test_news_are_told_with_the_recording_at_hand(
    ear: type[FakeEar], threads: ThreadPoolExecutor
) -> None:
    """Once, before what is said next."""
    news = [["Half as many from now on."]]
    parallel_transcriber = a_crew(threads, news=lambda: news.pop() if news else ())
    result = told(parallel_transcriber, [(3, clip(1)), (4, clip(2))])

    assert result[0] == (3, EngineWarning("Half as many from now on."))
    assert sum(isinstance(item, EngineWarning) for _, item in result) == 1


def test_one_bad_recording_sinks_no_other(ear: type[FakeEar], threads: ThreadPoolExecutor) -> None:
    """Its error is told in its place, with the library's words as one of ours."""

    def fail() -> None:
        raise RuntimeError("broken")

    def request_of(clip: Clip) -> FasterWhisperRequest:
        if len(clip.samples) == RATE_HZ:
            raise ValueError("no such language")
        return FasterWhisperRequest({"language": "en"})

    ear.acts = {2: fail}
    result = told(
        a_crew(threads, request_of=request_of),
        [(0, clip(1)), (1, clip(2)), (2, clip(3, seconds=1)), (3, clip(4))],
    )
    errors = {key: item for key, item in result if isinstance(item, Exception)}
    assert texts(result) == [(0, "en 1"), (3, "en 4")]
    assert isinstance(errors[1], EngineFailed)
    assert str(errors[1]) == "broken"
    assert isinstance(errors[2], ValueError)


def test_a_canceled_recording_lets_the_others_go_on(
    ear: type[FakeEar], threads: ThreadPoolExecutor
) -> None:
    """Its reader does not wait for the piece at hand."""
    gate, canceled = threading.Event(), set[int]()
    ear.acts = {1: lambda: (canceled.add(0), _wait(gate)), 2: gate.set}
    result = told(
        a_crew(threads),
        [(0, clip(1)), (1, clip(2))],
        canceled=lambda key: key in canceled,
    )
    assert texts(result) == [(1, "en 2")]


def test_only_so_many_are_begun(ear: type[FakeEar], threads: ThreadPoolExecutor) -> None:
    """Recordings are taken as the crew can hear them, not all at once into memory."""
    taken: list[int] = []
    gate = threading.Event()
    ear.acts = {mark: lambda: _wait(gate) for mark in range(1, 100)}

    def source() -> Iterator[tuple[int, Clip]]:
        for key in range(1, 100):
            taken.append(key)
            yield key, clip(key)

    result = in_order(a_crew(threads), source(), lambda key: False)
    threading.Timer(0.2, gate.set).start()
    next(result)
    assert len(taken) <= 2 * crews.AHEAD
    assert sum(isinstance(item, ClipDone) for _, item in result) == 99


def test_one_that_takes_long_leaves_the_others_work(
    ear: type[FakeEar], threads: ThreadPoolExecutor
) -> None:
    """A second look at the first is as much work as fifteen short clips, which go on meanwhile."""
    enough = threading.Event()
    ear.acts = {1: lambda: _wait(enough), 15: enough.set}
    result = told(a_crew(threads), [(k, clip(k)) for k in range(1, 20)])
    assert texts(result) == [(k, f"en {k}") for k in range(1, 20)]


def test_who_stops_reading_stops_the_rest(ear: type[FakeEar], threads: ThreadPoolExecutor) -> None:
    """What was not begun is not heard."""
    result = in_order(a_crew(threads), [(k, clip(k)) for k in range(1, 60)], lambda key: False)
    next(result)
    result.close()
    threads.shutdown(wait=True)
    assert len(ear.heard) < 30


def test_a_long_recording_without_sound_is_not_heard(
    ear: type[FakeEar], threads: ThreadPoolExecutor
) -> None:
    """It is begun before anybody looked for sound in it, and then there is nothing to hear."""
    silence = Clip(np.zeros(int(2 * crews.LONG_S) * RATE_HZ, dtype=np.float32))
    result = told(a_crew(threads, options=Options()), [(1, silence)])
    assert [type(item) for _, item in result] == [EngineWarning, Progress, ClipDone]
    assert ear.heard == []


def test_samples_go_with_their_recording(ear: type[FakeEar], threads: ThreadPoolExecutor) -> None:
    """Half an hour is 115 MB: nothing may keep it until the collector comes by."""
    begun = threading.Event()
    ear.acts = {1: lambda: _wait(begun), 2: lambda: _wait(begun)}
    kept: list[weakref.ref[Any]] = []

    def source() -> Iterator[tuple[int, Clip]]:
        for key in (1, 2):
            item = clip(key)
            kept.append(weakref.ref(item.samples))
            yield key, item
        begun.set()

    gc.collect()
    gc.disable()
    try:
        assert len(texts(list(in_order(a_crew(threads), source(), lambda key: False)))) == 2
        threads.shutdown(wait=True)
        assert [item() is None for item in kept] == [True, True]
    finally:
        gc.enable()


def _wait(event: threading.Event) -> None:
    assert event.wait(20)


def test_memory_is_given_back_where_the_system_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """And nothing is tried where it cannot."""
    kept: list[int] = []
    monkeypatch.setattr(malloc, "_trim", lambda: kept.append)
    malloc.give_back()
    assert kept == [0]
    monkeypatch.setattr(malloc, "_trim", lambda: None)
    malloc.give_back()
    assert kept == [0]
