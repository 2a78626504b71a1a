"""JupyterLab as a process of its own, and a notebook of it in a browser.

``python -m tests.hud.page.lab FOLDER RECORDING`` transcribes a recording there, and fails where
the page asks another host for anything.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser import NO_NAMES, PATIENCE_MS, NoBrowser, chromium
from tests.hud.page.visiting import Visit
from tests.rest.hosts.running import PATIENCE_S, TOKEN, Running, started

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: What the command prints in place of trying.
NO_BROWSER = "no browser"

_KERNEL = """
async () => {
  const session = window.jupyterapp.shell.currentWidget.sessionContext;
  await session.ready;
  await session.session.kernel.info;
}
"""


def write_notebook(path: Path, *cells: str) -> None:
    """A notebook with those cells, none of which has run."""
    items = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "outputs": [], "source": source}
        | {"execution_count": None}
        for n, source in enumerate(cells)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    fields = {"cells": items, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(fields), encoding="utf-8")


@contextmanager
def jupyterlab(folder: Path, port: int = 0, **more: str) -> Iterator[Running]:
    """JupyterLab in that folder, with the server's own service."""
    command = [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}"),
        *(f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"),
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--ServerApp.jpserver_extensions={'hybrid_transcribe': True, 'jupyterlab': True}",
    ]
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA")}
    own |= {"JUPYTER_RUNTIME_DIR": str(folder / "run"), "JUPYTER_NO_CONFIG": "1"}
    own |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    own |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    own |= {"HYBRID_TRANSCRIBE_STATE_DIR": str(folder / "state")}
    with started("lab", command, folder, **own, **more) as running:
        running.until(lambda line: "is running at" in line)
        note = folder / "run" / f"jpserver-{running.process.pid}.json"
        running.url = json.loads(_written(note))["url"].rstrip("/")
        yield running


def _written(note: Path) -> str:
    """The text of a file that may still be empty."""
    deadline = time.monotonic() + PATIENCE_S
    while not (text := note.read_text(encoding="utf-8")).rstrip().endswith("}"):
        assert time.monotonic() < deadline, text
        time.sleep(0.02)
    return text


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

    def leave(self) -> None:
        """End its kernel, and close the browser's window."""
        self.page.evaluate("() => window.jupyterapp.serviceManager.sessions.shutdownAll()")
        self.page.context.close()


def open_notebook(browser: Browser, lab: Running, name: str) -> Lab:
    """A notebook of that name, to be left in the end."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    # JupyterLab and its kernel start while other tests compute.
    context.set_default_timeout(2 * PATIENCE_MS)
    return Lab(context.new_page(), address_of(lab, name))


def address_of(lab: Running, name: str) -> str:
    """Where a notebook of that name is, with what opens the door to it."""
    return f"{lab.url}/lab/tree/{name}?reset&token={TOKEN}"


def main() -> None:
    """Transcribe a recording in a notebook's panel."""
    folder, recording = map(Path, sys.argv[1:])
    write_notebook(folder / "own.ipynb", "from hybrid_transcribe import hud\nhud()")
    chosen = {"HYBRID_TRANSCRIBE_ENGINE": "faster-whisper", "HYBRID_TRANSCRIBE_MODEL": "tiny.en"}
    try:
        with jupyterlab(folder, **chosen) as lab, chromium(NO_NAMES) as browser:
            notebook = open_notebook(browser, lab, "own.ipynb")
            notebook.run(0)
            notebook.until_panel()
            notebook.send(recording)
            notebook.until(recording.name, "completed", 4 * PATIENCE_MS)
            notebook.leave()
            strangers = notebook.heard.strangers(lab.url)
    except NoBrowser as missing:
        print(f"{NO_BROWSER}: {missing}")
        return
    assert not strangers, strangers


if __name__ == "__main__":
    main()
