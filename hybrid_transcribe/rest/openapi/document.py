"""``GET /openapi.json``, from what the handlers declare, and ``/docs``, which shows it."""

from __future__ import annotations

import gzip
from collections import defaultdict
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import msgspec

from hybrid_transcribe._version import __version__
from hybrid_transcribe.errors import NotFound
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.access import ANY_HOST, Role
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.openapi.operation import JSON, Operation, answer, operation
from hybrid_transcribe.rest.openapi.schemas import TEXT, schemas

_GROUPS = {
    "jobs": "Submissions of one or more recordings.",
    "results": "Transcripts as files.",
    "queue": "How everything stands, and what happens.",
    "uploads": "Files in pieces, by tus 1.0.",
    "sessions": "Whose jobs are whose.",
    "system": "What there is, what is allowed, and whether it works.",
    "OpenAI": "For programs that were written for OpenAI's service.",
    "whisper-asr-webservice": "For programs that were written for that one.",
}

_ABOUT = """\
Recordings into text, in the background: submit them, look how far they are, download the
transcripts as text, subtitles or JSON.

A **job id** is a secret: whoever knows it may see and control the job. A **session id** is one that
groups jobs, for lists and for erasing all of them. An error
is a *problem* (RFC 9457): its `code` is for programs and stays as it is, its `detail` is for
people. Fields that end in `_s` are seconds; times of day are UTC."""

#: The ways to show a token.
_SCHEMES: dict[str, dict[str, str]] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The server's token, without any word before it.",
    },
    "header": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "The same as Jupyter writes it: `token`, a space, and the token.",
    },
    "query": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "In the address, for what can send no header. Addresses get written down.",
    },
}


@lru_cache(maxsize=8)
def text(prefix: str = "", token: bool = True) -> bytes:
    """The document as JSON, for a server below that prefix that asks for a token or not."""
    return msgspec.json.encode(document(prefix, token))


def document(prefix: str = "", token: bool = True) -> dict[str, Any]:
    """The document as plain data."""
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for item in OpenApi.operations:
        paths[item.path][item.method] = item.plain()
    components: dict[str, Any] = {"schemas": schemas()}
    if token:
        components["securitySchemes"] = _SCHEMES
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "hybrid_transcribe",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": prefix or "/"}],
        "security": [{name: []} for name in _SCHEMES] if token else [],
        "tags": [{"name": name, "description": about} for name, about in _GROUPS.items()],
        "paths": dict(paths),
        "components": components,
    }


#: Of what holds no secret and seldom changes.
UNCHANGED = answer("You have it already.")


class Open(BaseHandler):
    """What holds no secret: no token is needed, but the server must be called by its name."""

    group = "system"
    asks_for_token = False

    def identify(self) -> Role:
        """Anybody. Where Jupyter vouches for people, they are logged in all the same."""
        self.rest.access.check_host(self.request.headers.get("Host", ""))
        return Role.ANYBODY

    def send(self, body: bytes, media_type: str) -> None:
        """Answer with that, or 304 where the client has it: Tornado makes and checks the ETag."""
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(body)


class OpenApi(Open):
    """The document. `routes` knows the operations of all handlers."""

    paths = ("/openapi.json",)
    operations: tuple[Operation, ...] = ()

    @operation(
        "openapi",
        "This document",
        about="",
        answers={
            200: answer(
                "An OpenAPI 3.1 document.",
                {JSON: {"type": "object"}},
                {"ETag": "Of this very text."},
            ),
            304: UNCHANGED,
        },
    )
    def get(self) -> None:
        """With this server's prefix, and its way to ask for a token."""
        access = self.rest.access
        # A server that is called by any name is Jupyter's, which asks for its own token.
        asks = access.token is not None or ANY_HOST in access.hosts
        self.send(text(self.rest.prefix, asks), JSON)


_STATIC = Path(__file__).parent.parent / "docs" / "static"

#: What may be asked for, and what it is.
FILES = {
    "swagger-ui-bundle.js": "text/javascript; charset=utf-8",
    "swagger-ui-bundle.js.LICENSE.txt": "text/plain; charset=utf-8",
    "swagger-ui.css": "text/css; charset=utf-8",
    "page.bundle.js": "text/javascript; charset=utf-8",
    "page.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "LICENSE": "text/plain; charset=utf-8",
    "NOTICE": "text/plain; charset=utf-8",
}

#: Scripts from files of ours only; nothing of another host. Swagger UI's pictures are in its CSS,
#: and what it downloads or plays it has in memory.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src blob:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'self'",
    )
)


class Page(Open):
    """The page itself. A host gives it the base of its pages, not of its API."""

    paths = ("/docs",)
    page = True

    @operation(
        "docs",
        "This document as a page to try it on",
        about="",
        answers={200: answer("The page.", {"text/html": TEXT})},
    )
    def get(self) -> None:
        """Its address may bear a token: the script takes it out, and no link tells it on."""
        self.set_header("Content-Security-Policy", POLICY)
        self.set_header("Referrer-Policy", "no-referrer")
        _send(self, "page.html", "text/html; charset=utf-8")


class PageFile(Open):
    """A file of the page."""

    paths = ("/docs/{file}",)
    page = True

    @operation(
        "docs_file",
        "A part of that page",
        about="",
        answers={
            200: answer(
                "The file.",
                {"*/*": {"type": "string", "format": "binary"}},
                {"ETag": "Of this very file."},
            ),
            304: UNCHANGED,
        },
        errors=(NotFound,),
    )
    def get(self, name: str) -> None:
        """One of `FILES`."""
        if name not in FILES:
            raise NotFound(UserMessage("no_file", name=name, choices=FILES))
        _send(self, name, FILES[name])


def _send(door: Open, name: str, media_type: str) -> None:
    zipped = "gzip" in door.request.headers.get("Accept-Encoding", "")
    door.set_header("Vary", "Accept-Encoding")
    if zipped:
        door.set_header("Content-Encoding", "gzip")
    door.send(_content(name, zipped), media_type)


@cache
def _content(name: str, zipped: bool) -> bytes:
    content = (_STATIC / name).read_bytes()
    # Always the same bytes for the same file, so that its ETag stays.
    return gzip.compress(content, 6, mtime=0) if zipped else content
