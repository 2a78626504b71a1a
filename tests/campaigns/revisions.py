"""Histories of transcripts at random: several people and a stage edit at once, and all is kept.

Each history is a base and a row of revisions that are kept as deltas, as a journal does. An edit
is made for the current revision or an older one, by operations most of which are possible; a stage
took its document some revisions ago. Read back from the deltas, every revision is what it was.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hybrid_transcribe.errors import EditConflict, InvalidEdit, UnknownSegment, UnknownSpeaker
from hybrid_transcribe.revision_types import (
    DeleteSegments,
    Document,
    DocumentDelta,
    EditOperation,
    InsertSegment,
    MergeSegments,
    MergeSpeakers,
    RenameSpeaker,
    ReplaceAll,
    ReplaceText,
    SetSpeaker,
    SetSpeakerOfWords,
    SetTimes,
    SplitSegment,
)
from hybrid_transcribe.revisions import (
    apply,
    apply_delta,
    delta,
    engine_document,
    fault,
    merge_stage,
    rebase,
)
from hybrid_transcribe.types import Segment, Word
from tests.campaigns import Campaign, Report

#: Revisions of a history, at most.
MOST_REVISIONS = 20

_WORDS = (
    "uma dois três Olá, não well-known C++ 3,5 cafe\u0301 नमस्ते می\u200cخواهم 東京は 你好。 สวัสดีครับ"
    " 👩\u200d👧 (riso) a a é uh"
).split()

_SPEAKERS = ("S1", "S2", "S3", "Ana")


@dataclass(slots=True)
class _History:
    """A base, its revisions as deltas, and the same as documents, which must be equal."""

    documents: list[Document]
    deltas: list[bytes] = field(default_factory=list)

    def add(self, document: Document) -> None:
        change = delta(self.documents[-1], document)
        self.deltas.append(msgspec.json.encode(change))
        self.documents.append(document)

    def restored(self, revision: int) -> Document:
        document = self.documents[0]
        for body in self.deltas[:revision]:
            document = apply_delta(document, msgspec.json.decode(body, type=DocumentDelta))
        return document


def _sentence(rng: random.Random) -> str:
    return " ".join(rng.choices(_WORDS, k=rng.randint(1, 8)))


def _base(rng: random.Random) -> Document:
    segments = []
    start_s = 0.0
    for _ in range(rng.randint(1, 12)):
        start_s += rng.choice([0.0, 0.5, 3.0])
        segments.append(_segment(rng, start_s))
    return engine_document(1, segments)


def _segment(rng: random.Random, start_s: float) -> Segment:
    text = _sentence(rng)
    end_s = start_s + rng.choice([0.0, 0.2, 2.0, 4.0])
    speaker = rng.choice([None, None, *_SPEAKERS])
    parts = text.split()
    edges = sorted(rng.uniform(start_s, end_s) for _ in range(len(parts) + 1))
    words = tuple(
        Word(edges[i], edges[i + 1], part, rng.random(), speaker) for i, part in enumerate(parts)
    )
    return Segment(start_s, end_s, text, words if rng.random() < 0.7 else (), speaker=speaker)


def _operation(rng: random.Random, document: Document) -> EditOperation:
    """Any operation; where it is about one segment, that is mostly there."""
    segments = document.segments
    n = rng.randrange(len(segments)) if segments else 0
    segment = segments[n] if segments else Segment(0, 1, "x", id="1.0")
    some = tuple(s.id for s in segments[n : n + rng.randint(1, 3)]) or ("1.0",)
    start_s = rng.uniform(0, 40)
    kinds: list[Callable[[], EditOperation]] = [
        lambda: ReplaceText(segment.id, _sentence(rng)),
        lambda: ReplaceText(segment.id, segment.text.replace(" ", f" {rng.choice(_WORDS)} ", 1)),
        lambda: SplitSegment(segment.id, rng.randint(0, len(segment.text))),
        lambda: SplitSegment(
            segment.id, len(segment.text) // 2, rng.uniform(segment.start_s, segment.end_s)
        ),
        lambda: MergeSegments(some),
        lambda: DeleteSegments(some[:1]),
        lambda: InsertSegment(start_s, start_s + rng.choice([0.1, 2]), _sentence(rng)),
        lambda: InsertSegment(start_s, start_s + 2, _sentence(rng), rng.choice(_SPEAKERS)),
        lambda: SetTimes(segment.id, segment.start_s, segment.end_s + rng.uniform(-1, 1)),
        lambda: SetTimes(segment.id, start_s, start_s + 1),
        lambda: SetSpeaker(some, rng.choice([None, *_SPEAKERS])),
        lambda: SetSpeakerOfWords(
            segment.id, rng.randint(0, 2), rng.randint(1, 5), rng.choice(_SPEAKERS)
        ),
        lambda: RenameSpeaker(rng.choice(_SPEAKERS), rng.choice(["Ana", "Rui", ""])),
        lambda: MergeSpeakers(rng.choice(_SPEAKERS), rng.choice(_SPEAKERS)),
        lambda: ReplaceAll(rng.choice(_WORDS), rng.choice([*_WORDS, ""])),
        lambda: ReplaceAll(r"(\w+) (\w+)", r"\2 \1", regex=True, segment_ids=some),
    ]
    return rng.choice(kinds)()


def _solid(document: Document) -> str:
    return "".join(sorted("".join("".join(s.text.split()) for s in document.segments)))


def _stage(rng: random.Random, base: Document) -> Document:
    """A stage's document, which divides segments and says who speaks, and moves no text."""
    stage = base
    for _ in range(rng.randint(1, 6)):
        operation = _operation(rng, stage)
        if isinstance(operation, SplitSegment | SetSpeaker | SetSpeakerOfWords):
            try:
                stage = apply(stage, [operation], 9_000 + rng.randrange(1_000_000))
            except (InvalidEdit, UnknownSegment, UnknownSpeaker):
                continue
    return stage


def _edit(rng: random.Random, history: _History, counts: Counter[str]) -> list[str]:
    """One more revision, or a refusal; what is wrong with it."""
    current, number = history.documents[-1], len(history.documents)
    base = rng.choice(history.documents[-4:]) if rng.random() < 0.4 else current
    if rng.random() < 0.15:
        merged = merge_stage(base, current, _stage(rng, base), number)
        counts["merged with a stage"] += 1
        history.add(merged)
        return [] if _solid(merged) == _solid(current) else ["a merge lost or doubled text"]
    operations = [_operation(rng, base) for _ in range(rng.choice([1, 1, 1, 2, 4]))]
    try:
        history.add(rebase(operations, base, current, number))
    except EditConflict:
        counts["conflicts"] += 1
    except (InvalidEdit, UnknownSegment, UnknownSpeaker):
        counts["refused"] += 1
    else:
        counts["on an older revision" if base is not current else "on the current one"] += 1
    return []


def _trial(rng: random.Random, counts: Counter[str]) -> list[str]:
    history = _History([_base(rng)])
    losses: list[str] = []
    for _ in range(rng.randint(1, MOST_REVISIONS)):
        losses += _edit(rng, history, counts)
        if (wrong := fault(history.documents[-1])) is not None:
            losses.append(wrong)
    revision = rng.randrange(len(history.documents))
    for n in {revision, len(history.documents) - 1}:
        there, was = history.restored(n), history.documents[n]
        if there != was or [s.id for s in there.segments] != [s.id for s in was.segments]:
            losses.append(f"revision {n} is not what it was")
    counts["revisions"] += len(history.deltas)
    return losses


def histories(folder: Path, count: int, seed: int) -> Report:
    """So many histories."""
    report = Report("histories of transcripts")
    counts: Counter[str] = Counter()
    for n in range(count):
        rng = random.Random(f"{seed}-{n}")
        try:
            losses = _trial(rng, counts)
        except Exception as error:
            losses = [repr(error)]
        report.losses += [f"history {n} of seed {seed}: {loss}" for loss in losses]
    report.figures = {"histories": count, **dict(sorted(counts.items()))}
    return report


CAMPAIGNS = {
    "revisions": Campaign(histories, 20_000, "histories of edits, rebases and merges"),
}
