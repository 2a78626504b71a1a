"""What clients of others send: OpenAI's libraries, and those of whisper-asr-webservice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hybrid_transcribe import errors
from hybrid_transcribe.rest.compat.asr import OUTPUTS
from hybrid_transcribe.rest.compat.openai.base_handler import openai_status
from hybrid_transcribe.rest.compat.openai.parameters import FORMATS
from hybrid_transcribe.rest.openapi.jobs import SUBMIT_ERRORS
from hybrid_transcribe.rest.openapi.operation import (
    TEXT,
    BodySpec,
    Error,
    MediaSpec,
    Operation,
    ParameterSpec,
    ResponseSpec,
)
from hybrid_transcribe.rest.openapi.options import FILE, form_options, json_options
from hybrid_transcribe.rest.openapi.parts import FORM, JSON, SESSIONS, SSE
from hybrid_transcribe.rest.openapi.schemas import Schema
from hybrid_transcribe.types import TASKS

_OPENAI, _ASR = "OpenAI", "whisper-asr-webservice"

_NUMBER: Schema = {"type": "number"}
_BOOLEAN: Schema = {"type": "boolean"}


def _object(required: Mapping[str, Schema], more: Mapping[str, Schema] | None = None) -> Schema:
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **(more or {})},
    }


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_OPENAI_ERROR: Mapping[str, MediaSpec] = {
    JSON: MediaSpec(
        _object(
            {
                "error": _object(
                    {
                        "message": TEXT,
                        "type": TEXT,
                        "param": {"type": ["string", "null"]},
                        "code": {"type": ["string", "null"]},
                    }
                )
            }
        )
    )
}

_SEGMENT = _object(
    {
        "id": {"type": "integer"},
        "seek": {"type": "integer"},
        "start": _NUMBER,
        "end": _NUMBER,
        "text": TEXT,
        "tokens": _list({"type": "integer"}),
        "temperature": _NUMBER,
        "avg_logprob": _NUMBER,
        "compression_ratio": _NUMBER,
        "no_speech_prob": _NUMBER,
    }
)
_WORD = _object({"word": TEXT, "start": _NUMBER, "end": _NUMBER})
_TRANSCRIPTION = _object(
    {"text": TEXT},
    {
        "task": {"type": "string", "enum": ["transcribe", "translate"]},
        "language": {"type": "string", "description": "Its English name; `verbose_json` only."},
        "duration": _NUMBER,
        "words": _list(_WORD),
        "segments": _list(_SEGMENT),
        "usage": {"type": "object"},
    },
)
_MODEL = _object(
    {
        "id": TEXT,
        "object": {"type": "string", "const": "model"},
        "created": {"type": "integer"},
        "owned_by": TEXT,
    }
)

_WAITED: tuple[Error, ...] = (
    *SUBMIT_ERRORS,
    errors.JobCanceled,
    errors.EngineError,
    errors.UnknownJob,
)

_JOB_HEADER = {"X-Job-Id": "The job behind it."}


def _form() -> dict[str, Schema]:
    """OpenAI's fields, and every option of ours."""
    ours = form_options()
    by_name: dict[str, Schema] = {
        "file": {**FILE, "description": "One recording."},
        "model": {
            "type": "string",
            "minLength": 1,
            "pattern": r"\S",
            "description": "`whisper-1` stands for the server's default; see `/v1/models`.",
        },
        "language": ours["language"],
        "prompt": ours["initial_prompt"],
        "response_format": {
            "type": "string",
            "enum": list(FORMATS),
            "description": "The form of the answer; `json` where it is left out.",
        },
        "temperature": {"type": "number", "minimum": 0, "maximum": 1},
        "timestamp_granularities[]": {
            **_list({"type": "string", "enum": ["segment", "word"]}),
            "description": "What `verbose_json` tells the times of.",
        },
        "stream": {
            **_BOOLEAN,
            "description": "The text as it becomes final, as server-sent events (`json`, `text`).",
        },
        "session_id": {"type": "string", "description": "The session the job belongs to."},
    }
    return {**by_name, **{name: field for name, field in ours.items() if name not in by_name}}


def _openai_status(error: Error) -> int:
    # It goes by the class alone.
    return int(openai_status(error.__new__(error)))


def _openai(**run_options: Any) -> Operation:
    return Operation(group=_OPENAI, fails_as=_OPENAI_ERROR, status=_openai_status, **run_options)


def _audio(task: str, name: str, summary: str) -> Operation:
    return _openai(
        method="post",
        path=f"/v1/audio/{task}",
        name=name,
        summary=summary,
        about="What OpenAI's client libraries send, unmodified. It waits for the end of the job.",
        parameters=SESSIONS,
        body=BodySpec(
            "One recording.",
            {FORM: MediaSpec({**_object({}, _form()), "required": ["file", "model"]})},
        ),
        answers={
            200: ResponseSpec(
                "The text, in the form asked for.",
                {
                    JSON: MediaSpec(_TRANSCRIPTION),
                    "text/plain": MediaSpec(TEXT),
                    SSE: MediaSpec(TEXT),
                },
                _JOB_HEADER,
            )
        },
        errors=_WAITED,
    )


_AUDIO_FILE = BodySpec(
    "One recording.",
    {FORM: MediaSpec(_object({"audio_file": {**FILE, "description": "One recording."}}))},
)
_ENCODE = ParameterSpec("encode", "query", "Changes nothing: it is always decoded.", _BOOLEAN)


def _asr_option(name: str) -> ParameterSpec:
    schema = dict(json_options()[name])
    about = schema.pop("description")
    kinds = [item for item in schema.get("anyOf", [schema]) if item.get("type") != "null"]
    plain = {key: kinds[0][key] for key in ("type", "enum") if key in kinds[0]}
    return ParameterSpec(name, "query", about, plain)


OPERATIONS: tuple[Operation, ...] = (
    _audio("transcriptions", "openai_transcription", "Transcribe, as OpenAI's clients ask for it"),
    _audio("translations", "openai_translation", "Translate into English, likewise"),
    _openai(
        method="get",
        path="/v1/models",
        name="openai_models",
        summary="List the models, likewise",
        answers={
            200: ResponseSpec(
                "Every name that can be used here now.",
                {
                    JSON: MediaSpec(
                        _object(
                            {"object": {"type": "string", "const": "list"}, "data": _list(_MODEL)}
                        )
                    )
                },
            )
        },
    ),
    _openai(
        method="get",
        path="/v1/models/{model}",
        name="openai_model",
        summary="Look at a model, likewise",
        parameters=(ParameterSpec("model", "path", "Its name, which may have slashes in it."),),
        answers={200: ResponseSpec("The model.", {JSON: MediaSpec(_MODEL)})},
        errors=(errors.UnknownModel,),
    ),
    Operation(
        "post",
        "/asr",
        _ASR,
        "asr",
        "Transcribe, as clients of whisper-asr-webservice ask for it",
        "It waits for the end of the job.",
        (
            ParameterSpec(
                "output",
                "query",
                "The form of the answer; `txt` where it is left out.",
                {"type": "string", "enum": list(OUTPUTS)},
            ),
            ParameterSpec(
                "task", "query", "Translate into English?", {"type": "string", "enum": list(TASKS)}
            ),
            *(
                _asr_option(name)
                for name in (
                    *("language", "initial_prompt", "word_timestamps", "vad_filter", "diarize"),
                )
            ),
            _ENCODE,
            *SESSIONS,
        ),
        _AUDIO_FILE,
        {
            200: ResponseSpec(
                "The text, in the form asked for.",
                {
                    "text/plain": MediaSpec(TEXT),
                    JSON: MediaSpec(
                        _object(
                            {
                                "text": TEXT,
                                "segments": _list(_SEGMENT),
                                "language": {"type": ["string", "null"]},
                            }
                        )
                    ),
                },
                {**_JOB_HEADER, "Asr-Engine": "The engine.", "Content-Disposition": "Its name."},
            )
        },
        (*_WAITED, errors.UnknownFormat),
    ),
    Operation(
        "post",
        "/detect-language",
        _ASR,
        "detect_language",
        "Which language is spoken at the beginning?",
        "",
        (_ENCODE, *SESSIONS),
        _AUDIO_FILE,
        {
            200: ResponseSpec(
                "The language.",
                {
                    JSON: MediaSpec(
                        _object(
                            {
                                "detected_language": {"type": ["string", "null"]},
                                "language_code": TEXT,
                                "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                            }
                        )
                    )
                },
                _JOB_HEADER,
            )
        },
        _WAITED,
    ),
)
