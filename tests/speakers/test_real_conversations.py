"""Real voices through the real models: the right number of people, and who speaks when."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hybrid_transcribe.speakers.clustering import SpeakerLimits
from hybrid_transcribe.speakers.diarizer import Diarizer, diarized
from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks import conversations, sounds, speech
from tests.benchmarks.conversations import Conversation, Scene, SpokenTurn
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


@pytest.mark.slow
def test_thirteen_readers_are_thirteen(diarizer: Diarizer) -> None:
    """Nine minutes of utterances of thirteen readers, one reader behind the other."""
    path = speech.folder() / "long_dev.segments.json"
    if not path.is_file():
        pytest.skip("no recorded speech beside the checkout")
    utterances = json.loads(path.read_text(encoding="utf-8"))
    truth = [SpokenTurn(u["start"], u["end"], u["speaker"]) for u in utterances]
    samples = speech.samples_of(str(path.parent / "audio" / "long_dev.flac"))

    turns = diarized(diarizer.analysis([samples])).turns

    assert n_speakers(turns) == n_speakers(truth) == 13
    # Pauses within an utterance are speech in that truth, and are missed here.
    counted = errors(truth, turns)
    assert counted.confused_s + counted.false_alarm_s <= MOST_ERRORS / 100 * counted.spoken_s


@pytest.mark.parametrize("name", ["jfk_m4a.m4a", "wat_pt1.wav", "leo_es.wav", "noisy_ls_39.wav"])
def test_a_clip_of_one_person_is_one_person(diarizer: Diarizer, name: str) -> None:
    """Recordings of other kinds and languages."""
    path = speech.folder() / "audio" / name
    if not path.is_file():
        pytest.skip("no recorded speech beside the checkout")

    assert n_speakers(diarized(diarizer.analysis([speech.samples_of(str(path))])).turns) == 1


def test_two_seconds_are_one_person(diarizer: Diarizer) -> None:
    """The beginning of a conversation, too short for a cluster of three windows."""
    built = conversation(Scene("two-test", 2, 45))
    first = built.turns[0]
    start = int(first.start_s * RATE_HZ)

    turns = diarized(diarizer.analysis([built.samples[start : start + 2 * RATE_HZ]])).turns

    assert n_speakers(turns) == 1
