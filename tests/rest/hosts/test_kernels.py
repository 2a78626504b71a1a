"""The kernels behind pages: which of them may go."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import pytest

pytest.importorskip("voila")

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager

from hybrid_transcribe.rest.hosts.kernels import (
    OneNotebook,
    PageKernels,
    ThisPython,
    can_use_sockets_in,
)


class Kernels(PageKernels):
    """Without processes."""

    def __init__(self, **connections: int) -> None:
        super().__init__()
        self._kernel_connections = dict(connections)
        self.ended: list[str] = []

    async def shutdown_kernel(self, kernel_id: str, *args: Any, **named: Any) -> None:
        self.ended.append(kernel_id)


def test_a_kernel_without_a_page_goes() -> None:
    """After a while in which its page may come back; whatever else it does counts for nothing."""
    kernels = Kernels(here=0)
    asyncio.run(kernels.cull_kernel_if_idle("here"))
    assert kernels.ended == []
    kernels.alone_s = 0.0
    asyncio.run(kernels.cull_kernel_if_idle("here"))
    assert kernels.ended == ["here"]


def test_a_page_that_comes_back_begins_anew() -> None:
    """Its time alone is forgotten."""
    kernels = Kernels(here=0)
    asyncio.run(kernels.cull_kernel_if_idle("here"))
    kernels._kernel_connections["here"] = 1
    kernels._kernels = {}
    with pytest.raises(KeyError):
        # Jupyter's own look at kernels that say nothing, of which this is none.
        asyncio.run(kernels.cull_kernel_if_idle("here"))
    assert "here" not in kernels._alone_since


def test_a_page_in_the_making_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it has a kernel, with one, and when it is delivered: one page each time."""

    async def start(self: PageKernels, **named: Any) -> str:
        kernel_id = f"kernel-{len(self._kernels)}"
        self._kernels[kernel_id] = object()
        return kernel_id

    monkeypatch.setattr(AsyncMappingKernelManager, "start_kernel", start)
    kernels = Kernels()

    async def make(page: str) -> list[int]:
        seen = [kernels.n_pages()]
        kernels.begin_page(page)
        seen.append(kernels.n_pages())
        await kernels.start_kernel()
        seen.append(kernels.n_pages())
        kernels.end_page(page)
        return [*seen, kernels.n_pages()]

    assert asyncio.run(make("first")) == [0, 1, 1, 1]
    assert asyncio.run(make("second")) == [1, 2, 2, 2]
    # One that ended before it had a kernel counts no more.
    kernels.begin_page("third")
    assert kernels.n_pages() == 3
    kernels.end_page("third")
    assert kernels.n_pages() == 2


def test_a_kernel_that_waits_for_a_page_is_none() -> None:
    """A warm one becomes a page when a visitor takes it; one that is being started is awaited."""

    async def scene() -> list[int]:
        kernels = Kernels()
        kernels._kernels = {"warm": object()}
        loop = asyncio.get_running_loop()
        warm, starting = loop.create_future(), loop.create_future()
        warm.set_result({"kernel_id": "warm"})
        kernels._pools = {"app.ipynb": [warm, starting]}
        seen = [kernels.n_pages()]
        for page in ("first", "second"):
            kernels.begin_page(page)
            kernels._pools["app.ipynb"].pop(0)
            seen.append(kernels.n_pages())
        kernels._kernels["late"] = object()
        starting.set_result({"kernel_id": "late"})
        await asyncio.sleep(0)
        return [*seen, kernels.n_pages()]

    assert asyncio.run(scene()) == [0, 1, 2, 2]


def test_the_kernel_is_this_python() -> None:
    """Whatever kernels somebody has installed, under whatever name."""
    spec = ThisPython().get_kernel_spec("anything")
    assert spec.argv[0] == sys.executable
    assert spec.name == "python3"


def test_there_is_one_notebook_and_no_file() -> None:
    """A fresh copy each time: Voila writes into it."""
    one_notebook = OneNotebook()
    first, second = one_notebook.get("/etc/passwd"), one_notebook.get("app.ipynb")
    assert first["content"] == second["content"]
    assert first["content"] is not second["content"]
    assert not one_notebook.file_exists("app.ipynb")


def test_long_folders_have_no_sockets() -> None:
    """Systems take short paths of sockets only."""
    assert not can_use_sockets_in("/" + "x" * 80)
