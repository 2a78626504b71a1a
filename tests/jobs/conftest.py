"""Recordings and jobs to try things on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from hybrid_transcribe.types import JobSnapshot, Recording, Spec

SPEC = Spec("scripted", "steady")


def make_recording(recording_id: str = "r1", **fields: Any) -> Recording:
    """A recording of job ``j1``, ten seconds long unless told otherwise."""
    base = Recording(recording_id, "j1", 0, f"{recording_id}.wav", f"/x/{recording_id}.wav")
    return replace(base, **{"duration_s": 10.0, **fields})


def make_job(job_id: str = "j1", n: int = 1, **fields: Any) -> JobSnapshot:
    """A job of ``n`` recordings ``<job>-0``, ``<job>-1``…"""
    recordings = tuple(
        make_recording(f"{job_id}-{i}", job_id=job_id, index=i, spec=SPEC) for i in range(n)
    )
    return replace(JobSnapshot(job_id, "s1", SPEC, recordings), **fields)


@pytest.fixture
def recording() -> Callable[..., Recording]:
    return make_recording


@pytest.fixture
def job() -> Callable[..., JobSnapshot]:
    return make_job
