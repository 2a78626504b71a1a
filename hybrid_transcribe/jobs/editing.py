"""What people do to texts: edit them, bring an earlier revision back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import msgspec

from hybrid_transcribe.errors import InvalidEdit
from hybrid_transcribe.jobs.job_queries import check_complete
from hybrid_transcribe.jobs.lifecycle import JobLifecycle
from hybrid_transcribe.jobs.request import check_text
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import Document, EditOperation, ReplaceAll, RevisionInfo
from hybrid_transcribe.revisions import rebase
from hybrid_transcribe.types import Recording

#: Most operations of one edit, and most regular expressions among them, each of which may take a
#: second.
MOST_OPERATIONS, MOST_EXPRESSIONS = 10_000, 20

#: Most characters of an author's name, or of a revision's.
MOST_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class EditBasis:
    """What an edit is made of: the document that it is meant for, and the current one.

    ``stages_only``: only stages made revisions since.
    """

    recording: Recording
    base: Document
    current: Document
    stages_only: bool = False

    def revised(self, operations: Sequence[EditOperation]) -> Document:
        """The current document after these operations: on any thread, for it may take a while.

        Raises UnknownSegment, UnknownSpeaker, InvalidEdit, EditConflict.
        """
        number = self.recording.revision + 1
        return rebase(operations, self.base, self.current, number, stages_only=self.stages_only)


class JobEditing(JobLifecycle):
    """Changes the text of recordings that have one. Used on the manager loop only."""

    def edit(
        self,
        job_id: str,
        recording_id: str,
        operations: Sequence[EditOperation],
        *,
        base_revision: int | None = None,
        author: str = "",
        label: str = "",
        session_ids: Collection[str] | None = None,
    ) -> RevisionInfo:
        """All of an edit at once."""
        check_edit(operations, author, label)
        basis = self.edit_basis(job_id, recording_id, base_revision, session_ids)
        info = self.commit_edit(basis, basis.revised(operations), author, label)
        assert info is not None
        return info

    def edit_basis(
        self,
        job_id: str,
        recording_id: str,
        base_revision: int | None = None,
        session_ids: Collection[str] | None = None,
    ) -> EditBasis:
        """What an edit that was meant for that revision (None: the current one) is made of.

        Raises UnknownJob, UnknownRecording, UnknownRevision, JournalDamaged; where there is no
        text yet, the recording's error, JobCanceled or InvalidTransition.
        """
        recording = self._with_text(job_id, recording_id, session_ids)
        current = self.revisions.read(recording)
        if base_revision is None or base_revision in (recording.revision, current.revision):
            return EditBasis(recording, current.document, current.document)
        base = self.revisions.read_exactly(recording, base_revision)
        since = [i.kind for i in self.revisions.infos(recording) if i.revision > base_revision]
        stages_only = since == ["stage"] * (recording.revision - base_revision)
        return EditBasis(recording, base.document, current.document, stages_only)

    def commit_edit(
        self, basis: EditBasis, document: Document, author: str, label: str
    ) -> RevisionInfo | None:
        """The edit as a revision; None where the text was revised meanwhile.

        What changes nothing, and has no label, makes no revision. Raises UnknownRecording.
        """
        recording = self.table.recording(basis.recording.recording_id)
        if recording.revision != basis.recording.revision:
            return None
        if not label and document == basis.current and _ids(document) == _ids(basis.current):
            return self.revisions.info(recording)
        with self.table.operation():
            info = self.revisions.commit(recording, document, "person", author, label=label)
            self._keep_edited(recording.job_id)
        return info

    def restore(
        self,
        job_id: str,
        recording_id: str,
        revision: int,
        *,
        author: str = "",
        label: str = "",
        session_ids: Collection[str] | None = None,
    ) -> RevisionInfo:
        """Bring an earlier revision back, as a new one.

        Raises as `edit_basis` does, and InvalidEdit for a name that cannot be.
        """
        check_edit((), author, label)
        recording = self._with_text(job_id, recording_id, session_ids)
        reading = self.revisions.read_exactly(recording, revision)
        if revision == recording.revision and not label:
            return self.revisions.info(recording)
        run = self.revisions.run_of(recording, revision)
        with self.table.operation():
            info = self.revisions.commit(
                recording,
                reading.document,
                "restore",
                author,
                label=label,
                restored=revision,
                run=run,
            )
            self._keep_edited(job_id)
        return info

    def _with_text(
        self, job_id: str, recording_id: str, session_ids: Collection[str] | None
    ) -> Recording:
        (recording,) = self.reading.recordings(job_id, recording_id, session_ids)
        if not recording.has_result:
            check_complete(recording.name, recording)
        return recording

    def _keep_edited(self, job_id: str) -> None:
        """What a person wrote stays until a person says otherwise."""
        if not self.table.row(job_id).job.kept:
            self._janitor.forget(job_id)
            self.table.change_job(job_id, kept=True, expires_at=None)
            self._tell.job(job_id)


def check_edit(operations: Sequence[EditOperation], author: str, label: str) -> None:
    """Raise InvalidEdit for what no edit can be, InvalidOption for half characters."""
    for field, text in (("author", author), ("label", label)):
        if len(check_text(text, field)) > MOST_CHARACTERS or not text.isprintable():
            raise InvalidEdit(
                UserMessage("edit_label", name=field, value=text[:80], most=MOST_CHARACTERS)
            )
    check_text([msgspec.to_builtins(operation) for operation in operations], "The edit")
    n_expressions = sum(isinstance(o, ReplaceAll) and o.regex for o in operations)
    for n, most in ((len(operations), MOST_OPERATIONS), (n_expressions, MOST_EXPRESSIONS)):
        if n > most:
            raise InvalidEdit(UserMessage("edit_many", n=n, most=most))


def _ids(document: Document) -> list[str]:
    return [segment.id for segment in document.segments]
