"""What all handlers share: who may come in, JSON out, errors as problems."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from tornado.web import HTTPError

from hybrid_transcribe.errors import HybridTranscribeError, InvalidRequest, NoToken, QueueFull
from hybrid_transcribe.jobs.room import EngineRoom
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.rest.access import Access
from hybrid_transcribe.rest.problems import PROBLEM, problem, status_of

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object

_T = TypeVar("_T")

log = logging.getLogger(__name__)

#: A queue that is full may have room again after so many seconds.
TRY_AGAIN_S = 30


@dataclass(slots=True)
class Rest:
    """What the handlers of one server share."""

    service: Service
    access: Access
    prefix: str = ""


class Door(_Base):
    """A handler on any host: mixed into that host's own handler class by `routes`."""

    rest: Rest
    #: The token was shown in this request.
    trusted: bool = False

    def initialize(self, rest: Rest) -> None:
        """Called by Tornado with the route's arguments."""
        self.rest = rest

    def prepare(self) -> None:
        """Turn away who may not come in, before anything of the request is kept."""
        token = self.get_query_argument("token", None)
        self.trusted = self.rest.access.check(self.request.headers, token)

    def check_xsrf_cookie(self) -> None:
        """Not by cookie: `Access` refuses other origins, and takes no cookie for a proof."""

    # --------------------------------------------------------------------------- asking

    async def ask(self, action: Callable[[EngineRoom], _T]) -> _T:
        """Do something in the engine room, whatever loop this is."""
        return await asyncio.wrap_future(self.rest.service.call(action))

    @property
    def sessions(self) -> tuple[str, ...] | None:
        """The sessions this request may see; None, in one's own kernel, for all.

        From ``session_id`` or ``session_ids`` (commas) in the address or ``X-Session-Id``.
        """
        given = [
            *self.get_query_arguments("session_id"),
            *self.get_query_arguments("session_ids"),
            *self.request.headers.get_list("X-Session-Id"),
        ]
        named = tuple(dict.fromkeys(s.strip() for g in given for s in g.split(",") if s.strip()))
        return None if not named and self.owner else named

    @property
    def owner(self) -> bool:
        """True for the owner of all sessions."""
        return self.trusted and self.rest.access.owner

    def flag(self, name: str) -> bool:
        """A yes or no in the address. Raises InvalidRequest."""
        text = self.get_query_argument(name, "false").strip().lower()
        if text not in ("true", "1", "yes", "false", "0", "no", ""):
            raise InvalidRequest(f"{name}={text!r}: it must be true or false")
        return text in ("true", "1", "yes")

    # -------------------------------------------------------------------------- answering

    def reply(self, value: Any, status: int = HTTPStatus.OK) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(value))

    def at(self, path: str) -> str:
        """The address of something of ours, from the root of the host."""
        return f"{self.rest.prefix}{path}"

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error, ours and Tornado's, as a problem."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        code, detail = HTTPStatus(status_code).phrase.lower().replace(" ", "_"), ""
        if isinstance(error, HybridTranscribeError):
            status_code, code, detail = int(status_of(error)), error.code, str(error)
            self._headers_of(error)
        elif isinstance(error, HTTPError):
            detail = error.log_message or ""
        self.set_status(status_code)
        self.set_header("Content-Type", PROBLEM)
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(problem(code, detail, status_code)))

    def _headers_of(self, error: HybridTranscribeError) -> None:
        if isinstance(error, NoToken):
            self.set_header("WWW-Authenticate", "Bearer")
        if isinstance(error, QueueFull):
            self.set_header("Retry-After", str(TRY_AGAIN_S))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Errors of ours are answers; only what nobody expected is logged with its road."""
        if isinstance(value, HybridTranscribeError | HTTPError):
            return
        log.error("%s failed", self.request.method, exc_info=(typ, value, tb))
