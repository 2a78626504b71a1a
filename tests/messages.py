"""What workers say of recordings, made and read in tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hybrid_transcribe import protocol as p


def about(item: p.Item, report: p.RecordingReport) -> p.RecordingMessage:
    """A worker's report of an item it was given."""
    return p.RecordingMessage(item.recording_id, item.attempt, report)


def reports(messages: Iterable[p.Message], *kinds: type) -> Iterator[tuple[str, Any]]:
    """Ids of recordings with what was reported of each, of these kinds (none: of all)."""
    for message in messages:
        if isinstance(message, p.RecordingMessage) and isinstance(message.report, kinds or object):
            yield message.recording_id, message.report
