"""What a worker does with a batch: engines that misbehave, clips, options, numbering."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from hybrid_transcribe import protocol as p
from hybrid_transcribe.config import Settings
from hybrid_transcribe.interfaces import (
    Capabilities,
    ClipDone,
    Engine,
    EngineWarning,
    Heard,
    Loaded,
    LoadRequest,
    Progress,
)
from hybrid_transcribe.testing import SCRIPTED, Script
from hybrid_transcribe.types import Clip, KnownVoice, Options, Segment, Spec
from hybrid_transcribe.worker.batch import not_honoured
from hybrid_transcribe.worker.worker import Worker
from tests.messages import reports
from tests.services import wavs


class Interleaving(Engine):
    """Takes all clips first and answers for them in turns, as a batching engine does."""

    name: ClassVar[str] = "interleaving"
    capabilities: ClassVar[Capabilities] = Capabilities()

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        raise AssertionError("transcribe_many is used")

    def transcribe_many(
        self,
        clips: Iterable[tuple[int, Clip]],
        options: Options,
        canceled: Callable[[int], bool],
    ) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        taken = list(clips)
        for second in range(2):
            for key, _ in taken:
                yield key, Segment(second, second + 1.0, f"{key}:{second}")
        for key, _ in reversed(taken):
            yield key, ClipDone()


class Quitter(Interleaving):
    """Stops without a word."""

    name: ClassVar[str] = "quitter"

    def transcribe_many(
        self,
        clips: Iterable[tuple[int, Clip]],
        options: Options,
        canceled: Callable[[int], bool],
    ) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        for key, _ in clips:
            yield key, Progress(0.5)
            return


class Timeless(Engine):
    """Has no idea of time."""

    name: ClassVar[str] = "timeless"
    capabilities: ClassVar[Capabilities] = Capabilities()

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        yield Segment(float("nan"), 1.0, "x")


class Unloadable(Interleaving):
    """Cannot be loaded."""

    name: ClassVar[str] = "unloadable"

    def load(self, request: LoadRequest) -> Loaded:
        raise ValueError("bad magic")


class Noting(Engine):
    """Says what it was given."""

    name: ClassVar[str] = "noting"
    capabilities: ClassVar[Capabilities] = Capabilities(options=frozenset({"language"}))

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        yield EngineWarning(f"{clip.start_s:g}+{clip.duration_s:g} {options.language}")
        yield Segment(0.0, 1.0, "x")


HERE = {
    **SCRIPTED,
    **{
        cls.name: f"tests.worker.test_batch:{cls.__name__}"
        for cls in (Interleaving, Quitter, Timeless, Unloadable, Noting)
    },
}


def run(
    paths: list[Path],
    engine: str,
    options: Options | None = None,
    *,
    model: str = "steady",
    ahead: bool = False,
    cancel: tuple[str, ...] = (),
    resume_s: float = 0.0,
    first: int = 0,
    language: str | None = None,
    **settings: float,
) -> list[p.Message]:
    """Every message of one batch."""
    messages: list[p.Message] = []
    worker = Worker(Settings(engines=HERE, **settings), messages.append, ahead=ahead)  # type: ignore[arg-type]
    for name in cancel:
        worker.cancel(name, 1)
    items = tuple(
        p.Item(f"r{i}", 1, str(path), path.name, resume_s, first, language)
        for i, path in enumerate(paths)
    )
    worker.run(p.RunBatch(1, Spec(engine, model, options=options or Options()), items))
    worker.pool.unload_all()
    return messages


def of(kind: type[p.Message], messages: list[p.Message]) -> list[p.Message]:
    return [m for m in messages if isinstance(m, kind)]


@pytest.mark.parametrize("ahead", [False, True])
def test_an_engine_may_interleave(tmp_path: Path, ahead: bool) -> None:
    """Segments of several recordings may come mixed and end in any order; each keeps its own."""
    messages = run(wavs(tmp_path, "a", "b"), "interleaving", ahead=ahead)
    segments = [
        (rid, m.index, m.segment.text) for rid, m in reports(messages, p.SegmentTranscribed)
    ]
    assert segments == [("r0", 0, "0:0"), ("r1", 0, "1:0"), ("r0", 1, "0:1"), ("r1", 1, "1:1")]
    assert [rid for rid, m in reports(messages, p.RecordingCompleted)] == ["r1", "r0"]


@pytest.mark.parametrize(
    ("engine", "code"),
    [
        ("quitter", "engine_failed"),
        ("timeless", "engine_failed"),
        ("unloadable", "engine_failed"),
        ("nope", "unknown_engine"),
    ],
)
def test_whatever_ends_the_batch_is_answered_for_each(
    tmp_path: Path, engine: str, code: str
) -> None:
    """An engine that quits, cannot load or does not exist fails each recording, once."""
    messages = run(wavs(tmp_path, "a", "b"), engine)
    failed = [(rid, m.error.code) for rid, m in reports(messages, p.RecordingFailed)]
    assert failed == [("r0", code), ("r1", code)]
    assert isinstance(messages[-1], p.BatchDone)


def test_one_failure_leaves_the_others(tmp_path: Path) -> None:
    """An exception for one recording is its own."""
    model = Script(fault="raise", at_s=1, only="b").model
    messages = run(wavs(tmp_path, "a", "b", "c"), "scripted", model=model)
    assert [rid for rid, m in reports(messages, p.RecordingCompleted)] == ["r0", "r2"]
    assert [rid for rid, m in reports(messages, p.RecordingFailed)] == ["r1"]


def test_bad_files_never_load_a_model(tmp_path: Path) -> None:
    """What no engine should see is turned away before anything is loaded for it."""
    bad = tmp_path / "bad.wav"
    bad.write_text("words")
    messages = run([bad], "scripted", model=Script(fault="load-raise").model)
    (failed,) = [m for _, m in reports(messages, p.RecordingFailed)]
    assert failed.error.code == "unsupported_media"
    assert "bad.wav" in failed.error.message


def test_canceled_before_the_start(tmp_path: Path) -> None:
    """A recording canceled while it waited in the worker is let go without being touched."""
    messages = run(wavs(tmp_path, "a", "b"), "scripted", cancel=("r0",))
    assert [rid for rid, m in reports(messages, p.RecordingCanceled)] == ["r0"]
    assert {rid for rid, m in reports(messages, p.SegmentTranscribed)} == {"r1"}


def test_resuming_numbers_and_times_go_on(tmp_path: Path) -> None:
    """A second attempt starts at its second and its index, in the language found before."""
    messages = run(wavs(tmp_path, "a", seconds=5), "noting", resume_s=3.0, first=7, language="pt")
    (notice,) = [m for _, m in reports(messages, p.WarningRaised)]
    (event,) = [m for _, m in reports(messages, p.SegmentTranscribed)]
    assert notice.text == "3+2 pt"
    assert (event.index, event.segment.start_s, event.segment.end_s) == (7, 3.0, 4.0)


def test_resumed_times_never_run_backwards(tmp_path: Path) -> None:
    """A clip begins at a sample, which may be a hair before where the last segment ended."""
    for ended_s in (2.64 + 4.0, 3.00002):
        messages = run(wavs(tmp_path, "a", seconds=9), "noting", resume_s=ended_s, first=1)
        (event,) = [m for _, m in reports(messages, p.SegmentTranscribed)]
        assert event.segment.start_s == ended_s
        assert event.segment.end_s == pytest.approx(ended_s + 1.0, abs=1e-4)


def test_long_recordings_come_in_blocks(tmp_path: Path) -> None:
    """Beyond the block length an engine sees several clips; times count through."""
    messages = run(wavs(tmp_path, "a", seconds=90), "noting", block_s=40.0)
    starts = [m.segment.start_s for _, m in reports(messages, p.SegmentTranscribed)]
    assert len(starts) >= 3
    assert starts == sorted(starts)
    (finished,) = [m for _, m in reports(messages, p.RecordingCompleted)]
    assert finished.duration_s == pytest.approx(90.0)


def test_options_not_honoured_are_said(tmp_path: Path) -> None:
    """An engine that does not know an option does not drop it in silence."""
    messages = run(wavs(tmp_path, "a"), "noting", Options(beam_size=3, language="de"))
    lines = [m.text for _, m in reports(messages, p.WarningRaised)]
    assert "noting does not honour beam_size=3" in lines
    assert not any("language" in text for text in lines)


def test_known_voices_that_nobody_honours_are_said_by_name() -> None:
    """The names alone: their files lie where nobody has to know."""
    options = Options(voices=(KnownVoice("Ana", "f581.wav", owned=True),))
    (line,) = not_honoured(Interleaving(), options)
    assert "voices=('Ana',)" in line
    assert "f581" not in line


@pytest.mark.parametrize("resume_s", [3.0, 2.95, 3.5])
def test_resuming_at_the_very_end_is_finished(tmp_path: Path, resume_s: float) -> None:
    """Cut off after its last segment but before its last word, a recording is simply done."""
    messages = run(wavs(tmp_path, "a", seconds=3), "noting", resume_s=resume_s, first=3)
    assert not [
        m
        for _, m in reports(messages, p.SegmentTranscribed, p.RecordingFailed, p.RecordingCanceled)
    ]
    assert len([m for _, m in reports(messages, p.RecordingCompleted)]) == 1
