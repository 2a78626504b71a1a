"""When a GPU has too little memory: smaller batches, int8, the CPU, and nothing heard twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import DeviceFailed, InvalidOption, OutOfMemory
from hybrid_transcribe.interfaces import Capabilities, Engine, Heard, Language, Loaded, LoadRequest
from hybrid_transcribe.types import Clip, Options, Segment, Spec
from hybrid_transcribe.worker.worker import Worker
from tests.messages import reports
from tests.services import wavs


class SmallGpu(Engine):
    """A GPU that only holds so much; its model's name says what is too much for it.

    ``load``: any float16 model; ``batch``: more than 2 windows; ``float16``; ``gpu``: all but
    the CPU; ``old``: the same, and it has no int8; ``broken``: it breaks down after a second;
    ``cpu``: nothing is small enough; ``silent`` and ``stubborn`` always claim to be on the GPU,
    and run out of memory or break down wherever they are.
    """

    name: ClassVar[str] = "small-gpu"
    capabilities: ClassVar[Capabilities] = Capabilities(
        options=frozenset({"language", "batch_size"}),
        devices=("auto", "gpu", "cpu"),
        compute_types=("float16", "int8_float16", "int8", "float32"),
        default_model="gpu",
    )
    loads: ClassVar[list[tuple[str, str | None]]] = []
    unloads: ClassVar[int] = 0

    def load(self, request: LoadRequest) -> Loaded:
        device = "cpu" if request.device == "cpu" else "gpu"
        compute_type = request.compute_type or ("int8" if device == "cpu" else "float16")
        SmallGpu.loads.append((device, compute_type))
        if request.model.name == "old" and compute_type == "int8_float16":
            raise InvalidOption("this GPU has no int8_float16")
        if request.model.name == "load" and compute_type == "float16":
            raise OutOfMemory("CUDA out of memory", "gpu")
        self.way, self.limit = (device, compute_type), request.model.name
        if self.limit in ("silent", "stubborn"):
            return Loaded("gpu")
        return Loaded(device, compute_type)

    def unload(self) -> None:
        SmallGpu.unloads += 1

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        if options.language is None:
            yield Language("pt")
        for second in range(int(clip.duration_s)):
            if clip.start_s + second >= 2:
                self.fill(options)
            yield Segment(second, second + 1.0, f"{clip.start_s + second:g} {options.language}")

    def fill(self, options: Options) -> None:
        """Take the memory of two seconds."""
        device, compute_type = self.way
        too_much = {
            "batch": (options.batch_size or 1) > 2,
            "float16": compute_type == "float16",
            "old": device == "gpu",
            "gpu": device == "gpu",
            "cpu": True,
            "silent": True,
        }
        if self.limit == "stubborn":
            raise DeviceFailed("CUDA error: unspecified launch failure", "gpu")
        if self.limit == "broken" and device == "gpu":
            raise DeviceFailed("CUDA error: unspecified launch failure", "gpu")
        if too_much.get(self.limit):
            raise OutOfMemory("CUDA out of memory", device)


@pytest.fixture(autouse=True)
def _fresh() -> None:
    SmallGpu.loads.clear()
    SmallGpu.unloads = 0


class Bench:
    """A worker and what it says."""

    def __init__(self) -> None:
        self.said: list[p.Message] = []
        here = {"small-gpu": "tests.worker.test_ladder:SmallGpu"}
        self.worker = Worker(Settings(engines=here), self.said.append, ahead=False)

    def run(self, paths: list[Path], model: str, device: str = "auto", **options: int) -> None:
        items = tuple(p.Item(f"r{i}", 1, str(path), path.name) for i, path in enumerate(paths))
        spec = Spec("small-gpu", model, device, Options(**options))  # type: ignore[arg-type]
        self.worker.run(p.RunBatch(1, spec, items))

    def notices(self) -> list[str]:
        """What was told about the first recording, each line once, as the room keeps it."""
        lines = [m.text for rid, m in reports(self.said, p.WarningRaised) if rid == "r0"]
        return list(dict.fromkeys(lines))

    def heard(self, recording_id: str = "r0") -> list[tuple[int, str]]:
        return [
            (m.index, m.segment.text)
            for rid, m in reports(self.said, p.SegmentTranscribed)
            if rid == recording_id
        ]

    def ends(self) -> list[type]:
        ends = (p.RecordingCompleted, p.RecordingFailed, p.RecordingCanceled)
        return [type(m) for _, m in reports(self.said, *ends)]


def told(way: str) -> str:
    """The line that people see, with what helps."""
    remedy = "; a smaller model, or other programs closed, would leave it room"
    return f"Not enough memory on the GPU: went on with {way}{remedy}"


BATCH_4, BATCH_2, BATCH_1 = told("batch_size 4"), told("batch_size 2"), told("batch_size 1")
INT8, CPU = told("int8 weights"), told("the CPU")
BROKEN = (
    "The GPU failed: went on with the CPU; if it happens again, restart the machine or choose "
    "device 'cpu'"
)


@pytest.mark.parametrize(
    ("model", "options", "told", "loads"),
    [
        ("batch", {"batch_size": 8}, [BATCH_4, BATCH_2], [("gpu", "float16")]),
        ("float16", {}, [INT8], [("gpu", "float16"), ("gpu", "int8_float16")]),
        (
            "gpu",
            {"batch_size": 2},
            [BATCH_1, INT8, CPU],
            [("gpu", "float16"), ("gpu", "int8_float16"), ("cpu", "int8")],
        ),
        ("load", {}, [INT8], [("gpu", "float16"), ("gpu", "int8_float16")]),
        (
            "old",
            {},
            [INT8, CPU],
            [("gpu", "float16"), ("gpu", "int8_float16"), ("cpu", "int8")],
        ),
        (
            "broken",
            {},
            [BROKEN],
            [("gpu", "float16"), ("cpu", "int8")],
        ),
    ],
)
def test_every_step_is_told_and_nothing_is_heard_twice(
    tmp_path: Path,
    model: str,
    options: dict[str, int],
    told: list[str],
    loads: list[tuple[str, str]],
) -> None:
    """Each step down goes on behind the last segment, in the language that was found."""
    bench = Bench()
    bench.run(wavs(tmp_path, "a", seconds=4), model, **options)
    assert bench.notices() == told
    assert SmallGpu.loads == loads
    event = bench.heard()
    assert [index for index, _ in event] == [0, 1, 2, 3]
    assert [text.split()[0] for _, text in event] == ["0", "1", "2", "3"]
    assert bench.ends() == [p.RecordingCompleted]
    if model not in ("load",):
        assert event[-1][1] == "3 pt"


def test_all_of_a_batch_come_through(tmp_path: Path) -> None:
    """The recording that met the limit and those behind it are all transcribed whole."""
    bench = Bench()
    bench.run(wavs(tmp_path, "a", "b", "c", seconds=4), "gpu")
    for recording_id in ("r0", "r1", "r2"):
        assert [i for i, _ in bench.heard(recording_id)] == [0, 1, 2, 3]
    assert bench.ends() == [p.RecordingCompleted] * 3


def test_the_next_batch_starts_where_the_last_one_got_to(tmp_path: Path) -> None:
    """What was learned holds while the model is loaded, and not for ever."""
    bench = Bench()
    paths = wavs(tmp_path, "a", seconds=4)
    bench.run(paths, "float16")
    bench.run(paths, "float16")
    assert SmallGpu.loads == [("gpu", "float16"), ("gpu", "int8_float16")]
    assert bench.notices() == [INT8]
    bench.worker.pool.unload_all()
    bench.run(paths, "float16")
    assert SmallGpu.loads[2:] == [("gpu", "float16"), ("gpu", "int8_float16")]


def test_a_model_that_is_replaced_gives_its_memory_back_first(tmp_path: Path) -> None:
    """Two models at once would be too much twice over."""
    bench = Bench()
    bench.run(wavs(tmp_path, "a", seconds=4), "gpu")
    assert SmallGpu.unloads == 2


def test_a_later_job_is_told_why_it_runs_smaller(tmp_path: Path) -> None:
    """Who asked for the GPU and gets the CPU hears of it, also when another job paid for it."""
    bench = Bench()
    bench.run(wavs(tmp_path, "a", seconds=4), "gpu")
    bench.said.clear()
    bench.run(wavs(tmp_path, "b", seconds=4), "gpu")
    assert bench.notices() == [INT8, CPU]


def test_neighbours_of_what_is_too_large_go_on(tmp_path: Path) -> None:
    """On the CPU, where nothing is smaller, only the recording that does not fit fails."""
    bench = Bench()
    large, *small = wavs(tmp_path, "a", seconds=4), *wavs(tmp_path, "b", "c", seconds=2)
    bench.run([*large, *small], "cpu", device="cpu")
    failed = [rid for rid, m in reports(bench.said, p.RecordingFailed)]
    finished = [rid for rid, m in reports(bench.said, p.RecordingCompleted)]
    assert (failed, finished) == (["r0"], ["r1", "r2"])


@pytest.mark.parametrize("name", ["silent", "stubborn"])
def test_an_engine_that_does_not_say_how_it_runs_ends_too(tmp_path: Path, name: str) -> None:
    """No step is tried twice, whatever the engine reports."""
    bench = Bench()
    bench.run(wavs(tmp_path, "a", seconds=4), name)
    assert len(SmallGpu.loads) <= 3
    assert bench.ends() == [p.RecordingFailed]


def test_where_nothing_is_small_enough_it_fails(tmp_path: Path) -> None:
    """The last step's error is the recording's, and what was heard is kept."""
    bench = Bench()
    bench.run(wavs(tmp_path, "a", seconds=4), "cpu")
    (failed,) = [m for _, m in reports(bench.said, p.RecordingFailed)]
    assert failed.error.code == "out_of_memory"
    assert [i for i, _ in bench.heard()] == [0, 1]
    assert bench.notices() == [INT8, CPU]


def test_a_cpu_has_no_smaller_way(tmp_path: Path) -> None:
    """Asked for the CPU, it fails at once and says so of the CPU."""
    bench = Bench()
    bench.run(wavs(tmp_path, "a", seconds=4), "cpu", device="cpu")
    assert bench.notices() == []
    assert bench.ends() == [p.RecordingFailed]


def test_preloading_steps_down_too() -> None:
    """A model made ready ahead of time is ready in the way that fits."""
    bench = Bench()
    bench.worker.preload(p.Preload(Spec("small-gpu", "load")))
    (ready,) = [m for m in bench.said if isinstance(m, p.ModelReady)]
    assert (ready.device, ready.error) == ("gpu", None)
    assert SmallGpu.loads == [("gpu", "float16"), ("gpu", "int8_float16")]
