"""Revising a text is the same, wherever the job runs: here, elsewhere, behind two servers."""

from __future__ import annotations

import copy
import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Job, Service, Transcript
from hybrid_transcribe.errors import (
    EditConflict,
    InvalidEdit,
    InvalidOption,
    InvalidRequest,
    InvalidTransition,
    UnknownJob,
    UnknownRecording,
    UnknownRevision,
    UnknownSegment,
    UnknownSpeaker,
)
from hybrid_transcribe.events import TranscriptRevised
from hybrid_transcribe.outputs.json import Json
from hybrid_transcribe.revision_types import (
    DeleteSegments,
    RenameSpeaker,
    ReplaceAll,
    ReplaceText,
    SetSpeaker,
)
from hybrid_transcribe.testing import Script
from hybrid_transcribe.types import Speaker
from tests.services import wavs

ENGINE_TEXT = "talk.wav 0 talk.wav 1 talk.wav 2"


@pytest.fixture
def job(service: Service, path: Path) -> Job:
    """A job with one recording, completed."""
    instance = service.submit(path)
    instance.result(30)
    return instance


def recording_id(job: Job) -> str:
    return job.recordings[0].recording_id


def text_of(job: Job, revision: int | None = None) -> str:
    return job.transcript(revision=revision).text


def test_an_engine_text_is_revision_0(job: Job) -> None:
    """With an id for each segment, the same each time."""
    transcript = job.transcript()
    assert transcript.revision == 0
    assert [s.id for s in transcript.segments] == ["1.0", "1.1", "1.2"]
    (info,) = job.revisions()
    assert (info.revision, info.kind, info.author, info.run) == (0, "engine", "scripted", 1)
    assert info.created_at == pytest.approx(job.recordings[0].finished_at)
    assert (job.recordings[0].revision, job.recordings[0].edited) == (0, False)


def test_an_edit_is_a_revision(service: Service, job: Job) -> None:
    """All of its operations together; whoever reads the text has it, and can read what was."""
    info = service.edit(
        job.job_id,
        recording_id(job),
        [
            ReplaceText("1.0", "Good morning"),
            SetSpeaker(("1.0", "1.1"), "S1"),
            RenameSpeaker("S1", "Ana", "#112233"),
        ],
        author="Eva",
        label="first look",
    )
    assert (info.revision, info.kind, info.base, info.n_changed) == (1, "person", 0, 2)
    assert (info.author, info.label) == ("Eva", "first look")
    transcript = job.transcript()
    assert (transcript.revision, transcript.text) == (1, "Good morning talk.wav 1 talk.wav 2")
    assert transcript.speakers == (Speaker("S1", "Ana", "#112233"),)
    assert [s.speaker for s in transcript.segments] == ["S1", "S1", None]
    assert job.result().text.startswith("Ana: Good morning")
    assert text_of(job, 0) == ENGINE_TEXT
    assert job.revisions()[1] == info
    engine = service.transcript(job.job_id, recording_id(job), run=1)
    assert (engine.text, engine.revision) == (ENGINE_TEXT, None)
    after = job.recordings[0]
    assert (after.revision, after.edited, after.result_run) == (1, True, 1)


def test_listeners_are_told(service: Service, job: Job) -> None:
    """Of each revision, whoever made it."""
    with service.subscribe(session_ids=[job.session_id]) as events:
        with job.edit() as edit:
            edit.delete("1.0")
        job.restore(0)
        seen: list[TranscriptRevised] = []
        while len(seen) < 2:
            event = events.get(30)
            assert event is not None
            if isinstance(event, TranscriptRevised):
                seen.append(event)
    assert [e.info for e in seen] == list(job.revisions()[1:])
    assert {(e.job_id, e.recording_id) for e in seen} == {(job.job_id, recording_id(job))}


def test_a_block_is_one_revision(job: Job) -> None:
    """What is asked for within it is done at its end, in order."""
    with job.edit(author="Ana") as edit:
        first, second, third = edit.transcript.segments
        edit.replace_text(first, "One two. Three")
        edit.split(first, 8)
        edit.set_speaker([second, third], "S1")
        edit.set_speaker("new.0", "S2", words=(0, 1))
        edit.merge(second, third)
        edit.rename_speaker("S1", name="Eva")
        edit.merge_speakers("S2", "S1")
        edit.set_times(first, 0.1, 0.4)
        edit.insert(5.0, 6.0, "new", "S1")
        edit.replace_all("NEW", "fresh")
        assert len(edit.operations) == 10
        assert edit.info is None
        assert text_of(job) == ENGINE_TEXT
    assert edit.info == job.revisions()[-1]
    assert len(job.revisions()) == 2
    revised = edit.revised()
    assert [s.text for s in revised.segments] == [
        "One two.",
        "Three",
        "talk.wav 1 talk.wav 2",
        "fresh",
    ]
    assert revised.speakers == (Speaker("S1", "Eva"),)
    assert revised.segments[0].start_s == 0.1
    assert revised == job.transcript()


def test_a_block_that_raises_changes_nothing(job: Job) -> None:
    """Neither does one that asks for nothing, or for what is not there."""
    with pytest.raises(ZeroDivisionError), job.edit() as edit:
        edit.delete(f"1.{1 // 0}")
    with job.edit() as edit:
        pass
    assert (edit.info, edit.revised()) == (None, edit.transcript)
    edit = job.edit()
    edit.delete("1.0")
    with pytest.raises(UnknownSegment, match=r"'1\.7'"), edit:
        edit.delete("1.7")
    assert text_of(job) == ENGINE_TEXT
    assert len(job.revisions()) == 1
    assert not job.snapshot().kept


def test_a_block_is_used_once(job: Job) -> None:
    """What is added after its end would be lost: that is said."""
    with job.edit() as edit:
        edit.delete("1.0")
    with pytest.raises(InvalidRequest, match="has ended"):
        edit.delete("1.1")
    with edit:
        pass
    assert len(job.revisions()) == 2


def test_a_transcript_is_edited_where_it_is_from(job: Job) -> None:
    """Its own revision is what the edit is meant for; itself, it stays as it was."""
    (transcript,) = job.result()
    with transcript.edit(author="Ana", label="done") as edit:
        edit.replace_text(transcript.segments[2], "The end")
    assert transcript.text == ENGINE_TEXT
    assert edit.revised().text == text_of(job) == "talk.wav 0 talk.wav 1 The end"
    with edit.revised().edit() as again:
        again.delete("1.0")
    assert again.info is not None
    assert again.info.base == 1


def test_a_copied_transcript_is_still_of_its_job(job: Job) -> None:
    """However it was copied within this process; the files of a transcript know nothing of it."""
    transcript = job.transcript()
    copies = (copy.deepcopy(transcript), pickle.loads(pickle.dumps(transcript)))
    for again, segment_id in zip(copies, ("1.0", "1.1"), strict=True):
        with again.edit() as edit:
            edit.replace_text(segment_id, "corrected")
    assert text_of(job) == "corrected corrected talk.wav 2"
    assert "origin" not in json.loads(Json().write(transcript))


def test_a_transcript_of_nothing_cannot_be_edited(service: Service, path: Path) -> None:
    """Made by hand, or not complete: a clear error."""
    with pytest.raises(InvalidRequest, match="from a job"):
        Transcript("id", "a.wav", (), "scripted", "steady", revision=0).edit()
    job = service.submit(path, model=Script(fault="raise", at_s=1).model)
    job.wait(30)
    with pytest.raises(InvalidRequest, match="from a job"):
        job.partial()[0].edit()


def test_edits_that_do_not_touch_are_brought_together(service: Service, job: Job) -> None:
    """Two people looked at the same revision; each corrected another segment."""
    mine, theirs = job.edit(author="me"), job.edit(author="they")
    with mine:
        mine.replace_text("1.0", "mine")
    with theirs:
        theirs.replace_text("1.2", "theirs")
    assert text_of(job) == "mine talk.wav 1 theirs"
    assert [i.base for i in job.revisions()] == [None, 0, 1]


def test_edits_that_touch_are_a_conflict(job: Job) -> None:
    """It names the segments and the current revision, and changes nothing."""
    mine, theirs = job.edit(), job.edit()
    with mine:
        mine.replace_text("1.0", "mine")
    theirs.replace_text("1.1", "theirs")
    with pytest.raises(EditConflict) as caught, theirs:
        theirs.replace_text("1.0", "theirs")
    assert caught.value.segment_ids == ("1.0",)
    assert caught.value.revision == 1
    assert text_of(job) == "mine talk.wav 1 talk.wav 2"


def test_a_rule_that_finds_nothing_is_no_revision(service: Service, job: Job) -> None:
    """The current one is returned; with a label, the text gets that name."""
    ask = (job.job_id, recording_id(job), [ReplaceAll("nowhere", "x")])
    assert service.edit(*ask) == job.revisions()[0]
    assert len(job.revisions()) == 1
    named = service.edit(*ask, label="as it was")
    assert (named.revision, named.label, named.n_changed) == (1, "as it was", 0)


def test_an_earlier_revision_is_brought_back(service: Service, job: Job) -> None:
    """As a new one; those between stay, and are there to be brought back in turn."""
    with job.edit() as edit:
        edit.delete("1.0", "1.1")
    info = job.restore(0, author="Ana", label="back")
    assert (info.revision, info.kind, info.restored, info.base) == (2, "restore", 0, 1)
    assert (info.author, info.label) == ("Ana", "back")
    assert text_of(job) == ENGINE_TEXT
    assert [s.id for s in job.transcript().segments] == ["1.0", "1.1", "1.2"]
    job.restore(1)
    assert text_of(job) == "talk.wav 2"
    assert job.restore(3) == job.revisions()[3]
    assert len(job.revisions()) == 4


def test_a_newer_run_is_beside_the_edited_text(job: Job) -> None:
    """`retry` destroys nothing: its text is one revision more, and the edited one comes back."""
    with job.edit() as edit:
        edit.replace_text("1.0", "corrected")
    job.retry(recording_id(job), language="pt")
    assert job.wait(30)
    assert text_of(job) == ENGINE_TEXT
    assert [s.id for s in job.transcript().segments] == ["2.0", "2.1", "2.2"]
    newest = job.revisions()[-1]
    assert (newest.revision, newest.kind, newest.run) == (2, "engine", 2)
    job.restore(1)
    assert text_of(job) == "corrected talk.wav 1 talk.wav 2"
    assert job.recordings[0].result_run == 1
    assert job.transcript().language == "en"
    assert job.transcript(revision=2).language == "pt"


def test_what_a_person_wrote_is_kept(job: Job) -> None:
    """From the first edit on, until a person says otherwise."""
    assert job.snapshot().expires_at is not None
    with job.edit() as edit:
        edit.delete("1.0")
    assert (job.snapshot().kept, job.snapshot().expires_at) == (True, None)
    job.keep(False)
    assert job.snapshot().expires_at is not None
    job.restore(0)
    assert job.snapshot().kept


def test_sessions_do_not_see_each_others_texts(service: Service, path: Path) -> None:
    """Another's job is unknown, as one that never was; its own session is let in."""
    own, other = service.new_session(), service.new_session()
    job = service.submit(path, session_id=own)
    job.result(30)
    at = (job.job_id, recording_id(job))
    for call in (
        lambda ids: service.edit(*at, [DeleteSegments(("1.0",))], session_ids=ids),
        lambda ids: service.revisions(*at, session_ids=ids),
        lambda ids: service.transcript(*at, revision=0, session_ids=ids),
        lambda ids: service.restore(*at, 0, session_ids=ids),
    ):
        with pytest.raises(UnknownJob) as unknown:
            call([other])
        with pytest.raises(UnknownJob) as never:
            service.revisions("0" * 32, at[1], session_ids=[other])
        assert str(unknown.value).replace(job.job_id, "0" * 32) == str(never.value)
        call([own])


@pytest.mark.parametrize(
    ("operations", "more", "error"),
    [
        ([DeleteSegments(("9.9",))], {}, UnknownSegment),
        ([RenameSpeaker("S9", "Ana")], {}, UnknownSpeaker),
        ([ReplaceText("1.0", " ")], {}, InvalidEdit),
        ([ReplaceAll("(", "x", regex=True)], {}, InvalidEdit),
        ([ReplaceAll("a", "b", regex=True)] * 21, {}, InvalidEdit),
        ([ReplaceText("1.0", "a\udc00")], {}, (InvalidOption, InvalidEdit)),
        ([], {"author": "a" * 201, "label": "x"}, InvalidEdit),
        ([], {"label": "two\nlines"}, InvalidEdit),
        ([DeleteSegments(("1.0",))], {"base_revision": 7}, UnknownRevision),
    ],
)
def test_what_cannot_be_done_is_said(
    service: Service, job: Job, operations: list[Any], more: dict[str, Any], error: Any
) -> None:
    """With a typed error, and nothing is changed."""
    with pytest.raises(error):
        service.edit(job.job_id, recording_id(job), operations, **more)
    assert len(job.revisions()) == 1


def test_what_is_not_there_is_said(service: Service, job: Job) -> None:
    """A recording, a revision; a run and a revision at once."""
    with pytest.raises(UnknownRecording):
        service.revisions(job.job_id, "nobody")
    with pytest.raises(UnknownRevision, match="no revision 3"):
        job.transcript(revision=3)
    with pytest.raises(UnknownRevision):
        job.restore(3)
    with pytest.raises(InvalidRequest):
        service.transcript(job.job_id, recording_id(job), run=1, revision=0)


def test_a_text_that_is_not_complete_has_no_revisions(service: Service, tmp_path: Path) -> None:
    """There is nothing to edit before its end."""
    gate = tmp_path / "gate"
    job = service.submit(wavs(tmp_path, "slow"), model=Script(gate=str(gate)).model)
    assert job.revisions() == ()
    with pytest.raises(InvalidTransition):
        service.edit(job.job_id, recording_id(job), [DeleteSegments(("1.0",))])
    with pytest.raises(UnknownRevision):
        job.transcript(revision=0)
    gate.touch()
    job.result(30)
    assert len(job.revisions()) == 1


def test_one_of_several_recordings_is_named(service: Service, tmp_path: Path) -> None:
    """A job of one needs no name."""
    job = service.submit(wavs(tmp_path, "a", "b"))
    job.result(30)
    with pytest.raises(InvalidRequest, match="2 recordings"):
        job.edit()
    second = job.recordings[1].recording_id
    with job.edit(second) as edit:
        edit.replace_text("1.0", "corrected")
    assert [t.revision for t in job.result()] == [0, 1]
