"""Parameters and answers that several operations share."""

from __future__ import annotations

from typing import Any

from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.openapi import examples
from hybrid_transcribe.rest.openapi.operation import MediaSpec, ParameterSpec, ResponseSpec
from hybrid_transcribe.rest.openapi.schemas import Schema, ref
from hybrid_transcribe.wire import shapes

JSON = "application/json"
FORM = "multipart/form-data"
BYTES = "application/octet-stream"
SSE = "text/event-stream"

JOB_ID = ParameterSpec("job_id", "path", "The job, as the answer to its submission says.")
RECORDING_ID = ParameterSpec("recording_id", "path", "One of the job's recordings.")

SESSION_ID = ParameterSpec(
    "session_id",
    "query",
    "The session the job belongs to, or several with commas. A job's id alone opens it too; a "
    "request that names other sessions gets the answer for what never was.",
)
SESSIONS = (
    SESSION_ID,
    ParameterSpec("X-Session-Id", "header", "The same, where addresses are written down."),
)

PARTIAL = ParameterSpec(
    "partial",
    "query",
    "Also while it is running: what is known so far.",
    {"type": "boolean", "default": False},
)

RUN = ParameterSpec(
    "run",
    "query",
    "The number of one transcription, where a recording was transcribed several times. Without it "
    "the latest complete one is given, also while a newer one is being made.",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
)

#: An upload that is one file may be called something.
NAME = ParameterSpec("name", "query", "What the recording is called, where the body is the file.")


def format_parameter(*more: str) -> ParameterSpec:
    """``format``, one of the writers and ``more``."""
    items = [*WRITERS.names(), *more]
    schema: Schema = {"type": "string", "enum": items, "default": "txt"}
    return ParameterSpec("format", "query", "The form of the result.", schema)


def json_answer(about: str, cls: type, fields: dict[str, Any] | None = None) -> ResponseSpec:
    """An answer that is that type, as JSON."""
    return ResponseSpec(about, {JSON: MediaSpec(ref(cls), fields or {})})


def transcripts(*more: str) -> dict[str, MediaSpec]:
    """What results come as, and media types of ``more``."""
    by_name = {
        WRITERS.make(name).media_type: MediaSpec({"type": "string"}) for name in WRITERS.names()
    }
    by_name[JSON] = MediaSpec(ref("Transcript"))
    return {**by_name, **{kind: MediaSpec({"type": "string", "format": "binary"}) for kind in more}}


#: A job as it stands now.
JOB_ANSWER = json_answer(
    "The job as it then stands.", shapes.JobView, {"Running": examples.running()}
)

#: The client has it already, by its ETag.
SAME = ResponseSpec("It is as you have it (`If-None-Match`).")

#: Nothing is left.
GONE = ResponseSpec("It is gone.")
