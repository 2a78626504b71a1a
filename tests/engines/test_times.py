"""Times: inside their piece, in order, nobody squeezed to nothing, no silence at the edges."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.common.postprocess import postprocess
from hybrid_transcribe.engines.common.times import Levels, Span, fitted, within
from hybrid_transcribe.interfaces import EngineWarning, Progress
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment
from tests.engines.fakes import Raw, voice

seconds = st.floats(-5, 40, allow_nan=False)
spans = st.lists(st.builds(Span, seconds, seconds, st.integers(0, 120)), min_size=1, max_size=6)


@given(spans, st.floats(0, 20), st.floats(0, 20))
def test_whatever_the_times_each_text_gets_its_share(
    items: list[Span], low_s: float, length_s: float
) -> None:
    """In order, inside, and with the time to say it in wherever there is room for all."""
    high_s = low_s + length_s
    times = fitted(items, low_s, high_s)
    edges = [edge for pair in times for edge in pair]
    assert len(times) == len(items)
    assert edges == sorted(edges)
    assert low_s <= edges[0]
    assert edges[-1] <= high_s + 1e-9
    if length_s >= sum(item.least_s for item in items):
        for item, (start_s, end_s) in zip(items, times, strict=True):
            assert end_s - start_s >= item.least_s - 1e-6


@given(st.lists(st.floats(1, 5), min_size=1, max_size=6))
def test_times_that_fit_are_kept(lengths: list[float]) -> None:
    """To the last bit."""
    edges = np.cumsum([0.5, *lengths]).tolist()
    items = [Span(a, b, 20) for a, b in pairwise(edges)]
    assert fitted(items, 0.0, edges[-1] + 1) == [(s.start_s, s.end_s) for s in items]


def test_the_share_goes_by_the_length_of_the_text() -> None:
    """Two that claim one stretch divide it."""
    assert fitted([Span(2, 6, 10), Span(2, 6, 30)], 0, 10) == [(2, 3), (3, 6)]


def test_a_pieces_segments_stay_in_it() -> None:
    """Another piece follows, whose text is not this one's."""
    raws = [
        Raw(10, 14, " Somebody spoke."),
        Raw(14, 33, " And went on."),
        Raw(33, 34, " To the end."),
    ]
    times = [(r.start, r.end) for r in within(raws, 10.0, 20.0)]
    assert times[0] == (10, 14)
    assert times[-1][1] == 20
    assert all(b - a > 0.2 for a, b in times)


def heard(clip: Clip, raws: Iterable[Any]) -> list[Any]:
    """What comes of segments as a library gives them."""
    return list(postprocess(clip, Options(), lambda: False, lambda: raws, lambda error: error))


def of_the_text(text: str, start: float, end: float, words: Any = None) -> Raw:
    return Raw(start, end, text, words=words)


@pytest.mark.parametrize("end", [11.3, 10.0, 9.0, 7.5, 5.0])
@pytest.mark.parametrize("cut_s", [0.0, 0.4, 0.8])
def test_f91_an_end_beyond_the_piece_takes_nothing_from_the_next(
    sample: Path, end: float, cut_s: float
) -> None:
    """A sentence whose neighbour claims its time keeps its own, and is not withheld for it."""
    (clip,) = decode(str(sample), name="sample", settings=Settings.load())
    clip = Clip(clip.samples[int(cut_s * RATE_HZ) :])
    raws = [
        of_the_text("And so, my fellow Americans,", 0.0, end),
        of_the_text("ask not what your country can do for you,", 3.3 - cut_s, 7.9 - cut_s),
    ]
    events = heard(clip, raws)
    first, second = (e for e in events if isinstance(e, Segment))
    assert first.end_s <= second.start_s
    assert first.end_s - first.start_s > 1
    assert second.end_s - second.start_s > 4
    assert not [e for e in events if isinstance(e, EngineWarning)]


def test_f91_words_share_too() -> None:
    """None is left without a time of its own at the end of its segment."""
    words = [
        SimpleNamespace(word=f" {text}", start=start, end=start + 1, probability=0.9)
        for text, start in (("one", 0.0), ("two", 1.0), ("three", 6.0), ("four", 7.0))
    ]
    (segment,) = (
        e
        for e in heard(voice(5.0), [of_the_text("one two three four", 0.0, 9.0, words)])
        if isinstance(e, Segment)
    )
    assert [w.text for w in segment.words] == ["one", "two", "three", "four"]
    assert segment.words[-1].end_s == segment.end_s == 5.0
    assert all(w.end_s - w.start_s >= 0.05 for w in segment.words)


def test_progress_says_where_the_piece_ended() -> None:
    """The segment before it cannot reach further."""
    raws = [
        of_the_text("Hello there.", 0.0, 9.0),
        Progress(4.0),
        of_the_text("Good day.", 4.0, 6.0),
    ]
    first, second = (e for e in heard(voice(10.0), raws) if isinstance(e, Segment))
    assert (first.end_s, second.start_s) == (4.0, 4.0)


def test_what_was_decoded_before_a_failure_is_kept() -> None:
    """The segment that is held back comes before the error."""

    def failing() -> Any:
        yield of_the_text("Hello there.", 0.0, 2.0)
        raise RuntimeError("gone")

    events: list[Any] = []
    with pytest.raises(RuntimeError, match="gone"):
        events.extend(postprocess(voice(), Options(), lambda: False, failing, lambda error: error))
    assert [e.text for e in events if isinstance(e, Segment)] == ["Hello there."]


@pytest.mark.parametrize("noise", [0.0, 0.0003, 0.01], ids=["digital", "quiet", "audible"])
def test_silence_is_not_part_of_a_cue(noise: float) -> None:
    """Two seconds before and after somebody speaks, in a short clip."""
    quiet = np.zeros(2 * RATE_HZ, np.float32)
    samples = np.concatenate([quiet, voice(2.5).samples, quiet])
    samples += np.random.default_rng(1).normal(0, noise, len(samples)).astype(np.float32)
    (segment,) = (
        e
        for e in heard(Clip(samples), [of_the_text("My fellow Americans.", 0.0, 6.5)])
        if isinstance(e, Segment)
    )
    assert segment.start_s == pytest.approx(1.85, abs=0.06)
    assert segment.end_s == pytest.approx(4.65, abs=0.06)


def test_where_all_is_alike_nothing_is_cut() -> None:
    """Noise, silence, or speech from edge to edge."""
    noise = np.random.default_rng(1).normal(0, 0.05, 5 * RATE_HZ).astype(np.float32)
    for samples in (noise, np.zeros(5 * RATE_HZ, np.float32), voice(5.0).samples):
        assert Levels(samples).without_silence(0.0, 5.0) == (0.0, 5.0)
    assert Levels(noise[:100]).without_silence(0.0, 0.006) == (0.0, 0.006)
