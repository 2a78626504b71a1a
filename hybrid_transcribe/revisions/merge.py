"""A stage's document and a person's, both made of the same base, as one.

The three documents are divided into *parts*: a segment of the base, what the stage made of it and
what the person made of it; several segments where one of the two made one of them, or moved text
between them. Of each part the text is one side's, whole, so that nothing is lost or doubled: the
stage's where the person changed nothing, else the person's. There, the stage still says who speaks
where the person did not, and where it divides a segment that the person only corrected, the
corrected text is divided between the same words.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, count, pairwise

from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.revisions import text
from hybrid_transcribe.revisions.alignment import matches
from hybrid_transcribe.revisions.characters import tokens
from hybrid_transcribe.revisions.documents import SEGMENT_ID, missing_speakers, new_id
from hybrid_transcribe.types import Segment, Speaker, Word

#: Segments that share less time than this (s) are not the same speech.
_TOUCH_S = 0.05


def numbered(base: Document, document: Document, revision: int) -> Document:
    """A stage's document with ids: its new segments get those of a revision, in order.

    A segment keeps an id that it has in ``base``, or that some other revision gave it. Speakers
    that it does not list are added.
    """
    prepared = _with_ids(base, base, document)
    segments = tuple(_identified(prepared.segments, revision))
    speakers = (*prepared.speakers, *missing_speakers(segments, prepared.speakers))
    return Document(segments, speakers)


def merge_stage(base: Document, edited: Document, stage: Document, revision: int) -> Document:
    """The stage's work and the person's on the same base.

    New segments of the stage that have no id of a revision, and those that come of dividing a
    person's text, get ids of ``revision``. It does not matter which of the two was there first: a
    person's edit of an older revision comes after a stage in the same way.
    """
    if not _differ(base.segments, edited.segments) and edited.speakers == base.speakers:
        return numbered(base, stage, revision)
    stage = _with_ids(base, edited, stage)
    merged = [segment for part in _parts(base, edited, stage) for segment in _merged(part)]
    merged.sort(key=lambda segment: segment.start_s)
    others = {segment.id for document in (edited, stage) for segment in document.segments}
    segments = tuple(_identified(merged, revision, others))
    speakers = _speakers(base, edited, stage, segments)
    return Document(segments, (*speakers, *missing_speakers(segments, speakers)))


# ----------------------------------------------------------------------------- ids


def _with_ids(base: Document, edited: Document, stage: Document) -> Document:
    """The stage's document; ids that are neither the base's nor of a revision are empty."""
    taken = {segment.id for segment in edited.segments}
    taken -= {segment.id for segment in base.segments}
    segments = []
    for segment in stage.segments:
        if segment.id in taken or not SEGMENT_ID.fullmatch(segment.id):
            segment = replace(segment, id="")
        taken.add(segment.id)
        segments.append(segment)
    return replace(stage, segments=tuple(segments))


def _identified(
    segments: Sequence[Segment], revision: int, others: Collection[str] = ()
) -> Iterator[Segment]:
    """Segments without an id get one that is not taken."""
    taken = {*others, *(segment.id for segment in segments)}
    free = (i for n in count() if (i := new_id(revision, n)) not in taken)
    for segment in segments:
        yield segment if segment.id else replace(segment, id=next(free))


# --------------------------------------------------------------------------- parts


@dataclass(slots=True)
class _Part:
    """The same speech in the three documents, each in order."""

    base: list[Segment] = field(default_factory=list)
    edited: list[Segment] = field(default_factory=list)
    stage: list[Segment] = field(default_factory=list)

    def extend(self, other: _Part) -> None:
        """Take the segments of the part behind it."""
        self.base += other.base
        self.edited += other.edited
        self.stage += other.stage

    @property
    def is_edited(self) -> bool:
        return _differ(self.base, self.edited)

    @property
    def is_staged(self) -> bool:
        return _differ(self.base, self.stage)


def _differ(before: Sequence[Segment], after: Sequence[Segment]) -> bool:
    """Whether these are others, or otherwise; ids count too."""
    if len(before) != len(after):
        return True
    return any(a is not b and (a.id != b.id or a != b) for a, b in zip(before, after, strict=True))


class _Groups:
    """Which segments belong together: union-find over the places of the segments."""

    def __init__(self, size: int) -> None:
        self._above = list(range(size))

    def root(self, place: int) -> int:
        while self._above[place] != place:
            self._above[place] = self._above[self._above[place]]
            place = self._above[place]
        return place

    def unite(self, place: int, other: int) -> None:
        first, second = sorted((self.root(place), self.root(other)))
        self._above[second] = first


def _parts(base: Document, edited: Document, stage: Document) -> list[_Part]:
    """All segments of the three documents, each in one part."""
    n_base, n_edited = len(base.segments), len(edited.segments)
    places = {segment.id: i for i, segment in enumerate(base.segments)}
    groups = _Groups(n_base + n_edited + len(stage.segments))
    for document, offset in ((edited, n_base), (stage, n_base + n_edited)):
        _unite_descendants(groups, base.segments, document.segments, places, offset)
    _unite_additions(groups, places, edited.segments, n_base, stage.segments, n_base + n_edited)
    while _unite_moved(groups, _gathered(groups, base, edited, stage), n_base):
        pass
    return [part for _, part in sorted(_gathered(groups, base, edited, stage).items())]


def _gathered(
    groups: _Groups, base: Document, edited: Document, stage: Document
) -> dict[int, _Part]:
    parts: dict[int, _Part] = defaultdict(_Part)
    place = 0
    for document, name in ((base, "base"), (edited, "edited"), (stage, "stage")):
        for segment in document.segments:
            getattr(parts[groups.root(place)], name).append(segment)
            place += 1
    return dict(parts)


def _unite_descendants(
    groups: _Groups,
    base: Sequence[Segment],
    segments: Sequence[Segment],
    places: Mapping[str, int],
    offset: int,
) -> None:
    """Unite each segment with those of the base that it was made of.

    That is the one with its id. A new segment was made of those at its time whose text or times
    changed, or that are gone; where there are none, of the one before it, or behind it, if that
    has less text than before. One of the base that is gone went into those at its time that
    changed.
    """
    ids = {segment.id for segment in segments}
    gone = [i for i, segment in enumerate(base) if segment.id not in ids]
    added = [i for i, segment in enumerate(segments) if segment.id not in places]
    changed = {}
    sources = set()
    for i, segment in enumerate(segments):
        place = places.get(segment.id)
        if place is not None:
            groups.unite(place, offset + i)
            if base[place].text != segment.text or _span(base[place]) != _span(segment):
                changed[i] = place
            if len(segment.text) < len(base[place].text):
                sources.add(i)
    before = [*changed.values(), *gone]
    for i, n in _overlaps([segments[i] for i in added], [base[place] for place in before]):
        groups.unite(before[n], offset + added[i])
        sources.add(added[i])
    for i, n in _overlaps([base[i] for i in gone], [segments[i] for i in changed]):
        groups.unite(gone[i], offset + list(changed)[n])
    for i in sorted(set(added) - sources):
        beside = next((n for n in (i - 1, i + 1) if n in sources), None)
        if beside is not None:
            groups.unite(offset + i, offset + beside)
            sources.add(i)


def _unite_additions(
    groups: _Groups,
    places: Mapping[str, int],
    edited: Sequence[Segment],
    edited_offset: int,
    stage: Sequence[Segment],
    stage_offset: int,
) -> None:
    """Unite what both added at one time: it is the same speech."""
    in_edited = [i for i, segment in enumerate(edited) if segment.id not in places]
    in_stage = [i for i, segment in enumerate(stage) if segment.id not in places]
    for i, n in _overlaps([edited[i] for i in in_edited], [stage[i] for i in in_stage]):
        groups.unite(edited_offset + in_edited[i], stage_offset + in_stage[n])


def _overlaps(segments: Sequence[Segment], others: Sequence[Segment]) -> Iterator[tuple[int, int]]:
    """Places of those that are the same speech by their times."""
    order = sorted(range(len(others)), key=lambda i: others[i].start_s)
    starts = [others[i].start_s for i in order]
    latest_ends = list(accumulate((others[i].end_s for i in order), max))
    for place, segment in enumerate(segments):
        n = bisect_right(starts, segment.end_s) - 1
        while n >= 0 and latest_ends[n] >= segment.start_s:
            if _is_shared(segment, others[order[n]]):
                yield place, order[n]
            n -= 1


def _is_shared(segment: Segment, other: Segment) -> bool:
    """Whether two share more than a touch of time; without any length, whether they touch."""
    shared_s = min(segment.end_s, other.end_s) - max(segment.start_s, other.start_s)
    shorter_s = min(segment.end_s - segment.start_s, other.end_s - other.start_s)
    return shared_s > min(_TOUCH_S, shorter_s / 2) or 0 == shorter_s <= shared_s


def _span(segment: Segment) -> tuple[float, float]:
    return segment.start_s, segment.end_s


def _unite_moved(groups: _Groups, parts: Mapping[int, _Part], n_base: int) -> bool:
    """Unite parts that follow each other, of which one alone is the person's, where the stage
    moved text between them. Whether there were any.
    """
    edited = {root for root, part in parts.items() if part.is_edited}
    united = False
    pairs = list(pairwise(range(n_base)))
    # Forth and back, so that a row of them is one after a few rounds.
    for place, following in (*pairs, *reversed(pairs)) if edited else ():
        first, second = sorted((groups.root(place), groups.root(following)))
        if first == second or (first in edited) == (second in edited):
            continue
        part, other = parts[first], parts[second]
        if _text_moved(part, other):
            groups.unite(first, second)
            part.extend(other)
            edited.add(first)
            united = True
    return united


def _text_moved(part: _Part, other: _Part) -> bool:
    before, after = _joined(part.base), _joined(other.base)
    now_before, now_after = _joined(part.stage), _joined(other.stage)
    if before == now_before or after == now_after:
        return False
    old, new = before + after, now_before + now_after
    border, now_border = len(before), len(now_before)
    return any(
        (i + n < border) != (j + n < now_border)
        for i, j, size in matches(old, new)
        for n in range(size)
    )


def _joined(segments: Iterable[Segment]) -> list[str]:
    return [segment.text[a:b] for segment in segments for a, b in tokens(segment.text)]


# ----------------------------------------------------------------- one part's text


def _merged(part: _Part) -> list[Segment]:
    if not part.is_edited:
        return part.stage
    if not part.is_staged:
        return part.edited
    if _is_corrected(part):
        return list(_divided(part.base[0], part.edited[0], part.stage))
    return [_with_speakers(segment, part) for segment in part.edited]


def _is_corrected(part: _Part) -> bool:
    """Whether the person only wrote another text for a segment, and the stage kept the text."""
    if len(part.base) != 1 or len(part.edited) != 1 or not part.stage:
        return False
    (before,), (after,) = part.base, part.edited
    return (
        before.id == after.id
        and _span(before) == _span(after)
        and before.speaker == after.speaker
        and _joined(part.base) == _joined(part.stage)
    )


def _divided(before: Segment, corrected: Segment, stage: Sequence[Segment]) -> Iterator[Segment]:
    """A corrected text with the stage's words and speakers, divided where the stage's is.

    The words of the stage carry the number of their segment through the correction, in place of a
    speaker.
    """
    words = [
        replace(word, speaker=str(n))
        for n, segment in enumerate(stage)
        for word in text.timed_words(segment)
    ]
    whole = replace(before, text=_text_of(stage), words=tuple(words))
    rest = replace(text.with_text(whole, corrected.text), id=corrected.id)
    has_words = any(segment.words for segment in (corrected, *stage))
    n = 0
    while at_char := _next_part(rest, n := max(n, _number(rest.words[:1]))):
        first, second = text.split(rest, at_char)
        yield _spoken(first, stage[n], has_words)
        rest = replace(second, id="")
    yield _spoken(rest, stage[n], has_words)


def _number(words: Sequence[Word]) -> int:
    return int(words[0].speaker or 0) if words else 0


def _next_part(segment: Segment, number: int) -> int:
    """Where the words of a later segment of the stage begin in a text; 0 where there are none."""
    for i, (word, (at_char, _)) in enumerate(
        zip(segment.words, text.word_spans(segment), strict=True)
    ):
        if i and _number([word]) > number and 0 < at_char < len(segment.text):
            return at_char
    return 0


def _text_of(segments: Sequence[Segment]) -> str:
    return text.merged(segments).text if len(segments) > 1 else segments[0].text


def _spoken(segment: Segment, source: Segment, has_words: bool) -> Segment:
    """A divided segment said by who speaks in the stage's."""
    words = text.with_speaker(segment, source.speaker).words
    return replace(
        segment,
        words=words if has_words else (),
        speaker=source.speaker,
        language=source.language,
        no_speech_prob=source.no_speech_prob,
    )


def _with_speakers(segment: Segment, part: _Part) -> Segment:
    """A person's segment, said by who speaks at its time in the stage's, unless they said who."""
    before = {item.id: item.speaker for item in part.base}
    usual = {before[segment.id]} if segment.id in before else {None, *before.values()}
    if segment.speaker not in usual:
        return segment
    speaker = _speaker_between(part.stage, segment.start_s, segment.end_s)
    if speaker is None:
        return segment
    words = tuple(
        replace(word, speaker=_speaker_between(part.stage, *_middle(word)) or speaker)
        for word in segment.words
    )
    return replace(segment, speaker=speaker, words=words)


def _middle(word: Word) -> tuple[float, float]:
    middle_s = (word.start_s + word.end_s) / 2
    return middle_s, middle_s


def _speaker_between(segments: Sequence[Segment], start_s: float, end_s: float) -> str | None:
    """Who speaks longest in some time; where nobody does, whoever is nearest."""
    spans = [
        (item.speaker, item.start_s, item.end_s)
        for segment in segments
        for item in (segment.words or (segment,))
        if item.speaker is not None
    ]
    shares: dict[str, float] = defaultdict(float)
    for speaker, from_s, to_s in spans:
        shares[speaker] += max(0.0, min(to_s, end_s) - max(from_s, start_s))
    if any(shares.values()):
        return max(shares, key=lambda speaker: shares[speaker])
    nearest = min(spans, key=lambda s: max(s[1] - end_s, start_s - s[2]), default=None)
    return None if nearest is None else nearest[0]


# ------------------------------------------------------------------------- speakers


def _speakers(
    base: Document, edited: Document, stage: Document, segments: Sequence[Segment]
) -> tuple[Speaker, ...]:
    """The person's speakers and the stage's; of one that both have, the person's name if any."""
    before = {speaker.id: speaker for speaker in base.speakers}
    from_edited = {speaker.id: speaker for speaker in edited.speakers}
    from_stage = {speaker.id: speaker for speaker in stage.speakers}
    used = {segment.speaker for segment in segments}
    used |= {word.speaker for segment in segments for word in segment.words}
    result = []
    for speaker_id in dict.fromkeys((*from_edited, *from_stage)):
        theirs, own = from_edited.get(speaker_id), from_stage.get(speaker_id)
        old = before.get(speaker_id, Speaker(speaker_id))
        if theirs is not None and own is not None:
            name = theirs.name if theirs.name != old.name else own.name
            color = theirs.color if theirs.color != old.color else own.color
            result.append(Speaker(speaker_id, name, color))
        elif speaker_id in used or (theirs is not None and theirs != before.get(speaker_id)):
            result.append(theirs or own or old)
    return tuple(result)
