"""Conversations built of read utterances, so that who speaks when is known.

Utterances are cut at their pauses. Readers take turns; a turn begins after a pause, or before the
last one ended until the asked-for share of speech is overlapped. The same seed gives the same
conversation. Readers are divided into two halves: thresholds are chosen on conversations of the
first (``development``), figures come from the second (``evaluation``).
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from hybrid_transcribe.engines.common.silero_vad import FRAME, speech_probabilities
from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks import degrade, pitch, sounds, speech
from tests.benchmarks.sounds import Random, Samples, rms

#: Where Silero's voice detector is surer than this, somebody speaks. It is another network than the
#: one that is judged, and is right about readers in noise too, where loudness is not.
SPOKEN = 0.5

#: Silences that are shorter belong to speech; utterances are cut at those of at least ``CUT_S``.
CLOSED_S, CUT_S = 0.25, 0.30

#: Least and most length of a fragment of an utterance, in s; longer ones are cut where they are
#: quietest.
LEAST_PIECE_S, MOST_PIECE_S = 0.5, 6.0

#: Readers with less speech take no part, in s.
LEAST_READER_S = 8.0

#: A turn ends with the piece that makes it longer than a random length in this range, in s.
TURN_S = (0.5, 14.0)

#: Pauses and overlaps between turns, in s.
PAUSE_S, OVERLAP_S = (0.1, 0.9), (0.4, 2.0)

#: Who sits how far from the microphone: a speaker's level, in dB.
LEVELS_DB = (-4.0, 4.0)

TELEPHONE_HZ = (300.0, 3400.0)


@dataclass(frozen=True, slots=True)
class SpokenTurn:
    """Somebody speaks from one moment (s) to another."""

    start_s: float
    end_s: float
    speaker: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of an utterance between two pauses.

    Attributes:
        start: where it begins in the utterance, in samples.
        sounding: where somebody speaks, in samples from there.
    """

    samples: Samples
    start: int
    sounding: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is read, in parts."""

    text: str
    samples: Samples
    fragments: tuple[Fragment, ...]


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who reads; ``voice`` is ``man`` or ``woman`` by pitch."""

    name: str
    voice: str
    utterances: tuple[Utterance, ...]

    @property
    def seconds(self) -> float:
        """What they read, in s, without the pauses."""
        return sum(len(f.samples) for u in self.utterances for f in u.fragments) / RATE_HZ


@dataclass(frozen=True, slots=True)
class Scene:
    """What a conversation is like.

    Attributes:
        voices: ``man``, ``woman`` or ``any``.
        overlap: share (0..1) of the speech during which two speak.
        snr_db: speech against pink noise; None is a silent room.
        longest_turn_s: a turn ends with the fragment that makes it longer than a random length up
            to this one.
    """

    name: str
    n_speakers: int
    seconds: float
    voices: str = "any"
    telephone: bool = False
    overlap: float = 0.05
    snr_db: float | None = None
    longest_turn_s: float = TURN_S[1]


@dataclass(frozen=True, slots=True)
class Conversation:
    """A built one: its sound, who speaks when, and what each speaker says in all.

    ``parts`` are the fragments in the order in which they begin, with their utterances' texts.
    ``tracks`` are what each of them says alone, without noise.
    """

    name: str
    samples: Samples
    turns: tuple[SpokenTurn, ...]
    texts: dict[str, str] = field(default_factory=dict)
    parts: tuple[tuple[str, Fragment], ...] = ()
    tracks: dict[str, Samples] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Length in s."""
        return len(self.samples) / RATE_HZ

    @property
    def overlapped(self) -> float:
        """Share of the speech during which at least two speak."""
        edges = sorted(
            [(t.start_s, 1) for t in self.turns] + [(t.end_s, -1) for t in self.turns],
        )
        spoken = double = 0.0
        n = 0
        for (at, change), (following, _) in pairwise(edges):
            n += change
            spoken += (following - at) * (n > 0)
            double += (following - at) * (n > 1)
        return double / spoken if spoken else 0.0


#: Ten conversations of every seed: 2 to 6 speakers, both sexes and one, telephone, overlap, noise.
SCENES: tuple[Scene, ...] = (
    Scene("two", 2, 180, overlap=0.0),
    Scene("two-women", 2, 210, "woman"),
    Scene("two-men-telephone", 2, 180, "man", telephone=True),
    Scene("three", 3, 210, overlap=0.10),
    Scene("three-women-noise", 3, 180, "woman", snr_db=20),
    Scene("three-telephone-noise", 3, 180, telephone=True, overlap=0.10, snr_db=15),
    Scene("four", 4, 240, overlap=0.10),
    Scene("four-men", 4, 210, "man"),
    Scene("five", 5, 240, overlap=0.10, longest_turn_s=8),
    Scene("six-overlap", 6, 270, overlap=0.20, longest_turn_s=8),
)

#: Where nothing is said twice: shorter, so that each speaker has few windows.
BRIEF_SCENES: tuple[Scene, ...] = (
    Scene("one-brief", 1, 12, overlap=0.0),
    Scene("two-brief", 2, 22, overlap=0.0),
    Scene("two-women-brief", 2, 22, "woman", overlap=0.05),
    Scene("two-men-brief", 2, 22, "man", overlap=0.05),
    Scene("three-brief", 3, 32, overlap=0.10),
    Scene("four-brief", 4, 42, overlap=0.10),
    Scene("six-brief", 6, 65, overlap=0.10),
)


# -------------------------------------------------------------------------------- readers


def readers(part: str | None = None) -> list[Reader]:
    """All readers, or those of ``development`` or ``evaluation``; none where there is no speech."""
    everybody = _readers(speech.folder() / "librispeech" / "manifest.jsonl")
    if part is None:
        return list(everybody)
    # By turns within those of one voice and one amount of speech, so that the halves are alike.
    groups = defaultdict(list)
    for reader in everybody:
        groups[reader.voice, len(reader.utterances) > 1].append(reader)
    first = {"development": 0, "evaluation": 1}[part]
    offsets = {key: first ^ (i & 1) for i, key in enumerate(sorted(groups))}
    chosen = [reader for key in groups for reader in groups[key][offsets[key] :: 2]]
    return sorted(chosen, key=lambda reader: reader.name)


@cache
def _readers(manifest: Path) -> tuple[Reader, ...]:
    if not manifest.is_file():
        return ()
    by_name = defaultdict(list)
    for line in manifest.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        by_name[item["speaker"]].append((str(manifest.parent / item["file"]), item["text"]))
    everybody = [_reader(name, by_name[name]) for name in sorted(by_name)]
    return tuple(reader for reader in everybody if reader.seconds >= LEAST_READER_S)


def _reader(name: str, items: Sequence[tuple[str, str]]) -> Reader:
    sounds_and_texts = [(speech.samples_of(path), text) for path, text in items]
    whole = np.concatenate([samples for samples, _ in sounds_and_texts])
    cut = tuple(Utterance(text, s, tuple(fragments(s))) for s, text in sounds_and_texts)
    return Reader(name, pitch.voice(whole), cut)


def fragments(samples: Samples) -> Iterator[Fragment]:
    """An utterance cut at its pauses; silence at its ends is left out."""
    runs = sounding(samples)
    groups: list[list[tuple[int, int]]] = []
    for run in runs:
        if groups and not _cut_between(groups[-1], run):
            groups[-1].append(run)
        else:
            groups.append([run])
    if len(groups) > 1 and groups[-1][-1][1] - groups[-1][0][0] < LEAST_PIECE_S * RATE_HZ:
        last = groups.pop()
        groups[-1] += last
    for group in groups:
        yield from _fragment(samples, group)


def _fragment(samples: Samples, runs: Sequence[tuple[int, int]]) -> Iterator[Fragment]:
    start, end = runs[0][0], runs[-1][1]
    if end - start > MOST_PIECE_S * RATE_HZ:
        at = start + _quietest(samples[start:end])
        yield from _fragment(samples, [(a, min(b, at)) for a, b in runs if a < at])
        yield from _fragment(samples, [(max(a, at), b) for a, b in runs if b > at])
    else:
        sounding = tuple((a - start, b - start) for a, b in runs)
        yield Fragment(_faded(samples[start:end]), start, sounding)


def _quietest(samples: Samples) -> int:
    """The middle of the quietest 100 ms of the middle third."""
    power = np.convolve(samples**2, np.ones(RATE_HZ // 10), "same")
    third = len(samples) // 3
    return third + int(np.argmin(power[third : 2 * third]))


def _cut_between(group: Sequence[tuple[int, int]], run: tuple[int, int]) -> bool:
    long_enough = group[-1][1] - group[0][0] >= LEAST_PIECE_S * RATE_HZ
    return long_enough and run[0] - group[-1][1] >= CUT_S * RATE_HZ


def sounding(samples: Samples) -> list[tuple[int, int]]:
    """Where somebody speaks, as ranges of samples; silences under `CLOSED_S` are closed."""
    runs: list[tuple[int, int]] = []
    for index in np.flatnonzero(speech_probabilities(samples) > SPOKEN).tolist():
        start, end = index * FRAME, min((index + 1) * FRAME, len(samples))
        if runs and start - runs[-1][1] < CLOSED_S * RATE_HZ:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((start, end))
    return [run for run in runs if run[1] - run[0] > 2 * FRAME]


def _faded(samples: Samples) -> Samples:
    cut = samples.copy()
    fade = np.linspace(0, 1, RATE_HZ // 200, dtype=np.float32)
    cut[: len(fade)] *= fade
    cut[-len(fade) :] *= fade[::-1]
    return cut


# --------------------------------------------------------------------------- conversations


def conversations(
    part: str, seed: int = 0, scenes: Sequence[Scene] = SCENES
) -> Iterator[Conversation]:
    """One of each scene, of readers of that half."""
    for scene in scenes:
        yield built(scene, readers(part), seed)


def built(scene: Scene, among: Sequence[Reader], seed: int = 0) -> Conversation:
    """A conversation of readers drawn from those."""
    random = degrade.seeded(scene.name, str(seed))
    able = [reader for reader in among if scene.voices in ("any", reader.voice)]
    chosen = [able[i] for i in random.permutation(len(able))[: scene.n_speakers]]
    mix = _Mix(scene, random)
    speaking = [_Speaking(reader, random) for reader in chosen]
    _take_turns(scene, speaking, mix, random)
    samples = _sound(scene, mix.samples(), random)
    texts = {item.reader.name: " ".join(item.said) for item in speaking}
    turns = tuple(sorted(mix.turns, key=_start))
    tracks = {name: mix.samples(name) for name in texts}
    name = f"{scene.name}-{seed}"
    return Conversation(name, samples, turns, texts, mix.parts(), tracks)


def _start(turn: SpokenTurn) -> float:
    return turn.start_s


class _Speaking:
    """One reader in a conversation, who reads on where they stopped."""

    def __init__(self, reader: Reader, random: Random) -> None:
        self.reader = reader
        self.said: list[str] = []
        self.seconds = 0.0
        # Levels that are alike on average: some readers are ten times as loud as others.
        loudness = rms(np.concatenate([f.samples for u in reader.utterances for f in u.fragments]))
        self.gain = 0.05 / loudness * 10 ** (random.uniform(*LEVELS_DB) / 20)
        order = random.permutation(len(reader.utterances))
        self._utterances = [reader.utterances[i] for i in order]
        self._waiting: list[Fragment] = []
        self._n_begun = 0

    @property
    def within_utterance(self) -> bool:
        return bool(self._waiting)

    def next(self) -> tuple[str, Fragment]:
        """Text of an utterance and its next part; from the beginning again after the last one."""
        if not self._waiting:
            utterance = self._utterances[self._n_begun % len(self._utterances)]
            self._n_begun += 1
            self._waiting = list(utterance.fragments)
            self.said.append(utterance.text)
        fragment = self._waiting.pop(0)
        self.seconds += len(fragment.samples) / RATE_HZ
        return self.said[-1], fragment


class _Mix:
    """The sound so far, and who speaks when."""

    def __init__(self, scene: Scene, random: Random) -> None:
        self._scene, self._random = scene, random
        self._placed: list[tuple[str, int, Samples]] = []
        self._parts: list[tuple[int, str, Fragment]] = []
        self.turns: list[SpokenTurn] = []
        self.end = RATE_HZ // 2
        self._last_start = self.end
        self.overlapped = self.spoken = 0

    def samples(self, of: str | None = None) -> Samples:
        """Everything at its place, and half a second behind it; or what one speaker says."""
        mixed = np.zeros(self.end + RATE_HZ // 2, np.float32)
        for speaker, at, samples in self._placed:
            if of is None or speaker == of:
                mixed[at : at + len(samples)] += samples
        return mixed

    def parts(self) -> tuple[tuple[str, Fragment], ...]:
        """The fragments with the texts of their utterances, in the order in which they begin."""
        order = sorted(self._parts, key=lambda item: item[0])
        return tuple((text, part) for _, text, part in order)

    def add(self, item: _Speaking, said: Sequence[tuple[str, Fragment]]) -> None:
        """A turn behind the last one, or over its end."""
        speaker, gain = item.reader.name, np.float32(item.gain)
        pauses = [int(self._random.uniform(0.3, 0.6) * RATE_HZ) for _ in said[1:]] + [0]
        length = sum(len(part.samples) for _, part in said) + sum(pauses)
        at = start = self._begin(length)
        for (text, part), pause in zip(said, pauses, strict=True):
            self._placed.append((speaker, at, gain * part.samples))
            self._parts.append((at, text, part))
            self.turns += [
                SpokenTurn((at + first) / RATE_HZ, (at + last) / RATE_HZ, speaker)
                for first, last in part.sounding
            ]
            at += len(part.samples) + pause
        self.spoken += length
        self._last_start, self.end = start, max(self.end, at)

    def _begin(self, length: int) -> int:
        wished = self._scene.overlap * (self.spoken + length) - self.overlapped
        if wished > OVERLAP_S[0] * RATE_HZ and self.spoken:
            overlap = int(self._random.uniform(*OVERLAP_S) * RATE_HZ)
            overlap = min(overlap, length // 2, (self.end - self._last_start) // 2)
            self.overlapped += overlap
            return self.end - overlap
        return self.end + int(self._random.uniform(*PAUSE_S) * RATE_HZ)


def _take_turns(scene: Scene, speaking: Sequence[_Speaking], mix: _Mix, random: Random) -> None:
    last: _Speaking | None = None
    while mix.end < scene.seconds * RATE_HZ:
        others = [item for item in speaking if item is not last] or list(speaking)
        # Who has said little is likelier to speak, but not sure to.
        weights = np.array([1 / (5 + item.seconds) for item in others])
        last = others[random.choice(len(others), p=weights / weights.sum())]
        mix.add(last, _turn(last, random, scene.longest_turn_s))
    for item in speaking:  # What was begun is said to its end, so that its text is known.
        rest = []
        while item.within_utterance:
            rest.append(item.next())
        if rest:
            mix.add(item, rest)


def _turn(item: _Speaking, random: Random, longest_s: float) -> list[tuple[str, Fragment]]:
    enough = random.uniform(TURN_S[0], longest_s) * RATE_HZ
    parts = [item.next()]
    while sum(len(part.samples) for _, part in parts) < enough:
        parts.append(item.next())
    return parts


def _sound(scene: Scene, samples: Samples, random: Random) -> Samples:
    if scene.snr_db is not None:
        samples = degrade.mixed(samples, sounds.pink(len(samples), random), scene.snr_db)
    samples = samples + sounds.room(len(samples), random)
    return telephone(samples) if scene.telephone else sounds.levelled(samples, 0.7)


def telephone(samples: Samples) -> Samples:
    """300 to 3,400 Hz, 8 kHz in mu-law of 8 bits, as 16 kHz."""
    line = sounds.levelled(sounds.band(samples, *TELEPHONE_HZ), 0.7)[::2]
    compressed = np.sign(line) * np.log1p(255 * np.abs(line)) / np.log(256)
    coded = np.round(compressed * 127) / 127
    plain = np.sign(coded) * np.expm1(np.abs(coded) * np.log(256)) / 255
    spectrum = np.fft.rfft(plain)
    # Twice as many samples with the same spectrum: the values between are interpolated.
    padded = np.zeros(len(plain) + 1, complex)
    padded[: len(spectrum)] = 2 * spectrum
    return np.fft.irfft(padded, 2 * len(plain)).astype(np.float32)
