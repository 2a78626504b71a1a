"""Files for people: transcripts, merged or zipped, and a recording's own bytes from any second."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import IO, Annotated
from urllib.parse import quote

import msgspec
from tornado.iostream import StreamClosedError

from hybrid_transcribe import errors
from hybrid_transcribe.audio.source_audio import Original
from hybrid_transcribe.outputs.download import (
    MERGED,
    Download,
    check_format,
    download_of,
    download_of_job,
)
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.openapi.operation import (
    JSON,
    SAME,
    SESSIONS,
    answer,
    operation,
    parameter,
)
from hybrid_transcribe.rest.openapi.options import FILE
from hybrid_transcribe.rest.openapi.schemas import TEXT, ref
from hybrid_transcribe.types import Transcript

#: Read and sent at once: this much memory for each client.
CHUNK_BYTES = 256 * 1024

#: Longest wait for a client that takes no more; a player that was paused asks anew.
STALL_S = 60.0


async def send(door: BaseHandler, file: IO[bytes], required: range) -> None:
    """Send these bytes of a file; the headers, with their number, are set already.

    A client that goes or sleeps, and a file that became shorter, end the connection. Of HEAD
    nothing is read.
    """
    if door.request.method == "HEAD":
        return
    loop = asyncio.get_running_loop()
    try:
        for start in range(required.start, required.stop, CHUNK_BYTES):
            count = min(CHUNK_BYTES, required.stop - start)
            # A disk may take seconds.
            chunk = await loop.run_in_executor(None, _read, file, start, count)
            if len(chunk) < count:
                raise StreamClosedError
            door.write(chunk)
            # Who takes it slowly is read for slowly.
            await asyncio.wait_for(door.flush(), STALL_S)
    except (StreamClosedError, asyncio.TimeoutError):
        door.detach().close()


def _read(file: IO[bytes], start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)


_ONE = re.compile(r"\s*bytes\s*=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII | re.IGNORECASE)


class NotInFile(Exception):
    """The part lies behind the end."""


def part(header: str | None, n_bytes: int) -> range | None:
    """Which bytes are asked for; None for all of them.

    What is no range, and several at once, count as not asked. Raises NotInFile.

    >>> part("bytes=2-", 10), part("bytes=-3", 10), part("bytes=0-99", 10)
    (range(2, 10), range(7, 10), range(0, 10))
    >>> part("bytes=0-1,4-5", 10), part("lines=1-2", 10), part("bytes=5-4", 10)
    (None, None, None)
    """
    match = _ONE.fullmatch(header or "")
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        required = range(max(0, n_bytes - int(match[2])), n_bytes)
    else:
        first, last = int(match[1]), int(match[2] or n_bytes)
        if match[2] and last < first:
            return None
        required = range(first, min(last + 1, n_bytes))
    if not required:
        raise NotInFile
    return required


def disposition(name: str) -> str:
    """``Content-Disposition`` for a download, as RFC 6266 has it: any name, for any client.

    >>> disposition('a "b".txt')
    'attachment; filename="a _b_.txt"; filename*=UTF-8\\'\\'a%20%22b%22.txt'
    """
    plain = "".join(c if " " <= c <= "~" and c not in '"%\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _one_of(names: Sequence[str]) -> msgspec.Meta:
    return msgspec.Meta(extra_json_schema={"enum": list(names)})


#: The number of a run or revision in an address.
Number = Annotated[int, msgspec.Meta(ge=0, le=999_999_999)]


class ResultQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which text is wanted.

    Attributes:
        partial: also while it is running: what is known so far.
    """

    partial: bool = False


class RecordingResultQuery(ResultQuery, frozen=True, kw_only=True):
    """Which transcript of a recording.

    Attributes:
        format: the form of the result.
        run: the number of one transcription, where a recording was transcribed several times: its
            text as the engine wrote it.
        revision: the number of a revision of the text. Without it and without a run the current
            one is given, also while a newer one is being made.
    """

    format: Annotated[str, _one_of(WRITERS.names())] = MERGED
    run: Number | None = None
    revision: Number | None = None


class JobResultQuery(ResultQuery, frozen=True, kw_only=True):
    """Which transcripts of a job.

    Attributes:
        format: the form of the result.
        inside: the form of the transcripts in a zip.
        revision: the number of a revision, which every recording must have; without it the current
            text of each is given.
    """

    format: Annotated[str, _one_of((*WRITERS.names(), "zip"))] = MERGED
    inside: Annotated[str, _one_of(WRITERS.names())] = MERGED
    revision: Number | None = None


#: What transcripts come as.
_MEDIA = {
    **{WRITERS.make(name).media_type: TEXT for name in WRITERS.names()},
    JSON: ref("Transcript"),
}
_BYTES = {"type": "string", "format": "binary"}
_NAMED = {"Content-Disposition": "The file's name."}


class RecordingResultHandler(BaseHandler):
    """One transcript as a file."""

    group, paths = "results", ("/jobs/{job_id}/recordings/{recording_id}/result",)

    @operation(
        "recording_result",
        "Download one transcript",
        query=RecordingResultQuery,
        parameters=SESSIONS,
        answers={200: answer("The file.", _MEDIA, _NAMED)},
        errors=(
            errors.UnknownFormat,
            errors.UnknownJob,
            errors.UnknownRecording,
            errors.UnknownRevision,
            errors.InvalidTransition,
            errors.JobCanceled,
            errors.JournalDamaged,
        ),
    )
    async def get(self, job_id: str, recording_id: str) -> None:
        """In the format asked for."""
        query = self.query(RecordingResultQuery)
        WRITERS.get(query.format)
        sessions = self.job_sessions
        transcript = await self.ask(
            lambda service: service.transcript(
                job_id,
                recording_id,
                partial=query.partial,
                run=query.run,
                revision=query.revision,
                session_ids=sessions,
            )
        )
        await _send(self, download_of(transcript, query.format))


class JobResultHandler(BaseHandler):
    """A job's transcripts as one file."""

    group, paths = "results", ("/jobs/{job_id}/result",)

    @operation(
        "job_result",
        "Download a job's transcripts",
        query=JobResultQuery,
        parameters=SESSIONS,
        answers={200: answer("The file.", {**_MEDIA, "application/zip": _BYTES}, _NAMED)},
        errors=(
            errors.UnknownFormat,
            errors.UnknownJob,
            errors.UnknownRevision,
            errors.InvalidTransition,
        ),
    )
    async def get(self, job_id: str) -> None:
        """Of one recording, any form.

        Of several, their text one after the other (`txt`) or a `zip`, which says in `_errors.txt`
        what has no transcript and why.
        """
        query, sessions = self.query(JobResultQuery), self.job_sessions
        check_format(query.format, query.inside)
        job = await self.ask(lambda service: service.snapshot(job_id, session_ids=sessions))
        service = self.rest.service

        def transcript(recording_id: str) -> Transcript:
            return service.transcript(
                job_id,
                recording_id,
                partial=query.partial,
                revision=query.revision,
                session_ids=sessions,
            )

        make = partial(
            download_of_job, job, transcript, query.format, query.inside, partial=query.partial
        )
        file = await asyncio.get_running_loop().run_in_executor(None, make)
        with file.file:
            await _send(self, file)


async def _send(handler: BaseHandler, file: Download) -> None:
    charset = "; charset=utf-8" if file.media_type.startswith("text/") else ""
    handler.set_status(HTTPStatus.OK)
    handler.set_header("Content-Type", file.media_type + charset)
    handler.set_header("Content-Disposition", disposition(file.name))
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Cache-Control", "no-store")
    if file.media_type != "application/zip":
        handler.finish(file.file.read())
        return
    handler.set_header("Content-Length", str(file.size_bytes))
    await send(handler, file.file, range(file.size_bytes))


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
            required = part(self._range(etag), opened.n_bytes)
        except NotInFile:
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
