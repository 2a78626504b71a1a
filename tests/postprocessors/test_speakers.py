"""The post-processor that says who speaks, with tiny networks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import hybrid_transcribe  # noqa: F401 - says what decodes
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import EngineWarning, Progress
from hybrid_transcribe.messages import message_info
from hybrid_transcribe.models.catalogue import members
from hybrid_transcribe.postprocessors.speakers import Speakers
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.testing import check_postprocessor, tone, write_wav
from hybrid_transcribe.types import RATE_HZ, Clip, KnownVoice, Options, Segment, Transcript, Word
from tests.speakers.networks import Samples, networks, spoken

#: Two people: one asks for 5 s, the other answers for 5 s.
CONVERSATION = [(1.0, 6.0, 0), (6.5, 11.5, 1), (12.0, 17.0, 0)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Speakers]:
    """Loaded."""
    stage = Speakers()
    stage.load(networks(tmp_path_factory.mktemp("networks")), Settings())
    yield stage
    stage.unload()


def transcript(segments: list[Segment] | None = None) -> Transcript:
    """One segment over the first two turns with ten words, and one in the third."""
    if segments is None:
        words = [Word(1.0 + i, 1.9 + i, f"word{i}") for i in range(10)]
        first = Segment(1, 11, " ".join(w.text for w in words), tuple(words), id="1.0")
        segments = [first, Segment(12, 17, "thank you", id="1.1")]
    return Transcript("r", "talk.wav", tuple(segments), "scripted", "m", language="en")


def clips(samples: Samples, start_s: float = 0.0, length_s: float = 7.0) -> Iterator[Clip]:
    """The sound in clips that follow each other."""
    step = int(length_s * RATE_HZ)
    for at in range(0, len(samples), step):
        yield Clip(samples[at : at + step], start_s + at / RATE_HZ)


def processed(
    stage: Speakers, audio: Iterator[Clip], options: Options, text: Transcript | None = None
) -> tuple[Document, list[str]]:
    """The document, and the codes of the warnings."""
    events = list(stage.process(audio, text or transcript(), options, lambda: False))
    (document,) = (event for event in events if isinstance(event, Document))
    assert events[-1] is document
    warnings = [event.text for event in events if isinstance(event, EngineWarning)]
    return document, [message_info(line).code for line in warnings]


def test_segments_get_their_speakers(stage: Speakers) -> None:
    """The first is split where the other answers."""
    document, warnings = processed(stage, clips(spoken(CONVERSATION, 18)), Options(diarize=True))

    assert [(s.speaker, s.id) for s in document.segments] == [
        ("S1", "1.0"),
        ("S2", ""),
        ("S1", "1.1"),
    ]
    assert [speaker.id for speaker in document.speakers] == ["S1", "S2"]
    text = " ".join(segment.text for segment in document.segments)
    assert text == transcript().text
    assert warnings == []


def test_progress_follows_the_sound(stage: Speakers) -> None:
    """In seconds of the recording, up to its end."""
    events = stage.process(
        clips(spoken(CONVERSATION, 18)), transcript(), Options(diarize=True), lambda: False
    )

    done = [event.done_s for event in events if isinstance(event, Progress)]
    assert done == sorted(done)
    assert done[-1] == pytest.approx(18)


def test_times_count_from_the_start_of_the_recording(stage: Speakers) -> None:
    """The sound begins 40 s into it, as a broadcast's may."""
    words = tuple(Word(41.0 + i, 41.9 + i, f"word{i}") for i in range(10))
    text = transcript([Segment(41, 51, " ".join(w.text for w in words), words)])

    document, _ = processed(
        stage, clips(spoken(CONVERSATION, 18), start_s=40), Options(diarize=True), text
    )

    assert [s.speaker for s in document.segments] == ["S1", "S2"]
    assert document.segments[1].start_s == pytest.approx(46.5, abs=0.6)


def test_it_stops_when_it_is_canceled(stage: Speakers) -> None:
    """Within one clip, and without a document."""
    taken = 0

    def counted() -> Iterator[Clip]:
        nonlocal taken
        for clip in clips(spoken(CONVERSATION, 18)):
            taken += 1
            yield clip

    events = list(stage.process(counted(), transcript(), Options(diarize=True), lambda: taken >= 2))

    assert taken == 2
    assert not [event for event in events if isinstance(event, Document)]


@pytest.mark.parametrize(
    ("options", "n"),
    [
        (Options(diarize=True), 2),
        (Options(speakers=1), 1),
        (Options(max_speakers=1), 1),
        (Options(speakers=3), 3),
        (Options(min_speakers=3, max_speakers=4), 3),
    ],
    ids=str,
)
def test_the_number_of_speakers_can_be_said(stage: Speakers, options: Options, n: int) -> None:
    """Exactly, at least, at most."""
    words = tuple(Word(1.0 + i / 4, 1.2 + i / 4, f"word{i}") for i in range(64))
    text = transcript([Segment(1, 17, " ".join(w.text for w in words), words)])

    document, warnings = processed(stage, clips(spoken(CONVERSATION, 18)), options, text)

    assert len(document.speakers) == n
    assert warnings == []


def test_too_few_speakers_are_said(stage: Speakers) -> None:
    """One word cannot be said by nine people."""
    _, warnings = processed(stage, clips(spoken([(1, 1.5, 0)], 3)), Options(speakers=9))

    assert warnings == ["speakers_fewer"]


def test_silence_has_no_speakers(stage: Speakers) -> None:
    """Its text stays, and people are told."""
    silence = np.zeros(18 * RATE_HZ, np.float32)

    document, warnings = processed(stage, clips(silence), Options(diarize=True))

    assert [s.text for s in document.segments] == [s.text for s in transcript().segments]
    assert {s.speaker for s in document.segments} == {None}
    assert document.speakers == ()
    assert warnings == ["speakers_none"]


def test_a_text_without_words_is_nothing_to_warn_of(stage: Speakers) -> None:
    """Nobody said anything: no sound is taken either."""
    audio = clips(spoken(CONVERSATION, 18))

    document, warnings = processed(stage, audio, Options(speakers=2), transcript([]))

    assert (document, warnings) == (Document(), [])
    assert next(audio).start_s == 0.0


def recording(folder: Path, voice: int, seconds: float = 6.0) -> str:
    """A file in which one voice speaks."""
    path = folder / f"voice-{voice}-{seconds}.wav"
    write_wav(path, Clip(spoken([(0.5, 0.5 + seconds, voice)], seconds + 1)))
    return str(path)


def test_known_voices_are_recognised(stage: Speakers, tmp_path: Path) -> None:
    """By their names; who is not there is said not to be."""
    voices = tuple(
        KnownVoice(name, recording(tmp_path, i)) for i, name in ((1, "Ana"), (0, "Rui"), (4, "Eva"))
    )

    document, warnings = processed(
        stage, clips(spoken(CONVERSATION, 18)), Options(diarize=True, voices=voices)
    )

    assert {s.id: s.name for s in document.speakers} == {"S1": "Rui", "S2": "Ana"}
    assert warnings == ["voice_not_recognized"]


def test_recordings_of_voices_that_are_of_no_use_are_said(stage: Speakers, tmp_path: Path) -> None:
    """One is gone, one is no sound, one too short; the text has its speakers all the same."""
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"RIFF" + bytes(60))
    voices = (
        KnownVoice("Ana", str(tmp_path / "gone.wav")),
        KnownVoice("Rui", str(noise)),
        KnownVoice("Eva", recording(tmp_path, 0, 0.8)),
    )

    document, warnings = processed(
        stage, clips(spoken(CONVERSATION, 18)), Options(diarize=True, voices=voices)
    )

    assert [(s.id, s.name) for s in document.speakers] == [("S1", ""), ("S2", "")]
    assert warnings == ["voice_unreadable", "voice_unreadable", "voice_short"]


def test_a_model_may_be_a_folder(tmp_path: Path) -> None:
    """The network is the file in it; an empty one has none."""
    stage = Speakers()
    folders = {}
    for name, path in networks(tmp_path).items():
        folders[name] = tmp_path / name
        folders[name].mkdir()
        path.rename(folders[name] / "model.onnx")

    stage.load(folders, Settings())

    (folders["campplus-zh-en"] / "model.onnx").unlink()
    with pytest.raises(ModelUnavailable):
        stage.load(folders, Settings())


def test_it_says_what_it_needs() -> None:
    """The catalogue's models for telling speakers apart, words, and no library that is missing."""
    assert Speakers.capabilities.models == members("speakers")
    assert Speakers.capabilities.needs_words
    assert Speakers().available(Settings()) is None


def test_it_keeps_what_post_processors_promise(tmp_path: Path) -> None:
    """With two people, and with nobody."""
    for turns in (CONVERSATION, []):
        check_postprocessor(Speakers(), Clip(spoken(turns, 18)), models=networks(tmp_path))


def test_it_keeps_its_promises_with_the_real_models(speaker_models: dict[str, Path]) -> None:
    """On a tone, in which nobody speaks."""
    check_postprocessor(Speakers(), tone(12.0), models=speaker_models)
