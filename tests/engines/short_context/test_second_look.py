"""Text that the short window gets wrong is heard again with the full one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.engines.faster_whisper.short_context import piece_decoder
from hybrid_transcribe.engines.faster_whisper.short_context.fallback_criteria import voice_goes_on
from hybrid_transcribe.engines.faster_whisper.short_context.piece_decoder import (
    DecodingContext,
    PieceDecoder,
)
from hybrid_transcribe.types import RATE_HZ
from tests.engines.short_context.fakes import FULL, TIMES, FakeModel, FakeOptions, FakeTokenizer
from tests.engines.short_context.heard import heard_as


def heard(model: FakeModel) -> tuple[str, PieceDecoder]:
    """The text of three seconds."""
    ear = PieceDecoder(model, {})
    samples = np.zeros(3 * RATE_HZ, dtype=np.float32)
    result = ear.hear(samples, 0.0, DecodingContext(FakeTokenizer(), FakeOptions()), lambda: False)
    return " ".join(item.text for item in result), ear


@pytest.mark.parametrize(
    ("tokens", "how"),
    [
        # "the press yard the press yard": neither of Whisper's own tests sees it.
        ([TIMES, 1, 2, 3, 1, 2, 3, TIMES + 150], {}),
        ([TIMES, *[1, 2] * 20, TIMES + 150], {"compression_ratio": 4.0}),
        ([TIMES, 7, 8, 9, TIMES + 150], {"avg_logprob": -1.5}),
        ([TIMES, *range(1, 100), TIMES + 150], {}),
        ([TIMES, 1, 2, 3], {}),
        ([TIMES, TIMES + 150], {}),
    ],
    ids=["same end twice", "repetition", "unsure", "too much", "no end", "nothing"],
)
def test_doubtful_text_gives_way_to_that_of_the_full_window(
    tokens: list[int], how: dict[str, float]
) -> None:
    """It is told nowhere, and the second look is counted."""
    model = FakeModel(tokens, **how)

    text, ear = heard(model)

    assert text == "1 2 3 4 5 6"
    assert (model.heard[0] < FULL, model.heard[1:]) == (True, [FULL])
    assert (ear.second_looks, ear.looks) == (1, 1)


def test_sound_text_is_heard_once() -> None:
    """In the short window only."""
    model = FakeModel([TIMES, 7, 8, 9, TIMES + 150])

    text, ear = heard(model)

    assert text == "7 8 9"
    assert len(model.heard) == 1
    assert (ear.second_looks, ear.looks) == (0, 1)


@pytest.mark.parametrize(
    ("speech_s", "starts"),
    [(7, [0.0, 3.0]), (2, [0.0])],
    ids=["a voice goes on", "a word or noise"],
)
def test_f95_a_voice_behind_the_end_of_the_text_is_heard(
    monkeypatch: pytest.MonkeyPatch, speech_s: float, starts: list[float]
) -> None:
    """The decoder takes a pause for the end, in the full window too: the rest is a window then."""

    def goes_on(samples: np.ndarray) -> bool:
        n = min(len(samples), int(speech_s * RATE_HZ))
        return voice_goes_on(samples[:n], lambda part: np.ones(len(part) // 512, np.float32))

    monkeypatch.setattr(piece_decoder, "voice_goes_on", goes_on)
    model = FakeModel([TIMES, *range(1, 31), TIMES + 150])
    samples = np.ones(10 * RATE_HZ, dtype=np.float32)
    decoder, context = PieceDecoder(model, {}), DecodingContext(FakeTokenizer(), FakeOptions())

    result = decoder.hear(samples, 0.0, context, lambda: False)

    assert [item.start for item in result] == starts
    assert model.heard[1:] == [FULL] * (2 if len(starts) > 1 else 0)


@pytest.mark.parametrize(("disputed", "temperatures"), [(False, (0.0, 0.2)), (True, (0.0,))])
def test_what_may_be_no_speech_is_not_tried_at_every_temperature(
    monkeypatch: pytest.MonkeyPatch, disputed: bool, temperatures: tuple[float, ...]
) -> None:
    """Music that the detector takes for none would cost six decodings a piece."""
    model = FakeModel([TIMES, 7, 8, 9, TIMES + 150], avg_logprob=-1.5)
    seen: list[tuple[float, ...]] = []
    own = model.generate_segments

    def generate_segments(features: Any, tokenizer: Any, options: Any, log: bool) -> Any:
        seen.append(tuple(options.temperatures))
        return own(features, tokenizer, options, log)

    monkeypatch.setattr(model, "generate_segments", generate_segments)
    samples = np.zeros(3 * RATE_HZ, dtype=np.float32)
    speaker = DecodingContext(FakeTokenizer(), FakeOptions())
    PieceDecoder(model, {}).hear(samples, 0.0, speaker, lambda: False, disputed=disputed)
    assert seen == [temperatures]


@pytest.mark.model
@pytest.mark.parametrize(
    "name",
    ["2609-156975-0001", "8238-274553-0000", "19-198-0000"],
    ids=["repeats itself", "no end", "unsure"],
)
def test_a_real_clip_ends_in_the_library_s_text(
    tiny: FasterWhisper, speech_dir: Path, name: str
) -> None:
    """The short window gets it wrong at beam 5: all of it is what the full windows say."""
    path = speech_dir / "librispeech" / "audio" / f"{name}.flac"
    before = tiny.second_looks[0]

    short, full = (heard_as(tiny, [path], context, 5) for context in ("auto", "full"))

    assert tiny.second_looks[0] == before + 1
    assert short == full
