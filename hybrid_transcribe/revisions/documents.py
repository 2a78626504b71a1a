"""What holds of every document, and the ids of its segments. Times are seconds."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import replace
from itertools import accumulate

from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.types import Segment, Speaker, Word

#: The latest time that a segment may have: thirty years, as in the outputs.
MOST_S = 1e9

#: Most characters of one segment. A recording of four hours as one segment has 200,000.
MOST_CHARACTERS = 1_000_000

#: Most characters of a speaker's id, and of a name.
MOST_LABEL = 200

#: A segment without a length is taken to be this long (s) where it is looked for.
_INSTANT_S = 0.001

SEGMENT_ID = re.compile(r"e?[0-9]+\.[0-9]+")

_COLOR = re.compile(r"(#[0-9a-fA-F]{6})?")


def engine_id(run: int, index: int) -> str:
    """The id of an engine's segment: its run and its place there, from 0.

    >>> engine_id(1, 12)
    '1.12'
    """
    return f"{run}.{index}"


def new_id(revision: int, index: int) -> str:
    """The id of a segment that a revision adds; ``index`` counts those, from 0.

    >>> new_id(3, 0)
    'e3.0'
    """
    return f"e{revision}.{index}"


def engine_document(
    run: int, segments: Iterable[Segment], speakers: Iterable[Speaker] = ()
) -> Document:
    """An engine's text as a document: its segments with ids, and whoever speaks in them.

    Speakers that are not named in ``speakers`` follow in the order in which they first speak.
    """
    with_ids = tuple(replace(s, id=engine_id(run, i)) for i, s in enumerate(segments))
    return Document(with_ids, (*speakers, *missing_speakers(with_ids, speakers)))


def missing_speakers(
    segments: Iterable[Segment], speakers: Iterable[Speaker]
) -> tuple[Speaker, ...]:
    """Speakers of segments and words that a list lacks, in the order in which they first speak."""
    ids = dict.fromkeys(i for s in segments for i in (s.speaker, *(w.speaker for w in s.words)))
    known_ids = {speaker.id for speaker in speakers}
    return tuple(Speaker(i) for i in ids if i is not None and i not in known_ids)


def fault(document: Document) -> str | None:
    """What is wrong with a document, as a message; None where nothing is.

    Segments have ids of the form that `engine_id` and `new_id` make, each once, stand in the order
    of their starts, begin no later than they end, and say something; so do their words, in time
    order. Every speaker of a segment or word is listed, once. Segments may overlap: people do.
    """
    speakers = [speaker.id for speaker in document.speakers]
    ids: set[str] = set()
    before_s = 0.0
    for segment in document.segments:
        message = _fault(segment, frozenset(speakers), before_s)
        if message is None and segment.id in ids:
            message = UserMessage("document_id", id=segment.id)
        if message is not None:
            return message
        ids.add(segment.id)
        before_s = segment.start_s
    return _speakers_fault(document.speakers)


def stage_fault(base: Document, document: Document) -> str | None:
    """What is wrong with what a stage made of ``base``, as a message; None where nothing is.

    What was wrong with the base already is not the stage's. Text may change and move, but where
    somebody spoke there must be text.
    """
    message = fault(document) if fault(base) is None else None
    if message is not None:
        return message
    lost = _lost(base.segments, document.segments)
    return None if lost is None else UserMessage("document_lost", id=lost.id, text=lost.text[:80])


def _lost(before: Iterable[Segment], after: Iterable[Segment]) -> Segment | None:
    """The first segment that is gone, and in whose time nothing is said any more."""
    spoken = sorted((s for s in after if s.text.strip()), key=lambda segment: segment.start_s)
    ids = {segment.id for segment in spoken}
    starts = [segment.start_s for segment in spoken]
    # By the start of a segment, the latest end of those up to it.
    ends = list(accumulate((segment.end_s for segment in spoken), max))
    for segment in before:
        if segment.id in ids or not segment.text.strip():
            continue
        start_s, end_s = segment.start_s, max(segment.end_s, segment.start_s + _INSTANT_S)
        n = bisect_left(starts, end_s)
        if n == 0 or ends[n - 1] <= start_s:
            return segment
    return None


def _fault(segment: Segment, speakers: frozenset[str], before_s: float) -> str | None:
    if not SEGMENT_ID.fullmatch(segment.id):
        return UserMessage("document_id", id=segment.id)
    if not segment.text.strip():
        return UserMessage("document_empty", id=segment.id)
    last_s = 0.0
    items: tuple[Segment | Word, ...] = (segment, *segment.words)
    for item in items:
        if not _in_order(item, before_s if item is segment else last_s):
            return UserMessage("document_times", id=segment.id)
        if isinstance(item, Word):
            last_s = item.start_s
        if item.speaker is not None and item.speaker not in speakers:
            return UserMessage("no_speaker", id=item.speaker, choices=sorted(speakers))
    return None


def _in_order(item: Segment | Word, before_s: float) -> bool:
    """Compared so that what is no number is in no order."""
    return before_s <= item.start_s <= item.end_s <= MOST_S and math.isfinite(item.end_s)


def _speakers_fault(speakers: tuple[Speaker, ...]) -> str | None:
    ids: set[str] = set()
    for speaker in speakers:
        if not speaker.id or speaker.id in ids:
            return UserMessage("document_speaker", id=speaker.id)
        if not _COLOR.fullmatch(speaker.color):
            return UserMessage("edit_color", value=speaker.color)
        ids.add(speaker.id)
    return None
