"""The jobs of a service elsewhere: looked at and changed over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from hybrid_transcribe.audio.source_audio import Original
from hybrid_transcribe.config import MIB
from hybrid_transcribe.errors import InvalidEdit
from hybrid_transcribe.events import Event
from hybrid_transcribe.jobs.bus import Subscription
from hybrid_transcribe.jobs.request import check_text
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.remote.audio import open_audio
from hybrid_transcribe.remote.connection import RemoteConnection, job_path, recording_path
from hybrid_transcribe.remote.event_stream import key_of
from hybrid_transcribe.revision_types import EditOperation, RevisionInfo
from hybrid_transcribe.types import JobSnapshot, Options, Rejection, Transcript
from hybrid_transcribe.wire import parse, shapes

#: Most bytes of an edit: more than that a server reads of uploads only.
MOST_EDIT_BYTES = MIB


class RemoteJobs(RemoteConnection):
    """Reads and controls jobs. What was refused on this side is remembered here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._rejected: dict[str, tuple[Rejection, ...]] = {}

    def snapshot(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> JobSnapshot:
        answer = self._ask("GET", job_path(job_id), sessions=self._named(session_ids, job_id))
        return self._complete(parse.job(msgspec.json.decode(answer, type=shapes.JobView)))

    def snapshots(self, *, session_ids: Sequence[str] | None = None) -> tuple[JobSnapshot, ...]:
        answer = self._ask("GET", "/queues", sessions=self._named(session_ids))
        return tuple(map(self._complete, parse.queue(answer)))

    def _complete(self, job: JobSnapshot) -> JobSnapshot:
        """With what was refused on this side."""
        here = self._rejected.get(job.job_id, ())
        return replace(job, rejected=(*here, *job.rejected)) if here else job

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
        params = {"format": "json", "partial": "true" if partial else "false"}
        for name, number in (("run", run), ("revision", revision)):
            if number is not None:
                params[name] = str(number)
        answer = self._ask(
            "GET",
            f"{recording_path(job_id, recording_id)}/result",
            sessions=self._named(session_ids, job_id),
            params=params,
        )
        return self._with_origin(parse.transcript(answer), job_id)

    def revisions(
        self, job_id: str, recording_id: str, *, session_ids: Sequence[str] | None = None
    ) -> tuple[RevisionInfo, ...]:
        answer = self._ask(
            "GET",
            f"{recording_path(job_id, recording_id)}/revisions",
            sessions=self._named(session_ids, job_id),
        )
        view = msgspec.json.decode(answer, type=shapes.RevisionsView)
        return tuple(map(parse.revision, view.revisions))

    def open_audio(
        self, job_id: str, recording_id: str, *, session_ids: Sequence[str] | None = None
    ) -> Original:
        self._check_open()
        job = self.snapshot(job_id, session_ids=session_ids)
        recording = job.recording(recording_id)
        return open_audio(
            self._calls.client,
            self._address,
            f"{recording_path(job_id, recording_id)}/audio",
            recording.name if recording else "",
            self._named(session_ids, job_id),
        )

    def subscribe(
        self,
        callback: Callable[[Event], None] | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        after: int | None = None,
    ) -> Subscription:
        self._check_open()
        return self._streams.subscribe(key_of(self._named(session_ids)), callback, after)

    # ------------------------------------------------------------------------ control

    def cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
    ) -> None:
        self._control("cancel", job_id, recording_id, session_ids, {})

    def retry(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        **changes: Any,
    ) -> None:
        fields = {name: value for name, value in changes.items() if value is not None}
        if isinstance(fields.get("options"), Options):
            fields["options"] = msgspec.to_builtins(fields["options"])
        self._control("retry", job_id, recording_id, session_ids, fields)

    def refine(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        stage: str,
        session_ids: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        fields = {name: value for name, value in options.items() if value is not None}
        self._control("refine", job_id, recording_id, session_ids, {**fields, "stage": stage})

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
        body = {"operations": list(operations), "author": author, "label": label}
        condition = "*" if base_revision is None else f'"{base_revision}"'
        path = f"{recording_path(job_id, recording_id)}/transcript"
        return self._revise("PATCH", path, job_id, session_ids, body, {"If-Match": condition})

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
        body = {"revision": revision, "author": author, "label": label}
        path = f"{recording_path(job_id, recording_id)}/restore"
        return self._revise("POST", path, job_id, session_ids, body, {})

    def _revise(
        self,
        method: str,
        path: str,
        job_id: str,
        session_ids: Sequence[str] | None,
        body: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> RevisionInfo:
        content = msgspec.json.encode(check_text(msgspec.to_builtins(body), "The edit"))
        if len(content) > MOST_EDIT_BYTES:
            most = MOST_EDIT_BYTES / MIB
            raise InvalidEdit(UserMessage("edit_large", n=len(content) / MIB, most=most))
        # Not again by itself: it may have been done, and would be done twice.
        answer = self._ask(
            method,
            path,
            again=False,
            sessions=self._named(session_ids, job_id),
            headers={"Content-Type": "application/json", **headers},
            content=lambda: iter((content,)),
        )
        return parse.revision(msgspec.json.decode(answer, type=shapes.RevisionView))

    def keep(
        self, job_id: str, keep: bool = True, *, session_ids: Sequence[str] | None = None
    ) -> None:
        self._control("keep", job_id, None, session_ids, {"keep": keep})

    def _control(
        self,
        verb: str,
        job_id: str,
        recording_id: str | None,
        session_ids: Sequence[str] | None,
        body: Mapping[str, Any],
    ) -> None:
        at = job_path(job_id) if recording_id is None else recording_path(job_id, recording_id)
        self._ask(
            "POST",
            f"{at}/{verb}",
            again=verb not in ("retry", "refine"),
            sessions=self._named(session_ids, job_id),
            headers={"Content-Type": "application/json"},
            content=lambda: iter((msgspec.json.encode(check_text(body, "The request")),)),
        )

    def delete(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> None:
        # Not again by itself: what is gone already would be an error.
        named = self._named(session_ids, job_id)
        self._ask("DELETE", job_path(job_id), again=False, sessions=named)
        self._rejected.pop(job_id, None)

    def delete_session(self, session_id: str) -> None:
        self._ask("DELETE", "/sessions", sessions=(session_id,))
        self._others.pop(session_id, None)
