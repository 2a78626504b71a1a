"""In a real kernel, over the real comm: the panel works while a cell holds the kernel up."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe.testing import SCRIPTED, Script
from tests.hud.gate import blocking_cell
from tests.services import wavs

pytestmark = [
    pytest.mark.slow,
    # jupyter_client and ipykernel leave sockets to the garbage collector when a kernel ends.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

VIEW = "application/vnd.jupyter.widget-view+json"
MIB = 1024 * 1024

CELL = f"""
from hybrid_transcribe import Service, hud
from hybrid_transcribe.testing import Script
service = Service(journal=None, engines={SCRIPTED!r}, engine="scripted")
panel = hud(service)
panel
"""


class Kernel:
    """A kernel with one panel, and what the panel is told."""

    def __init__(self) -> None:
        from jupyter_client.manager import start_new_kernel

        self.manager, self.client = start_new_kernel(kernel_name="python3")
        self.heard: list[tuple[float, dict[str, Any], list[Any]]] = []
        self.outputs: list[dict[str, Any]] = []
        self.busy_until_idle: str | None = None
        self.idle: set[str] = set()
        self.comm_id = ""

    def run(self, code: str, *, wait: bool = True) -> str:
        """Run a cell; without waiting it is only begun."""
        cell: str = self.client.execute(code)
        if wait:
            self.until(lambda: cell in self.idle)
        return cell

    def listen(self, timeout_s: float) -> None:
        """Take one message from the kernel."""
        from queue import Empty

        try:
            message = self.client.get_iopub_msg(timeout=timeout_s)
        except Empty:
            return
        kind, content = message["header"]["msg_type"], message["content"]
        if kind == "comm_msg" and content["data"].get("method") == "custom":
            text = content["data"]["content"]
            self.heard.append((time.monotonic(), text, message["buffers"]))
        elif kind == "status" and content["execution_state"] == "idle":
            self.idle.add(message["parent_header"]["msg_id"])
        elif kind in ("execute_result", "error"):
            self.outputs.append(content)

    def until(self, true: Any, timeout_s: float = 60.0) -> Any:
        deadline = time.monotonic() + timeout_s
        while not (result := true()):
            assert time.monotonic() < deadline, [message for _, message, _ in self.heard[-5:]]
            self.listen(0.2)
        return result

    def say(self, *buffers: bytes, subshell: str | None = None, **content: Any) -> None:
        """Say something to the panel's kernel side."""
        data = {"method": "custom", "content": content}
        self.ask("comm_msg", *buffers, subshell=subshell, comm_id=self.comm_id, data=data)

    def ask(self, kind: str, *buffers: bytes, subshell: str | None = None, **content: Any) -> str:
        """Send any message to the kernel, and its id."""
        message = self.client.session.msg(kind, content=content)
        message["header"]["subshell_id"] = subshell
        self.client.session.send(
            self.client.shell_channel.socket, message, buffers=list(buffers) or None
        )
        requested: str = message["header"]["msg_id"]
        return requested

    def control(self, kind: str, **content: Any) -> dict[str, Any]:
        """What the kernel answers on its other channel."""
        self.client.control_channel.send(self.client.session.msg(kind, content=content))
        answer: dict[str, Any] = self.client.get_control_msg(timeout=60)["content"]
        return answer

    def subshell(self) -> str:
        """A new one; skips where kernels have none."""
        answer = self.control("create_subshell_request")
        if "subshell_id" not in answer:
            pytest.skip("this ipykernel has no subshells")
        instance: str = answer["subshell_id"]
        return instance

    def told(self, kind: str, **fields: Any) -> list[tuple[float, dict[str, Any], list[Any]]]:
        return [
            item
            for item in self.heard
            if item[1]["type"] == kind and all(item[1].get(k) == v for k, v in fields.items())
        ]

    def states(self, state: str) -> list[dict[str, Any]]:
        """Rows that were told in that state."""
        rows = [row for _, message, _ in self.told("rows") for row in message["rows"]]
        return [row for row in rows if row["state"] == state]

    def first(self, kind: str, **fields: Any) -> dict[str, Any]:
        mapping: dict[str, Any] = self.until(lambda: self.told(kind, **fields))[0][1]
        return mapping

    def close(self) -> None:
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)
        self.manager.cleanup_resources()


@pytest.fixture
def kernel() -> Iterator[Kernel]:
    instance = Kernel()
    try:
        instance.run(CELL)
        (display_name,) = instance.outputs
        instance.comm_id = display_name["data"][VIEW]["model_id"]
        yield instance
    finally:
        instance.close()


def test_a_recording_goes_up_through_and_down(kernel: Kernel, tmp_path: Path) -> None:
    """Five megabytes in chunks; rows reach 100 percent while a cell blocks; the result is right."""
    (path,) = wavs(tmp_path, "long", seconds=165)
    data = path.read_bytes()
    assert len(data) > 5 * MIB
    kernel.say(type="hello")
    window = kernel.first("welcome")
    kernel.say(type="upload_begin", upload_id="u", name="../long.wav", size_bytes=len(data))
    for at in range(0, len(data), window["chunk_bytes"]):
        chunk = data[at : at + window["chunk_bytes"]]
        kernel.say(chunk, type="upload_chunk", upload_id="u", offset=at)
    kernel.first("upload_at", upload_id="u", complete=True)

    model = '{"segment_s": 1.0, "delay_s": 0.01}'
    kernel.say(type="submit", ref=1, upload_ids=["u"], how={"model": model})
    job_id = kernel.first("submitted", ref=1)["job_id"]
    gate = tmp_path / "gate"
    blocking = kernel.run(blocking_cell(gate), wait=False)

    (row, *_) = kernel.until(lambda: kernel.states("completed"))
    assert row["percentage"] == 100
    assert blocking not in kernel.idle
    assert row["name"] == "long.wav"
    shares = [r["percentage"] for _, message, _ in kernel.told("rows") for r in message["rows"]]
    assert shares == sorted(shares)
    assert len(set(shares)) > 3

    gate.write_text("go on")
    kernel.until(lambda: blocking in kernel.idle)
    by_name = {"job_id": job_id, "recording_id": row["recording_id"]}
    kernel.say(type="fetch", ref=2, what="audio", **by_name)
    kernel.say(type="fetch", ref=3, what="result", format="txt", **by_name)
    for ref in (2, 3):
        kernel.first("blob_chunk", ref=ref, last=True)
    audio, text = (
        b"".join(bytes(b) for _, _, bs in kernel.told("blob_chunk", ref=ref) for b in bs)
        for ref in (2, 3)
    )
    assert hashlib.sha256(audio).digest() == hashlib.sha256(data).digest()
    assert text.decode().startswith("long.wav 0 long.wav 1 ")
    kernel.run("service.close()")


def test_a_cell_that_runs_again_shows_the_same_queue(kernel: Kernel, tmp_path: Path) -> None:
    """Another panel on the same service, in place of the first one, which was told as well."""
    (path,) = wavs(tmp_path, "talk")
    kernel.say(type="hello")
    kernel.first("welcome")
    kernel.run(f"job = service.submit({str(path)!r}); job.result(60); hud(service)")
    again = kernel.outputs[-1]["data"]
    assert again[VIEW]["model_id"] != kernel.comm_id
    assert "talk.wav  completed  100" in again["text/plain"]
    kernel.until(lambda: any(message["rows"] for _, message, _ in kernel.told("rows")))
    kernel.run("panel.closed")
    assert kernel.outputs[-1]["data"]["text/plain"] == "True"
    kernel.run("service.close()")


def test_clicks_are_heard_while_a_cell_blocks(kernel: Kernel, tmp_path: Path) -> None:
    """On a subshell, as JupyterLab's come: a job is canceled before the cell is over."""
    (path,) = wavs(tmp_path, "talk", seconds=60.0)
    subshell = kernel.subshell()
    model = Script(delay_s=0.2).model
    kernel.say(type="hello", subshell=subshell)
    kernel.first("welcome")
    kernel.run(f"job = service.submit({str(path)!r}, model={model!r}); job.job_id")
    job_id = kernel.outputs[-1]["data"]["text/plain"].strip("'")
    gate = tmp_path / "gate"
    blocking = kernel.run(blocking_cell(gate), wait=False)
    kernel.until(lambda: kernel.states("running"))
    kernel.say(type="cancel", ref=1, job_id=job_id, subshell=subshell)
    kernel.until(lambda: kernel.states("canceled"))
    assert blocking not in kernel.idle
    gate.write_text("go on")
    kernel.until(lambda: blocking in kernel.idle)
    kernel.run("service.close()")


def test_the_browser_is_heard_after_another_subshell_ended(kernel: Kernel, tmp_path: Path) -> None:
    """JupyterLab makes and ends subshells whenever its page is loaded or its line is back."""
    (path,) = wavs(tmp_path, "talk", seconds=60.0)
    subshell = kernel.subshell()
    model = Script(delay_s=0.1).model
    kernel.say(type="hello")
    kernel.first("welcome")
    kernel.run(f"job = service.submit({str(path)!r}, model={model!r})")
    requested = kernel.ask("kernel_info_request", subshell=subshell)
    kernel.until(lambda: requested in kernel.idle)
    message = len(kernel.told("rows"))
    kernel.until(lambda: len(kernel.told("rows")) > message)
    assert kernel.control("delete_subshell_request", subshell_id=subshell)["status"] == "ok"
    kernel.say(type="engines")
    kernel.until(lambda: len(kernel.told("choices")) == 2)
    kernel.run("job.cancel(); service.close()")
