"""The default engine: what it passes on, what it makes of the answers, and the real thing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import pytest
from faster_whisper import WhisperModel
from faster_whisper.audio import decode_audio

from hybrid_transcribe.devices import Gpu
from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.engines.faster_whisper import device
from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.errors import (
    DeviceFailed,
    EngineFailed,
    EngineUnavailable,
    InvalidOption,
    ModelUnavailable,
    OutOfMemory,
)
from hybrid_transcribe.interfaces import (
    EngineWarning,
    Heard,
    Language,
    Loaded,
    LoadRequest,
    ModelFiles,
    Progress,
)
from hybrid_transcribe.types import Clip, Options, Segment
from tests.engines.fakes import FakeModel, Raw, RawWord, engine_with, never, voice

FILES = ModelFiles("fake", Path("nowhere"), "ctranslate2")


def heard(
    engine: FasterWhisper,
    clip: Clip,
    options: Options | None = None,
    canceled: Callable[[], bool] = never,
) -> list[Heard]:
    """Everything the engine yields."""
    return list(engine.transcribe(clip, options or Options(), canceled))


def segments(found: list[Heard]) -> list[Segment]:
    """Only the segments."""
    return [h for h in found if isinstance(h, Segment)]


def notices(found: list[Heard]) -> str:
    """All notices, one a line."""
    return "\n".join(h.text for h in found if isinstance(h, EngineWarning))


# ------------------------------------------------------------------ what is passed on


def test_options_that_were_not_given_keep_the_librarys_defaults() -> None:
    """The library decides what nobody asked for."""
    model = FakeModel()
    heard(engine_with(model), voice())

    assert model.calls == [{}]


@pytest.mark.parametrize(
    ("name", "value", "passed"),
    [
        ("language", "pt", "pt"),
        ("language", "pt-BR", "pt"),
        ("task", "translate", "translate"),
        ("word_timestamps", True, True),
        ("vad_filter", False, False),
        ("beam_size", 1, 1),
        ("best_of", 3, 3),
        ("patience", 1.5, 1.5),
        ("length_penalty", 0.5, 0.5),
        ("repetition_penalty", 1.1, 1.1),
        ("no_repeat_ngram_size", 3, 3),
        ("temperature", (0.0, 0.4), [0.0, 0.4]),
        ("initial_prompt", "Ana, Beto.", "Ana, Beto."),
        ("prefix", "So", "So"),
        ("hotwords", "Whisper", "Whisper"),
        ("condition_on_previous_text", False, False),
        ("compression_ratio_threshold", 2.0, 2.0),
        ("log_prob_threshold", -0.5, -0.5),
        ("no_speech_threshold", 0.3, 0.3),
        ("suppress_blank", False, False),
        ("suppress_tokens", (1, 2), [1, 2]),
        ("without_timestamps", True, True),
        ("max_new_tokens", 40, 40),
        ("chunk_length", 20, 20),
        ("multilingual", True, True),
        ("clip_timestamps", (1.0, 2.0), [1.0, 2.0]),
    ],
)
def test_every_option_reaches_the_library(name: str, value: Any, passed: Any) -> None:
    """Under the library's own name, and alone."""
    model = FakeModel()
    heard(engine_with(model), voice(), Options(**{name: value}))

    assert model.calls == [{name: passed}]


def test_the_library_has_an_argument_for_every_option_passed_on() -> None:
    """A renamed argument shows on the day the library is upgraded."""
    from inspect import signature

    ours = {"silence_guard", "compute_type", "batch_size", "context", "audio_track", "languages"}
    honoured = FasterWhisper.capabilities.options

    assert honoured - ours <= set(signature(WhisperModel.transcribe).parameters)


def test_labelling_speakers_is_not_claimed() -> None:
    """What the engine cannot do becomes a warning elsewhere."""
    assert "diarize" not in FasterWhisper.capabilities.options


def test_stretches_are_moved_to_the_clips_own_time() -> None:
    """A block that starts at 10 s decodes the part of 8-12 s that lies in it."""
    model = FakeModel()
    clip = voice(5.0, start_s=10.0)
    heard(engine_with(model), clip, Options(clip_timestamps=(8.0, 12.0, 13.0, 99.0)))

    assert model.calls == [{"clip_timestamps": [0.0, 2.0, 3.0, 5.0]}]


def test_a_clip_outside_every_stretch_is_not_decoded() -> None:
    """Nothing is asked of the model where nothing is wanted."""
    model = FakeModel()
    result = heard(engine_with(model), voice(5.0, 10.0), Options(clip_timestamps=(0.0, 9.0)))

    assert (model.calls, segments(result)) == ([], [])


def test_an_unknown_language_is_refused_with_the_choices() -> None:
    """The message names the value and the codes there are."""
    with pytest.raises(InvalidOption, match=r"'xx'.*\ben\b.*\bpt\b"):
        heard(engine_with(FakeModel()), voice(), Options(language="xx"))


def test_a_language_this_model_has_not_is_refused() -> None:
    """Cantonese exists, but only in large-v3."""
    model = FakeModel(supported_languages=tuple(c for c in LANGUAGES if c != "yue"))

    with pytest.raises(InvalidOption, match="fake has no language 'yue'"):
        heard(engine_with(model), voice(), Options(language="yue"))


def test_an_unknown_task_is_refused_with_the_choices() -> None:
    """The message names the value and the tasks there are."""
    with pytest.raises(InvalidOption, match=r"'summarise'.*transcribe, translate"):
        heard(engine_with(FakeModel()), voice(), Options(task="summarise"))


def test_an_english_only_model_goes_on_in_english_and_says_so() -> None:
    """Asked for Portuguese or a translation, it tells what it cannot do."""
    model = FakeModel(supported_languages=("en",))
    result = heard(engine_with(model), voice(), Options(language="pt", task="translate"))

    assert model.calls == [{}]
    assert "'pt' was ignored" in notices(result)
    assert "cannot translate" in notices(result)


def test_what_a_batch_cannot_honour_is_said() -> None:
    """Batched decoding knows no context; the option is named in a notice."""
    from hybrid_transcribe.engines.faster_whisper.request import request_for

    request = request_for(
        Options(batch_size=8, condition_on_previous_text=False, temperature=(0.0, 0.2)),
        voice(),
        LANGUAGES,
        "fake",
    )

    assert request.batch_size == 8
    assert request.arguments == {"temperature": [0.0, 0.2]}


def test_a_batch_without_voice_detection_is_decoded_in_sequence() -> None:
    """The library cannot cut a long clip without it, and would fail."""
    model = FakeModel()
    result = heard(engine_with(model), voice(40.0), Options(batch_size=8, vad_filter=False))

    assert model.calls == [{"vad_filter": False}]
    assert "in sequence" in notices(result)


def test_batch_size_on_a_cpu_is_ignored_and_said() -> None:
    """Pieces are decoded together anyway: nobody loses the fast way by asking for batches."""
    from hybrid_transcribe.engines.faster_whisper.request import batched_request
    from hybrid_transcribe.engines.faster_whisper.short_context.parallelism import can_trim

    options = Options(batch_size=8, temperature=(0.0, 0.2))
    request = batched_request(options, voice(), LANGUAGES, "fake")

    assert (can_trim(options, "cpu"), can_trim(options, "gpu")) == (True, False)
    assert request.arguments == {"temperature": [0.0, 0.2]}
    assert request.notices == (
        "batch_size is for GPUs; on a CPU pieces are decoded together without it.",
    )
    assert batched_request(Options(batch_size=1), voice(), LANGUAGES, "fake").notices == ()
    with pytest.raises(InvalidOption, match="batch_size must be 1 or more, not -1"):
        batched_request(Options(batch_size=-1), voice(), LANGUAGES, "fake")


def test_the_list_of_languages_is_the_librarys() -> None:
    """A language Whisper gains shows on the day the library is upgraded."""
    from faster_whisper.tokenizer import _LANGUAGE_CODES

    assert sorted(_LANGUAGE_CODES) == sorted(LANGUAGES)


# -------------------------------------------------------------- what comes of the answers


def test_a_segment_keeps_text_times_and_statistics() -> None:
    """Nothing the model says about a segment is lost."""
    raw = Raw(0.5, 1.5, " Olá. ", [RawWord(0.5, 1.4, " Olá.", 0.7)], -0.3, 0.02, 0.9, 0.2)
    [segment] = segments(
        heard(engine_with(FakeModel([raw])), voice(), Options(silence_guard=False))
    )

    assert (segment.start_s, segment.end_s, segment.text) == (0.5, 1.5, "Olá.")
    assert (segment.avg_logprob, segment.no_speech_prob) == (-0.3, 0.02)
    assert (segment.compression_ratio, segment.temperature) == (0.9, 0.2)
    [word] = segment.words
    assert (word.start_s, word.end_s, word.text, word.probability) == (0.5, 1.4, "Olá.", 0.7)


def test_times_never_overlap_nor_pass_the_end() -> None:
    """Whatever the model says, edges rise and stay inside the clip."""
    said = [Raw(-1.0, 2.0), Raw(1.5, 1.0), Raw(4.0, 30.0, words=[RawWord(3.0, 40.0, "x")])]
    result = segments(heard(engine_with(FakeModel(said)), voice(5.0)))
    edges = [t for s in result for t in (s.start_s, s.end_s)]

    assert edges == sorted(edges)
    assert (edges[0], edges[-1]) == (0.0, 5.0)
    assert [(w.start_s, w.end_s) for w in result[-1].words] == [(4.0, 5.0)]


def test_segments_without_text_are_dropped() -> None:
    """Blank text is progress, not a segment."""
    result = heard(engine_with(FakeModel([Raw(text="  ")])), voice())

    assert segments(result) == []
    assert Progress(1.0) in result


def test_the_language_is_told_before_the_first_segment() -> None:
    """Detected, with its probability."""
    result = heard(engine_with(FakeModel()), voice())

    assert result[0] == Language("pt", 0.8)


def test_a_language_that_was_given_is_not_told_again() -> None:
    """Nothing was detected."""
    result = heard(engine_with(FakeModel()), voice(), Options(language="en"))

    assert not [h for h in result if isinstance(h, Language)]


def test_the_end_of_the_clip_is_always_reached() -> None:
    """Silence at the end counts as done."""
    assert heard(engine_with(FakeModel()), voice(5.0))[-1] == Progress(5.0)


def test_a_cancel_between_segments_stops_the_model() -> None:
    """What is in hand is dropped and no further one is asked for."""
    model = FakeModel([Raw(i, i + 1) for i in range(5)])
    seen: list[Heard] = []
    for said in engine_with(model).transcribe(voice(), Options(), lambda: len(seen) >= 2):
        seen.append(said)

    assert len(seen) == 2
    # One is held back until the next shows where it ends.
    assert model.yielded == 3


@pytest.mark.parametrize(
    ("error", "becomes", "says"),
    [
        (RuntimeError("CUDA failed with error out of memory"), OutOfMemory, "compute_type 'int8'"),
        (MemoryError(), OutOfMemory, "cpu"),
        (RuntimeError("Library libcublas.so.12 is not found"), EngineUnavailable, "pip install"),
        (ValueError("beam_size must be > 0"), EngineFailed, "ValueError: beam_size must be > 0"),
    ],
)
def test_errors_of_the_library_become_ours(
    error: Exception, becomes: type[Exception], says: str
) -> None:
    """One tree of errors, with the cause in the message."""
    with pytest.raises(becomes, match=says) as caught:
        heard(engine_with(FakeModel([error])), voice())

    assert caught.value.__cause__ is error


# ------------------------------------------------------------------------------- loading


NO_GPU = Gpu(False, False, "No GPU was found on this machine", "or choose device 'cpu'")
BROKEN_GPU = Gpu(False, True, "The GPU cannot be used: no libcublas", "pip install cublas")


def loaded_with(gpu: Gpu, device: str) -> Loaded:
    """How a fake model is loaded on a machine with such a GPU."""
    engine = FasterWhisper(lambda *_: FakeModel(), lambda *_: gpu)
    return engine.load(LoadRequest(FILES, device=device))


def test_f19_a_gpu_that_is_not_there_is_refused_in_one_line() -> None:
    """Cause and remedy."""
    with pytest.raises(EngineUnavailable, match=r"No GPU.*choose device 'cpu'") as caught:
        loaded_with(NO_GPU, "gpu")
    assert "\n" not in str(caught.value)


def test_auto_takes_the_cpu_where_there_is_no_gpu() -> None:
    """And says which it took, but nothing to people: it is as they know it."""
    assert loaded_with(NO_GPU, "auto") == Loaded("cpu", "int8")


def test_f19_auto_takes_the_cpu_where_the_gpu_is_broken_and_says_so() -> None:
    """One line with cause and remedy."""
    line = "Ran on the CPU. The GPU cannot be used: no libcublas; pip install cublas"

    assert loaded_with(BROKEN_GPU, "auto") == Loaded("cpu", "int8", (line,))


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """In half precision, under the library's name for the device."""
    monkeypatch.setattr(ctranslate2, "get_supported_compute_types", lambda _: {"float16", "int8"})
    items: list[Any] = []
    engine = FasterWhisper(lambda *how: items.append(how) or FakeModel(), lambda *_: Gpu(True))

    assert engine.load(LoadRequest(FILES)) == Loaded("gpu", "float16")
    assert items == [("nowhere", "cuda", "float16", 0, 1)]


class GoneGpu:
    """A GPU that is remembered to work; the library meets ``trouble`` once it uses it."""

    def __init__(self, trouble: str, monkeypatch: pytest.MonkeyPatch, *, sooner: bool) -> None:
        self._trouble = trouble
        self._sooner = sooner
        self._real = ctranslate2.get_supported_compute_types
        self.forgotten: list[str] = []
        monkeypatch.setattr(ctranslate2, "get_supported_compute_types", self._formats)

    def _formats(self, where: str) -> Any:
        if where == "cpu":
            return self._real(where)
        if self._sooner:
            raise RuntimeError(self._trouble)
        return {"float16"}

    def _open(
        self, folder: str, where: str, compute_type: str, cpu_threads: int, replicas: int
    ) -> Any:
        if where == "cuda":
            raise RuntimeError(self._trouble)
        return FakeModel()

    def load(self, asked: str) -> Loaded:
        """Load a fake model on it."""
        engine = FasterWhisper(
            self._open,
            lambda *_: Gpu(True),
            lambda backend, _: self.forgotten.append(backend),
        )
        return engine.load(LoadRequest(FILES, device=asked))


GONE = [
    ("CUDA failed with error CUDA driver version is insufficient", "a newer NVIDIA driver"),
    ("CUDA failed with error no CUDA-capable device is detected", "or choose device 'cpu'"),
    ("Library libcublas.so.12 is not found or cannot be loaded", "pip install nvidia-cublas-cu12"),
]


@pytest.mark.parametrize("sooner", [True, False])
@pytest.mark.parametrize(("trouble", "remedy"), GONE)
def test_f19_auto_takes_the_cpu_where_the_gpu_has_gone_since(
    monkeypatch: pytest.MonkeyPatch, trouble: str, remedy: str, sooner: bool
) -> None:
    """It is told with cause and remedy, and nobody relies on that GPU again without a look."""
    gone = GoneGpu(trouble, monkeypatch, sooner=sooner)
    loaded = gone.load("auto")

    assert (loaded.device, loaded.compute_type) == ("cpu", "int8")
    (line,) = loaded.notices
    assert line.startswith(f"Ran on the CPU. The GPU cannot be used: {trouble}; ")
    assert remedy in line
    assert "\n" not in line
    assert gone.forgotten == ["ctranslate2"]


@pytest.mark.parametrize("sooner", [True, False])
@pytest.mark.parametrize(("trouble", "remedy"), GONE)
def test_f19_a_gpu_that_was_asked_for_and_has_gone_since_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, trouble: str, remedy: str, sooner: bool
) -> None:
    """With cause and remedy; the next job looks again, whatever this one wanted."""
    gone = GoneGpu(trouble, monkeypatch, sooner=sooner)
    with pytest.raises(EngineUnavailable, match=remedy) as caught:
        gone.load("gpu")

    assert trouble in str(caught.value)
    assert gone.forgotten == ["ctranslate2"]


@pytest.mark.parametrize(
    ("trouble", "becomes"),
    [("CUDA failed with error out of memory", OutOfMemory), ("no model", ModelUnavailable)],
)
def test_other_trouble_while_loading_is_no_gpu_that_has_gone(
    monkeypatch: pytest.MonkeyPatch, trouble: str, becomes: type[Exception]
) -> None:
    """What to do about it is for others to decide, and the GPU is still one."""
    gone = GoneGpu(trouble, monkeypatch, sooner=False)
    with pytest.raises(becomes):
        gone.load("auto")

    assert gone.forgotten == []


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("CUDA failed with error out of memory", OutOfMemory),
        ("cuBLAS failed with status CUBLAS_STATUS_ALLOC_FAILED", OutOfMemory),
        ("CUDA failed with error unspecified launch failure", DeviceFailed),
        ("cuBLAS failed with status CUBLAS_STATUS_EXECUTION_FAILED", DeviceFailed),
        ("cuDNN failed with status CUDNN_STATUS_INTERNAL_ERROR", DeviceFailed),
        ("Library libcublas.so.12 is not found or cannot be loaded", EngineUnavailable),
        ("beam_size must be > 0", EngineFailed),
    ],
)
def test_f19_errors_of_the_gpu_say_what_may_still_do(text: str, becomes: type[Exception]) -> None:
    """Too little memory and a broken device can be gone on from; the device is named."""
    error = device.meaning(RuntimeError(text), "gpu")

    assert type(error) is becomes
    assert text in str(error)
    assert getattr(error, "device", "gpu") == "gpu"


def test_on_the_cpu_no_gpu_fails() -> None:
    """Words are not enough: what never was on a GPU is no failure of it."""
    error = device.meaning(RuntimeError("cublas of a kind"), "cpu")

    assert type(error) is EngineFailed


def test_compute_types_are_those_of_the_library() -> None:
    """What this CPU can, the engine says it can be asked for."""
    here = ctranslate2.get_supported_compute_types("cpu")

    assert here <= set(FasterWhisper.capabilities.compute_types)


def test_an_impossible_compute_type_is_refused_with_the_choices() -> None:
    """The message names the value and what this device can compute in."""
    with pytest.raises(InvalidOption, match=r"'float8'.*float32.*int8"):
        FasterWhisper(lambda *_: FakeModel()).load(
            LoadRequest(FILES, device="cpu", compute_type="float8")
        )


def test_f19_too_little_memory_while_loading_is_told_as_such() -> None:
    """The caller may then try something smaller."""

    def full(*_: Any) -> Any:
        raise RuntimeError("CUDA failed with error out of memory")

    with pytest.raises(OutOfMemory):
        FasterWhisper(full).load(LoadRequest(FILES, device="cpu"))


def test_files_that_are_no_model_are_told_by_folder(tmp_path: Path) -> None:
    """The library's complaint and the folder are both in the message."""
    (tmp_path / "model.bin").write_bytes(b"not a model")

    with pytest.raises(ModelUnavailable, match=str(tmp_path)):
        FasterWhisper().load(LoadRequest(ModelFiles("odd", tmp_path, "ctranslate2"), "cpu"))


def test_transcribing_without_a_model_is_refused() -> None:
    """Loading comes first."""
    with pytest.raises(EngineFailed, match="No model"):
        heard(FasterWhisper(), voice())


# ------------------------------------------------------------------------ the real thing


def _bare(folder: Path, samples: Any, options: Options) -> list[Any]:
    model = WhisperModel(str(folder), device="cpu", compute_type="int8")
    result, _ = model.transcribe(
        samples,
        beam_size=options.beam_size or 5,
        language=options.language,
        word_timestamps=options.word_timestamps,
    )
    return list(result)


def _same(ours: list[Segment], bare: list[Any], duration_s: float) -> None:
    """Equal but for silence at the edges, and ends past the audio's, which the library gives."""
    assert [s.text for s in ours] == [b.text.strip() for b in bare]
    for mine, other in zip(ours, bare, strict=True):
        assert other.start - 1e-6 <= mine.start_s < mine.end_s
        assert mine.end_s <= min(other.end, duration_s) + 1e-6
    assert [s.avg_logprob for s in ours] == pytest.approx([b.avg_logprob for b in bare])


@pytest.mark.model
class TestWithModels:
    """Real weights on real speech."""

    def test_the_sample_is_heard_as_by_bare_faster_whisper(
        self, tiny: FasterWhisper, tiny_folder: Path, sample: Path
    ) -> None:
        """Same weights, same format, same beam: same segments and times, and words inside them."""
        samples = decode_audio(str(sample))
        options = Options(language="en", word_timestamps=True, context="full")
        ours = segments(heard(tiny, Clip(samples), options))
        bare = _bare(tiny_folder, samples, options)

        _same(ours, bare, Clip(samples).duration_s)
        assert [[w.text for w in s.words] for s in ours] == [
            [w.word.strip() for w in b.words] for b in bare
        ]
        for segment in ours:
            edges = [t for w in segment.words for t in (w.start_s, w.end_s)]
            assert edges == sorted(edges)
            assert segment.start_s <= edges[0]
            assert edges[-1] <= segment.end_s

    @pytest.mark.slow
    @pytest.mark.parametrize("beam_size", [1, 5])
    def test_speech_is_heard_as_by_bare_faster_whisper(
        self, tiny: FasterWhisper, tiny_folder: Path, speech_dir: Path, beam_size: int
    ) -> None:
        """The guard and the tidying change nothing about real speech."""
        options = Options(language="en", beam_size=beam_size, context="full")
        for name in ("goo_brook.flac", "wy_lamp.wav", "ls_7312-92432-0000.flac", "leo_diar.wav"):
            samples = decode_audio(str(speech_dir / "audio" / name))
            _same(
                segments(heard(tiny, Clip(samples), options)),
                _bare(tiny_folder, samples, options),
                Clip(samples).duration_s,
            )

    @pytest.mark.slow
    def test_the_language_is_detected_and_the_text_is_that_of_the_language(
        self, base: FasterWhisper, base_folder: Path, speech_dir: Path
    ) -> None:
        """Reusing the encoding of the detection gives the text that naming the language gives."""
        samples = decode_audio(str(speech_dir / "audio" / "leo_pt.wav"))
        result = heard(base, Clip(samples), Options(beam_size=1, context="full"))

        assert isinstance(result[0], Language)
        assert result[0].code == "pt"
        assert result[0].probability == pytest.approx(1.0, abs=0.3)
        bare = _bare(base_folder, samples, Options(beam_size=1, language="pt"))
        _same(segments(result), bare, Clip(samples).duration_s)

    @pytest.mark.slow
    def test_detecting_the_language_encodes_a_short_clip_once(
        self, base: FasterWhisper, sample: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The encoder is most of the work, and its answer is used twice."""
        # The silence behind clips is encoded with the first of them.
        heard(base, Clip(decode_audio(str(sample))), Options(beam_size=1))
        encoded: list[int] = []
        real = WhisperModel.encode
        monkeypatch.setattr(
            WhisperModel, "encode", lambda self, f: encoded.append(1) or real(self, f)
        )
        heard(base, Clip(decode_audio(str(sample))), Options(beam_size=1))

        assert len(encoded) == 1

    @pytest.mark.slow
    def test_a_translation_is_in_english(self, base: FasterWhisper, speech_dir: Path) -> None:
        """Spanish speech, English text."""
        samples = decode_audio(str(speech_dir / "audio" / "leo_es.wav"))
        result = segments(heard(base, Clip(samples), Options(task="translate", language="es")))
        text = " ".join(s.text.lower() for s in result)

        assert {"the", "of", "and", "in", "to", "is"} & set(text.split())

    @pytest.mark.slow
    def test_a_batch_hears_the_sample(self, tiny: FasterWhisper, sample: Path) -> None:
        """Batched decoding gives the words that decoding in sequence gives."""
        clip = Clip(decode_audio(str(sample)))
        result = segments(heard(tiny, clip, Options(batch_size=4, language="en")))

        assert "what you can do for your country" in " ".join(s.text for s in result).lower()

    def test_a_cancel_is_noticed_between_windows_of_silence(self, tiny: FasterWhisper) -> None:
        """Where no segment comes for minutes, the next window is still not begun."""
        items: list[int] = []

        def canceled() -> bool:
            items.append(1)
            return len(items) > 2

        quiet = (np.random.default_rng(1).standard_normal(16_000 * 300) * 1e-3).astype(np.float32)
        # Its level moves: what is steady is not even decoded.
        quiet *= np.repeat(np.tile(np.float32([1.0, 0.1]), 150), 16_000)
        result = heard(tiny, Clip(quiet), Options(language="en", temperature=(0.0,)), canceled)

        assert (segments(result), Progress(300.0) in result) == ([], False)
        assert len(items) < 6

    def test_it_loads_again_after_unloading(self, tiny_folder: Path, sample: Path) -> None:
        """The pool unloads what is idle and loads it when asked."""
        engine = FasterWhisper()
        request = LoadRequest(ModelFiles("tiny.en", tiny_folder, "ctranslate2"), "cpu")
        clip = Clip(decode_audio(str(sample)))
        texts = []
        for _ in range(2):
            engine.load(request)
            texts.append([s.text for s in segments(heard(engine, clip, Options(beam_size=1)))])
            engine.unload()

        assert texts[0]
        assert texts[0] == texts[1]
