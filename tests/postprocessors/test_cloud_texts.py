"""Stages on the text that a cloud wrote: they need its audio and its text, and not the cloud."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.types import State
from tests.engines.aai_server import TEXT, Cloud
from tests.faults.test_cloud import cloud as cloud
from tests.faults.test_cloud import service
from tests.services import STAGES, wavs


@pytest.mark.slow
@pytest.mark.parametrize("later", [False, True])
def test_assemblyais_text_gets_a_stage(tmp_path: Path, cloud: Cloud, later: bool) -> None:
    """Named at the submission or asked for later; nothing is sent or billed twice."""
    (path,) = wavs(tmp_path, "talk")
    with service(cloud, postprocessors=STAGES) as s:
        job = s.submit(path, **({} if later else {"postprocess": ["scripted-stage"]}))
        job.result(60)
        if later:
            job.refine("scripted-stage")
        (transcript,) = job.result(60)
        assert transcript.text == TEXT
        assert [speaker.id for speaker in transcript.speakers][:1] == ["S1"]
        assert (job.recordings[0].state, transcript.warnings) == (State.COMPLETED, ())
        assert {worker.lane for worker in s.workers()} == {"cloud", "local"}
    assert len(cloud.submissions) == 1
