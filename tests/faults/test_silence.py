"""Silence, noise and music: whoever says nothing is not quoted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import EngineWarning, Heard, LoadRequest
from hybrid_transcribe.models import resolve
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment

pytestmark = [pytest.mark.model, pytest.mark.slow]

NOBODY_SPEAKS = ("silence_2s.wav", "noise_only.wav", "music_trumpet.ogg")


@pytest.fixture(scope="module", params=["tiny.en", "base"])
def engine(request: pytest.FixtureRequest) -> Iterator[FasterWhisper]:
    """Both starter models."""
    try:
        files = resolve(request.param, "ctranslate2", Settings.load(offline=True))
    except ModelUnavailable as error:
        pytest.skip(str(error))
    faster_whisper = FasterWhisper()
    faster_whisper.load(LoadRequest(files, device="cpu"))
    yield faster_whisper
    faster_whisper.unload()


def heard(engine: FasterWhisper, samples: Any, **options: Any) -> list[Heard]:
    """Everything the engine yields about the samples."""
    return list(engine.transcribe(Clip(samples), Options(**options), lambda: False))


def text(found: list[Heard]) -> str:
    """What was said."""
    return " ".join(h.text for h in found if isinstance(h, Segment))


def noise(seconds: float, level: float, exponent: float = 0.0) -> Any:
    """Coloured noise: exponent 0 is white, 0.5 pink, 1 brown; the level is its RMS."""
    n = int(seconds * RATE_HZ)
    rng = np.random.default_rng(5)
    frequencies = np.maximum(np.fft.rfftfreq(n, 1 / RATE_HZ), 1.0)
    spectrum = rng.standard_normal(len(frequencies)) + 1j * rng.standard_normal(len(frequencies))
    samples = np.fft.irfft(spectrum / frequencies**exponent, n)
    return (samples * level / np.sqrt(np.square(samples).mean())).astype(np.float32)


def nearly_nothing() -> Any:
    """Five seconds of digital silence but for one click, so that a model is asked about it."""
    samples = np.zeros(5 * RATE_HZ, dtype=np.float32)
    samples[100] = 0.001
    return samples


def hum(seconds: float, hertz: float, level: float) -> Any:
    """A mains hum with two harmonics."""
    times = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    waves = [np.sin(2 * np.pi * hertz * k * times) / k for k in (1, 2, 3)]
    return (level * np.sum(waves, axis=0)).astype(np.float32)


@pytest.mark.parametrize(("language", "beam_size"), [("en", 5), ("pt", 1), (None, 5)])
@pytest.mark.parametrize("name", NOBODY_SPEAKS)
def test_f47_recordings_without_speech_have_no_text(
    engine: FasterWhisper, speech_dir: Path, name: str, language: str | None, beam_size: int
) -> None:
    """With the language given as English or Portuguese, and with none given."""
    samples = decode_audio(str(speech_dir / "audio" / name))

    assert text(heard(engine, samples, language=language, beam_size=beam_size)) == ""


@pytest.mark.parametrize(
    "samples",
    [
        pytest.param(np.zeros(35 * RATE_HZ, dtype=np.float32), id="zeros"),
        pytest.param(noise(12, 0.001, 0.5), id="pink noise at -60 dB"),
        pytest.param(noise(3, 0.03, 0.5), id="pink noise at -30 dB"),
        pytest.param(hum(8, 60, 0.05), id="hum"),
    ],
)
def test_f47_synthetic_sounds_have_no_text(engine: FasterWhisper, samples: Any) -> None:
    """Each of these made a bare model write "You" or dots."""
    assert text(heard(engine, samples, language="en", beam_size=5)) == ""


def test_f47_what_was_withheld_is_told(engine: FasterWhisper) -> None:
    """An empty transcript explains itself."""
    result = heard(engine, nearly_nothing(), language="en", beam_size=5)

    assert [h for h in result if isinstance(h, EngineWarning) and "Withheld" in h.text]


def test_f47_without_the_guard_the_model_has_its_say(engine: FasterWhisper) -> None:
    """The option turns it off."""
    result = heard(engine, nearly_nothing(), language="en", beam_size=5, silence_guard=False)

    assert text(result) != ""


def test_f47_speech_around_a_long_silence_is_kept(engine: FasterWhisper, sample: Path) -> None:
    """What is said before and after 40 s of nothing stays, and nothing is put between."""
    speech = decode_audio(str(sample))
    around = np.concatenate([speech, np.zeros(40 * RATE_HZ, dtype=np.float32), speech])
    result = heard(engine, around, language="en", beam_size=5)

    assert "fellow America" in text(result)
    bare = heard(engine, around, language="en", beam_size=5, silence_guard=False)
    assert text(result) == text(bare)


def test_f47_no_real_segment_is_withheld(
    engine: FasterWhisper, speech_dir: Path, manifest: list[dict[str, Any]]
) -> None:
    """Short clips, accents, noise, two voices at once: nothing of what was said is lost."""
    spoken = [m for m in manifest if m["speech"] != "none" and m["seconds"] < 6]
    for entry in spoken:
        if entry["language"] != "en" and len(engine._model.supported_languages) == 1:
            continue
        samples = decode_audio(str(speech_dir / entry["file"]))
        result = heard(engine, samples, language=entry["language"], beam_size=1)

        withheld = [h.text for h in result if isinstance(h, EngineWarning) and "Withheld" in h.text]
        assert not withheld, (entry["id"], withheld)
