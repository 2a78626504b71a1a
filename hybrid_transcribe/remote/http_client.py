"""One question to a service elsewhere: headers, errors, and trying again what may be repeated."""

from __future__ import annotations

import ipaddress
import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit, urlunsplit

import httpx
import msgspec

from hybrid_transcribe.core.backoff import backoff_s, spread_s
from hybrid_transcribe.errors import (
    HybridTranscribeError,
    InvalidRequest,
    NotAllowed,
    NotFound,
    Unreachable,
    from_info,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import ErrorInfo

#: How often a question is asked before the service counts as unreachable.
TRIES = 3

#: The pause before the second try and the longest of all, in seconds.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 20.0

#: Longest wait for a connection, in seconds.
CONNECT_S = 5.0

#: What a server on the way says when it does not reach the service.
_ON_THE_WAY = (
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)


def pause_s(failures: int, chance: Callable[[], float] = random.random) -> float:
    """How long to wait after so many failures: doubling, and never two clients in step.

    >>> [pause_s(n, lambda: 1.0) for n in (0, 1, 2, 3, 99)]
    [0.25, 0.25, 0.5, 1.0, 20.0]
    """
    return spread_s(backoff_s(failures, FIRST_PAUSE_S, LONGEST_PAUSE_S), chance())


@dataclass(frozen=True, slots=True)
class Address:
    """Where a service is, and the capabilities shown to it; neither is ever in a text."""

    url: str
    token: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, url: str, token: str | None) -> Address:
        """From what people copy, also with ``?token=`` in it. Raises InvalidRequest."""
        parts = urlsplit(url.strip())
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidRequest(UserMessage("service_scheme", scheme=parts.scheme))
        if parts.username or parts.password:
            raise InvalidRequest(UserMessage("service_password"))
        display_name = token or next(iter(parse_qs(parts.query).get("token", ())), None)
        return cls(
            urlunsplit((parts.scheme, parts.netloc, parts.path.rstrip("/"), "", "")), display_name
        )

    @property
    def near(self) -> bool:
        """True for this very machine, which no proxy leads to."""
        host = urlsplit(self.url).hostname or ""
        try:
            return host == "localhost" or ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False

    def client_args(self, timeout_s: float) -> dict[str, Any]:
        """Keyword arguments of `httpx.Client` and `httpx.AsyncClient`."""
        fields = {} if self.token is None else {"Authorization": f"token {self.token}"}
        return {
            "headers": fields,
            "timeout": httpx.Timeout(timeout_s, connect=CONNECT_S),
            "trust_env": not self.near,
        }


def session_headers(session_ids: Sequence[str] | None) -> dict[str, str]:
    """Sessions are named in a header, where no log has them. Raises InvalidRequest."""
    if session_ids is None:
        return {}
    for session_id in session_ids:
        if (
            not session_id.isascii()
            or not session_id.isprintable()
            or "," in session_id
            or session_id != session_id.strip()
        ):
            raise InvalidRequest(UserMessage("session_characters"))
    return {"X-Session-Id": ",".join(session_ids)}


class HttpClient:
    """Questions from any thread, over connections that are kept."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self._address = address
        self._client = httpx.Client(**address.client_args(timeout_s))

    def ask(
        self,
        method: str,
        path: str,
        *,
        again: bool = True,
        sessions: Sequence[str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: Callable[[], Iterator[bytes]] | None = None,
        **more: Any,
    ) -> httpx.Response:
        """The response, whole. ``again``: asking twice does no harm.

        Raises what the service raised, and Unreachable after a bounded time.
        """
        all_headers = {**session_headers(sessions), **(headers or {})}
        failures = 0
        while True:
            try:
                body = None if content is None else content()
                answer = self._client.request(
                    method, self._address.url + path, headers=all_headers, content=body, **more
                )
            except httpx.TransportError as error:
                failures += 1
                unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
                if failures >= TRIES or not (again or unsent):
                    raise unreachable(self._address, error) from error
                time.sleep(pause_s(failures))
            else:
                check(self._address, answer.status_code, answer.content)
                return answer

    @property
    def client(self) -> httpx.Client:
        """For answers that are read as they come."""
        return self._client

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()


def unreachable(address: Address, error: Exception) -> Unreachable:
    """What is told of a service that does not answer."""
    reason = str(error) or type(error).__name__
    return Unreachable(UserMessage("unreachable_at", url=address.url, why=reason))


def check(address: Address, status: int, body: bytes) -> None:
    """Raise the error an answer stands for, if any."""
    if status < HTTPStatus.MULTIPLE_CHOICES:
        return
    try:
        payload = msgspec.json.decode(body)
        text = str(payload["detail"] or payload["title"])
        reason, params = str(payload.get("reason", "")), dict(payload.get("params", {}))
        info = ErrorInfo(str(payload["code"]), text, reason, params)
    except (msgspec.DecodeError, KeyError, TypeError):
        raise _strange(address, status) from None
    raise from_info(info)


def _strange(address: Address, status: int) -> HybridTranscribeError:
    """For answers that are not the service's own."""
    params = {"url": address.url, "status": int(status)}
    if status in _ON_THE_WAY:
        return Unreachable(UserMessage("strange_behind", **params))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return NotAllowed(UserMessage("strange_answer", **params))
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(UserMessage("strange_address", **params))
    return HybridTranscribeError(UserMessage("strange_answer", **params))
