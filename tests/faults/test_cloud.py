"""Rows 18 and 46: the cloud misbehaves, and nobody pays twice or learns the key.

Real services with real workers, and a cloud of our own.
"""

from __future__ import annotations

import functools
import logging
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.config import PREFIX
from hybrid_transcribe.errors import EngineUnavailable
from hybrid_transcribe.testing import SCRIPTED, Script
from hybrid_transcribe.types import Stage, State
from tests.engines.aai_server import (
    KEY,
    LOUD_VARIABLE,
    TEXT,
    Cloud,
    Contract,
    Fault,
    contract_path,
    serving,
)
from tests.services import gone, wavs

ENGINES = {**SCRIPTED, "assemblyai": "tests.engines.aai_server:Brisk"}


@functools.cache
def contract() -> Contract:
    return Contract(contract_path())


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud of one's own; every request and answer has to fit the contract."""
    with serving(Cloud(contract())) as served:
        yield served
    assert served.violations == []


def service(cloud: Cloud, state_dir: Path | None = None, **settings: Any) -> Service:
    """In memory, or on disk when a folder is given."""
    where: dict[str, Any] = {"journal": None} if state_dir is None else {"state_dir": state_dir}
    by_name = {"assemblyai_api_key": KEY, "assemblyai_base_url": cloud.url, **settings}
    return Service(**where, engines=ENGINES, engine="assemblyai", **by_name)


def environment(cloud: Cloud, **more: str) -> dict[str, str]:
    """For a process of ours that is to find this cloud."""
    return {
        **os.environ,
        PREFIX + "ENGINES": ",".join(f"{name}={target}" for name, target in ENGINES.items()),
        PREFIX + "ENGINE": "assemblyai",
        PREFIX + "ASSEMBLYAI_BASE_URL": cloud.url,
        "ASSEMBLYAI_API_KEY": KEY,
        **more,
    }


def cloud_pid(of: Service) -> int:
    """The process that waits for the cloud."""
    pid = next(w.pid for w in of.workers() if w.lane == "cloud")
    assert pid is not None
    return pid


LIFE = """
import sys
from hybrid_transcribe import Service
state, *paths = sys.argv[1:]
job = Service(state).submit(paths, session_id="s")
print("accepted", flush=True)
job.result()
"""

# ------------------------------------------------------------------------------- row 18


@pytest.mark.slow
@pytest.mark.parametrize("moment", ["waiting", "submitting"])
def test_f18_a_killed_service_goes_on_waiting_and_pays_once(
    tmp_path: Path, cloud: Cloud, moment: str
) -> None:
    """After SIGKILL and a restart: one upload, one submission, the whole text.

    Also where the kill came after the submission and before its id was known.
    """
    (path,) = wavs(tmp_path, "talk", seconds=8)
    state = tmp_path / "state"
    cloud.held = True
    if moment == "submitting":
        cloud.meet("submit", Fault("hang", acted=True))
    process = subprocess.Popen(
        [sys.executable, "-c", LIFE, str(state), str(path)], env=environment(cloud)
    )
    if moment == "waiting":
        cloud.wait(lambda: len(cloud.polls) >= 3)
    else:
        cloud.wait(lambda: len(cloud.submissions) == 1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    cloud.release()
    with service(cloud, state) as s:
        (job,) = s.jobs()
        (transcript,) = job.result(60)
        assert job.recordings[0].attempt == 2
    assert transcript.text == TEXT
    assert (len(cloud.uploads), len(cloud.submissions)) == (1, 1)


@pytest.mark.slow
def test_f18_a_killed_worker_costs_nothing(tmp_path: Path, cloud: Cloud) -> None:
    """The next one goes on waiting for all that the first one waited for."""
    paths = wavs(tmp_path, "a", "b", "c", seconds=8)
    cloud.held = True
    with service(cloud, cloud_workers=1) as s:
        job = s.submit(paths)
        cloud.wait(lambda: len(set(cloud.polls)) == 3)
        os.kill(cloud_pid(s), signal.SIGKILL)
        cloud.release()
        assert [t.text for t in job.result(60)] == [TEXT] * 3
    assert (len(cloud.uploads), len(cloud.submissions)) == (3, 3)


@pytest.mark.parametrize("moment", ["waiting", "submitting"])
def test_f18_a_cancel_deletes_in_the_cloud(tmp_path: Path, cloud: Cloud, moment: str) -> None:
    """Within 2 s, without a kill, once; the neighbour goes on."""
    paths = wavs(tmp_path, "a", "b", seconds=8)
    cloud.held = True
    if moment == "submitting":
        cloud.always["submit"] = Fault("late", acted=True)
    with service(cloud, cloud_workers=1) as s:
        job = s.submit(paths)
        cloud.wait(lambda: len(cloud.submissions) == 2)
        if moment == "waiting":
            cloud.wait(lambda: len(set(cloud.polls)) == 2)
        pid = cloud_pid(s)
        canceled_at = time.monotonic()
        s.cancel(job.job_id, job.recordings[0].recording_id)
        cloud.late = True
        cloud.wait(lambda: len(cloud.deletes) == 1)
        assert cloud.deletes[0][1] - canceled_at < 2.0
        cloud.release()
        job.wait(60)
        assert [r.state for r in job.recordings] == [State.CANCELED, State.COMPLETED]
        assert cloud_pid(s) == pid
        assert job.recordings[0].note is None
        assert len(cloud.deletes) == 1


def test_f18_what_a_deleted_job_left_is_deleted_too(tmp_path: Path, cloud: Cloud) -> None:
    """By the time people ask for it, with or without a batch under way."""
    paths = wavs(tmp_path, "a", "b", seconds=8)
    with service(cloud) as s:
        done = s.submit(paths[0])
        done.result(60)
        cloud.held = True
        s.submit(paths[1])
        cloud.wait(lambda: len(cloud.submissions) == 2 and bool(cloud.polls))
        s.delete(done.job_id)
        cloud.wait(lambda: len(cloud.deletes) == 1)
        assert cloud.deletes[0][0] == cloud.submissions[0].id


def test_f18_local_and_cloud_work_side_by_side(tmp_path: Path, cloud: Cloud) -> None:
    """Neither waits for the other, whichever was first."""
    paths = wavs(tmp_path, "a", "b", seconds=8)
    gate = tmp_path / "gate"
    cloud.held = True
    with service(cloud) as s:
        waiting = s.submit(paths[0])
        cloud.wait(lambda: len(cloud.polls) >= 2)
        assert len(s.submit(paths[1], engine="scripted").result(60)) == 1
        assert waiting.snapshot().state is State.RUNNING
        assert waiting.recordings[0].stage is Stage.WAITING_FOR_CLOUD
        gated = s.submit(paths[1], engine="scripted", model=Script(gate=str(gate)).model)
        cloud.release()
        assert waiting.result(60)[0].text == TEXT
        assert not gated.snapshot().done
        gate.touch()
        gated.result(60)


def test_f18_trouble_everywhere_and_one_transcript(tmp_path: Path, cloud: Cloud) -> None:
    """Each endpoint fails in its own ways before it works."""
    cloud.meet("upload", Fault("drop"), Fault("status", 500), Fault("drop", acted=True))
    cloud.meet("submit", Fault("status", 429, retry_after="0"), Fault("drop", acted=True))
    cloud.meet("list", Fault("status", 503))
    cloud.meet("look", Fault("text"), Fault("status", 502), Fault("drop"))
    (path,) = wavs(tmp_path, "talk", seconds=8)
    with service(cloud) as s:
        job = s.submit(path)
        assert job.result(60)[0].text == TEXT
        assert job.recordings[0].attempt == 1
    assert len(cloud.submissions) == 1


def test_f18_a_key_that_is_not_accepted_fails_at_once(tmp_path: Path, cloud: Cloud) -> None:
    """Without a second request, and with the remedy."""
    (path,) = wavs(tmp_path, "talk", seconds=8)
    with service(cloud, assemblyai_api_key="another-key") as s:
        job = s.submit(path)
        with pytest.raises(EngineUnavailable, match="set ASSEMBLYAI_API_KEY"):
            job.result(60)
    assert len(cloud.requests) == 1


# ------------------------------------------------------------------------------- row 46


def holds_key(folder: Path) -> list[str]:
    """Files below a folder that the key can be read from."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [str(path) for path in files if KEY.encode() in path.read_bytes()]


@pytest.mark.slow
def test_f46_the_key_is_written_nowhere(
    tmp_path: Path,
    cloud: Cloud,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither of what worked, nor of what failed, was canceled or killed; with debugging on."""
    monkeypatch.setenv("HYBRID_TRANSCRIBE_DEBUG", "1")
    monkeypatch.setenv("ASSEMBLYAI_API_KEY", KEY)
    monkeypatch.setenv(LOUD_VARIABLE, "1")
    caplog.set_level(logging.DEBUG)
    paths = wavs(tmp_path / "in", "a", "b", "c", "d", seconds=8)
    state = tmp_path / "state"
    lines: list[str] = []
    with service(cloud, state, cloud_workers=1) as s:
        done = s.submit(paths[0])
        result = done.result(60)
        cloud.meet("submit", Fault("status", 400, f"what is {KEY}?"))
        failed = s.submit(paths[1])
        with pytest.raises(Exception, match="what is") as raised:
            failed.result(60)
        cloud.held = True
        canceled = s.submit(paths[2])
        cloud.wait(lambda: len(set(cloud.polls)) == 2)
        canceled.cancel()
        canceled.wait(60)
        killed = s.submit(paths[3])
        cloud.wait(lambda: len(set(cloud.polls)) == 3)
        pid = cloud_pid(s)
        os.kill(pid, signal.SIGKILL)
        assert gone(pid, 10)
        cloud.release()
        killed.result(60)
        jobs = (done, failed, canceled, killed)
        lines += ["".join(traceback.format_exception(raised.value)), repr(raised.value.__context__)]
        lines += [repr(job) + str(job) + repr(job.snapshot()) for job in jobs]
        lines += [repr(s), repr(s.settings), str(s.settings)]
        lines += [repr(result), repr(s.snapshots()), repr(s.workers())]
        lines += [r.note or "" for job in jobs for r in job.recordings]
        # While it is open, its journal's own side files are there too.
        assert holds_key(state) == []
    assert holds_key(state) == []
    lines += [caplog.text, *capfd.readouterr()]
    # The worker's last words, and so what its HTTP library logs, are in the log of its death.
    assert "the worker died" in caplog.text
    assert "send_request_headers" in caplog.text
    assert not [text for text in lines if KEY in text]


@pytest.mark.slow
@pytest.mark.parametrize("fault", [None, Fault("status", 400, f"what is {KEY}?")])
def test_f46_the_command_line_never_shows_the_key(
    tmp_path: Path, cloud: Cloud, fault: Fault | None
) -> None:
    """Neither with a text nor with an error, and it leaves no file with it."""
    if fault is not None:
        cloud.always["submit"] = fault
    (path,) = wavs(tmp_path / "in", "talk", seconds=8)
    ran = subprocess.run(
        [sys.executable, "-X", "dev", "-m", "hybrid_transcribe", "transcribe", str(path)],
        env=environment(cloud, HYBRID_TRANSCRIBE_DEBUG="1"),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    message = ran.stdout + ran.stderr
    assert (TEXT.split(".")[0] in message) == (fault is None)
    assert (ran.returncode == 0) == (fault is None)
    assert KEY not in message
    assert holds_key(tmp_path) == []
