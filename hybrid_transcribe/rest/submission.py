"""What makes a submission: its fields and its recordings."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.jobs.option_text import parse
from hybrid_transcribe.jobs.request import OPTION_NAMES
from hybrid_transcribe.jobs.speaker_options import refuse_paths
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.decoding import decode_fields
from hybrid_transcribe.rest.openapi.options import RefineFields, RunFields, SubmissionFields
from hybrid_transcribe.rest.tus.handlers import shelf_of
from hybrid_transcribe.rest.uploads.streaming import StreamingBody
from hybrid_transcribe.rest.voices import VOICES, without_voices
from hybrid_transcribe.uploads.files import stored_name
from hybrid_transcribe.uploads.received import Received, ReceivedFile, UploadLimits
from hybrid_transcribe.uploads.store import PartialUpload, UploadStore, link

#: Options that are values; known voices are files, see `rest.voices`.
_VALUES = tuple(name for name in OPTION_NAMES if name != VOICES)

#: Fields of a form that are JSON.
_JSON_FIELDS = ("options", VOICES)

#: Fields of a form that may come several times; ids of uploads with commas as well.
_LISTS = ("upload_ids", "source_url")


class SubmissionHandler(StreamingBody, BaseHandler):
    """A handler whose requests bring recordings for a job."""

    streams = True

    async def prepare(self) -> None:  # type: ignore[override]
        """Who may not come in uploads nothing."""
        BaseHandler.prepare(self)
        if self.request.method in ("POST", "PUT"):
            service = self.rest.service
            await self.receive_begin(service.uploads_dir, self.upload_limits())

    def upload_limits(self) -> UploadLimits:
        """What a request may bring."""
        return UploadLimits.of(self.rest.service.settings)

    async def submit(
        self, uploads: Sequence[ReceivedFile], session_id: str, options: Mapping[str, Any]
    ) -> Job:
        """A new job of these files, which then are its own. Raises what `Service.submit` does."""
        recordings, voices = without_voices(uploads)
        if not recordings:
            raise InvalidRequest(UserMessage("request_empty"))
        files = [Uploaded(upload.path, upload.name) for upload in recordings]
        service = self.rest.service
        await self.check_model(options.get("engine"), options.get("model"))
        if voices:
            options = {**options, VOICES: voices}
        # Looking into files and zips takes a while.
        return await asyncio.get_running_loop().run_in_executor(
            None, lambda: service.submit(files, session_id=session_id, **options)
        )


def run_parameters(received: Received) -> dict[str, Any]:
    """Keyword arguments for `Service.submit`, and its recordings, from a form or from JSON.

    Raises InvalidRequest for an unknown field, InvalidOption for a value that cannot be.
    """
    if received.json is None:
        return flat_values(_form_values(received.fields), SubmissionFields)
    if not isinstance(received.json, dict):
        raise InvalidRequest(UserMessage("request_object"))
    return flat_values(received.json, SubmissionFields)


def _form_values(fields: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """What a form says, each value of its type. Raises InvalidRequest, InvalidOption."""
    values: dict[str, Any] = {}
    for name, texts in fields.items():
        if name in _LISTS:
            between = "," if name == "upload_ids" else None
            items = [
                part for text in texts for part in (text.split(between) if between else [text])
            ]
            values[name] = [item.strip() for item in items if item.strip()] or None
            continue
        if len(texts) > 1:
            raise InvalidRequest(UserMessage("field_repeated", name=name, count=len(texts)))
        # Forms send what nobody filled in.
        if texts[0].strip():
            values[name] = _form_value(name, texts[0])
    return values


def _form_value(name: str, text: str) -> Any:
    if name in _JSON_FIELDS:
        try:
            return msgspec.json.decode(text)
        except (msgspec.DecodeError, RecursionError):
            raise InvalidRequest(UserMessage("field_no_json", name=name, value=text[:80])) from None
    if name == "priority":
        try:
            return int(text)
        except ValueError:
            raise InvalidRequest(
                UserMessage("must_be_whole", name="priority", value=text)
            ) from None
    return parse(name, text) if name in _VALUES else text


def flat_values(
    values: Mapping[str, Any], cls: type[RunFields] | type[RefineFields]
) -> dict[str, Any]:
    """All that is said: those of the fields that are, and options beside them or together.

    Raises InvalidRequest, InvalidOption.
    """
    beside = {name: value for name, value in values.items() if name in _VALUES}
    others = {name: value for name, value in values.items() if name not in beside}
    if cls is not SubmissionFields:
        refuse_paths(others)
    fields = decode_fields(cls, others, "file", *OPTION_NAMES)
    for name in fields.options or ():
        if name not in OPTION_NAMES:
            raise InvalidRequest(UserMessage("no_option", name=name, choices=OPTION_NAMES))
    plain = {name: getattr(fields, name) for name in others if name != "options"}
    options = {**(fields.options or {}), **beside}
    refuse_paths(options)
    return {**options, **plain}


@asynccontextmanager
async def claimed_uploads(
    door: BaseHandler, upload_ids: list[str] | None
) -> AsyncIterator[tuple[ReceivedFile, ...]]:
    """The files of uploads in pieces, as if the request had brought them.

    They are over when the block ends well, and as they were when it raises. Raises
    UnknownUpload, UploadConflict, InvalidRequest.
    """
    if not upload_ids:
        yield ()
        return
    shelf, folder = await shelf_of(door), door.rest.service.uploads_dir
    loop = asyncio.get_running_loop()
    with shelf.claimed(shelf.find_all(upload_ids)) as result:
        linked = await loop.run_in_executor(None, partial(_linked, result, folder))
        try:
            yield linked
        except BaseException:
            Received({}, linked).discard()
            raise
        await loop.run_in_executor(None, partial(_remove, shelf, result))


def _linked(partial_uploads: list[PartialUpload], folder: Path) -> tuple[ReceivedFile, ...]:
    """Each file under a second name among the service's own: nothing is copied or lost."""
    items: list[ReceivedFile] = []
    try:
        for upload in partial_uploads:
            name = upload.name or "recording"
            received_file = ReceivedFile(name, folder / "", upload.offset)
            received_file = replace(
                received_file, path=folder / stored_name(received_file.display_name)
            )
            items.append(received_file)
            link(upload.path, received_file.path)
    except BaseException:
        Received({}, tuple(items)).discard()
        raise
    return tuple(items)


def _remove(shelf: UploadStore, partial_uploads: list[PartialUpload]) -> None:
    for upload in partial_uploads:
        shelf.remove(upload)


#: Characters of a session id: 128 bits.
_ID_CHARS = 32

_BLOCK = 1024 * 1024


def session_of(key: str, received: Received, secret: str) -> str:
    """A session that the same request finds again, and nobody without the same content.

    Keys alone may be guessed. Reads the files: not on a loop.
    """
    digest = hmac.new(secret.encode(), key.encode(), hashlib.sha256)
    for upload in received.uploads:
        with upload.path.open("rb") as file:
            while block := file.read(_BLOCK):
                digest.update(block)
        # With its length and name, so that no two requests read as the same bytes.
        digest.update(f"\0{upload.size_bytes}\0{upload.name}\0".encode())
    return digest.hexdigest()[:_ID_CHARS]
