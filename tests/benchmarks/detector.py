"""The voice detector beside the one that faster-whisper ships: telephone lines, and no speech.

    python -m tests.benchmarks detector

Prints, for readers of LibriSpeech, the share of 32 ms frames above 0.5 in the clean recording and
on a telephone line, and for each kind of sound without speech in how many clips the probability
stays above 0.5 and above 0.7, the guard's threshold, as long as the guard wants it to.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.common.hallucinations import SPEECH_PROBABILITY, held, loud_enough
from hybrid_transcribe.engines.common.silero_vad import FRAME, speech_probabilities
from hybrid_transcribe.types import RATE_HZ
from tests.benchmarks.degrade import seeded
from tests.benchmarks.matrix import reader
from tests.benchmarks.nospeech import LENGTHS_S, LEVELS
from tests.benchmarks.sounds import KINDS
from tests.benchmarks.speech import librispeech, samples_of
from tests.engines.lines import telephone

Samples = npt.NDArray[np.float32]
Detector = Callable[[Samples], Samples]

#: Speech of a reader (s), and clips of each kind of sound.
READER_S, N_EACH = 12.0, 6


def librarys() -> Detector:
    """faster-whisper's own network, whatever `serve_faster_whisper` did."""
    from faster_whisper.utils import get_assets_path
    from faster_whisper.vad import SileroVADModel

    (path,) = Path(get_assets_path()).glob("silero*v6*.onnx")
    model = SileroVADModel(str(path))

    def detect(samples: Samples) -> Samples:
        padded = np.pad(samples, (0, -len(samples) % FRAME))
        return np.asarray(model(padded)).reshape(-1)

    return detect


def on_the_telephone(detectors: dict[str, Detector]) -> list[str]:
    """A row for each reader, the worst heard first."""
    first = {reader(item): item for item in reversed(librispeech())}
    rows = []
    for name, recording in sorted(first.items()):
        clean = samples_of(recording.path)[: int(READER_S * RATE_HZ)]
        line = telephone(clean, seed=int(name))
        shares = [
            float((detect(samples) >= 0.5).mean())
            for detect in detectors.values()
            for samples in (clean, line)
        ]
        rows.append((shares[1] / shares[0], name, shares))
    rows.sort()
    lost = [
        f"{key}: {sum(s[2 * i + 1] < 0.8 * s[2 * i] for _, _, s in rows)} of {len(rows)} readers "
        f"lose a fifth or more on the line, the worst keeps "
        f"{100 * min(s[2 * i + 1] / s[2 * i] for _, _, s in rows):.0f} %"
        for i, key in enumerate(detectors)
    ]
    table = [f"{name} | " + " | ".join(f"{s:.2f}" for s in shares) for _, name, shares in rows]
    heads = [f"{key}, {options}" for key in detectors for options in ("clean", "line")]
    return [*lost, "reader | " + " | ".join(heads), *table]


def without_speech(detectors: dict[str, Detector]) -> list[str]:
    """A row for each kind of sound."""
    lines = ["kind | clips | " + " | ".join(f"{k}, > 0.5 | > 0.7" for k in detectors)]
    sums = np.zeros(2 * len(detectors), int)
    for kind, make in KINDS.items():
        counts = np.zeros_like(sums)
        for i in range(N_EACH):
            length_s = LENGTHS_S[(i + len(kind)) % len(LENGTHS_S)]
            samples = make(length_s * RATE_HZ, seeded(kind, str(i))) * LEVELS[i % len(LEVELS)]
            samples = loud_enough(samples.astype(np.float32))
            tops = [held(detect(samples)) for detect in detectors.values()]
            counts += [t >= limit for t in tops for limit in (0.5, SPEECH_PROBABILITY)]
        sums += counts
        lines.append(f"{kind} | {N_EACH} | " + " | ".join(map(str, counts)))
    return [*lines, f"all | {N_EACH * len(KINDS)} | " + " | ".join(map(str, sums))]


def main(argv: Sequence[str] | None = None) -> str:
    """Both tables."""
    argparse.ArgumentParser(prog="python -m tests.benchmarks detector").parse_args(argv)
    detectors = {"faster-whisper's": librarys(), "ours": speech_probabilities}
    tables = (on_the_telephone(detectors), without_speech(detectors))
    return "\n\n".join("\n".join(lines) for lines in tables)
