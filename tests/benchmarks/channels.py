"""A person a channel: how wrong the words are channel by channel, and what leaks add to them.

Built conversations (`conversations`) with a channel for each reader, and what leaks from one into
the others: fainter, later, or not at all. *Alone* is each channel without a leak, transcribed as a
recording of its own; *by channel* is ``channels="speakers"``; *as they are* is each channel with
its leaks as a recording of its own. cpWER counts words under the speaker who said them; *written
twice* are words that are too many, against those of *alone*.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.channels import ChannelSurvey, survey
from hybrid_transcribe.config import Settings
from hybrid_transcribe.types import Options, Segment, Spec
from hybrid_transcribe.worker.batch_state import Emit
from hybrid_transcribe.worker.worker import Worker
from tests.audio.makers import wav
from tests.audio.voices import Conversation as Voices
from tests.audio.voices import int16
from tests.benchmarks.conversations import Conversation, Scene, built, readers
from tests.benchmarks.diarization import speaker_word_errors
from tests.engines.mistakes import Edits
from tests.messages import reports

#: What is transcribed.
SCENES = (
    Scene("two", 2, 120, overlap=0.05),
    Scene("two-overlap", 2, 120, overlap=0.15, longest_turn_s=8),
    Scene("three", 3, 150, overlap=0.10),
)

#: Leaks: a name, their level in dB, their delay in s.
LEAKS: tuple[tuple[str, float | None, float], ...] = (
    ("none", None, 0.0),
    ("-20 dB", -20.0, 0.0),
    ("-15 dB", -15.0, 0.0),
    ("-10 dB", -10.0, 0.0),
    ("-15 dB, 0.2 s late", -15.0, 0.2),
)


@dataclass(frozen=True, slots=True)
class Row:
    """What came of the conversations with one kind of leak."""

    leak: str
    found: int
    n: int
    alone: Edits
    by_channel: Edits
    as_they_are: Edits
    survey_share: float

    def cells(self) -> tuple[str, ...]:
        """For the table."""
        return (
            self.leak,
            f"{self.found} of {self.n}",
            *(f"{rate(e):.1f} %" for e in (self.alone, self.by_channel, self.as_they_are)),
            *(str(twice(e, self.alone)) for e in (self.by_channel, self.as_they_are)),
            f"{100 * self.survey_share:.2f} %",
        )


def rate(counted: Edits) -> float:
    """In per cent."""
    return 100 * counted.wrong / max(1, counted.words)


def twice(counted: Edits, alone: Edits) -> int:
    """Words that are too many."""
    return max(0, counted.insertions - alone.insertions)


def texts(path: Path, options: Options, model: str) -> dict[str, str]:
    """What each speaker says, by the product's own worker."""
    said: list[Segment] = []

    def emit(message: p.Message) -> None:
        for _, report in reports([message], p.SegmentTranscribed, p.SegmentsTranscribed):
            said.extend(getattr(report, "segments", None) or (report.segment,))

    _worker.run_with(emit, path, options, model)
    result: dict[str, str] = {}
    for segment in sorted(said, key=lambda s: s.start_s):
        name = segment.speaker or "S1"
        result[name] = f"{result.get(name, '')} {segment.text}".strip()
    return result


class _Worker:
    """One worker, which keeps its model."""

    def __init__(self) -> None:
        self._emit: Emit = lambda message: None
        self._worker = Worker(Settings(), lambda message: self._emit(message))

    def run_with(self, emit: Emit, path: Path, options: Options, model: str) -> None:
        self._emit = emit
        spec = Spec("faster-whisper", model, "cpu", options)
        self._worker.run(p.RunBatch(1, spec, (p.Item("r", 1, str(path), path.name),)))


_worker = _Worker()


def _separate(folder: Path, channels: np.ndarray, model: str) -> dict[str, str]:
    """Each channel as a recording of its own."""
    result = {}
    for n, samples in enumerate(channels):
        path = wav(folder / f"one-{n}.wav", int16(samples[None, :]))
        said = texts(path, Options(language="en", channels="mix"), model)
        result[f"S{n + 1}"] = said.get("S1", "")
    return result


def measured(
    talk: Conversation, leak_db: float | None, delay_s: float, model: str, alone: Edits | None
) -> Iterator[tuple[ChannelSurvey, float, Edits, Edits, Edits]]:
    """A conversation with one kind of leak."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        dry = np.stack(list(talk.tracks.values()))
        recorded = Voices(dry, ()).recorded(leak_db, delay_s)
        path = wav(folder / "talk.wav", int16(recorded))
        began = time.process_time()
        result = survey(path, name="talk", settings=Settings())
        share = (time.process_time() - began) / talk.seconds
        said = {f"S{n + 1}": text for n, text in enumerate(talk.texts.values())}
        options = Options(language="en", channels="speakers")
        if alone is None:
            clean = Voices(dry, ()).recorded()
            alone = speaker_word_errors(said, _separate(folder, clean, model))
        yield (
            result,
            share,
            alone,
            speaker_word_errors(said, texts(path, options, model)),
            speaker_word_errors(said, _separate(folder, recorded, model)),
        )


def rows(model: str, n: int, scenes: Sequence[Scene] = SCENES) -> Iterator[Row]:
    """A row for each kind of leak, over ``n`` conversations of each scene."""
    talks = [built(scene, readers(), seed) for scene in scenes for seed in range(n)]
    alone: dict[str, Edits] = {}
    for leak, leak_db, delay_s in LEAKS:
        totals, found, shares = [Edits(), Edits(), Edits()], 0, []
        for talk in talks:
            for result, share, *edits in measured(
                talk, leak_db, delay_s, model, alone.get(talk.name)
            ):
                alone[talk.name] = edits[0]
                found += result.facts.are_one_person_each
                shares.append(share)
                totals = [a + b for a, b in zip(totals, edits, strict=True)]
        apart, by_channel, as_they_are = totals
        share = float(np.mean(shares))
        yield Row(leak, found, len(talks), apart, by_channel, as_they_are, share)


def main(arguments: Sequence[str]) -> str:
    """``python -m tests.benchmarks channels``."""
    parser = argparse.ArgumentParser(prog="channels", description=__doc__)
    parser.add_argument("--model", default="base")
    parser.add_argument("-n", type=int, default=2, help="conversations of each scene")
    requested = parser.parse_args(arguments)
    head = (
        *("leak", "found", "alone", "by channel", "as they are"),
        *("written twice, by channel", "as they are", "survey, of the length"),
    )
    lines = [" | ".join(head)]
    for row in rows(requested.model, requested.n):
        lines.append(" | ".join(row.cells()))
        print(lines[-1], flush=True)
    return "\n".join(lines)
