"""The kernels behind pages: this Python, warm before they are needed, gone with their page."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Hashable, Mapping
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Protocol

import nbformat
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from traitlets import Float, Integer

from hybrid_transcribe.core.environment import needed
from hybrid_transcribe.remote.service import TOKEN_VARIABLE, URL_VARIABLE

#: The notebook behind every page: a wheel puts the one of `voila_app` into the package.
_PACKAGED = Path(__file__).parent / "ui" / "app.ipynb"
NOTEBOOK = (
    _PACKAGED if _PACKAGED.is_file() else Path(__file__).parents[3] / "voila_app" / "app.ipynb"
)

#: So long (s) a kernel waits for a page that has gone without a word, as when a laptop sleeps.
ALONE_S = 120.0

#: So long (s) it waits for a page that is open and says and hears nothing.
SILENT_S = 6 * 3600.0

#: How often kernels are looked at, in seconds.
LOOK_S = 15

#: Longest path of a socket that every system takes, and what a kernel adds to its folder's.
_SOCKET_PATH, _SOCKET_NAME = 100, 56


def can_use_sockets_in(folder: str) -> bool:
    """True where kernels can be spoken to by sockets in that folder rather than by ports."""
    return os.name == "posix" and len(os.fsencode(folder)) + _SOCKET_NAME <= _SOCKET_PATH


#: The page that a kernel is being started for.
_page: ContextVar[Hashable] = ContextVar("page", default=None)


#: What a page's kernel finds the server by, and where its IPython keeps files.
_PAGE_VARIABLES = (URL_VARIABLE, TOKEN_VARIABLE, "IPYTHONDIR")


def page_environment(environ: Mapping[str, str] | None) -> dict[str, str]:
    """What the kernel of a page gets: what Voila tells it, and what it needs of this process's.

    Visitors cannot run code there; but what is not there cannot be shown either.
    """
    variables = dict(os.environ if environ is None else environ)
    of_voila = {name: value for name, value in variables.items() if name not in os.environ}
    return {**needed(variables, more=_PAGE_VARIABLES), **of_voila}


class Line(Protocol):
    """To a page."""

    def close(self) -> None: ...


class PageKernels(AsyncMappingKernelManager):
    """Ends kernels whose page is gone, whatever they are still being told about jobs."""

    alone_s = Float(ALONE_S)
    cull_idle_timeout = Integer(int(SILENT_S))
    cull_interval = Integer(LOOK_S)
    cull_connected = True

    def __init__(self, **named: Any) -> None:
        super().__init__(**named)  # type: ignore[no-untyped-call]
        self._alone_since: dict[str, float] = {}
        self._lines: dict[str, set[Line]] = {}
        # Pages that are being made and have no kernel yet.
        self._awaiting: set[Hashable] = set()

    # ----------------------------------------------------------------- pages, counted

    def n_pages(self) -> int:
        """Pages that are open or being made, each once; kernels that wait for one are none."""
        waiting = {task for task in self._waiting() if task.done()}
        return len(self) - len(waiting) + len(self._awaiting)

    def _waiting(self) -> list[asyncio.Task[Any]]:
        """The warm kernels, those that are being started too. Voila keeps them by notebook."""
        pools: dict[str, list[asyncio.Task[Any]]] = getattr(self, "_pools", {})
        return [task for pool in pools.values() for task in pool]

    def begin_page(self, page: Hashable) -> None:
        """A page is being made: it counts until it has a kernel, and then its kernel does."""
        first = next(iter(self._waiting()), None)
        if first is not None and first.done():
            # It takes that one, which from then on waits no more.
            return
        self._awaiting.add(page)
        if first is not None:
            first.add_done_callback(lambda _: self.end_page(page))
        _page.set(page)

    def end_page(self, page: Hashable) -> None:
        """It has a kernel, or will never have one."""
        self._awaiting.discard(page)

    async def start_kernel(self, **named: Any) -> str:  # type: ignore[override]
        """Start one; the page that it is for counts by it from now on."""
        named["env"] = page_environment(named.get("env"))
        kernel_id: str = await super().start_kernel(**named)
        self.end_page(_page.get())
        return kernel_id

    # ------------------------------------------------------------------- their pages

    def opened(self, kernel_id: str, line: Line) -> None:
        """A page is there, to be told when its kernel ends."""
        self._lines.setdefault(kernel_id, set()).add(line)

    def closed(self, kernel_id: str, line: Line) -> None:
        """It is no more."""
        self._lines.get(kernel_id, set()).discard(line)

    async def shutdown_kernel(  # type: ignore[override]
        self, kernel_id: str, *args: Any, **named: Any
    ) -> None:
        """End one, and hang up on its page."""
        try:
            await super().shutdown_kernel(kernel_id, *args, **named)  # type: ignore[no-untyped-call]
        finally:
            self._alone_since.pop(kernel_id, None)
            for line in tuple(self._lines.pop(kernel_id, ())):
                line.close()

    async def cull_kernel_if_idle(self, kernel_id: str) -> None:
        """Called for each kernel every `LOOK_S`, but for those that are kept warm."""
        if self._kernel_connections.get(kernel_id, 0) > 0:
            self._alone_since.pop(kernel_id, None)
            await super().cull_kernel_if_idle(kernel_id)  # type: ignore[no-untyped-call]
            return
        now = time.monotonic()
        if now - self._alone_since.setdefault(kernel_id, now) >= self.alone_s:
            await self.shutdown_kernel(kernel_id)


class ThisPython(KernelSpecManager):
    """Knows one kernel: that of this Python, whatever else is installed for its user."""

    def get_kernel_spec(self, kernel_name: str) -> KernelSpec:
        """Always the same."""
        command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        # Nothing to look up later: no file of a user's history is opened.
        quietly = ["--HistoryManager.enabled=False"]
        return KernelSpec(
            argv=[*command, *quietly],
            display_name="Python 3",
            language="python",
            name="python3",
            metadata={"debugger": False},
        )

    def get_all_specs(self) -> dict[str, Any]:
        """That one."""
        spec = self.get_kernel_spec("python3").to_dict()
        return {"python3": {"resource_dir": "", "spec": spec}}


class OneNotebook:
    """Where Voila looks for notebooks: there is one, and no file of a visitor's choice."""

    def get(self, path: str, **_: Any) -> dict[str, Any]:
        """The notebook, whatever is asked for."""
        content = nbformat.read(NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
        return {"type": "notebook", "path": NOTEBOOK.name, "content": content}

    def file_exists(self, path: str) -> bool:
        """False: pages show no files."""
        return False
