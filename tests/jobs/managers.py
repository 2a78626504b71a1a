"""A job manager whose worker and clock are in the test's hands."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.intake import InputFile
from hybrid_transcribe.config import Settings
from hybrid_transcribe.interfaces import Executor, WorkerExit
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.state_folder import open_state
from hybrid_transcribe.testing import SCRIPTED, SCRIPTED_STAGES, ManualClock
from hybrid_transcribe.types import Recording, RecordingFacts, Segment, Spec, Stage, State
from tests.messages import about

SPEC = Spec("scripted", "steady")


class PuppetExecutor(Executor):
    """Remembers what it was told; says and dies what and when the test wants."""

    def __init__(self) -> None:
        self.commands: list[p.Command] = []
        self.starts = 0
        self.kills = 0
        self.buried = 0
        self.unsendable = False
        self.unstartable = 0
        self.answers = False
        self._on_message: Callable[[p.Message], None] | None = None
        self._on_exit: Callable[[WorkerExit], None] | None = None

    def start(
        self, on_message: Callable[[p.Message], None], on_exit: Callable[[WorkerExit], None]
    ) -> None:
        if self.unstartable:
            self.unstartable -= 1
            raise OSError("no memory")
        self.starts += 1
        self._on_message, self._on_exit = on_message, on_exit

    def send(self, command: p.Command) -> None:
        if self.unsendable and isinstance(command, p.RunBatch):
            raise ValueError("not today")
        self.commands.append(command)
        if self.answers and isinstance(command, p.Erase):
            self.say(p.Erased(command.engine, command.note))

    def kill(self) -> None:
        self.kills += 1

    async def stop(self, grace_s: float) -> None:
        self.die(0)

    @property
    def alive(self) -> bool:
        return self._on_exit is not None

    # ------------------------------------------------------------------ for the test

    def say(self, *messages: p.Message) -> None:
        for message in messages:
            assert self._on_message is not None
            self._on_message(message)

    def die(self, status: int = -9) -> None:
        on_exit, self._on_exit = self._on_exit, None
        assert on_exit is not None
        on_exit(WorkerExit(status, "last words"))

    @property
    def runs(self) -> list[p.RunBatch]:
        return [c for c in self.commands if isinstance(c, p.RunBatch)]

    @property
    def stage(self) -> p.RunStage:
        """The latest command to a post-processor."""
        return self.stages[-1]

    @property
    def stages(self) -> list[p.RunStage]:
        return [c for c in self.commands if isinstance(c, p.RunStage)]

    def say_of_stage(self, *reports: p.RecordingReport) -> None:
        """What becomes of it."""
        stage = self.stage
        for report in reports:
            self.say(p.RecordingMessage(stage.recording_id, stage.attempt, report))

    def stage_done(self) -> None:
        self.say(p.BatchDone(self.stage.batch_id))

    @property
    def items(self) -> tuple[p.Item, ...]:
        """What the latest batch is made of."""
        return self.runs[-1].items

    def done(self) -> None:
        self.say(p.BatchDone(self.runs[-1].batch_id))

    def begin(self, item: p.Item, duration_s: float = 10.0) -> None:
        self.say(
            about(item, p.MetadataLearned(RecordingFacts(duration_s=duration_s))),
            about(item, p.StageChanged(stage=Stage.DECODING)),
            about(item, p.StageChanged(stage=Stage.TRANSCRIBING)),
        )

    def hear(self, item: p.Item, *indices: int) -> None:
        for i in indices:
            segment = Segment(float(i), i + 1.0, f"text {i}")
            self.say(about(item, p.SegmentTranscribed(index=i, segment=segment)))

    def finish(self, item: p.Item, duration_s: float = 10.0) -> None:
        self.say(about(item, p.RecordingCompleted(duration_s=duration_s)))


@dataclass
class Stand:
    """A started room, its clock and its puppet."""

    room: JobManager
    clock: ManualClock
    worker: PuppetExecutor
    folder: Path
    events: list[Any] = field(default_factory=list)

    def inputs(self, n: int, session: str = "s1") -> list[InputFile]:
        """So many files."""
        paths = [self.folder / f"{session}-{i}.wav" for i in range(n)]
        for path in paths:
            path.write_bytes(b"x" * 1000)
        return [InputFile(path.name, path, False, 1000) for path in paths]

    async def submit(self, n: int = 1, session: str = "s1", **how: Any) -> str:
        items = self.inputs(n, session)
        job_id, _ = self.room.accept(items, (), how.pop("spec", SPEC), session, **how)
        # The worker is handed its batch on the next turn of the loop.
        await asyncio.sleep(0)
        return job_id

    def recordings(self, job_id: str) -> tuple[Recording, ...]:
        return self.room.reading.snapshot(job_id).recordings

    def states(self, job_id: str) -> list[str]:
        return [str(r.state) for r in self.recordings(job_id)]

    def state(self, job_id: str, i: int = 0) -> State:
        return self.recordings(job_id)[i].state


async def open_room(folder: Path, *, disk: bool = False, **settings: Any) -> Stand:
    """A room that has just started; ``disk`` gives it a journal in ``folder/state``."""
    clock, worker = ManualClock(), PuppetExecutor()
    chosen = Settings(
        state_dir=str(folder / "state"), engines=SCRIPTED, postprocessors=SCRIPTED_STAGES
    ).but(**settings)
    state = open_state(chosen, memory=not disk)
    room = JobManager(chosen, state, lambda lane: worker, clock)
    stage = Stand(room, clock, worker, folder)
    room.start()
    room.bus.subscribe(None, stage.events.append)
    return stage
