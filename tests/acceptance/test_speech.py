"""All recorded speech through the command line, against bare faster-whisper."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from math import ceil
from pathlib import Path
from typing import Any

import jiwer
import pytest
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import resolve

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(1800)]

#: Languages written without spaces are judged by characters.
BY_CHARACTER = {"ja", "zh", "ko"}


@dataclass(frozen=True)
class Heard:
    """What one recording gave: ours as the documented JSON, theirs as segment texts."""

    clip: dict[str, Any]
    ours: dict[str, Any]
    theirs: list[str]


def command_line(paths: list[Path], out: Path, *more: str) -> None:
    """The command as people type it."""
    command = [sys.executable, "-m", "hybrid_transcribe", "transcribe", *map(str, paths)]
    ran = subprocess.run(
        [*command, "--format", "json", "--output-dir", str(out), *more],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr


BARE = """
import json, sys
from faster_whisper import WhisperModel
folder, *paths = sys.argv[1:]
model = WhisperModel(folder, device="cpu", compute_type="int8")
print(json.dumps([[s.text.strip() for s in model.transcribe(path)[0]] for path in paths]))
"""


def bare(model: str, paths: list[Path]) -> list[list[str]]:
    """faster-whisper alone, with the options of a default run.

    Its process is set up as a worker of ours: with two threads OpenBLAS rounds otherwise, and one
    word in thirty is another.
    """
    folder = resolve(model, "ctranslate2", Settings.load()).folder
    ran = subprocess.run(
        [sys.executable, "-c", BARE, str(folder), *map(str, paths)],
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        check=True,
    )
    texts: list[list[str]] = json.loads(ran.stdout)
    return texts


def heard(
    model: str, clips: list[dict[str, Any]], speech_dir: Path, out: Path, *more: str
) -> list[Heard]:
    """Both sides of every clip."""
    paths = [speech_dir / clip["file"] for clip in clips]
    command_line(paths, out, "--model", model, *more)
    ours = [json.loads((out / f"{p.stem}.json").read_text(encoding="utf-8")) for p in paths]
    return [Heard(*item) for item in zip(clips, ours, bare(model, paths), strict=True)]


@pytest.fixture(scope="module")
def base(
    manifest: list[dict[str, Any]], speech_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Heard]:
    """Every recording, in every language, by the multilingual model."""
    return heard("base", manifest, speech_dir, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def tiny(
    manifest: list[dict[str, Any]], speech_dir: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Heard]:
    """English and what nobody speaks, by the English model, window by window."""
    clips = [clip for clip in manifest if clip["language"] in ("en", "")]
    full = ("--option", "context=full")
    return heard("tiny.en", clips, speech_dir, tmp_path_factory.mktemp("tiny"), *full)


@pytest.fixture(params=["base", "tiny"])
def run(request: pytest.FixtureRequest) -> list[Heard]:
    heards: list[Heard] = request.getfixturevalue(request.param)
    return heards


def test_every_recording_gives_a_transcript(base: list[Heard]) -> None:
    """All 44 files, whatever their container and language, end in a complete transcript."""
    assert len(base) == 44
    assert all(item.ours["complete"] for item in base)


def test_f47_where_nobody_speaks_there_is_no_text(run: list[Heard]) -> None:
    """Silence, noise and music give empty text."""
    silent = [item for item in run if item.clip["transcript_trust"] == "none"]
    assert len(silent) == 3
    assert [item.ours["text"] for item in silent] == ["", "", ""]


def test_window_by_window_the_text_is_that_of_the_bare_engine(tiny: list[Heard]) -> None:
    """With the full context each segment is faster-whisper's, but for those withheld.

    Two numbers that differ in their last bits may turn a comma into a full stop: text is compared
    by its words, and one in a hundred may differ.
    """
    n_words = 0
    foreign: dict[str, list[str]] = {}
    for item in tiny:
        segments = item.ours["segments"]
        ours, theirs = words_of(item.ours["text"]), words_of(" ".join(item.theirs))
        n_words += len(ours)
        for tag, start, end, *_ in SequenceMatcher(None, ours, theirs, False).get_opcodes():
            if tag in ("replace", "delete"):
                foreign.setdefault(item.clip["id"], []).extend(ours[start:end])
        if len(ours) < 0.9 * len(theirs):
            assert "ithheld" in " ".join(item.ours["warnings"]) or not segments, item.clip["id"]
    assert sum(map(len, foreign.values())) <= n_words / 100, foreign


def words_of(text: str) -> list[str]:
    """English words as they are compared."""
    return str(EnglishTextNormalizer()(text)).split()


def test_no_language_has_more_errors_than_the_bare_engine(run: list[Heard]) -> None:
    """Wrong words (characters) per language: at most one more per clip than faster-whisper's.

    base hears short windows, as it does when nobody asks for anything. The nine minutes of the
    long recording count as its windows of 30 s: short windows know nothing of the text before.
    Languages of one or two clips count together: int8 kernels differ from CPU to CPU, and on some
    a single ending ("conseillers générales") is heard by ours and not by theirs.
    """
    judged = [item for item in run if item.clip["transcript_trust"] == "reference"]
    n_clips = Counter(item.clip["language"] for item in judged)
    wrong: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for item in run:
        if item.clip["transcript_trust"] == "reference":
            language = item.clip["language"]
            count = wrong[language if n_clips[language] > 2 else "others"]
            count[0] += ceil(item.clip["seconds"] / 30) if item.clip["kind"] == "long" else 1
            count[1] += mistakes(item.clip, item.ours["text"])
            count[2] += mistakes(item.clip, " ".join(item.theirs))
    print(dict(sorted(wrong.items())))
    for language, (n, ours, theirs) in wrong.items():
        assert ours <= theirs + n, language


def mistakes(clip: dict[str, Any], text: str) -> int:
    """Edits from the reference, in words or, where there are no spaces, in characters."""
    by_character = clip["language"] in BY_CHARACTER
    normalise: Callable[[str], str] = (
        EnglishTextNormalizer()
        if clip["language"] == "en"
        else BasicTextNormalizer(split_letters=by_character)
    )
    compared = jiwer.process_words(normalise(clip["text"]), normalise(text) or " ")
    return int(compared.substitutions + compared.deletions + compared.insertions)
