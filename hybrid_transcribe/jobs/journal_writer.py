"""Writes to the journal one operation at a time, and keeps what cannot be written now.

Changes are gathered while an operation runs and written as one transaction at its end. Where
that fails (another program's lock, a full disk) they stay here, in memory, joined by those of
later operations, and are tried again: soon at first, then every half second, at the latest when
the service is closed. Nothing here waits: the loop goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from hybrid_transcribe.core.backoff import backoff_s
from hybrid_transcribe.core.clock import Clock, Timer
from hybrid_transcribe.errors import JournalUnusable
from hybrid_transcribe.interfaces import Journal, JournalChanges
from hybrid_transcribe.jobs.journal_sqlite import is_passing
from hybrid_transcribe.revision_types import RevisionInfo, RevisionRow, RevisionText
from hybrid_transcribe.types import Recording, Segment

#: Waits before another try, in seconds: doubled each time up to the second figure.
FIRST_WAIT_S, LONGEST_WAIT_S = 0.05, 0.5

#: People are told of trouble that lasts longer than this (s): a lock mostly goes sooner.
WARN_AFTER_S = 1.0

#: A fresh journal that is damaged as soon as this (s) is no accident: no further one is made.
REPLACED_LATELY_S = 60.0

#: How often the last try of a service that closes is repeated, in seconds.
CLOSE_WAIT_S = 0.1


class JournalEvents(Protocol):
    """What the writer tells of."""

    def journal_behind(self, error: JournalUnusable) -> None:
        """Nothing can be written now: what happens stays in memory."""

    def journal_written(self) -> None:
        """After that: everything is written."""

    def replace_journal(self, error: JournalUnusable) -> Journal:
        """A fresh journal for one that is damaged. Raises JournalUnusable, OSError."""

    def everything(self) -> JournalChanges:
        """All jobs and recordings as they stand, for a journal that has nothing yet."""


class JournalWriter:
    """Used on the manager loop only."""

    def __init__(self, journal: Journal, clock: Clock, events: JournalEvents) -> None:
        self._journal = journal
        self._clock = clock
        self._events = events
        self._depth = 0
        self._closed = False
        self._timer: Timer | None = None
        self._failures = 0
        self._failing_since: float | None = None
        self._warned = False
        self._is_lost = False
        self._lost_for = JournalUnusable("")
        self._replaced_at = float("-inf")
        #: Changes that are not in the journal yet.
        self.changes = JournalChanges()

    @property
    def durable(self) -> bool:
        """False when nothing outlives this process."""
        return self._journal.durable

    @property
    def is_behind(self) -> bool:
        """True while something that happened is in memory only, and nobody was warned yet."""
        return self._failing_since is not None and not self._warned

    @contextmanager
    def operation(self) -> Iterator[JournalChanges]:
        """Gather changes; those of the outermost block are written together at its end.

        Also when it raises: what has changed in memory by then must be in the journal too.
        """
        self._depth += 1
        try:
            yield self.changes
        finally:
            self._depth -= 1
            if not (self._depth or self._closed or self._timer) and self.changes:
                self._write()

    def encoded(self, recording: Recording) -> object:
        """The recording as the journal will hold it."""
        return self._journal.encoded(recording)

    def segment_rows(self, recording_id: str, run: int) -> dict[int, Segment | None]:
        """Segments by index, written or not; None where one cannot be read."""
        key = (recording_id, run)
        rows: dict[int, Segment | None] = {}
        if key not in self.changes.dropped and not self._is_lost:
            rows = self._journal.segment_rows(recording_id, run)
        return {**rows, **self.changes.segments.get(key, {})}

    def revision_infos(self, recording_id: str) -> dict[int, RevisionInfo | None]:
        """Revisions by number, written or not, without their text."""
        rows = {} if self._is_lost else self._journal.revision_infos(recording_id)
        pending = self.changes.revisions.get(recording_id, {})
        return {**rows, **{number: info for number, (info, _) in pending.items()}}

    def revision_texts(
        self, recording_id: str, first: int, last: int
    ) -> dict[int, RevisionText | None]:
        """The text of revisions ``first`` to ``last``, written or not."""
        rows = {} if self._is_lost else self._journal.revision_texts(recording_id, first, last)
        pending = self.changes.revisions.get(recording_id, {})
        return {**rows, **{n: row[1] for n, row in pending.items() if first <= n <= last}}

    # ---------------------------------------------------------------------- writing

    def _write(self) -> bool:
        """Write all that is not written; True when nothing is left."""
        try:
            if self._is_lost:
                self._begin_anew()
            if self.changes:
                self._journal.write(self.changes)
        except (JournalUnusable, OSError) as error:
            return self._failed(error)
        self.changes = JournalChanges()
        self._failing_since, self._failures = None, 0
        if self._warned:
            self._warned = False
            self._events.journal_written()
        return True

    def _failed(self, error: JournalUnusable | OSError) -> bool:
        unusable = error if isinstance(error, JournalUnusable) else JournalUnusable(str(error))
        now = self._clock.monotonic()
        if self._failing_since is None:
            self._failing_since = now
        lately = now - self._replaced_at < REPLACED_LATELY_S
        if not (self._is_lost or lately or is_passing(unusable)):
            # Damaged: the same file will never do. Not again at once, should a fresh one fail too.
            self._gather_everything()
            self._is_lost, self._lost_for = True, unusable
            return self._write()
        lasts = now - self._failing_since >= WARN_AFTER_S
        if not self._warned and (lasts or not _is_short(unusable)):
            self._warned = True
            self._events.journal_behind(unusable)
        self._again_later()
        return False

    def _again_later(self) -> None:
        if not self._closed and self._timer is None:
            self._failures += 1
            wait_s = backoff_s(self._failures, FIRST_WAIT_S, LONGEST_WAIT_S)
            self._timer = self._clock.call_later(wait_s, self._due)

    def _due(self) -> None:
        self._timer = None
        self._write()

    def _begin_anew(self) -> None:
        self._journal = self._events.replace_journal(self._lost_for)
        self._is_lost, self._replaced_at = False, self._clock.monotonic()

    def _gather_everything(self) -> None:
        """All there is becomes a change, with the text that the damaged journal still gives."""
        every, newer = self._events.everything(), self.changes
        every.facts.update(newer.facts)
        for recording in every.recordings.values():
            for run in (recording.run, *(r.run for r in recording.runs)):
                key = (recording.recording_id, run)
                segments = {i: s for i, s in self._readable(*key).items() if s is not None}
                if segments:
                    every.segments[key] = segments
            revisions = self._readable_revisions(recording)
            if revisions:
                every.revisions[recording.recording_id] = revisions
        self.changes = every

    def _readable(self, recording_id: str, run: int) -> dict[int, Segment | None]:
        try:
            return self.segment_rows(recording_id, run)
        except JournalUnusable:
            return dict(self.changes.segments.get((recording_id, run), {}))

    def _readable_revisions(self, recording: Recording) -> dict[int, RevisionRow]:
        pending = self.changes.revisions.get(recording.recording_id, {})
        with contextlib.suppress(JournalUnusable):
            return {**self._journal.revisions(recording), **pending}
        return dict(pending)

    # ---------------------------------------------------------------------- closing

    async def close(self, within_s: float) -> bool:
        """Write what is left, trying again for so long; False when something was lost."""
        loop = asyncio.get_running_loop()
        # Real time, whatever clock tests turn: it is another program that is waited for.
        until = loop.time() + within_s
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for _ in range(max(1, round(within_s / CLOSE_WAIT_S))):
            if self._write() or loop.time() >= until:
                break
            await asyncio.sleep(CLOSE_WAIT_S)
        self._journal.close()
        return not self.changes


def _is_short(error: JournalUnusable) -> bool:
    """A lock is held for moments; a full disk is not emptied by itself."""
    return "locked" in str(error)
