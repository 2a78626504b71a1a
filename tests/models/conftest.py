"""A cache of its own for each test, for our models and for those of the libraries."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import constants

from hybrid_transcribe.config import Settings


@pytest.fixture(autouse=True)
def _no_checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """openai-whisper's own cache is empty, whatever the machine has."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Offline, with an empty cache."""
    return Settings(cache_dir=str(tmp_path / "cache"), offline=True)


@pytest.fixture
def hub_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of the hub client."""
    folder = tmp_path / "hub"
    folder.mkdir()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
    return folder
