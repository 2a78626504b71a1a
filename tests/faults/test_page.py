"""Faults 36, 38 and 45 at the page: hostile names, markup in them, and code for its kernel."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from hybrid_transcribe.rest.hosts.voila_routes import PROTOCOL, may_pass
from tests.hud.page.visiting import visit
from tests.rest.hosts.running import TOKEN, Running, serve
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

MARKUP = "<img src=x onerror=document.title='hit'>.wav"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with serve(tmp_path_factory.mktemp("page"), "--token", TOKEN) as running:
        yield running


# ------------------------------------------------------------------------------------- row 45


def said(type_: str, channel: str = "shell", **content: Any) -> bytes:
    """A message of a page as it goes over the wire."""
    header = {"msg_id": "1", "msg_type": type_, "session": "s", "username": "", "version": "5.3"}
    header["date"] = "2026-01-01T00:00:00Z"
    parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
    data: bytes = serialize_msg_to_ws_v1(parts, channel)
    return data


REFUSED = {
    "execute_request": said("execute_request", code="import os; os._exit(3)", silent=False),
    "execute_request, control": said("execute_request", "control", code="import os; os._exit(3)"),
    "inspect_request": said("inspect_request", code="hud", cursor_pos=3, detail_level=1),
    "complete_request": said("complete_request", code="os.", cursor_pos=3),
    "is_complete_request": said("is_complete_request", code="1"),
    "history_request": said("history_request", hist_access_type="tail", n=10),
    "input_reply": said("input_reply", "stdin", value="1"),
    "shutdown_request": said("shutdown_request", "control", restart=False),
    "shutdown_request, shell": said("shutdown_request", restart=False),
    "interrupt_request": said("interrupt_request", "control"),
    "debug_request": said("debug_request", "control", command="evaluate", seq=1, type="request"),
    "create_subshell_request": said("create_subshell_request", "control"),
    "comm_open": said("comm_open", comm_id="1", target_name="jupyter.widget", data={}),
    "comm_msg, control": said("comm_msg", "control", comm_id="1", data={}),
    "no message": b"\xff" * 64,
    "a text": "print(1)",
}


@pytest.mark.parametrize("name", REFUSED)
def test_f45_only_widgets_are_spoken_to(name: str) -> None:
    """Whatever runs, reads or ends code does not pass, on any channel."""
    assert not may_pass(REFUSED[name])


def test_f45_what_the_panel_says_passes() -> None:
    """With its buffers, and a look whether the kernel is there."""
    assert may_pass(said("kernel_info_request"))
    assert may_pass(said("comm_msg", comm_id="1", data={"method": "custom"}))
    whole = said("comm_msg", comm_id="1")
    assert not may_pass(whole[:-1])
    assert not may_pass((2**63 - 1).to_bytes(8, "little") + whole[8:])


@pytest.mark.slow
def test_f45_a_visitor_runs_no_code(site: Running) -> None:
    """A client of the kernel's own protocol gets nothing for its code; the kernel stays."""
    import websockets.exceptions
    from websockets.sync.client import connect

    with site.client() as client:
        page = client.get("/ui").text
        match = re.search(r'<script id="kernel" type="application/json">(.*?)</script>', page)
        assert match is not None
        kernel = json.loads(match[1])["kernel"]
        address = site.url.replace("http", "ws", 1) + f"/api/kernels/{kernel}/channels"
        with connect(f"{address}?session_id=s", subprotocols=[PROTOCOL], proxy=None) as line:
            for message in REFUSED.values():
                if isinstance(message, bytes) and message[:1] != b"\xff":
                    line.send(message)
            line.send(said("kernel_info_request"))
            items = list(_until(line, "kernel_info_reply"))
            kinds = {header["msg_type"] for header in items}
            assert kinds <= {"kernel_info_reply", "status"}, kinds
        with pytest.raises(websockets.exceptions.InvalidStatus):
            connect(f"{address}?session_id=s", proxy=None)
        answer = client.get(f"/api/kernels/{kernel}")
        assert answer.json()["execution_state"] in ("idle", "busy", "starting")
        with pytest.raises(websockets.exceptions.InvalidStatus):
            connect(address, subprotocols=[PROTOCOL], proxy=None, origin="http://evil.example")
        # Without the page's cookie nobody ends its kernel from elsewhere.
        assert client.post(
            f"/voila/api/shutdown/{kernel}", headers={"Origin": "http://evil.example"}
        ).status_code in (403, 404)


def _until(line: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Headers of what comes, until the first of that kind."""
    while True:
        _, parts = deserialize_msg_from_ws_v1(line.recv(timeout=20))
        header = json.loads(parts[0])
        yield header
        if header["msg_type"] == kind:
            return


# ------------------------------------------------------------------------------- rows 36 and 38


@pytest.mark.browser
@pytest.mark.slow
def test_f38_markup_in_a_name_stays_inert(browser: Browser, site: Running, tmp_path: Path) -> None:
    """In the list, the queue and the transcript: its letters are shown, and nothing runs."""
    (path,) = wavs(tmp_path, "talk")
    with visit(browser, site) as guest:
        guest.drop(MARKUP, path.read_bytes())
        guest.page.locator(".ht-file-name").wait_for()
        guest.start()
        guest.until(MARKUP, "completed")
        guest.until_text(3)
        assert guest.text()[0] == f"{MARKUP} 0"
        assert guest.page.locator("img").count() == 0
        assert "hit" not in guest.page.title()
        assert guest.heard.complaints == []


@pytest.mark.browser
@pytest.mark.slow
def test_f36_hostile_names_at_the_page(browser: Browser, site: Running, tmp_path: Path) -> None:
    """Each is transcribed and shown without what hides or reorders, and none lands in a path."""
    (path,) = wavs(tmp_path / "given", "talk")
    content = path.read_bytes()
    before = {item for item in tmp_path.rglob("*") if item.is_file()}
    items = ["..\\..\\C:\\talk.wav", "\u202evaw.klat.wav", "x" * 300 + ".wav", "twin.wav"]
    with visit(browser, site) as guest:
        for name in items:
            guest.drop(name, content)
        guest.page.wait_for_function(
            "n => document.querySelectorAll('.ht-file-name').length === n", arg=len(items)
        )
        guest.start()
        guest.page.wait_for_function(
            "n => document.querySelectorAll('.ht-row[data-state=completed]').length === n",
            arg=len(items),
        )
        display_name = guest.names()
        assert not [name for name in display_name if "\u202e" in name or "/" in name]
        assert all(len(name) <= 255 for name in display_name)
        assert guest.heard.complaints == []
    assert {item for item in tmp_path.rglob("*") if item.is_file()} == before
