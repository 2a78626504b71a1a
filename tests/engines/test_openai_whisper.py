"""OpenAI's Whisper: what it is asked, the way through a recording, and the real thing."""

from __future__ import annotations

import importlib.util
import pickle
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.engines.common.word_edges import REACH_S
from hybrid_transcribe.engines.openai_whisper.engine import OpenAIWhisper
from hybrid_transcribe.engines.openai_whisper.pieces import WindowWord
from hybrid_transcribe.engines.openai_whisper.request import _DECODING
from hybrid_transcribe.errors import (
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
    LoadRequest,
    ModelFiles,
    Progress,
)
from hybrid_transcribe.models import resolve
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment, Word
from hybrid_transcribe.worker.batch import not_honoured
from tests.engines.fakes import never, voice
from tests.engines.openai_fakes import FILES, FakeModel, engine_with, no_gpu, one_gpu


def heard(
    engine: OpenAIWhisper,
    clip: Clip,
    options: Options | None = None,
    canceled: Callable[[], bool] = never,
) -> list[Heard]:
    """Everything the engine yields."""
    return list(engine.transcribe(clip, options or Options(language="en"), canceled))


def segments(found: list[Heard]) -> list[Segment]:
    """Only the segments."""
    return [h for h in found if isinstance(h, Segment)]


def times(found: list[Heard]) -> list[tuple[float, float, str]]:
    """Start, end and text of the segments."""
    return [(s.start_s, s.end_s, s.text) for s in segments(found)]


def notices(found: list[Heard]) -> str:
    """All notices, one a line."""
    return "\n".join(h.text for h in found if isinstance(h, EngineWarning))


# ------------------------------------------------------------------ what is passed on


def test_nothing_given_asks_what_the_librarys_function_asks() -> None:
    """Greedy, at temperature 0 first."""
    model = FakeModel()
    heard(engine_with(model), voice(), Options())

    assert model.calls == [{"language": "pt", "task": "transcribe", "prompt": [], "temperature": 0}]


@pytest.mark.parametrize(
    ("name", "value", "passed"),
    [
        ("language", "pt-BR", {"language": "pt"}),
        ("task", "translate", {"task": "translate"}),
        ("beam_size", 5, {"beam_size": 5}),
        ("length_penalty", 0.5, {"length_penalty": 0.5}),
        ("suppress_blank", False, {"suppress_blank": False}),
        ("suppress_tokens", (1, 2), {"suppress_tokens": (1, 2)}),
        ("without_timestamps", True, {"without_timestamps": True}),
        ("max_new_tokens", 40, {"sample_len": 40}),
        ("temperature", (0.4,), {"temperature": 0.4}),
    ],
)
def test_options_of_the_decoding_reach_the_library(
    name: str, value: Any, passed: dict[str, Any]
) -> None:
    """Under the library's own name."""
    model = FakeModel()
    heard(engine_with(model), voice(), Options(**{"language": "en", name: value}))

    assert passed.items() <= model.calls[0].items()


def test_a_beam_of_one_is_the_greedy_search() -> None:
    """Which finds the same with less work."""
    model = FakeModel()
    result = heard(engine_with(model), voice(), Options(language="en", beam_size=1, patience=2.0))

    assert not {"beam_size", "patience"} & set(model.calls[0])
    assert "patience needs a beam_size above 1" in notices(result)


@pytest.mark.parametrize("name", ["prefix", "hotwords", "vad_filter", "batch_size", "chunk_length"])
def test_what_the_library_cannot_do_is_said(name: str) -> None:
    """It becomes a warning of the transcript."""
    options = Options(
        **{name: {"prefix": "So", "hotwords": "Ana", "vad_filter": True}.get(name, 4)}
    )

    assert [line for line in not_honoured(OpenAIWhisper(), options) if name in line]


def test_every_other_option_is_honoured() -> None:
    """No warning where there is nothing to warn of."""
    options = Options(language="en", word_timestamps=True, compute_type="float32", max_new_tokens=3)

    assert list(not_honoured(OpenAIWhisper(), options)) == []


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (Options(language="xx"), r"'xx'.*\ben\b.*\bpt\b"),
        (Options(task="summarise"), r"'summarise'.*transcribe, translate"),
        (Options(beam_size=0), "beam_size must be 1 or more, not 0"),
        (Options(best_of=0), "best_of must be 1 or more, not 0"),
        (Options(max_new_tokens=0), "max_new_tokens must be 1 or more, not 0"),
        (Options(length_penalty=1.5), "between 0 and 1 with openai-whisper, not 1.5"),
        (Options(temperature=(0.0, -1.0)), "temperature must be 0 or more, not -1.0"),
    ],
)
def test_impossible_values_are_refused_with_the_choices(options: Options, says: str) -> None:
    """Before anything is decoded."""
    model = FakeModel()

    with pytest.raises(InvalidOption, match=says):
        heard(engine_with(model), voice(), options)
    assert model.calls == []


def test_a_language_this_model_has_not_is_refused() -> None:
    """Cantonese exists, but only in large-v3."""
    model = FakeModel(supported_languages=tuple(c for c in LANGUAGES if c != "yue"))

    with pytest.raises(InvalidOption, match="fake has no language 'yue'"):
        heard(engine_with(model), voice(), Options(language="yue"))


def test_an_english_only_model_goes_on_in_english_and_says_so() -> None:
    """Asked for Portuguese or a translation, it tells what it cannot do."""
    model = FakeModel(supported_languages=("en",))
    result = heard(engine_with(model), voice(), Options(language="pt", task="translate"))

    assert (model.calls[0]["language"], model.calls[0]["task"]) == ("en", "transcribe")
    assert "'pt' was ignored" in notices(result)
    assert "cannot translate" in notices(result)


def test_word_times_of_a_translation_are_not_promised() -> None:
    """The words are not those that were spoken."""
    model = FakeModel(words=[[[WindowWord("Hello", 0.0, 4.0, 0.9)]]])
    options = Options(language="pt", task="translate", word_timestamps=True)

    assert "translation's words" in notices(heard(engine_with(model), voice(), options))


def test_hallucination_silence_threshold_without_words_is_ignored_and_said() -> None:
    """It goes by the words' times."""
    options = Options(language="en", hallucination_silence_threshold=2.0)

    assert "needs word_timestamps" in notices(heard(engine_with(FakeModel()), voice(), options))


# ---------------------------------------------------------------------------- language


def test_the_language_is_told_before_the_first_segment() -> None:
    """Detected once, with its probability."""
    model = FakeModel()
    result = heard(engine_with(model), voice(70.0), Options())

    assert result[0] == Language("pt", 0.8)
    assert model.detected == 1


def test_an_english_only_model_detects_nothing() -> None:
    """It always says English."""
    model = FakeModel(supported_languages=("en",))
    result = heard(engine_with(model), voice(), Options())

    assert (result[0], model.detected) == (Language("en"), 0)


def test_a_language_that_was_given_is_not_told_again() -> None:
    """Nothing was detected."""
    model = FakeModel()
    result = heard(engine_with(model), voice())

    assert not [h for h in result if isinstance(h, Language)]
    assert model.detected == 0


# ------------------------------------------------------------------- window by window


def test_two_timestamps_in_a_row_end_a_segment() -> None:
    """What follows the last pair is heard again from there."""
    model = FakeModel([(0.0, "Hello", 4.0, 4.0, "there", 9.0, 9.0, "my"), (0.0, "my friend", 2.0)])
    result = heard(engine_with(model), voice(35.0))

    assert times(result) == [(0.0, 4.0, "Hello"), (4.0, 9.0, "there"), (9.0, 11.0, "my friend")]
    assert model.windows == [(0, 3000), (900, 2600)]


def test_a_single_timestamp_at_the_end_closes_the_window() -> None:
    """Nothing more is said in it: the next begins where it ends."""
    model = FakeModel([(0.0, "Hello", 4.0, 4.0, "there", 9.0), (0.0, "Bye", 1.0)])
    result = heard(engine_with(model), voice(40.0))

    assert times(result) == [(0.0, 4.0, "Hello"), (4.0, 9.0, "there"), (30.0, 31.0, "Bye")]
    assert model.windows == [(0, 3000), (3000, 1000)]


def test_without_timestamps_the_window_is_one_segment() -> None:
    """As long as the audio there is."""
    assert times(heard(engine_with(FakeModel([("Hello there",)])), voice(40.0))) == [
        (0.0, 30.0, "Hello there"),
        (30.0, 40.0, "Hello there"),
    ]


def test_segments_come_window_by_window() -> None:
    """The first is there before the second window is looked at."""
    model = FakeModel([(0.0, "One", 30.0)])
    run = engine_with(model).transcribe(voice(90.0), Options(language="en"), never)
    next(run)

    assert len(model.windows) == 1
    assert len(segments(list(run))) == 2


def test_a_segment_keeps_its_statistics() -> None:
    """Nothing the model says about a segment is lost."""
    answer = {"avg_logprob": -0.3, "no_speech_prob": 0.02, "compression_ratio": 0.9}
    [segment] = segments(heard(engine_with(FakeModel([(0.0, "Hello", 4.0, answer)])), voice()))

    assert (segment.avg_logprob, segment.no_speech_prob) == (-0.3, 0.02)
    assert (segment.compression_ratio, segment.temperature) == (0.9, 0.0)


def test_blank_windows_are_progress() -> None:
    """Where no segment says how far it got."""
    result = heard(engine_with(FakeModel([(0.0, "", 2.0), (0.0, "Hello", 2.0)])), voice(40.0))

    assert result[0] == Progress(30.0)
    assert times(result) == [(30.0, 32.0, "Hello")]


def test_a_window_that_leads_nowhere_is_passed() -> None:
    """Two timestamps at its very beginning would be heard for ever."""
    model = FakeModel([(0.0, 0.0, "Hello")])
    heard(engine_with(model), voice(40.0))

    assert model.windows == [(0, 3000), (3000, 1000)]


def test_stretches_are_moved_to_the_clips_own_time() -> None:
    """A block that starts at 10 s decodes the part of 8-12 s that lies in it."""
    model = FakeModel([("Hello",)])
    clip = voice(5.0, start_s=10.0)
    options = Options(language="en", clip_timestamps=(8.0, 12.0, 13.0, 99.0))
    result = heard(engine_with(model), clip, options)

    assert model.windows == [(0, 200), (300, 200)]
    assert times(result) == [(0.0, 2.0, "Hello"), (3.0, 5.0, "Hello")]


def test_a_clip_outside_every_stretch_is_not_decoded() -> None:
    """Nothing is asked of the model where nothing is wanted."""
    model = FakeModel()
    result = heard(engine_with(model), voice(5.0, 10.0), Options(clip_timestamps=(0.0, 9.0)))

    assert (model.calls, segments(result)) == ([], [])


# -------------------------------------------------------------------- trying again


def _temperatures(model: FakeModel) -> list[float]:
    return [call["temperature"] for call in model.calls]


@pytest.mark.parametrize("bad", [{"avg_logprob": -1.1}, {"compression_ratio": 2.5}])
def test_what_is_unsure_or_repeats_itself_is_tried_warmer(bad: dict[str, float]) -> None:
    """Until it is good enough."""
    model = FakeModel([(0.0, "Hm", 2.0, bad), (0.0, "Hello", 2.0)])
    [segment] = segments(heard(engine_with(model), voice()))

    assert (segment.text, segment.temperature) == ("Hello", 0.2)
    assert _temperatures(model) == [0.0, 0.2]


def test_the_thresholds_are_those_that_were_given() -> None:
    """A stricter one tries again what the library would have kept."""
    model = FakeModel([(0.0, "Hello", 2.0, {"avg_logprob": -0.5})])
    options = Options(language="en", log_prob_threshold=-0.4, temperature=(0.0, 0.5))
    heard(engine_with(model), voice(), options)

    assert _temperatures(model) == [0.0, 0.5]


def test_silence_is_not_tried_again() -> None:
    """No temperature hears more in it, and the window is skipped."""
    quiet = {"avg_logprob": -1.5, "no_speech_prob": 0.9}
    model = FakeModel([(0.0, "Hm", 2.0, quiet), (0.0, "Hello", 2.0)])
    result = heard(engine_with(model), voice(40.0))

    assert times(result) == [(30.0, 32.0, "Hello")]
    assert _temperatures(model) == [0.0, 0.0]
    assert result[0] == Progress(30.0)


def test_what_is_sure_is_kept_though_it_looks_silent() -> None:
    """As in the library."""
    model = FakeModel([(0.0, "Hello", 2.0, {"avg_logprob": -0.2, "no_speech_prob": 0.9})])

    assert heard(engine_with(model), voice(), Options(language="en", silence_guard=False))
    assert _temperatures(model) == [0.0]


def test_a_beam_belongs_to_temperature_zero_and_samples_to_those_above() -> None:
    """The library refuses the two together."""
    model = FakeModel([(0.0, "Hm", 2.0, {"avg_logprob": -1.1}), (0.0, "Hello", 2.0)])
    heard(engine_with(model), voice(), Options(language="en", beam_size=4, patience=2.0, best_of=3))
    cold, warm = model.calls

    assert (cold["beam_size"], cold["patience"], cold.get("best_of")) == (4, 2.0, None)
    assert (warm.get("beam_size"), warm.get("patience"), warm["best_of"]) == (None, None, 3)


# -------------------------------------------------------------------------- prompts


def _prompts(model: FakeModel) -> list[str]:
    return [model.talk.decode([t for t in call["prompt"] if t < 1000]) for call in model.calls]


def test_a_window_is_given_the_text_before_it() -> None:
    """After the prompt that was given."""
    model = FakeModel([(0.0, "One", 30.0), (0.0, "Two", 30.0), (0.0, "Three", 30.0)])
    heard(engine_with(model), voice(90.0), Options(language="en", initial_prompt=" Ana "))

    assert _prompts(model) == [" Ana", " Ana One", " Ana One Two"]


def test_no_text_is_passed_on_where_that_is_not_wanted() -> None:
    """Only the first window has the prompt that was given."""
    model = FakeModel([(0.0, "One", 30.0), (0.0, "Two", 30.0)])
    options = Options(language="en", initial_prompt="Ana", condition_on_previous_text=False)
    heard(engine_with(model), voice(90.0), options)

    assert _prompts(model) == [" Ana", "", ""]


def test_guesses_are_not_passed_on() -> None:
    """Text found above temperature 0.5 is no good example, nor is what was before it."""
    model = FakeModel([(0.0, "One", 30.0)])
    options = Options(language="en", temperature=(0.6,), silence_guard=False)
    heard(engine_with(model), voice(90.0), options)

    assert _prompts(model) == ["", "", ""]


# ---------------------------------------------------------------------------- words


def test_words_are_told_with_their_times() -> None:
    """And the segment's edges are theirs."""
    model = FakeModel(
        words=[[[WindowWord(" Hello", 0.5, 1.0, 0.7), WindowWord(" there.", 1.0, 3.5, 0.6)]]]
    )
    [segment] = segments(
        heard(engine_with(model), voice(), Options(language="en", word_timestamps=True))
    )

    assert (segment.start_s, segment.end_s) == (0.5, 3.5)
    assert [(w.text, w.start_s, w.end_s, w.probability) for w in segment.words] == [
        ("Hello", 0.5, 1.0, 0.7),
        ("there.", 1.0, 3.5, 0.6),
    ]


def test_the_next_window_begins_after_the_last_word() -> None:
    """Where the timestamps leave it open."""
    model = FakeModel(
        [(0.0, "Hello", 4.0, 4.0), (0.0, "there", 2.0)],
        words=[[[WindowWord("Hello", 0.5, 6.5, 0.9)]], [[WindowWord("there", 7.0, 8.0, 0.9)]]],
    )
    heard(engine_with(model), voice(31.0), Options(language="en", word_timestamps=True))

    assert model.windows == [(0, 3000), (650, 2450)]


def _odd(text: str, start_s: float) -> list[WindowWord]:
    """A word nobody says: far too long and improbable."""
    return [WindowWord(text, start_s, start_s + 5.0, 0.05)]


_SKIPPING = Options(
    language="en", word_timestamps=True, hallucination_silence_threshold=2.0, silence_guard=False
)


def test_a_silence_before_what_looks_invented_is_skipped() -> None:
    """The window is heard again from where the words were claimed to begin."""
    model = FakeModel(
        [(0.0, "Thanks", 14.0), (0.0, "Hello", 4.0)],
        words=[[_odd("Thanks", 9.0)], [[WindowWord("Hello", 10.0, 10.5, 0.9)]]],
    )
    result = heard(engine_with(model), voice(29.0), _SKIPPING)

    assert model.windows == [(0, 2900), (900, 2000)]
    assert times(result) == [(10.0, 10.5, "Hello")]


def test_what_looks_invented_between_silences_is_dropped() -> None:
    """What was said before it stays, and hearing goes on where it began."""
    said, bye = [WindowWord("Hello", 0.5, 1.0, 0.9)], [WindowWord("Bye", 12.0, 12.5, 0.9)]
    model = FakeModel(
        [(0.0, "Hello", 1.0, 1.0, "Thanks", 15.0), (0.0, "Bye", 4.0)],
        words=[[said, _odd("Thanks", 10.0)], [bye]],
    )
    result = heard(engine_with(model), voice(29.0), _SKIPPING)

    assert model.windows == [(0, 2900), (1000, 1900)]
    assert times(result) == [(0.5, 1.0, "Hello"), (12.0, 12.5, "Bye")]


def test_what_looks_odd_next_to_speech_is_kept() -> None:
    """There is no silence to invent text in."""
    said, bye = [WindowWord("Hello", 6.5, 8.0, 0.9)], [WindowWord("Bye", 14.0, 14.5, 0.9)]
    model = FakeModel(
        [(0.0, "Hello", 1.0, 1.0, "Thanks", 9.0, 9.0, "Bye", 15.0)],
        words=[[said, _odd("Thanks", 8.5), bye]],
    )
    result = heard(engine_with(model), voice(29.0), _SKIPPING)

    assert [s.text for s in segments(result)] == ["Hello", "Thanks", "Bye"]


# ------------------------------------------------------------------ cancels and errors


def test_a_cancel_between_segments_stops_the_model() -> None:
    """The segment in hand is dropped and no further window is looked at."""
    model = FakeModel([(0.0, "One", 30.0)])
    seen: list[Heard] = []
    run = engine_with(model).transcribe(voice(120.0), Options(language="en"), lambda: len(seen) > 1)
    for said in run:
        seen.append(said)

    assert (len(seen), len(model.windows)) == (2, 2)


def test_a_cancel_within_a_window_is_no_error() -> None:
    """It ends there, without the word that all is done."""
    model = FakeModel([(0.0, "One", 30.0), (DecodingInterrupted(),)])
    result = heard(engine_with(model), voice(60.0))

    assert [type(h) for h in result] == [Segment, Progress]


@pytest.mark.parametrize(
    ("error", "becomes", "says"),
    [
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), OutOfMemory, "smaller model"),
        (ImportError("No module named 'numba'"), EngineUnavailable, r"\[openai-whisper\]"),
        (ValueError("no"), EngineFailed, "openai-whisper failed: ValueError: no"),
    ],
)
def test_errors_of_the_library_become_ours(
    error: Exception, becomes: type[Exception], says: str
) -> None:
    """One tree of errors, with the cause in the message."""
    with pytest.raises(becomes, match=says) as caught:
        heard(engine_with(FakeModel([(error,)])), voice())

    assert caught.value.__cause__ is error


# ------------------------------------------------------------------------------ loading


@pytest.mark.parametrize(
    ("gone", "says"),
    [
        ({"whisper"}, "openai-whisper is not installed"),
        ({"torch"}, "torch is not installed"),
        ({"whisper", "torch"}, "openai-whisper, torch are not installed"),
    ],
)
def test_f20_a_missing_library_is_told_with_its_extra(
    gone: set[str], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In one line, asked or loaded."""
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "hybrid_transcribe.engines.openai_whisper.engine.find_spec",
        lambda name: None if name in gone else real(name),
    )
    open_aiwhisper = OpenAIWhisper().available(Settings())

    assert open_aiwhisper == f"{says}: pip install 'hybrid-transcribe[openai-whisper]'"
    with pytest.raises(EngineUnavailable, match=says):
        OpenAIWhisper().load(LoadRequest(FILES))


def test_another_package_called_whisper_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one, of a single file."""
    (tmp_path / "whisper.py").touch()
    other = importlib.util.spec_from_file_location("whisper", tmp_path / "whisper.py")
    real = importlib.util.find_spec
    monkeypatch.setattr(
        "hybrid_transcribe.engines.openai_whisper.engine.find_spec",
        lambda name: other if name == "whisper" else real(name),
    )

    assert "openai-whisper is not installed" in str(OpenAIWhisper().available(Settings()))


def _asked(request: LoadRequest, gpu: bool = False) -> tuple[list[Any], Any]:
    items: list[Any] = []
    engine = OpenAIWhisper(
        lambda *how: items.append(how) or FakeModel(), one_gpu if gpu else no_gpu
    )
    return items, engine.load(request)


def test_auto_takes_the_gpu_where_there_is_one() -> None:
    """In half precision, under the library's name for the device."""
    requested, loaded = _asked(LoadRequest(FILES, cpu_threads=3), gpu=True)

    assert requested == [(FILES.file, "cuda", "float16", 3, "fake")]
    assert (loaded.device, loaded.compute_type) == ("gpu", "float16")


def test_a_cpu_computes_in_full_precision() -> None:
    """The library knows nothing else there."""
    requested, loaded = _asked(LoadRequest(FILES))

    assert requested == [(FILES.file, "cpu", "float32", 0, "fake")]
    assert (loaded.device, loaded.compute_type) == ("cpu", "float32")
    with pytest.raises(
        InvalidOption, match=r"openai-whisper has no .*'float16' on the cpu; choose from: float32"
    ):
        _asked(LoadRequest(FILES, compute_type="float16"))


def test_f19_a_gpu_that_is_not_there_is_refused() -> None:
    """Cause and remedy."""
    with pytest.raises(EngineUnavailable, match=r"No GPU.*'auto' or 'cpu'"):
        _asked(LoadRequest(FILES, device="gpu"))


def test_a_folder_with_one_checkpoint_is_enough(tmp_path: Path) -> None:
    """As people put it there by hand."""
    (tmp_path / "mine.pt").touch()
    requested, _ = _asked(LoadRequest(ModelFiles("mine", tmp_path, "openai")))

    assert requested[0][0] == tmp_path / "mine.pt"


@pytest.mark.parametrize("names", [(), ("a.pt", "b.pt")])
def test_any_other_number_of_checkpoints_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    """The message names the folder and what lies in it."""
    for name in names:
        (tmp_path / name).touch()

    with pytest.raises(ModelUnavailable, match=f"{tmp_path} has: {', '.join(names) or 'none'}"):
        _asked(LoadRequest(ModelFiles("mine", tmp_path, "openai")))


def test_f19_too_little_memory_while_loading_is_told_as_such() -> None:
    """The caller may then try something smaller."""

    def full(*_: Any) -> Any:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    with pytest.raises(OutOfMemory) as caught:
        OpenAIWhisper(full, one_gpu).load(LoadRequest(FILES))
    assert caught.value.device == "gpu"


#: As torch worded it of a checkpoint that was cut, and of a text file.
CUT = (
    "PytorchStreamReader failed reading zip archive: failed finding central directory. This is an "
    "internal miniz error. If you are seeing this error, there is a high likelihood that your "
    "checkpoint file is corrupted.\nmore"
)
TEXT = "Weights only load failed. In PyTorch 2.6, we changed the default value of weights_only"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (
            RuntimeError(CUT),
            "it is incomplete or damaged: fetch it again (PytorchStreamReader failed reading zip "
            "archive: failed finding central directory)",
        ),
        (EOFError(), "it is incomplete or damaged: fetch it again (EOFError)"),
        (RuntimeError("Invalid magic number; corrupt file?"), "it is incomplete or damaged: "),
        (ValueError(TEXT), "Weights only load failed"),
        (KeyError("dims"), "'dims'"),
    ],
)
def test_a_damaged_checkpoint_is_told_in_short(error: Exception, told: str) -> None:
    """Without torch's advice; what is whole and something else is not called damaged."""

    def cut(*_: Any) -> Any:
        raise error

    with pytest.raises(ModelUnavailable) as caught:
        OpenAIWhisper(cut, no_gpu).load(LoadRequest(FILES))
    _, _, why = str(caught.value).partition(f"{FILES.file}: ")
    assert why.startswith(told)
    assert len(why) < 130


def test_transcribing_without_a_model_is_refused() -> None:
    """Loading comes first, and unloading ends it."""
    engine = engine_with(FakeModel())
    engine.unload()
    engine.unload()

    with pytest.raises(EngineFailed, match="No model"):
        heard(engine, voice())


# ------------------------------------------------------------------------ the real thing

#: Sound beside a pause may take an edge this far out of the segment, in seconds.
EDGE_S = REACH_S

#: Our names to those of ``whisper.transcribe``, where they differ.
_THEIRS = {"log_prob_threshold": "logprob_threshold", "max_new_tokens": "sample_len"}


def _bare(model: Any, samples: Any, options: Options) -> list[dict[str, Any]]:
    """What the library itself makes of it, without the blank segments."""
    import torch
    import whisper

    fields = {_THEIRS.get(k, k): v for k, v in options.given().items() if k != "silence_guard"}
    for name in ("clip_timestamps", "suppress_tokens"):
        if name in fields:
            fields[name] = list(fields[name])
    torch.manual_seed(0)
    result = whisper.transcribe(model, samples, fp16=False, **fields)
    return [match for match in result["segments"] if match["text"].strip()]


def _ours(engine: OpenAIWhisper, samples: Any, options: Options) -> list[Segment]:
    import torch

    torch.manual_seed(0)
    return segments(heard(engine, Clip(samples), options))


def _same(ours: list[Segment], bare: list[dict[str, Any]], duration_s: float) -> None:
    """Equal text and certainty; times lie within the bare ones, whose edges may be silent."""

    def edges(of: dict[str, Any], low: float = 0.0, high: float = duration_s) -> tuple[float, ...]:
        return tuple(min(max(float(of[name]), low), high) for name in ("start", "end"))

    def within(mine: Segment | Word, start_s: float, end_s: float) -> bool:
        return start_s - EDGE_S <= mine.start_s <= mine.end_s <= end_s + EDGE_S

    assert [s.text for s in ours] == [b["text"].strip() for b in bare]
    outside = [(s, edges(b)) for s, b in zip(ours, bare, strict=True) if not within(s, *edges(b))]
    assert outside == []
    assert [s.avg_logprob for s in ours] == pytest.approx([b["avg_logprob"] for b in bare])
    assert [s.temperature for s in ours] == [b["temperature"] for b in bare]
    words = [w for s in ours for w in s.words]
    theirs = [(w, edges(b)) for b in bare for w in b.get("words", ())]
    assert [w.text for w in words] == [w["word"].strip() for w, _ in theirs]
    # A word beside a pause begins and ends with its sound, within its segment.
    assert all(within(w, *segment) for w, (_, segment) in zip(words, theirs, strict=True))
    # Its second encoding of a window, without fused attention, differs in the last digits.
    assert [w.probability for w in words] == pytest.approx(
        [w["probability"] for w, _ in theirs], rel=1e-2
    )


def _files(name: str) -> ModelFiles:
    """A checkpoint that needs no network; the test is skipped where there is none."""
    why_not = OpenAIWhisper().available(Settings())
    if why_not:
        pytest.skip(why_not)
    try:
        return resolve(name, "openai", Settings.load(offline=True))
    except ModelUnavailable as error:
        pytest.skip(str(error))


def _loaded(name: str) -> Iterator[OpenAIWhisper]:
    engine = OpenAIWhisper()
    engine.load(LoadRequest(_files(name), device="cpu"))
    yield engine
    engine.unload()


@pytest.fixture(scope="module")
def tiny() -> Iterator[OpenAIWhisper]:
    """Our engine with tiny.en."""
    yield from _loaded("tiny.en")


@pytest.fixture(scope="module")
def base() -> Iterator[OpenAIWhisper]:
    """Our engine with base."""
    yield from _loaded("base")


def _bare_model(name: str) -> Any:
    file = _files(name).file
    import whisper

    model = whisper.load_model(str(file), "cpu")
    model.set_alignment_heads(whisper._ALIGNMENT_HEADS[name])
    return model


@pytest.fixture(scope="module")
def bare_tiny() -> Any:
    """The library's own tiny.en, of the same file."""
    return _bare_model("tiny.en")


@pytest.fixture(scope="module")
def bare_base() -> Any:
    """The library's own base, of the same file."""
    return _bare_model("base")


def _opened(name: str, compute_type: str = "float32") -> Any:
    from hybrid_transcribe.engines.openai_whisper.model import open_model

    file = _files(name).file
    assert file is not None
    return open_model(file, "cpu", compute_type, 0, name)


ENGLISH = Options(language="en")


@pytest.mark.model
class TestWithModels:
    """Real weights on real speech."""

    def test_the_sample_is_heard_as_by_the_library(
        self, tiny: OpenAIWhisper, bare_tiny: Any, sample: Path
    ) -> None:
        """Same segments, same times, same words."""
        samples = decode_audio(str(sample))[: 11 * RATE_HZ]
        options = Options(language="en", word_timestamps=True)

        _same(_ours(tiny, samples, options), _bare(bare_tiny, samples, options), 11.0)

    @pytest.mark.slow
    @pytest.mark.parametrize(
        "options",
        [ENGLISH, replace(ENGLISH, beam_size=5), replace(ENGLISH, word_timestamps=True)],
        ids=["greedy", "beam", "words"],
    )
    def test_speech_is_heard_as_by_the_library(
        self, tiny: OpenAIWhisper, bare_tiny: Any, speech_dir: Path, options: Options
    ) -> None:
        """The guard and the tidying change nothing about real speech."""
        for name in ("goo_brook.flac", "wy_lamp.wav", "ls_7312-92432-0000.flac", "leo_diar.wav"):
            samples = decode_audio(str(speech_dir / "audio" / name))
            _same(
                _ours(tiny, samples, options),
                _bare(bare_tiny, samples, options),
                len(samples) / RATE_HZ,
            )

    @pytest.mark.slow
    @pytest.mark.timeout(900)
    @pytest.mark.parametrize(
        ("length_s", "options"),
        [
            (180, ENGLISH),
            (65, replace(ENGLISH, word_timestamps=True)),
            (65, replace(ENGLISH, beam_size=5)),
            (65, replace(ENGLISH, temperature=(0.0, 0.6), log_prob_threshold=-0.2, best_of=2)),
            (65, replace(ENGLISH, condition_on_previous_text=False, initial_prompt="Mr. Quilter")),
            (65, replace(ENGLISH, without_timestamps=True, max_new_tokens=30)),
            (65, replace(ENGLISH, clip_timestamps=(5.0, 42.0, 60.0), suppress_tokens=(-1, 11))),
            (65, replace(ENGLISH, no_speech_threshold=0.001, log_prob_threshold=-0.1)),
        ],
        ids=[
            "greedy",
            "words",
            "beam",
            "warmer",
            "prompt",
            "untimed",
            "stretches",
            "skipping",
        ],
    )
    def test_long_speech_is_heard_as_by_the_library(
        self,
        tiny: OpenAIWhisper,
        bare_tiny: Any,
        speech_dir: Path,
        length_s: int,
        options: Options,
    ) -> None:
        """Window after window, with every rule of the way through a recording."""
        samples = decode_audio(str(speech_dir / "audio" / "long_dev.flac"))[: length_s * RATE_HZ]
        options = replace(options, silence_guard=False)

        _same(_ours(tiny, samples, options), _bare(bare_tiny, samples, options), float(length_s))

    @pytest.mark.slow
    @pytest.mark.parametrize("longest_s", [0.5, 2.0])
    def test_silences_around_inventions_are_skipped_as_by_the_library(
        self, tiny: OpenAIWhisper, bare_tiny: Any, speech_dir: Path, longest_s: float
    ) -> None:
        """Speech, music and long silences: the threshold makes a difference, and the same."""
        question, trumpet, lamp = (
            decode_audio(str(speech_dir / "audio" / name))
            for name in ("goo_brook.flac", "music_trumpet.ogg", "wy_lamp.wav")
        )
        silence = np.zeros(12 * RATE_HZ, dtype=np.float32)
        samples = np.concatenate([question, trumpet, silence, lamp, silence])
        without = Options(
            language="en",
            word_timestamps=True,
            temperature=(0.0,),
            no_speech_threshold=0.99,
            silence_guard=False,
        )
        options = replace(without, hallucination_silence_threshold=longest_s)
        result = _ours(tiny, samples, options)

        assert result != _ours(tiny, samples, without)
        _same(result, _bare(bare_tiny, samples, options), len(samples) / RATE_HZ)

    @pytest.mark.slow
    @pytest.mark.parametrize("code", ["pt", "es", "fr"])
    def test_languages_are_detected_and_heard_as_by_the_library(
        self, base: OpenAIWhisper, bare_base: Any, speech_dir: Path, code: str
    ) -> None:
        """The detected language comes first, with its probability."""
        samples = decode_audio(str(speech_dir / "audio" / f"leo_{code}.wav"))
        result = heard(base, Clip(samples), Options())
        [language] = [h for h in result if isinstance(h, Language)]

        assert result[0] is language
        assert language.code == code
        assert language.probability == pytest.approx(1.0, abs=0.3)
        _same(segments(result), _bare(bare_base, samples, Options()), Clip(samples).duration_s)

    @pytest.mark.slow
    def test_a_translation_is_the_librarys(
        self, base: OpenAIWhisper, bare_base: Any, speech_dir: Path
    ) -> None:
        """Spanish speech, English text."""
        samples = decode_audio(str(speech_dir / "audio" / "leo_es.wav"))
        options = Options(task="translate", language="es")
        result = _ours(base, samples, options)
        words = {word for s in result for word in s.text.lower().split()}

        assert {"the", "of", "and", "in", "to", "is"} & words
        _same(result, _bare(bare_base, samples, options), Clip(samples).duration_s)

    def test_a_cancel_is_noticed_within_a_window(self, tiny: OpenAIWhisper, sample: Path) -> None:
        """Before the first layer after it computes; and the model is none the worse for it."""
        clip = Clip(decode_audio(str(sample))[: 11 * RATE_HZ])
        before = segments(heard(tiny, clip))
        for patience in (2, 7, 30):
            items: list[int] = []

            def canceled(asked: list[int] = items, patience: int = patience) -> bool:
                asked.append(1)
                return len(asked) > patience

            assert heard(tiny, clip, ENGLISH, canceled) == []
            assert len(items) == patience + 1
        assert segments(heard(tiny, clip)) == before

    def test_a_window_is_encoded_once(
        self, tiny: OpenAIWhisper, sample: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For all temperatures and the words' times; on a CPU that is most of the work."""
        from whisper.model import AudioEncoder

        encoded: list[int] = []
        real = AudioEncoder.forward
        monkeypatch.setattr(AudioEncoder, "forward", lambda s, x: encoded.append(1) or real(s, x))
        options = replace(
            ENGLISH, word_timestamps=True, log_prob_threshold=-0.001, temperature=(0.0, 0.1)
        )
        heard(tiny, Clip(decode_audio(str(sample))[: 11 * RATE_HZ]), options)

        assert len(encoded) == 1

    def test_samples_may_be_read_only(self, tiny: OpenAIWhisper, sample: Path) -> None:
        """As they are in shared memory; torch would warn."""
        samples = decode_audio(str(sample))[: 11 * RATE_HZ]
        samples.flags.writeable = False

        assert segments(heard(tiny, Clip(samples)))

    def test_the_library_has_a_name_for_every_option(self, tiny: OpenAIWhisper) -> None:
        """A renamed argument shows on the day the library is upgraded."""
        from dataclasses import fields

        from whisper import DecodingOptions
        from whisper.tokenizer import LANGUAGES as THEIRS

        assert set(_DECODING.values()) <= {f.name for f in fields(DecodingOptions)}
        assert set(THEIRS) == set(LANGUAGES)

    def test_only_large_v3_knows_cantonese(self, tiny: OpenAIWhisper, base: OpenAIWhisper) -> None:
        """As many languages as the vocabulary has tokens for."""
        with pytest.raises(InvalidOption, match="base has no language 'yue'"):
            heard(base, voice(), Options(language="yue"))
        assert "only knows English" in notices(
            heard(tiny, voice(1.0), Options(language="pt", temperature=(0.0,)))
        )

    def test_words_are_read_from_the_heads_that_openai_published(
        self, bare_base: Any, tmp_path: Path
    ) -> None:
        """Converted models carry them; others have them by name, or the library's choice."""
        import torch
        import whisper

        from hybrid_transcribe.engines.openai_whisper.model import _set_alignment_heads

        bare = bare_base
        published = bare.alignment_heads.to_dense().clone()
        fresh = whisper.Whisper(bare.dims)
        unknown = fresh.alignment_heads.to_dense().clone()

        def heads(file: Path, name: str) -> Any:
            model = whisper.Whisper(bare.dims)
            _set_alignment_heads(model, file, name)
            return model.alignment_heads.to_dense()

        converted = _files("base").file
        assert converted is not None
        assert torch.equal(heads(converted, "anything"), published)
        assert torch.equal(heads(tmp_path / "some.pt", "base"), published)
        assert torch.equal(heads(tmp_path / "base.pt", "/a/folder"), published)
        assert torch.equal(heads(tmp_path / "some.pt", "other"), unknown)
        assert torch.equal(heads(tmp_path / "large-v3.pt", "other"), unknown)

    def test_weights_in_half_precision_compute_what_the_library_computes(
        self, tiny: OpenAIWhisper, bare_tiny: Any, sample: Path
    ) -> None:
        """Bit by bit, in half the memory."""
        import torch
        import whisper

        half = _opened("tiny.en", "float16")
        sound = half.hear(decode_audio(str(sample))[: 3 * RATE_HZ])
        mel = whisper.pad_or_trim(sound.mel, 3000).half()
        options = {"language": "en", "prompt": [], "temperature": 0.0, "sample_len": 5}
        bare = bare_tiny.decode(mel, whisper.DecodingOptions(**options, fp16=True))
        result = half.decode(mel, options)

        assert torch.equal(result.audio_features, bare.audio_features)
        assert (result.tokens, result.avg_logprob) == (bare.tokens, bare.avg_logprob)

    def test_unloaded_it_gives_its_memory_back(self, sample: Path) -> None:
        """All of the network is gone, though it was used."""
        engine = OpenAIWhisper(lambda *_: _opened("tiny.en"), no_gpu)
        engine.load(LoadRequest(FILES))
        gone = weakref.ref(engine._model._whisper)
        heard(engine, Clip(decode_audio(str(sample))[: 2 * RATE_HZ]))
        engine.unload()

        assert gone() is None

    def test_files_that_are_no_model_are_told_by_name(self, tmp_path: Path) -> None:
        """Of every kind of wrong."""
        import torch

        (tmp_path / "text.pt").write_text("not a model")
        (tmp_path / "empty.pt").touch()
        torch.save({"dims": {}}, tmp_path / "dims.pt")
        torch.save([1, 2], tmp_path / "list.pt")
        for file in (*sorted(tmp_path.glob("*.pt")), tmp_path / "gone.pt"):
            with pytest.raises(ModelUnavailable, match=rf"'odd' cannot.*{file.name}: \S") as caught:
                OpenAIWhisper().load(LoadRequest(replace(FILES, name="odd", file=file), "cpu"))
            assert "\n" not in str(caught.value)

    def test_nothing_in_a_checkpoint_is_run(self, tmp_path: Path) -> None:
        """A pickle can name any function; this one is refused."""
        mark = tmp_path / "it ran"
        (tmp_path / "evil.pt").write_bytes(pickle.dumps(_Evil(mark)))

        with pytest.raises(ModelUnavailable, match=r"evil\.pt"):
            OpenAIWhisper().load(LoadRequest(replace(FILES, file=tmp_path / "evil.pt"), "cpu"))
        assert not mark.exists()
        pickle.loads((tmp_path / "evil.pt").read_bytes())
        assert mark.exists()


class _Evil:
    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self._mark,)


@pytest.mark.gpu
@pytest.mark.model
def test_a_gpu_hears_what_the_library_hears_on_it(sample: Path) -> None:
    """In half precision; unloaded, nothing is left on it."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no GPU that torch can use")
    import whisper

    samples = decode_audio(str(sample))[: 11 * RATE_HZ]
    files = _files("tiny.en")
    bare = whisper.load_model(str(files.file), "cuda")
    expected = whisper.transcribe(bare, samples, language="en")["segments"]
    del bare
    engine = OpenAIWhisper()
    loaded = engine.load(LoadRequest(files, device="gpu"))
    result = segments(heard(engine, Clip(samples)))
    engine.unload()

    assert (loaded.device, loaded.compute_type) == ("gpu", "float16")
    assert [s.text for s in result] == [s["text"].strip() for s in expected]
    assert torch.cuda.memory_allocated() == 0
