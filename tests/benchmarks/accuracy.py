"""Is what is fast as good? Wrong words of the short window against those of faster-whisper."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tests.benchmarks import speech, tools
from tests.benchmarks.apart import apart
from tests.benchmarks.harness import table
from tests.benchmarks.speech import Recording
from tests.benchmarks.speed import NO_SPEECH, Scale, made
from tests.benchmarks.words import wrong

RESAMPLES = 10_000

#: Share of the resamples that lie below the upper bound.
BOUND = 0.95

#: Wrong words and words of each clip.
Counts = Sequence[tuple[int, int]]


def main(scale: Scale) -> str:
    """English for both models and two beams, and the other languages."""
    items = [english(model, beam, scale) for model in ("tiny.en", "base") for beam in (1, 5)]
    return "\n".join([*items, *(others(beam, scale) for beam in (1, 5))])


def english(model: str, beam: int, scale: Scale) -> str:
    """Every English recording with a reference, and the long one's utterances one by one."""
    with made() as folder:
        whole = scale.some(speech.references("en"), 10)
        if not whole:
            return NO_SPEECH
        cut = scale.some(speech.utterances(folder), 5)
        theirs, ours, looks = heard([*whole, *cut], model, beam)
    n = len(whole)
    title = f"English, {model}, beam {beam}: wrong words in per cent"
    return table(
        title,
        [
            (f"{n} recordings", against(ours[:n], theirs[:n])),
            (f"and {len(cut)} utterances of the long one", against(ours, theirs)),
            ("above 100 % where faster-whisper is not", _lost([*whole, *cut], ours, theirs)),
            ("second looks", looks),
        ],
    )


def others(beam: int, scale: Scale) -> str:
    """All other languages; characters count where there are no spaces."""
    clips = [item for item in speech.references() if item.language not in ("en", "")]
    recordings = scale.some(clips)
    if not recordings:
        return NO_SPEECH
    theirs, ours, looks = heard(recordings, "base", beam)
    more = (sum(w for w, _ in ours) - sum(w for w, _ in theirs)) / len(recordings)
    languages = len({recording.language for recording in recordings})
    return table(
        f"{languages} other languages, base, beam {beam}: wrong words in per cent",
        [
            (f"{len(recordings)} recordings", against(ours, theirs)),
            ("more wrong words a recording", f"{more:+.2f}"),
            ("above 100 % where faster-whisper is not", _lost(recordings, ours, theirs)),
            ("second looks", looks),
        ],
    )


def heard(recordings: Sequence[Recording], model: str, beam: int) -> tuple[Counts, Counts, str]:
    """Counts of faster-whisper and ours, and how often ours looked twice."""
    # Two workers only because it is quicker: the text is that of one.
    with apart((tools.TWO_WORKERS, tools.OURS), model, beam) as running:
        theirs = wrong(recordings, running[tools.TWO_WORKERS].hear(recordings))
        ours = wrong(recordings, running[tools.OURS].hear(recordings))
        again, looks = running[tools.OURS].second_looks or (0, 0)
    return theirs, ours, f"{again} of {looks} ({100 * again / max(looks, 1):.1f} %)"


def against(ours: Counts, theirs: Counts) -> str:
    """Both rates, and the upper bound of what ours has more."""
    mine, other = (np.array([w for w, _ in counts]) for counts in (ours, theirs))
    words = np.array([n for _, n in theirs])
    both = 100 * mine.sum() / words.sum(), 100 * other.sum() / words.sum()
    bound = upper_bound(mine - other, words)
    return (
        f"ours {both[0]:.2f}, faster-whisper {both[1]:.2f}, more {both[0] - both[1]:+.2f}, "
        f"with 95 % below {bound:+.2f}"
    )


def upper_bound(more: npt.NDArray[np.int64], words: npt.NDArray[np.int64]) -> float:
    """Points that the difference stays below in 95 of 100 resamples of the clips."""
    generator = np.random.default_rng(0)
    drawn = generator.integers(0, len(more), size=(RESAMPLES, len(more)))
    return float(np.quantile(100 * more[drawn].sum(axis=1) / words[drawn].sum(axis=1), BOUND))


def _lost(recordings: Sequence[Recording], ours: Counts, theirs: Counts) -> str:
    lost = [
        item.name
        for item, (mine, n), (other, _) in zip(recordings, ours, theirs, strict=True)
        if mine > n >= other
    ]
    return ", ".join(lost) or "none"
