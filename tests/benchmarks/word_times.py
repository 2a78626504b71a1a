"""How far word times are off, where the truth is known.

*Synthetic*: sentences spoken by espeak-ng, whose own events say where each word begins and ends.
*Joined*: recorded utterances, cut to their sound and joined with pauses of 0.7 s, so that the start
of each first word and the end of each last word are known to about 30 ms; only those are taken
where loudness and the voice detector agree on both edges within 60 ms. *Drift* is the slope of the
signed error over the joined recording.
Only words that were recognised count.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.comparison.words import align, normaliser
from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.common.silero_vad import detector
from hybrid_transcribe.models import resolve
from hybrid_transcribe.types import RATE_HZ, Options, Segment, Word
from tests.benchmarks import degrade, espeak, speech
from tests.benchmarks.matrix import clips
from tests.benchmarks.sounds import Samples, room
from tests.benchmarks.speech import Recording, samples_of

#: Voices of espeak-ng by language: a man's, a woman's and another man's.
VOICES: Mapping[str, tuple[str, ...]] = {
    "en": ("en-us", "en-us+f3", "en-us+m3"),
    "pt": ("pt-br", "pt-br+f2", "pt-br+m3"),
}

#: Sentences of each language.
N_SENTENCES = 18

PAUSE_S = 0.7

#: A frame of 10 ms belongs to the utterance from 10 dB above the recording's own noise on, and
#: from 30 dB below its loudest frames on.
ABOVE_NOISE, BELOW_LOUDEST = 10 ** (10 / 20), 10 ** (-30 / 20)

#: Samples of one answer of the voice detector (32 ms).
FRAME = 512

#: Most that loudness and the voice detector may differ about an edge.
AGREEMENT_S = 0.060

#: Most that the median may be, in s.
BAR_S = 0.060


@dataclass(frozen=True, slots=True)
class Timed:
    """A recording and the words in it whose times are known; None stands for an unknown edge."""

    recording: Recording
    words: tuple[tuple[str, float | None, float | None], ...]


# ----------------------------------------------------------------------------- material


def synthetic(folder: Path, language: str, n: int = N_SENTENCES) -> list[Timed]:
    """Sentences of the recordings' references, spoken by espeak-ng."""
    whole = [entry for entry in clips(True, language) if entry.seconds >= 3]
    chosen = [whole[i * len(whole) // n] for i in range(n)] if len(whole) > n else whole
    spoken = espeak.Espeak()
    items = []
    for i, item in enumerate(chosen):
        voice = VOICES[language][i % len(VOICES[language])]
        said = spoken.speak(item.text.lower(), voice)
        path = folder / f"espeak-{voice}-{i:02}.wav"
        noise = room(len(said.samples), degrade.seeded(item.name))
        degrade.write(path, degrade.Sound(0.5 * said.samples + noise, said.rate_hz))
        length_s = len(said.samples) / said.rate_hz
        recording = Recording(path.stem, str(path), item.text, language, length_s)
        words = tuple((word.text, word.start_s, word.end_s) for word in said.words)
        items.append(Timed(recording, words))
    return items


def joined(folder: Path, seconds: float) -> Timed:
    """Read utterances one behind the other, again from the first where they do not suffice."""
    parts: list[Samples] = [np.zeros(RATE_HZ // 2, np.float32)]
    words: list[tuple[str, float | None, float | None]] = []
    at = len(parts[0])
    utterances = _agreed(speech.librispeech())
    index = 0
    while at < seconds * RATE_HZ:
        item, sound = utterances[index % len(utterances)]
        spoken = item.text.lower().split()
        end_s = (at + len(sound)) / RATE_HZ
        words += [
            (word, at / RATE_HZ if i == 0 else None, end_s if i == len(spoken) - 1 else None)
            for i, word in enumerate(spoken)
        ]
        pause = np.zeros(round(PAUSE_S * RATE_HZ), np.float32)
        parts += [sound, pause]
        at += len(sound) + len(pause)
        index += 1
    samples = np.concatenate(parts)
    samples = samples + room(len(samples), degrade.seeded("joined"))
    path = folder / f"joined-{seconds:.0f}.wav"
    degrade.write(path, degrade.Sound(samples))
    text = " ".join(word for word, _, _ in words)
    return Timed(Recording(path.stem, str(path), text, "en", at / RATE_HZ), tuple(words))


def _agreed(recordings: Sequence[Recording]) -> list[tuple[Recording, Samples]]:
    """Utterances cut to their sound, those left out where the voice detector differs."""
    cut = [(recording, _trimmed(samples_of(recording.path))) for recording in recordings]
    return [(item, sound) for item, sound in cut if _agrees(sound)]


def _agrees(sound: Samples) -> bool:
    around = np.zeros(FRAME * 15, np.float32)
    padded = np.concatenate([around, sound, around, np.zeros(-len(sound) % FRAME, np.float32)])
    voiced = np.flatnonzero(detector()(padded) > 0.5)
    if not len(voiced):
        return False
    start, end = voiced[0] * FRAME - len(around), (voiced[-1] + 1) * FRAME - len(around)
    return bool(max(abs(start), abs(end - len(sound))) <= AGREEMENT_S * RATE_HZ)


def _trimmed(samples: Samples) -> Samples:
    """From the first to the last frame of 10 ms that is loud enough, with a fade of 5 ms."""
    frame = RATE_HZ // 100
    frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
    level = np.sqrt(np.mean(frames**2, axis=1))
    noise, loudest = np.quantile(level, (0.05, 0.95))
    loud = np.flatnonzero(level > max(ABOVE_NOISE * noise, BELOW_LOUDEST * loudest))
    cut = samples[loud[0] * frame : (loud[-1] + 1) * frame].copy()
    fade = np.linspace(0, 1, RATE_HZ // 200, dtype=np.float32)
    cut[: len(fade)] *= fade
    cut[-len(fade) :] *= fade[::-1]
    return cut


# ------------------------------------------------------------------------------- engines

#: Gives the words of a recording.
Hear = Callable[[Recording], list[Word]]


def _ours(model: str, **chosen: Any) -> Hear:
    from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
    from hybrid_transcribe.interfaces import LoadRequest

    settings = Settings.load()
    engine = FasterWhisper()
    engine.load(LoadRequest(resolve(model, "ctranslate2", settings), "cpu", "int8"))

    def hear(one: Recording) -> list[Word]:
        options = Options(beam_size=1, language=one.language, word_timestamps=True, **chosen)
        source = (("", clip) for clip in decode(one.path, name=one.path, settings=settings))
        results = engine.transcribe_many(source, options, lambda _: False)
        return [word for _, r in results if isinstance(r, Segment) for word in r.words]

    return hear


def _faster_whisper(model: str) -> Hear:
    from faster_whisper import WhisperModel

    folder = str(resolve(model, "ctranslate2", Settings.load()).folder)
    whisper = WhisperModel(folder, "cpu", compute_type="int8")

    def hear(one: Recording) -> list[Word]:
        result, _ = whisper.transcribe(
            one.path, beam_size=1, language=one.language, word_timestamps=True
        )
        return [Word(w.start, w.end, w.word.strip()) for s in result for w in s.words or ()]

    return hear


def _openai_whisper(model: str) -> Hear:
    import whisper

    loaded = whisper.load_model(str(resolve(model, "openai", Settings.load()).file), "cpu")

    def hear(one: Recording) -> list[Word]:
        answer = loaded.transcribe(
            samples_of(one.path), language=one.language, fp16=False, word_timestamps=True
        )
        return [
            Word(w["start"], w["end"], w["word"].strip())
            for s in answer["segments"]
            for w in s["words"]
        ]

    return hear


OURS, OURS_FULL = "ours", "ours, context='full'"
FASTER_WHISPER, OPENAI_WHISPER = "faster-whisper", "openai-whisper"

ENGINES: Mapping[str, tuple[Callable[[str], Hear], str]] = {
    OURS: (_ours, "faster_whisper"),
    OURS_FULL: (lambda model: _ours(model, context="full"), "faster_whisper"),
    FASTER_WHISPER: (_faster_whisper, "faster_whisper"),
    OPENAI_WHISPER: (_openai_whisper, "whisper"),
}

#: Aligners that need weights of their own from a hub, wherever they are installed.
LEFT_OUT = {
    "whisperX": "its aligner fetches a wav2vec2 model from a hub",
    "ctc-forced-aligner": "it fetches a model from a hub",
}


# -------------------------------------------------------------------------------- errors


@dataclass(frozen=True, slots=True)
class Errors:
    """Signed errors of edges in s, and where in the recording they are, in s."""

    at_s: npt.NDArray[np.float64]
    error_s: npt.NDArray[np.float64]
    n_words: int
    n_matched: int

    @property
    def median_s(self) -> float:
        """Median of the absolute errors."""
        return float(np.median(np.abs(self.error_s)))

    def quantile_s(self, share: float) -> float:
        """That share of the absolute errors is smaller."""
        return float(np.quantile(np.abs(self.error_s), share))

    @property
    def drift_ms_per_hour(self) -> float:
        """Slope of the signed errors, outliers above 0.5 s left out."""
        near = np.abs(self.error_s) < 0.5
        return float(np.polyfit(self.at_s[near], self.error_s[near], 1)[0] * 3600 * 1000)


def errors(timed: Timed, heard: Sequence[Word]) -> Errors:
    """Errors of the words that were recognised."""
    plain = normaliser(None)
    truth = [(_one(plain(text)), start_s, end_s) for text, start_s, end_s in timed.words]
    items = [(_one(plain(word.text)), word.start_s, word.end_s) for word in heard]
    edges: list[tuple[float, float]] = []
    matched = 0
    for stretch in align([t[0] for t in truth], [f[0] for f in items]):
        if not stretch.equal:
            continue
        matched += len(stretch.first)
        for i, j in zip(stretch.first, stretch.second, strict=True):
            for entry, measured in zip(truth[i][1:], items[j][1:], strict=True):
                if entry is not None:
                    edges.append((entry, measured - entry))
    at_s, error_s = np.array(edges).T if edges else (np.zeros(0), np.zeros(0))
    return Errors(at_s, error_s, len(truth), matched)


def _one(text: str) -> str:
    """One token: words are aligned by their place."""
    return text.replace(" ", "") or "-"


def pooled(parts: Sequence[Errors]) -> Errors:
    """Of several recordings."""
    return Errors(
        np.concatenate([part.at_s for part in parts]),
        np.concatenate([part.error_s for part in parts]),
        sum(part.n_words for part in parts),
        sum(part.n_matched for part in parts),
    )


# ------------------------------------------------------------------------------- running

HEADER = """\
| truth | engine | words recognised | median ms | 90 % ms | mean signed ms | within 60 ms |
|---|---|---|---|---|---|---|"""


def rows(
    model: str, names: Sequence[str], material: Mapping[str, Sequence[Timed]]
) -> Iterator[tuple[str, str, Errors]]:
    """Material, engine and errors."""
    for name in names:
        load, module = ENGINES[name]
        if find_spec(module) is None:
            print(f"{name}: left out, {module} is not installed", file=sys.stderr)
            continue
        hear = load(model)
        for title, recordings in material.items():
            print(f"  {name}: {title}", file=sys.stderr)
            yield (
                title,
                name,
                pooled([errors(recording, hear(recording.recording)) for recording in recordings]),
            )


def line(title: str, name: str, found: Errors) -> str:
    """A row of the table."""
    return (
        f"| {title} | {name} | {found.n_matched} of {found.n_words} | {1000 * found.median_s:.0f} "
        f"| {1000 * found.quantile_s(0.9):.0f} | {1000 * found.error_s.mean():+.0f} "
        f"| {100 * float(np.mean(np.abs(found.error_s) <= BAR_S)):.0f} % |"
    )


def main(arguments: Sequence[str]) -> str:
    """Tables as Markdown."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks word-times", description=__doc__
    )
    parser.add_argument("--model", default="base")
    parser.add_argument("--engines", default=";".join(ENGINES), help="with semicolons between them")
    parser.add_argument("--minutes", type=float, default=15, help="of the joined recording")
    parser.add_argument(
        "--sentences", type=int, default=N_SENTENCES, help="spoken by espeak-ng, a language"
    )
    options = parser.parse_args(arguments)
    n = options.sentences
    reason = espeak.missing()
    if reason or not speech.librispeech():
        return f"Left out: {reason or 'there is no recorded speech beside the checkout'}."
    with tempfile.TemporaryDirectory(prefix="word-times-") as folder:
        instance = Path(folder)
        material: dict[str, Sequence[Timed]] = {"synthetic, English": synthetic(instance, "en", n)}
        if not options.model.endswith(".en"):
            material["synthetic, Portuguese"] = synthetic(instance, "pt", n)
        material["joined"] = [joined(instance, 60 * options.minutes)]
        items = list(rows(options.model, options.engines.split(";"), material))
    drift = [
        f"Drift over an hour, from {options.minutes:.0f} minutes, {name}: "
        f"{part.drift_ms_per_hour:+.0f} ms."
        for title, name, part in items
        if title == "joined"
    ]
    skipped = [f"Left out: {name}, {why}." for name, why in LEFT_OUT.items()]
    table = [HEADER, *(line(*item) for item in sorted(items, key=lambda one: one[0]))]
    return "\n".join([f"{options.model}, beam 1:", "", *table, "", *drift, *skipped])


if __name__ == "__main__":
    print(main(sys.argv[1:]))
