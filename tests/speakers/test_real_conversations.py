"""Real voices through the real models: the right number of people, and who speaks when."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hybrid_transcribe.speakers.clustering import SpeakerLimits
from hybrid_transcribe.speakers.diarizer import Diarizer, diarized
from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks import conversations, sounds
from tests.benchmarks.conversations import Conversation, Scene
from tests.benchmarks.degrade import seeded
from tests.benchmarks.diarization import errors, n_speakers

pytestmark = pytest.mark.model

#: What was measured has half of it (docs/who-said-what.md).
MOST_ERRORS = 8.0


@pytest.fixture(scope="module")
def diarizer(speaker_models: dict[str, Path]) -> Diarizer:
    """With the real models."""
    return Diarizer(speaker_models["pyannote-segmentation-3.0"], speaker_models["campplus-zh-en"])


def conversation(scene: Scene) -> Conversation:
    """Built of the readers for evaluation; skipped where there is no speech."""
    readers = conversations.readers("evaluation")
    if not readers:
        pytest.skip("no recorded speech beside the checkout")
    return conversations.built(scene, readers)


@pytest.mark.parametrize(
    "scene",
    [
        Scene("two-test", 2, 45),
        Scene("three-men-test", 3, 60, "man", overlap=0.1),
        Scene("two-telephone-test", 2, 45, telephone=True, snr_db=20),
    ],
    ids=lambda scene: scene.name,
)
def test_people_are_told_apart(diarizer: Diarizer, scene: Scene) -> None:
    """The right number, and few seconds wrong."""
    built = conversation(scene)

    turns = diarized(diarizer.analysis([built.samples])).turns

    assert n_speakers(turns) == scene.n_speakers
    assert errors(built.turns, turns).rate <= MOST_ERRORS


def test_a_monologue_is_one_person(diarizer: Diarizer) -> None:
    """However long the reader reads, and also where three might speak."""
    built = conversation(Scene("monologue-test", 1, 60, overlap=0.0))

    analysis = diarizer.analysis([built.samples])

    assert n_speakers(diarized(analysis).turns) == 1
    assert n_speakers(diarized(analysis, SpeakerLimits(most=3)).turns) == 1


@pytest.mark.parametrize(
    "sound",
    [sounds.silence, sounds.room, sounds.pink, sounds.music, sounds.hum(50.0), sounds.keyboard],
    ids=lambda sound: getattr(sound, "__name__", "hum"),
)
def test_nobody_speaks_where_nobody_does(
    diarizer: Diarizer, sound: Callable[..., np.ndarray]
) -> None:
    """Silence, noise, machines and music: at most the first beat is taken for a voice."""
    samples = sound(20 * RATE_HZ, seeded("nobody"))

    turns = diarized(diarizer.analysis([samples])).turns

    assert sum(turn.end_s - turn.start_s for turn in turns) < 0.5


def test_two_seconds_are_one_person(diarizer: Diarizer) -> None:
    """The beginning of a conversation, too short for a cluster of three windows."""
    built = conversation(Scene("two-test", 2, 45))
    first = built.turns[0]
    start = int(first.start_s * RATE_HZ)

    turns = diarized(diarizer.analysis([built.samples[start : start + 2 * RATE_HZ]])).turns

    assert n_speakers(turns) == 1
