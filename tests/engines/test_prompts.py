"""Prompts and hotwords of any length: what fits is used, what does not is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.engines.common.prompt import length_notices
from hybrid_transcribe.engines.faster_whisper.device import meaning
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.jobs.request import make_options
from hybrid_transcribe.types import Options

LONG = "春风多可太忙生 " * 200


def words(text: str) -> int:
    """Tokens of a text, one a word."""
    return len(text.split())


@pytest.mark.parametrize("blank", ["", " ", " \t\n"])
def test_a_blank_prompt_is_none(blank: str) -> None:
    """As forms send it where nobody filled it in."""
    instance = make_options(
        Options(), {"initial_prompt": blank, "hotwords": blank, "prefix": blank}
    )

    assert instance == Options()


def test_what_fits_is_not_mentioned() -> None:
    """223 tokens together, of them 111 hotwords."""
    fitting = Options(initial_prompt="a " * 112, hotwords="b " * 111)

    assert length_notices(fitting, 448, words) == []
    assert length_notices(Options(initial_prompt="a " * 223), 448, words) == []


def test_what_does_not_fit_is_said() -> None:
    """Of the prompt the end counts, of hotwords the beginning."""
    hotwords, prompt = length_notices(
        Options(initial_prompt="a " * 300, hotwords="b " * 112), 448, words
    )

    assert hotwords.endswith("the first 111 of 112 tokens were used.")
    assert prompt.endswith("the last 112 of 300 tokens were used.")


def test_the_librarys_error_is_translated() -> None:
    """Should anything else overflow the decoder."""
    error = meaning(RuntimeError("No position encodings are defined for positions >= 448"), "cpu")

    assert isinstance(error, InvalidOption)
    assert "position encodings" not in str(error)


@pytest.mark.model
@pytest.mark.parametrize("engine", ["faster-whisper", "openai-whisper", "transformers"])
@pytest.mark.parametrize(
    "more",
    [{}, {"batch_size": 4}, {"prefix": LONG}, {"context": "full"}, {"word_timestamps": True}],
)
def test_long_texts_are_cut_with_a_warning(
    sample: Path, engine: str, more: dict[str, object]
) -> None:
    """Every engine and every way through it: a text comes out, and the warnings say what is cut."""
    if engine != "faster-whisper":
        pytest.importorskip("torch")
        if more:
            pytest.skip("ways of faster-whisper")
    with Service(journal=None, engine=engine, model="tiny.en") as service:
        job = service.submit(sample, initial_prompt=LONG, hotwords=LONG, **more)
        (transcript,) = job.result(300)
    assert transcript.text
    assert any("initial_prompt is too long" in warning for warning in transcript.warnings)
