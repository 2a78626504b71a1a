"""Real speech with a person a channel, by real models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.types import RATE_HZ, Transcript
from tests.audio.makers import wav
from tests.audio.voices import Conversation, int16
from tests.engines.mistakes import edits

KENNEDY = (
    "And so, my fellow Americans, ask not what your country can do for you, ask what you can do "
    "for your country."
)

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def dialogue(tmp_path_factory: pytest.TempPathFactory, sample: Path) -> Path:
    """The sample on one channel, and then on the other, each heard on the other end too."""
    (clip,) = decode(sample, name="sample", settings=Settings())
    n_samples = len(clip.samples)
    dry = np.zeros((2, 2 * n_samples + RATE_HZ), np.float32)
    dry[0, :n_samples] = clip.samples
    dry[1, n_samples + RATE_HZ :] = 0.5 * clip.samples
    recorded = Conversation(dry, ()).recorded(-15.0, 0.1)
    return wav(tmp_path_factory.mktemp("dialogue") / "talk.wav", int16(recorded))


def heard(path: Path, **how: Any) -> Transcript:
    """What a service of its own makes of a recording."""
    with Service(journal=None, device="cpu") as service:
        (transcript,) = service.submit(path, **how).result(300)
    return transcript


def said_by(transcript: Transcript, speaker: str) -> str:
    """All that one of them says."""
    return " ".join(s.text.strip() for s in transcript.segments if s.speaker == speaker)


@pytest.mark.parametrize(
    ("engine", "model"), [("faster-whisper", "base"), ("openai-whisper", "base")]
)
def test_each_says_it_once(dialogue: Path, engine: str, model: str) -> None:
    """Nothing that leaks is written, and nothing is made up where a channel is silent."""
    if engine == "openai-whisper":
        pytest.importorskip("whisper")
    transcript = heard(dialogue, engine=engine, model=model, language="en", channels="speakers")
    for speaker in ("S1", "S2"):
        assert edits(KENNEDY, said_by(transcript, speaker)).wrong <= 2
    assert [s.id for s in transcript.speakers] == ["S1", "S2"]
    starts = [s.start_s for s in transcript.segments]
    assert starts == sorted(starts)


def test_it_is_found_where_who_speaks_is_asked(dialogue: Path) -> None:
    """Without a word about channels, and with the times of words."""
    transcript = heard(dialogue, model="base", diarize=True)
    assert [s.id for s in transcript.speakers] == ["S1", "S2"]
    assert transcript.language == "en"
    assert {w.speaker for w in transcript.words} == {"S1", "S2"}
    for speaker in ("S1", "S2"):
        assert edits(KENNEDY, said_by(transcript, speaker)).wrong <= 2


def test_two_who_speak_all_the_time(speech_dir: Path) -> None:
    """One on each channel, at once, for five seconds: both are written, each as one."""
    path = speech_dir / "audio" / "fw_stereo.wav"
    (line,) = heard(path, model="base", language="en").warnings
    assert "channels=speakers" in line
    transcript = heard(path, model="base", channels="speakers", language="en")
    for speaker, text in (
        (
            "S1",
            "He began a confused complaint against the wizard, who had vanished behind the "
            "curtain on the left.",
        ),
        ("S2", "The horizon seems extremely distant."),
    ):
        assert edits(text, said_by(transcript, speaker)).wrong <= 1
