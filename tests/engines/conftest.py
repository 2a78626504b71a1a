"""Loaded engines, one for all tests of a model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import LoadRequest
from hybrid_transcribe.models import resolve


def model_folder(name: str) -> Path:
    """The folder of a model that needs no network; the test is skipped where it is not here."""
    try:
        folder = resolve(name, "ctranslate2", Settings.load(offline=True)).folder
    except ModelUnavailable as error:
        pytest.skip(str(error))
    assert folder is not None
    return folder


@pytest.fixture(scope="session")
def tiny_folder() -> Path:
    """English only, and quick."""
    return model_folder("tiny.en")


@pytest.fixture(scope="session")
def base_folder() -> Path:
    """Multilingual."""
    return model_folder("base")


def _loaded(name: str) -> Iterator[FasterWhisper]:
    engine = FasterWhisper()
    files = resolve(name, "ctranslate2", Settings.load(offline=True))
    engine.load(LoadRequest(files, device="cpu"))
    yield engine
    engine.unload()


@pytest.fixture(scope="module")
def tiny(tiny_folder: Path) -> Iterator[FasterWhisper]:
    """faster-whisper with tiny.en."""
    yield from _loaded("tiny.en")


@pytest.fixture(scope="module")
def base(base_folder: Path) -> Iterator[FasterWhisper]:
    """faster-whisper with base."""
    yield from _loaded("base")
