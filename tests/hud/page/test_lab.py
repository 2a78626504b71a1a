"""The panel in JupyterLab, in a real browser."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hybrid_transcribe.testing import Script
from tests.browser import PATIENCE_MS
from tests.hud.page.visiting import Visit, digest, digest_of, write_long
from tests.rest.hosts.running import TOKEN, Running, started
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HUD = "from hybrid_transcribe import hud\nhud({})"
BLOCKS = "import time, pathlib\nwhile not pathlib.Path('go').exists():\n    time.sleep(0.05)"

_KERNEL = """
async () => {
  const session = window.jupyterapp.shell.currentWidget.sessionContext;
  await session.ready;
  await session.session.kernel.info;
}
"""


def _notebook(path: Path, *cells: str) -> None:
    made = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "source": source}
        | {"execution_count": None}
        for n, source in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    told = {"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(told), encoding="utf-8")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """JupyterLab in a folder with notebooks, with the server's own service."""
    folder = tmp_path_factory.mktemp("lab")
    _notebook(folder / "own.ipynb", HUD.format(""), BLOCKS)
    _notebook(folder / "server.ipynb", HUD.format("'server'"))
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"),
        *(f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.jpserver_extensions={'hybrid_transcribe': True, 'jupyterlab': True}",
    ]
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA")}
    own |= {"JUPYTER_RUNTIME_DIR": str(folder / "run"), "JUPYTER_NO_CONFIG": "1"}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    own |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    own |= {"HYBRID_TRANSCRIBE_STATE_DIR": str(folder / "state")}
    own |= {"HYBRID_TRANSCRIBE_MODEL": Script(delay_s=0.1).model}
    with started("lab", command, folder, **own) as running:
        running.until(lambda line: "is running at" in line)
        (told,) = (folder / "run").glob("jpserver-*.json")
        running.url = json.loads(told.read_text())["url"].rstrip("/")
        yield running


class Lab(Visit):
    """A notebook in JupyterLab."""

    def ready(self) -> None:
        """Until it can run."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell")
        self.page.wait_for_function("() => !!window.jupyterapp")
        self.until_idle()

    def until_idle(self) -> None:
        """Until its kernel is there, and waits."""
        self.page.evaluate(_KERNEL)
        self.page.wait_for_selector(".jp-Notebook-ExecutionIndicator[data-status=idle]")

    def until_panel(self) -> None:
        """Until the panel of the first cell may be used."""
        self.page.wait_for_selector(".jp-Cell .ht-dot[data-line=up]")

    def do(self, command: str) -> None:
        """A command of the lab, which is not waited for."""
        self.page.evaluate("name => void window.jupyterapp.commands.execute(name)", command)

    def run(self, number: int) -> None:
        """Run a cell."""
        self.page.locator(".jp-Notebook .jp-CodeCell .jp-InputPrompt").nth(number).click()
        self.do("notebook:run-cell")


def _open(browser: Browser, lab: Running, name: str) -> Lab:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.set_default_timeout(PATIENCE_MS)
    return Lab(context.new_page(), f"{lab.url}/lab/tree/{name}?reset&token={TOKEN}")


@pytest.fixture
def opened(browser: Browser, lab: Running) -> Iterator[Any]:
    """Opens notebooks, and closes them in the end."""
    made: list[Lab] = []

    def open_one(name: str) -> Lab:
        made.append(_open(browser, lab, name))
        return made[-1]

    yield open_one
    for one in made:
        one.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        one.page.context.close()


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
