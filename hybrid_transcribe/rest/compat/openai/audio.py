"""``POST /v1/audio/transcriptions`` and ``/v1/audio/translations``."""

from __future__ import annotations

from functools import partial

from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.rest.compat.openai.answers import Transcription, written
from hybrid_transcribe.rest.compat.openai.base_handler import OpenAIHandler
from hybrid_transcribe.rest.compat.openai.parameters import (
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
from hybrid_transcribe.uploads.received import Received


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
            "description": "The text as it becomes final, as server-sent events (`json`, `text`).",
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
            {JSON: ref(Transcription), "text/plain": TEXT, SSE: TEXT},
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
        job_id = await self.attend(received, required.run, required.session_id)
        if required.stream:
            await stream(self, job_id)
            return
        payload, media_type = written(await self.ended(job_id), required)
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-store")
        self.finish(payload)

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
