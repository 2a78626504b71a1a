"""A large recording dropped on the panel, by a browser that nobody looks into meanwhile."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from tests.benchmarks.harness import table
from tests.benchmarks.serving import KERNEL, MB, PATIENCE_S, Rows, alive, served
from tests.benchmarks.speed import Scale
from tests.benchmarks.unwatched import unwatched
from tests.hud.page.lab import Lab, address_of, jupyterlab, write_notebook
from tests.hud.page.visiting import Visit, write_long
from tests.processes import command_of
from tests.rest.hosts.running import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# Bytes are read from the disk by the browser, as when people drop them.
_DROP = """
(chosen) => {
  const sent = (window.sent = {});
  const look = () => {
    if (document.querySelector(".ht-file[data-state=complete]")) sent.here ??= performance.now();
    if (document.querySelector(".ht-body .ht-row")) sent.queued ??= performance.now();
  };
  const all = { subtree: true, childList: true, attributes: true };
  new MutationObserver(look).observe(document.querySelector(".ht-hud"), all);
  const transfer = new DataTransfer();
  transfer.items.add(chosen.files[0]);
  const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
  setTimeout(() => {
    sent.began = performance.now();
    document.querySelector(".ht-drop").dispatchEvent(new DragEvent("drop", how));
  }, 1000);
}
"""


def uploads(browser: Browser, folder: Path, scale: Scale) -> str:
    """A large recording dropped on the panel: how fast it is here, and what it takes."""
    size = round(200 * MB * scale.share)
    path = folder / "large.wav"
    write_long(path, size)
    with served(folder, "scripted") as site:
        rows = _sent(browser, "page", lambda page: Visit(page, f"{site.url}/ui"), site, path)
    with _lab(folder / "lab") as lab:
        rows += _sent(browser, "JupyterLab", lambda page: _in_lab(page, lab), lab, path)
    return table(f"A recording of {size / MB:.0f} MB dropped on the panel", rows)


@contextlib.contextmanager
def _lab(folder: Path) -> Iterator[Running]:
    folder.mkdir()
    write_notebook(folder / "panel.ipynb", "from hybrid_transcribe import hud\nhud('server')")
    with jupyterlab(folder) as lab:
        yield lab


def _in_lab(page: Page, lab: Running) -> Visit:
    notebook = Lab(page, address_of(lab, "panel.ipynb"))
    notebook.run(0)
    notebook.until_panel()
    return notebook


def _sent(
    browser: Browser, where: str, visited: Callable[[Page], Visit], site: Running, path: Path
) -> Rows:
    def drop(page: Page) -> None:
        visited(page)
        page.locator(".ht-foot-line input[type=checkbox]").check()
        chosen = page.evaluate_handle(_INPUT)
        _choose(page, path)
        chosen.evaluate(_DROP)

    server = psutil.Process(site.process.pid)
    with unwatched(browser.browser_type) as remaining:
        remaining.look(drop)
        kernel = next(item for item in alive(site) if KERNEL in command_of(item))
        with _Growth(kernel, server) as growth:
            _until_queued(site)
        sent = remaining.look(lambda page: page.evaluate("() => window.sent"))
        seconds = (sent["here"] - sent["began"]) / 1e3
        return [
            (f"{where}: to its kernel, MB/s", f"{path.stat().st_size / MB / seconds:.0f}"),
            (f"{where}: then into the queue, s", f"{(sent['queued'] - sent['here']) / 1e3:.2f}"),
            (f"{where}: memory gained by the kernel, MB", growth.told(kernel)),
            (f"{where}: memory gained by the server, MB", growth.told(server)),
        ]


# Drivers hand large files only to browsers that they started.
_INPUT = """
() => (window.chosen = Object.assign(document.createElement("input"), { type: "file" }))
"""


def _choose(page: Page, path: Path) -> None:
    session = page.context.new_cdp_session(page)
    result = session.send("Runtime.evaluate", {"expression": "window.chosen"})
    chosen = {"objectId": result["result"]["objectId"], "files": [str(path)]}
    session.send("DOM.setFileInputFiles", chosen)


def _until_queued(site: Running) -> None:
    """Until there is a job."""
    base = "/hybrid-transcribe" if site.name == "lab" else ""
    deadline = time.monotonic() + PATIENCE_S
    with site.client() as client:
        while not client.get(f"{base}/queues").raise_for_status().json()["jobs"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no job within {PATIENCE_S:.0f} s")
            time.sleep(0.1)


class _Growth:
    """What processes gain in memory while it lasts: at most, and in the end."""

    def __init__(self, *processes: psutil.Process) -> None:
        self._before = {process: process.memory_info().rss for process in processes}
        self._peak = dict(self._before)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def told(self, process: psutil.Process) -> str:
        """``peak (in the end)``, in MB."""
        remaining = process.memory_info().rss - self._before[process]
        peak = self._peak[process] - self._before[process]
        return f"{peak / MB:.0f} ({remaining / MB:.0f} in the end)"

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            for item, most in self._peak.items():
                self._peak[item] = max(most, item.memory_info().rss)

    def __enter__(self) -> _Growth:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._over.set()
        self._thread.join()
