"""The whole document."""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Any

import msgspec

from hybrid_transcribe._version import __version__
from hybrid_transcribe.rest.openapi import compat, files, jobs, queues, results, system
from hybrid_transcribe.rest.openapi.operation import Operation
from hybrid_transcribe.rest.openapi.schemas import schemas

# In the order people read them.
_DESCRIBED: tuple[Operation, ...] = (
    *jobs.OPERATIONS,
    *results.OPERATIONS,
    *queues.OPERATIONS,
    *files.OPERATIONS,
    *system.OPERATIONS,
    *compat.OPERATIONS,
)

_HEADS = {item.path for item in _DESCRIBED if item.method == "head"}

#: Every operation: with each GET there is a HEAD.
OPERATIONS: tuple[Operation, ...] = (
    *_DESCRIBED,
    *(item.head() for item in _DESCRIBED if item.method == "get" and item.path not in _HEADS),
)

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
    for item in OPERATIONS:
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
