"""Built conversations are what they say they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from hybrid_transcribe.types import RATE_HZ, Word
from tests.benchmarks import conversations
from tests.benchmarks.conversations import (
    Conversation,
    Fragment,
    Reader,
    Scene,
    SpokenTurn,
    Utterance,
    built,
    telephone,
)
from tests.benchmarks.degrade import Sound, write
from tests.benchmarks.diarization import DiarizationErrors
from tests.benchmarks.diarizers import Diarized
from tests.benchmarks.sounds import Samples, rms
from tests.benchmarks.speakers import Result, divide, interval, meetings, summary


def fragment(seconds: float, at_s: float, hz: float) -> Fragment:
    """A tone as a part of an utterance."""
    n = int(seconds * RATE_HZ)
    samples = np.sin(2 * np.pi * hz * np.arange(n) / RATE_HZ).astype(np.float32)
    return Fragment(samples, int(at_s * RATE_HZ), ((0, n),))


def reader(name: str, voice: str, hz: float) -> Reader:
    """Two utterances of tones in three and in one parts."""
    first = tuple(fragment(1.0, 1.5 * i, hz) for i in range(3))
    parts = (first, (fragment(2.0, 0.0, hz),))
    empty = np.zeros(5 * RATE_HZ, np.float32)
    utterances = tuple(
        Utterance(f"{name} {number}", empty, part)
        for number, part in zip(("one", "two"), parts, strict=True)
    )
    return Reader(name, voice, utterances)


READERS = [
    reader(name, voice, hz)
    for name, voice, hz in (
        ("a", "woman", 300),
        ("b", "man", 500),
        ("c", "woman", 900),
        ("d", "man", 1300),
    )
]


def test_the_same_seed_gives_the_same_conversation() -> None:
    """And another one another."""
    scene = Scene("test", 3, 30, overlap=0.1, snr_db=20)

    first, again, other = (built(scene, READERS, seed) for seed in (0, 0, 1))

    np.testing.assert_array_equal(first.samples, again.samples)
    assert first.turns == again.turns
    assert first.turns != other.turns


def test_turns_say_where_the_sound_is() -> None:
    """It is loud where somebody speaks, and nowhere else."""
    conversation = built(Scene("test", 2, 30, overlap=0.0), READERS)

    active = np.zeros(len(conversation.samples), np.bool_)
    for turn in conversation.turns:
        active[int(turn.start_s * RATE_HZ) : int(turn.end_s * RATE_HZ)] = True
    assert rms(conversation.samples[active]) > 100 * rms(conversation.samples[~active])
    assert 30 <= conversation.seconds < 60


@pytest.mark.parametrize("share", [0.0, 0.1, 0.2])
def test_as_much_is_overlapped_as_was_asked_for(share: float) -> None:
    """Within a few hundredths."""
    conversation = built(Scene("test", 4, 200, overlap=share, longest_turn_s=6), READERS)

    assert conversation.overlapped == pytest.approx(share, abs=0.05)


def test_voices_can_be_chosen() -> None:
    """Only women."""
    conversation = built(Scene("test", 2, 20, "woman"), READERS)

    assert set(conversation.texts) == {"a", "c"}


def test_texts_are_whole_utterances_as_often_as_they_are_said() -> None:
    """What was begun is said to its end."""
    conversation = built(Scene("test", 2, 25), READERS)

    for name, text in conversation.texts.items():
        said_s = sum(t.end_s - t.start_s for t in conversation.turns if t.speaker == name)
        assert said_s == pytest.approx(3 * text.count("one") + 2 * text.count("two"), abs=0.1)


def test_overlap_is_counted_by_time() -> None:
    """Two of ten seconds."""
    turns = (SpokenTurn(0, 6, "a"), SpokenTurn(4, 10, "b"))

    assert Conversation("test", np.zeros(0, np.float32), turns).overlapped == pytest.approx(0.2)


def test_the_telephone_keeps_its_band() -> None:
    """1 kHz comes through, 100 Hz and 6 kHz do not."""

    def tone(hz: float) -> Samples:
        return np.sin(2 * np.pi * hz * np.arange(RATE_HZ) / RATE_HZ).astype(np.float32)

    line = telephone(0.3 * (tone(100) + tone(1000) + tone(6000)))
    spectrum = np.abs(np.fft.rfft(line))

    assert len(line) == RATE_HZ
    assert spectrum[1000] > 50 * max(spectrum[100], spectrum[6000])


@pytest.mark.slow
def test_halves_of_the_readers_share_nobody() -> None:
    """And have both men and women."""
    halves = [conversations.readers(part) for part in ("development", "evaluation")]
    if not halves[0]:
        pytest.skip("no recorded speech beside the checkout")
    names = [{reader.name for reader in half} for half in halves]

    assert not names[0] & names[1]
    assert len(names[0] | names[1]) == len(conversations.readers())
    assert [{reader.voice for reader in half} for half in halves] == 2 * [{"man", "woman"}]


# -------------------------------------------------------------------- of the benchmark


def test_a_text_is_divided_by_the_times_of_its_words() -> None:
    """A word that was not recognised goes with the one before it."""
    words = [Word(0.2, 0.4, "The"), Word(0.5, 0.8, "cat"), Word(2.1, 2.4, "mat.")]

    assert divide("THE CAT SAT ON MAT", words, [0.0, 2.0]) == ["THE CAT SAT ON", "MAT"]
    assert divide("ALL", [], [0.0, 1.0]) == ["ALL", ""]


def result(wrong_s: float, n_counted: int = 2) -> Result:
    """A conversation of 100 s of speech."""
    counted = DiarizationErrors(wrong_s / 2, wrong_s / 2, 0, 100)
    return Result("test", 120, counted, 2, n_counted, Diarized((), 6.0, 200.0))


def test_intervals_hold_the_mean_and_grow_with_the_spread() -> None:
    """Alike conversations leave nothing open."""
    low, high = interval([result(x) for x in (1, 2, 3, 4, 10)])

    assert low < 4 < high
    assert interval([result(3)] * 5) == pytest.approx((3, 3))


def test_a_row_has_all_of_it() -> None:
    """Rates over all, people counted, time and memory."""
    assert summary("ours", [result(2), result(4, 3)]) == (
        "| ours | 3.0 (2.0–4.0) | 1.5 / 1.5 / 0.0 | 1 of 2 | 0.50 | 0.050 | 200 |"
    )


def test_meetings_come_with_their_turns(tmp_path: Path) -> None:
    """Of those that have a recording."""
    write(tmp_path / "m1.wav", Sound(np.zeros(RATE_HZ, np.float32)))
    (tmp_path / "all.rttm").write_text(
        "SPEAKER m1 1 0.500 1.250 <NA> <NA> anna <NA> <NA>\n"
        "SPEAKER gone 1 0.0 1.0 <NA> <NA> anna <NA> <NA>\n"
    )

    (meeting,) = meetings(tmp_path)

    assert (meeting.name, meeting.turns) == ("m1", (SpokenTurn(0.5, 1.75, "anna"),))
