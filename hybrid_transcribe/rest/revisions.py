"""A recording's text as it is revised: read it, edit it, bring an earlier revision back."""

from __future__ import annotations

import asyncio
import re
from http import HTTPStatus

import msgspec

from hybrid_transcribe import errors
from hybrid_transcribe.errors import InvalidRequest, PreconditionRequired
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.outputs.json import Json
from hybrid_transcribe.rest.base_handler import REVALIDATE, BaseHandler
from hybrid_transcribe.rest.decoding import decode_fields, json_object
from hybrid_transcribe.rest.openapi.operation import (
    JSON,
    SAME,
    SESSIONS,
    Error,
    answer,
    body,
    operation,
    parameter,
)
from hybrid_transcribe.rest.openapi.options import (
    EditFields,
    RestoreFields,
    edit_schema,
    object_of,
)
from hybrid_transcribe.rest.openapi.schemas import field_types, ref
from hybrid_transcribe.rest.results import Number, ResultQuery
from hybrid_transcribe.revision_types import EditOperation
from hybrid_transcribe.wire import serialize, shapes

#: ``"3"``, and ``W/"3"`` as proxies write it that compress what they pass on.
_ETAG = re.compile(r'(?:W/)?"([0-9]{1,9})"', re.ASCII)

#: An edit, or its operations alone.
_Edit = EditFields | list[EditOperation]

_ETAG_HEADER = {"ETag": "The revision, in quotation marks: what `If-Match` wants."}

#: What may be wrong with the recording that is named.
_ABSENT: tuple[Error, ...] = (errors.UnknownJob, errors.UnknownRecording)

#: What may be wrong with its text, and with what it is to become.
_NO_TEXT: tuple[Error, ...] = (
    *_ABSENT,
    errors.UnknownRevision,
    errors.InvalidTransition,
    errors.JobCanceled,
    errors.JournalDamaged,
)

_REVISED = answer(
    "The revision that was made, or the current one where nothing changed.",
    shapes.RevisionView,
    _ETAG_HEADER,
)

_EXAMPLE = [
    {"op": "replace-text", "segment_id": "1.0", "text": "Good morning."},
    {"op": "set-speaker", "segment_ids": ["1.0"], "speaker": "S1"},
    {"op": "rename-speaker", "speaker": "S1", "name": "Ana"},
]


class TranscriptQuery(ResultQuery, frozen=True, kw_only=True):
    """Which text of a recording.

    Attributes:
        revision: the number of a revision; without it the current one.
    """

    revision: Number | None = None


class TranscriptHandler(BaseHandler):
    """``…/transcript``: the text with the ids of its segments, for editors."""

    group, paths = "results", ("/jobs/{job_id}/recordings/{recording_id}/transcript",)

    _etag: str | None = None

    def compute_etag(self) -> str | None:
        """The revision: Tornado answers `If-None-Match` by it."""
        return self._etag

    @operation(
        "transcript",
        "Read a transcript",
        query=TranscriptQuery,
        parameters=SESSIONS,
        answers={200: answer("The text.", {JSON: ref("Transcript")}, _ETAG_HEADER), 304: SAME},
        errors=_NO_TEXT,
    )
    async def get(self, job_id: str, recording_id: str) -> None:
        """The current text, or an earlier revision of it, with an id for each segment."""
        query, sessions = self.query(TranscriptQuery), self.job_sessions
        transcript = await self.ask(
            lambda service: service.transcript(
                job_id,
                recording_id,
                partial=query.partial,
                revision=query.revision,
                session_ids=sessions,
            )
        )
        self.set_header("Cache-Control", REVALIDATE)
        if transcript.revision is not None:
            self._etag = _etag(transcript.revision)
            self.set_etag_header()
            if self.check_etag_header():
                self.set_status(HTTPStatus.NOT_MODIFIED)
                return
        # An hour with words takes a tenth of a second.
        loop = asyncio.get_running_loop()
        text = await loop.run_in_executor(None, Json().write, transcript)
        self.set_header("Content-Type", JSON)
        self.finish(text)

    @operation(
        "edit_transcript",
        "Edit a transcript",
        parameters=(
            *SESSIONS,
            parameter(
                "If-Match",
                "header",
                'The revision that the operations are meant for, as `ETag` gives it (`"3"`); `*` '
                "for the current one. Where others revised the text since, they are done all the "
                "same, unless they touch what was changed.",
                required=True,
            ),
        ),
        body=body(
            "A list of operations, or an object with them.",
            {JSON: edit_schema()},
            corrections=_EXAMPLE,
        ),
        answers={200: _REVISED},
        errors=(
            *_NO_TEXT,
            errors.UnknownSegment,
            errors.UnknownSpeaker,
            errors.InvalidEdit,
            errors.EditConflict,
            errors.PreconditionRequired,
        ),
    )
    async def patch(self, job_id: str, recording_id: str) -> None:
        """All of the operations or none of them, as one revision.

        The job is kept from then on, until it is deleted or `keep` hands it back.
        """
        base = _base_revision(self.request.headers.get("If-Match"))
        edit, sessions = _edit_of(self.request.body), self.job_sessions
        info = await self.ask_at_length(
            lambda service: service.edit(
                job_id,
                recording_id,
                edit.operations,
                base_revision=base,
                author=edit.author,
                label=edit.label,
                session_ids=sessions,
            )
        )
        self._etag = _etag(info.revision)
        self.set_header("ETag", self._etag)
        self.reply(serialize.revision(info))


class RevisionsHandler(BaseHandler):
    """``…/revisions``."""

    group, paths = "results", ("/jobs/{job_id}/recordings/{recording_id}/revisions",)

    @operation(
        "revisions",
        "List a transcript's revisions",
        parameters=SESSIONS,
        answers={200: answer("The revisions, the engine's first.", shapes.RevisionsView)},
        errors=_ABSENT,
    )
    async def get(self, job_id: str, recording_id: str) -> None:
        """Who made each and when; none before there is a complete text.

        Their texts are had by their numbers, as `…/transcript?revision=2` or
        `…/result?revision=2`.
        """
        sessions = self.job_sessions
        infos = await self.ask(
            lambda service: service.revisions(job_id, recording_id, session_ids=sessions)
        )
        self.reply(shapes.RevisionsView(revisions=tuple(map(serialize.revision, infos))))


class RestoreHandler(BaseHandler):
    """``POST …/restore``."""

    group, paths = "results", ("/jobs/{job_id}/recordings/{recording_id}/restore",)

    @operation(
        "restore_transcript",
        "Bring an earlier revision back",
        parameters=SESSIONS,
        body=body("Which.", {JSON: object_of(field_types(RestoreFields), "revision")}),
        answers={200: _REVISED},
        errors=(*_NO_TEXT, errors.InvalidEdit),
    )
    async def post(self, job_id: str, recording_id: str) -> None:
        """Its text becomes a new revision; those between stay."""
        values, sessions = json_object(self.request.body), self.job_sessions
        if "revision" not in values:
            raise InvalidRequest(UserMessage("restore_which"))
        fields = decode_fields(RestoreFields, values)
        info = await self.ask_at_length(
            lambda service: service.restore(
                job_id,
                recording_id,
                fields.revision,
                author=fields.author,
                label=fields.label,
                session_ids=sessions,
            )
        )
        self.set_header("ETag", _etag(info.revision))
        self.reply(serialize.revision(info))


def _etag(revision: int) -> str:
    return f'"{revision}"'


def _base_revision(condition: str | None) -> int | None:
    """The revision of an ``If-Match``; None for any. Raises PreconditionRequired, InvalidRequest.

    >>> _base_revision('"3"'), _base_revision("*")
    (3, None)
    """
    if condition is None:
        raise PreconditionRequired(UserMessage("edit_condition"))
    if condition.strip() == "*":
        return None
    match = _ETAG.fullmatch(condition.strip())
    if match is None:
        raise InvalidRequest(UserMessage("edit_if_match", value=condition[:80]))
    return int(match[1])


def _edit_of(content: bytes) -> EditFields:
    """What a body asks for. Raises InvalidRequest."""
    try:
        edit: _Edit = msgspec.json.decode(content, type=_Edit)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise InvalidRequest(UserMessage("edit_operations", why=str(error))) from None
    return edit if isinstance(edit, EditFields) else EditFields(operations=edit)
