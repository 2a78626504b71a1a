"""Lines that break and servers that end, under a panel in JupyterLab."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from hybrid_transcribe.testing import Script
from tests.browser import PATIENCE_MS
from tests.hud.page.lab import Lab, address_of, jupyterlab, open_notebook, write_notebook
from tests.proxy import Wire
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_line_that_breaks(browser: Browser, tmp_path: Path) -> None:
    """The job goes on, its row and text are right in the end, and downloads come all the same."""
    folder = tmp_path / "lab"
    folder.mkdir()
    write_notebook(folder / "server.ipynb", "from hybrid_transcribe import hud\nhud('server')")
    (talk,) = wavs(tmp_path, "talk", seconds=60.0)
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(2 * PATIENCE_MS)
    with jupyterlab(folder, HYBRID_TRANSCRIBE_MODEL=Script(delay_s=0.1).model) as running:
        there = urlsplit(address_of(running, "server.ipynb"))
        with Wire(there.port or 0) as wire:
            notebook = Lab(context.new_page(), f"{wire.url}{there.path}?{there.query}")
            try:
                notebook.run(0)
                notebook.until_panel()
                notebook.send(talk)
                notebook.until_percentage(talk.name, 10)
                before = wire.connections
                wire.cut()
                notebook.until(talk.name, "completed")
                assert wire.connections > before
                notebook.row(talk.name).get_by_role("button", name=talk.name, exact=True).click()
                notebook.until_text(60)
                assert notebook.text() == [f"{talk.name} {second}" for second in range(60)]

                wire.cut()
                saved = notebook.save("txt").decode()
                assert saved.startswith(f"{talk.name} 0")
                assert f"{talk.name} 59" in saved
                assert notebook.names() == [talk.name]
            finally:
                notebook.leave()


def test_a_server_that_is_started_again(browser: Browser, tmp_path: Path) -> None:
    """Killed in the middle of a job: the panel says so, and its cell then shows all of it."""
    folder = tmp_path / "lab"
    folder.mkdir()
    write_notebook(folder / "server.ipynb", "from hybrid_transcribe import hud\nhud('server')")
    short, talk = wavs(tmp_path, "short", seconds=3.0) + wavs(tmp_path, "talk", seconds=60.0)
    engine = {"HYBRID_TRANSCRIBE_MODEL": Script(delay_s=0.1).model}
    with jupyterlab(folder, **engine) as first:
        notebook = open_notebook(browser, first, "server.ipynb")
        try:
            notebook.run(0)
            notebook.until_panel()
            notebook.send(short)
            notebook.until(short.name, "completed")
            notebook.send(talk)
            notebook.until_percentage(talk.name, 10)
            first.stop(signal.SIGKILL)
            notebook.page.wait_for_selector(".ht-dot[data-line=waiting]")
            with jupyterlab(folder, urlsplit(first.url).port or 0, **engine) as again:
                notebook.page.goto(address_of(again, "server.ipynb"))
                notebook.ready()
                notebook.run(0)
                notebook.until_panel()
                notebook.until(talk.name, "completed")
                assert notebook.names() == [talk.name, short.name]
                notebook.row(talk.name).get_by_role("button", name=talk.name, exact=True).click()
                notebook.until_text(60)
                assert notebook.text() == [f"{talk.name} {n}" for n in range(60)]
                assert notebook.save("txt").startswith(b"talk.wav 0")
        finally:
            notebook.page.context.close()
