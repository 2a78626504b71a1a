"""Transcripts as files: one recording's, or a job's merged or zipped."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import Annotated
from urllib.parse import quote

import msgspec

from hybrid_transcribe import errors
from hybrid_transcribe.config import MIB
from hybrid_transcribe.core.names import file_stem
from hybrid_transcribe.errors import InvalidRequest, InvalidTransition, JobCanceled
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.outputs.bundle import bundle
from hybrid_transcribe.outputs.merged import merged_text
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.openapi.operation import JSON, SESSIONS, answer, operation
from hybrid_transcribe.rest.openapi.schemas import TEXT, ref
from hybrid_transcribe.rest.sending import send
from hybrid_transcribe.service_protocol import HostedService
from hybrid_transcribe.types import Rejection, State

#: What a job of several recordings can be had as, beside a zip of any format.
MERGED = "txt"

#: A zip beyond this size is built on disk.
IN_MEMORY_BYTES = 8 * MIB


def disposition(name: str) -> str:
    """``Content-Disposition`` for a download, as RFC 6266 has it: any name, for any client.

    >>> disposition('a "b".txt')
    'attachment; filename="a _b_.txt"; filename*=UTF-8\\'\\'a%20%22b%22.txt'
    """
    plain = "".join(c if " " <= c <= "~" and c not in '"%\\' else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def _one_of(names: Sequence[str]) -> msgspec.Meta:
    return msgspec.Meta(extra_json_schema={"enum": list(names)})


class _ResultQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which text is wanted.

    Attributes:
        partial: also while it is running: what is known so far.
    """

    partial: bool = False


class RecordingResultQuery(_ResultQuery, frozen=True, kw_only=True):
    """Which transcript of a recording.

    Attributes:
        format: the form of the result.
        run: the number of one transcription, where a recording was transcribed several times.
            Without it the latest complete one is given, also while a newer one is being made.
    """

    format: Annotated[str, _one_of(WRITERS.names())] = MERGED
    run: Annotated[int, msgspec.Meta(ge=0, le=999_999_999)] | None = None


class JobResultQuery(_ResultQuery, frozen=True, kw_only=True):
    """Which transcripts of a job.

    Attributes:
        format: the form of the result.
        inside: the form of the transcripts in a zip.
    """

    format: Annotated[str, _one_of((*WRITERS.names(), "zip"))] = MERGED
    inside: Annotated[str, _one_of(WRITERS.names())] = MERGED


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
            errors.InvalidTransition,
            errors.JobCanceled,
            errors.JournalDamaged,
        ),
    )
    async def get(self, job_id: str, recording_id: str) -> None:
        """In the format asked for."""
        query = self.query(RecordingResultQuery)
        writer = WRITERS.make(query.format)
        sessions = self.job_sessions
        transcript = await self.ask(
            lambda service: service.transcript(
                job_id, recording_id, partial=query.partial, run=query.run, session_ids=sessions
            )
        )
        name = f"{file_stem(transcript.name)}.{writer.extension}"
        _send(self, writer.write(transcript).encode(), writer.media_type, name)


class JobResultHandler(BaseHandler):
    """A job's transcripts as one file."""

    group, paths = "results", ("/jobs/{job_id}/result",)

    @operation(
        "job_result",
        "Download a job's transcripts",
        query=JobResultQuery,
        parameters=SESSIONS,
        answers={200: answer("The file.", {**_MEDIA, "application/zip": _BYTES}, _NAMED)},
        errors=(errors.UnknownFormat, errors.UnknownJob, errors.InvalidTransition),
    )
    async def get(self, job_id: str) -> None:
        """Of one recording, any form.

        Of several, their text one after the other (`txt`) or a `zip`, which says in `_errors.txt`
        what has no transcript and why.
        """
        query = self.query(JobResultQuery)
        sessions, partial, name = self.job_sessions, query.partial, query.format
        WRITERS.make(query.inside if name == "zip" else name)
        if name == "zip":
            await self._zip(job_id, query.inside, partial, sessions)
            return
        ids, missing = await self.ask(lambda service: planned(service, job_id, partial, sessions))
        single = len(ids) == 1 and not missing
        if not single and name != MERGED:
            raise InvalidRequest(
                f"format={name!r} holds one recording and the job has more: ask for zip, for "
                "txt, or for one recording"
            )
        service = self.rest.service

        def written() -> tuple[bytes, str, str]:
            """Body, media type and name. Not on a loop: there may be thousands."""
            items = [
                service.transcript(job_id, item, partial=partial, session_ids=sessions)
                for item in ids
            ]
            if not single:
                text = merged_text(items, missing).encode()
                return text, "text/plain", f"transcripts-{job_id[:8]}.txt"
            writer = WRITERS.make(name)
            label = f"{file_stem(items[0].name)}.{writer.extension}"
            return writer.write(items[0]).encode(), writer.media_type, label

        _send(self, *await asyncio.get_running_loop().run_in_executor(None, written))

    async def _zip(
        self, job_id: str, inside: str, partial: bool, sessions: tuple[str, ...] | None
    ) -> None:
        """Packed on disk, one transcript after the other: a job may have ten thousand."""
        ids, missing = await self.ask(lambda service: planned(service, job_id, partial, sessions))
        service = self.rest.service
        transcripts = (
            service.transcript(job_id, item, partial=partial, session_ids=sessions) for item in ids
        )
        with SpooledTemporaryFile(IN_MEMORY_BYTES) as packed:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, bundle, transcripts, missing, inside, packed)
            n_bytes = packed.tell()
            _describe(self, "application/zip", f"transcripts-{job_id[:8]}.zip")
            self.set_header("Content-Length", str(n_bytes))
            await send(self, packed, range(n_bytes))


def planned(
    service: HostedService, job_id: str, partial: bool, sessions: tuple[str, ...] | None
) -> tuple[list[str], list[Rejection]]:
    """A job's recordings with a transcript, in order, and what has none with the reason.

    Raises UnknownJob, and without ``partial`` InvalidTransition while one that has no complete
    text yet has not ended.
    """
    job = service.snapshot(job_id, session_ids=sessions)
    if not partial and not all(r.has_result or r.state.terminal for r in job.recordings):
        raise InvalidTransition(f"The job is {job.state}; wait, or ask with partial=true")
    ids, missing = [], list(job.rejected)
    for recording in job.recordings:
        if recording.has_result or (partial and recording.n_segments):
            ids.append(recording.recording_id)
        elif recording.error is not None:
            missing.append(Rejection(recording.name, recording.error))
        elif recording.state is State.CANCELED:
            missing.append(
                Rejection(recording.name, JobCanceled(UserMessage("it_was_canceled")).info())
            )
    return ids, missing


def _send(handler: BaseHandler, body: bytes, media_type: str, name: str) -> None:
    _describe(handler, media_type, name)
    handler.finish(body)


def _describe(handler: BaseHandler, media_type: str, name: str) -> None:
    handler.set_status(HTTPStatus.OK)
    charset = "; charset=utf-8" if media_type.startswith("text/") else ""
    handler.set_header("Content-Type", media_type + charset)
    handler.set_header("Content-Disposition", disposition(name))
    handler.set_header("X-Content-Type-Options", "nosniff")
    handler.set_header("Cache-Control", "no-store")
