"""Words written where nobody speaks, and words withheld where somebody does.

At least 500 synthesised clips of 5 to 30 s in 29 kinds, and speech played backwards apart from
them. Recall is the share of clips about which bare faster-whisper invents words and ours is
silent. False alarms are words of real speech that are there with ``silence_guard=False`` only.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks import degrade, matrix, speech, tools
from tests.benchmarks.apart import apart
from tests.benchmarks.degrade import Sound, seeded
from tests.benchmarks.matrix import BARE, OURS, TOOL_OF, Texts, key_of
from tests.benchmarks.sounds import KINDS
from tests.benchmarks.speech import Recording
from tests.engines.mistakes import edits, n_words

#: 29 kinds, 18 clips each: 522.
N_EACH = 18

#: Lengths in s, in turn.
LENGTHS_S = (5, 6, 5, 8, 7, 10, 5, 12, 6, 15, 5, 20, 6, 30)

#: Levels in turn, as a share of the sound's own: loud, soft, and so soft that it is hardly there.
LEVELS = (1.0, 0.2, 1.0, 0.03)

#: Texts are kept after so many clips, so that a run that was ended goes on.
N_KEPT = 18

#: How many clips of speech are played backwards.
N_REVERSED = 25

#: Conditions of speech in which false alarms are counted.
SPEECH_CONDITIONS = ("clean", "telephone", "pink noise 10 dB")

#: Language given to the model: without it, it would be detected in noise.
LANGUAGE = "en"


def made(folder: Path, n_each: int = N_EACH) -> dict[str, list[Recording]]:
    """Clips without speech, by kind."""
    return {kind: [_clip(folder, kind, i) for i in range(n_each)] for kind in KINDS}


def _clip(folder: Path, kind: str, index: int) -> Recording:
    length_s = LENGTHS_S[(index + len(kind)) % len(LENGTHS_S)]
    random = seeded(kind, str(index))
    samples = KINDS[kind](length_s * RATE_HZ, random) * LEVELS[index % len(LEVELS)]
    return _written(folder, f"{kind} {index}", Sound(samples.astype("float32")))


def backwards(folder: Path, n: int = N_REVERSED) -> list[Recording]:
    """Clips of speech from their end to their beginning: voices without words."""
    return [
        _written(folder, f"reversed {item.name}", Sound(speech.samples_of(item.path)[::-1].copy()))
        for item in matrix.clips(False, LANGUAGE)[:n]
    ]


def _written(folder: Path, name: str, sound: Sound) -> Recording:
    path = folder / f"{name}.wav"
    degrade.write(path, sound)
    return Recording(name, str(path), "", LANGUAGE, len(sound.samples) / RATE_HZ)


@dataclass(frozen=True, slots=True)
class Row:
    """Words that both sides invent in the clips of one kind."""

    kind: str
    clips: int
    bare_of: int
    hours: float
    bare_words: int
    bare_clips: int
    ours_words: int
    ours_clips: int
    #: Clips with words of bare that ours left silent.
    caught: int

    @staticmethod
    def of(
        kind: str, clips: Sequence[Recording], bare: Sequence[str | None], ours: Sequence[str]
    ) -> Row:
        """Count them; None stands for a clip that bare was not given."""
        theirs, own = [n_words(text or "") for text in bare], [n_words(text) for text in ours]
        return Row(
            kind,
            len(clips),
            sum(text is not None for text in bare),
            sum(clip.seconds for clip in clips) / 3600,
            sum(theirs),
            sum(n > 0 for n in theirs),
            sum(own),
            sum(n > 0 for n in own),
            sum(a > 0 and b == 0 for a, b in zip(theirs, own, strict=True)),
        )


def total(rows: Sequence[Row]) -> Row:
    """All kinds together."""
    counts = [sum(getattr(row, name) for row in rows) for name in Row.__slots__ if name != "kind"]
    return Row("all", *counts)


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Words of speech that the guard withheld, in one condition."""

    condition: str
    words: int
    withheld: int
    clips: int


# -------------------------------------------------------------------------------- running


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nospeech-") as folder:
        yield Path(folder)


@dataclass(frozen=True, slots=True)
class Run:
    """One model and beam; ours keeps its texts under ``label``, where there is one."""

    model: str
    beam: int
    label: str | None = None

    def texts_of(self, side: str, clips: Sequence[Recording]) -> list[str]:
        """Texts of one side; those of bare are kept."""
        kept = self._kept(side)
        keys = [
            key_of(clip, f"nospeech, {clip.seconds:.1f} s", self.model, self.beam) for clip in clips
        ]
        new = [i for i, key in enumerate(keys) if key not in kept]
        if new:
            with apart((TOOL_OF[side],), self.model, self.beam) as running:
                for some in (new[at : at + N_KEPT] for at in range(0, len(new), N_KEPT)):
                    texts = running[TOOL_OF[side]].hear([clips[i] for i in some])
                    kept.add({keys[i]: text for i, text in zip(some, texts, strict=True)})
        return [kept[key] for key in keys]

    def _kept(self, side: str) -> Texts:
        if side != BARE and self.label is None:
            return Texts(None)
        name = side if side == BARE else f"{side}-{self.label}"
        return Texts(matrix.cache_folder() / f"{name}-nospeech.jsonl")


def rows(groups: dict[str, list[Recording]], run: Run, n_bare: int) -> list[Row]:
    """A row a kind; bare, which is slow here, gets the first ``n_bare`` clips of each."""
    flat = [clip for clips in groups.values() for clip in clips]
    some = [item for clips in groups.values() for item in clips[:n_bare]]
    ours, bare = (
        dict(zip((c.name for c in clips), run.texts_of(side, clips), strict=True))
        for side, clips in ((OURS, flat), (BARE, some))
    )
    return [
        Row.of(kind, clips, [bare.get(c.name) for c in clips], [ours[c.name] for c in clips])
        for kind, clips in groups.items()
    ]


def false_alarms(condition: str, model: str, beam: int) -> FalseAlarms:
    """Words in the text without the guard that are not in the text with it."""
    clips = matrix.clips(False, "en" if model.endswith(".en") else None)
    both = (tools.OURS, tools.OURS_UNGUARDED)
    with matrix.degraded_files(clips, condition) as files, apart(both, model, beam) as running:
        guarded, free = (running[tool].hear(files) for tool in both)
    missing = [
        edits(text, guarded_text or " ", item.language).deletions
        for item, text, guarded_text in zip(clips, free, guarded, strict=True)
        if n_words(text)
    ]
    words = sum(n_words(text) for text in free)
    return FalseAlarms(condition, words, sum(missing), sum(n > 0 for n in missing))


HEADER = """\
| kind | clips | minutes | bare: words, clips with words | ours: words, clips | words an hour |
|---|---|---|---|---|---|"""


def _line(row: Row) -> str:
    return (
        f"| {row.kind} | {row.clips} | {60 * row.hours:.1f} "
        f"| {row.bare_words}, {row.bare_clips} of {row.bare_of} "
        f"| {row.ours_words}, {row.ours_clips} "
        f"| {row.ours_words / row.hours:.1f} |"
    )


def report(kinds: list[Row], reversed_speech: list[Row], alarms: list[FalseAlarms]) -> str:
    """All of it as Markdown."""
    whole = total(kinds)
    caught = f"{whole.caught} of {whole.bare_clips} clips that bare writes words for"
    recall = 100 * whole.caught / max(whole.bare_clips, 1)
    lines = [HEADER, *map(_line, [*kinds, whole, *reversed_speech])]
    lines += ["", f"Recall of the guard: {recall:.1f} % ({caught}).", ""]
    lines += ["| speech | words | withheld by the guard | clips |", "|---|---|---|---|"]
    lines += [
        f"| {a.condition} | {a.words} | {a.withheld} ({100 * a.withheld / max(a.words, 1):.2f} %) "
        f"| {a.clips} |"
        for a in alarms
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> str:
    """The tables of one model."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks nospeech", description=__doc__
    )
    parser.add_argument("--model", default="base")
    parser.add_argument("--beam", type=int, default=1)
    parser.add_argument("--each", type=int, default=N_EACH, help="clips of each kind")
    parser.add_argument("--bare-each", type=int, default=4, help="clips of each kind for bare")
    parser.add_argument("--label", help="keep our texts under this name, and go on with them")
    options = parser.parse_args(arguments)
    model, beam = options.model, options.beam
    run = Run(model, beam, options.label)
    with _folder() as folder:
        kinds = rows(made(folder, options.each), run, options.bare_each)
        turned = rows({"speech backwards": backwards(folder)}, run, options.bare_each)
    alarms = [false_alarms(condition, model, beam) for condition in SPEECH_CONDITIONS]
    return f"{model}, beam {beam}:\n\n{report(kinds, turned, alarms)}\n"


if __name__ == "__main__":
    print(main(sys.argv[1:]))
