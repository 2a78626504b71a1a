"""Transcripts as files."""

from __future__ import annotations

from hybrid_transcribe import errors
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.openapi.operation import Operation, ParameterSpec, ResponseSpec
from hybrid_transcribe.rest.openapi.parts import (
    JOB_ID,
    PARTIAL,
    RECORDING_ID,
    RUN,
    SESSIONS,
    format_parameter,
    transcripts,
)

_GROUP = "results"
_ZIP = "application/zip"

_INSIDE = ParameterSpec(
    "inside",
    "query",
    "The form of the transcripts in a zip.",
    {"type": "string", "enum": list(WRITERS.names()), "default": "txt"},
)
_NAMED = {"Content-Disposition": "The file's name."}

OPERATIONS = (
    Operation(
        "get",
        "/jobs/{job_id}/result",
        _GROUP,
        "job_result",
        "Download a job's transcripts",
        "Of one recording, any form. Of several, their text one after the other (`txt`) or a "
        "`zip`, which says in `_errors.txt` what has no transcript and why.",
        (JOB_ID, format_parameter("zip"), _INSIDE, PARTIAL, *SESSIONS),
        answers={200: ResponseSpec("The file.", transcripts(_ZIP), _NAMED)},
        errors=(errors.UnknownFormat, errors.UnknownJob, errors.InvalidTransition),
    ),
    Operation(
        "get",
        "/jobs/{job_id}/recordings/{recording_id}/result",
        _GROUP,
        "recording_result",
        "Download one transcript",
        "",
        (JOB_ID, RECORDING_ID, format_parameter(), PARTIAL, RUN, *SESSIONS),
        answers={200: ResponseSpec("The file.", transcripts(), _NAMED)},
        errors=(
            errors.UnknownFormat,
            errors.UnknownJob,
            errors.UnknownRecording,
            errors.InvalidTransition,
            errors.JobCanceled,
            errors.JournalDamaged,
        ),
    ),
)
