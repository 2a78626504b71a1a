"""Lines that break and servers that end, under pages that are open."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from hybrid_transcribe.testing import Script
from tests.browser import PATIENCE_MS
from tests.hud.page.visiting import Visit, digest, digest_of, jobs, visit, write_long
from tests.proxy import Wire
from tests.rest.hosts.running import TOKEN, Running, serve
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

_SENT = """
() => {
  const found = /(\\d+)\\s*%/.exec(document.querySelector(".ht-summary")?.textContent ?? "");
  return found !== null && Number(found[1]) >= 10;
}
"""


def cut(wire: Wire, page: Page) -> None:
    """Cut the line; the page says so, and then that it is back."""
    wire.cut()
    page.wait_for_selector(".ht-dot[data-line=down]")
    page.wait_for_selector(".ht-dot[data-line=up]")


def test_a_line_that_breaks(browser: Browser, site: Running, tmp_path: Path) -> None:
    """An upload goes on where it was, and a job's row and text are right in the end."""
    big = tmp_path / "big.wav"
    write_long(big, 150_000_000)
    (talk,) = wavs(tmp_path, "talk", seconds=30.0)
    at = urlsplit(site.url)
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    with Wire(at.port or 0) as wire, site.client() as client:
        try:
            guest = Visit(context.new_page(), f"{wire.url}{at.path}/ui")
            guest.send(big)
            guest.page.wait_for_function(_SENT)
            assert guest.names() == []
            cut(wire, guest.page)
            guest.row(big.name).wait_for(timeout=120_000)
            (job,) = jobs(client, guest.session_id)
            guest.row(big.name).locator("[data-action=cancel]").click()
            guest.until(big.name, "canceled")
            assert digest_of(client, job, guest.session_id) == digest(big)

            guest.send(talk)
            guest.until_percentage(talk.name, 10)
            cut(wire, guest.page)
            guest.until(talk.name, "completed")
            assert guest.names() == [talk.name, big.name]
            guest.row(talk.name).get_by_role("button", name=talk.name, exact=True).click()
            guest.until_text(30)
            assert guest.text() == [f"{talk.name} {second}" for second in range(30)]
        finally:
            context.close()


def test_a_server_that_is_started_again(browser: Browser, tmp_path: Path) -> None:
    """Killed under an open page: the page says what to do, and then all of it is there."""
    (path,) = wavs(tmp_path, "talk", seconds=3.0)
    arguments = ("--token", TOKEN)
    engine = {"HYBRID_TRANSCRIBE_MODEL": Script().model}
    with serve(tmp_path, *arguments, **engine) as first, visit(browser, first) as guest:
        guest.send(path)
        guest.until(path.name, "completed")
        session = guest.session_id
        first.stop(signal.SIGKILL)
        guest.page.wait_for_selector(".ht-dot[data-line=down]")
        port = str(urlsplit(first.url).port)
        with serve(tmp_path, *arguments, "--port", port, **engine):
            again = guest.page.get_by_role("button", name="Load again")
            again.click()
            guest.ready()
            assert guest.session_id == session
            guest.until(path.name, "completed")
            assert guest.names() == [path.name]
            guest.row(path.name).get_by_role("button", name=path.name, exact=True).click()
            guest.until_text(3)
            assert guest.save("txt").startswith(b"talk.wav 0")
            guest.close()
