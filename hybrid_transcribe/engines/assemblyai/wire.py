"""Requests to AssemblyAI over the SDK's HTTP client: bounded, repeated where that may help.

The SDK's own calls repeat nothing, hide ``Retry-After`` and refuse an unknown status, so only
its client, its addresses and its types are used.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

import assemblyai as aai
import httpx

from hybrid_transcribe.engines.assemblyai.account import Account, rejected
from hybrid_transcribe.engines.assemblyai.pace import Deadline, PollingPace, retry_after_s
from hybrid_transcribe.errors import EngineError, EngineFailed, EngineUnavailable
from hybrid_transcribe.messages import UserMessage

_T = TypeVar("_T")

#: Statuses that may pass; those from 500 on are taken the same way.
_PASSING = (408, 425, 429)

#: Longest part of a server's error that is passed on, in characters.
_LONGEST_ERROR = 500


class Trouble(Exception):
    """Asking again may help. ``unsent``: the service has not acted on the request for sure."""

    def __init__(self, text: str, asked_s: float | None = None, *, unsent: bool = False) -> None:
        super().__init__(text)
        self.asked_s = asked_s
        self.unsent = unsent


class Gone(Exception):
    """The service knows no such thing (any more)."""


class OutOfTime(Exception):
    """The deadline passed; the text is the last trouble, if there was any."""


class Wire:
    """Used by ``async with``, on one event loop."""

    def __init__(self, account: Account, pace: PollingPace) -> None:
        self._account = account
        self._pace = pace
        self._sdk: aai.AsyncClient | None = None
        self._http: httpx.AsyncClient | None = None
        #: Some request was answered: there is a network, and somebody at its other end.
        self._reached = False

    async def __aenter__(self) -> Wire:
        # An error here, such as a proxy that cannot be, may show the settings it was given.
        trouble: Exception | None = None
        try:
            self._open()
        except Exception as error:
            trouble = self._unusable(error)
        if trouble is not None:
            raise trouble
        return self

    def _open(self) -> None:
        settings = aai.Settings(
            api_key=self._account.key,
            base_url=self._account.base_url,
            http_timeout=self._pace.silence_s,
            # Longer than between two looks, so that a cancel finds a connection open.
            keepalive_expiry=3 * self._pace.poll_longest_s,
        )
        self._sdk = aai.AsyncClient(settings=settings)
        self._http = self._sdk.http_client
        if self._account.loopback:
            # Proxies of the environment apply to loopback too, and know nothing of it.
            self._http = httpx.AsyncClient(
                base_url=self._http.base_url,
                headers=self._http.headers,
                timeout=self._http.timeout,
                # Without TLS there is nothing to verify, and certificates take 0.1 s to read.
                verify=self._account.base_url.startswith("https"),
                trust_env=False,
            )

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._http is not None:
            await self._http.aclose()
        if self._sdk is not None:
            await self._sdk.aclose()

    async def ask(self, method: str, path: str, within_s: float, **more: Any) -> dict[str, Any]:
        """One request; the JSON object it is answered with.

        Raises Trouble, Gone (404), EngineUnavailable (401, 403) and EngineFailed.
        """
        result = await self._sent(method, path, within_s, more)
        # Raised out here: a library's error, which may show more than it should, stays no cause.
        if isinstance(result, Exception):
            raise result
        trouble = self._wrong(result)
        if trouble is not None:
            raise trouble
        try:
            # Nothing that is told later can hold the key then.
            answer = json.loads(self._account.scrubbed(result.content.decode()))
        except ValueError:
            answer = None
        if not isinstance(answer, dict):
            raise Trouble(UserMessage("aai_no_json", host=self._host, method=method, path=path))
        return answer

    async def patiently(self, ask: Callable[[], Awaitable[_T]], deadline: Deadline) -> _T:
        """Ask until there is an answer. Raises OutOfTime and what ``ask`` raises but Trouble."""
        tries, last = 0, ""
        unreached = Deadline(self._pace.unreached_s, self._pace.now)
        while True:
            try:
                return await ask()
            except Trouble as trouble:
                # One that was cut short by the deadline says less than the one before it.
                last = trouble.args[0] if deadline.left_s() > 0 or not last else last
                wait_s = self._pace.retry_wait_s(tries, trouble.asked_s)
            tries += 1
            await asyncio.sleep(max(0.0, min(wait_s, deadline.left_s())))
            if deadline.left_s() <= 0 or (not self._reached and unreached.left_s() <= 0):
                raise OutOfTime(last)

    @property
    def _host(self) -> str:
        return urlsplit(self._account.base_url).netloc

    async def _sent(
        self, method: str, path: str, within_s: float, more: dict[str, Any]
    ) -> httpx.Response | Exception:
        if self._http is None:
            raise RuntimeError("Not open")
        try:
            # The client's own limits count from byte to byte: a drip would go on for ever.
            answer = await asyncio.wait_for(self._http.request(method, path, **more), within_s)
            self._reached = True
            return answer
        except asyncio.TimeoutError:
            return Trouble(
                UserMessage(
                    "aai_silent", host=self._host, method=method, path=path, seconds=within_s
                )
            )
        except httpx.TransportError as error:
            return self._unreached(error)
        except Exception as error:
            return self._unusable(error)

    def _unreached(self, error: httpx.TransportError) -> Exception:
        said = self._account.scrubbed(f"{type(error).__name__}: {error}").rstrip(": ")
        if "CERTIFICATE_VERIFY_FAILED" in said:
            return EngineUnavailable(UserMessage("aai_certificate", host=self._host, text=said))
        if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
            return self._unusable(error)
        unsent = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)
        return Trouble(UserMessage("aai_unreachable", host=self._host, text=said), unsent=unsent)

    def _unusable(self, error: Exception) -> EngineError:
        said = self._account.scrubbed(f"{type(error).__name__}: {error}")
        return EngineFailed(UserMessage("aai_unusable", host=self._host, text=said))

    def _wrong(self, response: httpx.Response) -> Exception | None:
        status = response.status_code
        if status == 200:
            return None
        said = self._said(response)
        if status in (401, 403):
            return EngineUnavailable(rejected(status, said))
        if status == 404:
            return Gone(said)
        if status in _PASSING or status >= 500:
            asked_s = retry_after_s(response.headers.get("Retry-After"), time.time())
            return Trouble(f"{self._host}: HTTP {status}: {said}", asked_s, unsent=status == 429)
        return EngineFailed(UserMessage("aai_refused", status=status, text=said))

    def _said(self, response: httpx.Response) -> str:
        try:
            said = response.json()["error"]
        except (ValueError, KeyError, TypeError):
            said = response.text or response.reason_phrase
        return self._account.scrubbed(said).strip()[:_LONGEST_ERROR]
