"""What every local engine does around its decoder: silence, order, doubts and cancelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from hybrid_transcribe.engines.listening.confidence import Confidence
from hybrid_transcribe.engines.listening.segments import Tidy
from hybrid_transcribe.engines.listening.silence import Guard, soundless
from hybrid_transcribe.interfaces import Heard, Language, Notice, Progress
from hybrid_transcribe.types import Clip, Options


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
    (``start``, ``end``, ``text``, ``words``…, see `Tidy`), and may raise Interrupted. It is only
    asked where there is something to hear, and None when nothing of the clip is wanted.
    ``meaning`` turns a library's error into ours.
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
    tidy, confidence = Tidy(clip.duration_s), Confidence()
    for raw in decode():
        if isinstance(raw, Language | Notice | Progress):
            yield raw
            continue
        segment = tidy(raw)
        if segment is None or (guard and not guard.keeps(segment)):
            yield Progress(tidy.reached_s)
        else:
            confidence.add(segment)
            yield segment
    for line in (guard.notice() if guard else None, confidence.notice()):
        if line:
            yield Notice(line)
