"""Who speaks when, who says what, and who is recognised: errors, time and memory.

Conversations are built of the recorded readers (``tests/benchmarks/conversations.py``); meetings
are WAV files beside ``*.rttm`` files in a folder that is named. Intervals are 95 %, by drawing
conversations again and again.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from hybrid_transcribe.config import Settings
from hybrid_transcribe.speakers.attach import attach
from hybrid_transcribe.speakers.diarizer import Diarizer
from hybrid_transcribe.speakers.network import Floats
from hybrid_transcribe.speakers.turns import Turn
from hybrid_transcribe.speakers.voices import RECOGNIZED, voice_of
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment, Word
from tests.benchmarks import conversations, degrade, diarizers
from tests.benchmarks.conversations import (
    BRIEF_SCENES,
    SCENES,
    Conversation,
    Fragment,
    Reader,
    SpokenTurn,
)
from tests.benchmarks.diarization import (
    DiarizationErrors,
    errors,
    n_speakers,
    speaker_word_errors,
)
from tests.benchmarks.diarizers import Diarized
from tests.benchmarks.speech import samples_of
from tests.engines.mistakes import Edits, edits

#: How often conversations are drawn for an interval.
N_DRAWS = 2000


@dataclass(frozen=True, slots=True)
class Result:
    """How one conversation came out."""

    name: str
    seconds: float
    errors: DiarizationErrors
    n_true: int
    n_counted: int
    diarized: Diarized


# ---------------------------------------------------------------------------- who when


def results(system: str, items: Sequence[Conversation], folder: Path) -> list[Result]:
    """Every conversation by one program."""
    files = [_written(item, folder) for item in items]
    return [
        Result(
            item.name,
            item.seconds,
            errors(item.turns, diarized.turns),
            n_speakers(item.turns),
            n_speakers(diarized.turns),
            diarized,
        )
        for item, diarized in zip(items, diarizers.run(system, files), strict=True)
    ]


def _written(item: Conversation, folder: Path) -> str:
    path = folder / f"{item.name}.wav"
    if not path.exists():
        degrade.write(path, degrade.Sound(item.samples))
    return str(path)


def meetings(folder: Path) -> list[Conversation]:
    """Recordings in a folder with their turns; none where there are none."""
    turns = defaultdict(list)
    for path in sorted(folder.glob("*.rttm")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("SPEAKER"):
                _, name, _, start, length, _, _, speaker = line.split()[:8]
                end_s = float(start) + float(length)
                turns[name].append(SpokenTurn(float(start), end_s, speaker))
    return [
        Conversation(name, samples_of(str(folder / f"{name}.wav")), tuple(turns[name]))
        for name in sorted(turns)
        if (folder / f"{name}.wav").is_file()
    ]


def interval(items: Sequence[Result]) -> tuple[float, float]:
    """Between what the error rate of all lies, where others like these had been drawn."""
    table = np.array([
        [i.errors.missed_s + i.errors.false_alarm_s + i.errors.confused_s, i.errors.spoken_s]
        for i in items
    ])  # fmt: skip
    drawn = np.random.default_rng(0).integers(0, len(table), (N_DRAWS, len(table)))
    sums = table[drawn].sum(axis=1)
    low, high = np.quantile(100 * sums[:, 0] / np.maximum(sums[:, 1], 1e-9), (0.025, 0.975))
    return float(low), float(high)


def summary(system: str, items: Sequence[Result]) -> str:
    """One row: errors and their parts, speakers, time and memory."""
    whole = sum((item.errors for item in items), DiarizationErrors())
    low, high = interval(items)
    parts = [
        f"{100 * part / max(whole.spoken_s, 1e-9):.1f}"
        for part in (whole.missed_s, whole.false_alarm_s, whole.confused_s)
    ]
    right = sum(item.n_true == item.n_counted for item in items)
    off = sum(abs(item.n_true - item.n_counted) for item in items) / len(items)
    cpu = sum(item.diarized.cpu_s for item in items) / sum(item.seconds for item in items)
    peak_mb = max(item.diarized.peak_mb for item in items)
    return (
        f"| {system} | {whole.rate:.1f} ({low:.1f}–{high:.1f}) | {' / '.join(parts)} "
        f"| {right} of {len(items)} | {off:.2f} | {cpu:.3f} | {peak_mb:.0f} |"
    )


HEADER = """\
| program | DER in % | missed / made up / confused | right number | off by | CPU s per s | MB |
|---|---|---|---|---|---|---|"""


def details(items: Sequence[Result]) -> str:
    """One line a conversation."""
    return "\n".join(
        f"  {item.name:28} {item.seconds:5.0f} s  {item.errors.rate:5.1f} %  "
        f"{item.n_true} speakers, {item.n_counted} counted"
        for item in items
    )


def compared(title: str, items: Sequence[Conversation], systems: Sequence[str]) -> str:
    """A table of all programs."""
    minutes = sum(item.seconds for item in items) / 60
    lines = [f"{title}: {len(items)} conversations, {minutes:.0f} minutes", "", HEADER]
    more = []
    with tempfile.TemporaryDirectory(prefix="conversations-") as folder:
        for system in systems:
            if reason := diarizers.missing(system):
                lines.append(f"| {system} | {reason} | | | | | |")
                continue
            rows = results(system, items, Path(folder))
            lines.append(summary(system, rows))
            more.append(f"{system}:\n{details(rows)}")
    return "\n".join([*lines, "", *more, ""])


# ----------------------------------------------------------------------- who says what

#: Gives the segments of a sound, with words.
Hear = Callable[[Floats], list[Segment]]


def recognizer(model: str) -> Hear:
    """faster-whisper's segments with the times of words."""
    from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
    from hybrid_transcribe.interfaces import LoadRequest
    from hybrid_transcribe.models import resolve

    engine = FasterWhisper()
    files = resolve(model, "ctranslate2", Settings.load())
    engine.load(LoadRequest(files, "cpu", "int8"))
    options = Options(language="en", word_timestamps=True)

    def hear(samples: Floats) -> list[Segment]:
        events = engine.transcribe(Clip(samples), options, lambda: False)
        return [event for event in events if isinstance(event, Segment)]

    return hear


def texts_of(segments: Iterable[Segment]) -> dict[str, str]:
    """All that each speaker says; nobody's text is somebody's of their own."""
    texts: dict[str, list[str]] = defaultdict(list)
    for segment in segments:
        texts[segment.speaker or "nobody"].append(segment.text)
    return {speaker: " ".join(parts) for speaker, parts in texts.items()}


@dataclass(frozen=True, slots=True)
class WordErrors:
    """Edits of the words alone, with the turns that were computed, and with the true ones."""

    words: Edits
    computed: Edits
    true: Edits

    def __add__(self, other: WordErrors) -> WordErrors:
        return WordErrors(
            self.words + other.words, self.computed + other.computed, self.true + other.true
        )


def word_errors(
    item: Conversation, turns: Sequence[SpokenTurn], hear: Hear, texts: Texts
) -> WordErrors:
    """How many words are wrong, and how many more with their speakers."""
    segments = hear(item.samples)
    reference = " ".join(texts.of(text, part) for text, part in item.parts)
    plain = " ".join(segment.text for segment in segments)

    def with_speakers(which: Sequence[SpokenTurn]) -> Edits:
        turns = [Turn(t.start_s, t.end_s, t.speaker) for t in which]
        document = attach(segments, turns, "en")
        return speaker_word_errors(item.texts, texts_of(document.segments))

    return WordErrors(edits(reference, plain), with_speakers(turns), with_speakers(item.turns))


class Texts:
    """Which words of an utterance are said in which of its fragments, by a recogniser's times."""

    def __init__(self, readers: Sequence[Reader], hear: Hear) -> None:
        self._hear = hear
        self._utterances = {u.text: u for reader in readers for u in reader.utterances}
        self._parts: dict[str, dict[int, str]] = {}

    def of(self, text: str, part: Fragment) -> str:
        """The words of a fragment."""
        if text not in self._parts:
            utterance = self._utterances[text]
            words = [word for segment in self._hear(utterance.samples) for word in segment.words]
            starts = [fragment.start / RATE_HZ for fragment in utterance.fragments]
            divided = divide(text, words, starts)
            keys = [fragment.start for fragment in utterance.fragments]
            self._parts[text] = dict(zip(keys, divided, strict=True))
        return self._parts[text][part.start]


def divide(text: str, words: Sequence[Word], starts_s: Sequence[float]) -> list[str]:
    """A text in parts that begin at those times, by the times of recognised words.

    A word that was not recognised has the time of the last one before it that was.
    """
    from hybrid_transcribe.comparison.words import align

    own = text.split()
    other = ["".join(c for c in word.text.upper() if c.isalnum() or c == "'") for word in words]
    times = [0.0] * len(own)
    at_s = 0.0
    for stretch in align(own, other):
        if stretch.equal:
            for i, j in zip(stretch.first, stretch.second, strict=True):
                at_s = times[i] = (words[j].start_s + words[j].end_s) / 2
        for i in stretch.first:
            times[i] = times[i] or at_s
    times = np.maximum.accumulate(times).tolist() if times else []
    parts: list[list[str]] = [[] for _ in starts_s]
    for word, time_s in zip(own, times, strict=True):
        index = max(int(np.searchsorted(starts_s, time_s, "right")) - 1, 0)
        parts[index].append(word)
    return [" ".join(part) for part in parts]


def words_compared(items: Sequence[Conversation], model: str, readers: Sequence[Reader]) -> str:
    """Wrong words without and with their speakers, of each conversation and of all."""
    hear = recognizer(model)
    texts = Texts(readers, hear)
    lines = [
        f"Words by faster-whisper {model}, in % of the reference's:",
        "",
        "| conversation | WER | cpWER | with the true turns |",
        "|---|---|---|---|",
    ]
    whole = WordErrors(Edits(), Edits(), Edits())
    with tempfile.TemporaryDirectory(prefix="conversations-") as folder:
        files = [_written(item, Path(folder)) for item in items]
        for item, diarized in zip(items, diarizers.run(diarizers.OURS, files), strict=True):
            counted = word_errors(item, diarized.turns, hear, texts)
            whole += counted
            lines.append(_words_line(item.name, counted))
    return "\n".join([*lines, _words_line("all", whole), ""])


def _words_line(name: str, counted: WordErrors) -> str:
    rates = (counted.words, counted.computed, counted.true)
    return f"| {name} | {' | '.join(f'{100 * e.wrong / max(e.words, 1):.1f}' for e in rates)} |"


# ------------------------------------------------------------------------- known voices


def voices_compared(readers: Sequence[Reader], thresholds: Sequence[float]) -> str:
    """How often another is taken for a known person, and how often the person is not recognised.

    A voice is learnt from the first half of what somebody reads, and looked for in the second half
    of everybody's.
    """
    paths = diarizers.models()
    diarizer = Diarizer(paths["pyannote-segmentation-3.0"], paths["campplus-zh-en"])
    learnt, looked_for = {}, {}
    for reader in readers:
        first, second = (_voice(diarizer, half) for half in _halves(reader))
        if first is not None and second is not None:
            learnt[reader.name], looked_for[reader.name] = first, second
    same = [float(learnt[name] @ looked_for[name]) for name in learnt]
    other = [float(learnt[a] @ looked_for[b]) for a, b in product(learnt, looked_for) if a != b]
    lines = [
        f"{len(learnt)} readers, {len(other)} pairs of two people",
        "",
        "| similarity | taken for another | not recognised |",
        "|---|---|---|",
    ]
    for threshold in thresholds:
        false = sum(value >= threshold for value in other)
        lost = sum(value < threshold for value in same)
        lines.append(
            f"| {threshold:.2f} | {false} of {len(other)} ({100 * false / len(other):.3f} %) "
            f"| {lost} of {len(same)} ({100 * lost / len(same):.1f} %) |"
        )
    return "\n".join([*lines, ""])


def _halves(reader: Reader) -> Iterator[Floats]:
    samples = np.concatenate([utterance.samples for utterance in reader.utterances])
    middle = len(samples) // 2
    yield samples[:middle]
    yield samples[middle:]


def _voice(diarizer: Diarizer, samples: Floats) -> Floats | None:
    return voice_of(diarizer.analysis([samples]))


# ------------------------------------------------------------------------------ command


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks speakers",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--part", choices=("evaluation", "development"), default="evaluation")
    parser.add_argument("--seeds", type=int, default=1, help="conversations of each kind")
    parser.add_argument("--brief", action="store_true", help="short ones, nothing said twice")
    parser.add_argument("--only", metavar="KIND", nargs="*", help="kinds of conversations")
    parser.add_argument(
        "--systems", nargs="*", choices=tuple(diarizers.SYSTEMS), default=tuple(diarizers.SYSTEMS)
    )
    parser.add_argument("--words", metavar="MODEL", help="also wrong words with their speakers")
    parser.add_argument("--voices", action="store_true", help="only the recognition of people")
    parser.add_argument("--meetings", type=Path, metavar="FOLDER", help="only these recordings")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str]) -> str:
    """The tables that were asked for."""
    chosen = _arguments(arguments)
    if chosen.meetings:
        return compared("Meetings", meetings(chosen.meetings), chosen.systems)
    if not conversations.readers():
        return f"No recorded readers; {speech_hint()}"
    if chosen.voices:
        thresholds = sorted({0.40, 0.45, 0.50, 0.55, 0.60, 0.65, RECOGNIZED})
        return voices_compared(conversations.readers(), thresholds)
    items = list(_conversations(chosen))
    title = f"Built conversations, readers for {chosen.part}"
    table = compared(title, items, chosen.systems)
    if chosen.words:
        readers = conversations.readers(chosen.part)
        table += "\n" + words_compared(items, chosen.words, readers)
    return table


def speech_hint() -> str:
    """Where they are looked for."""
    return f"they are looked for in {conversations.speech.folder()}"


def _conversations(chosen: argparse.Namespace) -> Iterator[Conversation]:
    scenes = BRIEF_SCENES if chosen.brief else SCENES
    kinds: Mapping[str, conversations.Scene] = {scene.name: scene for scene in scenes}
    names = chosen.only or list(kinds)
    for seed in range(chosen.seeds):
        yield from conversations.conversations(chosen.part, seed, [kinds[name] for name in names])


if __name__ == "__main__":
    print(main(sys.argv[1:]))
