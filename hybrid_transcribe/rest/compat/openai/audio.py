"""``POST /v1/audio/transcriptions`` and ``/v1/audio/translations``."""

from __future__ import annotations

from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.rest.compat.openai.answers import answer
from hybrid_transcribe.rest.compat.openai.base_handler import OpenAIHandler
from hybrid_transcribe.rest.compat.openai.parameters import (
    TranscriptionParameters,
    transcription_parameters,
)
from hybrid_transcribe.rest.compat.openai.stream import stream
from hybrid_transcribe.rest.compat.synchronous import Synchronous, check_form
from hybrid_transcribe.rest.uploads.received import Received


class Transcriptions(Synchronous, OpenAIHandler):
    """The text of a recording, in its own language."""

    task = "transcribe"

    async def post(self) -> None:
        """Answer when it is complete, or as it comes."""
        received = await self.received()
        required = self._parameters(received)
        job_id = await self.attend(received, required.run, required.session_id)
        if required.stream:
            await stream(self, job_id)
            return
        body, media_type = answer(await self.ended(job_id), required)
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-store")
        self.finish(body)

    def _parameters(self, received: Received) -> TranscriptionParameters:
        try:
            check_form(received, self.file_field)
            return transcription_parameters(received.fields, self.task, self.rest.service.settings)
        except HybridTranscribeError:
            received.discard()
            raise


class Translations(Transcriptions):
    """The text of a recording, in English."""

    task = "translate"
