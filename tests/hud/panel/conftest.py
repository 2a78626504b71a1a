"""A page for the panel, watched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec
import pytest

from hybrid_transcribe.hud import messages
from tests.browser import Heard, listen
from tests.hud.panel.harness import URL, serve

if TYPE_CHECKING:
    from playwright.sync_api import Page


@pytest.fixture
def complaints(browser_page: Page) -> Iterator[Heard]:
    """The panel says nothing on the console, asks nobody else, and keeps to the contract."""
    text = listen(browser_page)
    serve(browser_page.context)
    yield text
    assert text.complaints == []
    assert text.strangers(URL) == set()
    # A test that was skipped has shown nothing.
    for message in browser_page.evaluate("globalThis.fake?.heard ?? []"):
        messages.read(message)
    for message in browser_page.evaluate("globalThis.fake?.told ?? []"):
        msgspec.convert(message, type=messages.FromKernel)


@pytest.fixture
def page(browser_page: Page, complaints: Heard) -> Page:
    """Nothing on it yet: `show` it."""
    return browser_page
