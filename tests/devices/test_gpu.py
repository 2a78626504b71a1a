"""The real thing, where there is a GPU: every engine on it, in half precision and in batches."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from faster_whisper.audio import decode_audio

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import probe
from hybrid_transcribe.doctor.gpu import BACKENDS
from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import ClipDone, Engine, Loaded, LoadRequest
from hybrid_transcribe.models import resolve
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.types import Clip, Options, Segment
from tests.engines.mistakes import count
from tests.engines.short_context.heard import heard_as

pytestmark = [pytest.mark.gpu, pytest.mark.model]

SETTINGS = Settings.load(offline=True)

#: Less than this is noise: other libraries' workspaces, rounding of allocations. In bytes.
NOISE = 64 * 2**20


@pytest.fixture(scope="module", params=["faster-whisper", "openai-whisper", "transformers"])
def request_for(request: pytest.FixtureRequest) -> tuple[Engine, LoadRequest]:
    """Each engine, unloaded, and how to load it; skipped where something is missing."""
    engine = ENGINES.make(request.param)
    why_not = engine.available(SETTINGS)
    if why_not:
        pytest.skip(why_not)
    layout = engine.capabilities.model_layout or ""
    gpu = probe(BACKENDS[layout], SETTINGS)
    if not gpu.usable:
        pytest.skip(gpu.explanation)
    try:
        files = resolve("tiny.en", layout, SETTINGS)
    except ModelUnavailable as error:
        pytest.skip(str(error))
    return engine, LoadRequest(files, "gpu", settings=SETTINGS)


@pytest.fixture
def loaded(request_for: tuple[Engine, LoadRequest]) -> Iterator[tuple[Engine, Loaded]]:
    """Each engine with tiny.en on the GPU."""
    engine, options = request_for
    yield engine, engine.load(options)
    engine.unload()


def free_bytes() -> int:
    """Free memory of the first GPU, as another process sees it."""
    code = "from hybrid_transcribe.devices import driver; print(driver.cards()[0].free_bytes)"
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return int(ran.stdout)


@pytest.mark.parametrize("backend", sorted(set(BACKENDS.values())))
def test_a_look_at_the_gpu(backend: str) -> None:
    """It computes, has a name and memory, and the library has formats for it."""
    gpu = probe(backend, SETTINGS, fresh=True)
    if not gpu.present:
        pytest.skip(gpu.explanation)

    assert gpu.usable, gpu.explanation
    assert all(card.name and card.total_bytes for card in gpu.cards)
    assert "float32" in gpu.compute_types
    assert gpu.driver


@pytest.mark.parametrize("batch_size", [None, 8])
def test_speech_is_heard_on_the_gpu(
    loaded: tuple[Engine, Loaded], sample: Path, batch_size: int | None
) -> None:
    """In half precision, one window at a time and in batches."""
    engine, parameters = loaded
    if batch_size and "batch_size" not in engine.capabilities.options:
        pytest.skip(f"{engine.name} has no batches")
    options = Options(batch_size=batch_size)
    segments = engine.transcribe(Clip(decode_audio(str(sample))), options, lambda: False)
    text = " ".join(h.text for h in segments if isinstance(h, Segment)).lower()

    assert (parameters.device, parameters.compute_type, parameters.notices) == (
        "gpu",
        "float16",
        (),
    )
    assert "ask not what your country can do for you" in text


@pytest.fixture
def faster_whisper() -> Iterator[FasterWhisper]:
    """On the GPU, as its users have it."""
    gpu = probe(BACKENDS["ctranslate2"], SETTINGS)
    if not gpu.usable:
        pytest.skip(gpu.explanation)
    try:
        files = resolve("tiny.en", "ctranslate2", SETTINGS)
    except ModelUnavailable as error:
        pytest.skip(str(error))
    engine = FasterWhisper()
    assert engine.load(LoadRequest(files, "gpu", settings=SETTINGS)).compute_type == "float16"
    yield engine
    engine.unload()


@pytest.mark.parametrize("word_timestamps", [False, True])
def test_recordings_are_heard_in_batches(
    faster_whisper: FasterWhisper, sample: Path, word_timestamps: bool
) -> None:
    """Many of different length at once: each is told whole, in order, and says what it says."""
    samples = decode_audio(str(sample))
    clips = [Clip(samples[first:]) for first in range(0, 40 * 800, 800)]
    options = Options(word_timestamps=word_timestamps)
    lines = list(faster_whisper.transcribe_many(enumerate(clips), options, lambda _: False))

    texts = [
        " ".join(h.text for k, h in lines if k == key and isinstance(h, Segment)).lower()
        for key in range(len(clips))
    ]
    assert [what for _, what in lines if isinstance(what, Exception)] == []
    assert [key for key, what in lines if isinstance(what, ClipDone)] == list(range(len(clips)))
    assert all("what your country can do for you" in text for text in texts)
    if word_timestamps:
        assert all(h.words for _, h in lines if isinstance(h, Segment))


def test_batches_say_what_the_full_window_says(
    faster_whisper: FasterWhisper, librispeech: list[dict[str, Any]], speech_dir: Path
) -> None:
    """Wrong words stay within two points of those of one full window after the other."""
    chosen = librispeech[::2]
    paths = [speech_dir / "librispeech" / item["file"] for item in chosen]
    rates = {}
    for context in ("auto", "full"):
        texts = heard_as(faster_whisper, paths, context)
        counts = [count(item["text"], text) for item, text in zip(chosen, texts, strict=True)]
        rates[context] = 100 * sum(w for w, _ in counts) / sum(n for _, n in counts)

    assert rates["auto"] <= rates["full"] + 2.0


def test_memory_is_given_back(request_for: tuple[Engine, LoadRequest]) -> None:
    """What a model took is free for others after it was unloaded."""
    engine, options = request_for
    # What CUDA itself needs in this process stays, and is there from the first load on.
    engine.load(options)
    engine.unload()
    before = free_bytes()
    engine.load(options)
    during = free_bytes()
    engine.unload()

    assert during < before
    assert free_bytes() > before - NOISE
