"""``/files``: uploads in pieces, as https://tus.io/protocols/resumable-upload has them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from tornado.web import HTTPError

from hybrid_transcribe import errors
from hybrid_transcribe.errors import Damaged, InvalidRequest, UploadConflict
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.openapi.operation import (
    GONE,
    PROBLEM_CONTENT,
    answer,
    body,
    operation,
    parameter,
)
from hybrid_transcribe.rest.openapi.options import FILE
from hybrid_transcribe.rest.openapi.schemas import Schema
from hybrid_transcribe.rest.problems import PROBLEM, problem
from hybrid_transcribe.rest.tus import protocol
from hybrid_transcribe.rest.tus.chunk_writer import ChunkWriter, Keeping, settled
from hybrid_transcribe.rest.uploads.bodies import check_packing, declared_bytes, is_chunked
from hybrid_transcribe.rest.uploads.multipart import parse
from hybrid_transcribe.rest.uploads.streaming import StreamingBody
from hybrid_transcribe.uploads.files import Opener, check_room
from hybrid_transcribe.uploads.received import UploadLimits
from hybrid_transcribe.uploads.store import (
    PartialUpload,
    UploadStore,
    UploadWriter,
    open_end,
    open_shelf,
    opened,
    read_metadata,
)


async def shelf_of(door: BaseHandler) -> UploadStore:
    """The shelf of a handler's service, whatever host the handler is on."""
    service = door.rest.service
    result = opened(service)
    return await door.on_loop(lambda: open_shelf(service)) if result is None else result


_SIZE: Schema = {"type": "integer", "minimum": 0}
_VERSION = parameter(
    "Tus-Resumable",
    "header",
    "The version of the protocol.",
    {"type": "string", "const": protocol.VERSION},
    required=True,
)
_LENGTH = parameter("Upload-Length", "header", "Bytes of the whole file.", _SIZE)
_CHECKSUM = parameter(
    "Upload-Checksum",
    "header",
    f"What the piece must add up to: one of {', '.join(protocol.CHECKSUMS)}, a space, and the "
    "digest in base64.",
)
_PROGRESS = {
    "Tus-Resumable": "The version of the protocol.",
    "Upload-Offset": "Bytes that have come.",
    "Upload-Expires": "Until when it may go on.",
}
_STALE = {412: {"description": "Another version of the protocol.", "content": PROBLEM_CONTENT}}
_DAMAGED = {
    460: {
        "description": "The piece came through damaged; send it again.",
        "content": PROBLEM_CONTENT,
    }
}
_ERRORS = (
    errors.UploadConflict,
    errors.TooLarge,
    errors.TooSlow,
    errors.DiskFull,
    errors.UnsupportedMedia,
)


_options = partial(
    operation,
    summary="What of the protocol there is",
    answers={
        204: answer(
            "It is in the headers.",
            headers={
                "Tus-Version": "Versions of the protocol.",
                "Tus-Extension": "Extensions, with commas.",
                "Tus-Max-Size": "Most bytes of one upload.",
                "Tus-Checksum-Algorithm": "Algorithms, with commas.",
            },
        )
    },
)


class _Tus(StreamingBody, BaseHandler):
    """What both addresses share."""

    group = "uploads"
    streams = True
    #: Opens an upload's file for what comes next; tests have one that runs out of disk.
    opener: Opener = staticmethod(open_end)

    shelf: UploadStore

    def set_default_headers(self) -> None:
        """Said with every answer, errors too."""
        super().set_default_headers()
        self.set_header("Tus-Resumable", protocol.VERSION)

    async def prepare(self) -> None:  # type: ignore[override]
        """Who may not come in uploads nothing; nor who speaks another version."""
        BaseHandler.prepare(self)
        # For clients behind gateways that let only GET and POST through.
        override = self.request.headers.get("X-HTTP-Method-Override", "")
        if self.request.method == "POST" and override.upper() in ("PATCH", "DELETE", "HEAD"):
            self.request.method = override.upper()
        if self.request.method == "OPTIONS":
            return
        message = self.request.headers.get("Tus-Resumable")
        if message != protocol.VERSION:
            raise HTTPError(
                HTTPStatus.PRECONDITION_FAILED,
                f"Tus-Resumable: {message!r}: it must be {protocol.VERSION}",
            )
        self.shelf = await shelf_of(self)
        await self.begin()

    async def begin(self) -> None:
        """Before the body comes."""

    def tell_protocol(self) -> None:
        """What of the protocol there is."""
        self.set_header("Tus-Version", protocol.VERSION)
        self.set_header("Tus-Extension", ",".join(protocol.EXTENSIONS))
        self.set_header("Tus-Max-Size", str(self.rest.service.settings.max_file_bytes))
        self.set_header("Tus-Checksum-Algorithm", ",".join(protocol.CHECKSUMS))
        self.set_status(HTTPStatus.NO_CONTENT)

    async def take(self, upload: PartialUpload, most: int) -> None:
        """Let the body come to the end of an upload. ``most`` is what the whole may have."""
        check_packing(self.request.headers)
        kind = parse(self.request.headers.get("Content-Type", ""))[0]
        if kind != protocol.PIECE:
            raise HTTPError(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
                f"Content-Type {kind[:80]!r}: a piece of an upload is {protocol.PIECE}",
            )
        checksum = protocol.checksum(self.request.headers.get("Upload-Checksum"))
        loop = asyncio.get_running_loop()
        writer = UploadWriter(stop=lambda: loop.call_soon_threadsafe(self._overtaken))
        await self._seize(upload, writer)
        piece = ChunkWriter(self.shelf, upload, most, checksum, self.opener)
        taking = Keeping(piece, writer)
        settings = self.rest.service.settings
        try:
            self._check_offset(upload)
            self.receive_as(piece, taking, self.rest.service.uploads_dir, UploadLimits.of(settings))
        except BaseException:
            piece.discard()
            raise

    async def _seize(self, upload: PartialUpload, writer: UploadWriter) -> None:
        """Be the only one who writes: a sender who comes again has lost its first connection.

        We may learn of that much later.
        """
        while (other := self.shelf.seize(upload, writer)) is not None:
            other.stop()
            await settled(other)

    def _check_offset(self, upload: PartialUpload) -> None:
        """Only one that is continued has one."""

    def _overtaken(self) -> None:
        if isinstance(self._taking, Keeping):
            self._taking.overtaken = True
            self._turn_away(UploadConflict(UserMessage("upload_overtaken")))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """As for all; and two of tus's own."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if status_code == HTTPStatus.PRECONDITION_FAILED:
            self.set_header("Tus-Version", protocol.VERSION)
        if not isinstance(error, Damaged):
            super().write_error(status_code, **kwargs)
            return
        # http.HTTPStatus does not know this one.
        self.set_status(protocol.CHECKSUM_MISMATCH, "Checksum Mismatch")
        self.set_header("Content-Type", PROBLEM)
        self.set_header("Cache-Control", "no-store")
        body = problem(error.code, error.message, HTTPStatus.BAD_REQUEST)
        own = {"title": "Checksum Mismatch", "status": protocol.CHECKSUM_MISMATCH}
        self.finish(msgspec.json.encode({**body, **own}))

    def tell(self, upload: PartialUpload) -> None:
        """How far it is, and until when it may go on."""
        self.set_header("Upload-Offset", str(upload.offset))
        self.set_header("Upload-Expires", formatdate(self.shelf.expires_at(upload), usegmt=True))
        self.set_header("Cache-Control", "no-store")

    async def in_thread(self, action: Callable[[], Any]) -> Any:
        """Do what may wait for the disk."""
        return await asyncio.get_running_loop().run_in_executor(None, action)


class UploadsHandler(_Tus):
    """``POST /files``: a new upload, with or without its first piece."""

    paths, pattern = ("/files",), "/files/?"
    _upload: PartialUpload | None = None

    @_options("uploads_options")
    def options(self) -> None:
        """For clients that look first."""
        self.tell_protocol()

    async def begin(self) -> None:
        """Make room for it."""
        if self.request.method != "POST":
            return
        headers, settings = self.request.headers, self.rest.service.settings
        if "Upload-Concat" in headers:
            raise InvalidRequest(UserMessage("no_concat"))
        length = protocol.declared_length(
            headers.get("Upload-Length"),
            headers.get("Upload-Defer-Length"),
            settings.max_file_bytes,
        )
        metadata = headers.get("Upload-Metadata", "")
        read_metadata(metadata)
        check_room(self.rest.service.uploads_dir, length or 0)
        upload = await self.in_thread(partial(self.shelf.create, length, metadata))
        try:
            if is_chunked(headers) or declared_bytes(headers):
                most = settings.max_file_bytes if length is None else length
                await self.take(upload, most)
        except BaseException:
            self.shelf.remove(upload)
            raise
        self._upload = upload

    @operation(
        "create_upload",
        "Begin an upload",
        parameters=(
            _VERSION,
            _LENGTH,
            parameter(
                "Upload-Defer-Length",
                "header",
                "The length is told later.",
                {"type": "string", "const": "1"},
            ),
            parameter(
                "Upload-Metadata",
                "header",
                "Pairs of a name and a value in base64, with commas: `filename` is what the file "
                "is called.",
            ),
            _CHECKSUM,
        ),
        body=body("Its first bytes, if any.", {protocol.PIECE: FILE}, required=False),
        answers={
            201: answer(
                "It may begin.", headers={"Location": "The upload's address.", **_PROGRESS}
            ),
            **_STALE,
            **_DAMAGED,
        },
        errors=_ERRORS,
    )
    async def post(self) -> None:
        """Large files over connections that break: a client goes on from what came.

        Any tus 1.0 client does all of this by itself; the id is then sent to `POST /jobs` in
        `upload_ids`.
        """
        await self.received()
        assert self._upload is not None
        self.set_status(HTTPStatus.CREATED)
        self.set_header("Location", self.at(f"/files/{self._upload.upload_id}"))
        self.tell(self._upload)


class UploadHandler(_Tus):
    """``HEAD``, ``PATCH`` and ``DELETE /files/{upload_id}``."""

    paths = ("/files/{upload_id}",)

    @_options("upload_options")
    def options(self, upload_id: str) -> None:
        """The same for every upload."""
        self.tell_protocol()

    async def begin(self) -> None:
        """A piece comes."""
        if self.request.method != "PATCH":
            return
        upload = self.shelf.find(self.path_args[0])
        length = self.request.headers.get("Upload-Length")
        if length is not None:
            await self._tell_length(upload, length)
        most = self.rest.service.settings.max_file_bytes
        await self.take(upload, most if upload.length is None else upload.length)

    async def _tell_length(self, upload: PartialUpload, text: str) -> None:
        length = protocol.declared_length(text, None, self.rest.service.settings.max_file_bytes)
        assert length is not None
        if upload.length == length:
            return
        if upload.length is not None or length < upload.offset:
            raise UploadConflict(
                UserMessage(
                    "upload_length",
                    n=length,
                    count=upload.offset,
                    length=upload.length or known_phrase("no length"),
                )
            )
        await self.in_thread(partial(self.shelf.tell_length, upload, length))

    def _check_offset(self, upload: PartialUpload) -> None:
        offset = protocol.whole_number("Upload-Offset", self.request.headers.get("Upload-Offset"))
        if offset != upload.offset:
            raise UploadConflict(UserMessage("upload_offset", n=offset, count=upload.offset))

    @operation(
        "upload",
        "How far is an upload?",
        about="",
        parameters=(_VERSION,),
        answers={
            200: answer(
                "So far.",
                headers={
                    **_PROGRESS,
                    "Upload-Length": "Bytes of the whole file, once they were told.",
                    "Upload-Metadata": "As it was sent.",
                },
            ),
            **_STALE,
        },
        errors=(errors.NotFound,),
    )
    async def head(self, upload_id: str) -> None:
        """How far it is."""
        upload = self.shelf.find(upload_id)
        writer = upload.writer
        if writer is not None and writer.over:
            # The last bytes of a connection that broke are still being written.
            await settled(writer)
        self.tell(upload)
        if upload.length is None:
            self.set_header("Upload-Defer-Length", "1")
        else:
            self.set_header("Upload-Length", str(upload.length))
        if upload.metadata:
            self.set_header("Upload-Metadata", upload.metadata)
        self.set_status(HTTPStatus.OK)

    @operation(
        "continue_upload",
        "Send a piece",
        about="",
        parameters=(
            _VERSION,
            parameter(
                "Upload-Offset",
                "header",
                "Bytes that came before: the piece goes behind them.",
                _SIZE,
                required=True,
            ),
            _LENGTH,
            _CHECKSUM,
        ),
        body=body("Bytes of the file.", {protocol.PIECE: FILE}),
        answers={204: answer("It has come.", headers=_PROGRESS), **_STALE, **_DAMAGED},
        errors=(*_ERRORS, errors.NotFound),
    )
    async def patch(self, upload_id: str) -> None:
        """The piece has come."""
        upload = self.shelf.find(upload_id)
        await self.received()
        self.tell(upload)
        self.set_status(HTTPStatus.NO_CONTENT)

    @operation(
        "delete_upload",
        "Give an upload up",
        about="",
        parameters=(_VERSION,),
        answers={204: GONE, **_STALE},
        errors=(errors.NotFound, errors.UploadConflict),
    )
    async def delete(self, upload_id: str) -> None:
        """It is not wanted any more."""
        upload = self.shelf.find(upload_id)
        nobody = UploadWriter(stop=lambda: None)
        await self._seize(upload, nobody)
        await self.in_thread(partial(self.shelf.remove, upload))
        self.shelf.release(upload)
        self.set_status(HTTPStatus.NO_CONTENT)
