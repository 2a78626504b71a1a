"""What the manager knows of its journal: that it is behind, damaged, or too large."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

from hybrid_transcribe import protocol as p
from hybrid_transcribe.errors import (
    JournalUnusable,
)
from hybrid_transcribe.interfaces import Journal, JournalChanges, Restored, RunKey
from hybrid_transcribe.jobs.job_queries import incomplete
from hybrid_transcribe.jobs.lifecycle import JobLifecycle
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import (
    Recording,
)

#: Between two steps in which the journal gives back room, in seconds.
SHRINK_AGAIN_S = 0.1

#: Names listed in one warning.
_MOST_NAMES = 5


class JournalKeeping(JobLifecycle):
    """Told by `JournalWriter` how writing goes; people are told what they should know of it."""

    #: Runs that are damaged; number 0 stands for the revisions of a recording.
    _known_damaged: set[RunKey]

    def journal_behind(self, error: JournalUnusable) -> None:
        """Nothing can be written now."""
        self.warn(
            "journal_behind",
            UserMessage("journal_behind", text=error),
        )

    def journal_written(self) -> None:
        """Everything is written again."""
        self._tell.warning_over("journal_behind")

    def replace_journal(self, error: JournalUnusable) -> Journal:
        """A fresh journal for one that is damaged. Raises JournalUnusable, OSError."""
        self.warn(*self.state.replace_journal(error))
        return self.state.journal

    def everything(self) -> JournalChanges:
        """All jobs and recordings, and what else this process knows."""
        changes = self.table.everything()
        changes.facts.update(
            session_id=self.session_id,
            speeds=self._speeds.plain(),
            erasures=self._erasures.plain(),
        )
        return changes

    @property
    def is_behind(self) -> bool:
        """True while something that happened is in memory only, and nobody was warned yet."""
        return self.table.is_behind

    def _damaged_segments(self, recording: Recording, run: int, n_missing: int) -> None:
        """Segments cannot be read, found at the start or when somebody wanted the text."""
        key = (recording.recording_id, run)
        if key in self._known_damaged:
            return
        self._known_damaged.add(key)
        self.warn("journal_damaged", _damaged([recording.name]))
        self._mark_damaged(recording, run, n_missing)

    def _damaged_revision(self, recording: Recording) -> None:
        """A revision cannot be read, found when somebody wanted the text."""
        key = (recording.recording_id, 0)
        if key not in self._known_damaged:
            self._known_damaged.add(key)
            self.warn("journal_damaged", _damaged([recording.name]))

    def _tell_damage(self, restored: Restored) -> None:
        names = list(restored.damaged)
        for (recording_id, run), n_missing in restored.n_missing.items():
            recording = self.table.recording(recording_id)
            self._known_damaged.add((recording_id, run))
            self._mark_damaged(recording, run, n_missing)
            names.append(recording.name)
        for recording_id in restored.n_revisions_missing:
            self._known_damaged.add((recording_id, 0))
            names.append(self.table.recording(recording_id).name)
        if names:
            self.warn("journal_damaged", _damaged(list(dict.fromkeys(names))))

    def _mark_damaged(self, recording: Recording, run: int, n_missing: int) -> None:
        if run == recording.run:
            line = incomplete(n_missing, recording.n_segments)
            self.apply(recording.recording_id, p.WarningRaised.of(line))

    def speeds(self) -> dict[str, Any]:
        """What was measured on this machine, as `Speeds.plain` gives it."""
        return self._speeds.plain()

    def _look_after_files(self) -> None:
        self.state.expire(self.settings.upload_idle_s)
        self._shrink_journal()

    def _shrink_journal(self) -> None:
        """Give back the room of deleted jobs, a little at a time."""
        if self._closing:
            return
        # What cannot be now, as while another program has a lock, is done next time.
        with contextlib.suppress(JournalUnusable):
            if self.state.journal.shrink():
                self._clock.call_later(SHRINK_AGAIN_S, self._shrink_journal)


def _damaged(names: Sequence[str]) -> str:
    n_more = len(names) - _MOST_NAMES
    if n_more > 0:
        return UserMessage("journal_damaged_more", names=names[:_MOST_NAMES], n=n_more)
    return UserMessage("journal_damaged", names=names)
