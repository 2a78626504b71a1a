"""Which requests for a page come from a person who wants it, and which from another site's page.

A page costs a process, so a site elsewhere must not have a visitor's browser ask for it: as an
image, in a frame, by a script or by sending the browser there. Browsers say what a request is
for (Fetch Metadata, https://www.w3.org/TR/fetch-metadata/), but only to hosts that they trust:
those of HTTPS and of the machine itself. Elsewhere ``Referer``, ``Origin`` and ``Accept`` say a
part of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

#: ``Sec-Fetch-Site`` of an address that was typed, a bookmark, or a link of this very server.
OWN_SITES = ("none", "same-origin")

#: What an answer to such a request is a page for.
_DOCUMENT = "document"


def is_foreign(headers: Mapping[str, str]) -> bool:
    """True for a request that a page of another origin made its reader's browser send.

    A link that a person follows is the person's: browsers mark it with ``Sec-Fetch-User``.
    What sends no such headers, as programs do, is taken at its word.

    >>> is_foreign({"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image"})
    True
    >>> is_foreign({"Sec-Fetch-Site": "none"}), is_foreign({})
    (False, False)
    """
    site = headers.get("Sec-Fetch-Site")
    if site is not None:
        return site not in OWN_SITES and not _is_followed_link(headers)
    return _is_of_another_host(headers) or not _takes_pages(headers.get("Accept"))


def _is_followed_link(headers: Mapping[str, str]) -> bool:
    return (
        headers.get("Sec-Fetch-Mode") == "navigate"
        and headers.get("Sec-Fetch-Dest") == _DOCUMENT
        and headers.get("Sec-Fetch-User") == "?1"
    )


def _is_of_another_host(headers: Mapping[str, str]) -> bool:
    """By where it says that it comes from, if it says so."""
    host = headers.get("Host", "").lower()
    named = [headers.get(name) for name in ("Origin", "Referer")]
    return any(urlsplit(address).netloc.lower() != host for address in named if address)


def _takes_pages(accept: str | None) -> bool:
    """False for what asks for an image, a style or a sound. Programs ask for anything."""
    kinds = [kind.partition(";")[0].strip().lower() for kind in (accept or "*/*").split(",")]
    return "text/html" in kinds or kinds[0] == "*/*"
