"""Long recordings: ours beside sequential faster-whisper that sees the text before.

    python -m tests.benchmarks longform --model base --minutes 10 --languages en es

Assembles recordings of several readers with pauses from the speech beside the checkout, has each
way transcribe them, and prints wrong words, speeds, and the difference to the first way with its
95 % interval from resampled utterances. ``--out`` appends each way's text to a JSON lines file,
``--compare`` only compares what is in such a file.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.comparison.words import normaliser
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment
from tests.benchmarks.speech import Recording, librispeech, references, samples_of

Samples = npt.NDArray[np.float32]

#: Pauses between two utterances of a reader, and between two readers, in seconds.
PAUSE_S, TURN_S = (0.3, 1.6), (1.5, 6.0)

#: Root mean square of the room's noise, about 66 dB down.
ROOM = 0.0005

#: Readings of resampled utterances.
DRAWS = 4000


@dataclass(frozen=True, slots=True)
class Long:
    """An assembled recording, and what is said in it, utterance by utterance."""

    name: str
    language: str
    samples: Samples
    texts: tuple[str, ...]

    @property
    def duration_s(self) -> float:
        return len(self.samples) / RATE_HZ


def assemble(name: str, language: str, turns: Sequence[Sequence[Recording]], seed: int) -> Long:
    """The readers' utterances one after the other, with pauses over a quiet room."""
    draw, parts, texts = random.Random(seed), [], []
    for turn in turns:
        for i, recording in enumerate(turn):
            pause_s = draw.uniform(*(PAUSE_S if i else TURN_S))
            parts += [np.zeros(int(pause_s * RATE_HZ), np.float32), samples_of(recording.path)]
            texts.append(recording.text)
    samples = np.concatenate([*parts, np.zeros(RATE_HZ, np.float32)])
    samples += np.random.default_rng(seed).normal(0, ROOM, len(samples)).astype(np.float32)
    return Long(name, language, samples, tuple(texts))


def recordings(language: str, minutes: float, seed: int) -> list[Long]:
    """One recording of that length, or as long as what there is allows."""
    source = librispeech() if language == "en" else references(language)
    turns: dict[str, list[Recording]] = {}
    for recording in source:
        turns.setdefault(recording.name.split("-")[0], []).append(recording)
    order = list(turns.values())
    random.Random(seed).shuffle(order)
    chosen: list[list[Recording]] = []
    while order and sum(r.seconds for turn in chosen for r in turn) < 60 * minutes:
        chosen.append(order.pop())
    return [assemble(f"{language}-{seed}", language, chosen, seed)] if chosen else []


# ------------------------------------------------------------------------ errors


def errors(long: Long, text: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Wrong words and words of every utterance; words put in count where they stand."""
    import jiwer

    normalise = normaliser(long.language)
    truth = [normalise(t).split() for t in long.texts]
    owner = [i for i, words in enumerate(truth) for _ in words]
    wrong = np.zeros(len(truth), np.int64)
    output = jiwer.process_words(
        " ".join(w for words in truth for w in words), normalise(text) or "-"
    )
    for chunk in output.alignments[0]:
        if chunk.type == "insert":
            at = min(chunk.ref_start_idx, len(owner) - 1)
            wrong[owner[at]] += chunk.hyp_end_idx - chunk.hyp_start_idx
        elif chunk.type != "equal":
            for at in range(chunk.ref_start_idx, chunk.ref_end_idx):
                wrong[owner[at]] += 1
    return wrong, np.array([len(words) for words in truth])


def interval(
    first: npt.NDArray[np.int64], second: npt.NDArray[np.int64], words: npt.NDArray[np.int64]
) -> tuple[float, float, float]:
    """The second's rate less the first's in points, and its 95 % interval."""
    rng = np.random.default_rng(0)
    picks = rng.integers(0, len(words), (DRAWS, len(words)))
    draws = 100 * (second - first)[picks].sum(axis=1) / words[picks].sum(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return 100 * float((second - first).sum() / words.sum()), float(low), float(high)


# -------------------------------------------------------------------------- ways

#: Transcribes a recording.
Way = Callable[[Long], str]


def sequential(model_name: str, beam_size: int, conditioned: bool = True) -> Way:
    """faster-whisper's own transcribe, with its default context, no voice activity detection."""
    from faster_whisper import WhisperModel

    model = WhisperModel(_folder(model_name), device="cpu", compute_type="int8")

    def transcribe(long: Long) -> str:
        segments, _ = model.transcribe(
            long.samples,
            language=long.language,
            beam_size=beam_size,
            condition_on_previous_text=conditioned,
        )
        return " ".join(s.text.strip() for s in segments)

    return transcribe


def ours(model_name: str, beam_size: int, **options: Any) -> Way:
    """The engine with its defaults."""
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
    from hybrid_transcribe.interfaces import LoadRequest
    from hybrid_transcribe.models import resolve

    engine = FasterWhisper()
    files = resolve(model_name, "ctranslate2", Settings.load(offline=True))
    engine.load(LoadRequest(files, device="cpu"))

    def transcribe(long: Long) -> str:
        parameters = Options(language=long.language, beam_size=beam_size, **options)
        events = engine.transcribe(Clip(long.samples), parameters, lambda: False)
        return " ".join(e.text for e in events if isinstance(e, Segment))

    return transcribe


def _folder(model_name: str) -> str:
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.models import resolve

    return str(resolve(model_name, "ctranslate2", Settings.load(offline=True)).folder)


WAYS: dict[str, Callable[[str, int], Way]] = {
    "sequential": sequential,
    "unconditioned": lambda model, beam: sequential(model, beam, conditioned=False),
    "ours": ours,
}


# ------------------------------------------------------------------------- report


def run(longs: Sequence[Long], names: Sequence[str], args: argparse.Namespace) -> Iterator[Any]:
    for name in names:
        way = WAYS[name](args.model, args.beam)
        for long in longs:
            wall, cpu = time.perf_counter(), time.process_time()
            text = way(long)
            yield {
                "way": name,
                "recording": long.name,
                "text": text,
                "wall_s": time.perf_counter() - wall,
                "cpu_s": time.process_time() - cpu,
            }


def report(longs: Sequence[Long], rows: Sequence[dict[str, Any]]) -> str:
    """A table: each way's wrong words and speed, and the difference to the first way."""
    by_way: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_way.setdefault(row["way"], {})[row["recording"]] = row
    lines, base = ["way | wrong | words | % | points to first (95 %) | x real time by CPU"], None
    for name, parts in by_way.items():
        counts = [errors(long, parts[long.name]["text"]) for long in longs]
        wrong, words = (np.concatenate(c) for c in zip(*counts, strict=True))
        base = wrong if base is None else base
        diff, low, high = interval(base, wrong, words)
        speed = sum(long.duration_s for long in longs) / sum(p["cpu_s"] for p in parts.values())
        lines.append(
            f"{name} | {wrong.sum()} | {words.sum()} | {100 * wrong.sum() / words.sum():.2f} | "
            f"{diff:+.2f} ({low:+.2f} to {high:+.2f}) | {speed:.1f}"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> str:
    """The table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks longform")
    parser.add_argument("--model", default="base")
    parser.add_argument("--beam", type=int, default=5)
    parser.add_argument("--minutes", type=float, default=10.0, help="of each language")
    parser.add_argument("--languages", nargs="+", default=["en", "es", "pt"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[1])
    parser.add_argument("--ways", nargs="*", default=["sequential", "ours"], choices=list(WAYS))
    parser.add_argument("--out", type=Path, help="JSON lines, appended")
    parser.add_argument("--compare", type=Path, nargs="*", default=[], help="rows to add")
    args = parser.parse_args(argv)
    longs = [
        long
        for language in args.languages
        for seed in args.seeds
        for long in recordings(language, args.minutes, seed)
    ]
    rows = [
        json.loads(line)
        for path in args.compare
        for line in path.read_text(encoding="utf-8").splitlines()
    ]
    for row in run(longs, args.ways, args):
        rows.append(row)
        if args.out:
            with args.out.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
    minutes = sum(long.duration_s for long in longs) / 60
    return f"{args.model}, beam {args.beam}, {minutes:.1f} minutes\n{report(longs, rows)}"
