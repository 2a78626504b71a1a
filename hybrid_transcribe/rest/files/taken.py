"""Uploads in pieces as the recordings of a job: the request names them instead of sending."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.rest.door import Door
from hybrid_transcribe.rest.files.doors import shelf_of
from hybrid_transcribe.rest.files.shelf import Partial, Shelf, link
from hybrid_transcribe.rest.uploads.files import stored_name
from hybrid_transcribe.rest.uploads.received import Received, Upload

#: The field that names them: a list in JSON, in a form with commas or several times.
FIELD = "upload_ids"


@asynccontextmanager
async def with_uploads(door: Door, received: Received) -> AsyncIterator[Received]:
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
    with shelf.claimed(upload_ids) as found:
        linked = await loop.run_in_executor(None, partial(_linked, found, folder))
        taken = replace(rest, uploads=(*rest.uploads, *linked))
        try:
            yield taken
        except BaseException:
            Received({}, linked).discard()
            raise
        await loop.run_in_executor(None, partial(_remove, shelf, found))


def _named(received: Received) -> tuple[list[str], Received]:
    """The ids, and the request without them. Raises InvalidRequest."""
    if isinstance(received.json, dict) and FIELD in received.json:
        others = {name: value for name, value in received.json.items() if name != FIELD}
        return _checked(received.json[FIELD]), replace(received, json=others)
    if FIELD in received.fields:
        fields = {name: values for name, values in received.fields.items() if name != FIELD}
        given = [part.strip() for text in received.fields[FIELD] for part in text.split(",")]
        return [one for one in given if one], replace(received, fields=fields)
    return [], received


def _checked(given: Any) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        raise InvalidRequest(f"{FIELD}={given!r:.80}: it must be a list of ids")
    return given


def _linked(found: list[Partial], folder: Path) -> tuple[Upload, ...]:
    """Each file under a second name among the service's own: nothing is copied or lost."""
    made: list[Upload] = []
    try:
        for upload in found:
            name = upload.name or "recording"
            one = Upload(name, folder / "", upload.offset)
            one = replace(one, path=folder / stored_name(one.shown))
            made.append(one)
            link(upload.path, one.path)
    except BaseException:
        Received({}, tuple(made)).discard()
        raise
    return tuple(made)


def _remove(shelf: Shelf, found: list[Partial]) -> None:
    for upload in found:
        shelf.remove(upload)
