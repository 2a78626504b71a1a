"""Ours against bare faster-whisper on degraded recordings, condition by condition.

Both get the same files, the same weights in int8, the language and the beam; bare is
``WhisperModel.transcribe`` with the library's defaults, without voice activity detection. Bare
results are kept in the cache folder by clip, condition, model and beam; ours are kept under
``--label NAME``, so that a run that was ended goes on and a later one can be compared with it
(``--before NAME``).
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import version
from itertools import zip_longest
from pathlib import Path
from statistics import median

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.config import Settings
from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks import degrade, speech, tools
from tests.benchmarks.apart import apart
from tests.benchmarks.degrade import CONDITIONS
from tests.benchmarks.pitch import LIMIT_HZ, median_f0_hz
from tests.benchmarks.sounds import Samples
from tests.benchmarks.speech import Recording
from tests.engines.mistakes import Edits, edits

#: Longer recordings are another benchmark's.
LONGEST_S = 30.0

#: The readers with many clips.
MAIN_READERS = ("1688", "2033", "2609", "3005", "3331")

#: Clips of each main reader, and clips of other readers, without ``--all``.
N_OF_MAIN, N_OF_OTHERS, N_PORTUGUESE = 3, 7, 3

RESAMPLES = 2_000

#: Most points by which ours may exceed bare: wrong words, and words left out.
WRONG_BAR, DELETED_BAR = 1.0, 0.5

BARE, OURS = "bare", "ours"

#: Which tool gives a side's texts. Two workers give the text of one, sooner.
TOOL_OF = {BARE: tools.TWO_WORKERS, OURS: tools.OURS}


# ------------------------------------------------------------------------------ the clips


def reader(recording: Recording) -> str:
    """Who speaks: the number of a LibriSpeech reader, else the recording's name."""
    number = recording.name.removeprefix("ls_").split("-")[0]
    return number if number.isdigit() else recording.name


def clips(every: bool, language: str | None = None) -> list[Recording]:
    """All recordings of up to 30 s with a reference, or the subset; each text once."""
    whole = [item for item in speech.references() if item.seconds <= LONGEST_S]
    # LibriSpeech utterances stand in both manifests.
    texts = {item.text.lower(): item for item in reversed(whole)}
    whole = sorted(texts.values(), key=lambda one: one.name)
    chosen = whole if every else _subset(whole)
    return [item for item in chosen if language in (None, item.language)]


def _subset(whole: Sequence[Recording]) -> list[Recording]:
    by_reader: dict[str, list[Recording]] = defaultdict(list)
    for item in whole:
        by_reader[reader(item)].append(item)
    main = [entry for name in MAIN_READERS for entry in _spread(by_reader[name], N_OF_MAIN)]
    single = [of[0] for name, of in sorted(by_reader.items()) if name.isdigit() and len(of) == 1]
    portuguese = [entry for entry in whole if entry.language == "pt"]
    return [*main, *_spread(single, N_OF_OTHERS), *_spread(portuguese, N_PORTUGUESE)]


def _spread(recordings: Sequence[Recording], n: int) -> list[Recording]:
    """``n`` of them, evenly spread."""
    n = min(n, len(recordings))
    return [recordings[i * len(recordings) // n] for i in range(n)]


def sample(recordings: Sequence[Recording], n: int) -> list[Recording]:
    """``n`` of them: men and women, English, Portuguese and other languages in turn.

    The same ones every time, and those of a smaller sample are in every larger one.
    """
    by_men = men(recordings)
    strata: dict[tuple[bool, str], list[Recording]] = defaultdict(list)
    for item in recordings:
        language = item.language if item.language in ("en", "pt") else "others"
        strata[item.name in by_men, language].append(item)
    for (_, language), items in strata.items():
        degrade.seeded("sample", language).shuffle(items)  # type: ignore[arg-type]
    turns = zip_longest(*(items for _, items in sorted(strata.items())))
    return [item for turn in turns for item in turn if item is not None][:n]


def readings(n: int = 5) -> list[Recording]:
    """A recording of each main reader: ``n`` of the clips with pauses of 0.5 s between them.

    Longer than a window, so that they are cut, which short clips are not.
    """
    by_reader: dict[str, list[Recording]] = defaultdict(list)
    for item in speech.librispeech():
        by_reader[reader(item)].append(item)
    return [_joined(_spread(by_reader[name], n)) for name in MAIN_READERS if by_reader[name]]


def _joined(parts: Sequence[Recording]) -> Recording:
    pause = np.zeros(RATE_HZ // 2, np.float32)
    samples = np.concatenate([[*speech.samples_of(part.path), *pause] for part in parts])
    path = cache_folder() / f"{reader(parts[0])}-joined-{len(parts)}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    degrade.write(path, degrade.Sound(samples.astype(np.float32)))
    text = " ".join(part.text for part in parts)
    return Recording(path.stem, str(path), text, "en", len(samples) / RATE_HZ)


def men(recordings: Sequence[Recording]) -> frozenset[str]:
    """Names of those that a man reads, by the median pitch of all clips of the reader here."""
    f0_hz: dict[str, list[float]] = defaultdict(list)
    for recording in recordings:
        value = median_f0_hz(speech.samples_of(recording.path))
        f0_hz[reader(recording)] += [value] if value is not None else []
    low = {name for name, values in f0_hz.items() if values and median(values) < LIMIT_HZ}
    return frozenset(item.name for item in recordings if reader(item) in low)


# ------------------------------------------------------------------------------ the texts


class Texts:
    """Texts by key, in a file of JSON lines that grows; in memory only without a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._texts: dict[str, str] = {}
        if path and path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                entry = json.loads(line)
                self._texts[entry["key"]] = entry["text"]

    def __contains__(self, key: str) -> bool:
        return key in self._texts

    def __getitem__(self, key: str) -> str:
        return self._texts[key]

    def add(self, texts: Mapping[str, str]) -> None:
        """Keep them."""
        self._texts.update(texts)
        if self._path:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                for key, text in texts.items():
                    file.write(json.dumps({"key": key, "text": text}, ensure_ascii=False) + "\n")


def cache_folder() -> Path:
    """Where texts are kept between runs."""
    return Settings.load().cache_path / "benchmarks" / "matrix"


def key_of(clip: Recording, condition: str, model: str, beam: int) -> str:
    """What a text depends on."""
    return f"{clip.name}|{condition}|{degrade.VERSION}|{model}|{beam}|{version('faster-whisper')}"


@dataclass(frozen=True, slots=True)
class Run:
    """One model and beam over clips and conditions."""

    recordings: Sequence[Recording]
    conditions: Sequence[str]
    model: str
    beam: int

    def key(self, clip: Recording, condition: str) -> str:
        """Of this model and beam."""
        return key_of(clip, condition, self.model, self.beam)

    def missing(self, texts: Texts) -> list[str]:
        """Conditions with clips that have no text yet."""
        return [
            condition
            for condition in self.conditions
            if any(self.key(recording, condition) not in texts for recording in self.recordings)
        ]

    def complete(self, side: str, texts: Texts) -> None:
        """Transcribe what is missing, condition by condition."""
        todo = self.missing(texts)
        if not todo:
            return
        with apart((TOOL_OF[side],), self.model, self.beam) as running, ExitStack() as ends:
            for condition in todo:
                print(f"  {side}, {self.model}, beam {self.beam}: {condition}", file=sys.stderr)
                items = [r for r in self.recordings if self.key(r, condition) not in texts]
                degraded = ends.enter_context(degraded_files(items, condition))
                event = running[TOOL_OF[side]].hear(degraded)
                keys = [self.key(item, condition) for item in items]
                texts.add(dict(zip(keys, event, strict=True)))

    def counts(self, texts: Texts, condition: str) -> list[Edits]:
        """Edits of each clip."""
        return [
            edits(recording.text, texts[self.key(recording, condition)], recording.language)
            for recording in self.recordings
        ]


@contextmanager
def degraded_files(recordings: Sequence[Recording], condition: str) -> Iterator[list[Recording]]:
    """The recordings in that condition, as WAV files that are gone in the end."""
    others = _babblers()
    with tempfile.TemporaryDirectory(prefix="matrix-") as folder:
        items = []
        for recording in recordings:
            path = Path(folder) / f"{recording.name}.wav"
            rest = [samples for name, samples in others.items() if name != reader(recording)]
            random = degrade.seeded(recording.name, condition)
            sound = CONDITIONS[condition].degrade(speech.samples_of(recording.path), random, rest)
            degrade.write(path, sound)
            items.append(replace(recording, path=str(path)))
        yield items


def _babblers(n: int = 12) -> dict[str, Samples]:
    """One clip each of several readers."""
    readers = {reader(item): item for item in speech.librispeech()}
    return {name: speech.samples_of(item.path) for name, item in sorted(readers.items())[:n]}


# ------------------------------------------------------------------------------ the table


@dataclass(frozen=True, slots=True)
class Cell:
    """A condition's result: points are per cent of the reference's words."""

    condition: str
    words: int
    bare: float
    ours: float
    more: float
    interval: tuple[float, float]
    bare_deleted: float
    ours_deleted: float
    more_of_men: float
    more_of_women: float
    before: float | None = None

    @property
    def within_bars(self) -> bool:
        """Whether ours is as good as bare, but for the bars."""
        deleted = self.ours_deleted - self.bare_deleted
        return self.more <= WRONG_BAR and deleted <= DELETED_BAR


def cell(
    condition: str, ours: Sequence[Edits], bare: Sequence[Edits], by_men: Sequence[bool]
) -> Cell:
    """Counts of the same clips, in the same order."""
    pairs = list(zip(ours, bare, by_men, strict=True))
    total, other = _sum(ours), _sum(bare)
    words = max(other.words, 1)
    return Cell(
        condition,
        other.words,
        100 * other.wrong / words,
        100 * total.wrong / words,
        100 * (total.wrong - other.wrong) / words,
        interval([(a.wrong - b.wrong, b.words) for a, b, _ in pairs]),
        100 * other.deletions / words,
        100 * total.deletions / words,
        _more([(a, b) for a, b, man in pairs if man]),
        _more([(a, b) for a, b, man in pairs if not man]),
    )


def interval(pairs: Sequence[tuple[int, int]]) -> tuple[float, float]:
    """2.5 and 97.5 % of the points of (more wrong words, words), over resamples of the clips."""
    more, words = (np.array(column, dtype=np.int64) for column in zip(*pairs, strict=True))
    drawn = np.random.default_rng(0).integers(0, len(more), size=(RESAMPLES, len(more)))
    points: npt.NDArray[np.float64] = 100 * more[drawn].sum(axis=1) / words[drawn].sum(axis=1)
    low, high = np.quantile(points, (0.025, 0.975))
    return float(low), float(high)


def _sum(counts: Sequence[Edits]) -> Edits:
    return sum(counts, Edits())


def _more(pairs: Sequence[tuple[Edits, Edits]]) -> float:
    words = sum(b.words for _, b in pairs)
    return 100 * sum(a.wrong - b.wrong for a, b in pairs) / words if words else 0.0


HEADER = """\
| condition | words | bare % | ours before % | ours % | more (95 %) | left out: bare, ours % \
| men, women: more | within the bars |
|---|---|---|---|---|---|---|---|---|"""


def markdown(cells: Sequence[Cell]) -> str:
    """A row a condition."""
    return "\n".join([HEADER, *map(_row, cells)])


def _row(c: Cell) -> str:
    before = "–" if c.before is None else f"{c.before:.1f}"
    return (
        f"| {c.condition} | {c.words} | {c.bare:.1f} | {before} | {c.ours:.1f} "
        f"| {c.more:+.1f} ({c.interval[0]:+.1f} to {c.interval[1]:+.1f}) "
        f"| {c.bare_deleted:.1f}, {c.ours_deleted:.1f} "
        f"| {c.more_of_men:+.1f}, {c.more_of_women:+.1f} "
        f"| {'yes' if c.within_bars else '**no**'} |"
    )


# -------------------------------------------------------------------------------- running


def measure(run: Run, label: str | None, before: str | None) -> list[Cell]:
    """Both sides of a run; texts of ours are kept where there is a label."""
    bare, ours = _texts(BARE), _texts(f"{OURS}-{label}") if label else Texts(None)
    run.complete(BARE, bare)
    run.complete(OURS, ours)
    earlier = _texts(f"{OURS}-{before}") if before else None
    by_men = men(run.recordings)
    return [
        _with_before(
            cell(
                condition,
                run.counts(ours, condition),
                run.counts(bare, condition),
                [recording.name in by_men for recording in run.recordings],
            ),
            run,
            earlier,
        )
        for condition in run.conditions
    ]


def _with_before(result: Cell, run: Run, earlier: Texts | None) -> Cell:
    if earlier is None or result.condition in run.missing(earlier):
        return result
    total = _sum(run.counts(earlier, result.condition))
    return replace(result, before=100 * total.wrong / max(total.words, 1))


def _texts(name: str) -> Texts:
    return Texts(cache_folder() / f"{name}.jsonl")


def main(arguments: Sequence[str]) -> str:
    """The tables of every model and beam that was asked for, as Markdown."""
    options = _parser().parse_args(arguments)
    conditions, notes = _available(options.only.split(",") if options.only else list(CONDITIONS))
    tables = []
    for model in options.models.split(","):
        for kind in options.kinds.split(","):
            recordings = _recordings(kind, options, model)
            if not recordings:
                return "There is no recorded speech beside the checkout."
            for beam in map(int, options.beams.split(",")):
                run = Run(recordings, conditions, model, beam)
                cells = measure(run, options.label, options.before)
                length_s = sum(recording.seconds for recording in recordings)
                title = f"{model}, beam {beam}, {len(recordings)} {kind} ({length_s:.0f} s)"
                tables += [f"{title}:\n\n{markdown(cells)}\n"]
    return "\n".join([*tables, *notes])


def _recordings(kind: str, options: argparse.Namespace, model: str) -> list[Recording]:
    if kind == "readings":
        return readings(10 if options.all else 5)
    language = "en" if model.endswith(".en") else None
    if options.sample:
        return sample(clips(True, language), options.sample)
    return clips(options.all, language)


def _available(names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Conditions that can be made here, and a line for each that cannot."""
    unknown = [name for name in names if name not in CONDITIONS]
    if unknown:
        raise SystemExit(f"No condition {unknown[0]!r}; there is {', '.join(CONDITIONS)}")
    reasons = {name: CONDITIONS[name].missing() for name in names}
    available = [name for name, reason in reasons.items() if reason is None]
    return available, [f"Left out: {name}, {r}." for name, r in reasons.items() if r]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks matrix", description=__doc__)
    parser.add_argument("--all", action="store_true", help="every clip, not 25 of them")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="N clips of all, men and women of all languages"
    )
    parser.add_argument("--models", default="base,tiny.en", help="default: base,tiny.en")
    parser.add_argument("--beams", default="1", help="default: 1; 1,5 for both")
    parser.add_argument(
        "--kinds",
        default="clips,readings",
        help="clips: one utterance each; readings: several of one reader in one recording",
    )
    parser.add_argument("--only", metavar="CONDITIONS", help="names with commas between them")
    parser.add_argument("--label", help="keep our texts under this name, and go on with them")
    parser.add_argument("--before", metavar="LABEL", help="an earlier run's label, for a column")
    return parser


if __name__ == "__main__":
    print(main(sys.argv[1:]))
