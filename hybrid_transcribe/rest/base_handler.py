"""What all handlers share: who may come in, JSON out, errors as problems."""

from __future__ import annotations

import asyncio
import logging
import math
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from tornado.web import HTTPError, RequestHandler

from hybrid_transcribe.errors import (
    OVERLOADED,
    HybridTranscribeError,
    InvalidRequest,
    NoToken,
    Overloaded,
    QueueFull,
    is_out_of_descriptors,
)
from hybrid_transcribe.events import Event
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.outbound import webhooks
from hybrid_transcribe.rest import connections
from hybrid_transcribe.rest.access import Access, Role
from hybrid_transcribe.rest.compat.waiting import Waiting
from hybrid_transcribe.rest.decoding import decode_query
from hybrid_transcribe.rest.event_texts import EventTexts
from hybrid_transcribe.rest.metrics import MetricsCollector
from hybrid_transcribe.rest.openapi.operation import PROBLEM_CONTENT, Error, problem_status
from hybrid_transcribe.rest.openapi.schemas import Schema
from hybrid_transcribe.rest.problems import PROBLEM, problem, status_of
from hybrid_transcribe.rest.rate import Rates, counted
from hybrid_transcribe.service_protocol import HostedService
from hybrid_transcribe.uploads.store import expire_abandoned

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

_T = TypeVar("_T")
_S = TypeVar("_S", bound=msgspec.Struct)

log = logging.getLogger(__name__)

#: Most sessions that one request may name.
MOST_SESSIONS = 100

#: For what is asked again and again: keep it, and ask each time whether it still holds (304).
REVALIDATE = "private, no-cache"

#: A queue that is full may have room again after so many seconds.
TRY_AGAIN_S = 30

#: Requests that failed for want of descriptors, logged now and then.
_want_of_descriptors = connections.Refusals("want of file descriptors")

#: The longest that anybody is told to wait, in seconds.
LONGEST_TRY_AGAIN_S = 600.0


@dataclass(slots=True)
class AppContext:
    """What the handlers of one server share."""

    service: HostedService
    access: Access
    prefix: str = ""
    rates: Rates = field(init=False)
    meter: MetricsCollector = field(init=False)
    waiting: Waiting = field(init=False)
    event_texts: EventTexts = field(init=False, default_factory=EventTexts)
    doors: weakref.WeakSet[BaseHandler] = field(init=False, default_factory=weakref.WeakSet)

    def __post_init__(self) -> None:
        self.rates = Rates(self.service.settings.rate_limit_per_min, self.service.clock.monotonic)
        self.meter = MetricsCollector()
        webhooks.start(self.service)
        expire_abandoned(self.service)
        self.waiting = Waiting(self.service)
        self.service.subscribe(self._on_event)

    def _on_event(self, event: Event) -> None:
        self.meter.take(event)
        self.waiting.take(event)

    def busy(self) -> bool:
        """True while somebody waits for an answer, or is being given one."""
        return any(door.answering for door in self.doors)


class TellsMethods(_Base):
    """HEAD is answered as GET, without the body; every 405 says what can be done (RFC 9110)."""

    def __init_subclass__(cls, **named: Any) -> None:
        """Each handler with a GET gets a HEAD: Tornado leaves out the body."""
        super().__init_subclass__(**named)
        if "get" in vars(cls) and "head" not in vars(cls):
            cls.head = cls.get

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        """As Tornado's."""
        super().set_status(status_code, reason)
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(self.methods()))

    def methods(self) -> list[str]:
        """What can be done here."""
        no = RequestHandler._unimplemented_method
        return [m for m in self.SUPPORTED_METHODS if getattr(type(self), m.lower(), no) is not no]


class BaseHandler(TellsMethods, _Base):
    """A handler on any host: mixed into that host's own handler class by `routes`."""

    #: Its addresses below the prefix, as OpenAPI writes them; its part of the document.
    paths: tuple[str, ...] = ()
    group: str = ""
    #: What matches an address where that is more than the address says.
    pattern: str | None = None
    #: The document's words on errors: whether one may be a missing token, and what they are.
    asks_for_token: bool = True
    error_content: Schema = PROBLEM_CONTENT
    error_status: Callable[[Error], int] = staticmethod(problem_status)

    rest: AppContext
    #: Who is asking, by what this request shows.
    who: Role = Role.ANYBODY
    #: Whoever is turned away elsewhere is answered here, with less.
    open_to_strangers: bool = False
    #: The status that they get where nothing has been started yet.
    stranger_status: str = ""
    #: The address that led here, as a label.
    template: str = ""
    #: What is told of this client's rate.
    _rate_headers: Mapping[str, str] = MappingProxyType({})

    def initialize(self, rest: AppContext) -> None:
        """Called by Tornado with the route's arguments."""
        self.rest = rest

    def prepare(self) -> None:
        """Turn away who may not come in, before anything of the request is kept."""
        self.rest.doors.add(self)
        self.who = self.identify()
        self._count()

    @property
    def answering(self) -> bool:
        """It is our turn: the client has asked all it wants to."""
        return True

    def identify(self) -> Role:
        """Who is asking. Raises NotAllowed, NoToken."""
        token = self.get_query_argument("token", None)
        return self.rest.access.check(self.request.headers, token)

    def _count(self) -> None:
        """Raises RateLimited for a client that asks for work too often."""
        path = self.request.path.removeprefix(self.rest.prefix)
        # Kernels all call from here: a limit by address would be one for all visitors together.
        free = self.who in (Role.OWNER, Role.VISITOR)
        if not free and counted(self.request.method or "", path):
            # An error clears the headers, hence also kept.
            self._rate_headers = self.rest.rates.refused()
            self._rate_headers = self.rest.rates.take(self.request.remote_ip or "")
            self._tell_left()

    def _tell_left(self) -> None:
        for name, value in self._rate_headers.items():
            self.set_header(name, value)

    def on_finish(self) -> None:
        """Every answer is counted, whatever it was."""
        # Where the host turned somebody away, there may be no service yet.
        if hasattr(self, "rest"):
            self.rest.meter.answered(self, self.template)
            self.rest.doors.discard(self)
        super().on_finish()

    def check_xsrf_cookie(self) -> None:
        """Not by cookie: `Access` refuses other origins, and takes no cookie for a proof."""

    # --------------------------------------------------------------------------- asking

    async def ask(self, action: Callable[[HostedService], _T]) -> _T:
        """Have the service do something short, whatever loop this is."""
        service = self.rest.service
        return await asyncio.wrap_future(service.ask(lambda: action(service)))

    async def on_loop(self, action: Callable[[], _T]) -> _T:
        """Do something with what all handlers share, which one loop alone touches."""
        return await asyncio.wrap_future(self.rest.service.on_loop(action))

    async def ask_at_length(self, action: Callable[[HostedService], _T]) -> _T:
        """Have the service do what may take long, on a thread of its own."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, action, self.rest.service)

    async def check_model(self, engine: str | None, model: str | None) -> None:
        """Raise UnknownModel for what this caller may not name, UnknownEngine."""
        hub_ids = self.owner
        await self.ask(lambda service: service.check_model(engine, model, hub_ids=hub_ids))

    @property
    def sessions(self) -> tuple[str, ...] | None:
        """The sessions this request may see; None, in one's own kernel, for all.

        From ``session_id`` or ``session_ids`` (commas) in the address or ``X-Session-Id``.
        """
        items = [
            *self.get_query_arguments("session_id"),
            *self.get_query_arguments("session_ids"),
            *self.request.headers.get_list("X-Session-Id"),
        ]
        named = tuple(dict.fromkeys(s.strip() for g in items for s in g.split(",") if s.strip()))
        if len(named) > MOST_SESSIONS:
            # Each is compared with that of every job.
            raise InvalidRequest(UserMessage("many_sessions", n=len(named), most=MOST_SESSIONS))
        return None if not named and self.owner else named

    @property
    def named_session(self) -> str | None:
        """The one session that a new job is to belong to. Raises InvalidRequest for several."""
        named = self.sessions or ()
        if len(named) > 1:
            raise InvalidRequest(UserMessage("one_session"))
        return named[0] if named else None

    @property
    def job_sessions(self) -> tuple[str, ...] | None:
        """The same where the address names a job: its id, 128 random bits, is a key of its own.

        A request that names sessions is still held to them.
        """
        return self.sessions or None

    @property
    def owner(self) -> bool:
        """True for the owner of all sessions."""
        return self.who is Role.OWNER

    @property
    def trusted(self) -> bool:
        """The server's token was shown."""
        return self.who.trusted

    def query(self, cls: type[_S]) -> _S:
        """The fields of the address; of what is there twice, the last. Raises InvalidRequest."""
        names = cls.__struct_fields__
        return decode_query(cls, {name: self.get_query_argument(name, "") for name in names})

    # -------------------------------------------------------------------------- answering

    def reply(self, value: Any, status: int = HTTPStatus.OK, cache: str = "no-store") -> None:
        """Answer with JSON; ``cache`` says who may keep it."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", cache)
        self.finish(msgspec.json.encode(value))

    def at(self, path: str) -> str:
        """The address of something of ours, from the root of the host."""
        return f"{self.rest.prefix}{path}"

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error, ours and Tornado's, as a problem."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if is_out_of_descriptors(error):
            error = Overloaded(OVERLOADED)
        code, detail = HTTPStatus(status_code).phrase.lower().replace(" ", "_"), ""
        if isinstance(error, HybridTranscribeError):
            status_code, code, detail = int(status_of(error)), error.code, error.message
            self._headers_of(error)
        elif isinstance(error, HTTPError):
            detail = error.log_message or ""
        self.set_status(status_code)
        self._tell_left()
        self.set_header("Content-Type", PROBLEM)
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(problem(code, detail, status_code)))

    def _headers_of(self, error: HybridTranscribeError) -> None:
        if isinstance(error, NoToken):
            self.set_header("WWW-Authenticate", "Bearer")
        if isinstance(error, Overloaded):
            self.set_header("Retry-After", str(connections.TRY_AGAIN_S))
        if isinstance(error, QueueFull):
            wait_s = TRY_AGAIN_S if error.retry_after_s is None else error.retry_after_s
            # A forecast of hours may be wrong, and others may cancel.
            wait_s = min(max(1.0, wait_s), LONGEST_TRY_AGAIN_S)
            self.set_header("Retry-After", str(math.ceil(wait_s)))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Errors of ours are answers; only what nobody expected is logged with its road."""
        if isinstance(value, HybridTranscribeError | HTTPError):
            return
        if is_out_of_descriptors(value):
            # Every request fails the same way then; the road to it says nothing.
            _want_of_descriptors.add()
            return
        log.error("%s failed", self.request.method, exc_info=(typ, value, tb))
