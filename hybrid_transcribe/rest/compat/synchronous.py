"""One recording in, its transcript out: a request that waits for a job of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from hybrid_transcribe import errors
from hybrid_transcribe.errors import InvalidRequest, ServiceClosed, UnknownJob, UnsupportedMedia
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.compat.waiting import Awaited, content_of
from hybrid_transcribe.rest.jobs import SUBMIT_ERRORS
from hybrid_transcribe.rest.submission import SubmissionHandler
from hybrid_transcribe.rest.voices import without_voices
from hybrid_transcribe.service_protocol import HostedService
from hybrid_transcribe.types import Transcript
from hybrid_transcribe.uploads.received import Received, ReceivedFile

#: Tells OpenAI's clients whether to send the same again; others do not know it.
SHOULD_RETRY = "X-Should-Retry"

#: How bodies begin that are no recordings.
_NOT_MEDIA = {b"--": "a form", b"{": "JSON", b"[": "JSON"}
_START_BYTES = 64

#: How a zip begins.
_ZIP = b"PK\x03\x04"


#: What may be wrong with a recording or its transcription.
WAITED_ERRORS = (*SUBMIT_ERRORS, errors.JobCanceled, errors.EngineError, errors.UnknownJob)

JOB_HEADER = {"X-Job-Id": "The job behind it."}


class Synchronous(SubmissionHandler):
    """A door whose answer is a transcript. Subclasses have ``post`` and begin with `attend`."""

    #: The field that holds the recording.
    file_field = "file"

    _awaited: Awaited | None = None
    #: The client has hung up.
    _gone = False
    #: Headers of every answer from now on, errors too: those begin with none.
    _always: Mapping[str, str] = MappingProxyType({})

    def set_default_headers(self) -> None:
        """Called by Tornado for every answer."""
        super().set_default_headers()
        for name, value in self._always.items():
            self.set_header(name, value)

    def _tell(self, name: str, value: str) -> None:
        self._always = {**self._always, name: value}
        self.set_header(name, value)

    # ------------------------------------------------------------------------------ the job

    async def attend(
        self, received: Received, options: Mapping[str, Any], session_id: str | None = None
    ) -> str:
        """The id of the job for what was sent: a new one, or the one it has already.

        ``options`` are keyword arguments of `Service.submit`. Raises what that raises.
        """
        try:
            one_recording(received, self.file_field)
            session = session_id or self.named_session
            awaited, is_new = await self._join(received, options, session)
        except BaseException:
            received.discard()
            raise
        if is_new:
            await self._make(awaited, received, options, session)
        else:
            received.discard()
        job_id = await asyncio.shield(asyncio.wrap_future(awaited.job_created))
        self._tell("X-Job-Id", job_id)
        return job_id

    async def _join(
        self, received: Received, options: Mapping[str, Any], session: str | None
    ) -> tuple[Awaited, bool]:
        # Which file is a recording and which whose voice.
        named = [upload.field for upload in received.uploads if upload.field != self.file_field]
        fields = {**options, "session": session, "address": self.request.path, "files": named}
        paths = [upload.path for upload in received.uploads]
        content = await asyncio.get_running_loop().run_in_executor(None, content_of, paths, fields)
        headers, rest = self.request.headers, self.rest
        awaited, is_new = await self.on_loop(
            lambda: rest.waiting.join(
                content,
                headers.get("Idempotency-Key", ""),
                again=_sent_before(headers.get("X-Stainless-Retry-Count", "")),
                named=session is not None,
            )
        )
        self._awaited = awaited
        if self._gone:
            self._go(answered=False)
        return awaited, is_new

    async def _make(
        self,
        awaited: Awaited,
        received: Received,
        options: Mapping[str, Any],
        session: str | None,
    ) -> None:
        waiting = self.rest.waiting
        owner = session or self.rest.service.new_session()
        try:
            job = await self.submit(received.uploads, owner, options)
        except BaseException as error:
            received.discard()
            # Kept: in an except clause the name goes with it.
            why = error
            await self.on_loop(lambda: waiting.failed(awaited, why))
            raise
        await self.on_loop(lambda: waiting.job_created(awaited, job))

    async def ended(self, job_id: str) -> Transcript:
        """The job's one transcript, when it is complete. Raises why there is none."""
        try:
            await self.rest.service.wait_async(job_id)
            return await self.ask(lambda service: _transcript(service, job_id))
        except UnknownJob:
            # Erased, by its owner or as the service closes.
            if self.rest.waiting.closed:
                raise ServiceClosed(UserMessage("service_closed")) from None
            raise
        except ServiceClosed:
            raise
        except Exception:
            # It was tried as often as makes sense.
            self._tell(SHOULD_RETRY, "false")
            raise

    # --------------------------------------------------------------------------- the client

    def _go(self, *, answered: bool) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            waiting = self.rest.waiting
            with suppress(ServiceClosed):
                self.rest.service.on_loop(lambda: waiting.leave(awaited, answered=answered))

    def on_finish(self) -> None:
        """It has its answer, or what we could give it."""
        self._go(answered=not self._gone)
        super().on_finish()

    def on_connection_close(self) -> None:
        """It has hung up."""
        self._gone = True
        self._go(answered=False)
        super().on_connection_close()


def check_form(received: Received, field: str) -> None:
    """Raise InvalidRequest for what is no form with a recording, in words that say what is."""
    if received.json is not None:
        raise InvalidRequest(UserMessage("body_is_json", field=field))
    if not received.uploads and field in received.fields:
        raise InvalidRequest(UserMessage("field_is_text", field=field))
    for upload in received.uploads:
        if not upload.field:
            _check_raw(upload, field)


def _check_raw(upload: ReceivedFile, field: str) -> None:
    """A body without a type is a recording, unless it plainly is something else."""
    with upload.path.open("rb") as file:
        start = file.read(_START_BYTES).lstrip()
    kind = next((kind for sign, kind in _NOT_MEDIA.items() if start.startswith(sign)), "")
    if kind:
        raise InvalidRequest(UserMessage("body_untyped", kind=kind, field=field))


def one_recording(received: Received, field: str) -> ReceivedFile:
    """The recording that was sent. Raises InvalidRequest, UnsupportedMedia."""
    check_form(received, field)
    recordings, _ = without_voices(received.uploads)
    if len(recordings) != 1:
        raise InvalidRequest(UserMessage("one_recording", n=len(recordings), field=field))
    (upload,) = recordings
    with upload.path.open("rb") as file:
        if file.read(len(_ZIP)) == _ZIP:
            raise UnsupportedMedia(UserMessage("no_zip_here", name=upload.display_name))
    return upload


def _transcript(service: HostedService, job_id: str) -> Transcript:
    (recording,) = service.snapshot(job_id).recordings
    return service.transcript(job_id, recording.recording_id)


def _sent_before(count: str) -> bool:
    """OpenAI's clients number their attempts from 0."""
    return count.isdecimal() and count.strip("0") != ""
