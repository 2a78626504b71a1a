"""``POST /v1/audio/transcriptions`` and ``/v1/audio/translations``."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any, Literal

import msgspec

from hybrid_transcribe.core.languages import english_name
from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.compat import whisper
from hybrid_transcribe.rest.compat.openai.base_handler import OpenAIHandler
from hybrid_transcribe.rest.compat.openai.diarized import DiarizedTranscription, diarized
from hybrid_transcribe.rest.compat.openai.known_speakers import (
    MOST_SPEAKERS,
    limits_for_references,
    with_references,
)
from hybrid_transcribe.rest.compat.openai.parameters import (
    DIARIZED,
    FORMATS,
    GRANULARITIES,
    TranscriptionParameters,
    transcription_parameters,
)
from hybrid_transcribe.rest.compat.openai.stream import stream
from hybrid_transcribe.rest.compat.synchronous import (
    JOB_HEADER,
    WAITED_ERRORS,
    Synchronous,
    check_form,
)
from hybrid_transcribe.rest.openapi.operation import (
    FORM,
    JSON,
    SESSIONS,
    SSE,
    answer,
    body,
    operation,
)
from hybrid_transcribe.rest.openapi.options import FILE, form_options, object_of
from hybrid_transcribe.rest.openapi.schemas import TEXT, Schema, ref
from hybrid_transcribe.types import Transcript
from hybrid_transcribe.uploads.received import Received, UploadLimits

#: Writers of ours for the formats that are files.
_FILES = {"text": "txt", "srt": "srt", "vtt": "vtt"}

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


class Transcription(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A transcript as OpenAI writes it; all but the text in `verbose_json` only.

    Attributes:
        language: its English name; of a translation that of the text that comes out.
    """

    text: str
    task: Literal["transcribe", "translate"] | msgspec.UnsetType = msgspec.UNSET
    language: str | msgspec.UnsetType | None = msgspec.UNSET
    duration: float | msgspec.UnsetType = msgspec.UNSET
    words: tuple[whisper.WhisperWord, ...] | msgspec.UnsetType = msgspec.UNSET
    segments: tuple[whisper.WhisperSegment, ...] | msgspec.UnsetType = msgspec.UNSET
    usage: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET


def written(transcript: Transcript, required: TranscriptionParameters) -> tuple[bytes, str]:
    """The body and its type."""
    if required.format in _FILES:
        return WRITERS.make(_FILES[required.format]).write(transcript).encode(), _TEXT
    translated = required.run["task"] == "translate"
    usage = _usage(transcript, translated)
    if required.format == DIARIZED:
        return msgspec.json.encode(diarized(transcript, usage)), _JSON
    said = Transcription(text=transcript.text, usage=usage)
    if required.format == "verbose_json":
        said = _verbose(said, transcript, required.granularities, translated)
    return msgspec.json.encode(said), _JSON


def _verbose(
    said: Transcription, transcript: Transcript, granularities: frozenset[str], translated: bool
) -> Transcription:
    words = itertools.chain.from_iterable(whisper.words_of(transcript))
    return msgspec.structs.replace(
        said,
        task="translate" if translated else "transcribe",
        language="english" if translated else english_name(transcript.language),
        duration=transcript.duration_s or 0.0,
        words=tuple(msgspec.structs.replace(w, probability=msgspec.UNSET) for w in words)
        if "word" in granularities
        else msgspec.UNSET,
        segments=whisper.segments(transcript) if "segment" in granularities else msgspec.UNSET,
    )


def _usage(transcript: Transcript, translated: bool) -> dict[str, Any] | msgspec.UnsetType:
    if transcript.duration_s is None or translated:
        return msgspec.UNSET
    return {"type": "duration", "seconds": transcript.duration_s}


def _form() -> dict[str, Schema]:
    """OpenAI's fields, and every option of ours."""
    ours = form_options()
    granularity = {"type": "string", "enum": list(GRANULARITIES)}
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
            "type": "array",
            "items": granularity,
            "description": "What `verbose_json` tells the times of.",
        },
        "stream": {
            "type": "boolean",
            "description": "The text as it becomes final, as server-sent events (`json`, `text`, "
            "`diarized_json`: there who speaks comes at the end).",
        },
        "known_speaker_names[]": {
            "type": "array",
            "items": TEXT,
            "maxItems": MOST_SPEAKERS,
            "description": "People who are named where they speak.",
        },
        "known_speaker_references[]": {
            "type": "array",
            "items": {"type": "string", "pattern": "^data:"},
            "maxItems": MOST_SPEAKERS,
            "description": "Their voices, a few seconds each, in the same order, as data URLs.",
        },
        "session_id": {"type": "string", "description": "The session the job belongs to."},
    }
    return {**ours, **by_name}


_audio = partial(
    operation,
    about="What OpenAI's client libraries send, unmodified. It waits for the end of the job.",
    parameters=SESSIONS,
    body=body("One recording.", {FORM: object_of(_form(), "file", "model")}),
    answers={
        200: answer(
            "The text, in the form asked for.",
            {
                JSON: {"anyOf": [ref(Transcription), ref(DiarizedTranscription)]},
                "text/plain": TEXT,
                SSE: TEXT,
            },
            JOB_HEADER,
        )
    },
    errors=WAITED_ERRORS,
)


class Transcriptions(Synchronous, OpenAIHandler):
    """The text of a recording, in its own language."""

    paths = ("/v1/audio/transcriptions",)
    task = "transcribe"

    @_audio("openai_transcription", "Transcribe, as OpenAI's clients ask for it")
    async def post(self) -> None:
        """Answer when it is complete, or as it comes."""
        received = await self.received()
        required = self._parameters(received)
        received = await self._with_voices(received, required)
        job_id = await self.attend(received, required.run, required.session_id)
        if required.stream:
            await stream(self, job_id, speakers=required.format == DIARIZED)
            return
        payload, media_type = written(await self.ended(job_id), required)
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-store")
        self.finish(payload)

    def upload_limits(self) -> UploadLimits:
        """Voices are fields."""
        return limits_for_references(super().upload_limits())

    async def _with_voices(self, received: Received, required: TranscriptionParameters) -> Received:
        folder = self.rest.service.uploads_dir
        try:
            return await with_references(received, required.references, folder)
        except BaseException:
            received.discard()
            raise

    def _parameters(self, received: Received) -> TranscriptionParameters:
        try:
            check_form(received, self.file_field)
            return transcription_parameters(received.fields, self.task, self.rest.service.settings)
        except HybridTranscribeError:
            received.discard()
            raise


class Translations(Transcriptions):
    """The text of a recording, in English."""

    paths = ("/v1/audio/translations",)
    task = "translate"

    @_audio("openai_translation", "Translate into English, likewise")
    async def post(self) -> None:
        """The same."""
        await super().post()
