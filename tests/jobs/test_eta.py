"""When it will be done, from what was measured."""

from __future__ import annotations

import pytest

from hybrid_transcribe.jobs.eta import Load, Speeds, Stopwatch, arrivals, key
from hybrid_transcribe.types import Spec

SPEC = Spec("e", "m")
OTHER = Spec("e", "n")


def measured(per_s: float = 10.0, load_s: float = 0.0) -> Speeds:
    speeds = Speeds()
    for spec in (SPEC, OTHER):
        speeds.of(spec).add(per_s * 5, 5.0)
        speeds.of(spec).load_s = load_s
    return speeds


def test_unknown_until_measured() -> None:
    """Before anything was measured there is no ETA, not a zero."""
    assert arrivals([Load("a", SPEC, 60.0)], [], Speeds(), None) == {}


def test_work_ahead_counts() -> None:
    """What runs comes first, then each in its place."""
    result = arrivals(
        [Load("now", SPEC, 50.0)],
        [Load("next", SPEC, 100.0), Load("last", SPEC, 100.0)],
        measured(),
        key(SPEC),
    )
    assert result == pytest.approx({"now": 5.0, "next": 15.0, "last": 25.0})


def test_cold_models_cost_their_load() -> None:
    """A model that is not the loaded one adds the time loading it took last time."""
    result = arrivals(
        [], [Load("a", SPEC, 10.0), Load("b", OTHER, 10.0)], measured(load_s=3.0), None
    )
    assert result == pytest.approx({"a": 4.0, "b": 8.0})


def test_an_unknown_length_hides_what_is_behind_it() -> None:
    """Better no ETA than a wrong one."""
    result = arrivals(
        [],
        [Load("a", SPEC, 10.0), Load("?", SPEC, None), Load("c", SPEC, 10.0)],
        measured(),
        key(SPEC),
    )
    assert set(result) == {"a"}


def test_parallel_recordings_share_the_speed() -> None:
    """Two at once take twice as long each."""
    result = arrivals([Load("a", SPEC, 10.0), Load("b", SPEC, 10.0)], [], measured(), key(SPEC))
    assert result == pytest.approx({"a": 2.0, "b": 2.0})


def test_recent_speed_counts_more() -> None:
    """A machine that became slow is believed within minutes."""
    speeds = measured(per_s=100.0)
    for _ in range(60):
        speeds.of(SPEC).add(5.0, 5.0)
    assert speeds.of(SPEC).per_s == pytest.approx(1.0, rel=0.2)


def test_speeds_survive_as_plain_data() -> None:
    """A restarted service knows its speeds from the first second."""
    restored = Speeds()
    restored.load(measured(load_s=2.0).plain())
    assert restored.of(SPEC).per_s == pytest.approx(10.0)
    assert restored.of(SPEC).load_s == 2.0


def watched(*told: tuple[float, float], of: str = "a") -> Speeds:
    """Speeds after a worker finished (seconds of audio) at (seconds of the clock)."""
    speeds, watch = Speeds(), Stopwatch()
    watch.segments_received(0.0)
    watch.hears(10.0)
    for audio_s, at_s in told:
        watch.finished(speeds.of(SPEC), of, audio_s, at_s)
    return speeds


def test_the_beginning_of_a_long_recording_does_not_count() -> None:
    """Two pieces are begun at once and told in turn: the first comes late, the others do not."""
    speeds = watched((20, 12), *((20, 13.0 + i) for i in range(10)))
    assert speeds.of(SPEC).per_s == pytest.approx(20, rel=0.01)


def test_what_comes_with_the_first_text_belongs_to_it() -> None:
    """An engine that hears window by window is as fast as its windows, not as its sentences."""
    window = [(10.0, 0.0), (10.0, 0.01), (10.0, 0.02)]
    lines = [(audio_s, 14.0 + 4 * n + at_s) for n in range(5) for audio_s, at_s in window]
    assert watched(*lines).of(SPEC).per_s == pytest.approx(30 / 4, rel=0.02)


def test_the_beginning_is_a_guess_while_nothing_else_is_known() -> None:
    """Ready to be heard after ten seconds, heard in two."""
    assert watched((20, 12)).of(SPEC).per_s == pytest.approx(10)
    assert watched((5, 10.1)).of(SPEC).per_s is None


def test_short_recordings_count_whole() -> None:
    """What has nothing but a beginning is measured by it, and the next one by itself."""
    speeds, watch = Speeds(), Stopwatch()
    watch.segments_received(0.0)
    for i in range(10):
        watch.hears(float(i))
        watch.finished(speeds.of(SPEC), f"r{i}", 5.0, i + 1.0)
        watch.over(f"r{i}")
    assert speeds.of(SPEC).per_s == pytest.approx(5, rel=0.01)
