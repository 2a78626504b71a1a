"""The three local engines on the same weights: greedy, float32, language given.

The subset is fixed by a rule, so that nobody chooses: of all clips up to 30 s whose transcript
came with its corpus, first those of the manifest, then those of LibriSpeech, every n-th in
file order, for n as below. ``HYBRID_TRANSCRIBE_TEST_EVERY=1`` takes them all.
"""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from faster_whisper.audio import decode_audio

from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import LoadRequest
from hybrid_transcribe.models import resolve
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.types import Clip, Options, Segment
from tests.engines.fakes import never
from tests.engines.mistakes import count

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(3600)]

LOCAL = ("faster-whisper", "openai-whisper", "transformers")

#: 19 and 22 clips or so of the recordings at hand: some minutes on two cores.
EVERY = {"tiny.en": 6, "base": 6}

LONGEST_S = 30.0

#: Most points between the best engine and the worst, in per cent of words.
APART = 1.0


@pytest.fixture(params=sorted(EVERY), scope="module")
def model(request: pytest.FixtureRequest) -> str:
    """Each model in turn."""
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def clips(
    model: str,
    manifest: list[dict[str, Any]],
    librispeech: list[dict[str, Any]],
    speech_dir: Path,
) -> list[dict[str, Any]]:
    """The subset, each with the full path of its sound."""
    both = [{**c, "path": speech_dir / c["file"]} for c in manifest]
    both += [{**c, "path": speech_dir / "librispeech" / c["file"]} for c in librispeech]
    fit = [
        c
        for c in both
        if c["transcript_trust"] == "reference"
        and c["seconds"] <= LONGEST_S
        and (c["language"] == "en" or model == "base")
    ]
    return fit[:: int(os.environ.get(PREFIX + "TEST_EVERY", EVERY[model]))]


def texts(name: str, model: str, clips: list[dict[str, Any]]) -> list[str]:
    """What an engine hears; the test is skipped where it cannot run."""
    engine = ENGINES.make(name)
    why_not = engine.available(Settings())
    if why_not:
        pytest.skip(why_not)
    assert engine.capabilities.model_layout is not None
    try:
        files = resolve(model, engine.capabilities.model_layout, Settings.load(offline=True))
    except ModelUnavailable as error:
        pytest.skip(str(error))
    engine.load(LoadRequest(files, device="cpu", compute_type="float32"))
    try:
        return [_text(engine, clip) for clip in clips]
    finally:
        engine.unload()


def _text(engine: Any, clip: dict[str, Any]) -> str:
    options = Options(
        language=clip["language"],
        beam_size=1,
        temperature=(0.0,),
        condition_on_previous_text=False,
        # The windows of the others.
        context="full",
    )
    event = engine.transcribe(Clip(decode_audio(str(clip["path"]))), options, never)
    return " ".join(h.text for h in event if isinstance(h, Segment))


def test_equal_weights_make_equal_mistakes(
    model: str, clips: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Overall no engine's rate of wrong words is a point above another's."""
    wrong: dict[str, dict[str, list[int]]] = {}
    for name in LOCAL:
        totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])
        for clip, text in zip(clips, texts(name, model, clips), strict=True):
            result = count(clip["text"], text, clip["language"])
            for key in ("all", clip["language"]):
                totals[key] = [a + b for a, b in zip(totals[key], result, strict=True)]
        wrong[name] = totals
    rates = {name: {k: 100 * w / n for k, (w, n) in t.items()} for name, t in wrong.items()}
    with capsys.disabled():
        print(f"\n{model}: {len(clips)} clips, {sum(c['seconds'] for c in clips):.0f} s")
        for name, by_language in rates.items():
            print(f"  {name:15}", *(f"{k} {r:5.2f} %" for k, r in by_language.items()), sep="  ")
    overall = [by_language["all"] for by_language in rates.values()]

    assert len(clips) >= 10
    assert max(overall) - min(overall) <= APART
