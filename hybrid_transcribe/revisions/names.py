"""The names that people gave to speakers, kept when a stage tells the speakers apart again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.types import Segment, Speaker


def keep_names(base: Document, document: Document) -> Document:
    """A stage's document, in which the named speakers of the base have their names and colors.

    Each goes to who speaks most of the time in which the named one did, whatever the label is
    now. A name that the stage gives itself stays.
    """
    named = {speaker.id: speaker for speaker in base.speakers if speaker.name or speaker.color}
    if not named:
        return document
    heirs: dict[str, Speaker] = {}
    taken: set[str] = set()
    shared_s = _shared_s(base.segments, document.segments)
    for before, after in sorted(shared_s, key=lambda pair: -shared_s[pair]):
        if before in named and before not in taken and after not in heirs:
            heirs[after] = named[before]
            taken.add(before)
    speakers = (_inherited(speaker, heirs.get(speaker.id)) for speaker in document.speakers)
    return replace(document, speakers=tuple(speakers))


def _inherited(speaker: Speaker, before: Speaker | None) -> Speaker:
    if before is None:
        return speaker
    return replace(speaker, name=speaker.name or before.name, color=speaker.color or before.color)


def _shared_s(before: Sequence[Segment], after: Sequence[Segment]) -> dict[tuple[str, str], float]:
    """For how many seconds a speaker of the one speaks where one of the other does."""
    result: dict[tuple[str, str], float] = defaultdict(float)
    first = 0
    for segment in sorted(before, key=lambda s: s.start_s):
        while first < len(after) and after[first].end_s <= segment.start_s:
            first += 1
        for n in range(first, len(after)):
            other = after[n]
            if other.start_s >= segment.end_s:
                break
            both_s = min(segment.end_s, other.end_s) - max(segment.start_s, other.start_s)
            if segment.speaker and other.speaker and both_s > 0:
                result[segment.speaker, other.speaker] += both_s
    return result
