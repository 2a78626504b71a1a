"""A browser's own EventSource, whose connection is cut."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from hybrid_transcribe.testing import Script
from tests.proxy import Wire
from tests.rest.conftest import Site
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

LISTEN = """address => {
    window.seen = []; window.opened = 0; window.over = false;
    const source = new EventSource(address);
    source.onopen = () => { window.opened += 1; };
    for (const name of ["snapshot", "job", "segment"])
        source.addEventListener(name, told => {
            const data = JSON.parse(told.data);
            window.seen.push([Number(told.lastEventId), name, data.index ?? -1]);
            if (data.job && data.job.finished_at) { window.over = true; source.close(); }
        });
}"""


def test_f24_a_browser_comes_back(browser_page: Page, site: Site, tmp_path: Path) -> None:
    """Cut in the middle of a job, the page hears the rest by itself: no gap, nothing twice."""
    token = site.server.token
    gate = tmp_path / "gate"
    with Wire(urlsplit(site.server.url).port or 0) as wire:
        browser_page.goto(f"{wire.url}/health?token={token}")
        browser_page.evaluate(LISTEN, f"/queues/events?token={token}")
        browser_page.wait_for_function("window.seen.length == 1")
        (path,) = wavs(site.folder, "talk", seconds=5)
        site.service.submit(path, model=Script(delay_s=0.2, gate=str(gate)).model)
        browser_page.wait_for_function("window.seen.length > 1")
        wire.cut()
        threading.Timer(0.1, gate.touch).start()
        browser_page.wait_for_function("window.over")
        seen = browser_page.evaluate("window.seen")
        assert browser_page.evaluate("window.opened") == 2
    numbers = [number for number, _, _ in seen]
    assert numbers == sorted(set(numbers))
    assert [name for _, name, _ in seen].count("snapshot") == 1
    assert [index for _, name, index in seen if name == "segment"] == [0, 1, 2, 3, 4]
