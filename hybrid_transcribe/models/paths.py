"""Where models lie: our own cache and the hub client's."""

from __future__ import annotations

import os
from pathlib import Path

from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import catalogue


def models_dir(settings: Settings) -> Path:
    """Joined, converted and hand-carried models, one folder each."""
    return settings.cache_path / "models"


def own_folder(name: str, layout: str, settings: Settings) -> Path:
    """The folder of one model in our cache, there or not."""
    return models_dir(settings) / catalogue.folder_name(name, layout)


def stamps_dir(settings: Settings) -> Path:
    """Remembered digests."""
    return models_dir(settings) / ".verified"


def hub_dir() -> Path:
    """The hub client's cache, which ``HF_HOME`` and ``HF_HUB_CACHE`` move."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE).expanduser()


def hub_folder(repo: str) -> Path:
    """The folder of one repository in the hub client's cache, there or not."""
    return hub_dir() / ("models--" + repo.replace("/", "--"))


def hub_lock(repo: str, blob: str) -> Path:
    """The file by which processes of the hub's client wait for each other."""
    return hub_dir() / ".locks" / hub_folder(repo).name / f"{blob}.lock"


def whisper_dir() -> Path:
    """Where openai-whisper itself keeps the checkpoints it fetched."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home, "whisper")
