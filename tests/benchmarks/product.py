"""The whole product against bare faster-whisper: same clips, same weights, same options."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hybrid_transcribe import Service, sample
from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import resolve
from tests.benchmarks.harness import spread, table, take_turns
from tests.benchmarks.speech import clips

MODEL = "tiny.en"
OPTIONS = {"beam_size": 5, "language": "en"}


def bare(paths: list[Path]) -> Callable[[], object]:
    """faster-whisper as its README shows it, one call a file."""
    from faster_whisper import WhisperModel

    folder = resolve(MODEL, "ctranslate2", Settings.load()).folder
    model = WhisperModel(str(folder), device="cpu", compute_type="int8")

    def run() -> object:
        texts = []
        for path in paths:
            segments, _ = model.transcribe(str(path), **OPTIONS)
            texts.append(" ".join(s.text.strip() for s in segments))
        return texts

    return run


def product(service: Service, paths: list[Path]) -> Callable[[], object]:
    """One job of all files, on a worker that is warm."""

    def run() -> object:
        result = service.submit(paths, model=MODEL, **OPTIONS).result()
        return [t.text for t in result]

    return run


def main(groups: int = 5) -> str:
    """The table of this entry."""
    paths = clips(24) or [sample()] * 8
    with Service(journal=None) as service:
        variants = {"product": product(service, paths), "bare": bare(paths)}
        measured = take_turns(variants, groups)
    same = measured.found["product"] == measured.found["bare"]
    rows = [
        ("speed of the product / bare faster-whisper", spread(measured.ratios("product", "bare"))),
        ("product, s", spread(measured.seconds["product"], 2)),
        ("bare, s", spread(measured.seconds["bare"], 2)),
        ("equal text", "yes" if same else "NO"),
    ]
    return table(f"Product against bare faster-whisper ({MODEL}, int8, {len(paths)} clips)", rows)
