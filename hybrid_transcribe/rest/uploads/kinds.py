"""Which kind of body a request has."""

from __future__ import annotations

from tornado.httputil import HTTPHeaders

from hybrid_transcribe.errors import InvalidRequest, UnsupportedMedia
from hybrid_transcribe.rest.uploads import parameters
from hybrid_transcribe.rest.uploads.body import RequestBody
from hybrid_transcribe.rest.uploads.files import Files
from hybrid_transcribe.rest.uploads.limits import UploadLimits
from hybrid_transcribe.rest.uploads.multipart import MultipartBody
from hybrid_transcribe.rest.uploads.raw import RawBody
from hybrid_transcribe.rest.uploads.small import FormBody, JsonBody, NoBody


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
    kind, value = parameters.parse(headers.get("Content-Type", ""))
    if kind == "multipart/form-data":
        return MultipartBody(value.get("boundary", ""), files, limits)
    if kind.startswith("multipart/"):
        raise InvalidRequest(f"Content-Type {kind[:80]!r}: send forms as multipart/form-data")
    if kind == "application/json" or kind.endswith("+json"):
        return JsonBody(limits)
    if kind == "application/x-www-form-urlencoded":
        return FormBody(limits)
    return RawBody(name, files, limits)


def check_packing(headers: HTTPHeaders) -> None:
    """Raise UnsupportedMedia for a body that is packed in a way of HTTP's own."""
    packing = headers.get("Content-Encoding", "").strip().lower()
    if packing not in ("", "identity"):
        raise UnsupportedMedia(
            f"Content-Encoding {packing[:80]!r}: send the body as it is, or a zip of recordings"
        )
