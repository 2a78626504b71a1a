"""Who may have a page: people, and programs that say nothing of browsers."""

from __future__ import annotations

import pytest

from hybrid_transcribe.rest.hosts.page import is_foreign

HOST = {"Host": "127.0.0.1:8866"}
LINK = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
IMAGES = "image/avif,image/webp,image/apng,image/*,*/*;q=0.8"
PAGES = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "image", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Dest": "script", "Sec-Fetch-Mode": "no-cors"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe", "Sec-Fetch-Mode": "navigate"},
        # A script that sends the browser elsewhere: nobody pressed anything.
        {"Sec-Fetch-Site": "cross-site", **LINK},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-User": "?1", "Sec-Fetch-Dest": "iframe"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Referer": "http://evil.example/page"},
        {"Accept": IMAGES},
        {"Accept": "text/css,*/*;q=0.1"},
    ],
)
def test_other_sites_get_no_page(headers: dict[str, str]) -> None:
    assert is_foreign({**HOST, **headers})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": PAGES},
        {"Accept": PAGES, "Referer": "http://127.0.0.1:8866/about"},
        {"Sec-Fetch-Site": "none", **LINK, "Sec-Fetch-User": "?1"},
        {"Sec-Fetch-Site": "same-origin", **LINK},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Dest": "iframe"},
        # A link that a person followed, in an intranet or a mail.
        {"Sec-Fetch-Site": "cross-site", **LINK, "Sec-Fetch-User": "?1"},
    ],
)
def test_people_and_programs_get_one(headers: dict[str, str]) -> None:
    assert not is_foreign({**HOST, **headers})
