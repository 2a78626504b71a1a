"""A recording's own bytes, to be listened to: from any second on, without reading the rest."""

from __future__ import annotations

from http import HTTPStatus

from hybrid_transcribe import errors
from hybrid_transcribe.audio.source_audio import Original
from hybrid_transcribe.rest import ranges
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.openapi.operation import SAME, SESSIONS, answer, operation, parameter
from hybrid_transcribe.rest.openapi.options import FILE
from hybrid_transcribe.rest.results import disposition
from hybrid_transcribe.rest.sending import send

#: Whatever the bytes are: no script of theirs runs, and nothing is fetched for them.
POLICY = "sandbox; default-src 'none'; media-src 'self'"


class AudioHandler(BaseHandler):
    """A recording's own bytes: all of them, or the part that ``Range`` names."""

    group, paths = "results", ("/jobs/{job_id}/recordings/{recording_id}/audio",)

    @operation(
        "audio",
        "Listen to a recording",
        parameters=(
            *SESSIONS,
            parameter("Range", "header", "The part to send, as `bytes=0-65535`."),
            parameter("If-Range", "header", "The `ETag` that the part must be of."),
        ),
        answers={
            200: answer("All of it.", {"*/*": FILE}, {"ETag": "Of this very file."}),
            206: answer("The part.", {"*/*": FILE}, {"Content-Range": "Which part it is."}),
            304: SAME,
            416: answer("The file has no such part.", headers={"Content-Range": "Its length."}),
        },
        errors=(errors.UnknownJob, errors.UnknownRecording, errors.NotFound),
    )
    async def get(self, job_id: str, recording_id: str) -> None:
        """Its own bytes, from any place on, for players."""
        sessions = self.job_sessions
        opened = await self.ask_at_length(
            lambda service: service.open_audio(job_id, recording_id, session_ids=sessions)
        )
        try:
            etag = opened.etag
            self._describe(opened, etag)
            if self.check_etag_header():
                self.set_status(HTTPStatus.NOT_MODIFIED)
                return
            await self._send(opened, etag)
        finally:
            opened.close()

    def _describe(self, opened: Original, etag: str) -> None:
        self.set_header("Content-Type", opened.media_type)
        self.set_header(
            "Content-Disposition", disposition(opened.name).replace("attachment", "inline", 1)
        )
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Cache-Control", "private, no-cache")
        self.set_header("Accept-Ranges", "bytes")
        self.set_header("Etag", etag)

    async def _send(self, opened: Original, etag: str) -> None:
        try:
            required = ranges.part(self._range(etag), opened.n_bytes)
        except ranges.NotInFile:
            self.set_status(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            self.set_header("Content-Range", f"bytes */{opened.n_bytes}")
            self.set_header("Content-Length", "0")
            return
        if required is None:
            required = range(opened.n_bytes)
        else:
            self.set_status(HTTPStatus.PARTIAL_CONTENT)
            text = f"bytes {required.start}-{required.stop - 1}/{opened.n_bytes}"
            self.set_header("Content-Range", text)
        self.set_header("Content-Length", str(len(required)))
        await send(self, opened.file, required)

    def _range(self, etag: str) -> str | None:
        """Of another version of the file no part is sent, but all of it."""
        condition = self.request.headers.get("If-Range")
        return self.request.headers.get("Range") if condition in (None, etag) else None
