"""The panel in JupyterLab, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_transcribe.testing import Script
from tests.hud.gate import blocking_cell
from tests.hud.page.lab import Lab, jupyterlab, open_notebook, write_notebook
from tests.hud.page.visiting import digest, digest_of, write_long
from tests.rest.hosts.running import Running
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: What the second cell of ``own.ipynb`` waits for.
GATE = "gate"
HUD = "from hybrid_transcribe import hud\nhud({})"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """JupyterLab in a folder with notebooks, with the server's own service."""
    folder = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "own.ipynb", HUD.format(""), blocking_cell(folder / GATE))
    write_notebook(folder / "server.ipynb", HUD.format("'server'"))
    with jupyterlab(folder, HYBRID_TRANSCRIBE_MODEL=Script(delay_s=0.1).model) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, lab: Running) -> Iterator[Any]:
    """Opens notebooks, and closes them in the end."""
    items: list[Lab] = []

    def open_one(name: str) -> Lab:
        items.append(open_notebook(browser, lab, name))
        return items[-1]

    yield open_one
    for item in items:
        item.leave()


def test_a_job_goes_on_while_a_cell_blocks(opened: Any, lab: Running, tmp_path: Path) -> None:
    """Rows and text move; when the kernel restarts that is said, and its cell shows the queue."""
    (path,) = wavs(tmp_path, "talk", seconds=30.0)
    notebook = opened("own.ipynb")
    notebook.run(0)
    notebook.until_panel()
    notebook.send(path)
    notebook.row("talk.wav").wait_for()
    notebook.run(1)
    busy = notebook.page.locator(".jp-Notebook-ExecutionIndicator[data-status=busy]")
    busy.wait_for()
    notebook.until("talk.wav", "completed")
    assert busy.count() == 1
    (lab.folder / GATE).write_text("go on")
    notebook.until_idle()
    notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    notebook.page.wait_for_selector(".ht-dot[data-line=down]")
    notebook.until_idle()
    notebook.run(0)
    notebook.until_panel()
    notebook.row("talk.wav").wait_for()
    assert notebook.names() == ["talk.wav"]
    assert notebook.row("talk.wav").get_attribute("data-state") == "completed"


def test_the_servers_engine_room(opened: Any, lab: Running, tmp_path: Path) -> None:
    """A recording arrives intact in the server itself, and its queue is that of REST."""
    path = tmp_path / "theirs.wav"
    write_long(path, 1_000_000)
    notebook = opened("server.ipynb")
    notebook.run(0)
    notebook.until_panel()
    notebook.send(path)
    notebook.until("theirs.wav", "completed")
    with lab.client() as client:
        message = client.get("/hybrid-transcribe/queues").json()["jobs"]
        (job,) = [item for item in message if item["recordings"][0]["name"] == "theirs.wav"]
        sent = digest_of(client, job, job["session_id"], "/hybrid-transcribe")
    assert sent == digest(path)
