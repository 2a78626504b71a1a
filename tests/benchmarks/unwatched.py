"""A Chromium that nobody looks into while it works.

Whoever drives a browser is told each frame of each of its lines, which takes more than to send
them. So here the page is set up, left alone with what it is to do, and looked at again.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser import ARGS, CHROMIUM, PATIENCE_MS, NoBrowser

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserType, Page

#: A page keeps its pace also where no window shows it; as drivers start it, too.
_AWAKE = [
    "--headless=new",
    "--no-first-run",
    "--window-size=1400,1000",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
]

#: Longest wait for it to be up, and to be gone, in seconds.
_PATIENCE_S = 30.0


class Unwatched:
    """One browser, and the way into it."""

    def __init__(self, kind: BrowserType, address: str) -> None:
        self._kind, self._address = kind, address

    def look(self, do: Callable[[Page], Any]) -> Any:
        """What that does with the newest page; nobody is looking any more when it returns."""
        watching: Browser = self._kind.connect_over_cdp(self._address)
        try:
            context = watching.contexts[0]
            context.set_default_timeout(PATIENCE_MS)
            return do(context.pages[-1])
        finally:
            watching.close()


@contextmanager
def unwatched(kind: BrowserType) -> Iterator[Unwatched]:
    """Started here, ended in the end. Raises NoBrowser."""
    path = CHROMIUM if CHROMIUM.is_file() else Path(kind.executable_path)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        own = ["--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"]
        process = subprocess.Popen(
            [str(path), *ARGS, *_AWAKE, *own],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Unwatched(kind, _address(Path(folder), process))
        finally:
            process.terminate()
            process.wait(_PATIENCE_S)


def _address(folder: Path, process: subprocess.Popen[bytes]) -> str:
    note = folder / "DevToolsActivePort"
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        lines = note.read_text().splitlines() if note.is_file() else []
        if len(lines) == 2:
            return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
        time.sleep(0.02)
    raise NoBrowser(f"it told no address in {note}")
