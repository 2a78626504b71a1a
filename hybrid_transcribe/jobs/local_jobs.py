"""The jobs of this process: looked at and changed on the loop of the job manager."""

from __future__ import annotations

import concurrent.futures
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from hybrid_transcribe.audio.source_audio import Original, open_original
from hybrid_transcribe.events import Event
from hybrid_transcribe.jobs.bus import Subscription
from hybrid_transcribe.jobs.editing import EditBasis, check_edit
from hybrid_transcribe.jobs.local_thread import LocalThread
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.revision_types import Document, EditOperation, RevisionInfo
from hybrid_transcribe.types import JobSnapshot, Transcript


class LocalJobs(LocalThread):
    """Reads and controls jobs."""

    def snapshot(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> JobSnapshot:
        return self.do(lambda manager: manager.reading.snapshot(job_id, session_ids=session_ids))

    def snapshots(self, *, session_ids: Sequence[str] | None = None) -> tuple[JobSnapshot, ...]:
        return self._thread.do_in_slices(
            lambda manager: manager.reading.sliced_snapshots(session_ids=session_ids)
        )

    def transcript(
        self,
        job_id: str,
        recording_id: str,
        *,
        partial: bool = False,
        run: int | None = None,
        revision: int | None = None,
        session_ids: Sequence[str] | None = None,
    ) -> Transcript:
        transcript = self.do(
            lambda manager: manager.reading.transcript(
                job_id,
                recording_id,
                partial=partial,
                run=run,
                revision=revision,
                session_ids=session_ids,
            )
        )
        return self._with_origin(transcript, job_id)

    def revisions(
        self, job_id: str, recording_id: str, *, session_ids: Sequence[str] | None = None
    ) -> tuple[RevisionInfo, ...]:
        return self.do(lambda manager: manager.reading.revisions(job_id, recording_id, session_ids))

    def open_audio(
        self, job_id: str, recording_id: str, *, session_ids: Sequence[str] | None = None
    ) -> Original:
        (recording,) = self.do(
            lambda manager: manager.reading.recordings(job_id, recording_id, session_ids)
        )
        return open_original(Path(recording.path), recording.name)

    def subscribe(
        self,
        callback: Callable[[Event], None] | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        after: int | None = None,
    ) -> Subscription:
        return self.do(
            lambda manager: manager.subscribe(callback, session_ids=session_ids, after=after)
        )

    def _wait(self, job_id: str) -> concurrent.futures.Future[None]:
        return self._thread.hand_over(self._manager.wait(job_id))

    def cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
    ) -> None:
        self._thread.do_in_slices(
            lambda manager: manager.sliced_cancel(job_id, recording_id, session_ids=session_ids)
        )

    def retry(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        **changes: Any,
    ) -> None:
        self._thread.do_in_slices(
            lambda manager: manager.sliced_retry(
                job_id, recording_id, session_ids=session_ids, **changes
            )
        )

    def refine(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        stage: str,
        session_ids: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        self._thread.do_in_slices(
            lambda manager: manager.sliced_refine(
                job_id, recording_id, stage, options, session_ids=session_ids
            )
        )

    def edit(
        self,
        job_id: str,
        recording_id: str,
        operations: Sequence[EditOperation],
        *,
        base_revision: int | None = None,
        author: str = "",
        label: str = "",
        session_ids: Sequence[str] | None = None,
    ) -> RevisionInfo:
        items = tuple(operations)
        check_edit(items, author, label)
        info = None
        while info is None:
            basis = self.do(
                lambda manager: manager.edit_basis(job_id, recording_id, base_revision, session_ids)
            )
            # Here, on the caller's thread: a rule may take a second.
            document = basis.revised(items)
            info = self.do(functools.partial(_commit, basis, document, author, label))
        self._wait_until_written()
        return info

    def restore(
        self,
        job_id: str,
        recording_id: str,
        revision: int,
        *,
        author: str = "",
        label: str = "",
        session_ids: Sequence[str] | None = None,
    ) -> RevisionInfo:
        info = self.do(
            lambda manager: manager.restore(
                job_id,
                recording_id,
                revision,
                author=author,
                label=label,
                session_ids=session_ids,
            )
        )
        self._wait_until_written()
        return info

    def keep(
        self, job_id: str, keep: bool = True, *, session_ids: Sequence[str] | None = None
    ) -> None:
        self.do(lambda manager: manager.keep(job_id, keep, session_ids=session_ids))

    def delete(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> None:
        self._thread.do_in_slices(
            lambda manager: manager.sliced_delete(job_id, session_ids=session_ids)
        )

    def delete_session(self, session_id: str) -> None:
        self._thread.do_in_slices(lambda manager: manager.sliced_delete_session(session_id))


def _commit(
    basis: EditBasis, document: Document, author: str, label: str, manager: JobManager
) -> RevisionInfo | None:
    return manager.commit_edit(basis, document, author, label)
