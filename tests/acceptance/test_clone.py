"""The speech that travels with the tests becomes text: nothing beside the checkout is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jiwer
import pytest
from whisper_normalizer.basic import BasicTextNormalizer

from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import resolve
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.model, pytest.mark.slow]

FOLDER = REPOSITORY / "tests" / "data" / "speech"

#: faster-whisper alone (base, beam 5, language given) has 6 of 88 words wrong, 5 of them in the
#: Spanish clip.
MOST_WRONG_SHARE = 0.12


def _clips() -> list[dict[str, Any]]:
    lines = (FOLDER / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.fixture(scope="module")
def transcripts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The documented JSON of each clip by file name, from one command without a language."""
    if resolve("base", "ctranslate2", Settings.load()).folder is None:
        pytest.skip("the starter model is not installed")
    out = tmp_path_factory.mktemp("clone")
    paths = [FOLDER / clip["file"] for clip in _clips()]
    command = [sys.executable, "-m", "hybrid_transcribe", "transcribe", *map(str, paths)]
    options = ["--format", "json", "--output-dir", str(out), "--model", "base"]
    result = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    return {p.name: json.loads(_beside(out, p).read_text(encoding="utf-8")) for p in paths}


def _beside(folder: Path, recording: Path) -> Path:
    return folder / f"{recording.stem}.json"


def test_the_words_are_right(transcripts: dict[str, dict[str, Any]]) -> None:
    """Five voices in four languages: few words are wrong, and no clip is lost."""
    normalizer = BasicTextNormalizer()
    wrong = words = 0
    for clip in _clips():
        reference = normalizer(clip["text"])
        measures = jiwer.process_words(reference, normalizer(transcripts[clip["file"]]["text"]))
        n_wrong = measures.substitutions + measures.deletions + measures.insertions
        n_words = len(reference.split())
        assert n_wrong <= n_words / 2, (clip["file"], transcripts[clip["file"]]["text"])
        wrong, words = wrong + n_wrong, words + n_words
    assert wrong <= MOST_WRONG_SHARE * words


def test_the_language_is_detected(transcripts: dict[str, dict[str, Any]]) -> None:
    """English, German, Spanish and Portuguese, without being told which."""
    detected = {name: transcript["language"] for name, transcript in transcripts.items()}
    assert detected == {clip["file"]: clip["language"] for clip in _clips()}
