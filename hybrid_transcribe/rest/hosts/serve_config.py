"""What `hybrid-transcribe serve` is to do, checked before anything is started."""

from __future__ import annotations

import os
import re
import secrets
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from hybrid_transcribe.config import PREFIX
from hybrid_transcribe.core.telemetry import truth
from hybrid_transcribe.errors import InvalidOption, InvalidRequest
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.access import Access
from hybrid_transcribe.rest.server import LOOPBACK, TOKEN_BITS

#: That of Voila, by whose pages people know it.
PORT = 8866

#: Kernels of pages: so many are warm, and so many have a page at most.
WARM_PAGES, MAX_PAGES = 2, 40

#: More kernels than this no machine has room for.
MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """Where to serve, and for whom.

    Attributes:
        host, port: where to listen; port 0 takes a free one.
        token: what callers of the REST service must show, None lets everybody in. The page at
            ``/ui`` is for everybody in any case.
        token_made: the token is a new one, which nobody knows yet.
        base_url: what goes before every path, ``""`` or like ``/transcribe``.
        names: names that people call this server by, beside localhost and addresses.
        trust_proxy: believe what a proxy says in X-Forwarded-For and -Proto of its client.
        visitor: what the kernels of its pages show.
        warm_pages: kernels that wait for a visitor, about 100 MB each.
        max_pages: no more pages than this, those being made included.
    """

    host: str = "127.0.0.1"
    port: int = PORT
    token: str | None = None
    token_made: bool = False
    base_url: str = ""
    names: frozenset[str] = frozenset()
    trust_proxy: bool = False
    visitor: str = ""
    warm_pages: int = WARM_PAGES
    max_pages: int = MAX_PAGES

    @property
    def access(self) -> Access:
        """Its rules. Nobody owns all sessions of a server for many."""
        return Access(self.token, self.names, visitor=self.visitor)

    def url(self, port: int) -> str:
        """Where this machine reaches it, without a slash at the end."""
        everywhere = self.host in ("", "0.0.0.0", "::")  # noqa: S104
        host = "127.0.0.1" if everywhere else self.host
        text = f"[{host}]" if ":" in host else host
        return f"http://{text}:{port}{self.base_url}"


def make_config(
    host: str | None = None,
    port: int | None = None,
    *,
    token: str | None = None,
    open_to_all: bool | None = None,
    open_to_network: bool | None = None,
    base_url: str | None = None,
    names: tuple[str, ...] = (),
    trust_proxy: bool | None = None,
    environ: Mapping[str, str] | None = None,
) -> ServeConfig:
    """What was said on the command line, then what the environment says, then defaults.

    Raises InvalidOption, InvalidRequest.
    """
    message = _Source(os.environ if environ is None else environ)
    host = message.text("HOST", host) or "127.0.0.1"
    network = message.flag("OPEN_TO_NETWORK", open_to_network)
    is_open = message.flag("OPEN", open_to_all) or network
    # What is said on the command line counts more than a variable that was left set.
    token = token if token is not None or open_to_all or open_to_network else message.text("TOKEN")
    _check_open(host, token, is_open, network)
    instance = not is_open and not token
    return ServeConfig(
        host=host,
        port=message.port(port),
        token=None if is_open else token or _secret(),
        token_made=instance,
        base_url=_base(message.text("BASE_URL", base_url) or ""),
        names=_names(host, (*names, *(message.text("ALLOW_HOST") or "").split(","))),
        trust_proxy=message.flag("TRUST_PROXY", trust_proxy),
        visitor=_secret(),
        warm_pages=message.count("WARM_PAGES", WARM_PAGES),
        max_pages=message.count("MAX_PAGES", MAX_PAGES),
    )


class _Source:
    """Settings of the environment, where the command line says nothing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, value: str | None = None) -> str | None:
        return value if value is not None else self._environ.get(PREFIX + name) or None

    def flag(self, name: str, value: bool | None) -> bool:
        if value is not None:
            return value
        text = self._environ.get(PREFIX + name, "").strip().lower()
        flag = truth(text) if text else False
        if flag is None:
            raise InvalidOption(UserMessage("must_be_bool", name=f"{PREFIX}{name}", value=text))
        return flag

    def port(self, value: int | None) -> int:
        text = self.text("PORT", None if value is None else str(value)) or str(PORT)
        if not text.isdecimal() or int(text) > 65535:
            raise InvalidOption(UserMessage("port_range", value=text))
        return int(text)

    def count(self, name: str, default: int) -> int:
        text = self.text(name) or str(default)
        if not text.isdecimal() or int(text) > MOST_PAGES:
            raise InvalidOption(
                UserMessage("must_be_up_to", name=f"{PREFIX}{name}", value=text, most=MOST_PAGES)
            )
        return int(text)


def _check_open(host: str, token: str | None, is_open: bool, network: bool) -> None:
    if is_open and token:
        raise InvalidRequest(UserMessage("token_or_open"))
    if is_open and host not in LOOPBACK and not network:
        raise InvalidRequest(UserMessage("open_to_network", host=host))


def _secret() -> str:
    return secrets.token_hex(TOKEN_BITS // 8)


def _base(text: str) -> str:
    """``/a/b`` of any way to write it. Raises InvalidOption."""
    path = text.strip().strip("/")
    if path and not re.fullmatch(r"[\w.~-]+(/[\w.~-]+)*", path, re.ASCII):
        raise InvalidOption(UserMessage("base_url_path", value=text))
    return f"/{path}" if path else ""


def _names(host: str, value: tuple[str, ...]) -> frozenset[str]:
    """Also what this machine calls itself, where others reach it."""
    named = [name.strip().lower().rstrip(".") for name in value if name.strip()]
    if host not in LOOPBACK:
        named += [host.lower(), socket.gethostname().lower()]
    return frozenset(named)
