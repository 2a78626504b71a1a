"""Sound becomes turns, with tiny networks whose answers are known."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.speakers.activity import (
    EMBEDDED_S,
    LEAST_S,
    TRUST,
    Analysis,
    OverlappingWindows,
    RegionTracker,
)
from hybrid_transcribe.speakers.clustering import SpeakerLimits
from hybrid_transcribe.speakers.diarizer import Diarizer, diarized
from hybrid_transcribe.speakers.segmentation import (
    FRAME_STEP_S,
    N_FRAMES,
    STEP_FRAMES,
    frame_at,
    frame_start_s,
)
from hybrid_transcribe.speakers.turns import Turn
from hybrid_transcribe.types import RATE_HZ
from tests.speakers.networks import Samples, networks, spoken

#: Who speaks when: five turns of three people, the last two over each other.
SPOKEN = [(1.0, 6.0, 0), (6.5, 12.0, 1), (12.2, 20.0, 0), (20.5, 27.0, 2), (26.0, 31.0, 1)]

#: Edges are right to two frames of the segmentation, each 62 ms long.
EDGE_S = 0.13


@pytest.fixture(scope="module")
def diarizer(tmp_path_factory: pytest.TempPathFactory) -> Diarizer:
    """With both networks."""
    paths = networks(tmp_path_factory.mktemp("networks"))
    return Diarizer(paths["pyannote-segmentation-3.0"], paths["campplus-zh-en"])


@pytest.fixture(scope="module")
def conversation() -> Samples:
    """The sound of `SPOKEN`."""
    return spoken(SPOKEN, 33)


@pytest.fixture(scope="module")
def analysis(diarizer: Diarizer, conversation: Samples) -> Analysis:
    """What is kept of it."""
    return diarizer.analysis([conversation])


def blocks(samples: Samples, lengths_s: list[float]) -> Iterator[Samples]:
    """Parts of those lengths, again and again."""
    at = 0
    for length_s in itertools.cycle(lengths_s):
        if at >= len(samples):
            return
        yield samples[at : at + int(length_s * RATE_HZ)]
        at += int(length_s * RATE_HZ)


def test_turns_are_those_that_were_spoken(analysis: Analysis) -> None:
    """Every change, and who speaks over whom; labels by first speech."""
    turns = list(diarized(analysis).turns)

    expected = [(1, 6, "S1"), (6.5, 12, "S2"), (12.2, 20, "S1"), (20.5, 27, "S3"), (26, 31, "S2")]
    # The second voice of overlapped speech is right to its own frames only.
    joined = _joined(turns)
    assert [turn.speaker for turn in joined] == [speaker for _, _, speaker in expected]
    for turn, (start_s, end_s, _) in zip(joined, expected, strict=True):
        assert abs(turn.start_s - start_s) < 3 * EDGE_S
        assert abs(turn.end_s - end_s) < EDGE_S


def _joined(turns: list[Turn]) -> list[Turn]:
    """One turn for each stretch of one speaker, short gaps closed."""
    result: list[Turn] = []
    for speaker in {turn.speaker for turn in turns}:
        own: list[Turn] = []
        for turn in (t for t in turns if t.speaker == speaker):
            if own and turn.start_s - own[-1].end_s < 0.4:
                own[-1] = Turn(own[-1].start_s, turn.end_s, speaker)
            else:
                own.append(turn)
        result += own
    return sorted(result)


@pytest.mark.parametrize("lengths_s", [[30.0], [7.3], [0.5, 11.0], [0.01, 4.0]], ids=str)
def test_blocks_of_any_length_give_the_same(
    diarizer: Diarizer, conversation: Samples, analysis: Analysis, lengths_s: list[float]
) -> None:
    """To the last number: the stage may be resumed, and clips may end anywhere."""
    other = diarizer.analysis(blocks(conversation, lengths_s))

    assert other.duration_s == analysis.duration_s
    np.testing.assert_array_equal(other.classes, analysis.classes)
    np.testing.assert_array_equal(other.spans, analysis.spans)
    np.testing.assert_array_equal(other.alone_s, analysis.alone_s)
    np.testing.assert_allclose(other.embeddings, analysis.embeddings, atol=1e-5)
    assert diarized(other).turns == diarized(analysis).turns


def test_the_same_sound_gives_the_same_labels(
    diarizer: Diarizer, conversation: Samples, analysis: Analysis
) -> None:
    """Again, and with another's voice added at the end."""
    assert diarized(diarizer.analysis([conversation])).turns == diarized(analysis).turns

    longer = spoken([*SPOKEN, (34.0, 40.0, 3)], 42)
    turns = diarized(diarizer.analysis([longer])).turns
    assert [t.speaker for t in turns if t.end_s < 25] == [
        t.speaker for t in diarized(analysis).turns if t.end_s < 25
    ]
    assert turns[-1].speaker == "S4"


def test_the_number_of_speakers_can_be_said(analysis: Analysis) -> None:
    """Exactly, at least, at most."""
    for limits, n in (
        (SpeakerLimits(2, 2), 2),
        (SpeakerLimits(most=1), 1),
        (SpeakerLimits(least=2), 3),
    ):
        assert len(diarized(analysis, limits).voices) == n


def test_one_voice_is_one_speaker(diarizer: Diarizer) -> None:
    """However many pauses it makes."""
    monologue = spoken([(i, i + 0.8, 2) for i in range(1, 40)], 42)

    diarization = diarized(diarizer.analysis([monologue]))

    assert {turn.speaker for turn in diarization.turns} == {"S1"}
    assert list(diarization.voices) == ["S1"]


@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.03, 1.0, 10.0, 10.03, 30.0])
def test_nobody_speaks_in_silence(diarizer: Diarizer, seconds: float) -> None:
    """Of any length, none too."""
    analysis = diarizer.analysis([np.zeros(int(seconds * RATE_HZ), np.float32)])

    assert diarized(analysis).turns == ()
    assert analysis.duration_s == pytest.approx(seconds)


@pytest.mark.parametrize("seconds", [0.3, 0.5, 1.0, 2.0, 9.99, 10.0, 10.02, 15.1])
def test_short_recordings_have_their_speaker(diarizer: Diarizer, seconds: float) -> None:
    """Speech up to the last sample; no turn ends behind it."""
    turns = diarized(diarizer.analysis([spoken([(0, seconds, 0)], seconds)])).turns

    assert {turn.speaker for turn in turns} == {"S1"}
    assert turns[-1].end_s <= seconds
    assert sum(t.end_s - t.start_s for t in turns) > seconds - 2 * EDGE_S


def test_a_damaged_model_is_said_to_be_one(tmp_path: Path) -> None:
    """By its file's name."""
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no network")

    with pytest.raises(ModelUnavailable, match=r"broken\.onnx"):
        Diarizer(path, path)


# ---------------------------------------------------------------------------------- parts


def test_frames_of_two_windows_are_averaged() -> None:
    """The middle of a window counts more than the end of the one before it."""
    windows = OverlappingWindows()
    first = windows.add(np.ones(N_FRAMES), last=False)
    second = windows.add(np.zeros(N_FRAMES), last=True)

    assert len(first) == STEP_FRAMES
    assert len(second) == N_FRAMES
    assert set(first.tolist()) == {1.0}
    overlap = N_FRAMES - STEP_FRAMES
    np.testing.assert_allclose(
        second[:overlap], TRUST[STEP_FRAMES:] / (TRUST[STEP_FRAMES:] + TRUST[:overlap])
    )
    assert second[0] > 0.9
    assert second[overlap - 1] < 0.1
    assert not second[overlap:].any()


def test_windows_cover_speech_and_nothing_else() -> None:
    """Each region of frames, however the frames come; pauses of a fifth of a second are speech."""
    active = np.zeros(2000, np.bool_)
    for first, end in ((10, 15), (100, 400), (410, 500), (600, 640), (1500, 2000)):
        active[first:end] = True

    def windows(step: int) -> list[tuple[float, float]]:
        tracker = RegionTracker()
        spans = [s for i in range(0, len(active), step) for s in tracker.add(active[i : i + step])]
        return [*spans, *tracker.finish(1e9)]

    spans = windows(297)

    assert spans == windows(2000) == windows(7)
    covered = np.zeros(2000, np.bool_)
    for start_s, end_s in spans:
        assert LEAST_S <= end_s - start_s <= EMBEDDED_S + 1e-9
        covered[frame_at(start_s + 1e-6) : frame_at(end_s - 1e-6) + 1] = True
    active[10:15] = False  # Too short.
    active[400:410] = True  # Too short a pause.
    np.testing.assert_array_equal(covered, active)


def test_frames_have_their_times() -> None:
    """A frame's start lies in it, and its end in the next."""
    for index in (0, 1, 588, 100_000):
        assert frame_at(frame_start_s(index) + 1e-6) == index
        assert frame_at(frame_start_s(index) + FRAME_STEP_S + 1e-6) == index + 1


@pytest.mark.slow
def test_memory_stays_flat(diarizer: Diarizer) -> None:
    """Half an hour takes as much as three minutes, but for the 5 MB an hour that are kept."""
    block = spoken([(i * 10.0, i * 10.0 + 9.5, i % 2) for i in range(6)], 60)

    def peak_bytes(n_blocks: int) -> int:
        tracemalloc.start()
        try:
            diarization = diarized(diarizer.analysis(block for _ in range(n_blocks)))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            assert len(diarization.voices) == 2
            assert len(diarization.turns) == 6 * n_blocks

    short = peak_bytes(3)
    assert peak_bytes(30) < short + 10e6
