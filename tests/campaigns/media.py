"""Mutated media files through `probe` and `decode`, in child processes that may die of them.

Seeds are recordings of every container that PyAV can write here. Mutants that are answered in a
new way (another error, another warning, another shape of sound) become seeds themselves, so that
later ones get further in. A child says which mutant it begins: a crash or a hang has a name, and
its bytes are kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import random
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.child_process import die_with_parent, module_command
from hybrid_transcribe.errors import HybridTranscribeError
from tests.audio.films import SOUNDS, film, steady
from tests.audio.makers import CODECS, encoded, tone, wav
from tests.campaigns import Campaign, Report

#: A child that says nothing for so long hangs, in seconds: decoding may take half of that.
SILENCE_S = 60.0

#: An answer that takes longer is a fault.
SLOW_S = SILENCE_S / 2

#: Longest that the decoder may take for one mutant, in seconds; its own limit ends it then.
DECODE_S = 20.0

#: Address space of a child.
MEMORY_BYTES = 4 << 30

#: What a child runs; its arguments are the first mutant, how many, and the seed.
CHILD_MODULE = "tests.campaigns.media"

#: Children at once.
WORKERS = 2

#: Mutants in one child. Its memory is compared after a fifth of them and at the end.
PER_CHILD = 500

#: A child may grow so much between those two.
GROWTH_BYTES = 64 << 20

#: Mutants that become seeds, of each container.
MOST_SEEDS = 40

#: Sizes that a length field may be set to.
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)

_SETTINGS = Settings(max_duration_s=120.0, decode_timeout_s=DECODE_S, block_s=30.0)

Mutation = Callable[[random.Random, bytearray, bytes], bytearray]


# --------------------------------------------------------------------------------- seeds


def make_seeds(folder: Path) -> dict[str, list[bytes]]:
    """Container (as a suffix) -> recordings of about a second."""
    seeds: dict[str, list[bytes]] = {".wav": [wav(folder / "a.wav", tone(1)).read_bytes()]}
    for suffix in CODECS:
        path = encoded(folder / f"a{suffix}", tone(1, 44_100))
        stereo = encoded(folder / f"b{suffix}", tone(0.5, 44_100), layout="stereo")
        seeds[suffix] = [path.read_bytes(), stereo.read_bytes()]
    for suffix in SOUNDS:
        path = film(folder / f"c{suffix}", [(0.0, steady(0.5)), (2.0, steady(0.5))])
        seeds.setdefault(suffix, []).append(path.read_bytes())
    for suffix in (".mka", ".m4a"):
        path = encoded(folder / f"d{suffix}", tone(0.5, 44_100), streams=3)
        seeds[suffix].append(path.read_bytes())
    return seeds


# ----------------------------------------------------------------------------- mutations


def _flip(rng: random.Random, data: bytearray, _: bytes) -> bytearray:
    for _n in range(rng.choice((1, 1, 4, 32))):
        data[_place(rng, data)] ^= 1 << rng.randrange(8)
    return data


def _overwrite(rng: random.Random, data: bytearray, _: bytes) -> bytearray:
    at = _place(rng, data)
    length = min(len(data) - at, rng.choice((1, 4, 16, 256, 4096)))
    data[at : at + length] = rng.randbytes(length)
    return data


def _set_extreme(rng: random.Random, data: bytearray, _: bytes) -> bytearray:
    width = rng.choice((1, 2, 4, 8))
    at = min(_place(rng, data), max(0, len(data) - width))
    value = rng.choice(_EXTREMES) & ((1 << 8 * width) - 1)
    data[at : at + width] = value.to_bytes(width, rng.choice(("little", "big")))
    return data


def _cut(rng: random.Random, data: bytearray, _: bytes) -> bytearray:
    return data[: max(1, _place(rng, data))]


def _remove(rng: random.Random, data: bytearray, _: bytes) -> bytearray:
    at = _place(rng, data)
    del data[at : at + rng.choice((1, 7, 64, 1000, 9000))]
    return data


def _repeat(rng: random.Random, data: bytearray, _: bytes) -> bytearray:
    at = _place(rng, data)
    piece = bytes(data[at : at + rng.choice((8, 188, 1000, 9000))])
    data[at:at] = piece * rng.choice((1, 1, 3))
    return data


def _splice(rng: random.Random, data: bytearray, other: bytes) -> bytearray:
    return data[: _place(rng, data)] + other[rng.randrange(max(1, len(other))) :]


def _junk_before(rng: random.Random, data: bytearray, _: bytes) -> bytearray:
    return bytearray(rng.randbytes(rng.choice((1, 3, 300, 5000)))) + data


_MUTATIONS: tuple[Mutation, ...] = (
    *(_flip, _overwrite, _overwrite, _set_extreme, _set_extreme),
    *(_cut, _remove, _repeat, _splice, _junk_before),
)


def _place(rng: random.Random, data: bytearray) -> int:
    """Anywhere, but headers more often: they decide more."""
    if not data:
        return 0
    return rng.randrange(min(len(data), 600) if rng.random() < 0.5 else len(data))


def mutate(rng: random.Random, data: bytes, other: bytes) -> bytes:
    """A few mutations of ``data``; ``other`` is a recording to splice in."""
    mutant = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 6))):
        if mutant:
            mutant = rng.choice(_MUTATIONS)(rng, mutant, other)
    return bytes(mutant)


# --------------------------------------------------------------------------------- child


def answer(path: Path) -> str:
    """What comes of a recording, without its figures: equal for what is answered alike."""
    from hybrid_transcribe.audio.decode import decode
    from hybrid_transcribe.audio.probe import probe
    from hybrid_transcribe.audio.report import DecodeReport

    report = DecodeReport()
    answers = []
    for use in (
        lambda: probe(path, _SETTINGS),
        lambda: sum(
            clip.duration_s for clip in decode(path, name="x", settings=_SETTINGS, report=report)
        ),
    ):
        try:
            use()
            answers.append("fine")
        except HybridTranscribeError as error:
            answers.append(f"{error.code}: {error}")
    return re.sub(r"\d+(\.\d+)?", "7", "; ".join([*answers, *report.lines]))


def run_child(first: int, count: int, seed: int, kept: Path) -> None:
    """Mutants ``first`` to ``first + count``: a line before and after each.

    One that is answered in a way that must not be is written to ``kept``.
    """
    die_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seeds = make_seeds(folder)
        grown = _Growth(count)
        seen: set[tuple[str, str]] = set()
        for number in range(first, first + count):
            rng = random.Random(f"{seed} {number}")
            suffix = rng.choice(sorted(seeds))
            corpus = seeds[suffix]
            mutant = mutate(rng, rng.choice(corpus), rng.choice(corpus))
            path = folder / "mutant.bin"
            path.write_bytes(mutant)
            _say(n=number, format=suffix, path=str(path))
            started = time.monotonic()
            try:
                outcome = answer(path)
            except Exception as error:
                outcome = f"unexpected {type(error).__name__}: {error}"
            seconds = time.monotonic() - started
            if outcome.startswith("unexpected") or seconds > SLOW_S:
                (kept / f"{number}{suffix}").write_bytes(mutant)
            _say(n=number, outcome=outcome, seconds=seconds)
            if (suffix, outcome) not in seen and len(corpus) < MOST_SEEDS:
                seen.add((suffix, outcome))
                corpus.append(mutant)
            grown.look(number - first)
        _say(grown=grown.bytes, descriptors=grown.descriptors)


def _say(**line: object) -> None:
    print(json.dumps(line), flush=True)


class _Growth:
    """What this process gained in memory and descriptors since a fifth of its mutants."""

    def __init__(self, count: int) -> None:
        self._begin = max(1, count // 5)
        self._process = psutil.Process()
        self._before = (0, 0)
        self.bytes = self.descriptors = 0

    def look(self, done: int) -> None:
        now = (self._process.memory_info().rss, self._process.num_fds())
        if done == self._begin:
            self._before = now
        elif done > self._begin:
            self.bytes, self.descriptors = now[0] - self._before[0], now[1] - self._before[1]


# -------------------------------------------------------------------------------- parent


@dataclass(slots=True)
class Row:
    """What came of the mutants of one container."""

    mutants: int = 0
    decoded: int = 0
    refused: int = 0
    slowest_s: float = 0.0


@dataclass(slots=True)
class Result:
    """What came of a campaign. ``faults`` are what must not be, one line each."""

    rows: dict[str, Row] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    most_grown_bytes: int = 0


class _Child:
    """One child process and what it said."""

    def __init__(self, first: int, count: int, seed: int, kept: Path, result: Result) -> None:
        self._kept, self._result = kept, result
        self._first, self._end, self._seed = first, first + count, seed
        self._current: dict[str, Any] = {}

    def run(self) -> None:
        """All of its mutants; those behind a crash get another child."""
        while self._first < self._end:
            self._once()

    def _once(self) -> None:
        command = module_command(
            CHILD_MODULE,
            *(str(n) for n in (self._first, self._end - self._first, self._seed)),
            str(self._kept.absolute()),
        )
        folders = [str(Path.cwd()), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(folders),
            "OMP_NUM_THREADS": "1",
        }
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as child:
            assert child.stdout is not None
            assert child.stderr is not None
            words: queue.Queue[str | None] = queue.Queue()
            lines: queue.Queue[str | None] = queue.Queue()
            readers = [
                threading.Thread(target=_read, args=pair, daemon=True)
                for pair in ((child.stderr, words), (child.stdout, lines))
            ]
            for reader in readers:
                reader.start()
            ending = self._listen(child, lines)
            for reader in readers:
                reader.join()
        last = "".join([line for line in words.queue if line][-3:]).strip()
        if ending == "hang" or child.returncode:
            # It died before it could clear up: what it was at still lies there.
            self._keep()
            what = "hang" if ending == "hang" else f"crash, exit status {child.returncode}"
            self._fault(f"{what} ({last})" if last else what)
            self._first = self._current.get("n", self._first) + 1
        else:
            self._first = self._end

    def _listen(self, child: subprocess.Popen[str], lines: queue.Queue[str | None]) -> str:
        while True:
            try:
                line = lines.get(timeout=SILENCE_S)
            except queue.Empty:
                child.kill()
                return "hang"
            if line is None:
                return "end"
            self._take(json.loads(line))

    def _take(self, line: dict[str, Any]) -> None:
        if "format" in line:
            self._current = line
        elif "outcome" in line:
            self._count(line["outcome"], line["seconds"])
        else:
            self._result.most_grown_bytes = max(self._result.most_grown_bytes, line["grown"])
            if line["grown"] > GROWTH_BYTES or line["descriptors"] > 0:
                self._result.faults.append(
                    f"leak: {line['grown'] >> 20} MiB and {line['descriptors']} descriptors"
                    f" in {self._end - self._first} mutants"
                )

    def _count(self, outcome: str, seconds: float) -> None:
        row = self._result.rows.setdefault(self._current["format"], Row())
        row.mutants += 1
        row.slowest_s = max(row.slowest_s, seconds)
        is_decoded = outcome.startswith("fine; fine")
        row.decoded += is_decoded
        row.refused += not is_decoded
        self._result.outcomes[outcome[:100]] += 1
        if outcome.startswith("unexpected"):
            self._fault(outcome)
        elif seconds > SLOW_S:
            self._fault(f"{seconds:.0f} s for one file")

    def _keep(self) -> None:
        """The bytes of the mutant at work, in the child's folder, which goes with them."""
        source = Path(self._current.get("path", ""))
        with contextlib.suppress(OSError):
            shutil.copy(source, self._culprit)
            shutil.rmtree(source.parent)

    def _fault(self, what: str) -> None:
        number = self._current.get("n", -1)
        self._result.faults.append(f"mutant {number} (kept as {self._culprit}): {what}")

    @property
    def _culprit(self) -> Path:
        return self._kept / f"{self._current.get('n', 'none')}{self._current.get('format', '')}"


def _read(stream: Any, lines: queue.Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def run(count: int, workers: int, seed: int, kept: Path, per_child: int = PER_CHILD) -> Result:
    """``count`` mutants in several children at once. Culprits are written to ``kept``."""
    kept.mkdir(parents=True, exist_ok=True)
    slices: queue.Queue[tuple[int, int]] = queue.Queue()
    for first in range(0, count, per_child):
        slices.put((first, min(per_child, count - first)))
    results = [Result() for _ in range(workers)]

    def work(result: Result) -> None:
        while True:
            try:
                first, n = slices.get_nowait()
            except queue.Empty:
                return
            _Child(first, n, seed, kept, result).run()

    threads = [threading.Thread(target=work, args=(result,)) for result in results]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return _joined(results)


def _joined(results: Sequence[Result]) -> Result:
    whole = Result()
    for result in results:
        for suffix, row in result.rows.items():
            sum_ = whole.rows.setdefault(suffix, Row())
            sum_.mutants += row.mutants
            sum_.decoded += row.decoded
            sum_.refused += row.refused
            sum_.slowest_s = max(sum_.slowest_s, row.slowest_s)
        whole.outcomes += result.outcomes
        whole.faults += result.faults
        whole.most_grown_bytes = max(whole.most_grown_bytes, result.most_grown_bytes)
    return whole


def run_campaign(folder: Path, count: int, seed: int) -> Report:
    """The campaign. Culprits outlive it, in ``build/campaign-media``."""
    result = run(count, WORKERS, seed, Path("build/campaign-media"))
    report = Report("Mutated media files through probe and decode", losses=result.faults)
    for suffix, row in sorted(result.rows.items()):
        report.figures[f"{suffix[1:]}: decoded of mutants"] = f"{row.decoded} of {row.mutants}"
    report.figures["mutants"] = sum(row.mutants for row in result.rows.values())
    report.figures["different answers"] = len(result.outcomes)
    report.figures["slowest file, s"] = round(max(r.slowest_s for r in result.rows.values()), 1)
    report.figures["most growth of a child, MiB"] = result.most_grown_bytes >> 20
    return report


CAMPAIGNS = {
    "media": Campaign(run_campaign, 100_000, "mutated media files, of every container"),
}

if __name__ == "__main__":
    run_child(*map(int, sys.argv[1:4]), Path(sys.argv[4]))
