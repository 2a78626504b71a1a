"""Bodies that are read as a whole: JSON and forms without files. Both are kept in memory."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hybrid_transcribe.errors import InvalidRequest, TooLarge, TooMany
from hybrid_transcribe.rest.uploads.limits import UploadLimits, size
from hybrid_transcribe.rest.uploads.received import Received


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
            raise InvalidRequest(f"The body is no JSON: {error}") from error


class FormBody(_Whole):
    """``application/x-www-form-urlencoded``, which curl says of every body it is not told of."""

    too_large = (
        ", the most for a form; a recording needs its own type (curl -T talk.m4a, or -H "
        "'Content-Type: audio/mp4')"
    )

    def end(self) -> Received:
        """The fields. Raises InvalidRequest, TooMany, TooLarge."""
        if self._bytes.count(b"&") >= self._limits.fields:
            raise TooMany(f"More than {self._limits.fields} fields in one request")
        fields: dict[str, tuple[str, ...]] = {}
        for name, value in self._pairs():
            if len(value.encode()) > self._limits.field_bytes:
                raise TooLarge(f"Field {name[:80]!r}: more than {size(self._limits.field_bytes)}")
            fields[name] = (*fields.get(name, ()), value)
        return Received(fields, ())

    def _pairs(self) -> list[tuple[str, str]]:
        try:
            text = self._bytes.decode("utf-8").strip()
            return parse_qsl(text, keep_blank_values=True, errors="strict")
        except UnicodeDecodeError:
            raise InvalidRequest(
                "The form of the body is not UTF-8 text; a recording needs its own type "
                "(curl -T talk.m4a, or -H 'Content-Type: audio/mp4')"
            ) from None
