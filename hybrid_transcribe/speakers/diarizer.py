"""Audio in, turns out: all of it, block by block."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from hybrid_transcribe.speakers.activity import Analysis
from hybrid_transcribe.speakers.analysis import Analyzer
from hybrid_transcribe.speakers.clustering import SpeakerLimits, cluster
from hybrid_transcribe.speakers.embedding import VoiceEmbedding
from hybrid_transcribe.speakers.network import Floats
from hybrid_transcribe.speakers.segmentation import Segmentation
from hybrid_transcribe.speakers.turns import Diarization, turns_of

#: An embedding of less speech of one person alone (s) makes no speaker of its own.
RELIABLE_S = 0.6


class Diarizer:
    """Both networks, loaded; for one recording after another."""

    def __init__(self, segmentation: Path, embedding: Path) -> None:
        """Raises EngineUnavailable and ModelUnavailable."""
        self.segmentation = Segmentation(segmentation)
        self.embedding = VoiceEmbedding(embedding)

    def analyzer(self) -> Analyzer:
        """Takes a recording's sound, in parts of any length."""
        return Analyzer(self.segmentation, self.embedding)

    def analysis(self, blocks: Iterable[Floats]) -> Analysis:
        """What is kept of a recording: blocks of float32, mono, 16 kHz, in order."""
        analyzer = self.analyzer()
        for samples in blocks:
            analyzer.add(samples)
        return analyzer.finish()


def diarized(analysis: Analysis, limits: SpeakerLimits | None = None) -> Diarization:
    """Who speaks when in a recording that was analysed. Same analysis, same result."""
    labels = cluster(analysis.embeddings, limits, analysis.alone_s >= RELIABLE_S)
    return turns_of(analysis, labels)
