"""`hybrid-transcribe serve` as visitors and operators meet it."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import psutil
import pytest

from tests.processes import command_of
from tests.rest.hosts.running import Running, serve


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One with a token of its own making, below a path."""
    with serve(tmp_path_factory.mktemp("serve"), "--base-url", "voz") as running:
        yield running


def test_the_pages_are_for_everybody(site: Running) -> None:
    """In their language, light or dark, without anything of somebody else's."""
    with site.client(Accept="text/html") as client:
        first = client.get("/")
        assert first.status_code == HTTPStatus.FOUND
        assert first.headers["location"] == "/voz/ui"
        page = client.get("/about", headers={"Accept-Language": "pt-BR,pt;q=0.9"})
        assert '<html lang="pt-BR">' in page.text
        assert "O serviço está no ar." in page.text
        assert f"{site.url}/jobs" in page.text
        assert 'href="/voz/docs"' in page.text
        assert "prefers-color-scheme: dark" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert '<html lang="en">' in client.get("/about").text


def test_the_line_at_the_start_opens_everything(site: Running) -> None:
    """The page's link to the REST calls takes its token along, and no page without it has it."""
    address = next(line for line in site.lines if "is up at" in line).split()[-1]
    assert site.token is not None
    with httpx.Client(trust_env=False) as client:
        about = address.replace("/ui?", "/about?")
        assert f"/voz/queues?token={site.token}" in client.get(about).text
        assert site.token not in client.get(f"{site.url}/about?token=wrong").text
        assert client.get(f"{site.url}/queues?token={site.token}").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/kernels"),
        ("POST", "/api/kernels"),
        ("DELETE", "/api/kernels/00000000-0000-0000-0000-000000000000"),
        ("GET", "/api/contents"),
        ("PUT", "/api/contents/x.txt"),
        ("GET", "/voila/api/contents"),
        ("POST", "/api/sessions"),
        ("POST", "/api/terminals"),
        ("GET", "/voila/files/notes.txt"),
        ("GET", "/voila/static/../../notes.txt"),
        ("GET", "/voila/static/%2e%2e/%2e%2e/notes.txt"),
        ("GET", "/voila/templates/../notes.txt"),
        ("GET", "/voila/tree"),
        ("GET", "/voila/render/notes.ipynb"),
        ("GET", "/static/notes.txt"),
        ("GET", "/notes.txt"),
        ("GET", "/login"),
    ],
)
def test_a_visitor_gets_nothing_of_the_machine(site: Running, method: str, path: str) -> None:
    """No kernel of their own, no listing, no file of the folder it was started in."""
    with site.client() as client:
        answer = client.request(method, path)
    assert answer.status_code in (403, 404, 405), answer.text


def test_every_route_knows_its_name(site: Running) -> None:
    """Also those that are Voila's, which let any name pass."""
    with site.client() as client:
        for path in ("/ui", "/", "/voila/static/x.js", "/nowhere", "/docs", "/queues"):
            answer = client.get(path, headers={"Host": "127.0.0.1.evil.com"})
            assert answer.status_code == HTTPStatus.FORBIDDEN, path


@pytest.mark.skipif(not hasattr(psutil.Process, "environ"), reason="no way to look")
def test_kernels_of_pages_get_in_as_visitors(site: Running) -> None:
    """They find address and token in their environment: not the server's, and not for all."""
    with site.client() as client:
        # Starts a kernel: none is kept warm here.
        client.get("/ui", timeout=60)
    children = psutil.Process(site.process.pid).children()
    is_declared = next(
        c for c in children if "ipykernel_launcher" in " ".join(command_of(c))
    ).environ()
    visitor = is_declared["HYBRID_TRANSCRIBE_TOKEN"]
    assert is_declared["HYBRID_TRANSCRIBE_URL"] == site.url
    assert visitor != site.token
    with site.client(Authorization=f"token {visitor}") as client:
        assert client.get("/queues").json()["anonymous"] is True
        assert client.get("/sessions").json()["owner"] is False
        assert client.get("/metrics").status_code == HTTPStatus.FORBIDDEN


@pytest.mark.slow
def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    """It does not go to another, where nobody would look for it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "hybrid_transcribe", "serve", "--port", port]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ran.returncode == 1
    assert f"Cannot listen on 127.0.0.1, port {port}: " in ran.stderr
    assert not (tmp_path / "state").exists()
