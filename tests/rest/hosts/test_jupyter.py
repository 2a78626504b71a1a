"""What is particular to the extension of Jupyter Server."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest

from hybrid_transcribe import _jupyter_server_extension_points
from tests.rest.hosts.running import ROOT, TOKEN, Running, jupyter


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of its own."""
    with jupyter(tmp_path_factory.mktemp("lab")) as running:
        yield running


@pytest.fixture
def browser_like(lab: Running) -> Iterator[httpx.Client]:
    """Logged in once with the token, then by cookie."""
    with lab.client(Accept="*/*") as client:
        assert client.get("/health", params={"token": TOKEN}).status_code == HTTPStatus.OK
        yield client


pytestmark = pytest.mark.slow


def test_a_cookie_is_enough_on_our_own_pages(lab: Running, browser_like: httpx.Client) -> None:
    """No XSRF token is asked for: the origin tells."""
    own = f"http://{httpx.URL(lab.url).netloc.decode()}"
    for headers in ({}, {"Origin": own}):
        answer = browser_like.delete("/sessions/nobodys", headers=headers)
        assert answer.status_code == HTTPStatus.NO_CONTENT, answer.text


@pytest.mark.parametrize("origin", ["https://evil.com", "http://127.0.0.1:1", "null"])
def test_f44_a_page_of_somebody_else(browser_like: httpx.Client, origin: str) -> None:
    """The browser's cookie opens nothing for it."""
    for method, path in (("DELETE", "/sessions/x"), ("POST", "/jobs"), ("GET", "/queues")):
        answer = browser_like.request(method, path, headers={"Origin": origin})
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.json()["code"] == "not_allowed"


def test_its_log_has_no_session(lab: Running, browser_like: httpx.Client) -> None:
    """Nor has Jupyter's own line about a request."""
    browser_like.get("/sessions/sentinel-in-path")
    browser_like.get("/jobs/none", params={"session_id": "sentinel-in-query"})
    lab.until(lambda line: "405 GET" in line and "/sessions/" in line)
    lab.until(lambda line: "404 GET" in line and "/jobs/" in line)
    assert "sentinel" not in "".join(lab.lines)
    assert TOKEN not in "".join(lab.lines)


def test_it_starts_no_engine_room_for_strangers(tmp_path: Path) -> None:
    """The first who is let in does; and nothing is left when the server has ended."""
    with jupyter(tmp_path) as running:
        with running.client(Authorization="token wrong") as client:
            client.get("/health")
        assert not (tmp_path / "state").exists()
        with running.client() as client:
            assert client.get("/health/ready").json()["status"] == "ready"
        assert (tmp_path / "state" / "journal.db").exists()
        assert running.stop() == 0


def test_the_wheel_enables_it(tmp_path: Path) -> None:
    """The file by which Jupyter Server finds it lies where an installation is looked through."""
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        names = [n for n in archive.namelist() if n.endswith("hybrid_transcribe.json")]
        (name,) = names
        assert name.endswith("data/etc/jupyter/jupyter_server_config.d/hybrid_transcribe.json")
        assert b'"hybrid_transcribe": true' in archive.read(name)
    (point,) = _jupyter_server_extension_points()
    assert point["module"] == "hybrid_transcribe.rest.hosts.jupyter"
