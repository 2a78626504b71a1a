"""Row 1: the kernel is killed again and again, and no acknowledged work is lost or doubled."""

from __future__ import annotations

import contextlib
import os
import random
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.testing import Script
from tests.services import environment, service, wavs

LIFE = """
import json, sys
from hybrid_transcribe import Service
state, engine, model, *paths = sys.argv[1:]
service = Service(state, engine=engine)
print("open", flush=True)
if not service.jobs():
    job = service.submit(paths, model=model, session_id="s", beam_size=1)
    print("accepted", job.job_id, flush=True)
for event in service.subscribe():
    if type(event).__name__ == "SegmentAdded":
        print("segment", event.recording_id, event.index, flush=True)
    if all(job.done for job in service.jobs()):
        break
print("done", flush=True)
"""


class EndedByItself(AssertionError):
    """The process was through before it could be killed."""


class Life:
    """A process that opens the state folder and works on until it is killed."""

    def __init__(self, *arguments: str, **more: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", LIFE, *arguments],
            stdout=subprocess.PIPE,
            env=environment(**more),
        )
        self._rest = b""

    def lines(self, timeout_s: float) -> list[str]:
        """What it said within that time, at least a line when there is one."""
        assert self.process.stdout is not None
        out = self.process.stdout.fileno()
        said = b""
        ready, _, _ = select.select([out], [], [], timeout_s)
        if ready:
            said = os.read(out, 1 << 20)
            if not said:
                raise EndedByItself
        *whole, self._rest = (self._rest + said).split(b"\n")
        return [line.decode() for line in whole]

    def kill(self) -> list[str]:
        """SIGKILL, and what it had said before."""
        self.process.send_signal(signal.SIGKILL)
        rest, _ = self.process.communicate()
        return [line.decode() for line in (self._rest + rest).split(b"\n")]


def acknowledged(lines: list[str]) -> set[str]:
    return {line.split()[1] for line in lines if line.startswith("accepted ")}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_f01_a_hundred_kills_at_random_moments(tmp_path: Path) -> None:
    """40 recordings, 100 SIGKILLs: every segment exactly once, in order, and no job forgotten."""
    chance = random.Random(7)
    (path,) = wavs(tmp_path, "tone", seconds=60)
    state = str(tmp_path / "state")
    model = Script(delay_s=0.01).model
    accepted: set[str] = set()
    message: list[str] = []
    for n in range(100):
        life = Life(state, "scripted", model, *[str(path)] * 40)
        lines = life.lines(60)
        # Half of them die anywhere between the start and the first words of a worker, half
        # in the middle of its work.
        if n % 2:
            lines += life.lines(chance.uniform(0.0, 0.5))
        else:
            enough = chance.randint(1, 20)
            while sum(line.startswith("segment ") for line in lines) < enough:
                lines += life.lines(60)
        lines += life.kill()
        accepted |= acknowledged(lines)
        message += [line for line in lines if line.startswith("segment ")]
    with service(Path(state)) as s:
        (job,) = s.jobs()
        assert {job.job_id} == accepted
        result = job.result(600)
        assert len(result) == 40
        for transcript in result:
            assert [x.text for x in transcript.segments] == [f"tone.wav {i}" for i in range(60)]
        assert [r.worker_deaths for r in job.recordings] == [0] * 40
    # Each segment was told once; only one that was journalled as the kill came may be missing.
    assert len(message) == len(set(message))
    assert len(message) > 100


def words(text: str) -> list[str]:
    return re.findall(r"[\w']+", text.lower())


@pytest.mark.slow
@pytest.mark.model
@pytest.mark.timeout(900)
def test_f01_five_kills_with_a_real_model(
    tmp_path: Path, speech_dir: Path, librispeech: list[dict[str, Any]]
) -> None:
    """90 real recordings, up to 5 SIGKILLs: all finish, times rise, and the words are right.

    A fast machine may be through with them before the last kill.
    """
    import jiwer

    chosen = librispeech
    paths = [str(speech_dir / "librispeech" / item["file"]) for item in chosen]
    state = str(tmp_path / "state")
    chance = random.Random(3)
    n_kills = 0
    with contextlib.suppress(EndedByItself):
        while n_kills < 5:
            life = Life(state, "faster-whisper", "tiny.en", *paths)
            segments = 0
            required = chance.randint(1, 8)
            while segments < required:
                segments += sum(line.startswith("segment ") for line in life.lines(60))
            life.kill()
            n_kills += 1
    life.process.wait()
    assert n_kills >= 2
    with Service(state) as s:
        (job,) = s.jobs()
        result = job.result(600)
        attempts = [r.attempt for r in job.recordings]
    assert result.errors == ()
    assert len(result) == len(chosen)
    assert max(attempts) > 1
    for transcript in result:
        edges = [t for x in transcript.segments for t in (x.start_s, x.end_s)]
        assert edges == sorted(edges)
    items = [" ".join(words(t.text)) for t in result]
    meant = [" ".join(words(item["text"])) for item in chosen]
    assert jiwer.wer(meant, items) < 0.16
