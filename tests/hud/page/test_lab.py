"""The panel in JupyterLab, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hybrid_transcribe.testing import Script
from tests.hud.page.lab import Lab, jupyterlab, open_notebook, write_notebook
from tests.hud.page.visiting import digest, digest_of, write_long
from tests.rest.hosts.running import Running
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HUD = "from hybrid_transcribe import hud\nhud({})"
BLOCKS = "import time, pathlib\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.05)"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """JupyterLab in a folder with notebooks, with the server's own service."""
    folder = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "own.ipynb", HUD.format(""), BLOCKS)
    write_notebook(folder / "server.ipynb", HUD.format("'server'"))
    with jupyterlab(folder, HYBRID_TRANSCRIBE_MODEL=Script(delay_s=0.1).model) as running:
        yield running


@pytest.fixture
def opened(browser: Browser, lab: Running) -> Iterator[Any]:
    """Opens notebooks, and closes them in the end."""
    made: list[Lab] = []

    def open_one(name: str) -> Lab:
        made.append(open_notebook(browser, lab, name))
        return made[-1]

    yield open_one
    for one in made:
        one.leave()


def test_a_job_goes_on_while_a_cell_blocks(opened: Any, lab: Running, tmp_path: Path) -> None:
    """Rows and text move; and a restarted kernel shows the same queue."""
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
    (lab.folder / "go").touch()
    notebook.until_idle()
    notebook.page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    notebook.until_idle()
    notebook.run(0)
    notebook.until_panel()
    notebook.row("talk.wav").wait_for()
    assert notebook.names() == ["talk.wav"]
    assert notebook.row("talk.wav").get_attribute("data-state") == "completed"


def test_the_servers_engine_room(opened: Any, lab: Running, tmp_path: Path) -> None:
    """A big recording arrives intact, by a kernel that grows by little, in the server itself."""
    path = tmp_path / "theirs.wav"
    write_long(path, 60_000_000)
    notebook = opened("server.ipynb")
    notebook.run(0)
    notebook.until_panel()
    kernels = [
        one
        for one in psutil.Process(lab.process.pid).children()
        if "ipykernel_launcher" in one.cmdline()
    ]
    before = {one: one.memory_info().rss for one in kernels}
    notebook.send(path)
    notebook.row("theirs.wav").wait_for(timeout=120_000)
    grown = [one.memory_info().rss - was for one, was in before.items()]
    assert max(grown) < 48e6, grown
    notebook.row("theirs.wav").locator("[data-action=cancel]").click()
    notebook.until("theirs.wav", "canceled")
    with lab.client() as client:
        told = client.get("/hybrid-transcribe/queues").json()["jobs"]
        (job,) = [one for one in told if one["recordings"][0]["name"] == "theirs.wav"]
        sent = digest_of(client, job, job["session_id"], "/hybrid-transcribe")
    assert sent == digest(path)
