"""What every engine promises, as checks that any engine can be put through.

Each promise is a function of a loaded engine and a clip in which it finds something; it raises
`BrokenPromise`. Authors of engines call `check_engine` in a test of theirs::

    from hybrid_transcribe.testing import check_engine, tone

    def test_it_keeps_what_engines_promise():
        check_engine(MyEngine(), tone(3.0))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import NoReturn

import numpy as np

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import HybridTranscribeError, InvalidRequest
from hybrid_transcribe.interfaces import (
    Capabilities,
    ClipDone,
    Engine,
    EngineWarning,
    Heard,
    Language,
    LoadRequest,
    ModelFiles,
)
from hybrid_transcribe.types import Clip, Options, Segment

#: A language that nobody speaks: no ISO 639-1 code.
_NO_LANGUAGE = "xx"


class BrokenPromise(AssertionError):
    """An engine does not do what every engine does; the message says what."""


def check_engine(engine: Engine, clip: Clip, request: LoadRequest | None = None) -> None:
    """Put an engine through everything that engines promise.

    ``clip`` holds something that it finds. ``request`` is how it is loaded; None asks for its
    default model by name, which is enough where the model is no files. Raises BrokenPromise,
    which lists all that is broken, and whatever loading raises.
    """
    required = request or LoadRequest(ModelFiles(engine.capabilities.default_model), device="cpu")
    engine.load(required)
    try:
        every = (*PROMISES, unloaded_it_refuses)
        broken = [text for promise in every if (text := _broken_promise(promise, engine, clip))]
        # Twice is once.
        engine.unload()
        engine.unload()
        engine.load(required)
        again = _broken_promise(segments_lie_in_order_inside_the_clip, engine, clip)
        broken += [f"Loaded again: {again}"] if again and not broken else []
    finally:
        engine.unload()
    if broken:
        raise BrokenPromise("\n".join(broken))


def _broken_promise(
    promise: Callable[[Engine, Clip], None], engine: Engine, clip: Clip
) -> str | None:
    try:
        # A copy each: an engine that writes into one must not hide that from the next.
        promise(engine, replace(clip, samples=clip.samples.copy()))
    except BrokenPromise as broken:
        return f"{promise.__name__}: {broken}"
    except Exception as error:
        return f"{promise.__name__}: it raised {type(error).__name__}: {error}"
    return None


# --------------------------------------------------------------------------- promises


def it_describes_itself(engine: Engine, clip: Clip) -> None:
    """A name, what it can do, and one line where it cannot run."""
    if not isinstance(engine.name, str) or not engine.name:
        _broken(f"name is {engine.name!r}")
    if not isinstance(engine.capabilities, Capabilities):
        _broken(f"capabilities are {engine.capabilities!r}")
    unknown = set(engine.capabilities.options) - set(Options.__dataclass_fields__)
    if unknown:
        _broken(f"it honours options that do not exist: {', '.join(sorted(unknown))}")
    why_not = engine.available(Settings())
    if why_not is not None and (not isinstance(why_not, str) or not why_not.strip()):
        _broken(f"available() answers {why_not!r}: None or one line are answers")


def segments_lie_in_order_inside_the_clip(engine: Engine, clip: Clip) -> None:
    """They never overlap and end no later than the audio."""
    result = _segments(engine, clip, Options())
    if not result:
        _broken("it found nothing in the clip: give one in which it does")
    edges = [t for s in result for t in (s.start_s, s.end_s)]
    if edges != sorted(edges):
        _broken(f"segments are out of order or overlap: {_times(result)}")
    if edges[0] < 0 or edges[-1] > clip.duration_s:
        _broken(f"segments leave the clip of {clip.duration_s} s: {_times(result)}")


def every_segment_says_something(engine: Engine, clip: Clip) -> None:
    """Blank ones reach nobody."""
    blank = [s for s in _segments(engine, clip, Options()) if not s.text.strip()]
    if blank:
        _broken(f"blank segments: {_times(blank)}")


def a_language_comes_before_the_segments(engine: Engine, clip: Clip) -> None:
    """Whoever shows text while it comes knows its language."""
    kinds = [type(h) for h in _run(engine, clip, Options())]
    if Language in kinds and Segment in kinds and kinds.index(Language) > kinds.index(Segment):
        _broken("Language comes after the first Segment")


def canceled_from_the_start_it_yields_nothing(engine: Engine, clip: Clip) -> None:
    """The question is asked before every yield."""
    items = list(engine.transcribe(clip, Options(), lambda: True))
    if items:
        _broken(f"it yields {items[0]!r}")


def canceled_in_between_it_stops(engine: Engine, clip: Clip) -> None:
    """Nothing comes after the cancel."""
    seen: list[Heard] = []
    for event in engine.transcribe(clip, Options(), lambda: len(seen) > 0):
        seen.append(event)
    if len(seen) != 1:
        _broken(f"canceled after the first of it, it yields {len(seen)}")


def words_lie_in_order_inside_their_segment(engine: Engine, clip: Clip) -> None:
    """Where an engine can time words at all; a model that cannot says so in a notice."""
    if not engine.capabilities.word_timestamps:
        return
    message = _run(engine, clip, Options(word_timestamps=True))
    items = [h for h in message if isinstance(h, Segment)]
    excused = any(isinstance(h, EngineWarning) and "word_timestamps" in h.text for h in message)
    if not excused and not any(s.words for s in items):
        _broken("asked for word_timestamps, no segment has words and no notice says why")
    for segment in items:
        edges = [t for w in segment.words for t in (w.start_s, w.end_s)]
        if edges != sorted(edges):
            _broken(f"words are out of order or overlap: {segment.words!r}")
        if any(not segment.start_s <= t <= segment.end_s for t in edges):
            _broken(f"words leave their segment: {segment!r}")


def an_unknown_language_is_the_callers_mistake(engine: Engine, clip: Clip) -> None:
    """Where it takes a language, and the message names it."""
    can = engine.capabilities
    if "language" not in can.options or not can.languages:
        return
    try:
        _run(engine, clip, Options(language=_NO_LANGUAGE))
    except InvalidRequest as error:
        if repr(_NO_LANGUAGE) not in str(error):
            _broken(f"the message does not name {_NO_LANGUAGE!r}: {error}")
        return
    _broken(f"language={_NO_LANGUAGE!r} raises no InvalidRequest")


def a_clip_without_samples_says_nothing(engine: Engine, clip: Clip) -> None:
    """And is no error."""
    result = _segments(engine, Clip(np.zeros(0, dtype=np.float32), name="empty"), Options())
    if result:
        _broken(f"of no audio at all it says {result[0]!r}")


def the_samples_stay_as_they_are(engine: Engine, clip: Clip) -> None:
    """They are read only: others hold the same array."""
    before = clip.samples.copy()
    _run(engine, clip, Options())
    if not np.array_equal(before, clip.samples):
        _broken("it changed clip.samples")


def many_clips_are_each_answered_for(engine: Engine, clip: Clip) -> None:
    """One ClipDone a clip, whatever its neighbours are, and segments in time order."""
    quiet = Clip(np.zeros(16_000, dtype=np.float32), name="quiet")
    lines = list(
        engine.transcribe_many([(1, clip), (2, quiet), (3, clip)], Options(), lambda _: False)
    )
    errors = [result for _, result in lines if isinstance(result, Exception)]
    if errors:
        _broken(f"it yields an error: {errors[0]!r}")
    done = sorted(key for key, result in lines if isinstance(result, ClipDone))
    if done != [1, 2, 3]:
        _broken(f"of the clips 1, 2 and 3 there is a ClipDone for {done}")
    for key in (1, 3):
        starts = [w.start_s for k, w in lines if k == key and isinstance(w, Segment)]
        if not starts or any(a > b for a, b in pairwise(starts)):
            _broken(f"the segments of clip {key} start at {starts}")


def unloaded_it_refuses(engine: Engine, clip: Clip) -> None:
    """Where it has model files: without them it raises one of our errors. It is left unloaded."""
    if engine.capabilities.model_layout is None:
        return
    engine.unload()
    try:
        _run(engine, clip, Options())
    except HybridTranscribeError:
        return
    _broken("it transcribes without a model")


#: What a loaded engine keeps, and stays loaded.
PROMISES: tuple[Callable[[Engine, Clip], None], ...] = (
    it_describes_itself,
    segments_lie_in_order_inside_the_clip,
    every_segment_says_something,
    a_language_comes_before_the_segments,
    canceled_from_the_start_it_yields_nothing,
    canceled_in_between_it_stops,
    words_lie_in_order_inside_their_segment,
    an_unknown_language_is_the_callers_mistake,
    a_clip_without_samples_says_nothing,
    the_samples_stay_as_they_are,
    many_clips_are_each_answered_for,
)


def _run(engine: Engine, clip: Clip, options: Options) -> list[Heard]:
    return list(engine.transcribe(clip, options, lambda: False))


def _segments(engine: Engine, clip: Clip, options: Options) -> list[Segment]:
    return [h for h in _run(engine, clip, options) if isinstance(h, Segment)]


def _times(segments: list[Segment]) -> str:
    return ", ".join(f"{s.start_s:g} – {s.end_s:g}" for s in segments[:20])


def _broken(why: str) -> NoReturn:
    raise BrokenPromise(why)
