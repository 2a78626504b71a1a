"""All addresses in one table, over whatever handler class the host has."""

from __future__ import annotations

from typing import Any

from tornado.web import RequestHandler, stream_request_body

from hybrid_transcribe.rest.door import Door, Rest
from hybrid_transcribe.rest.jobs import Control, Job, Jobs
from hybrid_transcribe.rest.queues import Queues, Session
from hybrid_transcribe.rest.results import JobResult, RecordingResult
from hybrid_transcribe.rest.system import Engines, Health, Limits, Models, Ready

_JOB = r"/jobs/([^/]+)"
_RECORDING = rf"{_JOB}/recordings/([^/]+)"

#: Path to handler, below the service's own prefix.
TABLE: tuple[tuple[str, type[Door]], ...] = (
    (r"/jobs", Jobs),
    (_JOB, Job),
    (rf"{_JOB}(?:/recordings/([^/]+))?/(cancel|retry|keep)", Control),
    (rf"{_JOB}/result", JobResult),
    (rf"{_RECORDING}/result", RecordingResult),
    (r"/queues", Queues),
    (r"/sessions/([^/]+)", Session),
    (r"/engines", Engines),
    (r"/engines/([^/]+)/models", Models),
    (r"/limits", Limits),
    (r"/health", Health),
    (r"/health/ready", Ready),
)


def routes(rest: Rest, base: type[RequestHandler] = RequestHandler) -> list[Any]:
    """Tornado's rules for a host whose handlers derive from ``base``.

    ``rest.prefix`` goes before every path, such as ``/user/ana/hybrid-transcribe``.
    """
    return [(rf"{rest.prefix}{path}", _on(base, door), {"rest": rest}) for path, door in TABLE]


def _on(base: type[RequestHandler], door: type[Door]) -> type[RequestHandler]:
    made: type[RequestHandler] = type(door.__name__, (door, base), {})
    return stream_request_body(made) if getattr(door, "streams", False) else made
