"""What every local engine does around its decoder: silence, order, doubts and canceling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from hybrid_transcribe.engines.common.confidence import Confidence, MissedSpeech
from hybrid_transcribe.engines.common.hallucinations import HallucinationFilter, soundless
from hybrid_transcribe.engines.common.normalize import SegmentNormalizer
from hybrid_transcribe.interfaces import EngineWarning, Heard, Language, Progress
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options, Segment, WithheldSegment


@dataclass(frozen=True, slots=True)
class Undetected:
    """A stretch (s) to be decoded in which the detector finds no speech; its segments follow.

    Never leaves the engine.
    """

    start_s: float
    end_s: float


class DecodingInterrupted(Exception):
    """The recording was canceled between two windows. Never leaves the engine."""


def postprocess(
    clip: Clip,
    options: Options,
    canceled: Callable[[], bool],
    decode: Callable[[], Iterable[Any]] | None,
    meaning: Callable[[Exception], Exception],
    notices: Sequence[str] = (),
) -> Iterator[Heard]:
    """All that an engine yields for a clip, ``notices`` first.

    ``decode`` gives `Language`, `EngineWarning`, `Progress` and segments shaped like the libraries'
    (``start``, ``end``, ``text``, ``words``…, see `SegmentNormalizer`), and may raise
    Interrupted. It is only called where there is something to hear, and None when nothing of the
    clip is wanted. ``meaning`` turns a library's error into ours.
    """
    lines = (EngineWarning(line) for line in notices)
    for event in chain(lines, _all(clip, options, decode, meaning)):
        if canceled():
            return
        yield event


def _all(
    clip: Clip,
    options: Options,
    decode: Callable[[], Iterable[Any]] | None,
    meaning: Callable[[Exception], Exception],
) -> Iterator[Heard]:
    if options.silence_guard and soundless(clip.samples):
        yield EngineWarning(UserMessage("no_sound"))
    elif decode is not None and len(clip.samples):
        try:
            yield from _events(clip, options, decode)
        except DecodingInterrupted:
            return
        except Exception as error:
            raise meaning(error) from error
    yield Progress(clip.duration_s)


def _events(clip: Clip, options: Options, decode: Callable[[], Iterable[Any]]) -> Iterator[Heard]:
    hallucinations = HallucinationFilter(clip.samples) if options.silence_guard else None
    if hallucinations and hallucinations.nobody_speaks():
        yield EngineWarning(UserMessage("nobody_speaks"))
        return
    confidence, missed = Confidence(), MissedSpeech()
    for event in _normalized(clip, decode()):
        if isinstance(event, Undetected):
            missed.look_at(event.start_s, event.end_s)
            continue
        if hallucinations and isinstance(event, Segment):
            event = hallucinations.check(event)
        if isinstance(event, Segment):
            confidence.add(event)
            missed.add(event)
        yield event
        if isinstance(event, WithheldSegment):
            yield Progress(event.end_s)
    withheld = hallucinations.notice() if hallucinations else None
    for line in (withheld, missed.notice(), confidence.notice()):
        if line:
            yield EngineWarning(line)


def _normalized(clip: Clip, raw_events: Iterable[Any]) -> Iterator[Heard | Undetected]:
    """The engine's events with segments of ours; progress says where the audio before it ended."""
    normalizer = SegmentNormalizer(clip.samples)
    try:
        for raw in raw_events:
            if isinstance(raw, Progress):
                yield from normalizer.flush(raw.done_s)
                yield raw
            elif isinstance(raw, Language | EngineWarning | Undetected):
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
