"""The panel as people have it, on the page and in JupyterLab, in a real Chromium: how soon it can
be used, what a large recording costs, how late an event is on the screen, long tables, visitors."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from hybrid_transcribe import sample
from tests.benchmarks.dropping import uploads
from tests.benchmarks.harness import spread, table
from tests.benchmarks.screen import delays, long_table
from tests.benchmarks.serving import KERNEL, MB, PATIENCE_S, WORKER, alive, served, until_at_rest
from tests.benchmarks.speed import Scale
from tests.browser import NoBrowser, chromium
from tests.hud.page.visiting import visit
from tests.rest.hosts.running import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser


def main(scale: Scale) -> str:
    """The tables of this entry."""
    try:
        with chromium() as browser, tempfile.TemporaryDirectory() as folder:
            parts = (first_use, uploads, delays, long_table, visitors)
            items = [part(browser, _within(Path(folder), part.__name__), scale) for part in parts]
    except (NoBrowser, ModuleNotFoundError) as missing:
        return f"There is no browser to look with: {missing}\n"
    return "\n".join(items)


def _within(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


# ------------------------------------------------------------------------------ first use


def first_use(browser: Browser, folder: Path, scale: Scale) -> str:
    """From asking for the page to a panel that takes files."""
    up, cold, warm, bare = [], [], [], []
    for n in range(max(round(3 * scale.share), 1)):
        began = time.perf_counter()
        with served(folder / str(n), WARM_PAGES="2") as site:
            up.append(time.perf_counter() - began)
            cold.append(_opened(browser, site))
    with served(folder / "warm", WARM_PAGES="2") as site:
        for _ in range(scale.groups):
            until_at_rest(site)
            warm.append(_opened(browser, site))
    with served(folder / "bare") as site:
        until_at_rest(site)
        bare = [_opened(browser, site) for _ in range(max(round(3 * scale.share), 1))]
    rows = [("server, from its start until it is up, s", spread(up, 1))]
    for who, taken in (
        ("the first visitor, at once", cold),
        ("by a kernel that waits", warm),
        ("where no kernel waits", bare),
    ):
        rows.append((f"{who}: usable, s", spread([usable for _, usable in taken], 2)))
        rows.append((f"{who}: something to see, s", spread([seen for seen, _ in taken], 2)))
    return table("The page, until its panel can be used", rows)


def _opened(browser: Browser, site: Running) -> tuple[float, float]:
    """Seconds from asking for the page to its first paint, and to a panel that is up."""
    with visit(browser, site) as guest:
        usable = guest.page.evaluate("() => performance.now()")
        painted = "() => performance.getEntriesByName('first-contentful-paint')[0].startTime"
        seen = guest.page.evaluate(painted)
        guest.close()
    return seen / 1e3, usable / 1e3


# ------------------------------------------------------------------------------- visitors


def visitors(browser: Browser, folder: Path, scale: Scale) -> str:
    """Visitors with a recording each, on one model: what they take together."""
    n = max(round(5 * scale.share), 2)
    with served(folder, "counted", MODEL="tiny.en") as site, contextlib.ExitStack() as stack:
        first = None
        for number in range(n):
            guest = stack.enter_context(visit(browser, site))
            guest.send(sample())
            guest.until(sample().name, "completed", 1e3 * PATIENCE_S)
            if number == 0:
                until_at_rest(site)
                first = _memory(site)
        until_at_rest(site)
        last = _memory(site)
        loads = (folder / "loads").read_text().splitlines()
    assert first is not None
    each = [(last.all_rss - first.all_rss) / (n - 1), (last.all_own - first.all_own) / (n - 1)]
    rows = [
        (f"{name}, MB", f"{rss / MB:.0f} ({own / MB:.0f} its own alone)")
        for name, (rss, own) in last.shown().items()
    ]
    rows += [
        (f"all of it with {n} visitors, MB", f"{last.all_rss / MB:.0f}"),
        ("each visitor more, MB", f"{each[0] / MB:.0f} ({each[1] / MB:.0f} its own alone)"),
        ("models loaded", f"{len(loads)}, workers {last.n_workers}"),
    ]
    return table(f"{n} visitors, each with a recording, on one model (tiny.en)", rows)


@dataclass(frozen=True, slots=True)
class _Memory:
    """Bytes of each process: all that it has in memory, and what it shares with none."""

    server: tuple[int, int]
    workers: Sequence[tuple[int, int]]
    kernels: Sequence[tuple[int, int]]
    others: Sequence[tuple[int, int]]

    @property
    def _all(self) -> list[tuple[int, int]]:
        return [self.server, *self.workers, *self.kernels, *self.others]

    @property
    def all_rss(self) -> int:
        return sum(rss for rss, _ in self._all)

    @property
    def all_own(self) -> int:
        return sum(own for _, own in self._all)

    @property
    def n_workers(self) -> int:
        return len(self.workers)

    def shown(self) -> dict[str, tuple[float, float]]:
        """One of each kind."""
        kinds = {"the worker with the model": self.workers, "a visitor's kernel": self.kernels}
        middle = {
            name: (statistics.median(r for r, _ in of), statistics.median(o for _, o in of))
            for name, of in kinds.items()
        }
        return {"the server": self.server, **middle}


def _memory(site: Running) -> _Memory:
    server, *others = alive(site)
    kinds: dict[str, list[tuple[int, int]]] = {KERNEL: [], WORKER: [], "": []}
    for other in others:
        command = other.cmdline()
        kinds[next(kind for kind in kinds if kind in command or not kind)].append(_taken(other))
    return _Memory(_taken(server), kinds[WORKER], kinds[KERNEL], kinds[""])


def _taken(process: psutil.Process) -> tuple[int, int]:
    result = process.memory_full_info()
    return result.rss, result.uss
