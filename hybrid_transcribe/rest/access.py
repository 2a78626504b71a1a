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
from urllib.parse import urlsplit

from hybrid_transcribe.errors import NotAllowed, NoToken

#: Words before a token in ``Authorization``.
SCHEMES = ("token", "bearer")


@dataclass(frozen=True, slots=True)
class Access:
    """The rules of one server.

    Attributes:
        token: what a caller must show, None lets everybody in.
        hosts: names people may call it by, beside ``localhost`` and addresses in numbers.
        owner: whoever shows the token owns every session, as in one's own kernel.
    """

    token: str | None = None
    hosts: frozenset[str] = frozenset()
    owner: bool = False

    def check(self, headers: Mapping[str, str], token: str | None) -> bool:
        """True when a token was shown. ``token`` is the one in the address, if any.

        Raises NotAllowed for a host or an origin that is not ours, NoToken.
        """
        self._check_host(headers.get("Host", ""))
        shown = self._shown(headers.get("Authorization", ""), token)
        if self.token is not None and not shown:
            raise NoToken(
                "A token is needed: send the header 'Authorization: token …', or ?token=… in the "
                "address"
            )
        if not shown:
            _check_origin(headers.get("Origin"), headers.get("Host", ""))
        return shown

    def _shown(self, authorization: str, in_address: str | None) -> bool:
        scheme, _, value = authorization.strip().partition(" ")
        offered = [in_address or "", value.strip() if scheme.lower() in SCHEMES else ""]
        token = (self.token or "").encode()
        # All are compared, each in constant time.
        found = [hmac.compare_digest(one.encode("utf-8", "replace"), token) for one in offered]
        return self.token is not None and any(found)

    def _check_host(self, host: str) -> None:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".").lower()
        if name == "localhost" or name in self.hosts or _is_address(name):
            return
        raise NotAllowed(f"This server is not called {host!r}")


def _check_origin(origin: str | None, host: str) -> None:
    """Without a token a browser may only call from a page of this very server."""
    if origin is None or urlsplit(origin).netloc.lower() == host.lower() != "":
        return
    raise NotAllowed(f"Requests from pages of {origin!r} are refused")


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
