"""Edits of a job manager, where others revise the same text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_transcribe.errors import EditConflict
from hybrid_transcribe.events import JobChanged, TranscriptRevised
from hybrid_transcribe.revision_types import Document, ReplaceText, SetSpeaker
from hybrid_transcribe.types import Recording, Speaker
from tests.jobs.managers import Stand, open_room

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    room = await open_room(tmp_path)
    yield room
    await room.room.stop()


@pytest.fixture
async def recording(stand: Stand) -> Recording:
    """One that is completed with three segments."""
    job_id = await stand.submit()
    (item,) = stand.worker.items
    stand.worker.begin(item)
    stand.worker.hear(item, 0, 1, 2)
    stand.worker.finish(item)
    stand.worker.done()
    return stand.recordings(job_id)[0]


def stage(stand: Stand, recording: Recording) -> None:
    """A stage says that Ana speaks, in the first segment otherwise."""
    now = stand.room.table.recording(recording.recording_id)
    first, *others = stand.room.revisions.document(now).segments
    staged = [replace(first, text="by a stage"), *(replace(s, speaker="S1") for s in others)]
    document = Document(tuple(staged), (Speaker("S1", "Ana"),))
    stand.room.revisions.commit(now, document, "stage", "speakers")


async def test_an_edit_of_the_text_before_a_stage_is_no_conflict(
    stand: Stand, recording: Recording
) -> None:
    """Where only stages made revisions since, the person wins; after a person it is a conflict."""
    at = (recording.job_id, recording.recording_id)
    stage(stand, recording)
    info = stand.room.edit(*at, [ReplaceText("1.0", "by a person")], base_revision=0)
    assert (info.revision, info.base) == (2, 1)
    transcript = stand.room.reading.transcript(*at)
    assert [s.text for s in transcript.segments] == ["by a person", "text 1", "text 2"]
    assert [s.speaker for s in transcript.segments] == [None, "S1", "S1"]
    with pytest.raises(EditConflict):
        stand.room.edit(*at, [ReplaceText("1.0", "by another")], base_revision=1)


async def test_a_text_that_was_revised_meanwhile_is_looked_at_again(
    stand: Stand, recording: Recording
) -> None:
    """Between reading it and committing, another edit came: nothing is committed on the old one."""
    at = (recording.job_id, recording.recording_id)
    edit = [ReplaceText("1.1", "second")]
    basis = stand.room.edit_basis(*at)
    document = basis.revised(edit)
    stand.room.edit(*at, [ReplaceText("1.0", "first")])
    assert stand.room.commit_edit(basis, document, "", "") is None
    again = stand.room.edit_basis(*at)
    assert stand.room.commit_edit(again, again.revised(edit), "", "") is not None
    assert stand.room.reading.transcript(*at).text == "first second text 2"


async def test_a_job_is_told_of_once_that_it_is_kept(stand: Stand, recording: Recording) -> None:
    """With its first edit; each later one is an event of its own, and no more."""
    at = (recording.job_id, recording.recording_id)
    del stand.events[:]
    for name in ("S1", "S2"):
        stand.room.edit(*at, [SetSpeaker(("1.0",), name)])
    assert [type(event) for event in stand.events] == [
        TranscriptRevised,
        JobChanged,
        TranscriptRevised,
    ]
    assert stand.events[1].job.kept
