"""Rows 110 to 117: a stage after the engine goes wrong, and the text is whole all the same.

Real workers, real signals. What a stage does is in its script; the engine is a scripted one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hybrid_transcribe import Job, Service, Transcript
from hybrid_transcribe.events import Event, RecordingChanged, SegmentAdded
from hybrid_transcribe.interfaces import PostProcessorCapabilities, Processed
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.testing import SCRIPTED_STAGES, Script, ScriptedPostProcessor, StageScript
from hybrid_transcribe.types import Stage, State
from tests.services import environment, gone, service, wavs, worker_pid

TEXT = "a.wav 0 a.wav 1 a.wav 2"


def staged(of: Service, path: Path, **script: Any) -> Job:
    """A recording for which a stage follows that does what its script says."""
    hotwords = StageScript(**script).hotwords
    return of.submit(path, postprocess=["scripted-stage"], hotwords=hotwords)


def until_stage(of: Service) -> None:
    """Wait until a post-processor has its first clip, also when it has it already."""
    with of.subscribe() as events:
        while all(r.stage_done_s is None for job in of.snapshots() for r in job.recordings):
            assert events.get(60.0) is not None, "no stage began"


def whole(job: Job, timeout_s: float = 90) -> Transcript:
    """Its text, which is whole and completed although something is missing."""
    (transcript,) = job.result(timeout_s)
    (recording,) = job.recordings
    assert (recording.state, recording.error, recording.percentage) == (
        State.COMPLETED,
        None,
        100.0,
    )
    assert (transcript.text, transcript.complete) == (TEXT, True)
    return transcript


def lacks(job: Job, why: str, timeout_s: float = 90) -> None:
    """It is whole, but for one stage, and one line says why."""
    transcript = whole(job, timeout_s)
    (line,) = transcript.warnings
    assert line.startswith("The post-processor scripted-stage ")
    assert why in line
    assert transcript.speakers == ()


def still_works(of: Service, path: Path) -> None:
    """The next recording gets its stage, of the same worker or of a new one."""
    assert [s.id for s in whole(staged(of, path)).speakers] == ["S1", "S2"]


def starts(events: list[Event]) -> int:
    """How often the engine began with a recording."""
    return sum(isinstance(event, SegmentAdded) and event.index == 0 for event in events)


def test_f110_a_stage_that_raises(tmp_path: Path) -> None:
    """Its error is in one line of the result; the job is completed."""
    (path,) = wavs(tmp_path, "a")
    with service() as s:
        lacks(staged(s, path, fault="raise"), "failed (as the script says)")
        lacks(staged(s, path, fault="nothing"), "without a result")
        still_works(s, path)


@pytest.mark.parametrize(("fault", "says"), [("segv", "signal 11"), ("kill", "signal 9")])
def test_f111_a_stage_that_kills_its_worker(tmp_path: Path, fault: str, says: str) -> None:
    """Tried again as often as an engine would be; the engine is not run again for it."""
    (path,) = wavs(tmp_path, "a")
    events: list[Event] = []
    with service() as s:
        s.subscribe(events.append)
        job = staged(s, path, fault=fault)
        lacks(job, says)
        assert (starts(events), job.recordings[0].attempt) == (1, 3)
        still_works(s, path)


def test_f111_neighbours_of_a_poison_recording_get_their_stage(tmp_path: Path) -> None:
    """Only the one in whose stage the worker dies is without it."""
    with service() as s:
        paths = wavs(tmp_path, "a", "poison", "c")
        script = StageScript(fault="segv", only="poison")
        job = s.submit(paths, postprocess=["scripted-stage"], hotwords=script.hotwords)
        result = job.result(90)
        assert [len(t.segments) for t in result] == [3, 3, 3]
        assert [len(t.speakers) for t in result] == [2, 0, 2]
        assert [len(t.warnings) for t in result] == [0, 1, 0]


@pytest.mark.parametrize("how", ["sleep", "hang"])
def test_f112_a_stage_that_hangs(tmp_path: Path, how: str) -> None:
    """The worker is ended after the time allowed, even where native code holds the interpreter."""
    (path,) = wavs(tmp_path, "a")
    with service(time_limit_min_s=4.0, time_limit_factor=0.1) as s:
        lacks(staged(s, path, fault=how), "failed")
        still_works(s, path)


def test_f113_a_stage_without_memory(tmp_path: Path) -> None:
    """What the worker holds is given back, and it is tried once more; then the text says so."""
    (path,) = wavs(tmp_path, "a")
    with service() as s:
        job = staged(s, path, fault="allocate")
        lacks(job, "Unable to allocate")
        pid = worker_pid(s)
        lacks(staged(s, path, fault="oom"), "as the script says")
        still_works(s, path)
        # It was no death of a worker.
        assert (worker_pid(s), job.recordings[0].attempt) == (pid, 1)


class Modelled(ScriptedPostProcessor):
    """Needs a model."""

    capabilities: ClassVar[PostProcessorCapabilities] = PostProcessorCapabilities(
        models=("pyannote-segmentation-3.0",), options=frozenset({"hotwords"})
    )


class Unloadable(ScriptedPostProcessor):
    """Dies when it is loaded."""

    def load(self, *arguments: Any) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


class Gone(ScriptedPostProcessor):
    """Was there when the job was accepted."""

    def process(self, *arguments: Any) -> Iterator[Processed]:
        raise ImportError("no module named 'gone'")


class Backwards(ScriptedPostProcessor):
    """Ends segments before they begin."""

    def process(self, audio: Any, transcript: Transcript, *rest: Any) -> Iterator[Processed]:
        yield Document(tuple(replace(s, end_s=s.start_s - 0.5) for s in transcript.segments))


class Forgetful(ScriptedPostProcessor):
    """Leaves out what was said last."""

    def process(self, audio: Any, transcript: Transcript, *rest: Any) -> Iterator[Processed]:
        yield Document(transcript.segments[:1])


class Empty(ScriptedPostProcessor):
    """Keeps the segments, and nothing of what they say."""

    def process(self, audio: Any, transcript: Transcript, *rest: Any) -> Iterator[Processed]:
        yield Document(tuple(replace(s, text=" ") for s in transcript.segments))


def only(stage: type[ScriptedPostProcessor]) -> dict[str, dict[str, str]]:
    """Settings with that one under the name of the scripted one."""
    (name,) = SCRIPTED_STAGES
    return {"postprocessors": {name: f"tests.faults.test_stages:{stage.__name__}"}}


def test_f114_a_stage_without_its_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The line names the model and where it would have to be; the next one may find it there."""
    (path,) = wavs(tmp_path, "a")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    cache = tmp_path / "cache"
    with service(**only(Modelled), offline=True, cache_dir=str(cache)) as s:
        job = staged(s, path)
        lacks(job, "pyannote-segmentation-3.0")
        assert str(cache) in job.result()[0].warnings[0]


@pytest.mark.parametrize(("stage", "says"), [(Unloadable, "signal 11"), (Gone, "no module named")])
def test_f114_a_stage_that_cannot_be_loaded(
    tmp_path: Path, stage: type[ScriptedPostProcessor], says: str
) -> None:
    """A library that dies or is missing costs what it would have done."""
    (path,) = wavs(tmp_path, "a")
    with service(**only(stage)) as s:
        lacks(staged(s, path), says)


@pytest.mark.parametrize(
    ("stage", "says"), [(Backwards, "'1.0'"), (Forgetful, "'1.1' is lost"), (Empty, "'1.0'")]
)
def test_f110_a_stage_whose_text_is_no_text(
    tmp_path: Path, stage: type[ScriptedPostProcessor], says: str
) -> None:
    """Times that cannot be, or text that is gone: there is no such revision."""
    (path,) = wavs(tmp_path, "a")
    with service(**only(stage)) as s:
        job = staged(s, path)
        lacks(job, says)
        assert job.recordings[0].revision == 0


@pytest.mark.parametrize("is_deaf", [False, True])
def test_f115_cancel_in_a_stage(tmp_path: Path, is_deaf: bool) -> None:
    """Completed within 2.5 s, with its text, whether the stage hears of it or has to be ended."""
    (path,) = wavs(tmp_path, "a")
    with service() as s:
        job = staged(s, path, gate=str(tmp_path / "never"), is_deaf=is_deaf)
        until_stage(s)
        pid = worker_pid(s)
        started = time.monotonic()
        job.cancel()
        assert job.wait(5)
        assert time.monotonic() - started < 2.5
        lacks(job, "canceled")
        assert gone(pid, 3.0 if is_deaf else 0.0) == is_deaf
        still_works(s, path)


def test_f115_cancel_before_a_stage(tmp_path: Path) -> None:
    """While it waits behind another's stage: at once, with its text."""
    (path,) = wavs(tmp_path, "a")
    gate = tmp_path / "gate"
    with service() as s:
        first = staged(s, path, gate=str(gate))
        until_stage(s)
        done = s.submit(path)
        gate.touch()
        whole(first)
        whole(done)
        gate.unlink()
        busy = staged(s, path, gate=str(gate))
        until_stage(s)
        done.refine("scripted-stage")
        assert done.recordings[0].state is State.QUEUED
        done.cancel()
        lacks(done, "canceled", 0.5)
        gate.touch()
        whole(busy)


PARENT = """
import sys
from hybrid_transcribe import Service
from tests.faults.test_stages import staged, until_stage
from tests.services import worker_pid
service = Service(sys.argv[1])
staged(service, sys.argv[2], gate=sys.argv[3])
until_stage(service)
print(worker_pid(service), flush=True)
sys.stdin.read()
"""


def test_f116_kernel_killed_in_a_stage(tmp_path: Path) -> None:
    """The next process runs the stage again and not the engine; its text could be read before."""
    (path,) = wavs(tmp_path, "a")
    gate, state = tmp_path / "gate", tmp_path / "state"
    command = [sys.executable, "-c", PARENT, str(state), str(path), str(gate)]
    for _ in range(2):
        with subprocess.Popen(
            command if not state.exists() else [*command[:2], AGAIN, *command[3:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment(),
        ) as parent:
            assert parent.stdout is not None
            worker = int(parent.stdout.readline())
            parent.kill()
            parent.wait()
            assert gone(worker, within_s=3.0)
    events: list[Event] = []
    with service(state) as s:
        s.subscribe(events.append)
        (job,) = s.jobs()
        (recording,) = job.recordings
        before = s.transcript(job.job_id, recording.recording_id)
        assert (before.text, before.complete) == (TEXT, True)
        gate.touch()
        transcript = whole(job)
        assert ([p.id for p in transcript.speakers], transcript.warnings) == (["S1", "S2"], ())
        stages = {
            e.recording.stage for e in events if isinstance(e, RecordingChanged) and e.recording
        }
        assert starts(events) == 0
        assert Stage.TRANSCRIBING not in stages
        assert job.recordings[0].worker_deaths == 0


AGAIN = PARENT.replace("staged(service, sys.argv[2], gate=sys.argv[3])\n", "")


def test_f117_worker_killed_in_a_stage_with_an_edit_beside_it(tmp_path: Path) -> None:
    """Killed from outside the stage is done again, on the text as a person left it."""
    (path,) = wavs(tmp_path, "a")
    gate = tmp_path / "gate"
    with service() as s:
        job = staged(s, path, gate=str(gate))
        rid = job.recordings[0].recording_id
        until_stage(s)
        (before,) = job.partial()
        corrected = Document((replace(before.segments[0], text="corrected"), *before.segments[1:]))
        s.call(lambda m: m.revisions.commit(m.table.recording(rid), corrected, "person")).result()
        os.kill(worker_pid(s), signal.SIGKILL)
        gate.touch()
        (transcript,) = job.result(90)
        assert transcript.text == TEXT.replace("a.wav 0", "corrected")
        assert [segment.speaker for segment in transcript.segments] == ["S1", "S2", "S1"]
        assert (job.recordings[0].attempt, transcript.warnings) == (2, ())


def test_f117_an_engine_that_dies_goes_on_and_has_its_stage(tmp_path: Path) -> None:
    """Deaths of the engine's worker are not the stage's."""
    (path,) = wavs(tmp_path, "a")
    with service(max_worker_deaths=2) as s:
        script = Script(delay_s=0.2)
        job = s.submit(path, model=script.model, postprocess=["scripted-stage"])
        with s.subscribe() as events:
            while job.recordings[0].n_segments < 1:
                assert events.get(60.0) is not None
        os.kill(worker_pid(s), signal.SIGKILL)
        transcript = whole(job)
        assert (len(transcript.speakers), transcript.warnings) == (2, ())
