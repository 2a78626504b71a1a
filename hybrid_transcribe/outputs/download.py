"""A job's transcripts as one file to download: of one recording, merged, or a zip of all."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from hybrid_transcribe.config import MIB
from hybrid_transcribe.core.names import file_stem
from hybrid_transcribe.errors import InvalidRequest, InvalidTransition, JobCanceled
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.outputs.bundle import bundle
from hybrid_transcribe.outputs.merged import merged_text
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.types import JobSnapshot, Recording, Rejection, State, Transcript

#: What a job of several recordings can be had as, beside a zip of any format.
MERGED = "txt"

#: A zip beyond this size is built on disk.
IN_MEMORY_BYTES = 8 * MIB


@dataclass(slots=True, eq=False)
class Download:
    """Something to be sent. Whoever opened it closes it."""

    name: str
    media_type: str
    size_bytes: int
    file: IO[bytes]


def download_of(transcript: Transcript, format: str) -> Download:
    """One transcript. Raises UnknownFormat."""
    writer = WRITERS.make(format)
    name = f"{file_stem(transcript.name)}.{writer.extension}"
    return _text(name, writer.media_type, writer.write(transcript))


def check_format(format: str, inside: str) -> None:
    """Raise UnknownFormat for what no job can be had as; ``inside`` is that within a zip."""
    WRITERS.get(inside if format == "zip" else format)


def download_of_job(
    job: JobSnapshot,
    transcript: Callable[[str], Transcript],
    format: str,
    inside: str,
    *,
    partial: bool,
) -> Download:
    """All of a job; ``transcript`` gives that of a recording, one after the other.

    A job may have ten thousand recordings: not for an event loop. Raises UnknownFormat,
    InvalidRequest for a format that holds one recording, and without ``partial``
    InvalidTransition while one that has no complete text yet has not ended.
    """
    check_format(format, inside)
    if not partial and not all(r.has_result or r.state.terminal for r in job.recordings):
        raise InvalidTransition(UserMessage("job_not_done", phrase=known_phrase(job.state)))
    ids = [r.recording_id for r in job.recordings if _has_text(r, partial)]
    missing = without_text(job, partial)
    stem = f"transcripts-{job.job_id[:8]}"
    if format == "zip":
        return _zip(f"{stem}.zip", ids, transcript, missing, inside)
    if len(ids) == 1 and not missing:
        return download_of(transcript(ids[0]), format)
    if format == MERGED:
        return _text(f"{stem}.txt", "text/plain", merged_text(map(transcript, ids), missing))
    raise InvalidRequest(UserMessage("format_holds_one", name=format))


def without_text(job: JobSnapshot, partial: bool) -> list[Rejection]:
    """Inputs that were refused, then recordings that have no text, with the reason."""
    items = list(job.rejected)
    for recording in job.recordings:
        if _has_text(recording, partial):
            continue
        if recording.error is not None:
            items.append(Rejection(recording.name, recording.error))
        elif recording.state is State.CANCELED:
            error = JobCanceled(UserMessage("it_was_canceled"))
            items.append(Rejection(recording.name, error.info()))
    return items


def _has_text(recording: Recording, partial: bool) -> bool:
    return recording.has_result or (partial and recording.n_segments > 0)


def _text(name: str, media_type: str, text: str) -> Download:
    data = text.encode("utf-8", "replace")
    return Download(name, media_type, len(data), io.BytesIO(data))


def _zip(
    name: str,
    ids: list[str],
    transcript: Callable[[str], Transcript],
    missing: list[Rejection],
    inside: str,
) -> Download:
    packed = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - closed when sent
    try:
        bundle(map(transcript, ids), missing, inside, packed)
        size = packed.tell()
        packed.seek(0)
    except BaseException:
        packed.close()
        raise
    return Download(name, "application/zip", size, packed)
