"""All addresses in one table, over whatever handler class the host has."""

from __future__ import annotations

import re
from typing import Any, Protocol

from tornado.web import RequestHandler, stream_request_body

from hybrid_transcribe.rest.audio import Audio
from hybrid_transcribe.rest.compat.table import COMPAT
from hybrid_transcribe.rest.docs.door import Page, PageFile
from hybrid_transcribe.rest.door import Door
from hybrid_transcribe.rest.events import Events
from hybrid_transcribe.rest.files.doors import OneUpload, Uploads
from hybrid_transcribe.rest.jobs import Control, Job, Jobs
from hybrid_transcribe.rest.meter import template
from hybrid_transcribe.rest.metrics import Metrics
from hybrid_transcribe.rest.openapi.door import OpenApi
from hybrid_transcribe.rest.queues import Queues, Session, Sessions
from hybrid_transcribe.rest.results import JobResult, RecordingResult
from hybrid_transcribe.rest.system import Engines, Health, Limits, Models, Nowhere, Ready

_JOB = r"/jobs/([^/]+)"
_RECORDING = rf"{_JOB}/recordings/([^/]+)"

#: Path to handler, below the service's own prefix.
TABLE: tuple[tuple[str, type[Door]], ...] = (
    (r"/jobs", Jobs),
    (_JOB, Job),
    (rf"{_JOB}(?:/recordings/([^/]+))?/(cancel|retry|keep)", Control),
    (rf"{_JOB}/result", JobResult),
    (rf"{_RECORDING}/result", RecordingResult),
    (rf"{_RECORDING}/audio", Audio),
    (r"/files/?", Uploads),
    (r"/files/([^/]+)", OneUpload),
    (r"/queues", Queues),
    (r"/queues/events", Events),
    (r"/sessions", Sessions),
    (r"/sessions/([^/]+)", Session),
    (r"/engines", Engines),
    (r"/engines/([^/]+)/models", Models),
    (r"/limits", Limits),
    (r"/metrics", Metrics),
    (r"/health", Health),
    (r"/health/ready", Ready),
    (r"/openapi\.json", OpenApi),
    (r"/docs", Page),
    (r"/docs/([^/]+)", PageFile),
    *COMPAT,
)


class HasPrefix(Protocol):
    """What goes before every path, such as ``/user/ana/hybrid-transcribe``."""

    prefix: str


def routes(
    rest: HasPrefix, base: type[RequestHandler] = RequestHandler, before: type | None = None
) -> list[Any]:
    """Tornado's rules for a host whose handlers derive from ``base``.

    ``rest`` is the `Rest` of the server, or what ``before`` makes of it: a class that goes
    before each door, where a host has its own way to tell who is asking.
    """
    above = () if before is None else (before,)
    return [
        (rf"{re.escape(rest.prefix)}{path}", _on((*above, door, base), path), {"rest": rest})
        for path, door in TABLE
    ]


def alone(
    rest: HasPrefix, base: type[RequestHandler] = RequestHandler, before: type | None = None
) -> list[Any]:
    """The same for a host with nothing else below the prefix: other addresses are problems."""
    above = () if before is None else (before,)
    rest_of_all = (rf"{re.escape(rest.prefix)}(?:/.*)?", _on((*above, Nowhere, base), "/.*"))
    return [*routes(rest, base, before), (*rest_of_all, {"rest": rest})]


def _on(bases: tuple[type, ...], path: str) -> type[RequestHandler]:
    door = next(base for base in bases if issubclass(base, Door))
    made: type[RequestHandler] = type(door.__name__, bases, {"template": template(path)})
    return stream_request_body(made) if getattr(door, "streams", False) else made
