"""Examples, made by what makes the real ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from hybrid_transcribe.types import JobSnapshot, Options, Recording, Spec, Stage, State
from hybrid_transcribe.wire import serialize

JOB_ID = "5f0c3a9e8d7b4c61a2f4e6d8c0b1a397"
SESSION_ID = "c3ab8ff13720e8ad9047dd39466b3c89"
RECORDING_ID = "91d2e7a04c5b4f0e8a6d3b2c1f0e9d8c"

# Some afternoon.
_SENT_AT = 1_790_000_000.0

_SPEC = Spec("faster-whisper", "base", "auto", Options(language="pt"))

_RECORDING = Recording(
    RECORDING_ID, JOB_ID, 0, "reunião.m4a", "", size_bytes=1_834_112, duration_s=94.2, spec=_SPEC
)

_QUEUED = JobSnapshot(
    JOB_ID, SESSION_ID, _SPEC, (_RECORDING,), created_at=_SENT_AT, percentage=0.0, position=2
)

_RUNNING = replace(
    _QUEUED,
    state=State.RUNNING,
    percentage=42.0,
    eta_s=6.5,
    position=0,
    recordings=(
        replace(
            _RECORDING,
            state=State.RUNNING,
            stage=Stage.TRANSCRIBING,
            percentage=42.0,
            eta_s=6.5,
            done_s=39.6,
            n_segments=7,
            device="cpu",
            started_at=_SENT_AT + 1.0,
        ),
    ),
)


def queued() -> Any:
    """A job that was just accepted."""
    return msgspec.to_builtins(serialize.job(_QUEUED))


def running() -> Any:
    """The same job a little later."""
    return msgspec.to_builtins(serialize.job(_RUNNING))


def own_queue() -> Any:
    """The queue of that session."""
    return msgspec.to_builtins(serialize.queue([_RUNNING]))


def anonymous_queue() -> Any:
    """The queue as strangers see it."""
    return msgspec.to_builtins(serialize.anonymous([_RUNNING]))
