"""Parameters and answers that several operations share."""

from __future__ import annotations

from typing import Any

from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.openapi import examples
from hybrid_transcribe.rest.openapi.operation import Answer, Media, Parameter
from hybrid_transcribe.rest.openapi.schemas import Schema, ref
from hybrid_transcribe.wire import shapes

JSON = "application/json"
FORM = "multipart/form-data"
BYTES = "application/octet-stream"
SSE = "text/event-stream"

JOB_ID = Parameter("job_id", "path", "The job, as the answer to its submission says.")
RECORDING_ID = Parameter("recording_id", "path", "One of the job's recordings.")

SESSION_ID = Parameter(
    "session_id",
    "query",
    "The session the job belongs to, or several with commas. A job's id alone opens it too; a "
    "request that names other sessions gets the answer for what never was.",
)
SESSIONS = (
    SESSION_ID,
    Parameter("X-Session-Id", "header", "The same, where addresses are written down."),
)

PARTIAL = Parameter(
    "partial",
    "query",
    "Also while it is running: what is known so far.",
    {"type": "boolean", "default": False},
)

RUN = Parameter(
    "run",
    "query",
    "The number of one transcription, where a recording was transcribed several times. Without it "
    "the latest complete one is given, also while a newer one is being made.",
    {"type": "integer", "minimum": 0, "maximum": 999_999_999},
)

#: An upload that is one file may be called something.
NAME = Parameter("name", "query", "What the recording is called, where the body is the file.")


def format_parameter(*more: str) -> Parameter:
    """``format``, one of the writers and ``more``."""
    known = [*WRITERS.names(), *more]
    schema: Schema = {"type": "string", "enum": known, "default": "txt"}
    return Parameter("format", "query", "The form of the result.", schema)


def json_answer(about: str, cls: type, shown: dict[str, Any] | None = None) -> Answer:
    """An answer that is that type, as JSON."""
    return Answer(about, {JSON: Media(ref(cls), shown or {})})


def transcripts(*more: str) -> dict[str, Media]:
    """What results come as, and media types of ``more``."""
    found = {WRITERS.make(name).media_type: Media({"type": "string"}) for name in WRITERS.names()}
    found[JSON] = Media(ref("Transcript"))
    return {**found, **{kind: Media({"type": "string", "format": "binary"}) for kind in more}}


#: A job as it stands now.
JOB_ANSWER = json_answer(
    "The job as it then stands.", shapes.JobView, {"Running": examples.running()}
)

#: The client has it already, by its ETag.
SAME = Answer("It is as you have it (`If-None-Match`).")

#: Nothing is left.
GONE = Answer("It is gone.")
