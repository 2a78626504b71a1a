"""``from hybrid_transcribe import hud; hud()``, and the widget it shows."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import anywidget
import pytest

from hybrid_transcribe import Service, api, hud
from hybrid_transcribe.errors import InvalidOption, InvalidRequest
from hybrid_transcribe.hud import panel
from hybrid_transcribe.hud.panel import Hud
from hybrid_transcribe.hud.server import find_server
from tests.hud.lines import wait_until
from tests.services import wavs

VIEW = "application/vnd.jupyter.widget-view+json"


@pytest.mark.parametrize(
    "code",
    [
        "from hybrid_transcribe import hud",
        "import hybrid_transcribe; hud = hybrid_transcribe.hud",
        "import hybrid_transcribe.hud.view; from hybrid_transcribe import hud",
        "from hybrid_transcribe import *",
    ],
)
def test_it_can_be_called_in_whatever_order_one_imports(code: str) -> None:
    """And its modules are found all the same; no notebook library comes before the call."""
    check = (
        f"{code}\nimport sys, hybrid_transcribe.hud.view\nassert callable(hud) and hud.view\n"
        "assert 'anywidget' not in sys.modules and 'ipywidgets' not in sys.modules"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", check], check=True, timeout=60)


def test_it_is_a_module_that_explains_itself() -> None:
    """``hud?`` tells what calling it does."""
    assert isinstance(hud, ModuleType)
    assert "panel" in (type(hud).__call__.__doc__ or "")


@pytest.fixture
def shown(service: Service) -> Iterator[Hud]:
    instance = hud(service)
    yield instance
    instance.close()


def told_by(one: Hud) -> list[dict[str, Any]]:
    """What the widget sends from now on."""
    sent: list[dict[str, Any]] = []
    one.widget.send = lambda content, buffers=None: sent.append(content)
    return sent


def test_messages_go_through_the_widget(shown: Hud) -> None:
    """As ipywidgets hands them over, with their buffers; both ways."""
    sent = told_by(shown)
    shown.widget._handle_custom_msg({"type": "hello"}, [])
    assert wait_until(lambda: any(x["type"] == "rows" for x in sent))
    begin = {"type": "upload_begin", "upload_id": "u", "name": "a.wav", "size_bytes": 3}
    shown.widget._handle_custom_msg(begin, [])
    chunk = {"type": "upload_chunk", "upload_id": "u", "offset": 0}
    shown.widget._handle_custom_msg(chunk, [memoryview(b"abc")])
    assert {"type": "upload_at", "upload_id": "u", "offset": 3, "complete": True} in sent
    shown.widget._handle_custom_msg({"type": "upload_cancel", "upload_id": "u"}, [])
    json.dumps(sent)


def test_no_state_is_synchronised_but_the_code(shown: Hud) -> None:
    """Rows are no traits: a notebook that is saved holds no queue of anybody."""
    ours = set(shown.widget.keys) - set(anywidget.AnyWidget().keys)
    assert ours == {"_css"}


def test_it_is_a_widget_and_a_table(shown: Hud, service: Service, tmp_path: Path) -> None:
    """Whoever can show no widget shows the queue as text."""
    job = service.submit(wavs(tmp_path, "talk"))
    job.result(30)
    data, *_ = shown._repr_mimebundle_()
    assert data[VIEW]["model_id"] == shown.widget.model_id
    assert "talk.wav  completed  100" in data["text/plain"]
    shown.close()
    assert list(shown._repr_mimebundle_()) == ["text/plain"]
    job.delete()
    assert repr(shown) == "Nothing is queued."


@pytest.mark.parametrize("how", ["here", "in the browser", "the widget"])
def test_closing_ends_its_thread(service: Service, how: str) -> None:
    """On whichever side it is closed; twice is once."""
    item = Hud(service)
    sent = told_by(item)
    item.widget._handle_custom_msg({"type": "hello"}, [])
    assert wait_until(lambda: any(x["type"] == "rows" for x in sent))
    assert service.call(lambda room: room.bus.listeners).result() == 1
    if how == "here":
        item.close()
    elif how == "the widget":
        item.widget.close()
    else:
        item.widget.comm.handle_close({})
    assert item.closed
    assert wait_until(lambda: service.call(lambda room: room.bus.listeners).result() == 0)
    item.close()


class Shell:
    """IPython, as a panel asks it: what is being executed, and in which cell."""

    def __init__(self) -> None:
        self.parent: dict[str, Any] = {}

    def get_ipython(self) -> Shell:
        return self

    def get_parent(self) -> dict[str, Any]:
        return self.parent

    def executes(self, execution: str, cell: str | None = None) -> None:
        """From now on this execution, of that cell where the host names it."""
        metadata = {} if cell is None else {"cellId": cell}
        self.parent = {"header": {"msg_id": execution}, "metadata": metadata}


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Shell:
    instance = Shell()
    monkeypatch.setitem(sys.modules, "IPython", instance)
    monkeypatch.setattr(panel, "_of_cell", {})
    return instance


@pytest.fixture
def show(service: Service) -> Iterator[Callable[..., Hud]]:
    """Shows panels, and closes them in the end."""
    items: list[Hud] = []

    def show_one(**how: Any) -> Hud:
        items.append(hud(service, **how))
        return items[-1]

    yield show_one
    for item in items:
        item.close()


def test_a_cell_that_runs_again_replaces_its_panel(shell: Shell, show: Callable[..., Hud]) -> None:
    """No panel is left behind; that of another cell stays."""
    shell.executes("1", cell="one")
    first = show()
    shell.executes("2", cell="two")
    other = show()
    shell.executes("3", cell="one")
    second = show()
    assert [x.closed for x in (first, second, other)] == [True, False, False]


def test_where_cells_have_no_names_the_queue_stands_for_one(
    shell: Shell, show: Callable[..., Hud]
) -> None:
    """A later panel on the same queue replaces the earlier one; that of another session stays."""
    shell.executes("1")
    first, other = show(), show(session_id="other")
    shell.executes("2")
    second = show()
    assert [x.closed for x in (first, second, other)] == [True, False, False]


@pytest.mark.parametrize("cell", ["one", None])
def test_one_execution_may_show_several_panels(
    shell: Shell, show: Callable[..., Hud], cell: str | None
) -> None:
    """All of them live, until the cell runs again."""
    shell.executes("1", cell)
    both = show(), show()
    assert not any(x.closed for x in both)
    shell.executes("2", cell)
    again = show()
    assert all(x.closed for x in both)
    assert not again.closed


@pytest.mark.parametrize("parent", [None, {}, {"header": {}}, {"header": {"msg_id": ""}}])
def test_where_nobody_says_what_runs_no_panel_is_replaced(
    shell: Shell, show: Callable[..., Hud], parent: Any
) -> None:
    """Nor kept: who made it may let it go."""
    shell.parent = parent
    assert not any(x.closed for x in (show(), show()))
    assert panel._of_cell == {}


def test_it_takes_the_kernels_own_service(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one behind `submit`, each time the same."""
    monkeypatch.setattr(api, "_default", service)
    item, other = hud(), hud()
    assert item.service is other.service is service
    item.close()
    other.close()


def test_another_word_than_server_is_refused() -> None:
    """With what could be said instead."""
    with pytest.raises(InvalidOption, match="'server'"):
        hud("serve")


def test_the_servers_service_is_found(tmp_path: Path) -> None:
    """By what the Jupyter server wrote down about itself; the environment goes first."""
    note = {"url": "http://127.0.0.1:8888/base/", "token": "secret", "pid": 7}
    (tmp_path / "jpserver-7.json").write_text(json.dumps(note))
    result = find_server({"JPY_PARENT_PID": "7"}, tmp_path)
    assert "http://127.0.0.1:8888/base/hybrid-transcribe" in repr(result)
    assert "secret" not in repr(result)
    named = {"HYBRID_TRANSCRIBE_URL": "http://127.0.0.1:1/x", "JPY_PARENT_PID": "7"}
    assert "127.0.0.1:1/x" in repr(find_server(named, tmp_path))


@pytest.mark.parametrize("environ", [{}, {"JPY_PARENT_PID": "x/../y"}, {"JPY_PARENT_PID": "9"}])
def test_where_no_server_is_that_is_said(environ: dict[str, str], tmp_path: Path) -> None:
    """With what to do instead."""
    (tmp_path / "jpserver-8.json").write_text("[]")
    with pytest.raises(InvalidRequest, match=r"leave service out"):
        find_server(environ, tmp_path)
