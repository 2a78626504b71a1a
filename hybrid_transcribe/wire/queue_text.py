"""Queues as JSON on one line, as event streams have them."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from hybrid_transcribe.types import JobSnapshot
from hybrid_transcribe.wire import serialize, shapes

#: Line ends of Unicode: legal in JSON, but many readers of event streams split lines there.
_LINE_ENDS = tuple((end.encode(), f"\\u{ord(end):04x}".encode()) for end in "\x85\u2028\u2029")


def on_one_line(text: bytes) -> bytes:
    """The same JSON without what some readers take for the end of a line."""
    for raw, escaped in _LINE_ENDS:
        if raw in text:
            text = text.replace(raw, escaped)
    return text


def queue_text(jobs: Iterable[JobSnapshot]) -> bytes:
    """Whole jobs as the JSON of `shapes.OwnQueue`, on one line."""
    return joined_queue(
        [on_one_line(msgspec.json.encode(serialize.job(job))) for job in jobs], is_anonymous=False
    )


def anonymous_queue_text(jobs: Iterable[JobSnapshot]) -> bytes:
    """The same jobs as the JSON of `shapes.AnonymousQueue`."""
    views = [
        shapes.AnonymousJob(
            position=job.position,
            state=job.state,
            engine=job.spec.engine,
            percentage=job.percentage,
            eta_s=job.eta_s,
            n_recordings=len(job.recordings),
        )
        for job in jobs
    ]
    return joined_queue(list(map(msgspec.json.encode, views)), is_anonymous=True)


def joined_queue(jobs: list[bytes], is_anonymous: bool) -> bytes:
    """The whole queue; copied once, as it may have many megabytes."""
    between = [part for job in jobs for part in (b",", job)][1:]
    flag = b"true" if is_anonymous else b"false"
    return b"".join([b'{"jobs":[', *between, b'],"anonymous":', flag, b"}"])
