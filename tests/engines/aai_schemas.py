"""What AssemblyAI's REST service accepts and returns, as far as the engine uses it.

Facts of the service's published reference (version 1.3, 2026), written down as JSON Schema.
A request may hold no other field than those that the engine sends; a response may hold more.
"""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

STRING: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
URL: Schema = {"type": "string", "pattern": r"^https?://"}
URL_OR_NULL: Schema = {"anyOf": [URL, {"type": "null"}]}
IDENTIFIER: Schema = {"type": "string", "format": "uuid"}
FLAG: Schema = {"type": "boolean"}
MILLISECONDS: Schema = {"type": "integer", "minimum": 0}
PROBABILITY: Schema = {"type": "number", "minimum": 0, "maximum": 1}
PROBABILITY_OR_NULL: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 1}
STATUS: Schema = {"enum": ["queued", "processing", "completed", "error"]}
MODEL_NAMES: Schema = {"type": "array", "items": STRING, "minItems": 1}
#: Local time without a zone.
TIMESTAMP: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?$"}


def _object(required: dict[str, Schema], optional: dict[str, Schema], more: bool) -> Schema:
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **optional},
        "additionalProperties": more,
    }


_WORD = _object(
    {"text": STRING, "start": MILLISECONDS, "end": MILLISECONDS, "confidence": PROBABILITY},
    {"speaker": TEXT_OR_NULL, "channel": TEXT_OR_NULL},
    more=False,
)
_UTTERANCE = _object(
    {
        "text": STRING,
        "start": MILLISECONDS,
        "end": MILLISECONDS,
        "confidence": PROBABILITY,
        "speaker": STRING,
        "words": {"type": "array", "items": _WORD},
    },
    {"channel": TEXT_OR_NULL},
    more=False,
)
_LIST_ITEM = _object(
    {
        "id": IDENTIFIER,
        "resource_url": URL,
        "status": STATUS,
        "created": TIMESTAMP,
        "completed": {"anyOf": [TIMESTAMP, {"type": "null"}]},
        "audio_url": URL,
        "error": TEXT_OR_NULL,
    },
    {},
    more=False,
)
_PAGE = _object(
    {
        "limit": {"type": "integer"},
        "result_count": {"type": "integer"},
        "current_url": URL,
        "prev_url": URL_OR_NULL,
        "next_url": URL_OR_NULL,
    },
    {},
    more=False,
)

SCHEMAS: dict[str, Schema] = {
    # POST /v2/transcript
    "TranscriptParams": _object(
        {"audio_url": URL, "speech_models": MODEL_NAMES},
        {
            "language_code": STRING,
            "language_detection": FLAG,
            "speaker_labels": FLAG,
            "speakers_expected": {"type": "integer", "minimum": 1},
            "speaker_options": _object(
                {},
                {
                    "min_speakers_expected": {"type": "integer", "minimum": 1},
                    "max_speakers_expected": {"type": "integer", "minimum": 1},
                },
                more=False,
            ),
            "keyterms_prompt": {"type": "array", "items": STRING, "maxItems": 1000},
        },
        more=False,
    ),
    # Its response, and that of GET and DELETE /v2/transcript/{id}
    "Transcript": _object(
        {
            "id": IDENTIFIER,
            "status": STATUS,
            "audio_url": URL,
            "language_model": STRING,
            "acoustic_model": STRING,
            "speech_model": TEXT_OR_NULL,
            "webhook_auth": FLAG,
            "auto_highlights": FLAG,
            "redact_pii": FLAG,
            "summarization": FLAG,
            "language_confidence": PROBABILITY_OR_NULL,
            "language_confidence_threshold": PROBABILITY_OR_NULL,
        },
        {
            "text": TEXT_OR_NULL,
            "words": {"type": ["array", "null"], "items": _WORD},
            "utterances": {"type": ["array", "null"], "items": _UTTERANCE},
            "confidence": PROBABILITY_OR_NULL,
            "audio_duration": {"type": ["integer", "null"]},
            "language_code": STRING,
            "language_detection": {"type": ["boolean", "null"]},
            "speech_models": {"type": ["array", "null"], "items": STRING},
            "error": STRING,
        },
        more=True,
    ),
    # POST /v2/upload
    "UploadedFile": _object({"upload_url": URL}, {}, more=False),
    # GET /v2/transcript
    "TranscriptList": _object(
        {"page_details": _PAGE, "transcripts": {"type": "array", "items": _LIST_ITEM}},
        {},
        more=False,
    ),
    # Any 4xx or 5xx
    "Error": _object({"error": STRING}, {"status": {"const": "error"}}, more=True),
}
