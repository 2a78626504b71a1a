"""People who are recognised by a recording of their voice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hybrid_transcribe.speakers.activity import Analysis
from hybrid_transcribe.speakers.clustering import centres, cluster
from hybrid_transcribe.speakers.diarizer import RELIABLE_S
from hybrid_transcribe.speakers.network import Floats

#: Cosine similarity from which on a speaker is the person of a recording.
RECOGNIZED = 0.55

#: Least speech of a recording of a voice, in s.
LEAST_VOICE_S = 2.0


def voice_of(analysis: Analysis) -> Floats | None:
    """The voice of who speaks most in a recording, length 1; None where there is too little."""
    reliable = analysis.alone_s >= RELIABLE_S
    spans = analysis.spans[reliable]
    if not len(spans) or _covered_s(analysis) < LEAST_VOICE_S:
        return None
    vectors = analysis.embeddings[reliable]
    labels = cluster(vectors)
    voice: Floats = centres(vectors, labels)[np.bincount(labels).argmax()]
    return voice


def _covered_s(analysis: Analysis) -> float:
    """How long somebody speaks."""
    covered = at_s = 0.0
    for start_s, end_s in analysis.spans.tolist():
        covered += max(end_s - max(start_s, at_s), 0.0)
        at_s = max(at_s, end_s)
    return covered


def recognized(speakers: Mapping[str, Floats], voices: Mapping[str, Floats]) -> dict[str, str]:
    """Speakers with the names of the people they are, the most alike first, each once."""
    pairs = sorted(
        (
            (float(vector @ voice), speaker, name)
            for speaker, vector in speakers.items()
            for name, voice in voices.items()
        ),
        reverse=True,
    )
    names: dict[str, str] = {}
    for similarity, speaker, name in pairs:
        if similarity >= RECOGNIZED and speaker not in names and name not in names.values():
            names[speaker] = name
    return names
