"""The revisions of every recording's text: read, added, listed.

Revision 0 is the first complete text of an engine, and costs nothing: it has a row only once there
is a second one. A row of the journal is a delta on the revision before it; every fiftieth one is a
whole document, so that reading needs few rows. A row that cannot be read costs the revisions that
stand on it; the nearest earlier one is read in their place.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hybrid_transcribe.core.clock import Clock
from hybrid_transcribe.errors import JournalDamaged, UnknownRevision
from hybrid_transcribe.jobs.job_store import JobStore
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import (
    Document,
    DocumentDelta,
    RevisionInfo,
    RevisionKind,
    RevisionText,
)
from hybrid_transcribe.revisions import delta, engine_id, n_changed, new_id
from hybrid_transcribe.revisions.delta import expanded
from hybrid_transcribe.revisions.documents import missing_speakers
from hybrid_transcribe.types import Recording, RunRecord, Segment, Speaker, Spec

#: Deltas that follow each other; the next revision is a whole document.
MOST_DELTAS = 50

#: Segments and words of the current documents that are kept in memory; of an hour with words, some
#: 11,000. Some 40 MB.
MOST_IN_MEMORY = 200_000

#: Kinds of revision that a person makes.
_BY_PERSON = ("person", "restore")


@dataclass(frozen=True, slots=True)
class RevisionReading:
    """A revision as it could be read.

    Attributes:
        revision: its number; less than was asked for where that one cannot be read.
        base_run: the run whose segments the document begins with, None for a whole one.
        n_missing: of ``n_segments``, how many cannot be read.
        since, on_whole: as in `RevisionText`.
    """

    document: Document
    revision: int
    base_run: int
    since: int
    on_whole: bool = False
    n_missing: int = 0
    n_segments: int = 0


class RevisionStore:
    """Used on the manager loop only. ``publish`` is told of every new revision."""

    def __init__(
        self,
        table: JobStore,
        clock: Clock,
        publish: Callable[[Recording, RevisionInfo], None] = lambda recording, info: None,
    ) -> None:
        self._table = table
        self._clock = clock
        self._publish = publish
        #: The current document of each recording that was looked at lately, and its weight.
        self._current: OrderedDict[str, tuple[RevisionReading, int]] = OrderedDict()
        self._weight = 0

    # ---------------------------------------------------------------------- reading

    def document(self, recording: Recording, revision: int | None = None) -> Document:
        """What a revision says (None: the current one), or the nearest earlier that can be read.

        Raises UnknownRevision.
        """
        return self.read(recording, revision).document

    def read(self, recording: Recording, revision: int | None = None) -> RevisionReading:
        """The same, with how it was read. Raises UnknownRevision."""
        if revision is None or revision == recording.revision:
            return self._read_current(recording)
        self._check_there(recording, revision)
        return self._read(recording, revision)

    def read_exactly(self, recording: Recording, revision: int) -> RevisionReading:
        """That revision and no other. Raises UnknownRevision, JournalDamaged."""
        reading = self.read(recording, revision)
        if reading.revision != revision:
            raise JournalDamaged(UserMessage("revision_damaged", n=revision, name=recording.name))
        return reading

    def infos(self, recording: Recording) -> tuple[RevisionInfo, ...]:
        """Its revisions that can be read, the first one first; none before there is a result."""
        if recording.revision:
            rows = self._table.revision_infos(recording.recording_id)
            return tuple(info for _, info in sorted(rows.items()) if info is not None)
        first = self._first_info(recording)
        return () if first is None else (first,)

    def info(self, recording: Recording, revision: int | None = None) -> RevisionInfo:
        """One of them; None is the current one. Raises UnknownRevision, JournalDamaged."""
        number = recording.revision if revision is None else revision
        self._check_there(recording, number)
        for info in self.infos(recording):
            if info.revision == number:
                return info
        raise JournalDamaged(UserMessage("revision_damaged", n=number, name=recording.name))

    def run_of(self, recording: Recording, revision: int) -> int:
        """The run that a revision is about."""
        if revision == recording.revision and recording.result_run is not None:
            return recording.result_run
        infos = {info.revision: info for info in self.infos(recording)}
        info = infos.get(revision)
        return info.run if info else recording.result_run or recording.run

    def engine_segments(self, recording: Recording, run: int) -> tuple[tuple[Segment, ...], int]:
        """The segments of a run that can be read, with their ids, and how many cannot."""
        record = run_record(recording, run)
        n_segments = record.n_segments if record else 0
        rows = self._table.segment_rows(recording.recording_id, run)
        segments = [rows.get(index) for index in range(n_segments)]
        readable = tuple(
            replace(segment, id=engine_id(run, index))
            for index, segment in enumerate(segments)
            if segment is not None
        )
        return readable, n_segments - len(readable)

    def forget(self, recording_ids: Iterable[str]) -> None:
        """Let go of what is in memory of these."""
        for recording_id in recording_ids:
            _, weight = self._current.pop(recording_id, (None, 0))
            self._weight -= weight

    def _check_there(self, recording: Recording, revision: int) -> None:
        there = recording.revision > 0 or recording.has_result
        if not (there and 0 <= revision <= recording.revision):
            raise UnknownRevision(
                UserMessage("no_revision", name=recording.name, n=revision, most=recording.revision)
            )

    def _read_current(self, recording: Recording) -> RevisionReading:
        self._check_there(recording, recording.revision)
        reading, _ = self._current.get(recording.recording_id, (None, 0))
        if reading is not None and _is_current(reading, recording):
            self._current.move_to_end(recording.recording_id)
            return reading
        reading = self._read(recording, recording.revision)
        self._remember(recording, reading)
        return reading

    def _remember(self, recording: Recording, reading: RevisionReading) -> None:
        self.forget([recording.recording_id])
        if reading.revision != recording.revision or reading.n_missing:
            # It may be readable another time.
            return
        weight = _weight(reading.document)
        self._current[recording.recording_id] = (reading, weight)
        self._weight += weight
        while self._weight > MOST_IN_MEMORY and len(self._current) > 1:
            self.forget([next(iter(self._current))])

    def _read(self, recording: Recording, revision: int) -> RevisionReading:
        if not recording.revision:
            return self._read_run(recording, 0, recording.result_run or recording.run)
        number = revision
        while number >= 0:
            result = self._try(recording, number)
            if isinstance(result, RevisionReading):
                return result
            number = result - 1
        return self._read_run(recording, 0, recording.result_run or recording.run)

    def _try(self, recording: Recording, number: int) -> RevisionReading | int:
        """That revision, or the lowest number from which on none can be read up to it."""
        recording_id = recording.recording_id
        text = self._table.revision_texts(recording_id, number, number).get(number)
        if text is None:
            return number
        rows = self._table.revision_texts(recording_id, text.since, number)
        texts: list[RevisionText] = []
        for n in range(number, text.since, -1):
            row = rows.get(n)
            if row is None:
                return n
            texts.append(row)
        start = rows.get(text.since) or replace(text, delta=DocumentDelta())
        if start.on_whole and rows.get(text.since) is None:
            return text.since
        if start.on_whole:
            base = Document(start.delta.segments, start.delta.speakers or ())
            n_lost = start.n_lost
            reading = RevisionReading(
                base, number, start.run, text.since, True, n_lost, len(base.segments) + n_lost
            )
        else:
            if run_record(recording, start.run) is None:
                return text.since
            reading = replace(self._read_run(recording, text.since, start.run), revision=number)
        return _with_deltas(reading, texts)

    def _read_run(self, recording: Recording, revision: int, run: int) -> RevisionReading:
        segments, n_missing = self.engine_segments(recording, run)
        n_segments = len(segments) + n_missing
        document = Document(segments, missing_speakers(segments, ()))
        return RevisionReading(document, revision, run, revision, False, n_missing, n_segments)

    # ---------------------------------------------------------------------- writing

    def commit(
        self,
        recording: Recording,
        document: Document,
        kind: RevisionKind,
        author: str = "",
        *,
        label: str = "",
        restored: int | None = None,
        run: int | None = None,
    ) -> RevisionInfo:
        """Let a document be the current revision: one transaction, and then one event.

        Segments that have no id, or another's, get one of this revision. ``run`` is the engine's
        run that it is about; None that of the revision before it. Raises UnknownRevision where
        there is no text to revise.
        """
        recording = self._table.recording(recording.recording_id)
        before = self._read_current(recording)
        number = recording.revision + 1
        document = _identified(document, number)
        about = recording.result_run
        if run is not None and run_record(recording, run) is not None:
            about = run
        info = RevisionInfo(
            number,
            kind,
            author,
            self._clock.wall(),
            recording.revision,
            recording.run if about is None else about,
            label,
            restored,
            n_changed(before.document, document),
        )
        text = _text_of(recording, before, document)
        edited = recording.edited or kind in _BY_PERSON
        after = self._add(recording, info, text, edited=edited)
        self._remember(
            after,
            replace(
                before,
                document=document,
                revision=number,
                since=text.since,
                on_whole=text.on_whole,
                base_run=text.run,
            ),
        )
        self._publish(after, info)
        return info

    def commit_run(self, recording: Recording) -> RevisionInfo:
        """The run under way is complete, beside an earlier text: it becomes the current revision.

        ``recording`` is as it was before that, with the earlier text as its result.
        """
        run, number = recording.run, recording.revision + 1
        author = self._spec_of(recording, recording).engine
        info = RevisionInfo(number, "engine", author, self._clock.wall(), None, run)
        after = self._add(
            recording, info, RevisionText(number, run, number), edited=recording.edited
        )
        self._publish(after, info)
        return info

    def keep_text_of(self, recording: Recording, runs: Iterable[int]) -> None:
        """Before the segments of runs go: revisions that are their text get it as their own."""
        gone = set(runs)
        for info in self.infos(recording) if recording.revision else ():
            number = info.revision
            text = self._table.revision_texts(recording.recording_id, number, number).get(number)
            if text is None or text.on_whole or text.since != number or text.run not in gone:
                continue
            reading = self._read_run(recording, number, text.run)
            document, n_missing = reading.document, reading.n_missing
            text = replace(text, on_whole=True, delta=_whole(document), n_lost=n_missing)
            self._table.add_revision(recording.recording_id, info, text)

    def _add(
        self, recording: Recording, info: RevisionInfo, text: RevisionText, *, edited: bool
    ) -> Recording:
        recording_id = recording.recording_id
        with self._table.operation():
            if not recording.revision:
                first = self._first_info(recording)
                assert first is not None
                self._table.add_revision(recording_id, first, RevisionText(0, first.run, 0))
            return self._table.add_revision(
                recording_id,
                info,
                text,
                revision=info.revision,
                revision_run=info.run,
                edited=edited,
            )

    def _first_info(self, recording: Recording) -> RevisionInfo | None:
        """Revision 0 of one that has no other."""
        run = recording.result_run
        record = None if run is None else run_record(recording, run)
        if run is None or record is None:
            return None
        author = self._spec_of(recording, record).engine
        return RevisionInfo(0, "engine", author, record.finished_at or 0.0, None, run)

    def _spec_of(self, recording: Recording, record: Recording | RunRecord) -> Spec:
        return record.spec or self._table.row(recording.job_id).job.spec


def _text_of(recording: Recording, before: RevisionReading, document: Document) -> RevisionText:
    """How the journal holds the next revision."""
    number = recording.revision + 1
    change = delta(before.document, document)
    is_readable = before.revision == recording.revision
    is_small = 2 * len(change.segments) <= len(document.segments)
    if is_readable and is_small and number - before.since < MOST_DELTAS:
        # Without an order of its own the engine's, or the one before it, says what is missing.
        n_lost = 0 if change.order is None else before.n_missing
        return RevisionText(number, before.base_run, before.since, before.on_whole, change, n_lost)
    return RevisionText(number, before.base_run, number, True, _whole(document), before.n_missing)


def _whole(document: Document) -> DocumentDelta:
    return DocumentDelta(document.segments, None, document.speakers)


def _is_current(reading: RevisionReading, recording: Recording) -> bool:
    if recording.revision:
        return reading.revision == recording.revision
    return reading.revision == 0 and reading.base_run == recording.result_run


def run_record(recording: Recording, run: int) -> Recording | RunRecord | None:
    """One transcription of a recording; None where nothing is known of it any more."""
    if run == recording.run:
        return recording
    return next((r for r in recording.runs if r.run == run), None)


def _with_deltas(reading: RevisionReading, texts: Sequence[RevisionText]) -> RevisionReading:
    """After the deltas of these revisions, the last one first."""
    if not texts:
        return reading
    changed: dict[str, Segment] = {}
    speakers: tuple[Speaker, ...] | None = None
    for text in texts:
        for segment in text.delta.segments:
            changed.setdefault(segment.id, segment)
        speakers = text.delta.speakers if speakers is None else speakers
    order, n_lost = _order(reading, texts)
    segments = {**{s.id: s for s in reading.document.segments}, **changed}
    document = Document(
        tuple(segments[i] for i in order if i in segments),
        reading.document.speakers if speakers is None else speakers,
    )
    n_missing = len(order) - len(document.segments) + n_lost
    return replace(reading, document=document, n_missing=n_missing, n_segments=len(order) + n_lost)


def _order(reading: RevisionReading, texts: Sequence[RevisionText]) -> tuple[tuple[str, ...], int]:
    """The ids in the latest order, and how many segments were lost before it was made."""
    for text in texts:
        if text.delta.order is not None:
            return tuple(expanded(text.delta.order)), text.n_lost
    return _every_id(reading), reading.n_missing if reading.on_whole else 0


def _every_id(reading: RevisionReading) -> tuple[str, ...]:
    """In order, also of segments that cannot be read."""
    if reading.on_whole:
        return _ids(reading.document)
    return tuple(engine_id(reading.base_run, index) for index in range(reading.n_segments))


def _ids(document: Document) -> tuple[str, ...]:
    return tuple(segment.id for segment in document.segments)


def _identified(document: Document, revision: int) -> Document:
    """With an id of its own for each segment."""
    ids = [segment.id for segment in document.segments]
    if all(ids) and len(set(ids)) == len(ids):
        return document
    fresh = _fresh_ids(revision, frozenset(ids))
    seen: set[str] = set()
    segments = []
    for segment in document.segments:
        if not segment.id or segment.id in seen:
            segment = replace(segment, id=next(fresh))
        seen.add(segment.id)
        segments.append(segment)
    return replace(document, segments=tuple(segments))


def _fresh_ids(revision: int, taken: frozenset[str]) -> Iterator[str]:
    number = 0
    while True:
        if (fresh := new_id(revision, number)) not in taken:
            yield fresh
        number += 1


def _weight(document: Document) -> int:
    return len(document.segments) + sum(len(segment.words) for segment in document.segments)
