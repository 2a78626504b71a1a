"""Jobs: submit, look, cancel, retry, keep, erase."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar

from hybrid_transcribe import errors
from hybrid_transcribe.errors import UnknownRecording, UnknownUpload
from hybrid_transcribe.jobs.request import make_options
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.outbound import webhooks
from hybrid_transcribe.outbound.sources import fetched
from hybrid_transcribe.rest.base_handler import REVALIDATE, BaseHandler
from hybrid_transcribe.rest.decoding import decode_fields, json_object
from hybrid_transcribe.rest.openapi import examples
from hybrid_transcribe.rest.openapi.operation import (
    FORM,
    GONE,
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
    FILE,
    KeepFields,
    RefineFields,
    RunFields,
    SubmissionFields,
    form_fields,
    json_fields,
    object_of,
)
from hybrid_transcribe.rest.openapi.schemas import Schema, field_types
from hybrid_transcribe.rest.submission import (
    SubmissionHandler,
    claimed_uploads,
    flat_values,
    run_parameters,
    session_of,
)
from hybrid_transcribe.rest.voices import as_voices
from hybrid_transcribe.types import Options
from hybrid_transcribe.uploads.received import Received
from hybrid_transcribe.wire import serialize, shapes

_Method = TypeVar("_Method", bound=Callable[..., Any])

#: What is wrong with how something is to be transcribed.
RUN_ERRORS: tuple[Error, ...] = (
    errors.UnknownEngine,
    errors.UnknownModel,
    errors.UnknownDevice,
    errors.InvalidOption,
    errors.CloudForbidden,
    errors.EngineUnavailable,
    errors.InputError,
    errors.InvalidTransition,
    errors.QueueFull,
)

#: What is wrong with a submission.
SUBMIT_ERRORS: tuple[Error, ...] = (
    *RUN_ERRORS,
    errors.TooSlow,
    errors.TooLarge,
    errors.TooMany,
    errors.UnsupportedMedia,
    errors.KeyReused,
    errors.NotFound,
    errors.Unreachable,
    errors.DiskFull,
)

_FILES = {"type": "array", "items": FILE, "minItems": 1}
_UPLOAD = {"upload_ids": ["24e533e02ec3bc40c387f1a0e460e216"], "language": "pt"}

_JOB_HEADERS = {"Location": "The job's address.", "Preference-Applied": "How long it waited."}

#: How `POST /jobs` and `PUT /jobs` are asked, and what they answer.
_submission = partial(
    operation,
    about="""\
Recordings (audio, video, or a `.zip` of them) come as multipart fields named `file`, as many as
you like; or one as the whole body (`curl -T talk.m4a`); or as ids of finished uploads in JSON.
Every recording has its own state, error and transcript: one that cannot be read spoils none of
the others, and is told under `rejected` or as its own error.

The answer comes at once and says where to look. With `Prefer: wait=20` it waits up to so many
seconds for the end.""",
    parameters=(
        parameter("name", "query", "What the recording is called, where the body is the file."),
        *SESSIONS,
        parameter(
            "Prefer",
            "header",
            "`wait=N` waits up to N seconds (at most 300) for the job's end.",
            {"type": "string", "examples": ["wait=20"]},
        ),
        parameter(
            "Idempotency-Key",
            "header",
            "A text of your own for this very submission: sent again, it makes no second job.",
        ),
    ),
    body=body(
        "The recordings, and how to transcribe them.",
        {
            FORM: object_of(
                {
                    "file": {**_FILES, "description": "Recordings, or zips of them."},
                    **form_fields(SubmissionFields),
                },
                "file",
            ),
            JSON: object_of(json_fields(SubmissionFields), "upload_ids"),
            "application/octet-stream": FILE,
        },
        an_upload=_UPLOAD,
    ),
    answers={
        200: answer("It has ended.", shapes.JobView, _JOB_HEADERS),
        202: answer(
            "It is queued.",
            shapes.JobView,
            {**_JOB_HEADERS, "Retry-After": "When to look again, in seconds."},
            queued=examples.queued(),
        ),
    },
    errors=SUBMIT_ERRORS,
)

#: Longest ``Prefer: wait=N`` that is honoured, in seconds.
LONGEST_WAIT_S = 300.0

#: When to ask again how far a job is, in seconds.
ASK_AGAIN_S = 1


class JobsHandler(SubmissionHandler):
    """``POST /jobs``, and ``PUT``, which is what ``curl -T`` sends."""

    group, paths = "jobs", ("/jobs",)

    @_submission("submit", "Submit recordings")
    async def post(self) -> None:
        """Queue what was sent."""
        received = await self.received()
        try:
            values = run_parameters(received)
            upload_ids, source_url = values.pop("upload_ids", None), values.pop("source_url", None)
            voices = values.pop("voices", None) or {}
            service = self.rest.service
            files = await fetched(source_url, service.settings, service.uploads_dir)
            received = replace(received, uploads=(*received.uploads, *files))
            try:
                named = [*(upload_ids or ()), *voices.values()]
                async with claimed_uploads(self, named) as linked:
                    n = len(linked) - len(voices)
                    sent = (*linked[:n], *as_voices(linked[n:], tuple(voices)))
                    everything = replace(received, uploads=(*received.uploads, *sent))
                    job_id, callback_url = await self._job_of(everything, dict(values))
            except UnknownUpload:
                # Its uploads were used up by the very same request, if it came before.
                before = await self._job_before(values.get("session_id"))
                if before is None:
                    raise
                job_id, callback_url = before, None
        except BaseException:
            received.discard()
            raise
        # From here on the files are the job's.
        if callback_url is not None:
            await self._call_back(job_id, callback_url)
        await _answer(self, job_id)

    @_submission("submit_file", "Submit one file (curl -T)")
    async def put(self) -> None:
        """The same."""
        await self.post()

    async def _job_of(self, received: Received, options: dict[str, Any]) -> tuple[str, str | None]:
        """A new job, or the one that the same Idempotency-Key made before; whom to call back."""
        key = self.request.headers.get("Idempotency-Key")
        named = options.pop("session_id", None) or self._named_session()
        message = options.pop("callback_url", None)
        callback_url = None if message is None else webhooks.check(self.rest.service, message)
        session = str(named or await self._new_session(key, received))
        job_id = await self._submit(received, session, {**options, "idempotency_key": key})
        return job_id, callback_url

    async def _job_before(self, session_id: str | None) -> str | None:
        """The job of this session and Idempotency-Key."""
        key = self.request.headers.get("Idempotency-Key")
        session = session_id or self._named_session()
        if not key or not session:
            return None
        return await self.ask(lambda service: service.submitted_as(session, key))

    async def _call_back(self, job_id: str, url: str) -> None:
        service = self.rest.service
        await self.on_loop(lambda: webhooks.outbox_of(service).expect(job_id, url))

    def _named_session(self) -> str | None:
        own = self.rest.service.session_id if self.owner else None
        return self.named_session or own

    async def _new_session(self, key: str | None, received: Received) -> str:
        service = self.rest.service
        if not key:
            return service.new_session()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, session_of, key, received, service.session_id)

    async def _submit(self, received: Received, session: str, options: dict[str, Any]) -> str:
        return (await self.submit(received.uploads, session, options)).job_id


async def _answer(handler: BaseHandler, job_id: str) -> None:
    """202 with the job as it stands, or 200 with its end where the client prefers to wait."""
    wait_s = preferred_wait_s(handler.request.headers.get_list("Prefer"))
    if wait_s:
        waiting = handler.rest.service.wait_async(job_id)
        await asyncio.wait({waiting}, timeout=wait_s)
        waiting.cancel()
        handler.set_header("Preference-Applied", f"wait={wait_s:g}")
    snapshot = await handler.ask(lambda service: service.snapshot(job_id))
    handler.set_header("Location", handler.at(f"/jobs/{job_id}"))
    if snapshot.done:
        handler.reply(serialize.job(snapshot))
        return
    handler.set_header("Retry-After", str(ASK_AGAIN_S))
    handler.reply(serialize.job(snapshot), HTTPStatus.ACCEPTED)


def preferred_wait_s(prefer: list[str]) -> float:
    """Seconds of ``Prefer: wait=N`` (RFC 7240), bounded; 0 without.

    >>> preferred_wait_s(["respond-async, wait=20"]), preferred_wait_s([])
    (20.0, 0.0)
    """
    for item in (p.strip() for text in prefer for p in text.split(",")):
        name, _, value = item.partition("=")
        if name.strip().lower() == "wait" and value.strip().strip('"').isdecimal():
            return min(float(value.strip().strip('"')), LONGEST_WAIT_S)
    return 0.0


_JOB = answer("The job.", shapes.JobView, running=examples.running())


class JobHandler(BaseHandler):
    """A job as it stands."""

    group, paths = "jobs", ("/jobs/{job_id}",)

    @operation(
        "job",
        "Look at a job",
        parameters=SESSIONS,
        answers={200: _JOB, 304: SAME},
        errors=(errors.UnknownJob,),
    )
    async def get(self, job_id: str) -> None:
        """State, percentage, seconds left, and each recording with its own."""
        sessions = self.job_sessions
        snapshot = await self.ask(lambda service: service.snapshot(job_id, session_ids=sessions))
        self.reply(serialize.job(snapshot), cache=REVALIDATE)

    @operation(
        "delete_job",
        "Erase a job",
        parameters=SESSIONS,
        answers={204: GONE},
        errors=(errors.UnknownJob,),
    )
    async def delete(self, job_id: str) -> None:
        """Its results, its uploads and what a cloud keeps of it. What runs is canceled."""
        sessions = self.job_sessions
        await self.ask_at_length(lambda service: service.delete(job_id, session_ids=sessions))
        self.set_status(HTTPStatus.NO_CONTENT)


def _control(
    verb: str,
    *summaries: str,
    fields: Schema | None = None,
    required: Sequence[str] = (),
    more: Sequence[Error] = (),
) -> Callable[[_Method], _Method]:
    """Declare a verb of a job, and of one of its recordings."""
    return operation(
        (f"{verb}_job", f"{verb}_recording"),
        summaries,
        parameters=SESSIONS,
        body=_body(fields, required) if fields else None,
        answers={200: {**_JOB, "description": "The job as it then stands."}},
        errors=(errors.UnknownJob, errors.UnknownRecording, errors.InvalidTransition, *more),
    )


def _body(fields: Schema, required: Sequence[str]) -> Schema:
    schema: Schema = body("How.", {JSON: object_of(fields, *required)}, required=bool(required))
    return schema


class _Control(BaseHandler):
    """What is done to a job or to one of its recordings."""

    group = "jobs"

    async def reply_job(self, job_id: str) -> None:
        """Answer with the job as it then stands."""
        sessions = self.job_sessions
        snapshot = await self.ask(lambda service: service.snapshot(job_id, session_ids=sessions))
        self.reply(serialize.job(snapshot))


def _paths(verb: str) -> tuple[str, str]:
    return f"/jobs/{{job_id}}/{verb}", f"/jobs/{{job_id}}/recordings/{{recording_id}}/{verb}"


class CancelHandler(_Control):
    """``POST …/cancel``."""

    paths = _paths("cancel")

    @_control("cancel", "Cancel a job", "Cancel one recording")
    async def post(self, job_id: str, recording_id: str | None = None) -> None:
        """What was heard so far stays readable with `partial=true`."""
        sessions = self.job_sessions
        # There is nothing to say, but programs send an empty object.
        json_object(self.request.body)
        await self.ask_at_length(
            lambda service: service.cancel(job_id, recording_id, session_ids=sessions)
        )
        await self.reply_job(job_id)


class RetryHandler(_Control):
    """``POST …/retry``."""

    paths = _paths("retry")

    @_control(
        "retry",
        "Retry a job",
        "Retry one recording",
        fields=json_fields(RunFields),
        more=RUN_ERRORS,
    )
    async def post(self, job_id: str, recording_id: str | None = None) -> None:
        """What failed or was canceled goes back to the queue, on another engine if you say so."""
        sessions, changes = self.job_sessions, self._changes()
        job = await self.ask(lambda service: service.snapshot(job_id, session_ids=sessions))
        engine = changes.get("engine") or job.spec.engine
        await self.check_model(engine, changes.get("model"))
        await self.ask_at_length(
            lambda service: service.retry(job_id, recording_id, session_ids=sessions, **changes)
        )
        await self.reply_job(job_id)

    def _changes(self) -> dict[str, Any]:
        """A set of options is all of them, as in Python: what it leaves out takes its default."""
        values = json_object(self.request.body)
        options = values.get("options")
        changes = flat_values({**values, "options": None}, RunFields)
        if options is None:
            return changes
        chosen = make_options(Options(), flat_values({"options": options}, RunFields))
        return {**changes, "options": chosen}


class RefineHandler(_Control):
    """``POST …/refine``."""

    paths = _paths("refine")

    @_control(
        "refine",
        "Have a post-processor work on a job",
        "Have a post-processor work on one recording",
        fields=json_fields(RefineFields),
        required=("stage",),
        more=(
            errors.UnknownPostProcessor,
            errors.EngineUnavailable,
            errors.InvalidOption,
            errors.QueueFull,
        ),
    )
    async def post(self, job_id: str, recording_id: str | None = None) -> None:
        """The text that is complete stays the result meanwhile, and if nothing comes of it."""
        sessions = self.job_sessions
        options = flat_values(json_object(self.request.body), RefineFields)
        stage = options.pop("stage", None)
        if not stage:
            raise errors.InvalidRequest(UserMessage("no_stage_named"))
        await self.ask_at_length(
            lambda service: service.refine(
                job_id, recording_id, stage=stage, session_ids=sessions, **options
            )
        )
        await self.reply_job(job_id)


class KeepHandler(_Control):
    """``POST …/keep``."""

    paths = _paths("keep")

    @_control("keep", "Keep a job", "Keep its job", fields=field_types(KeepFields))
    async def post(self, job_id: str, recording_id: str | None = None) -> None:
        """The janitor leaves it alone, or not any more."""
        sessions = self.job_sessions
        keep = decode_fields(KeepFields, json_object(self.request.body)).keep
        job = await self.ask(lambda service: service.snapshot(job_id, session_ids=sessions))
        if recording_id is not None and job.recording(recording_id) is None:
            raise UnknownRecording(UserMessage("no_recording", id=job_id, recording=recording_id))
        await self.ask(lambda service: service.keep(job_id, keep, session_ids=sessions))
        await self.reply_job(job_id)
