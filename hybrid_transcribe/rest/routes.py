"""All addresses in one table, over whatever handler class the host has."""

from __future__ import annotations

import re
from typing import Any, Protocol

from tornado.web import RequestHandler, stream_request_body

from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.compat.asr import Asr, DetectLanguage
from hybrid_transcribe.rest.compat.openai.audio import Transcriptions, Translations
from hybrid_transcribe.rest.compat.openai.base_handler import (
    NoSuchAddress,
    OpenAIModelHandler,
    OpenAIModelsHandler,
)
from hybrid_transcribe.rest.events import EventsHandler
from hybrid_transcribe.rest.jobs import (
    CancelHandler,
    JobHandler,
    JobsHandler,
    KeepHandler,
    RefineHandler,
    RetryHandler,
)
from hybrid_transcribe.rest.metrics import template
from hybrid_transcribe.rest.openapi.document import OpenApi, Page, PageFile
from hybrid_transcribe.rest.openapi.operation import operations_of
from hybrid_transcribe.rest.queues import QueuesHandler, SessionHandler, SessionsHandler
from hybrid_transcribe.rest.results import AudioHandler, JobResultHandler, RecordingResultHandler
from hybrid_transcribe.rest.revisions import (
    RestoreHandler,
    RevisionsHandler,
    TranscriptHandler,
)
from hybrid_transcribe.rest.system import (
    EnginesHandler,
    HealthHandler,
    LimitsHandler,
    MetricsHandler,
    ModelsHandler,
    Nowhere,
    PostProcessorsHandler,
    ReadyHandler,
)
from hybrid_transcribe.rest.tus.handlers import UploadHandler, UploadsHandler

#: Every handler; addresses, methods and the document are what they declare.
HANDLERS: tuple[type[BaseHandler], ...] = (
    JobsHandler,
    JobHandler,
    CancelHandler,
    RetryHandler,
    RefineHandler,
    KeepHandler,
    JobResultHandler,
    RecordingResultHandler,
    TranscriptHandler,
    RevisionsHandler,
    RestoreHandler,
    AudioHandler,
    QueuesHandler,
    EventsHandler,
    SessionsHandler,
    SessionHandler,
    UploadsHandler,
    UploadHandler,
    EnginesHandler,
    PostProcessorsHandler,
    ModelsHandler,
    LimitsHandler,
    HealthHandler,
    ReadyHandler,
    MetricsHandler,
    OpenApi,
    Page,
    PageFile,
    Transcriptions,
    Translations,
    OpenAIModelsHandler,
    OpenAIModelHandler,
    NoSuchAddress,
    Asr,
    DetectLanguage,
)

#: What they all can be asked.
OPERATIONS = OpenApi.operations = tuple(
    item for handler in HANDLERS for item in operations_of(handler)
)


def patterns(handler: type[BaseHandler]) -> tuple[str, ...]:
    """What matches the addresses of a handler, below the service's own prefix."""
    if handler.pattern is not None:
        return (handler.pattern,)
    plain = (path.replace(".", r"\.") for path in handler.paths)
    return tuple(re.sub(r"\{\w+\}", "([^/]+)", path) for path in plain)


#: Path to handler.
TABLE = tuple((pattern, handler) for handler in HANDLERS for pattern in patterns(handler))


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
