"""Real pieces in batches: what a GPU does, here on a CPU, says what each piece says alone."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import ctranslate2
import pytest

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Gpu
from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.engines.faster_whisper.model import CTranslate2Whisper, open_model
from hybrid_transcribe.engines.faster_whisper.request import request_for
from hybrid_transcribe.engines.faster_whisper.short_context.batches import GpuBatches, batched
from hybrid_transcribe.engines.faster_whisper.short_context.parallel_transcriber import (
    ParallelTranscriber,
    in_order,
)
from hybrid_transcribe.engines.faster_whisper.short_context.parallelism import GPU_STEP_S
from hybrid_transcribe.engines.faster_whisper.short_context.piece_decoder import PieceDecoder
from hybrid_transcribe.interfaces import ClipDone, EngineWarning, Language, LoadRequest, ModelFiles
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment
from tests.engines.mistakes import count

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

#: Every so manieth clip of LibriSpeech: a dozen, of different lengths.
EVERY = 8

#: Silence of different length after a piece may change a word here and there, in per cent.
NEARLY = 4.0


class Remembering:
    """CTranslate2's Whisper that knows how large its batches were, and fails above a size."""

    def __init__(self, whisper: Any, enough_for: int = 1000) -> None:
        self._whisper, self._enough_for = whisper, enough_for
        self.sizes: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whisper, name)

    def encode(self, features: Any, **how: Any) -> Any:
        n = features.shape[0]
        if n > self._enough_for:
            raise RuntimeError("CUDA failed with error out of memory")
        self.sizes.append(n)
        return self._whisper.encode(features, **how)


@dataclass
class Said:
    """What was told of the clips, by their keys."""

    segments: dict[int, list[Segment]] = field(default_factory=dict)
    languages: list[Language] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    second_looks: int = 0
    looks: int = 0

    def text(self, key: int) -> str:
        return " ".join(item.text for item in self.segments.get(key, ()))

    def add(self, key: int, what: Any) -> None:
        assert not isinstance(what, Exception), what
        if isinstance(what, Segment):
            self.segments.setdefault(key, []).append(what)
        elif isinstance(what, Language):
            self.languages.append(what)
        elif isinstance(what, EngineWarning):
            self.notices.append(what.text)
        elif isinstance(what, ClipDone):
            self.done.append(key)

    def count(self, ear: PieceDecoder) -> None:
        self.second_looks += ear.second_looks
        self.looks += ear.looks


class Hearer:
    """One model, heard alone or in batches."""

    def __init__(self, model: CTranslate2Whisper) -> None:
        self._model = model

    def alone(self, clips: list[Clip], **options: Any) -> Said:
        """As on a CPU."""
        return self._told(self._model, 2, clips, options)

    def together(
        self, clips: list[Clip], whisper: Remembering, most: int = 16, **options: Any
    ) -> Said:
        """As on a GPU."""
        batches = GpuBatches(whisper, most, lambda error: "out of memory" in str(error))
        try:
            model = batched(self._model, batches)
            return self._told(model, 2 * most, clips, options, news=batches.news)
        finally:
            batches.close()

    def whisper(self, **how: Any) -> Remembering:
        return Remembering(self._model.model, **how)

    def _told(
        self, model: Any, n: int, clips: list[Clip], given: dict[str, Any], **how: Any
    ) -> Said:
        canceled = given.pop("canceled", lambda key: False)
        options = Options(beam_size=1, silence_guard=False, temperature=(0.0,), **given)
        said = Said()
        with ThreadPoolExecutor(n) as threads:
            crew = ParallelTranscriber(
                threads,
                n,
                model,
                options,
                lambda clip: request_for(options, clip, ["en", "pt", "de"], "a model"),
                lambda error: error,
                said.count,
                step_s=GPU_STEP_S,
                **how,
            )
            for key, what in in_order(crew, enumerate(clips), canceled):
                said.add(key, what)
        return said


@pytest.fixture(scope="module")
def tiny_alone(tiny_folder: Path) -> Iterator[Hearer]:
    """tiny.en."""
    yield from _opened(tiny_folder)


@pytest.fixture(scope="module")
def base_alone(base_folder: Path) -> Iterator[Hearer]:
    """base."""
    yield from _opened(base_folder)


def _opened(folder: Path) -> Iterator[Hearer]:
    model = open_model(str(folder), "cpu", "int8", 1, 2)
    yield Hearer(model)
    model.model.unload_model()


def whole(path: Path) -> Clip:
    (clip,) = decode(path, name=path.name, settings=Settings())
    return clip


@pytest.fixture(scope="module")
def clips(librispeech: list[dict[str, Any]], speech_dir: Path) -> list[Clip]:
    """A dozen utterances."""
    return [whole(speech_dir / "librispeech" / item["file"]) for item in librispeech[::EVERY]]


@pytest.fixture(scope="module")
def alone(tiny_alone: Hearer, clips: list[Clip]) -> Said:
    """What each says alone."""
    return tiny_alone.alone(clips)


def nearly_the_same(one: Said, other: Said, n: int) -> None:
    """Asserts that few words differ, and times are in order inside each clip."""
    both = [count(one.text(key), other.text(key)) for key in range(n)]
    assert 100 * sum(w for w, _ in both) / sum(m for _, m in both) <= NEARLY
    assert other.done == list(range(n))
    for segments in other.segments.values():
        assert all(a.end_s <= b.start_s + 1e-6 for a, b in pairwise(segments))


def test_batches_say_what_pieces_say_alone(
    tiny_alone: Hearer, clips: list[Clip], alone: Said
) -> None:
    """But for a word here and there, with as much counted, and really in batches."""
    whisper = tiny_alone.whisper()
    together = tiny_alone.together(clips, whisper)

    nearly_the_same(alone, together, len(clips))
    assert max(whisper.sizes) > 4
    assert together.looks >= len(clips)
    assert abs(together.second_looks - alone.second_looks) <= 2


def test_too_little_memory_loses_nothing(
    tiny_alone: Hearer, clips: list[Clip], alone: Said
) -> None:
    """The batch is halved until it fits, and people are told."""
    whisper = tiny_alone.whisper(enough_for=3)
    together = tiny_alone.together(clips, whisper)

    nearly_the_same(alone, together, len(clips))
    assert max(whisper.sizes) <= 3
    assert together.notices
    assert "Not enough memory" in together.notices[0]


def test_word_times_in_batches(tiny_alone: Hearer, clips: list[Clip]) -> None:
    """Every word has one, within a tenth of a second of what it has alone, nearly always."""
    few = clips[:4]
    alone = tiny_alone.alone(few, word_timestamps=True)
    together = tiny_alone.together(few, tiny_alone.whisper(), word_timestamps=True)

    nearly_the_same(alone, together, len(few))
    pairs = [
        (mine, other)
        for key in range(len(few))
        if together.text(key) == alone.text(key)
        for mine, other in zip(_words(together, key), _words(alone, key), strict=True)
    ]
    near = [abs(mine.start_s - other.start_s) <= 0.1 for mine, other in pairs]
    assert pairs
    assert sum(near) >= 0.9 * len(near)


def _words(said: Said, key: int) -> list[Any]:
    return [word for item in said.segments[key] for word in item.words]


def test_a_long_recording_is_its_own_batch(
    tiny_alone: Hearer, manifest: list[dict[str, Any]], speech_dir: Path
) -> None:
    """Its pieces are heard together and told in order."""
    longest = max(manifest, key=lambda one: float(one["seconds"]))
    clip = whole(speech_dir / longest["file"])
    two_minutes = [Clip(clip.samples[: 120 * RATE_HZ])]
    whisper = tiny_alone.whisper()

    alone = tiny_alone.alone(two_minutes)
    together = tiny_alone.together(two_minutes, whisper)

    nearly_the_same(alone, together, 1)
    assert max(whisper.sizes) > 2


def test_languages_are_found_in_batches(
    base_alone: Hearer, manifest: list[dict[str, Any]], speech_dir: Path
) -> None:
    """Of recordings in different languages, told before the text; each in its own."""
    chosen = [
        next(item for item in manifest if item["language"] == code and 5 < item["seconds"] <= 15)
        for code in ("en", "pt", "de")
    ]
    # Of one length to a GPU, so that they share batches.
    few = [Clip(whole(speech_dir / item["file"]).samples[: 8 * RATE_HZ]) for item in chosen]
    whisper = base_alone.whisper()

    alone = base_alone.alone(few)
    together = base_alone.together(few, whisper)

    assert max(whisper.sizes) > 1
    assert [language.code for language in together.languages] == ["en", "pt", "de"]
    for key in range(len(few)):
        wrong, n = count(alone.text(key), together.text(key))
        assert wrong <= 0.2 * n


def test_a_canceled_recording_lets_the_others_go_on(
    tiny_alone: Hearer, clips: list[Clip], alone: Said
) -> None:
    """Though it is in a batch with them."""
    few = clips[:4]
    together = tiny_alone.together(few, tiny_alone.whisper(), canceled=lambda key: key == 1)

    assert 1 not in together.segments
    for key in (0, 2, 3):
        wrong, n = count(alone.text(key), together.text(key))
        assert wrong <= 0.1 * n + 1


def test_the_engine_hears_in_batches_on_a_gpu(
    tiny_folder: Path, clips: list[Clip], alone: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And gives the model back: here the GPU is a CPU, and only the engine does not know."""
    opened: list[tuple[CTranslate2Whisper, Remembering]] = []

    def open_here(folder: str, *how: Any) -> CTranslate2Whisper:
        model = open_model(folder, "cpu", "int8", 2)
        whisper = Remembering(model.model)
        opened.append((model, whisper))
        model.model = whisper
        return model

    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda _: {"float16"})
    engine = FasterWhisper(open_here, lambda *_: Gpu(True))
    files = ModelFiles("tiny.en", tiny_folder, "ctranslate2")
    assert engine.load(LoadRequest(files, "gpu")).device == "gpu"
    said = Said()
    few = clips[:6]
    options = Options(beam_size=1, silence_guard=False, temperature=(0.0,))
    for key, what in engine.transcribe_many(enumerate(few), options, lambda _: False):
        said.add(key, what)
    looks = engine.second_looks[1]
    engine.unload()

    ((model, whisper),) = opened
    nearly_the_same(alone, said, len(few))
    assert max(whisper.sizes) > 1
    assert looks >= len(few)
    assert not model.model.model_is_loaded
