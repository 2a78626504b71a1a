"""What makes a submission: its fields and its recordings."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.tus.handlers import shelf_of
from hybrid_transcribe.uploads.files import stored_name
from hybrid_transcribe.uploads.received import Received, ReceivedFile
from hybrid_transcribe.uploads.store import PartialUpload, UploadStore, link

#: The field that names them: a list in JSON, in a form with commas or several times.
FIELD = "upload_ids"


@asynccontextmanager
async def with_uploads(door: BaseHandler, received: Received) -> AsyncIterator[Received]:
    """What a request brought, with the files of the uploads that it names behind its own.

    They are over when the block ends well, and as they were when it raises. Raises
    UnknownUpload, UploadConflict, InvalidRequest.
    """
    upload_ids, rest = _named(received)
    if not upload_ids:
        yield rest
        return
    shelf, folder = await shelf_of(door), door.rest.service.uploads_dir
    loop = asyncio.get_running_loop()
    with shelf.claimed(upload_ids) as result:
        linked = await loop.run_in_executor(None, partial(_linked, result, folder))
        taken = replace(rest, uploads=(*rest.uploads, *linked))
        try:
            yield taken
        except BaseException:
            Received({}, linked).discard()
            raise
        await loop.run_in_executor(None, partial(_remove, shelf, result))


def _named(received: Received) -> tuple[list[str], Received]:
    """The ids, and the request without them. Raises InvalidRequest."""
    if isinstance(received.json, dict) and FIELD in received.json:
        others = {name: value for name, value in received.json.items() if name != FIELD}
        return _checked(received.json[FIELD]), replace(received, json=others)
    if FIELD in received.fields:
        fields = {name: values for name, values in received.fields.items() if name != FIELD}
        items = [part.strip() for text in received.fields[FIELD] for part in text.split(",")]
        return [item for item in items if item], replace(received, fields=fields)
    return [], received


def _checked(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise InvalidRequest(f"{FIELD}={value!r:.80}: it must be a list of ids")
    return value


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
