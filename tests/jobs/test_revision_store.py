"""Revisions of a recording's text: added, read, listed, and what damage costs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_transcribe.errors import JournalDamaged, UnknownRevision
from hybrid_transcribe.events import TranscriptRevised
from hybrid_transcribe.jobs import machine, revision_store
from hybrid_transcribe.jobs.journal_sqlite import SqliteJournal
from hybrid_transcribe.jobs.revision_store import MOST_DELTAS
from hybrid_transcribe.revision_types import Document, RevisionInfo
from hybrid_transcribe.types import Recording, Segment, Speaker, Word
from tests.jobs.managers import Stand, open_room

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    room = await open_room(tmp_path, disk=True)
    yield room
    await room.room.stop()


async def transcribed(stand: Stand, n_segments: int = 3) -> Recording:
    """A recording that is completed with so many segments."""
    job_id = await stand.submit()
    (item,) = stand.worker.items
    stand.worker.begin(item)
    stand.worker.hear(item, *range(n_segments))
    stand.worker.finish(item)
    stand.worker.done()
    return stand.recordings(job_id)[0]


def now(stand: Stand, recording: Recording) -> Recording:
    return stand.room.table.recording(recording.recording_id)


def edit(stand: Stand, recording: Recording, place: int, text: str) -> RevisionInfo:
    """Write another text for a segment of the current document."""
    store = stand.room.revisions
    document = store.document(now(stand, recording))
    segments = list(document.segments)
    segments[place] = replace(segments[place], text=text)
    changed = replace(document, segments=tuple(segments))
    return store.commit(recording, changed, "person", "Ana")


def texts(stand: Stand, recording: Recording, revision: int | None = None) -> list[str]:
    fresh = revision_store.RevisionStore(stand.room.table, stand.clock)
    document = fresh.document(now(stand, recording), revision)
    remembered = stand.room.revisions.document(now(stand, recording), revision)
    assert [(s.id, s) for s in remembered.segments] == [(s.id, s) for s in document.segments]
    return [s.text for s in document.segments]


def journal(stand: Stand) -> SqliteJournal:
    assert isinstance(stand.room.state.journal, SqliteJournal)
    return stand.room.state.journal


def rows(stand: Stand, table: str = "revisions") -> int:
    return int(journal(stand)._db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


async def test_an_engine_text_is_revision_0_and_costs_nothing(stand: Stand) -> None:
    """Segments have ids of run and place, which are in no row."""
    recording = await transcribed(stand)
    store = stand.room.revisions
    document = store.document(recording)
    assert [s.id for s in document.segments] == ["1.0", "1.1", "1.2"]
    (info,) = store.infos(recording)
    assert (info.revision, info.kind, info.author, info.run) == (0, "engine", "scripted", 1)
    assert info.created_at == recording.finished_at
    assert rows(stand) == 0
    body = journal(stand)._db.execute("SELECT body FROM segments").fetchone()[0]
    assert b'"id"' not in body
    assert (await transcribed_text(stand, recording)) == (0, ["text 0", "text 1", "text 2"])


async def transcribed_text(
    stand: Stand, recording: Recording, revision: int | None = None
) -> tuple[int | None, list[str]]:
    transcript = stand.room.reading.transcript(
        recording.job_id, recording.recording_id, revision=revision
    )
    return transcript.revision, [s.text for s in transcript.segments]


async def test_each_revision_can_be_read(stand: Stand) -> None:
    """Its own text, who made it and of what; the current one is the recording's."""
    recording = await transcribed(stand)
    edit(stand, recording, 0, "first")
    info = edit(stand, recording, 2, "second")
    assert (info.revision, info.base, info.run, info.n_changed) == (2, 1, 1, 1)
    assert info.created_at == stand.clock.wall()
    assert (now(stand, recording).revision, now(stand, recording).edited) == (2, True)
    assert texts(stand, recording, 0) == ["text 0", "text 1", "text 2"]
    assert texts(stand, recording, 1) == ["first", "text 1", "text 2"]
    assert texts(stand, recording) == texts(stand, recording, 2) == ["first", "text 1", "second"]
    infos = stand.room.revisions.infos(now(stand, recording))
    assert [(i.revision, i.kind) for i in infos] == [(0, "engine"), (1, "person"), (2, "person")]
    assert infos[2] == info
    with pytest.raises(UnknownRevision, match="latest is 2"):
        stand.room.revisions.document(now(stand, recording), 3)


async def test_every_revision_is_one_commit_and_one_event(stand: Stand) -> None:
    """Revision, the one before the first, and the recording: together, then told."""
    recording = await transcribed(stand)
    commits: list[int] = []
    write = journal(stand).write
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            journal(stand), "write", lambda c: (commits.append(len(c.revisions)), write(c))
        )
        edit(stand, recording, 0, "first")
        edit(stand, recording, 0, "second")
    assert commits == [1, 1]
    events = [e for e in stand.events if isinstance(e, TranscriptRevised)]
    assert [(e.recording_id, e.session_id, e.info and e.info.revision) for e in events] == [
        (recording.recording_id, "s1", 1),
        (recording.recording_id, "s1", 2),
    ]


async def test_segments_and_speakers_come_and_go(stand: Stand) -> None:
    """Order, new ones, those that went, speakers and words come back as they were."""
    recording = await transcribed(stand, 6)
    store = stand.room.revisions
    segments = store.document(recording).segments
    words = (Word(0.0, 0.4, "olá", 0.8, "S1"),)
    fresh = Segment(0.2, 0.4, "new", words, speaker="S1")
    document = Document(
        (*segments[:1], fresh, *segments[3:], segments[1]), (Speaker("S1", "Ana", "#112233"),)
    )
    info = store.commit(recording, document, "stage", "speakers")
    assert (info.kind, info.author, info.n_changed) == ("stage", "speakers", 2)
    assert not now(stand, recording).edited
    again = revision_store.RevisionStore(stand.room.table, stand.clock)
    result = again.document(now(stand, recording))
    assert result == store.document(now(stand, recording)) == document
    assert [s.id for s in result.segments] == ["1.0", "e1.0", "1.3", "1.4", "1.5", "1.1"]


async def test_segments_of_one_id_get_their_own(stand: Stand) -> None:
    """Whoever made the document: an id names one segment."""
    recording = await transcribed(stand)
    store = stand.room.revisions
    first, *_ = store.document(recording).segments
    twice = Document((first, replace(first, start_s=0.5), replace(first, id="", start_s=0.7)))
    store.commit(recording, twice, "stage", "splitter")
    ids = [s.id for s in store.document(now(stand, recording)).segments]
    assert ids == ["1.0", "e1.0", "e1.1"]


async def test_many_revisions_need_few_rows(stand: Stand) -> None:
    """Every fiftieth is a whole document; each is read from those after the last whole one."""
    recording = await transcribed(stand)
    for number in range(1, 121):
        edit(stand, recording, number % 3, f"edit {number}")
    for number in (1, 49, 50, 51, 99, 100, 101, 120):
        expected = {n % 3: f"edit {n}" for n in range(1, number + 1)}
        assert texts(stand, recording, number) == [expected.get(i, f"text {i}") for i in range(3)]
    read: list[int] = []
    original = journal(stand).revision_texts
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            journal(stand),
            "revision_texts",
            lambda *a: (read.append(a[2] - a[1] + 1), original(*a))[1],
        )
        texts(stand, recording, 99)
    assert max(read) <= MOST_DELTAS
    rows_read = original(recording.recording_id, 0, 120)
    assert [n for n, row in rows_read.items() if row and row.on_whole and row.since == n] == [
        50,
        100,
    ]


async def damaged(stand: Stand, *numbers: int) -> None:
    for number in numbers:
        journal(stand)._db.execute("UPDATE revisions SET crc = 0 WHERE revision = ?", (number,))


async def test_a_damaged_revision_costs_those_upon_it(stand: Stand) -> None:
    """Up to the next whole one; the nearest earlier one is read, and said."""
    recording = await transcribed(stand)
    for number in range(1, 60):
        edit(stand, recording, 0, f"edit {number}")
    await damaged(stand, 20)
    store = revision_store.RevisionStore(stand.room.table, stand.clock)
    readable = [n for n in range(60) if store.read(now(stand, recording), n).revision == n]
    assert readable == [*range(20), *range(50, 60)]
    reading = store.read(now(stand, recording), 30)
    assert (reading.revision, reading.document.segments[0].text) == (19, "edit 19")
    with pytest.raises(JournalDamaged, match="Revision 30"):
        store.read_exactly(now(stand, recording), 30)
    stand.room.revisions.forget([recording.recording_id])
    transcript = stand.room.reading.transcript(
        recording.job_id, recording.recording_id, revision=30
    )
    assert (transcript.revision, transcript.segments[0].text) == (19, "edit 19")
    assert "Revision 30 is damaged in the journal; this is revision 19." in transcript.warnings
    assert [code for code, _ in stand.room.warnings] == ["journal_damaged"]


async def test_what_is_edited_after_damage_is_whole_again(stand: Stand) -> None:
    """Where the current revision cannot be read, the next one stands on no damaged row."""
    recording = await transcribed(stand)
    for number in range(1, 6):
        edit(stand, recording, 0, f"edit {number}")
    await damaged(stand, 4, 5)
    stand.room.revisions.forget([recording.recording_id])
    assert await transcribed_text(stand, recording) == (3, ["edit 3", "text 1", "text 2"])
    edit(stand, recording, 1, "mended")
    assert texts(stand, recording, 6) == ["edit 3", "mended", "text 2"]


async def test_every_row_damaged_leaves_the_engine_text(stand: Stand) -> None:
    """Never an error."""
    recording = await transcribed(stand)
    for number in range(1, 6):
        edit(stand, recording, 0, f"edit {number}")
    await damaged(stand, *range(6))
    stand.room.revisions.forget([recording.recording_id])
    assert await transcribed_text(stand, recording) == (0, ["text 0", "text 1", "text 2"])


async def test_a_damaged_segment_that_was_replaced_is_not_missed(stand: Stand) -> None:
    """What a revision says of a segment stands for the engine's; others are counted."""
    recording = await transcribed(stand)
    edit(stand, recording, 0, "first")
    db = journal(stand)._db
    db.execute("UPDATE segments SET crc = 0 WHERE place = 0")
    stand.room.revisions.forget([recording.recording_id])
    transcript = stand.room.reading.transcript(recording.job_id, recording.recording_id)
    assert (transcript.complete, transcript.text) == (True, "first text 1 text 2")
    db.execute("UPDATE segments SET crc = 0 WHERE place = 1")
    stand.room.revisions.forget([recording.recording_id])
    transcript = stand.room.reading.transcript(recording.job_id, recording.recording_id)
    assert (transcript.complete, transcript.text) == (False, "first text 2")
    assert transcript.warnings[-1].startswith("1 of 3 segments are damaged")


async def test_what_is_lost_is_said_after_every_edit(stand: Stand) -> None:
    """A segment that could not be read is missed in the revisions after it, in whatever rows."""
    recording = await transcribed(stand, 20)
    journal(stand)._db.execute("UPDATE segments SET crc = 0 WHERE place = 19")
    store = stand.room.revisions

    def lost() -> tuple[int, int]:
        store.forget([recording.recording_id])
        reading = store.read(now(stand, recording))
        return reading.n_missing, reading.n_segments

    assert lost() == (1, 20)
    edit(stand, recording, 0, "first")
    assert lost() == (1, 20)
    document = store.document(now(stand, recording))
    store.commit(recording, replace(document, segments=document.segments[1:]), "person")
    assert lost() == (1, 19)
    edit(stand, recording, 0, "second")
    assert lost() == (1, 19)
    document = store.document(now(stand, recording))
    whole = tuple(replace(s, speaker="S1") for s in document.segments)
    store.commit(recording, Document(whole, (Speaker("S1"),)), "stage")
    assert lost() == (1, 19)
    edit(stand, recording, 0, "third")
    assert lost() == (1, 19)
    transcript = stand.room.reading.transcript(recording.job_id, recording.recording_id)
    assert not transcript.complete
    assert transcript.warnings[-1].startswith("1 of 19 segments are damaged")


async def test_memory_is_bounded(stand: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documents of those looked at longest ago are read again."""
    monkeypatch.setattr(revision_store, "MOST_IN_MEMORY", 7)
    first, second, third = [await transcribed(stand) for _ in range(3)]
    store = stand.room.revisions
    for recording in (first, second, first, third):
        store.document(recording)
    assert list(store._current) == [first.recording_id, third.recording_id]
    stand.room.delete(first.job_id)
    stand.room.delete(third.job_id)
    assert (list(store._current), store._weight) == ([], 0)


async def rerun(stand: Stand, recording: Recording, *indices: int, **changes: str) -> Recording:
    """Transcribe it again, afresh, and complete it with these segments."""
    stand.room.retry(recording.job_id, recording.recording_id, **changes)
    (item,) = stand.worker.items
    stand.worker.begin(item)
    stand.worker.hear(item, *indices)
    stand.worker.finish(item)
    stand.worker.done()
    return now(stand, recording)


async def test_a_newer_run_is_a_revision(stand: Stand) -> None:
    """When it is complete: before, and where it fails, the earlier text is the result."""
    recording = await transcribed(stand)
    edit(stand, recording, 0, "corrected")
    stand.room.retry(recording.job_id, recording.recording_id, language="pt")
    edit(stand, recording, 1, "meanwhile")
    assert (await transcribed_text(stand, recording))[0] == 2
    (item,) = stand.worker.items
    stand.worker.begin(item)
    stand.worker.hear(item, 0, 1)
    stand.worker.finish(item)
    stand.worker.done()
    assert await transcribed_text(stand, recording) == (3, ["text 0", "text 1"])
    after = now(stand, recording)
    assert (after.revision, after.result_run, after.edited) == (3, 2, True)
    info = stand.room.revisions.infos(after)[-1]
    assert (info.kind, info.author, info.run, info.base) == ("engine", "scripted", 2, None)
    assert [s.id for s in stand.room.revisions.document(after).segments] == ["2.0", "2.1"]
    assert await transcribed_text(stand, recording, 2) == (2, ["corrected", "meanwhile", "text 2"])
    events = [e.info.revision for e in stand.events if isinstance(e, TranscriptRevised) and e.info]
    assert events == [1, 2, 3]


async def test_a_text_that_was_brought_back_is_the_one_to_fall_back_on(stand: Stand) -> None:
    """A person went back to run 1; a run 3 that fails changes nothing of that."""
    recording = await rerun(stand, await transcribed(stand), 0, language="pt")
    store = stand.room.revisions
    store.commit(recording, store.document(recording, 0), "restore", restored=0, run=1)
    assert now(stand, recording).result_run == 1
    stand.room.retry(recording.job_id, recording.recording_id, language="de")
    stand.room.cancel(recording.job_id)
    stand.worker.done()
    after = now(stand, recording)
    assert (after.state.value, after.run, after.result_run, after.revision) == (
        "completed",
        1,
        1,
        2,
    )
    assert await transcribed_text(stand, recording) == (2, ["text 0", "text 1", "text 2"])


async def test_the_text_of_a_run_that_goes_stays_as_its_revision(
    stand: Stand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of many runs the oldest are forgotten; revisions that are their text, or on it, are read."""
    monkeypatch.setattr(machine, "MOST_RUNS", 2)
    recording = await transcribed(stand)
    edit(stand, recording, 0, "corrected")
    for language in ("pt", "de", "es"):
        recording = await rerun(stand, recording, 0, 1, language=language)
    assert sorted([r.run for r in recording.runs] + [recording.run]) == [2, 3, 4]
    assert journal(stand).segments(recording.recording_id, 1) == ()
    assert texts(stand, recording, 0) == ["text 0", "text 1", "text 2"]
    assert texts(stand, recording, 1) == ["corrected", "text 1", "text 2"]
    assert texts(stand, recording) == ["text 0", "text 1"]
    number, words = await transcribed_text(stand, recording, 1)
    assert (number, words[0]) == (1, "corrected")


async def test_deleting_takes_revisions_along(stand: Stand) -> None:
    """Nothing of a deleted job stays."""
    recording = await transcribed(stand)
    edit(stand, recording, 0, "corrected")
    stand.room.delete(recording.job_id)
    assert (rows(stand), rows(stand, "segments")) == (0, 0)
