"""Who asks AssemblyAI, and where: a key that is never told, and an address it may go to."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineUnavailable
from hybrid_transcribe.messages import UserMessage


@dataclass(frozen=True, slots=True)
class Account:
    """A key and the address of the service that knows it."""

    key: str = field(repr=False)
    base_url: str

    @property
    def loopback(self) -> bool:
        """True when the service is on this machine, as in tests."""
        return _is_loopback(urlsplit(self.base_url).hostname or "")

    def scrubbed(self, text: object) -> str:
        """Somebody else's text without the key, should they have put it there."""
        return str(text).replace(self.key, "[key]")


def account_of(settings: Settings) -> Account:
    """The account of these settings. Raises EngineUnavailable with the remedy."""
    why_not = wanting(settings)
    if why_not:
        raise EngineUnavailable(why_not)
    return Account((settings.assemblyai_api_key or "").strip(), _base_url(settings))


def wanting(settings: Settings) -> str | None:
    """What an account lacks, in one line with the remedy; None when it is complete."""
    key = (settings.assemblyai_api_key or "").strip()
    if not key:
        return UserMessage("no_key")
    if not (key.isascii() and key.isprintable() and " " not in key):
        # An HTTP library would refuse it too, and show it.
        return UserMessage("odd_key")
    return _wrong_address(_base_url(settings))


def rejected(status: int, said: str) -> str:
    """What to tell people when the service does not accept the key."""
    return UserMessage("wrong_key", status=status, text=said)


def _base_url(settings: Settings) -> str:
    return settings.assemblyai_base_url.strip().rstrip("/")


def _wrong_address(base_url: str) -> str | None:
    try:
        parts = urlsplit(base_url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        parts, host = urlsplit(""), None
    # The key goes there, so in the clear to this machine only; notes name it, so no password.
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host or ""))
    if host and safe and "@" not in parts.netloc:
        return None
    display_name = base_url if "@" not in base_url else "…@" + base_url.rpartition("@")[2]
    return UserMessage(
        "wrong_address",
        value=display_name,
        choices="https://api.assemblyai.com, https://api.eu.assemblyai.com",
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
