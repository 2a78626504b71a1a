"""Notes that engines leave, whole recordings, deletions and models made ready ahead of time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineFailed
from hybrid_transcribe.interfaces import Capabilities, CheckpointUpdate, Engine, Heard, StageUpdate
from hybrid_transcribe.testing import SCRIPTED, Script
from hybrid_transcribe.types import Clip, Options, Segment, Spec, Stage
from hybrid_transcribe.worker.worker import Worker
from tests.messages import reports
from tests.services import wavs


class Distant(Engine):
    """Works elsewhere: leaves a note first, and finds it again."""

    name: ClassVar[str] = "distant"
    capabilities: ClassVar[Capabilities] = Capabilities(
        needs_network=True, sends_audio_to="nobody", whole_recordings=True
    )
    erased: ClassVar[list[str]] = []
    asked: ClassVar[list[Options]] = []

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        Distant.asked.append(options)
        yield StageUpdate(Stage.UPLOADING_TO_CLOUD, 50.0)
        if clip.note is None:
            yield CheckpointUpdate("note of " + clip.name)
        yield StageUpdate(Stage.WAITING_FOR_CLOUD)
        yield Segment(0.0, clip.duration_s, f"{clip.start_s:g} {clip.duration_s:g} {clip.note}")

    def erase(self, note: str, settings: Settings) -> None:
        if note == "stuck":
            raise EngineFailed("not now")
        Distant.erased.append(note)


HERE = {**SCRIPTED, "distant": "tests.worker.test_errands:Distant"}
SPEC = Spec("distant", "")


def make_worker(said: list[p.Message], **settings: float) -> Worker:
    return Worker(Settings(engines=HERE, **settings), said.append, ahead=False)  # type: ignore[arg-type]


def test_an_engine_goes_on_when_its_note_is_kept(tmp_path: Path) -> None:
    """Nothing follows a note before the service has journalled it."""
    said: list[p.Message] = []
    noted = threading.Event()

    def tell(message: p.Message) -> None:
        said.append(message)
        if any(reports([message], p.CheckpointSaved)):
            noted.set()

    worker = Worker(Settings(engines=HERE), tell, ahead=False)
    (path,) = wavs(tmp_path, "a")
    run = p.RunBatch(1, SPEC, (p.Item("r0", 1, str(path), path.name),))
    thread = threading.Thread(target=worker.run, args=(run,))
    thread.start()
    assert noted.wait(10)
    assert list(reports(said[-1:])) == [("r0", p.CheckpointSaved("note of a.wav"))]
    worker.kept("r0", 1)
    thread.join(10)
    last = [p.StageChanged, p.SegmentTranscribed, p.RecordingCompleted]
    assert [type(m) for _, m in reports(said[-4:])] == last
    assert isinstance(said[-1], p.BatchDone)


def test_a_cancel_does_not_wait_for_the_journal(tmp_path: Path) -> None:
    """One that is let go needs no note any more."""
    said: list[p.Message] = []

    def tell(message: p.Message) -> None:
        said.append(message)
        if any(reports([message], p.CheckpointSaved)):
            worker.cancel("r0", 1)

    worker = Worker(Settings(engines=HERE), tell, ahead=False)
    (path,) = wavs(tmp_path, "a")
    worker.run(p.RunBatch(1, SPEC, (p.Item("r0", 1, str(path), path.name),)))
    assert list(reports(said[-2:-1])) == [("r0", p.RecordingCanceled())]


def test_a_note_comes_back_with_the_whole_recording(tmp_path: Path) -> None:
    """However long it is and wherever it stopped, such an engine gets all of it in one clip."""
    said: list[p.Message] = []
    (path,) = wavs(tmp_path, "a", seconds=50)
    item = p.Item("r0", 2, str(path), path.name, 20.0, 1, None, "my note")
    make_worker(said, block_s=10.0).run(p.RunBatch(1, SPEC, (item,)))
    (event,) = [m for _, m in reports(said, p.SegmentTranscribed)]
    assert event.segment.text == "0 50 my note"
    assert event.index == 0
    stages = [m.stage for _, m in reports(said, p.StageChanged)]
    assert stages[-2:] == [Stage.UPLOADING_TO_CLOUD, Stage.WAITING_FOR_CLOUD]
    assert Stage.TRANSCRIBING not in stages


def test_a_resumed_request_is_the_same_request(tmp_path: Path) -> None:
    """A language found before is no option that was asked for: other options bill again."""
    said: list[p.Message] = []
    (path,) = wavs(tmp_path, "a")
    item = p.Item("r0", 2, str(path), path.name, 0.0, 0, "pt", "my note")
    make_worker(said).run(p.RunBatch(1, Spec("distant", ""), (item,)))
    assert Distant.asked[-1].language is None


def test_what_lies_elsewhere_is_deleted_or_said() -> None:
    """Each deletion is answered, with its reason where it did not work."""
    said: list[p.Message] = []
    worker = make_worker(said)
    worker.erase(p.Erase("distant", "x"))
    worker.erase(p.Erase("distant", "stuck"))
    worker.erase(p.Erase("gone-engine", "y"))
    errors = [m.error.code if m.error else None for m in said if isinstance(m, p.Erased)]
    assert errors == [None, "engine_failed", "unknown_engine"]
    assert Distant.erased[-1] == "x"


def test_a_model_is_made_ready_and_stays(tmp_path: Path) -> None:
    """Its stages are told, and the first recording does not load it again."""
    said: list[p.Message] = []
    worker = make_worker(said)
    worker.preload(p.Preload(Spec("scripted", "steady")))
    kinds = [(m.stage if isinstance(m, p.ModelStaged) else m.device) for m in said]  # type: ignore[union-attr]
    assert kinds == [Stage.LOADING_MODEL, "cpu"]
    (path,) = wavs(tmp_path, "a")
    worker.run(p.RunBatch(1, Spec("scripted", "steady"), (p.Item("r0", 1, str(path), path.name),)))
    assert not [m for _, m in reports(said, p.StageChanged) if m.stage is Stage.LOADING_MODEL]


def test_a_model_that_cannot_be_made_ready_says_why() -> None:
    """The worker lives on."""
    said: list[p.Message] = []
    make_worker(said).preload(p.Preload(Spec("scripted", Script(fault="load-raise").model)))
    ready = said[-1]
    assert isinstance(ready, p.ModelReady)
    assert ready.error is not None
    assert ready.error.code == "engine_failed"
