"""Submissions that come twice: a client that lost our answer sends the same again.

Who names a key with a submission gets the same job for the same key, as long as the job is
there; the key is journalled with the job, so that a restart changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from hybrid_transcribe.audio.intake import InputFile
from hybrid_transcribe.errors import InvalidRequest, KeyReused
from hybrid_transcribe.jobs.voice_files import sent_voices
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import JobSnapshot, Rejection, Repeat, Spec

#: Longest key; a UUID has 36 characters.
MAX_KEY = 255


def fingerprint(
    key: str | None,
    input_files: Sequence[InputFile],
    rejected: Sequence[Rejection],
    spec: Spec,
    uploads_dir: Path,
) -> Repeat | None:
    """The mark of a submission: its key, and what would be another submission.

    Inputs count by name and size: to read gigabytes again only to compare them is not worth it.
    So do recordings of voices that were sent to us; each time they have another path.
    Raises InvalidRequest for a key that cannot be.
    """
    if key is None:
        return None
    if not key or len(key) > MAX_KEY or not key.isprintable():
        raise InvalidRequest(UserMessage("key_characters", key=key[:80], most=MAX_KEY))
    inputs = [(item.name, item.size_bytes) for item in input_files]
    names = [item.name for item in rejected]
    is_declared = msgspec.json.encode((inputs, names, _with_sizes(spec, uploads_dir)))
    return Repeat(key, hashlib.sha256(is_declared).hexdigest())


def _with_sizes(spec: Spec, uploads_dir: Path) -> Spec:
    if not sent_voices(spec.options):
        return spec
    voices = (
        replace(voice, path=str((uploads_dir / voice.path).stat().st_size))
        if voice.owned
        else voice
        for voice in spec.options.voices or ()
    )
    return replace(spec, options=replace(spec.options, voices=tuple(voices)))


class IdempotencyKeys:
    """Jobs by session and key. Used on the manager loop only."""

    def __init__(self) -> None:
        self._jobs: dict[tuple[str, str], str] = {}
        self._marks: dict[str, Repeat] = {}

    def remember(self, job: JobSnapshot) -> None:
        """A job was accepted, or taken up from the journal."""
        if job.repeat is not None:
            self._jobs[job.session_id, job.repeat.key] = job.job_id
            self._marks[job.job_id] = job.repeat

    def forget(self, job: JobSnapshot) -> None:
        """It is gone: its key is free again."""
        if job.repeat is not None:
            self._jobs.pop((job.session_id, job.repeat.key), None)
            self._marks.pop(job.job_id, None)

    def named(self, session_id: str, key: str) -> str | None:
        """The job of that key, whatever was submitted."""
        return self._jobs.get((session_id, key))

    def find(self, session_id: str, mark: Repeat | None) -> str | None:
        """The job that this submission made before. Raises KeyReused for another submission."""
        if mark is None:
            return None
        job_id = self._jobs.get((session_id, mark.key))
        if job_id is not None and self._marks[job_id] != mark:
            raise KeyReused(UserMessage("key_used", key=mark.key[:80]))
        return job_id
