"""``GET /docs`` and the files of that page."""

from __future__ import annotations

import gzip
from functools import cache
from pathlib import Path

from hybrid_transcribe.errors import NotFound
from hybrid_transcribe.rest.openapi.document import UNCHANGED, Open
from hybrid_transcribe.rest.openapi.operation import answer, operation
from hybrid_transcribe.rest.openapi.schemas import TEXT

_STATIC = Path(__file__).with_name("static")

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
            raise NotFound(f"No file {name!r}; choose from: {', '.join(FILES)}")
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
