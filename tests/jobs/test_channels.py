"""Jobs whose recordings are transcribed channel by channel, on a real worker that is killed."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import pytest

from hybrid_transcribe.errors import JobCanceled
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.testing import Script
from hybrid_transcribe.types import State
from tests.audio.makers import wav
from tests.audio.voices import conversation, int16
from tests.services import service, until_segment, worker_pid

Line = tuple[str | None, str, float, float]


def _lines(job: Job) -> list[Line]:
    (transcript,) = job.result(90)
    return [(s.speaker, s.text, s.start_s, s.end_s) for s in transcript.segments]


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Half a minute of two people."""
    return wav(tmp_path / "talk.wav", int16(conversation(10).recorded()))


def test_killed_again_and_again_nothing_is_lost_or_doubled(talk: Path) -> None:
    """After each death it goes on with the block that was under way."""
    with service(block_s=6.0, max_worker_deaths=100) as s:
        expected = _lines(s.submit(talk, channels="speakers"))
        assert {speaker for speaker, *_ in expected} == {"S1", "S2"}
        assert len(expected) == len(set(expected)) > 40
        job = s.submit(talk, channels="speakers", model=Script(delay_s=0.02).model)
        for n in (1, 15, 30, 45):
            until_segment_of(job, n)
            os.kill(worker_pid(s), signal.SIGKILL)
        assert _lines(job) == expected
        assert job.recordings[0].attempt == 5


def until_segment_of(job: Job, n: int) -> None:
    """Wait until the job's recording has so many."""
    with job.service.subscribe() as events:
        while job.recordings[0].n_segments < n:
            assert events.get(60.0) is not None


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_killed_at_random_moments(talk: Path) -> None:
    """Thirty deaths of a worker, anywhere between its start and the end of a block."""
    chance = random.Random(11)
    with service(block_s=6.0, max_worker_deaths=1000) as s:
        expected = _lines(s.submit(talk, channels="speakers"))
        n_killed = 0
        while n_killed < 30:
            job = s.submit(talk, channels="speakers", model=Script(delay_s=0.03).model)
            while not job.wait(chance.uniform(0.3, 2.5)):
                if any(w.pid for w in s.workers() if w.lane == "local"):
                    os.kill(worker_pid(s), signal.SIGKILL)
                    n_killed += 1
            assert _lines(job) == expected


def test_canceled_and_gone_on_with(talk: Path) -> None:
    """What came of whole blocks stays, and a retry goes on behind it."""
    with service(block_s=6.0) as s:
        expected = _lines(s.submit(talk, channels="speakers"))
        job = s.submit(talk, channels="speakers", model=Script(delay_s=0.02).model)
        until_segment(s, 1)
        until_segment_of(job, 1)
        job.cancel()
        with pytest.raises(JobCanceled):
            job.result(60)
        (partial,) = job.partial()
        n_before = len(partial.segments)
        assert 0 < n_before < len(expected)
        assert job.recordings[0].state is State.CANCELED
        job.retry()
        assert _lines(job) == expected


def test_a_restart_of_the_service(talk: Path, tmp_path: Path) -> None:
    """What was journalled of a recording that was under way is gone on with."""
    with service(block_s=6.0) as s:
        expected = _lines(s.submit(talk, channels="speakers"))
    folder = tmp_path / "kept"
    with service(folder, block_s=6.0) as s:
        job = s.submit(talk, channels="speakers", model=Script(delay_s=0.02).model)
        until_segment_of(job, 1)
    with service(folder, block_s=6.0) as s:
        (job,) = s.jobs()
        assert _lines(job) == expected


def test_who_speaks_is_asked_and_nothing_follows(talk: Path) -> None:
    """Where channels answer, no stage tells voices apart; it is said, and the text is whole."""
    with service(postprocessors={}) as s:
        job = s.submit(talk, channels="speakers", diarize=True)
        (transcript,) = job.result(90)
        assert [speaker.id for speaker in transcript.speakers] == ["S1", "S2"]
        assert transcript.complete
        assert transcript.warnings == ()
        assert job.recordings[0].pending_stages == ()
