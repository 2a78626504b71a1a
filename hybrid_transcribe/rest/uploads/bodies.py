"""What a request holds: a form, one file, JSON or nothing; forms with files are in `multipart`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import parse_qsl

import msgspec
from tornado.httputil import HTTPHeaders

from hybrid_transcribe.errors import InvalidRequest, TooLarge, TooMany, UnsupportedMedia
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.uploads.multipart import MultipartBody, filename, parse
from hybrid_transcribe.uploads.files import Files
from hybrid_transcribe.uploads.received import Received, UploadLimits, size, text_of


class RequestBody(Protocol):
    """Makes sense of a request's bytes. Used by one thread at a time, never on the loop."""

    most_bytes: int
    """The longest body of this kind."""

    too_large: str
    """What to tell those who send more, beside the number."""

    def feed(self, chunk: bytes) -> None:
        """The next bytes, however they were cut. Raises what is wrong with them."""
        ...

    def end(self) -> Received:
        """That was all. Raises InvalidRequest for what is not complete."""
        ...


class RawBody:
    """All bytes are one file; none, no file."""

    too_large = ", the most for one file"

    def __init__(self, name: str, files: Files, limits: UploadLimits) -> None:
        self.most_bytes = min(limits.body_bytes, limits.file_bytes)
        self._name, self._files = name, files

    def feed(self, chunk: bytes) -> None:
        """Raises TooLarge, DiskFull."""
        if not self._files.open:
            self._files.new(self._name)
        self._files.write(chunk)

    def end(self) -> Received:
        """The file. Raises DiskFull."""
        if self._files.open:
            self._files.done()
        return Received({}, self._files.uploads)


def name_of(disposition: str, query: Mapping[str, Sequence[bytes]], last: str) -> str:
    """What the sender calls the file; empty where nothing says.

    ``disposition`` is the header Content-Disposition as Tornado has it, in Latin-1; ``query``
    the arguments of the address, of which ``name`` and ``filename`` count; ``last`` what else
    it may be called, as the last part of the path.

    >>> name_of("", {"name": [b"reuni\\xc3\\xa3o.m4a"]}, "jobs")
    'reunião.m4a'
    """
    header = text_of(disposition.encode("latin-1", "replace"))
    named = filename(parse(header)[1])
    items = [value for key in ("filename", "name") for value in query.get(key, ())]
    return named or next((text for text in map(text_of, items) if text), last)


class NoBody:
    """A request that brings nothing."""

    too_large = ""
    most_bytes = 0

    def feed(self, chunk: bytes) -> None:
        """Nothing comes."""

    def end(self) -> Received:
        """Nothing."""
        return Received({}, ())


class _Whole:
    too_large = ""

    def __init__(self, limits: UploadLimits) -> None:
        self._limits, self.most_bytes = limits, limits.json_bytes
        self._bytes = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Keep it."""
        self._bytes += chunk


class JsonBody(_Whole):
    """``application/json``."""

    too_large = ", the most for JSON"

    def end(self) -> Received:
        """What it says; an empty one says nothing. Raises InvalidRequest."""
        return Received({}, (), self._decoded() if self._bytes.strip() else None)

    def _decoded(self) -> Any:
        try:
            return msgspec.json.decode(bytes(self._bytes))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(UserMessage("body_no_json", why=error)) from error


class FormBody(_Whole):
    """``application/x-www-form-urlencoded``, which curl says of every body it is not told of."""

    too_large = (
        ", the most for a form; a recording needs its own type (curl -T talk.m4a, or -H "
        "'Content-Type: audio/mp4')"
    )

    def end(self) -> Received:
        """The fields. Raises InvalidRequest, TooMany, TooLarge."""
        if self._bytes.count(b"&") >= self._limits.fields:
            raise TooMany(UserMessage("many_fields", most=self._limits.fields))
        fields: dict[str, tuple[str, ...]] = {}
        for name, value in self._pairs():
            if len(value.encode()) > self._limits.field_bytes:
                raise TooLarge(
                    UserMessage("field_large", name=name[:80], size=size(self._limits.field_bytes))
                )
            fields[name] = (*fields.get(name, ()), value)
        return Received(fields, ())

    def _pairs(self) -> list[tuple[str, str]]:
        try:
            text = self._bytes.decode("utf-8").strip()
            return parse_qsl(text, keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise InvalidRequest(UserMessage("form_not_utf8")) from None


def is_chunked(headers: HTTPHeaders) -> bool:
    """The body's length is not told beforehand."""
    return "Transfer-Encoding" in headers


def declared_bytes(headers: HTTPHeaders) -> int | None:
    """The length that the request declares; None without one, and for what is no number.

    Tornado turns the latter away itself, and takes the same number given twice.
    """
    text = headers.get("Content-Length", "").partition(",")[0].strip()
    return int(text) if text.isascii() and text.isdigit() else None


def body_of(headers: HTTPHeaders, name: str, files: Files, limits: UploadLimits) -> RequestBody:
    """What will make sense of this request's body. ``name`` is that of a body that is one file.

    Raises InvalidRequest for a form without boundary, UnsupportedMedia for what we cannot
    unpack.
    """
    if not is_chunked(headers) and not declared_bytes(headers):
        return NoBody()
    check_packing(headers)
    kind, value = parse(headers.get("Content-Type", ""))
    if kind == "multipart/form-data":
        return MultipartBody(value.get("boundary", ""), files, limits)
    if kind.startswith("multipart/"):
        raise InvalidRequest(UserMessage("form_type", kind=kind[:80]))
    if kind == "application/json" or kind.endswith("+json"):
        return JsonBody(limits)
    if kind == "application/x-www-form-urlencoded":
        return FormBody(limits)
    return RawBody(name, files, limits)


def check_packing(headers: HTTPHeaders) -> None:
    """Raise UnsupportedMedia for a body that is packed in a way of HTTP's own."""
    packing = headers.get("Content-Encoding", "").strip().lower()
    if packing not in ("", "identity"):
        raise UnsupportedMedia(UserMessage("no_packing", kind=packing[:80]))
