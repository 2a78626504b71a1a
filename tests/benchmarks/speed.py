"""What people use against us: the same recordings, weights and beam, in turn, with word error
rates and the memory each took."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import speech, tools
from tests.benchmarks.apart import Apart, apart
from tests.benchmarks.harness import Measured, spread, take_turns
from tests.benchmarks.speech import Recording
from tests.benchmarks.words import rate

NO_SPEECH = "There is no recorded speech beside the checkout."

FASTER_WHISPERS = (tools.FASTER_WHISPER, tools.TWO_WORKERS, tools.BATCHED)
OTHERS = (
    tools.OPENAI,
    tools.TRANSFORMERS,
    tools.WHISPER_CPP,
    tools.WHISPER_S2T,
    tools.WHISPERX,
)


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is done: groups of each measurement, and the share of the recordings in it."""

    groups: int = 5
    share: float = 1.0

    def some(self, recordings: Sequence[Recording], least: int = 3) -> list[Recording]:
        """Evenly spread over the recordings."""
        n = min(max(round(len(recordings) * self.share), least), len(recordings))
        return [recordings[i * len(recordings) // n] for i in range(n)]


FULL, QUICK = Scale(), Scale(groups=1, share=0.1)


@dataclass(frozen=True, slots=True)
class Point:
    """A tool in the chart: seconds of speech a second, and per cent of wrong words."""

    tool: str
    speed: float
    wer: float


@dataclass(frozen=True, slots=True)
class Versus:
    """Ours against another tool: median ratio of speeds with its range, and wrong words in %."""

    recordings: str
    tool: str
    faster: str
    ours_wer: float
    their_wer: float


@dataclass(frozen=True, slots=True)
class Report:
    """A table for people, its points for a chart, and ours against each of the others."""

    table: str
    points: tuple[Point, ...] = ()
    versus: tuple[Versus, ...] = ()


# ----------------------------------------------------------------------------- entries


def short(scale: Scale) -> Report:
    """Short recordings, a call for each of them."""
    with made() as folder:
        recordings = scale.some(speech.short(folder))
        who = (*FASTER_WHISPERS[:2], tools.PRODUCT, tools.OURS)
        return compare("Short clips", recordings, who, "tiny.en", scale)


def short_base(scale: Scale) -> Report:
    """As `short`, with the larger model and fewer clips."""
    with made() as folder:
        recordings = scale.some(speech.short(folder, 24))
        who = (*FASTER_WHISPERS[:2], tools.OURS)
        return compare("Short clips", recordings, who, "base", scale)


def librispeech(scale: Scale) -> Report:
    """Read English, up to 20 s a clip."""
    recordings = scale.some(speech.librispeech())
    who = (tools.FASTER_WHISPER, tools.OPENAI, tools.OURS)
    return compare("LibriSpeech", recordings, who, "tiny.en", scale)


def moonshine(scale: Scale) -> Report:
    """Read English with a model that is no Whisper; the first is the one compared with."""
    recordings = scale.some(speech.librispeech())
    who = (tools.FASTER_WHISPER, tools.OURS, tools.MOONSHINE)
    return compare("A model that is no Whisper", recordings, who, "tiny.en", scale)


def long(scale: Scale) -> Report:
    """One long recording."""
    with made() as folder:
        recordings = speech.long(folder, max(600 * scale.share, 60))
        who = (tools.FASTER_WHISPER, tools.BATCHED, tools.PRODUCT, tools.OURS)
        return compare("Long recording", recordings, who, "tiny.en", scale)


def silence(scale: Scale) -> Report:
    """A recording that is mostly silence."""
    with made() as folder:
        recordings = speech.silence_heavy(folder, max(120 * scale.share, 40))
        who = (tools.FASTER_WHISPER, tools.BATCHED, tools.OURS)
        return compare("Two thirds silence", recordings, who, "tiny.en", scale)


def zipped(scale: Scale) -> Report:
    """Many tiny recordings, for the product in a zip."""
    with made() as folder:
        recordings = speech.tiny(folder, max(round(60 * scale.share), 12))
        packed = speech.packed(recordings, folder / "tiny.zip")
        who = (*FASTER_WHISPERS[:2], tools.PRODUCT)
        title = "Tiny clips, for the product in a zip"
        return compare(title, recordings, who, "tiny.en", scale, packed=packed)


def portuguese(scale: Scale) -> Report:
    """Another language, so the larger model."""
    recordings = scale.some(speech.references("pt"))
    who = (*FASTER_WHISPERS[:2], tools.OURS)
    return compare("Portuguese", recordings, who, "base", scale)


def peers(scale: Scale) -> Report:
    """Everybody, on fewer clips: some are slow."""
    with made() as folder:
        recordings = scale.some(speech.short(folder)[::5])
        who = (*FASTER_WHISPERS, *OTHERS, tools.OURS_FULL, tools.OURS)
        return compare("Everybody on short clips", recordings, who, "tiny.en", scale)


# -------------------------------------------------------------------------- how it is done


def compare(
    title: str,
    recordings: Sequence[Recording],
    who: Sequence[str],
    model: str,
    scale: Scale,
    beam: int = 1,
    packed: Path | None = None,
) -> Report:
    """Everybody in ``who`` that is installed, the last of them against all others."""
    if not recordings:
        return Report(f"{title}: {NO_SPEECH}\n")
    seconds = sum(recording.seconds for recording in recordings)
    with apart(who, model, beam) as running:
        for tool in running.values():
            tool.hear(recordings[:1])
        measured = take_turns(
            {name: _turn(tool, recordings, name, packed) for name, tool in running.items()},
            scale.groups,
            warm_up=False,
        )
        rows = [_Row.of(name, tool, measured, recordings) for name, tool in running.items()]
    display_name = (
        f"{title}: {model}, beam {beam}, {len(recordings)} recordings, {seconds:.0f} s, "
        f"{scale.groups} groups"
    )
    lines = [*_lines(rows, measured, who[-1], seconds)]
    lines += [
        f"  {name}: left out, {reason}"
        for name in who
        if name not in running and (reason := tools.TOOLS[name].missing())
    ]
    points = tuple(Point(row.name, seconds / row.seconds, row.wer) for row in rows)
    return Report(
        "\n".join([display_name, *lines, ""]), points, tuple(_versus(title, rows, measured))
    )


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    seconds: float
    wer: float
    cpu_s: float
    peak_mib: float
    second_looks: tuple[int, int] | None

    @staticmethod
    def of(name: str, tool: Apart, measured: Measured, recordings: Sequence[Recording]) -> _Row:
        texts = measured.found[name]
        assert isinstance(texts, list)
        return _Row(
            name,
            statistics.median(measured.seconds[name]),
            rate(recordings, texts),
            statistics.median(tool.cpu_s[-len(measured.seconds[name]) :]),
            tool.peak_mib,
            tool.second_looks,
        )


def _lines(rows: Sequence[_Row], measured: Measured, ours: str, seconds: float) -> Iterator[str]:
    width = max(len(row.name) for row in rows)
    yield (
        f"  {'':<{width}}  {'s':>7} {'CPU s':>7} {'x real time':>12} {'WER %':>6} {'peak MiB':>9}  "
        f"{ours} is faster by (min - max)"
    )
    for row in rows:
        ratio = "" if row.name == ours else spread(measured.ratios(ours, row.name), 2)
        yield (
            f"  {row.name:<{width}}  {row.seconds:7.2f} {row.cpu_s:7.2f} "
            f"{seconds / row.seconds:12.1f} {row.wer:6.2f} {row.peak_mib:9.0f}  "
            f"{ratio}{_looks(row)}"
        )


def _versus(title: str, rows: Sequence[_Row], measured: Measured) -> Iterator[Versus]:
    """The last row against all others."""
    *others, ours = rows
    for row in others:
        ratio = spread(measured.ratios(ours.name, row.name), 1)
        yield Versus(title, row.name, ratio, ours.wer, row.wer)


def _looks(row: _Row) -> str:
    if row.second_looks is None or not row.second_looks[1]:
        return ""
    again, looks = row.second_looks
    return f"second looks {again} of {looks}"


def _turn(
    tool: Apart, recordings: Sequence[Recording], name: str, packed: Path | None
) -> Callable[[], object]:
    return lambda: tool.hear(recordings, packed if name == tools.PRODUCT else None)


@contextmanager
def made() -> Iterator[Path]:
    """A folder for recordings that are made, gone in the end."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        yield Path(folder)
