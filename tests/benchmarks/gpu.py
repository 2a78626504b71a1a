"""The same on a GPU: pieces of all recordings in batches, against faster-whisper there."""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Probe, probe
from tests.benchmarks import speech, tools
from tests.benchmarks.speech import Recording
from tests.benchmarks.speed import NO_SPEECH, Report, Scale, compare, made

#: All in float16, from the same weights.
WHO = (tools.GPU, tools.GPU_BATCHED, tools.GPU_OURS)

MODELS = ("tiny.en", "base")


def main(scale: Scale, probe: Probe = probe) -> Report:
    """Short recordings and a long one, where there is a GPU."""
    result = probe("ctranslate2", Settings.load())
    if not result.usable:
        return Report(f"On a GPU: left out. {result.explanation}\n")
    with made() as folder:
        if not speech.references("en"):
            return Report(f"On a GPU: {NO_SPEECH}\n")
        sets: dict[str, Sequence[Recording]] = {
            "Short clips": scale.some(speech.short(folder, 128)),
            "LibriSpeech": scale.some(speech.librispeech()),
            "Long recording": speech.long(folder, max(3600 * scale.share, 60)),
        }
        card = ", ".join(item.name for item in result.cards)
        reports = [
            compare(f"{title} on {card}", recordings, WHO, model, scale)
            for model in MODELS
            for title, recordings in sets.items()
        ]
    return Report("\n".join(report.table for report in reports))
