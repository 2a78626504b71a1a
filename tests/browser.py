"""A real browser for tests, and an ear for what its pages complain about.

::

    pytestmark = pytest.mark.browser

    def test_page(browser_page: Page, site: Site) -> None:
        heard = listen(browser_page)
        browser_page.goto(f"{site.server.url}/docs")
        assert heard.complaints == [] and heard.strangers(site.server.url) == set()

`browser` is one Chromium a test module, `browser_page` a page in a context of its own for each
test (no cookies, no storage of another). `browser.new_context(viewport=…, color_scheme="dark")`
makes others. Playwright's loop runs in the test's thread as long as the module does: servers
belong into other threads or processes, and no `asyncio.run` beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

#: Where Debian puts it.
CHROMIUM = Path("/usr/bin/chromium")

#: Containers have neither what the sandbox needs nor much shared memory.
ARGS = ["--no-sandbox", "--disable-dev-shm-usage"]

#: The browser looks no name up, so that it asks its own makers for nothing.
NO_NAMES = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"

#: Longest wait for anything to appear, in milliseconds; machines that run tests are shared.
PATIENCE_MS = 30_000


class NoBrowser(Exception):
    """There is none, or it does not start."""


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Chromium without a window, with more ``arguments``.

    Raises NoBrowser, ModuleNotFoundError without Playwright.
    """
    from playwright import sync_api as api

    with api.sync_playwright() as playwright:
        own = Path(playwright.chromium.executable_path)
        result = CHROMIUM if CHROMIUM.is_file() else own
        if not result.is_file():
            raise NoBrowser(f"no browser: neither {CHROMIUM} nor Playwright's own {own}")
        try:
            started = playwright.chromium.launch(executable_path=result, args=[*ARGS, *arguments])
        except api.Error as error:
            raise NoBrowser(f"{result} does not start: {error.message.splitlines()[0]}") from None
        yield started
        started.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; its tests are skipped where there is none."""
    pytest.importorskip("playwright.sync_api")
    try:
        with chromium() as started:
            yield started
    except NoBrowser as missing:
        pytest.skip(str(missing))


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page of 1280 x 800 in a context of its own."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@dataclass
class Heard:
    """What a page did since `listen`.

    Attributes:
        complaints: errors and warnings of its console, and exceptions nobody caught.
        requests: every address it asked for, of any host.
    """

    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def strangers(self, url: str) -> set[str]:
        """The hosts, other than the one of ``url``, that were asked for anything."""
        is_requested = {urlsplit(r).netloc for r in self.requests if r.startswith(("http", "ws"))}
        return is_requested - {urlsplit(url).netloc}

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")


def listen(page: Page) -> Heard:
    """Begin to note what a page does; call it before the page is opened."""
    event = Heard()
    page.on("console", event._console)
    page.on("pageerror", lambda error: event.complaints.append(str(error)))
    page.on("request", lambda request: event.requests.append(request.url))
    page.on("websocket", lambda socket: event.requests.append(socket.url))
    return event
