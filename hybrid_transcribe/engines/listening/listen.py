"""What every local engine does around its decoder: silence, order, doubts and cancelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from hybrid_transcribe.engines.listening.confidence import Confidence
from hybrid_transcribe.engines.listening.segments import SegmentNormalizer
from hybrid_transcribe.engines.listening.silence import Guard, soundless
from hybrid_transcribe.interfaces import Heard, Language, Notice, Progress
from hybrid_transcribe.types import Clip, Options, Segment


class Interrupted(Exception):
    """The recording was cancelled between two windows. Never leaves the engine."""


def listen(
    clip: Clip,
    options: Options,
    cancelled: Callable[[], bool],
    decode: Callable[[], Iterable[Any]] | None,
    meaning: Callable[[Exception], Exception],
    notices: Sequence[str] = (),
) -> Iterator[Heard]:
    """All that an engine yields for a clip, ``notices`` first.

    ``decode`` gives `Language`, `Notice`, `Progress` and segments shaped like the libraries'
    (``start``, ``end``, ``text``, ``words``…, see `SegmentNormalizer`), and may raise
    Interrupted. It is only called where there is something to hear, and None when nothing of the
    clip is wanted. ``meaning`` turns a library's error into ours.
    """
    told = (Notice(line) for line in notices)
    for heard in chain(told, _all(clip, options, decode, meaning)):
        if cancelled():
            return
        yield heard


def _all(
    clip: Clip,
    options: Options,
    decode: Callable[[], Iterable[Any]] | None,
    meaning: Callable[[Exception], Exception],
) -> Iterator[Heard]:
    if options.silence_guard and soundless(clip.samples):
        yield Notice("There is no sound in this recording.")
    elif decode is not None and len(clip.samples):
        try:
            yield from _heard(clip, options, decode)
        except Interrupted:
            return
        except Exception as error:
            raise meaning(error) from error
    yield Progress(clip.duration_s)


def _heard(clip: Clip, options: Options, decode: Callable[[], Iterable[Any]]) -> Iterator[Heard]:
    guard = Guard(clip.samples) if options.silence_guard else None
    if guard and guard.hears_nobody():
        yield Notice("Nobody speaks in this recording.")
        return
    confidence = Confidence()
    for event in _normalized(clip, decode()):
        if not isinstance(event, Segment):
            yield event
        elif guard and not guard.keeps(event):
            yield Progress(event.end_s)
        else:
            confidence.add(event)
            yield event
    for line in (guard.notice() if guard else None, confidence.notice()):
        if line:
            yield Notice(line)


def _normalized(clip: Clip, raw_events: Iterable[Any]) -> Iterator[Heard]:
    """The engine's events with segments of ours; progress says where the audio before it ended."""
    normalizer = SegmentNormalizer(clip.samples)
    try:
        for raw in raw_events:
            if isinstance(raw, Progress):
                yield from normalizer.flush(raw.done_s)
                yield raw
            elif isinstance(raw, Language | Notice):
                yield raw
            elif raw.text.strip():
                yield from normalizer.add(raw)
            else:
                yield from normalizer.flush()
                yield Progress(min(float(raw.end), clip.duration_s))
    except Exception:
        # What was decoded before a failure is not lost with it.
        yield from normalizer.flush()
        raise
    yield from normalizer.flush()
