"""A page of another site, in a real browser, asks for ours in every way that it has."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

pytest.importorskip("voila")
pytest.importorskip("playwright.sync_api")

from tests.processes import command_of
from tests.rest.hosts.running import TOKEN, Running, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

_FOREIGN = """<!doctype html><title>Evil</title><link rel="icon" href="data:,">
<img src="{0}?img"><script src="{0}?script"></script>
<link rel="stylesheet" href="{0}?style"><iframe src="{0}?frame"></iframe>
<a id="link" href="{0}">link</a>"""

_SENDING = """<!doctype html><script>location.href = "{0}";</script>"""


@contextmanager
def _foreign_site(address: str) -> Iterator[str]:
    """Another site, as browsers see it: of another name. Yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = _SENDING if self.path == "/sending" else _FOREIGN
            body = page.format(address).encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()


def _logged(running: Running) -> list[int]:
    """Statuses of requests for the page, as they were logged."""
    lines = [json.loads(line) for line in tuple(running.lines) if line.startswith("{")]
    return [line["status"] for line in lines if line.get("path", "").endswith("/ui")]


def _kernels(running: Running) -> int:
    children = psutil.Process(running.process.pid).children(recursive=True)
    return sum("ipykernel_launcher" in command_of(child) for child in children)


def test_f83_a_foreign_page_starts_no_kernel(browser_page: Page, tmp_path: Path) -> None:
    """Images, scripts, frames, requests and being sent there start none; a followed link does."""
    with ExitStack() as stack:
        running = stack.enter_context(serve(tmp_path, "--token", TOKEN))
        address = f"{running.url}/ui"
        evil = stack.enter_context(_foreign_site(address))
        statuses: list[int] = []
        browser_page.on("response", lambda r: statuses.append(r.status) if "/ui" in r.url else None)
        browser_page.goto(evil)
        browser_page.wait_for_load_state("load")
        browser_page.evaluate(
            "address => fetch(address + '?fetch', {mode: 'no-cors'}).catch(() => {})", address
        )
        # The server's log has them all: browsers keep some answers to themselves.
        running.until(lambda _: _logged(running).count(403) >= 5)
        assert set(statuses) == set(_logged(running)) == {403}
        # By the page's own script: what Playwright evaluates counts as a person's deed.
        browser_page.goto(f"{evil}sending", wait_until="commit")
        own = browser_page.get_by_role("link")
        own.wait_for()
        assert browser_page.url == address
        assert _kernels(running) == 0

        own.click()
        browser_page.wait_for_selector(".ht-dot[data-line=up]")
        assert _kernels(running) == 1

        browser_page.goto(evil)
        browser_page.click("#link")
        browser_page.wait_for_selector(".ht-dot[data-line=up]")
