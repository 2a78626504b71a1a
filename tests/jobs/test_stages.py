"""Stages after the engine: the machine, the queue and the worker's reports, with a puppet."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import (
    EngineUnavailable,
    InvalidTransition,
    JournalUnusable,
    UnknownPostProcessor,
    UnknownRecording,
)
from hybrid_transcribe.events import TranscriptRevised
from hybrid_transcribe.interfaces import PostProcessor, PostProcessorCapabilities
from hybrid_transcribe.jobs import machine as m
from hybrid_transcribe.jobs.eta import Load, Speeds, StageLoad, arrivals
from hybrid_transcribe.jobs.request import make_spec, make_stage, stage_options, stages_of
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.testing import SCRIPTED, SCRIPTED_STAGES, ScriptedPostProcessor
from hybrid_transcribe.types import (
    ErrorInfo,
    KnownVoice,
    Options,
    PendingStage,
    Recording,
    Speaker,
    Spec,
    Stage,
    State,
    Transcript,
)
from tests.jobs.conftest import make_recording
from tests.jobs.managers import Stand, open_room
from tests.jobs.test_manager import play

ERROR = ErrorInfo("engine_failed", "no luck")

#: A spec with one stage, which takes a quarter of the engine's time.
STAGED = Spec("scripted", "steady", options=Options(postprocess=("scripted-stage",)))

FIRST, SECOND = PendingStage("first", 0.25), PendingStage("second", 0.75)


def step(recording: Recording, *changes: m.Change) -> Recording:
    """After these changes, a moment later each."""
    for n, change in enumerate(changes):
        recording = m.step(recording, change, 10.0 + n)
    return recording


def transcribed(*stages: PendingStage, **fields: Any) -> Recording:
    """A recording whose engine is through, and that waits for these stages."""
    before = make_recording(state=State.RUNNING, pending_stages=stages, started_at=1.0, **fields)
    return step(before, p.RecordingCompleted(10.0))


# ----------------------------------------------------------------------------- machine


def test_its_text_is_whole_when_the_engine_is_through() -> None:
    """It waits for its stage, in the same attempt, and has a result already."""
    r = transcribed(FIRST, worker_deaths=2, solo=True)
    assert (r.state, r.transcribed, r.has_result) == (State.QUEUED, True, True)
    assert (r.attempt, r.worker_deaths, r.solo, r.percentage) == (1, 0, False, 80.0)


def test_without_stages_nothing_is_different() -> None:
    """The engine's end is the end."""
    r = step(make_recording(state=State.RUNNING), p.RecordingCompleted(10.0))
    assert (r.state, r.transcribed, r.percentage) == (State.COMPLETED, False, 100.0)


def test_stages_follow_one_another() -> None:
    """Each goes back to the queue when it is through; the last completes the recording."""
    r = step(transcribed(FIRST, SECOND), m.Dispatched(), p.PostProcessed("first", Document()))
    assert (r.state, r.pending_stages, r.percentage) == (State.QUEUED, (SECOND,), 62.5)
    r = step(r, m.Dispatched(), p.PostProcessed("second", Document()))
    assert (r.state, r.pending_stages, r.percentage) == (State.COMPLETED, (), 100.0)
    assert (r.started_at, r.warnings, r.share_done) == (1.0, (), None)


def test_a_stage_that_fails_costs_its_own_work_only() -> None:
    """The next one has its turn, the text is a result, and a warning names what is missing."""
    r = step(transcribed(FIRST, SECOND), m.Dispatched(), p.PostProcessingFailed("first", ERROR))
    assert (r.state, r.pending_stages, r.error) == (State.QUEUED, (SECOND,), None)
    r = step(r, m.Dispatched(), p.PostProcessingFailed("second", ERROR))
    assert (r.state, r.has_result, r.error) == (State.COMPLETED, True, None)
    assert ["first failed (no luck)" in r.warnings[0], "second" in r.warnings[1]] == [True, True]
    assert [message.code for message in r.messages] == ["stage_failed", "stage_failed"]


ENDS: dict[str, tuple[m.Change, ...]] = {
    "timed out": (m.Dispatched(), p.RecordingFailed(ERROR)),
    "died": (m.Dispatched(), m.WorkerLost(ERROR, blamed=True, max_deaths=1)),
    "no worker": (p.RecordingFailed(ERROR),),
    "canceled while it waited": (m.CancelRequested(),),
    "canceled at work": (m.Dispatched(), m.CancelRequested(), p.RecordingCanceled()),
    "canceled, then it died": (m.Dispatched(), m.CancelRequested(), m.WorkerLost(ERROR)),
    "canceled, then a restart": (m.Dispatched(), m.CancelRequested(), m.Requeued()),
    "canceled, then it failed": (
        m.Dispatched(),
        m.CancelRequested(),
        p.PostProcessingFailed("first", ERROR),
    ),
}


@pytest.mark.parametrize("end", ENDS)
def test_a_whole_text_is_never_failed_or_canceled(end: str) -> None:
    """Whatever ends the stage, the recording is completed, and says what it lacks."""
    r = step(transcribed(FIRST), *ENDS[end])
    assert (r.state, r.percentage, r.error) == (State.COMPLETED, 100.0, None)
    (line,) = r.warnings
    assert "The post-processor first" in line
    assert ("canceled" in line) == end.startswith("canceled")


def test_a_cancel_takes_the_stages_that_are_left() -> None:
    """What was asked to end does not go on with the next stage, nor loses what came in time."""
    held = step(transcribed(FIRST, SECOND), m.Dispatched(), m.CancelRequested())
    r = step(held, p.PostProcessed("first", Document()))
    assert (r.state, len(r.warnings)) == (State.COMPLETED, 1)
    assert "second was canceled" in r.warnings[0]


def test_a_cancel_just_before_the_engine_ends() -> None:
    """Its whole text came in time; the stage does not follow."""
    before = make_recording(state=State.CANCELING, pending_stages=(FIRST,))
    r = step(before, p.RecordingCompleted(10.0))
    assert (r.state, r.has_result, r.pending_stages) == (State.COMPLETED, True, ())
    assert "first was canceled" in r.warnings[0]


def test_a_death_is_followed_by_the_stage_alone() -> None:
    """The engine is not run again, and its own deaths do not count for the stage."""
    r = step(transcribed(FIRST), m.Dispatched(), m.WorkerLost(ERROR, blamed=True))
    assert (r.state, r.transcribed, r.pending_stages) == (State.QUEUED, True, (FIRST,))
    assert (r.worker_deaths, r.attempt, r.percentage) == (1, 2, 80.0)
    r = step(r, m.Dispatched(), m.Requeued())
    assert (r.state, r.worker_deaths, r.attempt) == (State.QUEUED, 1, 3)


def test_deaths_in_one_stage_leave_the_next_its_turn() -> None:
    """The third death of a stage ends that stage."""
    r = transcribed(FIRST, SECOND)
    for _ in range(3):
        r = step(r, m.Dispatched(), m.WorkerLost(ERROR, blamed=True))
    assert (r.state, r.pending_stages, r.worker_deaths) == (State.QUEUED, (SECOND,), 0)


def test_a_stage_may_be_asked_for_later() -> None:
    """It counts for the whole percentage, and what it did not do before is no news any more."""
    done = step(transcribed(FIRST), m.Dispatched(), p.PostProcessingFailed("first", ERROR))
    done = step(done, p.WarningRaised("about something else"))
    r = step(done, m.StageRequested(FIRST))
    assert (r.state, r.has_result, r.attempt, r.percentage) == (State.QUEUED, True, 2, 0.0)
    assert (r.warnings, r.messages) == (("about something else",), ())
    r = step(r, m.Dispatched(), p.ProgressAdvanced(5.0))
    assert (r.percentage, r.done_s, r.stage_done_s) == (50.0, 10.0, 5.0)
    r = step(r, p.PostProcessed("first", Document()))
    assert (r.state, r.percentage, r.share_done) == (State.COMPLETED, 100.0, None)


def test_a_fresh_run_has_stages_of_its_own() -> None:
    """A retry begins with the engine, and counts it again."""
    done = step(transcribed(FIRST), m.Dispatched(), p.PostProcessed("first", Document()))
    r = step(done, m.RetryRequested(False, STAGED, (SECOND,)))
    assert (r.transcribed, r.pending_stages, r.percentage, r.run) == (False, (SECOND,), 0.0, 2)
    assert r.result_run == 1
    resumed = make_recording(state=State.FAILED, pending_stages=(FIRST,))
    assert step(resumed, m.RetryRequested(True)).pending_stages == (FIRST,)


def test_a_failed_run_leaves_the_earlier_text_without_its_stages() -> None:
    """What falls back on an earlier text needs nothing more."""
    done = step(make_recording(state=State.RUNNING), p.RecordingCompleted(10.0))
    r = step(done, m.RetryRequested(False, STAGED, (FIRST,)), m.Dispatched())
    r = step(r, p.RecordingFailed(ERROR))
    assert (r.state, r.run, r.pending_stages, r.transcribed) == (State.COMPLETED, 1, (), False)


def test_what_the_engine_did_already_needs_no_stage() -> None:
    """It is left out without a word; the others follow."""
    held = make_recording(state=State.RUNNING, pending_stages=(FIRST, SECOND), done_s=5.0)
    r = step(held, p.StageNotNeeded("first"))
    assert (r.pending_stages, r.warnings) == ((SECOND,), ())
    r = step(r, p.StageNotNeeded("second"), p.RecordingCompleted(10.0))
    assert r.state is State.COMPLETED
    later = step(transcribed(FIRST), m.Dispatched(), p.StageNotNeeded("first"))
    assert later.pending_stages == (FIRST,)


def test_the_cloud_gives_the_percentage_back() -> None:
    """While it was there nobody knew; now its text is there, and the stage is counted."""
    held = make_recording(state=State.PREPARING, pending_stages=(FIRST,))
    held = step(held, p.StageChanged(Stage.WAITING_FOR_CLOUD))
    assert held.percentage is None
    assert step(held, p.RecordingCompleted(10.0)).percentage == 80.0


_STAGE_REPORTS = st.one_of(
    st.builds(p.ProgressAdvanced, st.floats(0, 12)),
    st.just(p.StageChanged(Stage.IDENTIFYING_SPEAKERS)),
    st.just(p.StageChanged(Stage.LOADING_MODEL)),
    st.just(p.WarningRaised("x")),
)


@given(
    st.lists(st.floats(0, 10), max_size=5),
    st.lists(st.tuples(st.floats(0.05, 3.0), st.lists(_STAGE_REPORTS, max_size=4)), min_size=1),
)
def test_the_percentage_never_falls(
    engine: list[float], stages: list[tuple[float, list[Any]]]
) -> None:
    """Neither from the engine to a stage nor from one stage to the next; 100 is the end."""
    pending = tuple(PendingStage(f"s{n}", share) for n, (share, _) in enumerate(stages))
    r = make_recording(state=State.RUNNING, pending_stages=pending)
    seen = [r.percentage or 0.0]
    changes: list[m.Change] = [*map(p.ProgressAdvanced, engine), p.RecordingCompleted(10.0)]
    for stage, (_, reports) in zip(pending, stages, strict=True):
        changes += [m.Dispatched(), *reports, p.PostProcessed(stage.name, Document())]
    for change in changes:
        r = m.step(r, change, 2.0)
        assert (r.percentage == 100.0) == (r.state is State.COMPLETED)
        seen.append(r.percentage or 0.0)
    assert seen == sorted(seen)


# ---------------------------------------------------------------------------- requests


class Speakers(ScriptedPostProcessor):
    """Tells speakers apart, by name at least."""

    name = "speakers"
    capabilities = PostProcessorCapabilities(
        options=frozenset({"diarize", "speakers"}), needs_words=True, share=0.5
    )


class Lacking(ScriptedPostProcessor):
    """Needs what is not here."""

    name = "lacking"

    def available(self, settings: Settings) -> str | None:
        return "needs onnxruntime: pip install onnxruntime"


def settings_with(*stages: type[PostProcessor]) -> Settings:
    """Settings that know these."""
    known = {stage.name: f"tests.jobs.test_stages:{stage.__name__}" for stage in stages}
    return Settings(engine="scripted", engines=SCRIPTED, postprocessors=SCRIPTED_STAGES | known)


def test_diarize_needs_a_stage_where_the_engine_does_not_do_it() -> None:
    """With word times, where the engine has any; an engine that does it needs no stage."""
    settings = settings_with(Speakers)
    spec = make_spec(settings, speakers=2, postprocess="scripted-stage")
    stages = stages_of(spec, settings)
    assert [(s.name, s.share) for s in stages] == [("speakers", 0.5), ("scripted-stage", 0.25)]
    assert spec.options.word_timestamps
    assert {"diarize", "speakers", "hotwords"} <= set(stage_options(spec, settings))
    cloud = replace(spec, engine="assemblyai", options=Options(diarize=True))
    assert stages_of(cloud, settings) == ()
    assert stages_of(make_spec(settings), settings) == ()


def test_a_stage_that_cannot_run_here_is_refused_at_once() -> None:
    """With the line that helps, before anything is transcribed; so is one that nobody knows."""
    settings = settings_with(Lacking)
    with pytest.raises(EngineUnavailable, match="lacking: needs onnxruntime: pip install"):
        make_spec(settings, postprocess=["lacking"])
    with pytest.raises(EngineUnavailable, match="pip install onnxruntime"):
        make_stage("lacking", Options(), {}, settings)
    with pytest.raises(UnknownPostProcessor, match=r"'nope'; choose from: .*lacking"):
        make_spec(settings, postprocess=["nope"])


def test_a_stage_asked_for_later_may_have_other_options() -> None:
    """None stands for those of the run, so that rows stay small."""
    settings = settings_with(Speakers)
    base = Options(language="pt")
    assert make_stage("speakers", base, {}, settings).options is None
    options = make_stage("speakers", base, {"speakers": 3}, settings).options
    assert options == Options(language="pt", diarize=True, speakers=3)


# ---------------------------------------------------------------- queue, slot, journal


async def until_staged(s: Stand, n: int = 1) -> str:
    """A job whose recordings are transcribed, the first of them with its stage at work."""
    job = await s.submit(n, spec=STAGED)
    for item in s.worker.items:
        s.worker.begin(item)
        s.worker.hear(item, 0, 1)
        s.worker.finish(item)
    s.worker.done()
    return job


def test_the_stage_follows_in_a_batch_of_its_own(tmp_path: Path) -> None:
    """It gets the whole text with ids, the run's options, and the recording's path."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        stage, (recording,) = s.worker.stage, s.recordings(job)
        assert (stage.stage, stage.options, stage.path) == (
            "scripted-stage",
            STAGED.options,
            recording.path,
        )
        assert [segment.text for segment in stage.transcript.segments] == ["text 0", "text 1"]
        assert stage.transcript.duration_s == 10.0
        assert recording.state is State.PREPARING
        s.worker.say_of_stage(p.StageChanged(Stage.POSTPROCESSING), speakers_of(stage))
        (recording,) = s.recordings(job)
        assert (recording.state, recording.warnings) == (State.COMPLETED, ())
        s.worker.stage_done()

    play(tmp_path, acts)


def test_a_stage_gets_voices_with_their_whole_paths(tmp_path: Path) -> None:
    """What was sent lies among the uploads of the service."""

    async def acts(s: Stand) -> None:
        voices = (KnownVoice("Ana", "ana.wav", owned=True), KnownVoice("Rui", "/rui.wav"))
        options = Options(postprocess=("scripted-stage",), voices=voices)
        await s.submit(spec=replace(STAGED, options=options))
        (item,) = s.worker.items
        s.worker.finish(item)
        s.worker.done()
        assert s.worker.stage.options.voices == (
            KnownVoice("Ana", str(s.room.state.uploads / "ana.wav"), owned=True),
            KnownVoice("Rui", "/rui.wav"),
        )

    play(tmp_path, acts)


def test_the_text_can_be_read_while_the_stage_works(tmp_path: Path) -> None:
    """It is the result, complete, and no partial text has to be asked for."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        (recording,) = s.recordings(job)
        transcript = s.room.reading.transcript(job, recording.recording_id)
        assert (transcript.text, transcript.complete) == ("text 0 text 1", True)
        assert not s.room.reading.snapshot(job).done

    play(tmp_path, acts)


def speakers_of(command: p.RunStage) -> p.PostProcessed:
    """Who says what, as a stage would tell: one segment each, in turn."""
    segments = tuple(
        replace(segment, speaker=f"S{n + 1}")
        for n, segment in enumerate(command.transcript.segments)
    )
    return p.PostProcessed("scripted-stage", Document(segments, (Speaker("S1"), Speaker("S2"))))


def test_its_document_is_the_next_revision(tmp_path: Path) -> None:
    """One revision, one event; the engine's own text can still be read."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        (recording,) = s.recordings(job)
        rid = recording.recording_id
        s.worker.say_of_stage(speakers_of(s.worker.stage))
        transcript = s.room.reading.transcript(job, rid)
        assert [segment.speaker for segment in transcript.segments] == ["S1", "S2"]
        assert [segment.id for segment in transcript.segments] == ["1.0", "1.1"]
        assert ([speaker.id for speaker in transcript.speakers], transcript.revision) == (
            ["S1", "S2"],
            1,
        )
        before = s.room.reading.transcript(job, rid, revision=0)
        assert [segment.speaker for segment in before.segments] == [None, None]
        events = [event for event in s.events if isinstance(event, TranscriptRevised)]
        assert [(event.info.kind, event.info.author) for event in events if event.info] == [
            ("stage", "scripted-stage")
        ]

    play(tmp_path, acts)


def test_what_a_person_changed_meanwhile_stays(tmp_path: Path) -> None:
    """The stage began on the text before the correction: both are in the result."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        rid = s.recordings(job)[0].recording_id
        recording = s.room.table.recording(rid)
        first, second = s.room.revisions.document(recording).segments
        corrected = Document((replace(first, text="corrected"), second))
        s.room.revisions.commit(recording, corrected, "person", "Ana")
        s.worker.say_of_stage(speakers_of(s.worker.stage))
        transcript = s.room.reading.transcript(job, rid)
        assert [(segment.text, segment.speaker) for segment in transcript.segments] == [
            ("corrected", "S1"),
            ("text 1", "S2"),
        ]
        assert [info.kind for info in s.room.reading.revisions(job, rid)] == [
            "engine",
            "person",
            "stage",
        ]

    play(tmp_path, acts)


def test_a_later_stage_works_on_the_corrected_text(tmp_path: Path) -> None:
    """With its ids and speakers, as it then stands."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        s.worker.say_of_stage(speakers_of(s.worker.stage))
        s.worker.stage_done()
        s.room.refine(job, stage="scripted-stage")
        transcript = s.worker.stage.transcript
        assert [segment.speaker for segment in transcript.segments] == ["S1", "S2"]
        assert len(transcript.speakers) == 2

    play(tmp_path, acts)


def test_a_retry_replaces_when_its_engine_is_through(tmp_path: Path) -> None:
    """The newer text is the result before its stage is, and the stage works on that one."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        rid = s.recordings(job)[0].recording_id
        s.worker.say_of_stage(speakers_of(s.worker.stage))
        s.worker.stage_done()
        s.room.retry(job, model="other")
        (item,) = s.worker.items
        s.worker.begin(item)
        s.worker.hear(item, 0)
        assert len(s.room.reading.transcript(job, rid).segments) == 2
        s.worker.finish(item)
        s.worker.done()
        assert [segment.id for segment in s.worker.stage.transcript.segments] == ["2.0"]
        s.worker.say_of_stage(speakers_of(s.worker.stage))
        assert [info.kind for info in s.room.reading.revisions(job, rid)] == [
            *("engine", "stage"),
            *("engine", "stage"),
        ]
        assert s.room.reading.transcript(job, rid).segments[0].speaker == "S1"

    play(tmp_path, acts)


def test_a_document_that_cannot_be_kept_costs_the_stage(tmp_path: Path) -> None:
    """The text stays, with the reason."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        rid = s.recordings(job)[0].recording_id
        s.room.revisions.commit = _refuse  # type: ignore[method-assign]
        s.worker.say_of_stage(speakers_of(s.worker.stage))
        (recording,) = s.recordings(job)
        assert (recording.state, recording.revision) == (State.COMPLETED, 0)
        assert "no room" in recording.warnings[0]
        assert s.room.reading.transcript(job, rid).text == "text 0 text 1"

    play(tmp_path, acts)


def test_a_text_that_cannot_be_read_costs_the_stage(tmp_path: Path) -> None:
    """And holds up nothing that comes behind it."""

    async def acts(s: Stand) -> None:
        def unreadable(recording_id: str) -> Transcript:
            raise JournalUnusable("the disk is gone")

        s.room.text_for_stage = unreadable  # type: ignore[method-assign]
        job = await until_staged(s)
        (recording,) = s.recordings(job)
        assert (recording.state, "disk is gone" in recording.warnings[0]) == (State.COMPLETED, True)
        await s.submit()
        assert len(s.worker.runs) == 2

    play(tmp_path, acts)


def _refuse(*arguments: object) -> None:
    raise ValueError("no room")


def test_stages_of_a_batch_run_one_by_one(tmp_path: Path) -> None:
    """A death is that one's whose stage it was; the others are not even looked at."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s, 3)
        s.worker.say_of_stage(p.StageChanged(Stage.POSTPROCESSING))
        s.worker.die(-11)
        deaths = [r.worker_deaths for r in s.recordings(job)]
        assert sorted(deaths) == [0, 0, 1]
        assert [r.transcribed for r in s.recordings(job)] == [True] * 3

    play(tmp_path, acts)


def test_a_stage_that_kills_its_worker_is_given_up(tmp_path: Path) -> None:
    """After the third death it is completed with the reason; the engine was run once."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        for _ in range(3):
            s.worker.say_of_stage(p.StageChanged(Stage.POSTPROCESSING))
            s.worker.die(-11)
        (recording,) = s.recordings(job)
        assert (recording.state, len(s.worker.runs)) == (State.COMPLETED, 1)
        assert "signal 11" in recording.warnings[0]

    play(tmp_path, acts)


def test_a_stage_has_the_time_that_its_recording_may_take(tmp_path: Path) -> None:
    """A hang is a failure of the stage; the worker is ended, the text stays."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        s.worker.say_of_stage(p.StageChanged(Stage.POSTPROCESSING))
        s.clock.advance(299.0)
        assert s.state(job) is State.RUNNING
        s.clock.advance(2.0)
        (recording,) = s.recordings(job)
        assert (recording.state, s.worker.kills) == (State.COMPLETED, 1)
        assert recording.messages[0].params["why"]["code"] == "timed_out"

    play(tmp_path, acts, time_limit_min_s=300.0, time_limit_factor=0.0)


def test_a_cancel_reaches_the_stage(tmp_path: Path) -> None:
    """The worker is told; one that is deaf is ended; the text is completed either way."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        s.worker.say_of_stage(p.StageChanged(Stage.POSTPROCESSING))
        s.room.cancel(job)
        assert isinstance(s.worker.commands[-1], p.CancelRecording)
        assert s.state(job) is State.CANCELING
        s.clock.advance(5.0)
        (recording,) = s.recordings(job)
        assert (recording.state, s.worker.kills) == (State.COMPLETED, 1)
        assert "canceled" in recording.warnings[0]

    play(tmp_path, acts)


def test_refine_queues_what_is_completed(tmp_path: Path) -> None:
    """Every completed recording, or the one named; nothing else; the text stays the result."""

    async def acts(s: Stand) -> None:
        job = await s.submit(2)
        first, second = s.worker.items
        with pytest.raises(InvalidTransition):
            s.room.refine(job, stage="scripted-stage")
        s.worker.begin(first)
        s.worker.hear(first, 0)
        s.worker.finish(first)
        with pytest.raises(InvalidTransition, match="preparing"):
            s.room.refine(job, second.recording_id, stage="scripted-stage")
        with pytest.raises(UnknownRecording):
            s.room.refine(job, "nope", stage="scripted-stage")
        with pytest.raises(UnknownPostProcessor):
            s.room.refine(job, stage="nope")
        s.room.refine(job, stage="scripted-stage", hotwords="x")
        one = next(r for r in s.recordings(job) if r.recording_id == first.recording_id)
        assert (one.state, one.has_result) == (State.QUEUED, True)
        s.worker.finish(second)
        s.worker.done()
        assert s.worker.stage.options.hotwords == "x"
        assert s.worker.stage.recording_id == first.recording_id

    play(tmp_path, acts)


def test_a_refined_job_ends_again(tmp_path: Path) -> None:
    """It has no expiry while it is worked on, and those who wait are woken at its end."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        s.worker.say_of_stage(speakers_of(s.worker.stage))
        s.worker.stage_done()
        assert s.room.reading.snapshot(job).expires_at is not None
        s.room.refine(job, stage="scripted-stage")
        assert s.room.reading.snapshot(job).expires_at is None
        s.worker.say_of_stage(p.PostProcessingFailed("scripted-stage", ERROR))
        after = s.room.reading.snapshot(job)
        assert (after.state, after.expires_at is None) == (State.COMPLETED, False)

    play(tmp_path, acts)


def test_a_stage_needs_no_engine(tmp_path: Path) -> None:
    """One whose engine is no longer installed still gets its stage, in the local lane."""

    async def before(s: Stand) -> str:
        job = await until_staged(s)
        (recording,) = s.recordings(job)
        gone = replace(recording, spec=Spec("gone", "x", options=STAGED.options))
        s.room.state.journal.save_recording(gone)
        return job

    async def run() -> None:
        first = await open_room(tmp_path, disk=True)
        job = await before(first)
        first.room.state.close()
        second = await open_room(tmp_path, disk=True)
        assert second.worker.stage.stage == "scripted-stage"
        second.worker.say_of_stage(speakers_of(second.worker.stage))
        (recording,) = second.recordings(job)
        assert (recording.state, recording.warnings) == (State.COMPLETED, ())
        assert list(second.room.lanes.by_name) == ["local"]
        await second.room.stop()

    asyncio.run(run())


def test_after_a_restart_the_stage_goes_on(tmp_path: Path) -> None:
    """Killed in the middle of a stage, the next process runs the stage and not the engine."""

    async def before(s: Stand) -> str:
        job = await until_staged(s)
        s.worker.say_of_stage(p.StageChanged(Stage.POSTPROCESSING))
        return job

    async def run() -> None:
        first = await open_room(tmp_path, disk=True)
        job = await before(first)
        # As after a kill: nothing is handed back.
        first.room.state.close()
        second = await open_room(tmp_path, disk=True)
        (recording,) = second.recordings(job)
        assert recording.transcribed
        assert not second.worker.runs
        assert second.worker.stage.transcript.text == "text 0 text 1"
        second.worker.say_of_stage(speakers_of(second.worker.stage))
        assert second.state(job) is State.COMPLETED
        await second.room.stop()

    asyncio.run(run())


def test_recordings_of_an_older_journal_have_no_stages() -> None:
    """A row without the newer fields is read as one that needs nothing more."""
    old = {
        "recording_id": "r1",
        "job_id": "j1",
        "index": 0,
        "name": "a",
        "path": "/a",
        "state": "completed",
        "n_segments": 1,
    }
    recording = msgspec.convert(old, Recording)
    assert (recording.has_result, recording.pending_stages, recording.transcribed) == (
        True,
        (),
        False,
    )


# --------------------------------------------------------------------------------- ETA


def test_the_eta_counts_stages() -> None:
    """By their share before they were measured, by their own speed afterwards."""
    speeds = Speeds()
    spec = Spec("e", "m")
    speeds.of(spec).add(100.0, 10.0)
    load = Load("a", spec, 50.0, (StageLoad("s", 0.5, 50.0),))
    assert arrivals([], [load], speeds, "e|m|auto") == {"a": pytest.approx(5.0 + 2.5)}
    speeds.of_stage("s").add(200.0, 10.0)
    assert arrivals([], [load], speeds, "e|m|auto") == {"a": pytest.approx(5.0 + 2.5)}
    speeds.of_stage("s").add(10_000.0, 100.0)
    assert arrivals([], [load], speeds, "e|m|auto")["a"] < 6.0


def test_the_eta_of_a_stage_alone_needs_no_engine() -> None:
    """No model is loaded for it, and the engine's speed need not be known."""
    speeds = Speeds()
    spec = Spec("e", "m")
    speeds.of(spec).load_s = 100.0
    only = Load("a", spec, 0.0, (StageLoad("s", 0.5, 50.0),))
    assert arrivals([], [only], speeds, None) == {}
    speeds.of_stage("s").add(100.0, 10.0)
    assert arrivals([], [only], speeds, None) == {"a": pytest.approx(5.0)}


def test_stages_are_measured(tmp_path: Path) -> None:
    """While it works for the first time its own beginning says how long it takes."""

    async def acts(s: Stand) -> None:
        job = await until_staged(s)
        s.worker.say_of_stage(p.StageChanged(Stage.POSTPROCESSING))
        s.clock.advance(2.0)
        s.worker.say_of_stage(p.ProgressAdvanced(5.0))
        s.clock.advance(1.0)
        assert s.recordings(job)[0].eta_s == pytest.approx(2.0, abs=1.1)
        s.clock.advance(1.0)
        s.worker.say_of_stage(speakers_of(s.worker.stage))
        s.worker.stage_done()
        assert s.room.speeds()["stage|scripted-stage"][:2] == [10.0, 4.0]

    play(tmp_path, acts)
