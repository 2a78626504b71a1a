"""The checks for engines find what is wrong with one, and nothing with a sound one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hybrid_transcribe import Capabilities, Clip, Engine, Options, Segment
from hybrid_transcribe.contract import PROMISES, unloaded_it_refuses
from hybrid_transcribe.interfaces import Heard, Language
from hybrid_transcribe.testing import BrokenPromise, ScriptedEngine, check_engine, tone
from hybrid_transcribe.types import Word

CLIP = tone(3.0)

Canceled = Callable[[], bool]


class Yields(Engine):
    """Yields what it is given, asking before each."""

    name = "yields"
    capabilities = Capabilities(default_model="any")

    def __init__(self, *heard: Heard, can: Capabilities | None = None) -> None:
        self.heard = heard
        if can is not None:
            self.capabilities = can  # type: ignore[misc]

    def transcribe(self, clip: Clip, options: Options, canceled: Canceled) -> Iterator[Heard]:
        for event in self.heard if len(clip.samples) else ():
            if canceled():
                return
            yield event


class Deaf(Yields):
    """Never asks whether it is canceled."""

    def transcribe(self, clip: Clip, options: Options, canceled: Canceled) -> Iterator[Heard]:
        yield from self.heard


class Greedy(Yields):
    """Works in the array it was lent."""

    def transcribe(self, clip: Clip, options: Options, canceled: Canceled) -> Iterator[Heard]:
        clip.samples[:] = 0
        yield from super().transcribe(clip, options, canceled)


class Forgetful(Yields):
    """Answers for the first clip only."""

    def transcribe_many(self, clips: Any, options: Options, canceled: Any) -> Iterator[Any]:
        yield from super().transcribe_many(list(clips)[:1], options, canceled)


ONE = Segment(0.0, 1.0, "one")
TWO = Segment(1.0, 2.0, "two")
TIMED = Segment(0.0, 1.0, "one", (Word(0.5, 1.5, "one"),))

BROKEN: dict[str, Engine] = {
    "it_describes_itself": Yields(ONE, can=Capabilities(options=frozenset({"volume"}))),
    "segments_lie_in_order_inside_the_clip": Yields(TWO, ONE),
    "every_segment_says_something": Yields(ONE, Segment(1.0, 2.0, " ")),
    "a_language_comes_before_the_segments": Yields(ONE, Language("en")),
    "canceled_from_the_start_it_yields_nothing": Deaf(ONE, TWO),
    "canceled_in_between_it_stops": Deaf(ONE, TWO),
    "words_lie_in_order_inside_their_segment": Yields(
        TIMED, can=Capabilities(word_timestamps=True)
    ),
    "an_unknown_language_is_the_callers_mistake": Yields(ONE, can=Capabilities(languages=("en",))),
    "a_clip_without_samples_says_nothing": Deaf(ONE),
    "the_samples_stay_as_they_are": Greedy(ONE),
    "many_clips_are_each_answered_for": Forgetful(ONE),
    "unloaded_it_refuses": Yields(ONE, can=Capabilities(model_layout="own")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_promise_is_named(name: str) -> None:
    """And the engine that breaks it is refused."""
    with pytest.raises(BrokenPromise, match=rf"(?m)^{name}: "):
        check_engine(BROKEN[name], tone(3.0))


def test_every_promise_is_broken_by_somebody() -> None:
    """No check that cannot fail."""
    assert set(BROKEN) == {promise.__name__ for promise in (*PROMISES, unloaded_it_refuses)}


@pytest.mark.parametrize(
    "outside", [Segment(-0.1, 1.0, "early"), Segment(2.0, 3.5, "late")], ids=lambda s: s.text
)
def test_times_outside_the_clip_are_found(outside: Segment) -> None:
    """Before its first sample and behind its last."""
    with pytest.raises(BrokenPromise, match=r"leave the clip of 3\.0 s"):
        check_engine(Yields(outside), CLIP)


def test_a_clip_in_which_nothing_is_found_shows_nothing() -> None:
    """The author is told so."""
    with pytest.raises(BrokenPromise, match="it found nothing in the clip"):
        check_engine(Yields(), CLIP)


def test_what_an_engine_raises_is_told_with_the_rest() -> None:
    """One failure does not hide the others."""

    class Fails(Yields):
        def transcribe(self, clip: Clip, options: Options, canceled: Canceled) -> Any:
            raise ValueError("no such thing")

    with pytest.raises(BrokenPromise) as broken:
        check_engine(Fails(), CLIP)

    assert str(broken.value).count("it raised ValueError: no such thing") > 1


@pytest.mark.parametrize("engine", [ScriptedEngine(), Yields(Language("en"), ONE, TWO)])
def test_a_sound_engine_passes(engine: Engine) -> None:
    """It is left unloaded, and nothing is raised."""
    check_engine(engine, CLIP)
