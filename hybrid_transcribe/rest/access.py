"""Who may come in: tokens, and the two ways in which a browser is turned against its user.

A page of somebody else's may make a browser call a server on this machine: its requests bear
an ``Origin`` that is not ours. Or it lets its own name point to this machine's address (DNS
rebinding): then it is the ``Host`` that is not ours.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import urlsplit

from hybrid_transcribe.errors import NotAllowed, NoToken
from hybrid_transcribe.messages import UserMessage

#: Words before a token in ``Authorization``.
SCHEMES = ("token", "bearer")

#: Among the names of a server: any name is fine.
ANY_HOST = "*"


class Role(Enum):
    """Who is asking, by what the request shows."""

    #: Shows the token where it stands for every session: one's own kernel, one's own lab.
    OWNER = "owner"
    #: Shows the token of a server for many: sees the sessions it names.
    HOLDER = "holder"
    #: A kernel behind a page that this server shows: the same, but nothing for operators.
    VISITOR = "visitor"
    #: Shows nothing, and nothing is asked for.
    ANYBODY = "anybody"
    #: Shows nothing where a token is asked for: is told that the server is there.
    STRANGER = "stranger"

    @property
    def trusted(self) -> bool:
        """The server's own token was shown."""
        return self in (Role.OWNER, Role.HOLDER)


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server.

    Attributes:
        token: what a caller must show, None lets everybody in.
        hosts: names people may call it by, beside ``localhost`` and addresses in numbers; with
            ``*`` whatever they say.
        owner: whoever shows the token owns every session, as in one's own kernel.
        visitor: what the kernels of this server's pages show, whether there is a token or not.
    """

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    owner: bool = False
    visitor: str | None = None

    def check(self, headers: Mapping[str, str], token: str | None) -> Role:
        """Who is asking. ``token`` is the one in the address, if any.

        Raises NotAllowed for a host or an origin that is not ours, NoToken.
        """
        self.check_host(headers.get("Host", ""))
        offered = _offered(headers.get("Authorization", ""), token)
        if _shows(offered, self.token):
            return Role.OWNER if self.owner else Role.HOLDER
        if _shows(offered, self.visitor):
            return Role.VISITOR
        if self.token is not None:
            raise NoToken(UserMessage("token_needed"))
        _check_origin(headers.get("Origin"), headers.get("Host", ""))
        return Role.ANYBODY

    def check_host(self, host: str) -> None:
        """Raises NotAllowed for a name that is not this server's."""
        name = _name_of(host)
        if name == "localhost" or name in self.hosts or _is_address(name):
            return
        if ANY_HOST in self.hosts:
            return
        raise NotAllowed(UserMessage("wrong_host", host=host))


def _offered(authorization: str, in_address: str | None) -> tuple[str, ...]:
    scheme, _, value = authorization.strip().partition(" ")
    return (in_address or "", value.strip() if scheme.lower() in SCHEMES else "")


def _shows(offered: tuple[str, ...], secret: str | None) -> bool:
    expected = (secret or "").encode()
    # All are compared, each in constant time.
    items = [hmac.compare_digest(item.encode("utf-8", "replace"), expected) for item in offered]
    return bool(secret) and any(items)


def _check_origin(origin: str | None, host: str) -> None:
    """Without a token a browser may only call from a page of this very server."""
    if origin is None or urlsplit(origin).netloc.lower() == host.lower() != "":
        return
    raise NotAllowed(UserMessage("page_refused", origin=origin))


def _name_of(host: str) -> str:
    """Without its port; nothing of what is no host at all."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
