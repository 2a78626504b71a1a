"""In a real kernel: cells that block, await and iterate, while jobs go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from hybrid_transcribe.testing import SCRIPTED, Script
from tests.services import wavs

pytestmark = [
    pytest.mark.model,
    pytest.mark.slow,
    # jupyter_client and ipykernel leave sockets to the garbage collector when a kernel ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

#: The notebooks people get.
NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"

#: What their outputs say and what they save, beside the words of the sample.
SAID = {"01_first_file.ipynb": ("-->",), "02_hud.ipynb": ("<Job ", "Nothing is queued.")}
SAVED = {"01_first_file.ipynb": {"jfk.srt"}}

START = """
import time
from hybrid_transcribe import sample, submit, transcribe, default_service
from hybrid_transcribe.events import SegmentAdded
seen = []
subscription = default_service().subscribe(lambda event: seen.append((time.monotonic(), event)))
"""


def run(*cells: str) -> list[Any]:
    """Run cells in one kernel and return what each left as its outputs."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def text_of(outputs: list[Any]) -> str:
    return "".join(
        out.get("text", "") or out.get("data", {}).get("text/plain", "") for out in outputs
    )


def test_jobs_go_on_while_a_cell_sleeps() -> None:
    """During time.sleep(30) the job runs to its end and its events arrive one by one."""
    outputs = run(
        START,
        "job = submit(sample(), model='tiny.en')\njob",
        "began = time.monotonic()\ntime.sleep(30)\nended = time.monotonic()",
        "during = [e for t, e in seen if began < t < ended]\n"
        "print(sum(isinstance(e, SegmentAdded) for e in during) >= 1, job.state, job.done)",
    )
    assert "<Job " in text_of(outputs[1])
    assert text_of(outputs[3]).strip() == "True completed True"


def test_awaiting_and_iterating_in_cells() -> None:
    """`await job`, `async for` and a blocking `transcribe` all work in a cell's running loop."""
    outputs = run(
        START,
        "job = submit(sample(), model='tiny.en')\n"
        "parts = [segment.text async for segment in job]\n"
        "result = await job\n"
        "print(' '.join(p.strip() for p in parts) == result.text)",
        "print(transcribe(sample(), model='tiny.en', progress=False).text)",
    )
    assert text_of(outputs[1]).strip() == "True"
    assert "what your country can do for you" in text_of(outputs[2])


def test_a_restarted_kernel_shows_the_same_jobs(tmp_path: Path) -> None:
    """A new kernel finds the results of the one before it, under the same session."""
    first = run(
        START, "job = submit(sample(), model='tiny.en')\n_ = job.result()\nprint(job.job_id)"
    )
    second = run(START, "print([j.job_id for j in default_service().jobs()])")
    assert text_of(first[1]).strip().splitlines()[-1] in text_of(second[1])


def test_f06_restarting_the_kernel_harms_no_job(tmp_path: Path) -> None:
    """Jupyter's own restart ends our worker too: the job goes on after it, without a strike."""
    from jupyter_client.manager import start_new_kernel

    (path,) = wavs(tmp_path, "long", seconds=60)
    script = Script(delay_s=0.1).model
    opening = (
        "from hybrid_transcribe import Service\n"
        f"service = Service({str(tmp_path / 's')!r}, engines={SCRIPTED!r}, engine='scripted')\n"
    )
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        start = f"{opening}job = service.submit({str(path)!r}, model={script!r})\nnext(iter(job))"
        assert client.execute_interactive(start, timeout=60)["content"]["status"] == "ok"
        manager.restart_kernel(now=False)
        client.wait_for_ready(timeout=60)
        lines: list[str] = []
        client.execute_interactive(
            f"{opening}(job,) = service.jobs()\nresult = job.result(60)\n"
            "print(len(result[0].segments), job.recordings[0].worker_deaths, job.state)",
            timeout=90,
            output_hook=lambda m: lines.append(m["content"].get("text", "")),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
        manager.cleanup_resources()
    assert "".join(lines).strip() == "60 0 completed"


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda p: p.name)
def test_shipped_notebooks_run_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    """Every notebook we give to people runs as it stands, and comes without outputs."""
    notebook = nbformat.read(path, as_version=4)
    cells = [c for c in notebook.cells if c.cell_type == "code"]
    assert all(not c.outputs and c.execution_count is None for c in cells)
    NotebookClient(
        notebook, timeout=180, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    ).execute()
    said = "".join(text_of(c.outputs) for c in cells)
    assert "what your country can do for you" in said
    for text in SAID.get(path.name, ()):
        assert text in said
    assert {file.name for file in tmp_path.glob("*.srt")} == SAVED.get(path.name, set())


def test_the_panels_notebook_shows_a_panel(tmp_path: Path) -> None:
    """Its own cell gives a widget, and a table for where there are none."""
    notebook = nbformat.read(NOTEBOOKS / "02_hud.ipynb", as_version=4)
    cell = next(c for c in notebook.cells if c.source == "hud()")
    *_, outputs = run("from hybrid_transcribe import hud", cell.source)
    (display_name,) = outputs
    assert "application/vnd.jupyter.widget-view+json" in display_name.data
    assert display_name.data["text/plain"] == "Nothing is queued."
