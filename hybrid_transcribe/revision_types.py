"""The words of revisions: who changed a transcript, and the operations that change it.

A transcript's text is a `Document`: its segments, each with an id, and its speakers. Revision 0
is what the engine wrote. Every later one is made by a stage, by a newer run of an engine or by a
person, and is kept, so that each can be read and restored. Times are seconds from the start of
the recording. `hybrid_transcribe.revisions` applies what is named here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import msgspec

from hybrid_transcribe.types import Segment, Speaker

#: Who makes a revision: an engine's newer run, a stage after the engine, a person, or a person
#: who brought an earlier revision back.
RevisionKind = Literal["engine", "stage", "person", "restore"]


@dataclass(frozen=True, slots=True)
class Document:
    """What a revision says: segments in time order, each with its own id, and the speakers."""

    segments: tuple[Segment, ...] = ()
    speakers: tuple[Speaker, ...] = ()


@dataclass(frozen=True, slots=True)
class RevisionInfo:
    """One revision, without its text.

    Attributes:
        revision: its number; 0 is the first complete text of an engine.
        kind: who made it.
        author: the engine, the stage or the name that a person gave; empty where unknown.
        created_at: wall-clock time, s since the epoch.
        base: the revision that it changes; None for an engine's text.
        run: the engine's run whose text it is, or changes (`Recording.run`).
        label: the name that a person gave this revision, to find it again.
        restored: the revision that it brings back, of kind ``restore``.
        n_changed: segments that are new, different or gone against its base.
    """

    revision: int
    kind: RevisionKind
    author: str = ""
    created_at: float = 0.0
    base: int | None = None
    run: int = 1
    label: str = ""
    restored: int | None = None
    n_changed: int = 0


@dataclass(frozen=True, slots=True)
class DocumentDelta:
    """What leads from one document to another.

    Attributes:
        segments: those that are new or different, whole.
        order: the ids of all segments in order; None where it is the same.
        speakers: all of them; None where they are the same.
    """

    segments: tuple[Segment, ...] = ()
    order: tuple[str, ...] | None = None
    speakers: tuple[Speaker, ...] | None = None


@dataclass(frozen=True, slots=True)
class RevisionText:
    """What a revision says, as a journal holds it: a delta on the revision before it.

    Attributes:
        revision: its number.
        run: the run of an engine that reading begins with, or began with before it was whole.
        since: the revision at which reading begins; the deltas after it follow. That of a whole
            document, and of an engine's text, is its own number.
        on_whole: that revision is held as a whole document, in ``delta``; otherwise it is the text
            of the run.
        delta: the changes; for a whole document all of it, in order.
        n_lost: segments of the engine that could not be read when that order was made, and are
            not in it for no other reason.
    """

    revision: int
    run: int
    since: int
    on_whole: bool = False
    delta: DocumentDelta = field(default_factory=DocumentDelta)
    n_lost: int = 0


#: A revision as a journal holds it.
RevisionRow: TypeAlias = tuple[RevisionInfo, RevisionText]


def _dashed(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


class _Operation(
    msgspec.Struct, frozen=True, tag_field="op", tag=_dashed, forbid_unknown_fields=True
):
    """One change of a document; the class's name in lower case with dashes is its ``op``."""


class ReplaceText(_Operation, frozen=True):
    """Write another text for a segment. Words that stay keep their times and probability."""

    segment_id: str
    text: str


class SplitSegment(_Operation, frozen=True):
    """Make two segments of one: the second begins at that character of its text.

    ``at_s`` None takes the time from the words, or in proportion to the text.
    """

    segment_id: str
    at_char: int
    at_s: float | None = None


class MergeSegments(_Operation, frozen=True):
    """Make one segment of several that follow each other; the first one's id and speaker stay."""

    segment_ids: tuple[str, ...]


class DeleteSegments(_Operation, frozen=True):
    """Leave segments out."""

    segment_ids: tuple[str, ...]


class InsertSegment(_Operation, frozen=True):
    """A new segment at its place in time."""

    start_s: float
    end_s: float
    text: str
    speaker: str | None = None


class SetTimes(_Operation, frozen=True):
    """Let a segment begin and end elsewhere; its words are moved along in proportion."""

    segment_id: str
    start_s: float
    end_s: float


class SetSpeaker(_Operation, frozen=True):
    """Say who speaks in whole segments. A speaker that is not there yet is added. None: nobody
    in particular.
    """

    segment_ids: tuple[str, ...]
    speaker: str | None


class SetSpeakerOfWords(_Operation, frozen=True):
    """Say who speaks from one word of a segment (counted from 0) up to another, exclusive.

    The segment is split around them. Words are those of its text between spaces.
    """

    segment_id: str
    first_word: int
    end_word: int
    speaker: str | None


class RenameSpeaker(_Operation, frozen=True):
    """Give a speaker a name, a color (``#rrggbb``), or both; None leaves it."""

    speaker: str
    name: str | None = None
    color: str | None = None


class MergeSpeakers(_Operation, frozen=True):
    """Two speakers are one person: all that ``speaker`` said is ``into``'s."""

    speaker: str
    into: str


class ReplaceAll(_Operation, frozen=True):
    """Replace a text wherever it stands, as a whole word unless said otherwise.

    Attributes:
        regex: ``find`` is a regular expression, and ``replacement`` may name its groups.
        segment_ids: only in these; empty means everywhere.
    """

    find: str
    replacement: str
    match_case: bool = False
    whole_words: bool = True
    regex: bool = False
    segment_ids: tuple[str, ...] = ()


#: What can be done to a document, alone or as one revision of several.
EditOperation: TypeAlias = (
    ReplaceText
    | SplitSegment
    | MergeSegments
    | DeleteSegments
    | InsertSegment
    | SetTimes
    | SetSpeaker
    | SetSpeakerOfWords
    | RenameSpeaker
    | MergeSpeakers
    | ReplaceAll
)
