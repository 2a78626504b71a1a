"""Recordings for benchmarks, from the speech beside the checkout."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.testing import write_wav
from hybrid_transcribe.types import RATE_HZ, Clip

Samples = npt.NDArray[np.float32]

#: What "short" means, in seconds.
SHORT_S = (2.0, 10.0)


@dataclass(frozen=True, slots=True)
class Recording:
    """A file, and what is said in it."""

    name: str
    path: str
    text: str
    language: str
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def folder() -> Path:
    """Where recorded speech is looked for (see ``tests/conftest.py``)."""
    value = os.environ.get("HYBRID_TRANSCRIBE_TEST_SPEECH")
    return Path(value or Path(__file__).resolve().parents[2].parent / "shared" / "speech")


def clips(n: int) -> list[Path]:
    """Up to n read English utterances; none where the speech is absent."""
    return [Path(item.path) for item in librispeech()[:n]]


# ------------------------------------------------------------------------ as they are


def librispeech() -> list[Recording]:
    """Read English utterances, up to 20 s."""
    return _listed(folder() / "librispeech" / "manifest.jsonl")


def references(*languages: str) -> list[Recording]:
    """Every recording whose text came with its corpus; no language given stands for all."""
    both = [*_listed(folder() / "manifest.jsonl"), *librispeech()]
    return [item for item in both if not languages or item.language in languages]


def short(made_in: Path, n: int = 64) -> list[Recording]:
    """English recordings of 2 to 10 s.

    Utterances of the long recording, written to ``made_in``, make the number full.
    """
    least_s, most_s = SHORT_S
    items = [item for item in references("en") if least_s <= item.seconds <= most_s]
    if len(items) < n:
        cut = [item for item in utterances(made_in) if least_s <= item.seconds <= most_s]
        items += cut[: n - len(items)]
    return items[:: max(len(items) // n, 1)][:n]


def _listed(manifest: Path) -> list[Recording]:
    if not manifest.is_file():
        return []
    lines = manifest.read_text(encoding="utf-8").splitlines()
    payload = (json.loads(line) for line in lines if line.strip())
    return [
        Recording(
            item["id"], str(manifest.parent / item["file"]), item["text"], item["language"],
            float(item["seconds"]),
        )
        for item in payload
        if item["transcript_trust"] == "reference"
    ]  # fmt: skip


# --------------------------------------------------------------------------- made ones


def samples_of(path: str) -> Samples:
    """A whole recording: float32, mono, 16 kHz."""
    settings = Settings.load().but(block_s=3600.0)
    return np.concatenate([c.samples for c in decode(path, name=path, settings=settings)])


def utterances(made_in: Path) -> list[Recording]:
    """Each utterance of the long recording as a file of its own."""
    samples, message = _long()
    return [
        _made(made_in, f"utterance-{i:02}", samples[_part(item)], item["text"])
        for i, item in enumerate(message)
    ]


def long(made_in: Path, most_s: float = 3600.0) -> list[Recording]:
    """The long recording up to the end of the last utterance before ``most_s``."""
    samples, message = _long()
    message = [item for item in message if item["end"] <= most_s]
    end = _part(message[-1]).stop + RATE_HZ // 4
    text = " ".join(item["text"] for item in message)
    return [_made(made_in, f"long-{round(most_s)}", samples[:end], text)]


def silence_heavy(made_in: Path, speech_s: float = 120.0) -> list[Recording]:
    """The beginning of the long recording, its utterances far apart: two thirds are silence."""
    samples, message = _long()
    message = [entry for entry in message if entry["end"] <= speech_s]
    generator = np.random.default_rng(0)
    parts: list[Samples] = []
    for item in message:
        spoken = samples[_part(item)]
        # No room is digitally silent: noise of -80 dB.
        silence = generator.normal(0, 1e-4, 2 * len(spoken)).astype(np.float32)
        parts += [spoken, silence]
    text = " ".join(entry["text"] for entry in message)
    return [_made(made_in, "silence-heavy", np.concatenate(parts), text)]


def tiny(made_in: Path, n: int) -> list[Recording]:
    """Many recordings of about 2 s: the shortest there are, over and over."""
    items = sorted(short(made_in), key=lambda one: one.seconds)[:12]
    return [
        _made(made_in, f"tiny-{i:03}", samples_of(item.path), item.text)
        for i, item in enumerate((items * (n // len(items) + 1))[:n])
    ]


def packed(recordings: Iterable[Recording], to: Path) -> Path:
    """A zip of recordings."""
    with zipfile.ZipFile(to, "w") as archive:
        for recording in recordings:
            archive.write(recording.path, Path(recording.path).name)
    return to


def _long() -> tuple[Samples, Sequence[dict[str, Any]]]:
    here = folder()
    payload = json.loads((here / "long_dev.segments.json").read_text(encoding="utf-8"))
    path = next(item.path for item in references("en") if item.name == "long_dev")
    return samples_of(path), payload


def _part(utterance: dict[str, Any]) -> slice:
    return slice(int(utterance["start"] * RATE_HZ), int(utterance["end"] * RATE_HZ))


def _made(made_in: Path, name: str, samples: Samples, text: str) -> Recording:
    path = made_in / f"{name}.wav"
    if not path.exists():
        write_wav(path, Clip(samples))
    return Recording(name, str(path), text, "en", len(samples) / RATE_HZ)
