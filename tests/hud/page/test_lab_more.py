"""More of what people do with the panel in JupyterLab, in a real browser."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hybrid_transcribe.testing import Script
from tests.hud.page.lab import Lab, jupyterlab, open_notebook, write_notebook
from tests.rest.hosts.running import Running
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HUD = "from hybrid_transcribe import hud\nhud({})"

#: A name of a file that would be a program if it were not shown as text.
PROGRAM = "<img src=x onerror=window.x=1>.wav"

AT = "/hybrid-transcribe"

_SAVE = """async () => { await window.jupyterapp.commands.execute("docmanager:save"); }"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """JupyterLab, with an engine that waits while there is no file ``go``."""
    folder = tmp_path_factory.mktemp("lab")
    write_notebook(folder / "server.ipynb", HUD.format("'server'"))
    # The server holds the folder that the environment names.
    apart = f"import os\nos.environ['HYBRID_TRANSCRIBE_STATE_DIR'] = {str(folder / 'own')!r}\n"
    write_notebook(folder / "own.ipynb", apart + HUD.format(""))
    gate = folder / "go"
    gate.touch()
    model = Script(delay_s=0.1, gate=str(gate)).model
    with jupyterlab(folder, HYBRID_TRANSCRIBE_MODEL=model) as running:
        yield running


@pytest.fixture(scope="module")
def notebook(browser: Browser, lab: Running) -> Iterator[Lab]:
    """A notebook with the panel of the server's own service."""
    instance = open_notebook(browser, lab, "server.ipynb")
    instance.run(0)
    instance.until_panel()
    yield instance
    instance.leave()


def read(notebook: Lab, name: str) -> None:
    """Open the text of a recording."""
    notebook.row(name).get_by_role("button", name=name, exact=True).click()


def job_of(lab: Running, name: str) -> dict[str, Any]:
    """The job that has a recording of that name, as REST tells it."""
    with lab.client() as client:
        message = client.get(f"{AT}/queues").raise_for_status().json()["jobs"]
    mapping: dict[str, Any]
    (mapping,) = [item for item in message if name in [r["name"] for r in item["recordings"]]]
    return mapping


def test_many_files_and_a_zip_with_a_broken_entry(
    notebook: Lab, lab: Running, tmp_path: Path
) -> None:
    """What can be read is, what cannot is named, and what is saved is what REST gives."""
    first, second, packed = wavs(tmp_path, "first", "second", "packed", seconds=2.0)
    archive = tmp_path / "more.zip"
    with zipfile.ZipFile(archive, "w") as instance:
        instance.write(packed, "packed.wav")
        instance.writestr("broken.wav", b"RIFF and no more")
    notebook.send(first, second, archive)
    for name in ("first.wav", "second.wav", "packed.wav"):
        notebook.until(name, "completed")
    broken = notebook.page.locator(".ht-body .ht-row").filter(has_text="broken.wav")
    broken.locator(".ht-row-error").wait_for()
    assert broken.get_attribute("data-state") in ("failed", "rejected")
    job = job_of(lab, "first.wav")
    by_name = {"session_id": job["session_id"], "partial": "true", "format": "txt"}
    with lab.client() as client:
        merged = client.get(f"{AT}/jobs/{job['job_id']}/result", params=by_name).content
    assert notebook.save("merged") == merged
    assert b"packed.wav 1" in merged
    read(notebook, "second.wav")
    notebook.until_text(2)
    assert notebook.text() == ["second.wav 0", "second.wav 1"]


def test_cancel_keeps_what_was_heard(notebook: Lab, tmp_path: Path) -> None:
    """The text so far stays in the notebook and can be saved."""
    (path,) = wavs(tmp_path, "long", seconds=100.0)
    notebook.send(path)
    notebook.until_percentage("long.wav", 3)
    read(notebook, "long.wav")
    notebook.until_text(3)
    notebook.row("long.wav").locator("[data-action=cancel]").click()
    notebook.until("long.wav", "canceled")
    saved = notebook.save("txt").decode()
    assert saved.startswith("long.wav 0")
    assert "long.wav 99" not in saved


def test_a_name_is_text(notebook: Lab, tmp_path: Path) -> None:
    """Whatever a file is called: nothing of its name is run, in the queue or in the text."""
    (path,) = wavs(tmp_path, "plain", seconds=2.0)
    notebook.drop(PROGRAM, path.read_bytes())
    notebook.start()
    notebook.until(PROGRAM, "completed")
    read(notebook, PROGRAM)
    notebook.until_text(2)
    assert PROGRAM in notebook.names()
    assert notebook.text() == [f"{PROGRAM} 0", f"{PROGRAM} 1"]
    assert notebook.page.locator("img[src=x]").count() == 0
    assert notebook.page.evaluate("() => window.x") is None


def test_the_queue_survives_its_page(browser: Browser, lab: Running, tmp_path: Path) -> None:
    """Loaded again at 30 %: what the cell showed, and shows when run again, is the same job."""
    (path,) = wavs(tmp_path, "going", seconds=60.0)
    notebook = open_notebook(browser, lab, "own.ipynb")
    gate = lab.folder / "go"
    try:
        notebook.run(0)
        notebook.until_panel()
        notebook.send(path)
        before = notebook.until_percentage("going.wav", 30)
        gate.unlink()
        notebook.page.evaluate(_SAVE)
        notebook.page.reload()
        notebook.ready()
        notebook.until_panel()
        assert before <= notebook.until_percentage("going.wav", before) < 100
        notebook.page.evaluate("() => void (document.querySelector('.ht-hud').id = 'earlier')")
        # The only cell: a notebook that is opened again has it chosen.
        notebook.do("notebook:run-cell")
        notebook.page.wait_for_selector("#earlier", state="detached")
        notebook.until_panel()
        assert before <= notebook.until_percentage("going.wav", before) < 100
        gate.touch()
        notebook.until("going.wav", "completed")
        assert notebook.names() == ["going.wav"]
        read(notebook, "going.wav")
        notebook.until_text(60)
        assert notebook.text() == [f"going.wav {second}" for second in range(60)]
    finally:
        gate.touch()
        notebook.leave()
