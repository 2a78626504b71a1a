"""What the OpenAI audio API returns, as far as the service speaks it.

Facts of the published reference (version 2.3, 2026), written down as JSON Schema. They are
stricter than that document in one point: no response may hold a field that clients do not know.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}


def _object(required: dict[str, Schema], **optional: Schema) -> Schema:
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


_LOG_PROBABILITY = _object({}, token=STRING, logprob=NUMBER, bytes=_array(INTEGER))
_DURATION = _object({"type": {"const": "duration"}, "seconds": NUMBER})
_TOKENS = _object(
    {
        "type": {"const": "tokens"},
        "input_tokens": INTEGER,
        "output_tokens": INTEGER,
        "total_tokens": INTEGER,
    }
)
_WORD = _object({"word": STRING, "start": NUMBER, "end": NUMBER})
_SEGMENT = _object(
    {
        "id": INTEGER,
        "seek": INTEGER,
        "start": NUMBER,
        "end": NUMBER,
        "text": STRING,
        "tokens": _array(INTEGER),
        "temperature": NUMBER,
        "avg_logprob": NUMBER,
        "compression_ratio": NUMBER,
        "no_speech_prob": NUMBER,
    }
)
_DIARIZED_SEGMENT = _object(
    {
        "type": {"const": "transcript.text.segment"},
        "id": STRING,
        "start": NUMBER,
        "end": NUMBER,
        "text": STRING,
        "speaker": STRING,
    }
)
_MODEL = _object(
    {"id": STRING, "object": {"const": "model"}, "created": INTEGER, "owned_by": STRING},
    shutdown_date=TEXT_OR_NULL,
)
_ERROR = _object({"type": STRING, "message": STRING, "param": TEXT_OR_NULL, "code": TEXT_OR_NULL})

SCHEMAS: dict[str, Schema] = {
    # POST /v1/audio/transcriptions, response_format=json
    "CreateTranscriptionResponseJson": _object(
        {"text": STRING},
        logprobs=_array(_LOG_PROBABILITY),
        usage={"oneOf": [_DURATION, _TOKENS]},
    ),
    # response_format=verbose_json
    "CreateTranscriptionResponseVerboseJson": _object(
        {"language": STRING, "duration": NUMBER, "text": STRING},
        words=_array(_WORD),
        segments=_array(_SEGMENT),
        usage=_DURATION,
        task=STRING,
    ),
    # response_format=diarized_json
    "CreateTranscriptionResponseDiarizedJson": _object(
        {
            "task": {"const": "transcribe"},
            "duration": NUMBER,
            "text": STRING,
            "segments": _array(_DIARIZED_SEGMENT),
        },
        usage={"oneOf": [_DURATION, _TOKENS]},
    ),
    # stream=true: one event
    "CreateTranscriptionResponseStreamEvent": {
        "oneOf": [
            _object(
                {"type": {"const": "transcript.text.delta"}, "delta": STRING},
                logprobs=_array(_LOG_PROBABILITY),
                segment_id=STRING,
            ),
            _object(
                {"type": {"const": "transcript.text.done"}, "text": STRING},
                logprobs=_array(_LOG_PROBABILITY),
                usage={"oneOf": [_DURATION, _TOKENS]},
            ),
            _DIARIZED_SEGMENT,
        ]
    },
    # GET /v1/models and /v1/models/{model}
    "ListModelsResponse": _object({"object": {"const": "list"}, "data": _array(_MODEL)}),
    "Model": _MODEL,
    # Any 4xx or 5xx
    "ErrorResponse": _object({"error": _ERROR}),
}
