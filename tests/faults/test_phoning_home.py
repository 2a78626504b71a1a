"""Row 73: nothing of ours tries to reach anything that was not asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.engines.moonshine import moonshine_folder
from tests.hud.page.lab import NO_BROWSER
from tests.network_trap import trapped

pytestmark = [pytest.mark.slow, pytest.mark.model]

#: Makes two attempts: a name to look up, and an address.
CALLS_HOME = """
import socket
for target in (("telemetry.example.org", 443), ("192.0.2.7", 443)):
    try:
        socket.create_connection(target, timeout=1)
    except OSError:
        pass
"""

#: A server, its page with the panel's kernel behind it, its documentation, and a job.
SERVED = """
import re, subprocess, sys, time, urllib.request
process = subprocess.Popen(
    [sys.executable, "-m", "hybrid_transcribe", "serve", "--port", "0", "--state-dir", sys.argv[2]],
    stdout=subprocess.PIPE, text=True,
)
line = process.stdout.readline()
url, token = re.search(r"(http://[^ ]+)/ui\\?token=(\\S+)", line).groups()

def get(path, body=None, **headers):
    headers = {"Authorization": f"token {token}", **headers}
    request = urllib.request.Request(url + path, body, headers)
    with urllib.request.urlopen(request, timeout=200) as response:
        return response.read().decode()

try:
    assert "hybrid" in get("/ui").lower()
    get("/docs"), get("/openapi.json"), get("/engines"), get("/v1/models")
    audio = open(sys.argv[1], "rb").read()
    job = get("/jobs?model=tiny.en", audio, **{"Content-Type": "audio/mp4", "Prefer": "wait=200"})
    assert '"completed"' in job, job
finally:
    process.terminate()
    process.wait(60)
"""

#: A recording sent to a cloud that is on this machine.
SENT = """
import os, subprocess, sys
from tests.engines.aai_server import KEY, Cloud, Contract, contract_path, serving

with serving(Cloud(Contract(contract_path()))) as cloud:
    os.environ["HYBRID_TRANSCRIBE_ASSEMBLYAI_BASE_URL"] = cloud.url
    os.environ["ASSEMBLYAI_API_KEY"] = KEY
    process = subprocess.run(sys.argv[1:])
assert cloud.uploads and cloud.deletes
sys.exit(process.returncode)
"""


def _transcribe(sample: Path, *more: str) -> list[str]:
    command = [sys.executable, "-m", "hybrid_transcribe", "transcribe", str(sample)]
    return [*command, "--model", "tiny.en", "--quiet", *more]


def test_f73_the_trap_sees_who_calls_home() -> None:
    """Otherwise the others would prove nothing."""
    attempts = trapped([sys.executable, "-c", CALLS_HOME]).attempts

    assert any("telemetry" in attempt for attempt in attempts), attempts
    assert "tcp 192.0.2.7:443" in attempts


@pytest.mark.parametrize(
    "more",
    [
        (),
        # The library's own detector, of ONNX, and its batches.
        ("--option", "batch_size=4", "--vad-filter"),
        ("--engine", "openai-whisper"),
        ("--engine", "transformers", "--word-timestamps"),
    ],
    ids=["faster-whisper", "batched", "openai-whisper", "transformers"],
)
def test_f73_no_engine_calls_home(sample: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    """With the packaged model, and without being told to stay offline."""
    if "--engine" in more:
        pytest.importorskip("torch")
    ran = trapped(_transcribe(sample, *more), HOME=str(tmp_path), HF_HOME=str(tmp_path / "hf"))

    assert "country" in ran.stdout, ran.stderr
    assert ran.attempts == []


def test_f73_neither_does_the_engine_of_other_models(sample: Path, tmp_path: Path) -> None:
    """sherpa-onnx brings an onnxruntime of its own."""
    pytest.importorskip("sherpa_onnx")
    command = _transcribe(sample, "--engine", "sherpa-onnx", "--model", str(moonshine_folder()))
    ran = trapped(command, HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))

    assert "country" in ran.stdout, ran.stderr
    assert ran.attempts == []
    assert not (tmp_path / "cache").exists()


def test_f73_a_cloud_is_reached_where_it_is_said_to_be(sample: Path, tmp_path: Path) -> None:
    """The audio goes to the address of the settings, and nothing goes anywhere else."""
    pytest.importorskip("assemblyai")
    command = _transcribe(sample, "--engine", "assemblyai", "--model", "universal-2")
    ran = trapped([sys.executable, "-c", SENT, *command], HOME=str(tmp_path))

    assert "rivers" in ran.stdout, ran.stderr
    assert (ran.status, ran.attempts) == (0, [])


def test_f73_neither_does_onnxruntime(tmp_path: Path) -> None:
    """Loaded by a notebook beside us, it keeps no device id and sends nothing."""
    pytest.importorskip("onnxruntime")
    code = "import time, hybrid_transcribe, onnxruntime; time.sleep(3)"
    ran = trapped([sys.executable, "-c", code], HOME=str(tmp_path), XDG_CACHE_HOME=str(tmp_path))

    assert (ran.status, ran.attempts) == (0, [])
    assert list(tmp_path.iterdir()) == []


def test_f73_neither_do_the_doctor_and_the_lists(tmp_path: Path) -> None:
    """They look at this machine only."""
    for command in (("doctor",), ("engines",), ("models", "list")):
        ran = trapped(
            [sys.executable, "-m", "hybrid_transcribe", *command], HF_HOME=str(tmp_path / "hf")
        )
        assert (ran.status, ran.attempts) == (0, []), ran.stderr


def test_f73_neither_do_the_server_and_its_page(sample: Path, tmp_path: Path) -> None:
    """The service, the page's kernel with the panel, the documentation and a job."""
    pytest.importorskip("voila")
    command = [sys.executable, "-c", SERVED, str(sample), str(tmp_path / "state")]
    ran = trapped(command, HF_HOME=str(tmp_path / "hf"))

    assert ran.status == 0, ran.stderr
    assert ran.attempts == []


def test_f73_neither_does_the_panel_in_jupyterlab(sample: Path, tmp_path: Path) -> None:
    """The lab's server, the notebook's kernel, the page in the browser, and a job."""
    pytest.importorskip("playwright.sync_api")
    pytest.importorskip("jupyterlab")
    command = [sys.executable, "-m", "tests.hud.page.lab", str(tmp_path), str(sample)]
    ran = trapped(command, HF_HOME=str(tmp_path / "hf"))
    if NO_BROWSER in ran.stdout:
        pytest.skip(ran.stdout)

    assert ran.status == 0, ran.stderr
    assert ran.attempts == []
