"""The page as `voila` alone serves it, with what lies beside its notebook."""

from __future__ import annotations

import json
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import psutil
import pytest
from jupyter_server.services.kernels.connection.base import (
    deserialize_msg_from_ws_v1,
    serialize_msg_to_ws_v1,
)

from hybrid_transcribe.rest.hosts.page import TEMPLATE, TEMPLATE_NAME, made_files
from hybrid_transcribe.rest.hosts.voila_routes import PROTOCOL
from hybrid_transcribe.testing import Script
from tests.hud.page.visiting import Visit
from tests.processes import command_of
from tests.rest.hosts.running import ROOT, Running, started

if TYPE_CHECKING:
    from playwright.sync_api import Browser

APP = ROOT / "voila_app"

#: What a page says to have code run, see `hybrid_transcribe.rest.hosts.voila_routes`.
CODE = {"code": "open('ran', 'w').close()", "silent": False, "store_history": False}


def test_made_files_are_up_to_date() -> None:
    """Whoever changes the page's script, style or words runs `make build`."""
    for name, text in made_files().items():
        assert (TEMPLATE / name).read_text(encoding="utf-8") == text, name


def test_what_lies_beside_the_notebook_is_for_pages() -> None:
    """No file of the folder, no other template, and kernels that go when nobody is there."""
    payload = json.loads((APP / "voila.json").read_text(encoding="utf-8"))
    page = payload["VoilaConfiguration"]
    assert (page["template"], page["allow_template_override"]) == (TEMPLATE_NAME, "NO")
    assert page["file_allowlist"] == []
    assert payload["MappingKernelManager"]["cull_idle_timeout"] > 0
    assert not payload["MappingKernelManager"]["cull_connected"]


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Running]:
    """`voila app.ipynb` in its folder; kernels go a second after their page."""
    folder = tmp_path / "app"
    shutil.copytree(APP, folder)
    templates = tmp_path / "data" / "voila" / "templates"
    templates.mkdir(parents=True)
    shutil.copytree(TEMPLATE, templates / TEMPLATE_NAME)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    soon = ("cull_idle_timeout=1", "cull_interval=1")
    command = [
        *(sys.executable, "-m", "voila", "app.ipynb", "--no-browser", f"--port={port}"),
        *("--Voila.ip=127.0.0.1", *(f"--MappingKernelManager.{item}" for item in soon)),
    ]
    own = {"JUPYTER_PATH": str(tmp_path / "data"), "JUPYTER_NO_CONFIG": "1"}
    own |= {"JUPYTER_RUNTIME_DIR": str(tmp_path / "run")}
    own |= {"HYBRID_TRANSCRIBE_STATE_DIR": str(tmp_path / "state")}
    own |= {"HYBRID_TRANSCRIBE_MODEL": Script().model}
    with started("voila", command, folder, **own) as running:
        running.until(lambda line: "is running at" in line)
        running.url = f"http://127.0.0.1:{port}"
        yield running


def kernels(site: Running) -> list[psutil.Process]:
    children = psutil.Process(site.process.pid).children()
    return [item for item in children if "ipykernel_launcher" in command_of(item)]


@pytest.mark.browser
@pytest.mark.slow
def test_voila_alone_is_as_careful(browser: Browser, alone: Running) -> None:
    """The page works under its policy, runs no code but its own, and its kernel goes with it."""
    context = browser.new_context()
    guest = Visit(context.new_page(), alone.url)
    meta = guest.page.locator("meta[http-equiv=Content-Security-Policy]")
    assert meta.get_attribute("content") == made_files()["policy.txt"].strip()
    assert guest.heard.complaints == []
    assert guest.heard.strangers(alone.url) == set()

    payload = json.loads(guest.page.locator("#kernel").text_content() or "")
    assert _asked_to_run(alone.url, payload["kernel"]) <= {"kernel_info_reply", "status"}
    assert not (alone.folder / "ran").exists()
    with httpx.Client(base_url=alone.url, trust_env=False) as client:
        assert client.get("/voila/files/pictures/busy.png").status_code == 403
        assert "from_environment" not in client.get("/").text

    guest.page.evaluate(
        "() => { const it = document.createElement('script'); it.textContent ="
        " 'globalThis.hurt = 1'; document.body.append(it); }"
    )
    assert guest.page.evaluate("globalThis.hurt") is None
    (mine, *_) = [
        item for item in kernels(alone) if payload["kernel"] in " ".join(command_of(item))
    ]
    guest.close()
    mine.wait(timeout=60)
    context.close()


def _asked_to_run(url: str, kernel: str) -> set[str]:
    """Asks a kernel to run code, then what it is; types of what it says to that."""
    from websockets.sync.client import connect

    address = f"{url.replace('http', 'ws')}/api/kernels/{kernel}/channels?session_id=s"
    event: set[str] = set()
    with connect(address, subprotocols=[PROTOCOL], proxy=None) as line:
        line.send(_said("execute_request", CODE))
        line.send(_said("kernel_info_request", {}))
        while "kernel_info_reply" not in event:
            _, parts = deserialize_msg_from_ws_v1(line.recv(timeout=30))
            event.add(json.loads(parts[0])["msg_type"])
    return event


def _said(kind: str, content: dict[str, Any]) -> bytes:
    header = {"msg_id": kind, "msg_type": kind, "session": "s", "username": "", "version": "5.3"}
    header["date"] = "2026-01-01T00:00:00Z"
    parts = [json.dumps(part).encode() for part in (header, {}, {}, content)]
    data: bytes = serialize_msg_to_ws_v1(parts, "shell")
    return data
