"""All addresses in one table, over whatever handler class the host has."""

from __future__ import annotations

import re
from typing import Any, Protocol

from tornado.web import RequestHandler, stream_request_body

from hybrid_transcribe.rest.audio import AudioHandler
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.compat.table import COMPAT
from hybrid_transcribe.rest.docs.handlers import Page, PageFile
from hybrid_transcribe.rest.events import EventsHandler
from hybrid_transcribe.rest.files.handlers import UploadHandler, UploadsHandler
from hybrid_transcribe.rest.jobs import JobControlHandler, JobHandler, JobsHandler
from hybrid_transcribe.rest.metrics import template
from hybrid_transcribe.rest.metrics_handler import MetricsHandler
from hybrid_transcribe.rest.openapi.handlers import OpenApi
from hybrid_transcribe.rest.queues import QueuesHandler, SessionHandler, SessionsHandler
from hybrid_transcribe.rest.results import JobResultHandler, RecordingResultHandler
from hybrid_transcribe.rest.system import (
    EnginesHandler,
    HealthHandler,
    LimitsHandler,
    ModelsHandler,
    Nowhere,
    ReadyHandler,
)

_JOB = r"/jobs/([^/]+)"
_RECORDING = rf"{_JOB}/recordings/([^/]+)"

#: Path to handler, below the service's own prefix.
TABLE: tuple[tuple[str, type[BaseHandler]], ...] = (
    (r"/jobs", JobsHandler),
    (_JOB, JobHandler),
    (rf"{_JOB}(?:/recordings/([^/]+))?/(cancel|retry|keep)", JobControlHandler),
    (rf"{_JOB}/result", JobResultHandler),
    (rf"{_RECORDING}/result", RecordingResultHandler),
    (rf"{_RECORDING}/audio", AudioHandler),
    (r"/files/?", UploadsHandler),
    (r"/files/([^/]+)", UploadHandler),
    (r"/queues", QueuesHandler),
    (r"/queues/events", EventsHandler),
    (r"/sessions", SessionsHandler),
    (r"/sessions/([^/]+)", SessionHandler),
    (r"/engines", EnginesHandler),
    (r"/engines/([^/]+)/models", ModelsHandler),
    (r"/limits", LimitsHandler),
    (r"/metrics", MetricsHandler),
    (r"/health", HealthHandler),
    (r"/health/ready", ReadyHandler),
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
    door = next(base for base in bases if issubclass(base, BaseHandler))
    instance: type[RequestHandler] = type(door.__name__, bases, {"template": template(path)})
    return stream_request_body(instance) if getattr(door, "streams", False) else instance
