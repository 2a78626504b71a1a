"""The silence guard's rules, with a detector that says what it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hybrid_transcribe.engines.common.confidence import Confidence
from hybrid_transcribe.engines.common.hallucinations import (
    HallucinationFilter,
    Samples,
    doubts,
    held,
    soundless,
)
from hybrid_transcribe.types import RATE_HZ, Segment, WithheldSegment

#: A segment that is sound by its own statistics.
SOUND = Segment(10.0, 12.0, "We went home.", (), -0.2, 0.02, 1.1, 0.0)


def withheld(guard: HallucinationFilter, segment: Segment) -> bool:
    """Whether the segment is left out."""
    return isinstance(guard.check(segment), WithheldSegment)


class Ear:
    """A detector that hears a voice in the samples above 0.5, and counts what it was given."""

    def __init__(self) -> None:
        self.detected_s: list[float] = []

    def __call__(self, samples: Samples) -> Samples:
        self.detected_s.append(len(samples) / RATE_HZ)
        return np.where(samples[: len(samples) // 512 * 512].reshape(-1, 512).max(1) > 0.5, 1, 0)


def audio(*voices: tuple[float, float], seconds: float = 90.0) -> Samples:
    """Noise, with a voice (louder samples) in the given stretches."""
    samples = np.full(int(seconds * RATE_HZ), 0.2, dtype=np.float32)
    for start_s, end_s in voices:
        samples[int(start_s * RATE_HZ) : int(end_s * RATE_HZ)] = 0.9
    return samples


def test_a_sound_segment_is_never_questioned() -> None:
    """Whisper misplaces real words by tens of seconds: silence at its times proves nothing."""
    ear = Ear()

    assert not withheld(HallucinationFilter(audio(), ear), SOUND)
    assert ear.detected_s == []


@pytest.mark.parametrize(
    "change",
    [
        {"no_speech_prob": 0.6},
        {"avg_logprob": -0.9},
        {"compression_ratio": 2.5},
        {"text": "Thank you."},
        {"text": "..."},
        {"text": "[Music]"},
        {"text": "Obrigado."},
        {"text": "Legendas pela comunidade Amara.org"},
    ],
)
def test_doubtful_text_where_nobody_speaks_is_withheld(change: dict[str, object]) -> None:
    """One doubt, no voice, and a level that does not rise over the noise."""
    assert withheld(HallucinationFilter(audio(), Ear()), replace(SOUND, **change))


def rising() -> Samples:
    """Something that rises and falls like speech."""
    samples = audio()
    samples *= (np.sin(np.arange(len(samples)) / RATE_HZ * 12) > 0) * 0.9 + 0.1
    return samples


def saying(probability: float) -> Callable[[Samples], Samples]:
    """A detector that says the same of everything."""
    return lambda samples: np.full(max(len(samples) // 512, 1), probability, np.float32)


@pytest.mark.parametrize(
    ("change", "probability", "lost"),
    [
        # One statistic of the decoder, and a detector that is not certain: nobody knows.
        ({"no_speech_prob": 0.6}, 0.5, False),
        ({"avg_logprob": -0.9}, 0.5, False),
        ({"temperature": 0.2}, 0.5, False),
        ({"text": "Thank you."}, 0.5, False),
        # The detector is certain, or the decoder doubts it twice.
        ({"no_speech_prob": 0.6}, 0.1, True),
        ({"no_speech_prob": 0.6, "avg_logprob": -0.9}, 0.5, True),
        ({"text": "Thank you.", "no_speech_prob": 0.6}, 0.5, True),
        # The decoder is certain: the detector alone takes nothing away.
        ({}, 0.0, False),
    ],
)
def test_f92_no_witness_alone_is_believed(
    change: dict[str, object], probability: float, lost: bool
) -> None:
    """Where the level rises as in speech, one doubt more is needed."""
    guard = HallucinationFilter(rising(), saying(probability))
    assert withheld(guard, replace(SOUND, **change)) is lost


def test_what_is_withheld_keeps_its_text_times_and_reason() -> None:
    """For a person to look at."""
    guard = HallucinationFilter(audio(), Ear())
    item = guard.check(replace(SOUND, text="You", no_speech_prob=0.9))
    assert item == WithheldSegment(10.0, 12.0, "You", "no_voice")
    silent = HallucinationFilter(np.zeros(60 * RATE_HZ, dtype=np.float32), Ear())
    item = silent.check(SOUND)
    assert isinstance(item, WithheldSegment)
    assert item.reason == "no_sound"


@pytest.mark.parametrize("change", [{"no_speech_prob": 0.9}, {"text": "Thank you."}])
def test_doubtful_text_where_somebody_speaks_is_kept(change: dict[str, object]) -> None:
    """People do say thank you."""
    assert not withheld(HallucinationFilter(audio((11.0, 11.5)), Ear()), replace(SOUND, **change))


@pytest.mark.parametrize(("voice_s", "lost"), [(0.15, True), (0.5, False)])
def test_a_phrase_that_everything_doubts_needs_a_voice_as_long(voice_s: float, lost: bool) -> None:
    """Melodies sound like a voice for a moment; whoever says "you" takes longer."""
    item = replace(SOUND, text="You", no_speech_prob=0.6, avg_logprob=-1.1, temperature=1.0)
    guard = HallucinationFilter(audio((11.0, 11.0 + voice_s)), Ear())
    assert withheld(guard, item) is lost
    guard = HallucinationFilter(audio((11.0, 11.0 + voice_s)), Ear())
    assert not withheld(guard, replace(item, text="You will see"))


def test_doubtful_words_are_kept_where_a_voice_follows_in_the_window() -> None:
    """They may be that voice's, with wrong times."""
    assert not withheld(
        HallucinationFilter(audio((30.0, 32.0)), Ear()), replace(SOUND, no_speech_prob=0.9)
    )


def test_a_stock_phrase_is_withheld_though_a_voice_follows() -> None:
    """Nobody's words are lost with a "You" in the middle of a pause."""
    assert withheld(HallucinationFilter(audio((30.0, 32.0)), Ear()), replace(SOUND, text="You"))


def test_a_voice_that_belongs_to_the_segment_before_proves_nothing() -> None:
    """ "Thank you." right behind real speech is judged by what follows that speech."""
    guard = HallucinationFilter(audio((6.0, 10.0)), Ear())
    guard.check(replace(SOUND, start_s=6.0, end_s=10.0))

    assert withheld(guard, replace(SOUND, start_s=10.0, text="Thank you.", no_speech_prob=0.6))


def test_words_over_digital_silence_are_doubtful() -> None:
    """However sure the model is, no sound means no words, unless a voice follows."""
    silent = np.zeros(60 * RATE_HZ, dtype=np.float32)

    assert withheld(HallucinationFilter(silent, Ear()), SOUND)


def test_quiet_audio_is_made_louder_for_the_detector() -> None:
    """Speech recorded too low is speech."""
    loudest: list[float] = []

    def ear(samples: Samples) -> Samples:
        loudest.append(float(samples.max()))
        return np.zeros(1, dtype=np.float32)

    HallucinationFilter(audio() * np.float32(0.001), ear).check(replace(SOUND, text="You"))

    assert loudest == [pytest.approx(0.1, rel=0.05)]


def test_a_long_noise_is_heard_about_once() -> None:
    """A loop of inventions costs no more than one look at what lies under it."""
    ear = Ear()
    guard = HallucinationFilter(audio(), ear)
    for start_s in range(0, 60, 2):
        invented = replace(SOUND, start_s=start_s, end_s=start_s + 2, no_speech_prob=0.9)
        assert withheld(guard, invented)

    assert sum(ear.detected_s) < 2 * 90


def test_what_was_withheld_is_told_in_one_line() -> None:
    """How many, the first with its time; nothing when there was none."""
    guard = HallucinationFilter(audio(), Ear())
    assert guard.notice() is None
    guard.check(replace(SOUND, text="You"))
    guard.check(replace(SOUND, start_s=20, end_s=21, text="Thank you."))

    notice = guard.notice()
    assert notice is not None
    assert "2 segment(s)" in notice
    assert "'You' at 10.0 s" in notice
    assert "\n" not in notice


def test_an_engine_without_statistics_is_not_doubted_for_it() -> None:
    """Missing numbers are no evidence."""
    assert not doubts(Segment(0.0, 1.0, "Hello."))


@pytest.mark.parametrize(("peak", "silent"), [(0.0, True), (1 / 32768, True), (0.001, False)])
def test_no_sound_means_dither_at_most(peak: float, silent: bool) -> None:
    """Speech 60 dB down still counts as sound."""
    samples = np.zeros(1000, dtype=np.float32)
    samples[::7] = -peak

    assert soundless(samples) is silent


def test_steady_noise_without_a_voice_is_not_decoded() -> None:
    """A level that hardly moves and a detector that hears nobody: there is nothing to decode."""
    noise = np.random.default_rng(1).normal(0, 0.05, 5 * RATE_HZ).astype(np.float32)
    assert HallucinationFilter(noise, lambda samples: np.full(60, 0.3, np.float32)).nobody_speaks()
    assert not HallucinationFilter(
        noise, lambda samples: np.full(60, 0.9, np.float32)
    ).nobody_speaks()


def test_what_moves_is_decoded_without_being_heard_first() -> None:
    """Speech rises and falls: the detector is not even asked."""
    noise = np.random.default_rng(1).normal(0, 0.05, 5 * RATE_HZ).astype(np.float32)
    noise[RATE_HZ : 2 * RATE_HZ] *= 0.05
    guard = HallucinationFilter(noise, lambda samples: np.zeros(10, np.float32))
    assert not guard.nobody_speaks()
    assert guard.detected_s == 0


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ([], "No speech was heard."),
        ([{}], None),
        ([{}, {"avg_logprob": -1.2}], "Low confidence in 1 of 2 segments, the first at 10.0 s"),
        ([{"temperature": 1.0}], "Low confidence in 1 of 1 segments"),
    ],
)
def test_confidence_is_told_in_one_line(changes: list[dict[str, float]], line: str | None) -> None:
    """What the engine itself doubted is said, and silence where there is nothing to say."""
    confidence = Confidence()
    for change in changes:
        confidence.add(replace(SOUND, **change))  # type: ignore[arg-type]
    message = confidence.notice()
    assert message is None if line is None else (message or "").startswith(line)


@pytest.mark.parametrize("hertz", [50, 60])
@pytest.mark.parametrize("level", [0.01, 0.1, 0.5])
def test_f94_a_hum_is_no_voice(hertz: int, level: float) -> None:
    """The detector starts at its beginning; it does not stay."""
    times = np.arange(6 * RATE_HZ) / RATE_HZ
    waves = sum(np.sin(2 * np.pi * hertz * k * times) / k for k in range(1, 9))
    samples = np.asarray(level * waves / np.abs(waves).max(), dtype=np.float32)
    samples += np.random.default_rng(0).normal(0, level / 100, len(samples)).astype(np.float32)
    assert HallucinationFilter(samples).nobody_speaks()


def test_a_single_frame_is_no_voice_and_a_short_word_is() -> None:
    """A knock, and a "no" of a fifth of a second."""
    frames = np.zeros(30, np.float32)
    frames[10] = 0.99
    assert held(frames) < 0.1
    frames[10:16] = 0.9
    assert held(frames) == pytest.approx(0.9)
    assert held(frames[:2]) == 0.0
