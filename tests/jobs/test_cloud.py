"""Cloud lanes beside the local one, notes that survive, and what is deleted elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import CloudForbidden, EngineUnavailable, UnknownModel
from hybrid_transcribe.events import ModelChanged, Warned
from hybrid_transcribe.interfaces import Capabilities, Engine, Heard
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.remote_cleanup import AT_ONCE, FIRST_WAIT_S, MOST_TRIES, NO_ANSWER_S
from hybrid_transcribe.jobs.request import make_spec
from hybrid_transcribe.jobs.state_folder import open_state
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.testing import SCRIPTED, SCRIPTED_STAGES, ManualClock
from hybrid_transcribe.types import Clip, ErrorInfo, Options, Spec, Stage, State
from tests.messages import about

from .managers import PuppetExecutor, Stand


class Cloudy(Engine):
    """Somebody else's machine, as far as a room can tell."""

    name: ClassVar[str] = "cloudy"
    capabilities: ClassVar[Capabilities] = Capabilities(
        needs_network=True,
        sends_audio_to="Somebody",
        models=("best", "nano"),
        default_model="best",
        batch_recordings=2,
        whole_recordings=True,
    )

    def available(self, settings: Settings) -> str | None:
        return None if settings.assemblyai_api_key else "no key"

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        raise NotImplementedError


ENGINES = {**SCRIPTED, "cloudy": "tests.jobs.test_cloud:Cloudy"}
CLOUD = Spec("cloudy", "best")
LOCAL = Spec("scripted", "steady")

Play = Callable[["Sky"], Awaitable[None]]


@pytest.fixture(autouse=True)
def _short_goodbye(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puppets answer nothing by themselves."""
    monkeypatch.setattr("hybrid_transcribe.jobs.manager.CLOUD_GOODBYE_S", 0.05)


class Sky(Stand):
    """A room with a puppet for each lane."""

    workers: dict[str, PuppetExecutor]

    @property
    def cloud(self) -> PuppetExecutor:
        return self.workers["cloud"]

    @property
    def erased(self) -> list[str]:
        """Notes that a worker was asked to erase."""
        sent = [c for w in self.workers.values() for c in w.commands]
        return [c.note for c in sent if isinstance(c, p.Erase)]


async def open_sky(folder: Path, *, disk: bool = False, **settings: Any) -> Sky:
    workers: dict[str, PuppetExecutor] = {}
    chosen = Settings(state_dir=str(folder / "state"), engines=ENGINES, assemblyai_api_key="k").but(
        **settings
    )
    clock = ManualClock()

    def make(lane: str) -> PuppetExecutor:
        return workers.setdefault(lane, PuppetExecutor())

    room = JobManager(chosen, open_state(chosen, memory=not disk), make, clock)
    sky = Sky(room, clock, PuppetExecutor(), folder)
    sky.workers = workers
    room.bus.subscribe(None, sky.events.append)
    room.start()
    return sky


def play(tmp_path: Path, *scenes: Play, **settings: Any) -> None:
    """Run each scene in a room of its own, on the same state folder."""

    async def run() -> None:
        for scene in scenes:
            sky = await open_sky(tmp_path, **settings)
            await scene(sky)
            await sky.room.stop()

    asyncio.run(run())


def note(worker: PuppetExecutor, text: str, item: p.Item | None = None) -> p.Item:
    """The engine leaves a note about what it has."""
    it = item or worker.items[0]
    worker.say(about(it, p.CheckpointSaved(note=text)))
    return it


def test_local_and_cloud_never_wait_for_each_other(tmp_path: Path) -> None:
    """Each kind has workers of its own."""

    async def scene(s: Sky) -> None:
        cloudy, local = await s.submit(spec=CLOUD), await s.submit(spec=LOCAL)
        assert s.state(cloudy) is s.state(local) is State.PREPARING
        assert s.workers["local"].runs
        assert s.cloud.runs

    play(tmp_path, scene)


def test_one_that_waits_long_holds_up_no_other(tmp_path: Path) -> None:
    """Several workers wait for the cloud side by side; beyond them, turns are fair."""

    async def scene(s: Sky) -> None:
        first = await s.submit(5, "s1", spec=CLOUD)
        second = await s.submit(1, "s2", spec=CLOUD)
        assert [len(w.items) for w in s.workers.values() if w.runs] == [2, 2, 1]
        assert s.state(second) is State.QUEUED
        assert s.room.lanes.waiting() == 1
        for item in s.cloud.items:
            s.cloud.begin(item)
            s.cloud.finish(item)
        s.cloud.done()
        assert s.state(second) is State.PREPARING
        assert s.states(first).count("completed") == 2

    play(tmp_path, scene, cloud_workers=3)


def test_a_stage_after_the_cloud_works_here(tmp_path: Path) -> None:
    """As soon as its text is there, while the cloud's worker has others in hand."""

    async def scene(s: Sky) -> None:
        spec = replace(CLOUD, options=Options(postprocess=("scripted-stage",)))
        job = await s.submit(2, spec=spec)
        first, second = s.cloud.items
        s.cloud.begin(first)
        s.cloud.hear(first, 0)
        s.cloud.finish(first)
        local = s.workers["local"]
        assert local.stage.recording_id == first.recording_id
        assert local.stage.transcript.text == "text 0"
        document = Document(local.stage.transcript.segments)
        local.say_of_stage(p.PostProcessed("scripted-stage", document))
        assert s.states(job) == ["completed", "preparing"]
        assert second.recording_id not in {c.recording_id for c in local.stages}

    play(tmp_path, scene, postprocessors=SCRIPTED_STAGES)


def test_a_note_is_journalled_before_the_engine_goes_on(tmp_path: Path) -> None:
    """After a restart the engine finds it, so nothing is billed twice."""

    async def before(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        item = note(s.cloud, "transcript 7")
        assert s.cloud.commands[-1] == p.Checkpoint(item.recording_id, 1)
        assert s.recordings(job)[0].note == "transcript 7"

    async def after(s: Sky) -> None:
        assert s.cloud.items[0].note == "transcript 7"
        assert s.cloud.items[0].attempt == 2

    play(tmp_path, before, after, disk=True)


def test_nobody_knows_how_far_the_cloud_is(tmp_path: Path) -> None:
    """While it waits, percentage and ETA are unknown, and the stage says why."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        (item,) = s.cloud.items
        s.cloud.say(about(item, p.StageChanged(stage=Stage.UPLOADING_TO_CLOUD, percentage=40.0)))
        (recording,) = s.recordings(job)
        assert (recording.stage_percentage, recording.percentage) == (40.0, 0.0)
        s.cloud.say(about(item, p.StageChanged(stage=Stage.WAITING_FOR_CLOUD)))
        (recording,) = s.recordings(job)
        assert (recording.state, recording.percentage, recording.eta_s) == (
            State.RUNNING,
            None,
            None,
        )

    play(tmp_path, scene)


def test_a_deleted_job_is_deleted_in_the_cloud_too(tmp_path: Path) -> None:
    """Also what the janitor removes; and it is tried again until it is confirmed."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        item = note(s.cloud, "transcript 7")
        s.cloud.begin(item)
        s.cloud.finish(item)
        s.cloud.done()
        assert s.erased == []
        s.room.delete(job)
        assert s.erased == ["transcript 7"]
        s.cloud.say(p.Erased("cloudy", "transcript 7", ErrorInfo("engine_failed", "503")))
        s.clock.advance(FIRST_WAIT_S)
        assert s.erased == ["transcript 7"] * 2
        s.cloud.say(p.Erased("cloudy", "transcript 7"))
        s.clock.advance(100_000)
        assert len(s.erased) == 2

    play(tmp_path, scene)


def test_a_deletion_survives_a_restart(tmp_path: Path) -> None:
    """What was promised to be deleted is, even by the next process."""

    async def before(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        note(s.cloud, "transcript 7")
        s.room.delete(job)

    async def after(s: Sky) -> None:
        assert s.erased == ["transcript 7"]
        s.cloud.say(p.Erased("cloudy", "transcript 7"))

    async def at_last(s: Sky) -> None:
        assert s.workers == {}

    play(tmp_path, before, after, at_last, disk=True)


def test_a_cancel_that_the_engine_cleaned_up_is_not_repeated(tmp_path: Path) -> None:
    """An engine that deleted its copy takes its note back."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        item = note(s.cloud, "transcript 7")
        s.cloud.begin(item)
        s.room.cancel(job)
        note(s.cloud, "", item)
        s.cloud.say(about(item, p.RecordingCanceled()))
        assert s.state(job) is State.CANCELED
        assert s.recordings(job)[0].note is None
        assert s.erased == []

    play(tmp_path, scene)


def test_a_cancel_that_had_to_be_forced_is_cleaned_up(tmp_path: Path) -> None:
    """The worker that did not hear is killed; another one deletes what it left."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        item = note(s.cloud, "transcript 7")
        s.cloud.begin(item)
        s.room.cancel(job)
        s.clock.advance(2.0)
        assert s.state(job) is State.CANCELED
        assert s.erased == ["transcript 7"]

    play(tmp_path, scene)


def test_a_note_about_what_is_gone_already_is_cleaned_up(tmp_path: Path) -> None:
    """A job deleted while its recording was being submitted leaves nothing in the cloud."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        (item,) = s.cloud.items
        s.cloud.begin(item)
        s.room.delete(job)
        note(s.cloud, "transcript 7", item)
        assert s.erased == ["transcript 7"]

    play(tmp_path, scene)


def test_another_engine_leaves_nothing_behind(tmp_path: Path) -> None:
    """A retry elsewhere deletes what the first engine kept, and starts without its note."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        item = note(s.cloud, "transcript 7")
        s.cloud.begin(item)
        s.cloud.say(about(item, p.RecordingFailed(ErrorInfo("timed_out", "too long"))))
        s.cloud.done()
        s.room.retry(job, engine="scripted")
        assert s.erased == ["transcript 7"]
        assert s.workers["local"].items[0].note is None

    play(tmp_path, scene)


def test_a_deletion_that_nobody_answers_is_asked_again(tmp_path: Path) -> None:
    """The worker that was asked may die before it answers."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        note(s.cloud, "transcript 7")
        s.room.delete(job)
        s.cloud.die()
        s.clock.advance(NO_ANSWER_S)
        assert s.erased == ["transcript 7"] * 2
        assert s.cloud.starts == 2

    play(tmp_path, scene)


def test_what_cannot_be_deleted_is_said_in_the_end(tmp_path: Path) -> None:
    """After many tries people are told who may still have their recording."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        note(s.cloud, "transcript 7")
        s.room.delete(job)
        s.cloud.done()
        for _ in range(MOST_TRIES + 1):
            s.cloud.say(p.Erased("cloudy", "transcript 7", ErrorInfo("engine_failed", "HTTP 503")))
            s.clock.advance(3600.0)
        warned = [e for e in s.events if isinstance(e, Warned)]
        assert [w.code for w in warned] == ["not_erased"]
        assert "HTTP 503" in warned[0].message

    play(tmp_path, scene)


def test_models_are_made_ready_at_the_start(tmp_path: Path) -> None:
    """With ``preload_models`` the default model is fetched and loaded before anybody asks."""

    async def scene(s: Sky) -> None:
        worker = s.workers["local"]
        assert worker.commands[-1] == p.Preload(LOCAL)
        worker.say(
            p.ModelStaged("scripted", "steady", Stage.DOWNLOADING_MODEL, 42.0),
            p.ModelReady("scripted", "steady", "cpu"),
        )
        lines = [(e.stage, e.percentage, e.device) for e in s.events if isinstance(e, ModelChanged)]
        assert lines == [(Stage.DOWNLOADING_MODEL, 42.0, None), (None, None, "cpu")]

    play(tmp_path, scene, preload_models=True, engine="scripted")


def test_a_model_that_cannot_be_made_ready_is_a_warning(tmp_path: Path) -> None:
    """The service runs all the same."""

    async def scene(s: Sky) -> None:
        error = ErrorInfo("model_unavailable", "offline")
        s.workers["local"].say(p.ModelReady("scripted", "steady", error=error))
        assert s.room.warnings[-1][0] == "not_preloaded"
        assert "offline" in s.room.warnings[-1][1]

    play(tmp_path, scene, preload_models=True, engine="scripted")


def test_a_retry_does_not_wait_for_what_is_being_deleted(tmp_path: Path) -> None:
    """A note that was handed over for deletion is no longer the recording's."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        item = note(s.cloud, "transcript 7")
        s.cloud.begin(item)
        s.room.cancel(job)
        s.cloud.say(about(item, p.RecordingCanceled()))
        assert s.erased == ["transcript 7"]
        s.cloud.done()
        s.room.retry(job)
        assert s.cloud.items[0].note is None

    play(tmp_path, scene)


def test_late_words_of_an_earlier_attempt_change_no_note(tmp_path: Path) -> None:
    """What the first worker still says is about what it had, not about the second attempt."""

    async def scene(s: Sky) -> None:
        job = await s.submit(spec=CLOUD)
        first, worker = s.cloud.items[0], s.cloud
        s.room.cancel(job)
        s.room.retry(job)
        other = next(w for w in s.workers.values() if w.runs and w is not worker)
        note(other, "transcript 8")
        note(worker, "", first)
        assert s.recordings(job)[0].note == "transcript 8"
        note(worker, "transcript 7", first)
        assert s.recordings(job)[0].note == "transcript 8"
        assert s.erased == ["transcript 7"]

    play(tmp_path, scene)


def test_few_deletions_at_once(tmp_path: Path) -> None:
    """A job of hundreds does not open hundreds of connections."""

    async def scene(s: Sky) -> None:
        for i in range(3 * AT_ONCE):
            s.room.left_behind("cloudy", f"note {i}")
        assert len(s.erased) == AT_ONCE
        for i in range(3 * AT_ONCE):
            s.cloud.say(p.Erased("cloudy", f"note {i}"))
        assert len(s.erased) == 3 * AT_ONCE

    play(tmp_path, scene)


def test_unanswered_deletions_end_too(tmp_path: Path) -> None:
    """Nobody answering is told in the end, like refusals are."""

    async def scene(s: Sky) -> None:
        s.room.left_behind("cloudy", "note")
        s.clock.advance(NO_ANSWER_S * (MOST_TRIES + 1))
        assert len(s.erased) == MOST_TRIES
        assert [e.code for e in s.events if isinstance(e, Warned)] == ["not_erased"]

    play(tmp_path, scene)


def test_deletions_of_two_lives_add_up(tmp_path: Path) -> None:
    """What a restart adds to the list replaces nothing on it."""

    async def before(s: Sky) -> None:
        s.room.left_behind("cloudy", "old")
        job = await s.submit(spec=CLOUD)
        item = note(s.cloud, "new")
        s.cloud.begin(item)
        s.room.cancel(job)
        assert s.state(job) is State.CANCELING

    async def after(s: Sky) -> None:
        assert sorted(s.erased) == ["new", "old"]

    async def again(s: Sky) -> None:
        assert sorted(s.erased) == ["new", "old"]

    play(tmp_path, before, after, again, disk=True)


def test_without_a_journal_nothing_stays_in_the_cloud(tmp_path: Path) -> None:
    """Results that end with this process end in the cloud as well, or people are told."""

    async def open_and_close(answering: bool) -> Sky:
        sky = await open_sky(tmp_path)
        await sky.submit(spec=CLOUD)
        item = note(sky.cloud, "transcript 7")
        sky.cloud.begin(item)
        sky.cloud.finish(item)
        sky.cloud.done()
        if answering:
            sky.cloud.answers = True
        await sky.room.stop()
        return sky

    sky = asyncio.run(open_and_close(answering=False))
    assert sky.erased == ["transcript 7"]
    assert [code for code, _ in sky.room.warnings] == ["not_erased"]
    sky = asyncio.run(open_and_close(answering=True))
    assert sky.erased == ["transcript 7"]
    assert sky.room.warnings == []


def test_never_cloud_refuses_at_the_door(tmp_path: Path) -> None:
    """The error says who would have got the audio."""
    settings = Settings(engines=ENGINES, never_cloud=True, assemblyai_api_key="k")
    with pytest.raises(CloudForbidden, match="Somebody"):
        make_spec(settings, engine="cloudy")
    assert make_spec(settings, engine="scripted").engine == "scripted"


def test_an_engine_that_cannot_run_is_refused_at_the_door() -> None:
    """With its reason, before anything is queued."""
    with pytest.raises(EngineUnavailable, match="cloudy: no key"):
        make_spec(Settings(engines=ENGINES), engine="cloudy")


def test_models_of_a_cloud_are_checked_by_name() -> None:
    """The choices are its own, whatever model the settings name for the usual engine."""
    settings = Settings(engines=ENGINES, assemblyai_api_key="k", engine="scripted", model="base")
    assert make_spec(settings, engine="cloudy").model == "best"
    with pytest.raises(UnknownModel, match="'base'; choose from: best, nano"):
        make_spec(settings, engine="cloudy", model="base")


def test_a_queued_recording_keeps_its_place_over_all_cloud_lanes(tmp_path: Path) -> None:
    """A cancel takes it out of the one line they share."""

    async def scene(s: Sky) -> None:
        await s.submit(2, "s1", spec=CLOUD)
        second = await s.submit(1, "s2", spec=CLOUD)
        s.room.cancel(second)
        assert s.state(second) is State.CANCELED
        assert s.room.lanes.waiting() == 0

    play(tmp_path, scene, cloud_workers=1)
