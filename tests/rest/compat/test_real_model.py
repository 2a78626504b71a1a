"""The whole way with a real model: OpenAI's client, the packaged recording."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from hybrid_transcribe import Service
from tests.rest.compat.conftest import Client, OpenClient
from tests.rest.conftest import Site

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """faster-whisper with its default model."""
    folder = tmp_path_factory.mktemp("real")
    with Service(folder / "state", device="cpu") as service, service.serve() as server:
        yield Site(service, server, folder)


@pytest.fixture
def asking(real: Site, client_of: OpenClient) -> Client:
    """Patient enough for a cold model on a busy machine."""
    return client_of(real, timeout=120)


def test_words_of_a_real_recording(asking: Client, sample: Path) -> None:
    """Text, words with rising times, segments that hold them."""
    result = asking.audio.transcriptions.create(
        file=sample,
        model="faster-whisper/tiny.en",
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )

    assert "what your country can do for you" in result.text
    assert result.duration == pytest.approx(11.0, abs=0.2)
    assert result.words is not None
    assert result.segments is not None
    assert [w.word.strip(".,").lower() for w in result.words][:4] == ["and", "so", "my", "fellow"]
    starts = [w.start for w in result.words]
    assert starts == sorted(starts)
    assert result.segments[0].avg_logprob < 0.0


@pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
def test_a_translation(asking: Client, sample: Path) -> None:
    """The default model translates, as OpenAI's does."""
    result = asking.audio.translations.create(
        file=sample, model="whisper-1", response_format="verbose_json"
    )

    assert result.language == "english"
    assert "country" in result.text


def test_the_language_of_a_real_recording(real: Site, sample: Path) -> None:
    """Heard, not guessed."""
    answer = httpx.post(
        f"{real.server.url}/detect-language",
        files={"audio_file": sample.read_bytes()},
        headers={"Authorization": f"token {real.server.token}"},
        timeout=120,
        trust_env=False,
    ).json()

    assert (answer["detected_language"], answer["language_code"]) == ("english", "en")
    assert 0.5 < answer["confidence"] <= 1.0
