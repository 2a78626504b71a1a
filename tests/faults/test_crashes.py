"""Rows 2 to 8, 14, 16, 17: processes that die, hang, stop or babble. Real workers, real kills."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hybrid_transcribe.errors import TimedOut, WorkerCrashed
from hybrid_transcribe.testing import Script
from hybrid_transcribe.types import State
from tests.services import environment, gone, service, until_segment, wavs, worker_pid


def test_f02_worker_killed_only_what_it_ran_is_tried_again(tmp_path: Path) -> None:
    """After a SIGKILL the running recording resumes at its last segment; the queue goes on."""
    with service() as s:
        paths = wavs(tmp_path, "a", "b", "c", seconds=5)
        job = s.submit(paths, model=Script(delay_s=0.05).model)
        until_segment(s, 2)
        os.kill(worker_pid(s), signal.SIGKILL)
        result = job.result(60)
        assert [len(t.segments) for t in result] == [5, 5, 5]
        assert [t.segments[4].text for t in result] == ["a.wav 4", "b.wav 4", "c.wav 4"]
        assert max(r.attempt for r in job.recordings) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="no RLIMIT_AS")
def test_f02_worker_out_of_memory(tmp_path: Path) -> None:
    """A worker that may not have the memory it asks for fails the recording, not the service."""
    import resource

    with service() as s:
        (path,) = wavs(tmp_path, "a")
        s.submit(path).result(30)
        pid = worker_pid(s)
        used = psutil.Process(pid).memory_info().vms
        resource.prlimit(pid, resource.RLIMIT_AS, (used + 2**20, used + 2**20))
        big = wavs(tmp_path, "big", seconds=600)[0]
        first = s.submit(big, model=Script(segment_s=100).model)
        first.wait(60)
        assert first.snapshot().done
        assert len(s.submit(path).result(30)) == 1


def test_f03_native_crash_is_a_typed_error(tmp_path: Path) -> None:
    """SIGSEGV in an engine ends in worker_crashed with the signal named; a new worker serves on."""
    with service(max_worker_deaths=1) as s:
        (path,) = wavs(tmp_path, "a")
        job = s.submit(path, model=Script(fault="segv", at_s=1).model)
        with pytest.raises(WorkerCrashed, match="signal 11"):
            job.result(60)
        assert job.partial()[0].text == "a.wav 0"
        assert len(s.submit(path).result(30)[0].segments) == 3


PARENT = """
import sys
from hybrid_transcribe import Service
from tests.services import until_segment, worker_pid
service = Service(sys.argv[1])
job = service.submit(sys.argv[2], model=sys.argv[3])
until_segment(service)
print(worker_pid(service), flush=True)
sys.stdin.read()
"""


def start_parent(tmp_path: Path, script: Script, seconds: float = 60) -> subprocess.Popen[bytes]:
    (path,) = wavs(tmp_path, "long", seconds=seconds)
    return subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path / "state"), str(path), script.model],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(),
    )


def test_f04_no_orphan_when_the_parent_is_killed(tmp_path: Path) -> None:
    """Within 3 s of the parent's death its busy worker is gone too."""
    with start_parent(tmp_path, Script(delay_s=0.1)) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        assert psutil.pid_exists(worker)
        parent.kill()
        parent.wait()
        assert gone(worker, within_s=3.0)


@pytest.mark.model
def test_f04_no_orphan_inside_a_real_inference(tmp_path: Path, sample: Path) -> None:
    """The same while CTranslate2 is at work in native code."""
    code = PARENT.replace("until_segment(service)", "import time").replace(
        "print(",
        "next(e for e in service.subscribe()"
        " if getattr(getattr(e, 'recording', 0), 'stage', 0) == 'transcribing')\nprint(",
    )
    (path,) = wavs(tmp_path, "noise", seconds=120)
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "state"), str(path), "tiny.en"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(HYBRID_TRANSCRIBE_ENGINE="faster-whisper"),
    ) as parent:
        assert parent.stdout is not None
        worker = int(parent.stdout.readline())
        parent.kill()
        parent.wait()
        assert gone(worker, within_s=3.0)


def test_f05_poison_recording_fails_and_neighbours_finish(tmp_path: Path) -> None:
    """One file that kills its worker each time is given up after three deaths, the rest is done."""
    with service() as s:
        paths = wavs(tmp_path, "a", "poison", "c")
        job = s.submit(paths, model=Script(fault="kill", at_s=1, only="poison").model)
        result = job.result(90)
        assert [t.name for t in result] == ["a.wav", "c.wav"]
        (error,) = result.errors
        assert (error.name, error.error.code) == ("poison.wav", "worker_crashed")
        assert [r.worker_deaths for r in job.recordings] == [0, 3, 0]


def test_f06_restarts_are_never_counted(tmp_path: Path) -> None:
    """A healthy job that lives through five killed kernels has no strike and its whole text."""
    script = Script(delay_s=0.05)
    job_ids = set()
    for _ in range(5):
        with start_parent(tmp_path, script, seconds=30) as parent:
            assert parent.stdout is not None
            worker = int(parent.stdout.readline())
            parent.kill()
            parent.wait()
            assert gone(worker, within_s=3.0)
    with service(tmp_path / "state") as s:
        for job in s.jobs():
            job_ids.add(job.job_id)
            (recording,) = job.recordings
            assert recording.worker_deaths == 0
            (transcript,) = job.result(60)
            assert [x.text for x in transcript.segments] == [f"long.wav {i}" for i in range(30)]
    assert len(job_ids) == 5


def test_f07_cancel_a_running_recording(tmp_path: Path) -> None:
    """Terminal within 2.5 s, what was heard stays, and the same worker takes the next one."""
    with service() as s:
        (path,) = wavs(tmp_path, "a", seconds=60)
        job = s.submit(path, model=Script(delay_s=0.1).model)
        until_segment(s, 2)
        pid = worker_pid(s)
        started = time.monotonic()
        job.cancel()
        assert job.wait(5)
        assert time.monotonic() - started < 2.5
        assert job.state is State.CANCELED
        assert job.partial()[0].text.startswith("a.wav 0 a.wav 1")
        s.submit(path, model=Script(segment_s=60).model).result(30)
        assert worker_pid(s) == pid


def test_f07_cancel_a_deaf_recording(tmp_path: Path) -> None:
    """An engine that does not listen is killed: still within 2.5 s, with its text kept."""
    with service() as s:
        (path,) = wavs(tmp_path, "a", seconds=60)
        job = s.submit(path, model=Script(fault="sleep", at_s=2).model)
        until_segment(s, 2)
        started = time.monotonic()
        job.cancel()
        assert job.wait(5)
        assert time.monotonic() - started < 2.5
        assert job.partial()[0].text == "a.wav 0 a.wav 1"


@pytest.mark.parametrize("how", ["sleep", "hang"])
def test_f08_hanging_engine_is_killed(tmp_path: Path, how: str) -> None:
    """A hang, even in native code that holds the interpreter, ends in timed_out; others go on."""
    with service(time_limit_min_s=1.0, time_limit_factor=0.1) as s:
        hanging, good = wavs(tmp_path, "hanging", "good")
        job = s.submit([hanging, good], model=Script(fault=how, at_s=1, only="hanging").model)
        result = job.result(60)
        assert [t.name for t in result] == ["good.wav"]
        assert [e.error.code for e in result.errors] == [TimedOut.code]
        assert job.partial()[0].text == "hanging.wav 0"


STOPPING = """
import signal, sys
from hybrid_transcribe import Service
from tests.services import until_segment
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
with Service(sys.argv[1]) as service:
    job = service.submit(sys.argv[2], model=sys.argv[3])
    until_segment(service, 2)
    try:
        print(job.job_id, flush=True)
        job.wait()
    except KeyboardInterrupt:
        pass
"""


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_f14_asked_to_stop(tmp_path: Path, sign: signal.Signals) -> None:
    """Within the grace the process ends by itself and leaves its work to the next one."""
    (path,) = wavs(tmp_path, "long", seconds=40)
    with subprocess.Popen(
        [
            sys.executable,
            "-c",
            STOPPING,
            str(tmp_path / "s"),
            str(path),
            Script(delay_s=0.05).model,
        ],
        stdout=subprocess.PIPE,
        env=environment(),
    ) as process:
        assert process.stdout is not None
        job_id = process.stdout.readline().decode().strip()
        children = psutil.Process(process.pid).children()
        process.send_signal(sign)
        assert process.wait(10) == 0
    assert all(gone(child.pid, 0.5) for child in children)
    with service(tmp_path / "s") as s:
        (transcript,) = s.job(job_id).result(60)
        assert [x.text for x in transcript.segments] == [f"long.wav {i}" for i in range(40)]


def test_f16_input_missing(tmp_path: Path) -> None:
    """A file that vanished between the queue and the worker is a clear error of that file only."""
    gate = tmp_path / "gate"
    with service(batch_recordings=1) as s:
        first, second, third = wavs(tmp_path, "first", "second", "third")
        job = s.submit([first, second, third], model=Script(gate=str(gate)).model)
        second.unlink()
        gate.touch()
        result = job.result(30)
        assert [t.name for t in result] == ["first.wav", "third.wav"]
        assert [e.error.code for e in result.errors] == ["input_missing"]


def test_f17_babbling_libraries_do_not_break_the_protocol(tmp_path: Path) -> None:
    """What a library prints, from Python or from C, goes to stderr; the text is whole."""
    with service() as s:
        (path,) = wavs(tmp_path, "a")
        (transcript,) = s.submit(path, model=Script(fault="puts", at_s=1).model).result(30)
        assert [x.text for x in transcript.segments] == ["a.wav 0", "a.wav 1", "a.wav 2"]
