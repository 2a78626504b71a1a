"""What a server writes down: one line of JSON a request, and no secret in any line.

Tokens, session ids and the ids of uploads are capabilities: whoever reads the log must not be
able to use them. So a request's address is written as its route, and every other line, by
whatever library, has what looks like a secret blotted out.
"""

from __future__ import annotations

import logging
import re
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, TextIO

import msgspec

if TYPE_CHECKING:
    from tornado.web import RequestHandler

#: The logger of requests.
ACCESS = "hybrid_transcribe.access"

#: Stands for what is not written.
BLOT = "[...]"

#: Of a request without a route of ours nothing is written but that: a mistyped address may
#: hold anything.
UNKNOWN = "(unknown)"

#: Parameters of an address whose values are no secret; of others there is only the name.
_PLAIN = frozenset({"format", "inside", "partial", "state", "output", "task"})
_HIDDEN = frozenset({"token", "session_id", "session_ids", "name", "filename", "language"})

#: What such a value looks like; anything else is a mistake, and may hold anything.
_WORD = re.compile(rb"[a-z_]{1,10}")

_SECRETS = (
    # ?token=…, "session_id": "…", session_ids=…
    re.compile(r"((?:token|session_ids?|_xsrf|api_key)['\"]?\s*[=:]\s*['\"]?)[^\s&'\"<>;)]+", re.I),
    re.compile(r"((?:Authorization|X-Session-Id|Cookie)['\"]?\s*[:=,]\s*['\"]?)[^\r\n'\"]+", re.I),
    re.compile(r"(/(?:sessions|files)/)[^\s/?&'\"<>)]+"),
    # Kernels, by whose id their pages reach them.
    re.compile(r"()\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", re.I),
)

#: Libraries whose chatter holds addresses or bodies of requests.
_CHATTY = ("asyncio", "httpx", "httpcore", "traitlets", "tornado.access", "tornado.general")


def redacted(text: str) -> str:
    """Text without what looks like a secret.

    >>> redacted("GET /files/abc?token=t&format=srt (127.0.0.1)")
    'GET /files/[...]?token=[...]&format=srt (127.0.0.1)'
    """
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<1>{BLOT}", text)
    return text


class Redacting(logging.Formatter):
    """Writes no secret: none of those known, and nothing that looks like one."""

    def __init__(self, *secrets: str | None) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """Lines of requests are written as they are: they were made without secrets."""
        if record.name == ACCESS:
            return record.getMessage()
        text = super().format(record)
        for secret in self._secrets:
            text = text.replace(secret, BLOT)
        return redacted(text)


def start_logs(*secrets: str | None, debug: bool, stream: TextIO | None = None) -> None:
    """Have this process write its log to stderr, the secrets named left out."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(Redacting(*secrets))
    # Instead of what others have set up, which would write the same without care.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("hybrid_transcribe").setLevel(logging.DEBUG if debug else logging.WARNING)
    logging.getLogger(ACCESS).setLevel(logging.DEBUG if debug else logging.INFO)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.ERROR)


def log_request(handler: RequestHandler) -> None:
    """Write down a request that was answered; Tornado's ``log_function``."""
    log = logging.getLogger(ACCESS)
    if log.isEnabledFor(logging.INFO):
        message = request_told(handler, detailed=log.isEnabledFor(logging.DEBUG))
        log.info("%s", msgspec.json.encode(message).decode())


def request_told(handler: RequestHandler, *, detailed: bool = False) -> dict[str, Any]:
    """A request in plain values, none of them a secret."""
    request = handler.request
    fields: dict[str, Any] = {
        "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
        "method": request.method if request.method in handler.SUPPORTED_METHODS else UNKNOWN,
        "path": _path(handler),
        "status": handler.get_status(),
        "ms": round(request.request_time() * 1000, 1),
        "bytes": _sent_bytes(handler),
        "remote": request.remote_ip,
    }
    if detailed:
        fields["query"] = _query(request.query_arguments)
        fields["who"] = getattr(getattr(handler, "who", None), "value", None)
        fields["content_type"] = request.headers.get("Content-Type", "").partition(";")[0] or None
        fields["received"] = request.headers.get("Content-Length")
        fields["agent"] = redacted(request.headers.get("User-Agent", "")) or None
    return fields


def _path(handler: RequestHandler) -> str:
    """A route of ours; of others the address, where it led to something."""
    template: str = getattr(handler, "template", "")
    if template:
        return template
    result = handler.get_status() < 400
    return redacted(handler.request.path) if result else UNKNOWN


def _query(arguments: dict[str, list[bytes]]) -> list[str]:
    return [
        f"{name}={value.decode() if name in _PLAIN and _WORD.fullmatch(value) else BLOT}"
        for name in sorted(arguments)
        if name in _PLAIN | _HIDDEN
        for value in arguments[name]
    ]


def _sent_bytes(handler: RequestHandler) -> int | None:
    """Of the body; None where its length was not said, as of a stream."""
    length = handler._headers.get("Content-Length", "")
    return int(length) if length.isdecimal() else None
