"""``/jobs``: submit, look, cancel, retry, keep, erase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hybrid_transcribe import errors
from hybrid_transcribe.rest.openapi import examples
from hybrid_transcribe.rest.openapi.operation import (
    BodySpec,
    Error,
    MediaSpec,
    Operation,
    ParameterSpec,
    ResponseSpec,
)
from hybrid_transcribe.rest.openapi.options import (
    FILE,
    form_run_options,
    json_run_options,
    submission,
)
from hybrid_transcribe.rest.openapi.parts import (
    BYTES,
    FORM,
    GONE,
    JOB_ANSWER,
    JOB_ID,
    JSON,
    NAME,
    RECORDING_ID,
    SAME,
    SESSIONS,
    json_answer,
)
from hybrid_transcribe.rest.openapi.schemas import Schema, ref
from hybrid_transcribe.wire import shapes

_GROUP = "jobs"

#: What is wrong with a submission.
SUBMIT_ERRORS: tuple[Error, ...] = (
    errors.UnknownEngine,
    errors.UnknownModel,
    errors.UnknownDevice,
    errors.InvalidOption,
    errors.CloudForbidden,
    errors.EngineUnavailable,
    errors.TooSlow,
    errors.TooLarge,
    errors.TooMany,
    errors.UnsupportedMedia,
    errors.InputError,
    errors.KeyReused,
    errors.NotFound,
    errors.InvalidTransition,
    errors.Unreachable,
    errors.QueueFull,
    errors.DiskFull,
)

_ABOUT = """\
Recordings (audio, video, or a `.zip` of them) come as multipart fields named `file`, as many as
you like; or one as the whole body (`curl -T talk.m4a`); or as ids of finished uploads in JSON.
Every recording has its own state, error and transcript: one that cannot be read spoils none of
the others, and is told under `rejected` or as its own error.

The answer comes at once and says where to look. With `Prefer: wait=20` it waits up to so many
seconds for the end."""

_PREFER = ParameterSpec(
    "Prefer",
    "header",
    "`wait=N` waits up to N seconds (at most 300) for the job's end.",
    {"type": "string", "examples": ["wait=20"]},
)
_KEY = ParameterSpec(
    "Idempotency-Key",
    "header",
    "A text of your own for this very submission: sent again, it makes no second job.",
)

_JOB_HEADERS = {"Location": "The job's address.", "Preference-Applied": "How long it waited."}

_ACCEPTED = ResponseSpec(
    "It is queued.",
    {JSON: MediaSpec(ref(shapes.JobView), {"Queued": examples.queued()})},
    {**_JOB_HEADERS, "Retry-After": "When to look again, in seconds."},
)
_ENDED = ResponseSpec("It has ended.", {JSON: MediaSpec(ref(shapes.JobView))}, _JOB_HEADERS)


def _object(fields: Mapping[str, Schema], *required: str) -> Schema:
    return {
        "type": "object",
        "properties": dict(fields),
        **({"required": list(required)} if required else {}),
    }


_FILES: Schema = {
    "type": "array",
    "items": FILE,
    "minItems": 1,
    "description": "Recordings, or zips of them.",
}
_UPLOADS: Schema = {
    "type": "array",
    "items": {"type": "string"},
    "minItems": 1,
    "description": "Ids of finished uploads, see `/files`.",
}

_SUBMITTED = BodySpec(
    "The recordings, and how to transcribe them.",
    {
        FORM: MediaSpec(_object({"file": _FILES, **submission(form_run_options())}, "file")),
        JSON: MediaSpec(
            _object({"upload_ids": _UPLOADS, **submission(json_run_options())}, "upload_ids"),
            {"An upload": {"upload_ids": ["24e533e02ec3bc40c387f1a0e460e216"], "language": "pt"}},
        ),
        BYTES: MediaSpec(FILE),
    },
)

_KEEP: Schema = {
    "type": "boolean",
    "default": True,
    "description": "False gives it back to the janitor.",
}


def _submit(method: str, name: str, summary: str) -> Operation:
    return Operation(
        method,
        "/jobs",
        _GROUP,
        name,
        summary,
        _ABOUT,
        (NAME, *SESSIONS, _PREFER, _KEY),
        _SUBMITTED,
        {200: _ENDED, 202: _ACCEPTED},
        SUBMIT_ERRORS,
    )


def _control(verb: str, summary: str, about: str, fields: Mapping[str, Schema]) -> list[Operation]:
    """Of a job, and of one of its recordings."""
    body = BodySpec("How.", {JSON: MediaSpec(_object(fields))}, required=False) if fields else None
    items: list[Error] = [errors.UnknownJob, errors.InvalidTransition]
    if verb == "retry":
        items += [errors.UnknownEngine, errors.UnknownModel, errors.UnknownDevice]
        items += [errors.InvalidOption, errors.CloudForbidden, errors.EngineUnavailable]
        items += [errors.InputError, errors.QueueFull]
    common: dict[str, Any] = {
        "about": about,
        "body": body,
        "answers": {200: JOB_ANSWER},
    }
    return [
        Operation(
            "post",
            f"/jobs/{{job_id}}/{verb}",
            _GROUP,
            f"{verb}_job",
            f"{summary} a job",
            parameters=(JOB_ID, *SESSIONS),
            errors=tuple(items),
            **common,
        ),
        Operation(
            "post",
            f"/jobs/{{job_id}}/recordings/{{recording_id}}/{verb}",
            _GROUP,
            f"{verb}_recording",
            f"{summary} one recording" if verb != "keep" else "Keep its job",
            parameters=(JOB_ID, RECORDING_ID, *SESSIONS),
            errors=(*items, errors.UnknownRecording),
            **common,
        ),
    ]


OPERATIONS: tuple[Operation, ...] = (
    _submit("post", "submit", "Submit recordings"),
    _submit("put", "submit_file", "Submit one file (curl -T)"),
    Operation(
        "get",
        "/jobs/{job_id}",
        _GROUP,
        "job",
        "Look at a job",
        "State, percentage, seconds left, and each recording with its own.",
        (JOB_ID, *SESSIONS),
        answers={
            200: json_answer("The job.", shapes.JobView, {"Running": examples.running()}),
            304: SAME,
        },
        errors=(errors.UnknownJob,),
    ),
    Operation(
        "delete",
        "/jobs/{job_id}",
        _GROUP,
        "delete_job",
        "Erase a job",
        "Its results, its uploads and what a cloud keeps of it. What runs is canceled.",
        (JOB_ID, *SESSIONS),
        answers={204: GONE},
        errors=(errors.UnknownJob,),
    ),
    *_control("cancel", "Cancel", "What was heard so far stays readable with `partial=true`.", {}),
    *_control(
        "retry",
        "Retry",
        "What failed or was canceled goes back to the queue, on another engine or model if you "
        "say so.",
        json_run_options(),
    ),
    *_control("keep", "Keep", "The janitor leaves it alone, or not any more.", {"keep": _KEEP}),
)
