"""``POST /v1/audio/transcriptions`` and ``/v1/audio/translations``."""

from __future__ import annotations

from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.rest.compat.openai.answers import answer
from hybrid_transcribe.rest.compat.openai.door import OpenAIDoor
from hybrid_transcribe.rest.compat.openai.stream import stream
from hybrid_transcribe.rest.compat.openai.wishes import Wishes, wishes
from hybrid_transcribe.rest.compat.synchronous import Synchronous, check_form
from hybrid_transcribe.rest.uploads.received import Received


class Transcriptions(Synchronous, OpenAIDoor):
    """The text of a recording, in its own language."""

    task = "transcribe"

    async def post(self) -> None:
        """Answer when it is complete, or as it comes."""
        received = await self.received()
        wanted = self._wanted(received)
        job_id = await self.attend(received, wanted.how, wanted.session_id)
        if wanted.stream:
            await stream(self, job_id)
            return
        body, media_type = answer(await self.ended(job_id), wanted)
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-store")
        self.finish(body)

    def _wanted(self, received: Received) -> Wishes:
        try:
            check_form(received, self.file_field)
            return wishes(received.fields, self.task, self.rest.service.settings)
        except HybridTranscribeError:
            received.discard()
            raise


class Translations(Transcriptions):
    """The text of a recording, in English."""

    task = "translate"
