"""Programs that say who speaks when, each in a process of its own: turns, CPU time, memory.

``python -m tests.benchmarks.diarizers NAME FILE…`` prints a line of JSON for each file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import stage_models
from hybrid_transcribe.models.catalogue import members
from hybrid_transcribe.speakers.diarizer import Diarizer, diarized
from tests.benchmarks.conversations import SpokenTurn
from tests.benchmarks.speech import samples_of

#: Says who speaks when in a file.
Diarize = Callable[[str], list[SpokenTurn]]

OURS, SHERPA = "ours", "sherpa-onnx"

#: What sherpa-onnx reads of a model beside the graph, where ours has nothing.
_METADATA: Mapping[str, Mapping[str, object]] = {
    "pyannote-segmentation-3.0": {
        "num_speakers": 3,
        "powerset_max_classes": 2,
        "num_classes": 7,
        "sample_rate": 16000,
        "window_size": 160000,
        "receptive_field_size": 991,
        "receptive_field_shift": 270,
    },
    "campplus-zh-en": {
        "framework": "3d-speaker",
        "language": "zh-en",
        "sample_rate": 16000,
        "output_dim": 192,
        "feature_normalize_type": "global-mean",
        "normalize_samples": 1,
    },
}


@dataclass(frozen=True, slots=True)
class Diarized:
    """What came of one file.

    Attributes:
        cpu_s: CPU time, without loading.
        peak_mb: most memory that the process ever had, in MB.
    """

    turns: tuple[SpokenTurn, ...]
    cpu_s: float
    peak_mb: float


def models() -> dict[str, Path]:
    """The speaker models. Raises ModelUnavailable."""
    return stage_models(members("speakers"), Settings.load())


def _ours() -> Diarize:
    paths = models()
    diarizer = Diarizer(paths["pyannote-segmentation-3.0"], paths["campplus-zh-en"])
    # As a stage gets it: never more than five minutes at once.
    settings = Settings.load().but(block_s=300.0)

    def turns(path: str) -> list[SpokenTurn]:
        clips = decode(path, name=path, settings=settings)
        diarization = diarized(diarizer.analysis(clip.samples for clip in clips))
        return [SpokenTurn(t.start_s, t.end_s, t.speaker) for t in diarization.turns]

    return turns


def _sherpa() -> Diarize:
    import sherpa_onnx as s

    with tempfile.TemporaryDirectory(prefix="sherpa-") as folder:
        paths = {name: _described(name, path, Path(folder)) for name, path in models().items()}
        pyannote = s.OfflineSpeakerSegmentationPyannoteModelConfig(
            model=paths["pyannote-segmentation-3.0"]
        )
        pipeline = s.OfflineSpeakerDiarization(
            s.OfflineSpeakerDiarizationConfig(
                segmentation=s.OfflineSpeakerSegmentationModelConfig(pyannote=pyannote),
                embedding=s.SpeakerEmbeddingExtractorConfig(model=paths["campplus-zh-en"]),
                # Its examples' own values.
                clustering=s.FastClusteringConfig(num_clusters=-1, threshold=0.5),
                min_duration_on=0.3,
                min_duration_off=0.5,
            )
        )

    def turns(path: str) -> list[SpokenTurn]:
        result = pipeline.process(samples_of(path)).sort_by_start_time()
        return [SpokenTurn(t.start, t.end, str(t.speaker)) for t in result]

    return turns


def _described(name: str, path: Path, folder: Path) -> str:
    """The model as a file with the metadata that sherpa-onnx needs."""
    import onnx

    model = onnx.load(str(path))
    present = {entry.key for entry in model.metadata_props}
    for key, value in _METADATA[name].items():
        if key not in present:
            model.metadata_props.add(key=key, value=str(value))
    target = folder / f"{name}.onnx"
    onnx.save(model, str(target))
    return str(target)


SYSTEMS: Mapping[str, tuple[Callable[[], Diarize], str]] = {
    OURS: (_ours, "onnxruntime"),
    SHERPA: (_sherpa, "sherpa_onnx"),
}


def missing(name: str) -> str | None:
    """Why one cannot run here; None where it can."""
    return None if find_spec(SYSTEMS[name][1]) else f"{SYSTEMS[name][1]} is not installed"


def run(name: str, files: Sequence[str]) -> Iterator[Diarized]:
    """Each file by that program, in one process with one thread."""
    command = [sys.executable, "-m", __name__, name, *files]
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            item: dict[str, Any] = json.loads(line)
            turns = tuple(SpokenTurn(**turn) for turn in item.pop("turns"))
            yield Diarized(turns, **item)
    if process.returncode:
        raise RuntimeError(f"{name} ended with {process.returncode}")


def main(name: str, files: Sequence[str]) -> None:
    """Print what comes of each file."""
    diarize = SYSTEMS[name][0]()
    for path in files:
        began = time.process_time()
        turns = tuple(diarize(path))
        print(
            json.dumps(asdict(Diarized(turns, time.process_time() - began, _peak_mb()))), flush=True
        )


def _peak_mb() -> float:
    """Most memory of this process. getrusage would count that of the process that started it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:"))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
