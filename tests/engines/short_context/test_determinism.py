"""The same recording gives the same text, alone, beside others, and again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.types import Clip, Options, Segment
from tests.engines.short_context.heard import clips_of

pytestmark = [pytest.mark.model, pytest.mark.timeout(900)]

#: Every so manieth recording up to `LONGEST_S`, besides those that are hardest.
EVERY, LONGEST_S = 10, 10.0

#: Of LibriSpeech: their first look is doubtful, and with tiny.en the second one samples.
HARD = ("19-198-0000", "2609-156975-0001", "8238-274553-0000")


def chosen(recordings: list[dict[str, Any]], folder: Path) -> list[Path]:
    """Of one manifest."""
    few = [
        recording
        for recording in recordings
        if recording["seconds"] <= LONGEST_S and recording.get("speech", True)
    ]
    hard = [
        recording for recording in recordings if any(name in recording["file"] for name in HARD)
    ]
    return [folder / item["file"] for item in [*hard, *few[::EVERY]]]


@pytest.fixture(scope="module")
def paths(
    librispeech: list[dict[str, Any]], manifest: list[dict[str, Any]], speech_dir: Path
) -> list[Path]:
    """Some ten recordings, clean and noisy."""
    return [*chosen(librispeech, speech_dir / "librispeech"), *chosen(manifest, speech_dir)]


def texts(engine: FasterWhisper, clips: list[Clip], **options: Any) -> list[list[Segment]]:
    """What the engine makes of recordings that are transcribed together."""
    items: list[list[Segment]] = [[] for _ in clips]
    wish = Options(**options)
    for key, event in engine.transcribe_many(enumerate(clips), wish, lambda _: False):
        assert not isinstance(event, Exception), event
        if isinstance(event, Segment):
            items[key].append(event)
    return items


@pytest.mark.parametrize("beam_size", [1, 5])
def test_neighbours_change_nothing(tiny: FasterWhisper, paths: list[Path], beam_size: int) -> None:
    """Segments, times and probabilities are equal to the last digit."""
    clips = [clip for _, clip in clips_of(paths)]
    together = texts(tiny, clips, beam_size=beam_size)
    backwards = texts(tiny, clips[::-1], beam_size=beam_size)[::-1]
    alone = [texts(tiny, [clip], beam_size=beam_size)[0] for clip in clips]

    assert len(clips) >= 10
    assert together == backwards
    assert together == alone


def test_sampling_begins_anew_for_each_recording(tiny: FasterWhisper, paths: list[Path]) -> None:
    """Noise is tried again at temperatures above zero: drawn alike, whatever was drawn before."""
    noise = np.random.default_rng(0).normal(0, 0.05, 16_000 * 4).astype(np.float32)
    (_, speech), *_ = clips_of(paths[:1])
    noisy = Clip(speech.samples + np.resize(noise, len(speech.samples)))
    clips = [noisy, Clip(noise), noisy]
    options: dict[str, Any] = {"beam_size": 1, "temperature": (0.6, 1.0), "silence_guard": False}

    first, _, third = texts(tiny, clips, **options)
    full = [texts(tiny, [noisy], context="full", **options) for _ in range(2)]

    assert first
    assert first[0].temperature
    assert first == third == texts(tiny, [noisy], **options)[0]
    assert full[0] == full[1]
