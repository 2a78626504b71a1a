"""What people use, and what we have, each as a function from recordings to texts.

On the same weights, with the language given; on the CPU with all its cores, unless a name says
that it is on the GPU. CTranslate2's run in int8 there and in float16 on the GPU, whisper.cpp in
its own ``q8_0``; openai-whisper, transformers and WhisperS2T have nothing but float32 on a CPU.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import groupby
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import resolve
from tests.benchmarks.speech import Recording, samples_of

if TYPE_CHECKING:
    from hybrid_transcribe.interfaces import Engine
    from hybrid_transcribe.types import Options

#: Windows that faster-whisper's batched pipeline decodes at once, as its README does.
BATCH = 8

#: The same on a GPU, where its README takes more; ours takes as many.
GPU_BATCH = 16


@dataclass(frozen=True, slots=True)
class Work:
    """Recordings to be heard; ``packed`` is a zip of them, for those who take one."""

    recordings: Sequence[Recording]
    packed: str | None = None


@dataclass(frozen=True, slots=True)
class Loaded:
    """A loaded tool. ``hear`` gives a text for every recording, in order.

    ``looks`` tells how many pieces were heard again and how many there were, where this is known.
    ``elsewhere`` says that the work is done in a process below this one.
    """

    hear: Callable[[Work], list[str]]
    looks: Callable[[], tuple[int, int] | None] = lambda: None
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Tool:
    """How to load a tool with (model, beam size), and the module it needs."""

    load: Callable[[str, int], Loaded]
    module: str = "faster_whisper"

    def missing(self) -> str | None:
        """Why it cannot run, None where it can."""
        return None if find_spec(self.module) else f"{self.module} is not installed"


def _cores() -> int:
    return os.cpu_count() or 1


def _folder(model: str, layout: str = "ctranslate2") -> str:
    return str(resolve(model, layout, Settings.load()).folder)


def _joined(segments: Any) -> str:
    return " ".join(segment.text.strip() for segment in segments)


def _one_by_one(hear: Callable[[Recording], str]) -> Loaded:
    return Loaded(lambda work: [hear(recording) for recording in work.recordings])


# ----------------------------------------------------------------------- faster-whisper


def _faster_whisper(model: str, threads: int, workers: int = 1) -> Any:
    from faster_whisper import WhisperModel

    return WhisperModel(
        _folder(model), "cpu", compute_type="int8", cpu_threads=threads, num_workers=workers
    )


def _on_gpu(model: str) -> Any:
    from faster_whisper import WhisperModel

    from hybrid_transcribe import devices

    devices.preload()
    return WhisperModel(_folder(model), "cuda", compute_type="float16")


def _one_call_a_file(model: str, beam: int) -> Loaded:
    return _in_sequence(_faster_whisper(model, _cores()), beam)


def _in_sequence(whisper: Any, beam: int) -> Loaded:
    def hear(one: Recording) -> str:
        return _joined(whisper.transcribe(one.path, beam_size=beam, language=one.language)[0])

    return _one_by_one(hear)


def _two_workers(model: str, beam: int) -> Loaded:
    """As many workers as there are cores, each fed by a thread."""
    whisper = _faster_whisper(model, 1, _cores())

    def hear(one: Recording) -> str:
        return _joined(whisper.transcribe(one.path, beam_size=beam, language=one.language)[0])

    def hear_all(work: Work) -> list[str]:
        with ThreadPoolExecutor(_cores()) as threads:
            return list(threads.map(hear, work.recordings))

    return Loaded(hear_all)


def _batched(model: str, beam: int) -> Loaded:
    return _in_batches(_faster_whisper(model, _cores()), beam, BATCH)


def _in_batches(whisper: Any, beam: int, batch_size: int) -> Loaded:
    from faster_whisper import BatchedInferencePipeline

    pipeline = BatchedInferencePipeline(whisper)

    def hear(one: Recording) -> str:
        segments, _ = pipeline.transcribe(
            one.path, beam_size=beam, language=one.language, batch_size=batch_size
        )
        return _joined(segments)

    return _one_by_one(hear)


# ------------------------------------------------------------------------ other engines


def _openai_whisper(model: str, beam: int) -> Loaded:
    import whisper

    loaded = whisper.load_model(str(resolve(model, "openai", Settings.load()).file), "cpu")

    def hear(one: Recording) -> str:
        # It would call ffmpeg, which need not be here.
        answer = loaded.transcribe(
            samples_of(one.path),
            language=one.language,
            beam_size=beam if beam > 1 else None,
            fp16=False,
        )
        return str(answer["text"]).strip()

    return _one_by_one(hear)


def _transformers(model: str, beam: int) -> Loaded:
    import torch
    from transformers import WhisperForConditionalGeneration, WhisperProcessor

    folder = _folder(model, "huggingface")
    processor = WhisperProcessor.from_pretrained(folder)
    whisper = WhisperForConditionalGeneration.from_pretrained(folder, dtype=torch.float32)
    whisper.eval()

    def hear(one: Recording) -> str:
        long = one.seconds > 30
        inputs = processor(
            samples_of(one.path),
            sampling_rate=16000,
            return_tensors="pt",
            return_attention_mask=True,
            **({"truncation": False, "padding": "longest"} if long else {}),
        )
        language = {} if model.endswith(".en") else {"language": one.language}
        with torch.inference_mode():
            tokens = whisper.generate(**inputs, num_beams=beam, return_timestamps=True, **language)
        return str(processor.batch_decode(tokens, skip_special_tokens=True)[0]).strip()

    return _one_by_one(hear)


def _whisper_cpp(model: str, beam: int) -> Loaded:
    from pywhispercpp.model import Model

    from tests.benchmarks.ggml import converted

    options: dict[str, Any] = {"n_threads": _cores(), "print_progress": False}
    if beam > 1:
        options |= {"beam_search": {"beam_size": beam, "patience": -1.0}}
    whisper = Model(
        str(converted(model, Settings.load())),
        params_sampling_strategy=int(beam > 1),
        redirect_whispercpp_logs_to=None,
        **options,
    )
    return _one_by_one(
        lambda one: _joined(whisper.transcribe(samples_of(one.path), language=one.language))
    )


def _whisper_s2t(model: str, beam: int) -> Loaded:
    """Batches of pieces from several files; it takes no 8-bit weights, so float32."""
    import whisper_s2t

    whisper = whisper_s2t.load_model(
        _folder(model),
        device="cpu",
        compute_type="float32",
        cpu_threads=_cores(),
        asr_options={"beam_size": beam},
    )

    def hear_all(work: Work) -> list[str]:
        paths = [recording.path for recording in work.recordings]
        languages = [recording.language for recording in work.recordings]
        result = whisper.transcribe_with_vad(paths, lang_codes=languages, batch_size=BATCH)
        return [" ".join(part["text"].strip() for part in parts) for parts in result]

    return Loaded(hear_all)


def _whisperx(model: str, beam: int) -> Loaded:
    """Its batched pipeline behind the detector that its package carries, without alignment."""
    import whisperx

    whisper = whisperx.load_model(
        _folder(model),
        "cpu",
        compute_type="int8",
        language="en",
        asr_options={"beam_size": beam},
        vad_method="pyannote",
        threads=_cores(),
    )

    def hear(one: Recording) -> str:
        answer = whisper.transcribe(
            samples_of(one.path), batch_size=BATCH, language=one.language or None
        )
        return " ".join(part["text"].strip() for part in answer["segments"])

    return _one_by_one(hear)


# ---------------------------------------------------------------------------------- ours


def _ours(
    device: str = "cpu", compute_type: str = "int8", **chosen: Any
) -> Callable[[str, int], Loaded]:
    """The engine class itself, with further options: decoding, then `transcribe_many`."""

    def load(model: str, beam: int) -> Loaded:
        from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
        from hybrid_transcribe.interfaces import LoadRequest
        from hybrid_transcribe.types import Options

        engine = FasterWhisper()
        files = resolve(model, "ctranslate2", Settings.load())
        engine.load(LoadRequest(files, device, compute_type))
        options = Options(beam_size=beam, **chosen)
        return Loaded(_by_engine(engine, options), lambda: engine.second_looks)

    return load


def _moonshine(model: str, beam: int) -> Loaded:
    """Our engine of models that are no Whisper, with the one that is published in a wheel.

    It has no beam, and its own model whatever the others have.
    """
    from hybrid_transcribe.engines.sherpa_onnx.engine import SherpaOnnx
    from hybrid_transcribe.interfaces import LoadRequest
    from hybrid_transcribe.types import Options

    engine = SherpaOnnx()
    engine.load(LoadRequest(resolve("moonshine-tiny-en", "sherpa-onnx", Settings.load())))
    return Loaded(_by_engine(engine, Options()))


def _by_engine(engine: Engine, options: Options) -> Callable[[Work], list[str]]:
    """Recordings decoded by us and given to an engine of ours, by language."""
    from hybrid_transcribe.audio.decode import decode
    from hybrid_transcribe.types import Segment

    settings = Settings.load()

    def hear(work: Work) -> list[str]:
        texts: list[list[str]] = [[] for _ in work.recordings]
        for language, keys in _by_language(work.recordings):
            source = (
                (key, clip)
                for key in keys
                for path in [work.recordings[key].path]
                for clip in decode(path, name=path, settings=settings)
            )
            chosen = replace(options, language=language)
            for key, event in engine.transcribe_many(source, chosen, lambda _: False):
                if isinstance(event, Exception):
                    raise event
                if isinstance(event, Segment):
                    texts[key].append(event.text)
        return [" ".join(parts) for parts in texts]

    return hear


def _product(model: str, beam: int) -> Loaded:
    """A service with its journal on disk, and its worker."""
    import tempfile

    from hybrid_transcribe import Service

    service = Service(tempfile.mkdtemp(prefix="benchmark-"))

    def hear(work: Work) -> list[str]:
        texts: dict[int, str] = {}
        for language, keys in _by_language(work.recordings):
            paths = [work.packed] if work.packed else [work.recordings[k].path for k in keys]
            job = service.submit(
                paths,
                engine="faster-whisper",
                model=model,
                compute_type="int8",
                beam_size=beam,
                language=language,
            )
            # A zip keeps the order in which it was packed.
            texts |= dict(zip(keys, (t.text for t in job.result()), strict=True))
        return [texts[key] for key in range(len(work.recordings))]

    return Loaded(hear, elsewhere=True)


def _by_language(recordings: Sequence[Recording]) -> list[tuple[str, list[int]]]:
    def language(key: int) -> str:
        return recordings[key].language

    keys = sorted(range(len(recordings)), key=language)
    return [(code, list(group)) for code, group in groupby(keys, language)]


FASTER_WHISPER, TWO_WORKERS, BATCHED = (
    "faster-whisper",
    "faster-whisper, two workers",
    "faster-whisper, batched",
)
OPENAI, TRANSFORMERS, WHISPER_CPP = "openai-whisper", "transformers", "whisper.cpp"
WHISPER_S2T, WHISPERX = "WhisperS2T", "whisperX"
OURS, OURS_FULL, PRODUCT = "ours", "ours, context='full'", "ours, whole product"
MOONSHINE = "ours, sherpa-onnx with moonshine-tiny-en"
OURS_UNGUARDED = "ours, silence_guard=False"
GPU, GPU_BATCHED, GPU_OURS = (
    "faster-whisper on the GPU",
    "faster-whisper, batched, on the GPU",
    "ours on the GPU",
)

TOOLS: Mapping[str, Tool] = {
    FASTER_WHISPER: Tool(_one_call_a_file),
    TWO_WORKERS: Tool(_two_workers),
    BATCHED: Tool(_batched),
    OPENAI: Tool(_openai_whisper, "whisper"),
    TRANSFORMERS: Tool(_transformers, "transformers"),
    WHISPER_CPP: Tool(_whisper_cpp, "pywhispercpp"),
    WHISPER_S2T: Tool(_whisper_s2t, "whisper_s2t"),
    WHISPERX: Tool(_whisperx, "whisperx"),
    OURS: Tool(_ours()),
    OURS_FULL: Tool(_ours(context="full")),
    OURS_UNGUARDED: Tool(_ours(silence_guard=False)),
    PRODUCT: Tool(_product),
    MOONSHINE: Tool(_moonshine, "sherpa_onnx"),
    GPU: Tool(lambda model, beam: _in_sequence(_on_gpu(model), beam)),
    GPU_BATCHED: Tool(lambda model, beam: _in_batches(_on_gpu(model), beam, GPU_BATCH)),
    GPU_OURS: Tool(_ours(device="gpu", compute_type="float16")),
}
