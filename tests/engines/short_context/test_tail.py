"""Silence put behind a window instead of being encoded with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.engines.faster_whisper.short_context.silence_padding import (
    ADDED_S,
    WIDEST,
    SilencePadding,
    silence_padding_for,
)

N_MELS = 80


class FakeModel:
    """Its states say how many frames were encoded, how loud they were, and where they stand."""

    frames_per_second = 100
    feature_extractor = SimpleNamespace(nb_max_frames=3000, mel_filters=np.zeros((N_MELS, 201)))

    def __init__(self, width: int = 3, compute_type: str = "int8_float32") -> None:
        self.model = SimpleNamespace(compute_type=compute_type)
        self.encoded: list[int] = []
        self._width = width

    def encode(self, features: Any) -> Any:
        assert features.shape[0] == N_MELS
        n_frames = features.shape[-1]
        self.encoded.append(n_frames)
        states = np.zeros((1, n_frames // 2, self._width), np.float32)
        states[0, :, :3] = n_frames, features[0, -1], 0
        states[0, :, 2] = np.arange(n_frames // 2)
        return states


@pytest.fixture(autouse=True)
def _plain_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    """What CTranslate2 would take is looked at here."""
    monkeypatch.setattr(
        "hybrid_transcribe.engines.faster_whisper.short_context.silence_padding._storage",
        lambda states: states,
    )


def silence(n_frames: int, level: float = -0.75) -> Any:
    return np.full((N_MELS, n_frames), level, np.float32)


def behind(model: FakeModel, n_frames: int, level: float = -0.75) -> Any:
    features = silence(n_frames, level)
    return SilencePadding(model).behind(model.encode(features), features)[0]


def test_states_of_silence_stand_where_they_would_have_stood() -> None:
    """Three seconds of them, right behind those of the piece, as quiet as its own silence."""
    result = behind(FakeModel(), 800)
    added = int(ADDED_S * 50)
    assert len(result) == 400 + added
    assert (result[:400, 0] == 800).all()
    assert (result[400:, 0] == 1500).all()
    assert result[400:, 1].tolist() == [-0.75] * added
    assert result[:, 2].tolist() == list(range(400 + added))


def test_a_long_piece_gets_its_silence_from_a_full_window_and_no_more_than_fits() -> None:
    """The decoder attends to 30 s at most."""
    result = behind(FakeModel(), 2900)
    assert len(result) == 1500
    assert (result[1450:, 0] == 3000).all()
    assert len(behind(FakeModel(), 3000)) == 1500


def test_silence_is_encoded_once_whoever_asks() -> None:
    """Not for every window, and not by every thread."""
    model = FakeModel()
    tail = SilencePadding(model)
    states = model.encode(silence(400))
    model.encoded.clear()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda _: tail.behind(states, silence(400)), range(20)))
    assert model.encoded == [1500]


def test_silence_is_as_quiet_as_the_recording_s() -> None:
    """In steps: hardly any two recordings have the same."""
    assert behind(FakeModel(), 400, -1.2)[-1, 1] == -1.25
    assert behind(FakeModel(), 400, -0.7)[-1, 1] == -0.75


@pytest.mark.parametrize(
    ("width", "compute_type", "has_one"),
    [
        (384, "int8_float32", True),
        (WIDEST, "float32", True),
        (768, "int8_float32", False),
        (384, "float16", False),
        (384, "int8_bfloat16", False),
    ],
)
def test_only_models_it_was_measured_for(width: int, compute_type: str, has_one: bool) -> None:
    """Larger encoders, and states that are no float32, keep their encoded silence."""
    assert (silence_padding_for(FakeModel(width, compute_type)) is not None) is has_one
