"""transformers: its windows, words and wishes on a fake checkpoint, then the real thing."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.transformers.chunking import joined, voiced
from hybrid_transcribe.engines.transformers.distil import stretch_s
from hybrid_transcribe.engines.transformers.engine import Transformers
from hybrid_transcribe.engines.transformers.model import GeneratedText, GenerationOptions
from hybrid_transcribe.engines.transformers.request import plan_for
from hybrid_transcribe.engines.transformers.transcription import WindowedTranscription
from hybrid_transcribe.engines.transformers.windows import TextPiece, cut
from hybrid_transcribe.engines.transformers.words import Alignment, group, starts_of, words_of
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
from hybrid_transcribe.types import RATE_HZ, WHO_SPEAKS, Clip, Options, Segment
from tests.engines.fakes import never, voice
from tests.engines.hf_fakes import (
    LANGUAGES,
    NO_TIMES,
    PREVIOUS,
    START,
    TRANSCRIBE,
    TRANSLATE,
    FakeWhisper,
    Lexicon,
    at,
)

FIRST_TIME = at(0.0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint's folder, as far as it is looked at before the libraries are."""
    (tmp_path / "config.json").write_text('{"model_type": "whisper"}')
    return tmp_path


@pytest.fixture
def engine_with(folder: Path) -> Callable[[FakeWhisper], Transformers]:
    """Makes an engine that has loaded a fake checkpoint."""

    def make(model: FakeWhisper) -> Transformers:
        engine = Transformers(opener=lambda *_: model)
        engine.load(LoadRequest(ModelFiles("fake", folder, "huggingface"), device="cpu"))
        return engine

    return make


@pytest.fixture
def hear(
    engine_with: Callable[[FakeWhisper], Transformers],
) -> Callable[..., list[Heard]]:
    """Everything a fake checkpoint makes an engine yield for a clip of ``seconds``."""

    def run(
        model: FakeWhisper,
        options: Options | None = None,
        seconds: float = 10.0,
        start_s: float = 0.0,
        canceled: Callable[[], bool] = never,
    ) -> list[Heard]:
        clip = voice(seconds, start_s)
        return list(engine_with(model).transcribe(clip, options or Options(), canceled))

    return run


def segments(found: list[Heard]) -> list[Segment]:
    """Only the segments."""
    return [h for h in found if isinstance(h, Segment)]


def said(found: list[Heard]) -> list[tuple[float, float, str]]:
    """Times and text of the segments."""
    return [(s.start_s, s.end_s, s.text) for s in segments(found)]


def notices(found: list[Heard]) -> str:
    """All notices, one a line."""
    return "\n".join(h.text for h in found if isinstance(h, EngineWarning))


# -------------------------------------------------------------------------- windows


@pytest.mark.parametrize(
    ("tokens", "pieces", "advance_s"),
    [
        # Closed by one time at the end: nobody speaks behind it.
        ([at(0), 1, 2, at(2)], [(0, 2)], 30),
        ([at(0), 1, at(2), at(3), 2, at(4)], [(0, 2), (3, 4)], 30),
        # Text behind the last pair is left to the next window.
        ([at(0), 1, at(2), at(3), 2], [(0, 2)], 2),
        # A pair at the very end: the next window begins there.
        ([at(0), 1, at(2), at(2)], [(0, 2)], 2),
        # No pair at all: one piece, the missing time is the window's.
        ([at(1), 1, 2], [(1, 30)], 30),
        ([1, 2], [(0, 30)], 30),
        ([], [(0, 30)], 30),
        # A pair at the very start gets nowhere: on with the next window.
        ([at(0), at(0), 1], [(0, 30), (0, 30)], 30),
        # Times in the padding behind the sound.
        ([at(0), 1, at(29), at(31), 2, at(33)], [(0, 29), (30, 30)], 30),
    ],
)
def test_times_cut_a_window_into_pieces_and_say_where_to_go_on(
    tokens: list[int], pieces: list[tuple[float, float]], advance_s: float
) -> None:
    """Whisper's way of going through a long recording."""
    result, advance = cut(tokens, FIRST_TIME, 30.0)

    assert [(p.start_s, p.end_s) for p in result] == pieces
    assert advance == advance_s


def test_where_no_window_follows_the_last_words_are_kept() -> None:
    """A stretch that ends in a pause is decoded once."""
    result, advance = cut([at(0), 1, at(2), at(3), 2], FIRST_TIME, 10.0, whole=True)

    assert result == [TextPiece(0.0, 2.0, (at(0), 1, at(2))), TextPiece(3.0, 10.0, (at(3), 2))]
    assert advance == 10.0


def test_stretches_are_joined_up_to_the_longest() -> None:
    """A pause within a stretch stays in it."""
    assert list(joined([(2, 4), (6, 9), (10, 12), (20, 31)], 10)) == [(2, 12), (20, 31)]
    assert list(joined([], 10)) == []


def test_speech_across_the_end_of_a_block_is_heard_whole() -> None:
    """A long recording is listened to in blocks of five minutes, so that a cancel is heeded."""
    samples = np.zeros(700 * RATE_HZ, dtype=np.float32)
    speech = [(10, 20), (290, 310), (320, 330), (650, 660)]
    items: list[float] = []

    def find(block: Any, longest_s: float) -> list[tuple[int, int]]:
        start_s, end_s = sum(items), sum(items) + len(block) / RATE_HZ
        values = [(max(a, start_s), min(b, end_s)) for a, b in speech if a < end_s and b > start_s]
        # The next block begins where the last speech of this one did, if that was cut.
        cut = len(values) > 1 and values[-1][1] == end_s
        items.append((values[-1][0] if cut else end_s) - start_s)
        return [(int((a - start_s) * RATE_HZ), int((b - start_s) * RATE_HZ)) for a, b in values]

    blocks = list(voiced(samples, 30.0, find))
    spans = [(a / RATE_HZ, b / RATE_HZ) for result, _ in blocks for a, b in result]

    assert [reached / RATE_HZ for _, reached in blocks] == [290, 590, 700]
    assert spans == [(10, 20), (290, 310), (320, 330), (650, 660)]


# ---------------------------------------------------------------------------- words


def test_tokens_begin_where_attention_moves_on() -> None:
    """Each of three tokens looks at a stretch of its own."""
    weights = np.full((3, 10), -1.0)
    weights[0, :4] = weights[1, 4:7] = weights[2, 7:] = 1.0

    assert starts_of(weights) == pytest.approx([0.0, 0.08, 0.14])


def test_the_way_found_is_the_cheapest_there_is() -> None:
    """Against the textbook's double loop, on random weights."""
    weights = np.random.default_rng(7).normal(size=(5, 9))
    best = np.full((6, 10), np.inf)
    best[0, 0] = 0.0
    for i in range(5):
        for j in range(9):
            best[i + 1, j + 1] = min(best[i, j], best[i, j + 1], best[i + 1, j]) - weights[i, j]
    first = (starts_of(weights) / 0.02).round().astype(int)
    # The cheapest way that enters each row where ours does.
    ours = np.full((6, 10), np.inf)
    ours[0, 0] = 0.0
    for i in range(5):
        for j in range(first[i], 9):
            came = ours[i + 1, j] if j > first[i] else min(ours[i, j], ours[i, j + 1])
            ours[i + 1, j + 1] = came - weights[i, j]

    assert ours[5, 9] == pytest.approx(best[5, 9])


@pytest.mark.parametrize(
    ("pieces", "spaced", "words"),
    [
        ([" Hel", "lo", ",", " you", "."], True, [(" Hello,", 3), (" you.", 2)]),
        ([" well", "-", "known"], True, [(" well-known", 3)]),
        ([" he", " said", ' "', "Yes", '"'], True, [(" he", 1), (" said", 1), (' "Yes"', 3)]),
        ([" so", " …", " then"], True, [(" so …", 2), (" then", 1)]),
        (["今", "日", "は", "。"], False, [("今", 1), ("日", 1), ("は。", 2)]),
        (["「", "は", "い", "」"], False, [("「は", 2), ("い」", 2)]),
    ],
)
def test_tokens_become_words_as_they_are_written(
    pieces: list[str], spaced: bool, words: list[tuple[str, int]]
) -> None:
    """With and without spaces; marks go with the word they stand at."""

    def read(tokens: Any) -> str:
        return "".join(pieces[t] for t in tokens)

    assert group(range(len(pieces)), read, spaced=spaced) == words


def test_a_character_of_several_tokens_is_one_word() -> None:
    """Half a character is nobody's word."""
    raw = ["日".encode(), "本".encode()]
    tokens = [raw[0][:1], raw[0][1:], raw[1][:2], raw[1][2:]]

    def read(chosen: Any) -> str:
        return b"".join(tokens[t] for t in chosen).decode(errors="replace")

    assert group(range(4), read, spaced=False) == [("日", 2), ("本", 2)]


def test_a_pause_is_taken_off_the_word_before_it() -> None:
    """The way through the weights has nowhere else to put it."""
    lexicon = Lexicon()
    tokens = lexicon.write("one two three four")
    starts_s = np.array([0.0, 5.0, 5.2, 9.0, 9.2])
    result = words_of(tokens, Alignment(starts_s, np.full(4, 0.5)), 0, lexicon.read, "en")

    edges = [t for w in result for t in (w.start, w.end)]
    assert edges == pytest.approx([3.6, 5.0, 5.0, 5.2, 5.2, 6.6, 9.0, 9.2])


# ---------------------------------------------------------------------------- wishes


@pytest.mark.parametrize(
    ("config", "name", "longest_s"),
    [
        ({"decoder_layers": 2, "num_mel_bins": 128}, "freds0/distil-whisper-large-v3-ptbr", 25),
        ({"decoder_layers": 2, "num_mel_bins": 80}, "./mine", 15),
        ({"decoder_layers": 4, "num_mel_bins": 80}, "distil-whisper/distil-small.en", 15),
        ({"decoder_layers": 4, "num_mel_bins": 128}, "openai/whisper-large-v3-turbo", 30),
        ({"decoder_layers": 6, "num_mel_bins": 80}, "base", 30),
    ],
)
def test_distilled_checkpoints_get_the_stretches_their_authors_advise(
    config: dict[str, Any], name: str, longest_s: float
) -> None:
    """Known by two decoder layers, or by name."""
    assert stretch_s(config, name) == longest_s


@pytest.mark.parametrize(
    ("name", "value", "field", "passed"),
    [
        ("beam_size", 5, "beam_size", 5),
        ("best_of", 3, "best_of", 3),
        ("length_penalty", 0.5, "length_penalty", 0.5),
        ("repetition_penalty", 1.1, "repetition_penalty", 1.1),
        ("no_repeat_ngram_size", 3, "no_repeat_ngram_size", 3),
        ("suppress_blank", False, "suppress_blank", False),
        ("suppress_tokens", [1, 2], "suppress_tokens", (1, 2)),
        ("suppress_tokens", (), "suppress_tokens", ()),
        ("max_new_tokens", 40, "max_new_tokens", 40),
        ("temperature", (0.3,), "temperatures", (0.3,)),
        ("compression_ratio_threshold", 2.0, "compression_ratio_threshold", 2.0),
        ("log_prob_threshold", -0.5, "log_prob_threshold", -0.5),
        ("no_speech_threshold", 0.3, "no_speech_threshold", 0.3),
        ("without_timestamps", True, "times", False),
    ],
)
def test_how_to_decode_reaches_the_model(
    hear: Callable[..., list[Heard]], name: str, value: Any, field: str, passed: Any
) -> None:
    """Each option under our name for it; the rest keeps its default."""
    model = FakeWhisper([[0, "Hello.", 9]])
    hear(model, Options(**{name: value}))
    expected = {f.name: getattr(GenerationOptions(), f.name) for f in fields(GenerationOptions)} | {
        field: passed
    }

    assert {
        f.name: getattr(model.calls[0].how, f.name) for f in fields(GenerationOptions)
    } == expected


@pytest.mark.parametrize("name", sorted(f.name for f in fields(Options)))
def test_an_option_is_either_honoured_or_not_claimed(name: str) -> None:
    """What the loop has no use for becomes a warning elsewhere."""
    remaining = {"patience", "prefix", "hallucination_silence_threshold", "context", "diarize"}
    # What is decoded is settled before any engine.
    remaining |= {"audio_track", "channels"}
    # Every window's language is detected among all.
    remaining |= {"languages"}
    # What is done after the engine.
    remaining |= {"postprocess", *WHO_SPEAKS}

    assert (name in Transformers.capabilities.options) == (name not in remaining)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Options(language="xx"), r"'xx'.*\ben\b"),
        (Options(language="de"), "Model fake has no language 'de'; choose from: en, pt, ja"),
        (Options(task="sing"), "'sing'; choose from: transcribe, translate"),
        (Options(chunk_length=31), "30 or less, not 31"),
        (Options(beam_size=0), "beam_size must be 1 or more, not 0"),
        (Options(batch_size=-2), "batch_size must be 1 or more, not -2"),
        (Options(temperature=(0.0, -0.2)), "temperature must be 0 or more, not -0.2"),
    ],
)
def test_what_cannot_be_is_refused_with_the_choices(
    hear: Callable[..., list[Heard]], options: Options, message: str
) -> None:
    """Before anything is decoded."""
    model = FakeWhisper()
    with pytest.raises(InvalidOption, match=message):
        hear(model, options)

    assert model.heard == []


def test_an_english_model_says_what_it_ignores(hear: Callable[..., list[Heard]]) -> None:
    """It goes on, and its windows begin without language and task."""
    model = FakeWhisper([[0, "Hello.", 9]], multilingual=False)
    result = hear(model, Options(language="pt", task="translate", multilingual=True))

    assert "only knows English and cannot translate" in notices(result)
    assert "language 'pt' was ignored" in notices(result)
    assert model.calls[0].prompts == [[START]]
    assert Language("en") in result


def test_words_that_cannot_be_timed_are_told(hear: Callable[..., list[Heard]]) -> None:
    """A checkpoint without alignment heads gives text all the same."""
    model = FakeWhisper([[0, "Olá.", 9]], aligns=False)
    result = hear(model, Options(word_timestamps=True))

    assert "Words are not timed: model fake" in notices(result)
    assert [s.words for s in segments(result)] == [()]


# ---------------------------------------------------------------------------- the loop


def test_windows_follow_the_text_and_segments_come_as_each_is_done(
    engine_with: Callable[[FakeWhisper], Transformers],
) -> None:
    """The second window starts at the last time of the first, and is not asked for early."""
    model = FakeWhisper([[0, "One.", 8, 8, "Two", 20, 20, "cut o"], [0, "cut off.", 5]])
    run = engine_with(model).transcribe(voice(40.0), Options(language="en"), never)
    first = next(run)

    assert isinstance(first, Segment)
    assert (first.text, len(model.calls)) == ("One.", 1)
    rest = list(run)
    assert said(rest) == [(8.0, 20.0, "Two"), (20.0, 25.0, "cut off.")]
    assert model.heard == [30.0, 20.0]
    assert [h.done_s for h in rest if isinstance(h, Progress)] == [20.0, 40.0, 40.0]


def test_a_segment_carries_what_speaks_for_and_against_it(
    hear: Callable[..., list[Heard]],
) -> None:
    """The silence guard and people's doubts live on it."""
    (segment,) = segments(hear(FakeWhisper([[0, "Hello there.", 4]], no_speech=0.125)))

    assert (segment.avg_logprob, segment.no_speech_prob) == (-0.2, 0.125)
    assert segment.temperature == 0.0
    assert segment.compression_ratio == pytest.approx(12 / 20)


def test_the_language_is_found_once_and_told_first(hear: Callable[..., list[Heard]]) -> None:
    """With its probability; both windows are then asked in it."""
    model = FakeWhisper([[0, "Um.", 10, 10], [0, "Dois.", 9]])
    result = hear(model, seconds=35.0)

    assert result[0] == Language("pt", 0.7)
    assert [h for h in result if isinstance(h, Language)] == result[:1]
    head = [START, LANGUAGES["pt"], TRANSCRIBE]
    assert [call.prompts for call in model.calls] == [[head], [head]]


def test_a_given_language_and_task_head_every_window(hear: Callable[..., list[Heard]]) -> None:
    """Nothing is detected, and English is asked for."""
    model = FakeWhisper([[0, "Hello.", 9]])
    result = hear(model, Options(language="ja", task="translate"))

    assert model.calls[0].prompts == [[START, LANGUAGES["ja"], TRANSLATE]]
    assert not [h for h in result if isinstance(h, Language)]


def test_the_language_is_found_again_in_every_window_when_asked(
    hear: Callable[..., list[Heard]],
) -> None:
    """But told once."""
    model = FakeWhisper([[0, "Um.", 10, 10], [0, "Two.", 9]])
    looked = model.look

    def look(encodings: Any) -> Any:
        match = looked(encodings)
        model.spoken = {"en": 0.8, "pt": 0.1, "ja": 0.1}
        return match

    model.look = look  # type: ignore[method-assign]
    result = hear(model, Options(multilingual=True), seconds=35.0)

    assert [call.prompts[0][1] for call in model.calls] == [LANGUAGES["pt"], LANGUAGES["en"]]
    assert sum(isinstance(h, Language) for h in result) == 1


def test_unsound_text_is_decoded_again_less_strictly(hear: Callable[..., list[Heard]]) -> None:
    """Once it repeats itself, once the model is unsure, then it is good."""
    model = FakeWhisper()
    model.says = [
        GeneratedText(model.tokens([0, "la " * 100, 5]), -0.1),
        GeneratedText(model.tokens([0, "Unsure.", 5]), -1.5),
        GeneratedText(model.tokens([0, "Sound.", 9]), -0.3),
    ]
    result = hear(model)

    assert said(result) == [(0.0, 9.0, "Sound.")]
    assert [call.temperature for call in model.calls] == [0.0, 0.2, 0.4]
    assert segments(result)[0].temperature == 0.4


def test_the_last_attempt_stands_when_none_is_sound(hear: Callable[..., list[Heard]]) -> None:
    """Doubtful text is more use than none; the doubt is told."""
    model = FakeWhisper()
    model.says = [GeneratedText(model.tokens([0, word, 9]), -1.5) for word in ("a", "b")]
    result = hear(model, Options(temperature=(0.0, 1.0), silence_guard=False))

    assert [s.text for s in segments(result)] == ["b"]
    assert "Low confidence" in notices(result)


def test_a_window_where_nobody_speaks_is_skipped(hear: Callable[..., list[Heard]]) -> None:
    """Unsure text over likely silence is neither kept nor tried again."""
    model = FakeWhisper(no_speech=0.9)
    model.says = [GeneratedText(model.tokens([0, "You", 9]), -1.5)]
    result = hear(model)

    assert segments(result) == []
    assert len(model.calls) == 1


def test_a_prompt_stands_before_the_first_window_only(hear: Callable[..., list[Heard]]) -> None:
    """By default no text goes from window to window, as in the library."""
    model = FakeWhisper([[0, "One.", 10, 10], [0, "Two.", 9]])
    hear(model, Options(language="en", initial_prompt="Ana Beto"), seconds=35.0)
    head = [START, LANGUAGES["en"], TRANSCRIBE]
    names = model.vocabulary.write("Ana Beto")

    assert [c.prompts[0] for c in model.calls] == [[PREVIOUS, *names, *head], head]


def test_text_goes_on_to_the_next_window_when_asked(hear: Callable[..., list[Heard]]) -> None:
    """Behind the prompt, with its times; names to expect come before all of it."""
    model = FakeWhisper([[0, "One.", 10, 10], [0, "Two.", 9]])
    wish = Options(
        language="en", initial_prompt="Ana", hotwords="Whisper", condition_on_previous_text=True
    )
    hear(model, wish, seconds=35.0)
    write = model.vocabulary.write
    before = [PREVIOUS, *write("Whisper"), *write("Ana"), *model.tokens([0, "One.", 10])]

    assert model.calls[1].prompts[0][: len(before)] == before


def test_wild_text_does_not_go_on(hear: Callable[..., list[Heard]]) -> None:
    """What was sampled at a high temperature would lead the next window astray."""
    model = FakeWhisper([[0, "One.", 10, 10], [0, "Two.", 9]])
    hear(model, Options(condition_on_previous_text=True, temperature=(0.8,)), seconds=35.0)

    assert PREVIOUS not in model.calls[1].prompts[0]


def test_the_text_before_a_window_leaves_room_for_its_own(
    hear: Callable[..., list[Heard]],
) -> None:
    """Half of what the model holds, the latest part."""
    model = FakeWhisper([[0, "One.", 9]], context=20)
    words = [f"w{n}" for n in range(30)]
    hear(model, Options(language="en", initial_prompt=" ".join(words)))
    before = model.calls[0].prompts[0][1:-3]

    assert model.vocabulary.read(before).split() == words[-9:]


def test_without_times_each_window_is_one_segment(hear: Callable[..., list[Heard]]) -> None:
    """The model is told so, and the window's own ends are the times."""
    model = FakeWhisper([["One two."], ["Three."]])
    result = hear(model, Options(without_timestamps=True, language="en"), seconds=35.0)

    assert said(result) == [(0.0, 30.0, "One two."), (30.0, 35.0, "Three.")]
    assert model.calls[0].prompts[0][-1] == NO_TIMES


def test_a_shorter_window_is_one_when_asked(hear: Callable[..., list[Heard]]) -> None:
    """chunk_length in sequence."""
    model = FakeWhisper([[0, "One.", 9], [0, "Two.", 9], [0, "Three.", 4]])
    result = hear(model, Options(chunk_length=10), seconds=25.0)

    assert model.heard == [10.0, 10.0, 5.0]
    assert [s.start_s for s in segments(result)] == [0.0, 10.0, 20.0]


def test_only_the_stretches_asked_for_are_decoded(hear: Callable[..., list[Heard]]) -> None:
    """Moved to the clip's own time; an odd start is open."""
    model = FakeWhisper([[0, "One.", 1], [0, "Two.", 1]])
    result = hear(model, Options(clip_timestamps=(8.0, 12.0, 13.0)), seconds=5.0, start_s=10.0)

    assert said(result) == [(0.0, 1.0, "One."), (3.0, 4.0, "Two.")]
    assert model.heard == [2.0, 2.0]


def test_a_clip_outside_every_stretch_is_not_decoded(hear: Callable[..., list[Heard]]) -> None:
    """Nothing is asked of the model where nothing is wanted."""
    model = FakeWhisper()
    result = hear(model, Options(clip_timestamps=(0.0, 9.0)), start_s=10.0)

    assert (model.heard, segments(result)) == ([], [])


def test_words_get_times_within_their_segments(hear: Callable[..., list[Heard]]) -> None:
    """The second segment's words go on where the first one's ended in the text."""
    model = FakeWhisper([[0, "One two", 0.5, 0.5, "three four.", 1.0]])
    result = hear(model, Options(word_timestamps=True, language="en"))

    words = [[(w.text, w.start_s, w.end_s) for w in s.words] for s in segments(result)]
    assert words == [
        [("One", 0.0, 0.25), ("two", 0.25, 0.5)],
        [("three", 0.5, 0.75), ("four.", 0.75, 1.0)],
    ]
    assert model.aligned == [[START, LANGUAGES["en"], TRANSCRIBE]]


# --------------------------------------------------------------------------- in batches


def batched(model: FakeWhisper, options: Options, spans: list[tuple[int, int]]) -> list[Any]:
    """All that is heard in stretches (s) that somebody cut."""
    clip = voice(60.0)
    plan = plan_for(options, clip, model, "fake")
    cuts = [(a * RATE_HZ, b * RATE_HZ) for a, b in spans]
    blocks = [(cuts[:1], cuts[0][1]), ([], 30 * RATE_HZ), (cuts[1:], 60 * RATE_HZ)]
    return list(
        WindowedTranscription(model, clip, plan, cutter=lambda samples, longest_s: blocks).run()
    )


def test_stretches_are_decoded_side_by_side() -> None:
    """Two at once, times moved to where each stretch begins, the end of each kept."""
    model = FakeWhisper([[0, "One.", 4], [1, "Two", 5, 5, "and on"], [0, "Three.", 9]])
    result = batched(model, Options(batch_size=2, language="en"), [(0, 5), (10, 20), (40, 50)])

    assert [len(call.windows) for call in model.calls] == [2, 1]
    assert [(r.start, r.end, r.text) for r in result if not isinstance(r, Progress)] == [
        (0.0, 4.0, " One."),
        (11.0, 15.0, " Two"),
        (15.0, 20.0, " and on"),
        (40.0, 49.0, " Three."),
    ]
    # Never past what waits to be decoded.
    assert [r.done_s for r in result if isinstance(r, Progress)] == [0, 0, 5, 20, 40, 50]


def test_in_a_batch_only_unsound_stretches_are_decoded_again() -> None:
    """The others keep their first text."""
    model = FakeWhisper([[0, "One.", 4]])
    model.says += [GeneratedText(model.tokens([0, "Bad.", 4]), -2.0), [0, "Good.", 4]]
    result = batched(model, Options(batch_size=2, language="en"), [(0, 5), (10, 15)])

    assert [len(call.windows) for call in model.calls] == [2, 1]
    assert [r.text for r in result if not isinstance(r, Progress)] == [" One.", " Good."]


def test_without_looking_for_voices_there_are_no_batches(hear: Callable[..., list[Heard]]) -> None:
    """Said where it makes a difference: cutting blindly would cut words."""
    wish = Options(batch_size=4, vad_filter=False)

    assert "decoded in sequence" in notices(hear(FakeWhisper(), wish, seconds=40.0))
    assert "decoded in sequence" not in notices(hear(FakeWhisper(), wish, seconds=10.0))


def test_in_batches_no_text_goes_from_stretch_to_stretch(
    hear: Callable[..., list[Heard]],
) -> None:
    """And that is said."""
    result = hear(FakeWhisper(), Options(batch_size=4, condition_on_previous_text=True))

    assert "condition_on_previous_text is ignored" in notices(result)


# ----------------------------------------------------------------------- cancel, errors


def test_a_cancel_within_a_window_ends_the_clip(hear: Callable[..., list[Heard]]) -> None:
    """Nothing comes after it, and nothing more is decoded."""
    cancels: list[bool] = []
    model = FakeWhisper([[0, "One.", 10, 10], [0, "Two.", 9]])
    model.cancel_within = lambda: cancels.append(True) if len(model.calls) == 2 else None
    result = hear(model, seconds=35.0, canceled=lambda: bool(cancels))

    assert [s.text for s in segments(result)] == ["One."]
    assert len(model.calls) == 2


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), OutOfMemory),
        (RuntimeError("shapes do not match"), EngineFailed),
    ],
)
def test_an_error_of_the_library_is_one_of_ours(
    hear: Callable[..., list[Heard]], error: Exception, expected: type[Exception]
) -> None:
    """With its text."""
    with pytest.raises(expected, match=str(error).split(":", maxsplit=1)[0]):
        hear(FakeWhisper([error]))


def test_another_kind_of_checkpoint_is_refused_by_name(folder: Path) -> None:
    """Before any library is asked to load it."""
    (folder / "config.json").write_text('{"model_type": "wav2vec2"}')
    engine = Transformers(opener=lambda *_: pytest.fail("it was loaded"))
    with pytest.raises(ModelUnavailable, match=r"'wav2vec2'.*Whisper checkpoints only"):
        engine.load(LoadRequest(ModelFiles("org/other", folder, "huggingface"), device="cpu"))


@pytest.mark.parametrize("content", ["", "[1, 2]", None])
def test_a_folder_without_a_readable_config_is_no_model(folder: Path, content: str | None) -> None:
    """The message names the model."""
    path = folder / "config.json"
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(ModelUnavailable, match="'mine'"):
        Transformers(opener=lambda *_: FakeWhisper()).load(
            LoadRequest(ModelFiles("mine", folder, "huggingface"), device="cpu")
        )


def test_a_model_that_does_not_load_says_which_and_why(folder: Path) -> None:
    """The library's words, and the folder."""

    def opener(*_: Any) -> Any:
        raise OSError("no file named model.safetensors")

    with pytest.raises(ModelUnavailable, match=r"'mine'.*no file named model\.safetensors"):
        Transformers(opener=opener).load(
            LoadRequest(ModelFiles("mine", folder, "huggingface"), device="cpu")
        )


def test_an_impossible_number_format_is_refused(folder: Path) -> None:
    """With those there are."""
    request = LoadRequest(ModelFiles("mine", folder, "huggingface"), "cpu", compute_type="int8")
    with pytest.raises(InvalidOption, match=r"'int8'.*bfloat16, float16, float32"):
        Transformers(opener=lambda *_: FakeWhisper()).load(request)


def test_missing_libraries_are_named_with_the_line_to_type(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both when asked and when loading."""
    monkeypatch.setattr(
        "hybrid_transcribe.engines.transformers.engine.find_spec", lambda name: None
    )
    why_not = Transformers().available(Settings())

    assert why_not is not None
    assert why_not.endswith("pip install 'hybrid-transcribe[transformers]'")
    with pytest.raises(EngineUnavailable, match="transformers, torch are not installed"):
        Transformers().load(LoadRequest(ModelFiles("mine", folder, "huggingface")))


def test_unloaded_it_lets_go_and_refuses(
    engine_with: Callable[[FakeWhisper], Transformers],
) -> None:
    """Twice is once."""
    model = FakeWhisper()
    engine = engine_with(model)
    engine.unload()
    engine.unload()

    assert model.closed
    with pytest.raises(EngineFailed, match="No model is loaded"):
        next(engine.transcribe(voice(), Options(), never))


# ------------------------------------------------------------------------ the real thing

real = [
    pytest.mark.model,
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("transformers") is None, reason="transformers is not installed"),
]


def files_of(name: str) -> ModelFiles:
    """A model that needs no network; the test is skipped where it is not here."""
    try:
        return resolve(name, "huggingface", Settings.load(offline=True))
    except ModelUnavailable as error:
        pytest.skip(str(error))


def _loaded(name: str) -> Iterator[Transformers]:
    engine = Transformers()
    engine.load(LoadRequest(files_of(name), device="cpu"))
    yield engine
    engine.unload()


@pytest.fixture(scope="module")
def tiny() -> Iterator[Transformers]:
    """English only, and quick."""
    yield from _loaded("tiny.en")


@pytest.fixture(scope="module")
def base() -> Iterator[Transformers]:
    """Multilingual."""
    yield from _loaded("base")


def samples_of(speech_dir: Path, clips: list[dict[str, Any]], clip_id: str) -> Any:
    """The sound of a recording of the manifest."""
    (clip,) = (c for c in clips if c["id"] == clip_id)
    return decode_audio(str(speech_dir / clip["file"]))


def text_of(engine: Transformers, samples: Any, **options: Any) -> str:
    """What is said."""
    result = segments(list(engine.transcribe(Clip(samples), Options(**options), never)))
    return " ".join(s.text for s in result)


class TestReal:
    """Real weights, real speech."""

    pytestmark = real

    @pytest.mark.parametrize("name", ["tiny.en", "base"])
    def test_the_text_is_that_of_the_librarys_own_generate(
        self, request: pytest.FixtureRequest, speech_dir: Path, manifest: Any, name: str
    ) -> None:
        """Greedy, word for word, on the same weights; the first four clips of its languages."""
        from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration, logging

        engine: Transformers = request.getfixturevalue(name.split(".", maxsplit=1)[0])
        folder = files_of(name).folder
        logging.set_verbosity_error()
        logging.disable_progress_bar()
        network = WhisperForConditionalGeneration.from_pretrained(folder).float().eval()
        extract = WhisperFeatureExtractor.from_pretrained(folder)
        of_one = {c["language"]: c for c in reversed(manifest) if c["transcript_trust"] != "none"}
        english = [c for c in manifest if c["language"] == "en"]
        for clip in english[:4] if name == "tiny.en" else list(of_one.values())[:4]:
            samples = decode_audio(str(speech_dir / clip["file"]))[: 30 * RATE_HZ]
            by_name = {} if name == "tiny.en" else {"language": clip["language"]}
            value = extract(samples, sampling_rate=RATE_HZ, return_tensors="pt").input_features
            tokens = network.generate(value, return_timestamps=False, **by_name)[0]
            vocabulary = engine._model.vocabulary  # type: ignore[union-attr]
            theirs = vocabulary.read(vocabulary.text_only(tokens.tolist())).strip()
            ours = text_of(
                engine,
                samples,
                **by_name,
                without_timestamps=True,
                silence_guard=False,
                temperature=(0.0,),
            )

            assert theirs, clip["id"]
            assert ours == theirs, clip["id"]

    def test_a_long_recording_comes_in_order_as_good_as_faster_whispers(
        self, tiny: Transformers, speech_dir: Path, manifest: Any
    ) -> None:
        """The first 70 s: in sequence and in batches, at most 3 points more wrong words."""
        from tests.engines.mistakes import wrong_words

        samples = samples_of(speech_dir, manifest, "long_dev")[: 70 * RATE_HZ]
        (long,) = (c for c in manifest if c["id"] == "long_dev")
        spoken = json.loads((speech_dir / "long_dev.segments.json").read_text(encoding="utf-8"))
        assert long["transcript_trust"] == "reference"
        reference = " ".join(s["text"] for s in spoken if s["end"] <= 70)
        rates = {}
        for generation, options in (("sequence", Options()), ("batches", Options(batch_size=2))):
            result = segments(list(tiny.transcribe(Clip(samples), options, never)))
            edges = [t for s in result for t in (s.start_s, s.end_s)]
            assert edges == sorted(edges)
            rates[generation] = wrong_words(reference, " ".join(s.text for s in result))
        rates["faster-whisper"] = wrong_words(reference, _by_faster_whisper(samples))
        print(rates)

        assert max(rates.values()) <= rates["faster-whisper"] + 0.03

    def test_words_lie_inside_their_segments_and_are_likely(
        self, base: Transformers, speech_dir: Path, manifest: Any
    ) -> None:
        """In Japanese, which has no spaces, as in Portuguese."""
        for clip_id, language in (("leo_ja", "ja"), ("leo_pt", "pt")):
            samples = samples_of(speech_dir, manifest, clip_id)
            options = Options(language=language, word_timestamps=True)
            result = segments(list(base.transcribe(Clip(samples), options, never)))

            assert sum(len(s.words) for s in result) > 5
            for s in result:
                edges = [t for w in s.words for t in (w.start_s, w.end_s)]
                assert edges == sorted(edges)
                assert all(s.start_s <= t <= s.end_s for t in edges)
                assert all(0 <= w.probability <= 1 for w in s.words if w.probability is not None)
                assert "".join(w.text for w in s.words) == s.text.replace(" ", "")

    def test_word_times_are_near_faster_whispers(self, tiny: Transformers, sample: Path) -> None:
        """The same words begin within a fifth of a second, in the middle."""
        from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper

        other = FasterWhisper()
        files = resolve("tiny.en", "ctranslate2", Settings.load(offline=True))
        other.load(LoadRequest(files, device="cpu", compute_type="float32"))
        clip, options = Clip(decode_audio(str(sample))), Options(word_timestamps=True, beam_size=1)
        starts = []
        for engine in (tiny, other):
            result = segments(list(engine.transcribe(clip, options, never)))
            starts.append({w.text.strip(",.").lower(): w.start_s for s in result for w in s.words})
        ours, theirs = starts
        apart = [abs(ours[word] - theirs[word]) for word in ours.keys() & theirs.keys()]

        assert len(apart) > 10
        assert np.median(apart) <= 0.2

    @pytest.mark.parametrize(
        ("clip_id", "language"), [("leo_de", "de"), ("leo_es", "es"), ("ds_ru", "ru")]
    )
    def test_the_language_is_recognised(
        self, base: Transformers, speech_dir: Path, manifest: Any, clip_id: str, language: str
    ) -> None:
        """And likely."""
        samples = samples_of(speech_dir, manifest, clip_id)
        items = list(base.transcribe(Clip(samples), Options(), never))
        (message,) = (h for h in items if isinstance(h, Language))

        assert message.code == language
        assert message.probability is not None
        assert message.probability > 0.5

    def test_translated_it_is_english(
        self, base: Transformers, speech_dir: Path, manifest: Any
    ) -> None:
        """German in, English out."""
        samples = samples_of(speech_dir, manifest, "leo_de")
        text = text_of(base, samples, language="de", task="translate")

        assert {"the", "and", "is", "to", "of", "a", "i"} & set(text.lower().split()), text

    def test_a_beam_and_its_penalties_give_sound_text(
        self, tiny: Transformers, sample: Path
    ) -> None:
        """Beam search goes through other code of the library, and has its own scores."""
        samples = decode_audio(str(sample))
        options = Options(
            beam_size=3, length_penalty=0.8, repetition_penalty=1.05, no_repeat_ngram_size=4
        )
        result = segments(list(tiny.transcribe(Clip(samples), options, never)))

        assert "country" in " ".join(s.text for s in result)
        assert all(-1 < s.avg_logprob < 0 for s in result if s.avg_logprob is not None)

    def test_a_cancel_within_a_window_is_heeded_at_the_next_layer(
        self, tiny: Transformers, sample: Path
    ) -> None:
        """However often it was asked before, it is not asked again once it said yes."""
        items: list[int] = []

        def canceled() -> bool:
            items.append(1)
            return len(items) > 20

        samples = decode_audio(str(sample))
        values = list(tiny.transcribe(Clip(samples), Options(silence_guard=False), canceled))

        assert segments(values) == []
        # Once by the layer, once before whatever would be yielded next.
        assert len(items) <= 22

    def test_nothing_is_asked_of_a_network_and_nothing_is_printed(
        self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], sample: Path
    ) -> None:
        """Loading and transcribing, from the folder alone."""
        files = files_of("tiny.en")

        def refuse(*_: Any) -> None:
            raise AssertionError("a network was asked")

        monkeypatch.setattr(socket.socket, "connect", refuse)
        engine = Transformers()
        capfd.readouterr()
        engine.load(LoadRequest(files, device="cpu"))
        text = text_of(engine, decode_audio(str(sample)))
        engine.unload()
        written = capfd.readouterr()

        assert "country" in text
        assert (written.out, written.err) == ("", "")

    def test_unloaded_it_gives_its_memory_back(self) -> None:
        """No weight of it is left in the process."""
        import gc
        import weakref

        engine = Transformers()
        engine.load(LoadRequest(files_of("tiny.en"), device="cpu"))
        network = weakref.ref(engine._model._network)  # type: ignore[union-attr]
        engine.unload()
        gc.collect()

        assert network() is None


def _by_faster_whisper(samples: Any) -> str:
    from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper

    engine = FasterWhisper()
    files = resolve("tiny.en", "ctranslate2", Settings.load(offline=True))
    engine.load(LoadRequest(files, device="cpu", compute_type="float32"))
    result = engine.transcribe(Clip(samples), Options(beam_size=1, context="full"), never)
    return " ".join(s.text for s in result if isinstance(s, Segment))
