"""Big recordings, from the drop to the file that is saved, on the page and in JupyterLab."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psutil
import pytest

from hybrid_transcribe.testing import Script
from tests.hud.page.lab import jupyterlab, open_notebook, write_notebook
from tests.hud.page.visiting import Visit, digest, digest_of, jobs, visit, write_long
from tests.processes import command_of
from tests.rest.hosts.running import TOKEN, Running, serve

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Of an hour there are so few segments that it is soon over, and slow enough to be watched.
MODEL = Script(segment_s=20.0, delay_s=0.2).model

#: What a kernel may grow by while a recording of any size passes through it, in bytes.
GROWTH = 48e6

SIZES = [60, 200]

#: A row shows the time that is left.
_LEFT = """row => row.querySelector(".ht-c-eta").textContent.trim() !== "" """


@pytest.fixture(scope="module")
def page_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    more = {"HYBRID_TRANSCRIBE_MODEL": MODEL}
    with serve(tmp_path_factory.mktemp("page"), "--token", TOKEN, **more) as running:
        yield running


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("lab")
    for size in SIZES:
        cell = f"from hybrid_transcribe import hud\nhud('server', session_id='big-{size}')"
        write_notebook(folder / f"big-{size}.ipynb", cell)
    with jupyterlab(folder, HYBRID_TRANSCRIBE_MODEL=MODEL) as running:
        yield running


def check(
    guest: Visit, path: Path, kernel: psutil.Process, client: httpx.Client, session_id: str, at: str
) -> None:
    """Send it, watch it, and save its text: all as it should be."""
    before = kernel.memory_info().rss
    guest.send(path)
    row = guest.row(path.name)
    row.wait_for(timeout=120_000)
    grown = kernel.memory_info().rss - before
    assert grown < GROWTH, grown
    assert 5 <= guest.until_percentage(path.name, 5) < 100
    guest.until_text(1)
    guest.page.wait_for_function(_LEFT, arg=row.element_handle())
    guest.until(path.name, "completed", 60_000)
    message = client.get(f"{at}/queues", params={"session_ids": session_id}).json()["jobs"]
    (job,) = message
    assert digest_of(client, job, session_id, at) == digest(path)
    (recording,) = job["recordings"]
    address = f"{at}/jobs/{job['job_id']}/recordings/{recording['recording_id']}/result"
    for form in ("txt", "srt", "vtt", "tsv", "json"):
        by_name = {"format": form, "session_id": session_id}
        theirs = client.get(address, params=by_name)
        assert theirs.status_code == 200
        assert guest.save(form) == theirs.content, form
    client.delete(f"{at}/jobs/{job['job_id']}", params={"session_id": session_id})


@pytest.mark.parametrize("megabytes", SIZES)
def test_on_the_page(browser: Browser, page_site: Running, tmp_path: Path, megabytes: int) -> None:
    """Every byte, by a kernel that grows by little; seen at work, and right in every format."""
    path = tmp_path / f"big-{megabytes}.wav"
    write_long(path, megabytes * 1_000_000)
    with visit(browser, page_site) as guest, page_site.client() as client:
        check(guest, path, guest.kernel(page_site), client, guest.session_id, "")
        assert jobs(client, guest.session_id) == []


@pytest.mark.parametrize("megabytes", SIZES)
def test_in_the_lab(browser: Browser, lab: Running, tmp_path: Path, megabytes: int) -> None:
    """The same in a notebook, by the server's own service."""
    path = tmp_path / f"big-{megabytes}.wav"
    write_long(path, megabytes * 1_000_000)
    notebook = open_notebook(browser, lab, f"big-{megabytes}.ipynb")
    try:
        notebook.run(0)
        notebook.until_panel()
        mine = psutil.Process(lab.process.pid).children()
        kernel = max(
            (item for item in mine if "ipykernel_launcher" in command_of(item)),
            key=lambda one: one.create_time(),
        )
        with lab.client() as client:
            check(notebook, path, kernel, client, f"big-{megabytes}", "/hybrid-transcribe")
    finally:
        notebook.leave()
