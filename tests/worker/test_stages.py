"""What a worker does with a stage after the engine: audio, models, memory, cancel, nonsense."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import OutOfMemory
from hybrid_transcribe.interfaces import (
    PostProcessor,
    PostProcessorCapabilities,
    Processed,
    Progress,
)
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.testing import SCRIPTED, SCRIPTED_STAGES, StageScript
from hybrid_transcribe.types import Clip, Options, Segment, Spec, Stage, Transcript
from hybrid_transcribe.worker.stages import CLIP_S, StagePool
from hybrid_transcribe.worker.worker import Worker
from tests.messages import reports
from tests.services import wavs


class Plain(PostProcessor):
    """Gives the text back; others change what it does."""

    name: ClassVar[str] = "plain"
    capabilities: ClassVar[PostProcessorCapabilities] = PostProcessorCapabilities(
        stage=Stage.IDENTIFYING_SPEAKERS
    )
    loaded: ClassVar[list[str]] = []

    def load(self, models: Mapping[str, Path], settings: Settings) -> None:
        self.loaded.append(self.name)

    def unload(self) -> None:
        self.loaded.remove(self.name)

    def process(
        self,
        audio: Iterable[Clip],
        transcript: Transcript,
        options: Options,
        canceled: Callable[[], bool],
    ) -> Iterator[Processed]:
        for clip in audio:
            yield Progress(clip.start_s + clip.duration_s)
        yield from self.result(transcript)

    def result(self, transcript: Transcript) -> Iterator[Processed]:
        """What it gives at its end."""
        yield Document(transcript.segments)


class Textual(Plain):
    """Works on the text alone."""

    name: ClassVar[str] = "textual"

    def process(self, *arguments: Any) -> Iterator[Processed]:
        yield Document(arguments[1].segments)


class Hungry(Plain):
    """Has room only where it is alone."""

    name: ClassVar[str] = "hungry"
    tries: ClassVar[list[int]] = []

    def result(self, transcript: Transcript) -> Iterator[Processed]:
        self.tries.append(len(self.loaded))
        if len(self.tries) == 1:
            raise OutOfMemory("no room")
        yield Document(transcript.segments)


class Starving(Plain):
    """Never has room."""

    name: ClassVar[str] = "starving"

    def result(self, transcript: Transcript) -> Iterator[Processed]:
        raise MemoryError


class Timeless(Plain):
    """Has no idea of time."""

    name: ClassVar[str] = "timeless-stage"

    def result(self, transcript: Transcript) -> Iterator[Processed]:
        yield Document((Segment(float("nan"), 1.0, "x"),))


class Doubling(Plain):
    """Gives two segments one id."""

    name: ClassVar[str] = "doubling"

    def result(self, transcript: Transcript) -> Iterator[Processed]:
        yield Document(transcript.segments * 2)


class Unwritable(Plain):
    """Has half a character."""

    name: ClassVar[str] = "unwritable"

    def result(self, transcript: Transcript) -> Iterator[Processed]:
        yield Document((Segment(0.0, 1.0, "\ud800"),))


class Modelled(Plain):
    """Wants a model that nobody knows."""

    name: ClassVar[str] = "modelled"
    capabilities: ClassVar[PostProcessorCapabilities] = PostProcessorCapabilities(
        models=("no-such-model",)
    )


class Unavailable(Plain):
    """Was there when the job came, and is not any more."""

    name: ClassVar[str] = "unavailable"

    def available(self, settings: Settings) -> str | None:
        return "needs a library: pip install it"


HERE = {
    **SCRIPTED_STAGES,
    **{
        cls.name: f"tests.worker.test_stages:{cls.__name__}"
        for cls in (
            *(Plain, Textual, Hungry, Starving, Timeless, Doubling, Unwritable),
            *(Modelled, Unavailable),
        )
    },
}

SEGMENTS = (Segment(0.0, 1.0, "one", id="1.0"), Segment(1.0, 2.0, "two", id="1.1"))


def settings_of(**more: Any) -> Settings:
    return Settings(engines=SCRIPTED, postprocessors=HERE).but(**more)


def command(
    path: Path, stage: str, options: Options | None = None, n: int = 1, **text: Any
) -> p.RunStage:
    transcript = Transcript("r1", path.name, SEGMENTS, "scripted", "steady", duration_s=3.0)
    return p.RunStage(
        n, "r1", 1, str(path), stage, options or Options(), replace(transcript, **text)
    )


def run(
    tmp_path: Path, stage: str, options: Options | None = None, **more: Any
) -> list[p.RecordingReport]:
    """What is reported of one stage."""
    messages: list[p.Message] = []
    worker = Worker(settings_of(), messages.append)
    for recording_id in more.pop("cancel", ()):
        worker.cancel(recording_id, 1)
    path = more.pop("path", None) or wavs(tmp_path, "a")[0]
    worker.run_stage(command(path, stage, options, **more))
    worker.unload_all()
    assert messages[-1] == p.BatchDone(1)
    return [report for _, report in reports(messages)]


def failure(answers: list[p.RecordingReport]) -> p.PostProcessingFailed:
    assert isinstance(answers[-1], p.PostProcessingFailed)
    return answers[-1]


def test_a_stage_is_told_of_from_loading_to_its_document(tmp_path: Path) -> None:
    """Loading, its own stage, progress in seconds of the recording, and the text it made."""
    answers = run(tmp_path, "plain")
    assert answers[:3] == [
        p.StageChanged(Stage.LOADING_MODEL),
        p.StageChanged(Stage.IDENTIFYING_SPEAKERS),
        p.ProgressAdvanced(3.0),
    ]
    end = answers[-1]
    assert isinstance(end, p.PostProcessed)
    assert (end.stage, end.document) == ("plain", Document(SEGMENTS))
    assert Plain.loaded == []


def test_a_document_travels_as_it_is(tmp_path: Path) -> None:
    """Ids, speakers and words come through the pipe."""
    end = run(tmp_path, "scripted-stage")[-1]
    message = p.RecordingMessage("r1", 1, end)
    assert p.decode_message(p.encode(message)) == message
    asked = command(tmp_path / "a.wav", "plain", Options(language="pt"), language="pt")
    assert p.decode_command(p.encode(asked)) == asked


def test_audio_comes_in_clips_of_bounded_length(tmp_path: Path) -> None:
    """However long a block is for engines."""
    (path,) = wavs(tmp_path, "long", seconds=CLIP_S + 30)
    answers = run(tmp_path, "plain", path=path)
    steps = [report.done_s for report in answers if isinstance(report, p.ProgressAdvanced)]
    assert len(steps) == 2
    assert steps[0] <= CLIP_S
    assert steps[-1] == pytest.approx(CLIP_S + 30)


def test_a_stage_without_need_of_audio_decodes_none(tmp_path: Path) -> None:
    """The file is opened when the first clip is taken."""

    answers = run(tmp_path, "textual", path=tmp_path / "gone.wav")
    assert isinstance(answers[-1], p.PostProcessed)


def test_a_file_that_is_gone_costs_the_stage(tmp_path: Path) -> None:
    """And says so."""
    assert failure(run(tmp_path, "plain", path=tmp_path / "gone.wav")).error.code == "input_missing"


@pytest.mark.parametrize(
    ("stage", "code", "says"),
    [
        ("timeless-stage", "engine_failed", "impossible times"),
        ("doubling", "engine_failed", "the same id"),
        ("unwritable", "engine_failed", "Unicode"),
        ("modelled", "unknown_model", "no-such-model"),
        ("unavailable", "engine_unavailable", "pip install it"),
        ("nobody", "unknown_postprocessor", "nobody"),
        ("starving", "engine_failed", "MemoryError"),
    ],
)
def test_what_cannot_be_kept_is_a_failure(tmp_path: Path, stage: str, code: str, says: str) -> None:
    """With the reason; the worker goes on."""
    error = failure(run(tmp_path, stage)).error
    assert error.code == code
    assert says in error.message


def test_no_document_is_a_failure(tmp_path: Path) -> None:
    """A stage that just ends has lost its way."""
    script = StageScript(fault="nothing")
    end = failure(run(tmp_path, "scripted-stage", Options(hotwords=script.hotwords)))
    assert end.error.reason == "stage_gave_nothing"


def test_a_cancel_before_and_within(tmp_path: Path) -> None:
    """It is answered for, and what it may have made is not."""
    assert run(tmp_path, "plain", cancel=("r1",)) == [p.RecordingCanceled()]
    messages: list[p.Message] = []
    worker = Worker(settings_of(), messages.append)

    def emit(message: p.Message) -> None:
        messages.append(message)
        if any(isinstance(r, p.ProgressAdvanced) for _, r in reports([message])):
            worker.cancel("r1", 1)

    worker._emit = emit
    (path,) = wavs(tmp_path, "a")
    worker.run_stage(command(path, "plain"))
    assert list(reports(messages))[-1] == ("r1", p.RecordingCanceled())
    worker._emit = messages.append
    worker.run_stage(command(path, "plain", n=2))
    assert isinstance(list(reports(messages))[-1][1], p.PostProcessed)
    worker.unload_all()


def test_memory_is_given_back_and_the_stage_tried_again(tmp_path: Path) -> None:
    """An engine's model goes when a stage has no room; the second time it has all there is."""
    Hungry.tries.clear()
    messages: list[p.Message] = []
    worker = Worker(settings_of(), messages.append)
    (path,) = wavs(tmp_path, "a")
    worker.run(p.RunBatch(1, Spec("scripted", "steady"), (p.Item("r0", 1, str(path), "a"),)))
    assert worker.pool._held
    worker.run_stage(command(path, "plain", n=2))
    worker.run_stage(command(path, "hungry", n=3))
    assert Hungry.tries == [2, 1]
    assert not worker.pool._held
    assert isinstance(list(reports(messages))[-1][1], p.PostProcessed)
    worker.unload_all()
    assert Plain.loaded == []


def test_a_loaded_stage_is_lent_again_until_it_is_idle(tmp_path: Path) -> None:
    """Loaded once for two recordings; unloaded when nobody used it for a while."""
    now = [0.0]
    pool = StagePool(settings_of(model_idle_s=10.0), lambda: now[0])
    said: list[Stage] = []
    for _ in range(2):
        with pool.lend("plain", lambda stage, percentage: said.append(stage)):
            pass
    assert (said, Plain.loaded) == ([Stage.LOADING_MODEL], ["plain"])
    now[0] = 9.0
    pool.unload_idle()
    assert Plain.loaded == ["plain"]
    now[0] = 10.0
    pool.unload_idle()
    assert Plain.loaded == []
