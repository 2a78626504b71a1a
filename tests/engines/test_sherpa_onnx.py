"""sherpa-onnx: folders told apart, pieces in order, words with times, and real speech."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from faster_whisper.audio import decode_audio
from onnx import TensorProto, helper

from hybrid_transcribe import Service
from hybrid_transcribe.comparison.words import count
from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.sherpa_onnx.engine import SherpaOnnx
from hybrid_transcribe.engines.sherpa_onnx.families import (
    FAMILIES,
    Family,
    recognize_folder,
)
from hybrid_transcribe.engines.sherpa_onnx.onnx_metadata import read_metadata
from hybrid_transcribe.engines.sherpa_onnx.recognizer import Recognition
from hybrid_transcribe.engines.sherpa_onnx.request import plan_for
from hybrid_transcribe.engines.sherpa_onnx.segments import segments_of, words_of
from hybrid_transcribe.errors import EngineFailed, InvalidOption, ModelUnavailable
from hybrid_transcribe.interfaces import (
    ClipDone,
    EngineWarning,
    Language,
    LoadRequest,
    ModelFiles,
    Progress,
)
from hybrid_transcribe.models import resolve
from hybrid_transcribe.samples import sample
from hybrid_transcribe.testing import check_engine
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment
from tests.engines.fakes import never, swelling, voice
from tests.engines.moonshine import NAME, moonshine_folder
from tests.engines.tdt_graph import METADATA, bursts, write_tdt
from tests.services import until_segment, worker_pid

BY_NAME = {family.name: family for family in FAMILIES}


# ------------------------------------------------------------------- which family a folder is


def onnx_file(path: Path, **metadata: str) -> None:
    """A graph that does nothing, with such metadata."""
    value = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])
    copy = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", [value], [copy])
    model = helper.make_model(graph)
    for key, text in metadata.items():
        model.metadata_props.add(key=key, value=text)
    onnx.save(model, path)


def folder_of(family: Family, folder: Path) -> Path:
    """A folder as that family's published ones are, without weights."""
    folder.mkdir(exist_ok=True)
    n_symbols = 3
    n_words = n_symbols - (family.n_symbols_over_vocabulary or 0)
    pairs = {**dict.fromkeys(family.metadata, "1"), "vocab_size": str(n_words)}
    model_type = min(family.model_types, default="")
    for stem in family.files.values():
        if family.model_types:
            onnx_file(folder / f"{stem}.int8.onnx", model_type=model_type, **pairs)
        else:
            (folder / f"{stem}.ort").write_bytes(b"\0" * 64)
    (folder / "tokens.txt").write_text("a 0\nb 1\n<blk> 2\n", encoding="utf-8")
    return folder


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_folder_is_recognised_by_its_files(family: Family, tmp_path: Path) -> None:
    """Each family, with the files to open."""
    result = recognize_folder(folder_of(family, tmp_path), "mine")

    assert result.family == family
    assert set(result.files) == set(family.files)
    assert all(path.is_file() for path in result.files.values())
    assert result.compute_type == "int8"


def test_a_folder_of_no_family_is_refused_with_what_is_in_it(tmp_path: Path) -> None:
    """So that people see what they pointed at."""
    onnx_file(tmp_path / "model.onnx", model_type="vits")
    (tmp_path / "tokens.txt").write_text("a 0\n", encoding="utf-8")

    with pytest.raises(ModelUnavailable, match=r"model\.onnx, tokens\.txt \(model_type 'vits'\)"):
        recognize_folder(tmp_path, "mine")


def test_of_two_number_formats_int8_is_taken_unless_asked(tmp_path: Path) -> None:
    """Published folders often hold both."""
    write_tdt(tmp_path)
    (tmp_path / "encoder.onnx").write_bytes((tmp_path / "encoder.int8.onnx").read_bytes())

    assert recognize_folder(tmp_path, "mine").files["encoder"].name == "encoder.int8.onnx"
    plain = recognize_folder(tmp_path, "mine", "float32")
    assert (plain.files["encoder"].name, plain.compute_type) == ("encoder.onnx", "float32")
    with pytest.raises(InvalidOption, match=r"'int4'.*int8, float32"):
        recognize_folder(tmp_path, "mine", "int4")


def test_two_files_of_one_role_are_not_guessed_at(tmp_path: Path) -> None:
    """Weights of different epochs may lie in one folder."""
    write_tdt(tmp_path)
    (tmp_path / "encoder-epoch-9.int8.onnx").write_bytes(b"")

    with pytest.raises(ModelUnavailable, match=r"several files encoder: .*epoch-9.*leave one"):
        recognize_folder(tmp_path, "mine")


def test_a_streaming_model_is_refused(tmp_path: Path) -> None:
    """It has the same files and the same type."""
    write_tdt(tmp_path, chunk_shift="7")

    with pytest.raises(ModelUnavailable, match="made for streaming"):
        recognize_folder(tmp_path, "mine")


def test_metadata_is_read_past_the_weights(tmp_path: Path) -> None:
    """What onnx wrote, whole and in order."""
    write_tdt(tmp_path)

    assert read_metadata(tmp_path / "encoder.int8.onnx") == METADATA
    assert read_metadata(tmp_path / "joiner.int8.onnx") == {}


# ------------------------------------------------------------------------ words and segments


def test_words_take_their_times_from_tokens() -> None:
    """A comma belongs to the word before it, and takes no time."""
    words = words_of(
        Recognition(
            "Bom dia, mundo",
            (" Bom", " di", "a", ",", " mundo"),
            (0.0, 0.4, 0.56, 0.72, 1.2),
            (0.24, 0.16, 0.16, 0.08, 0.4),
        )
    )

    assert [(w.word, w.start, w.end) for w in words] == [
        (" Bom", 0.0, 0.24),
        (" dia,", 0.4, 0.72),
        (" mundo", 1.2, 1.6),
    ]


def test_without_durations_a_token_lasts_until_the_next() -> None:
    """And not for ever before a pause."""
    words = words_of(Recognition("a b", (" a", " b"), (0.1, 2.0)))

    assert [(w.start, w.end) for w in words] == [(0.1, 0.5), (2.0, 2.4)]


def test_scripts_without_spaces_have_a_word_a_character() -> None:
    """SenseVoice writes Chinese and English side by side."""
    words = words_of(Recognition("你好 ok", ("你", "好", " ok"), (0.0, 0.3, 0.8)))

    assert [w.word for w in words] == ["你", "好", " ok"]


def test_segments_end_with_sentences_and_long_pauses() -> None:
    """Not behind an abbreviation that goes on."""
    tokens = (" Mr.", " Hale", " left.", " Good", " bye")
    starts_s = (0.0, 0.3, 0.6, 1.4, 3.0)
    durations_s = (0.25, 0.25, 0.3, 0.3, 0.3)
    recognition = Recognition("Mr. Hale left. Good bye", tokens, starts_s, durations_s)
    segments = list(segments_of(recognition, 10.0, 14.0, with_words=True))

    assert [(s.start, s.end, s.text) for s in segments] == [
        (10.0, 10.9, "Mr. Hale left."),
        (11.4, 11.7, "Good"),
        (13.0, 13.3, "bye"),
    ]
    assert [w.word for w in segments[0].words] == [" Mr.", " Hale", " left."]


def test_text_that_is_no_sequence_of_the_tokens_stays_whole() -> None:
    """Figures may be written out afterwards."""
    recognition = Recognition("7 dogs", (" seven", " dogs"), (0.0, 2.0))
    (segment,) = segments_of(recognition, 0.0, 5.0, with_words=False)

    assert (segment.text, segment.start, segment.end) == ("7 dogs", 0.0, 2.4)


def test_without_times_the_piece_is_the_segment() -> None:
    """As with Moonshine."""
    (segment,) = segments_of(Recognition("la " * 60), 3.0, 9.0, with_words=True)

    assert (segment.start, segment.end, segment.words) == (3.0, 9.0, ())
    assert segment.compression_ratio is not None
    assert segment.compression_ratio > 2.4


# ---------------------------------------------------------------------------- what is asked


def test_a_language_the_model_reads_is_taken() -> None:
    """With its region, and without knowing the model."""
    clip = voice()
    for languages in (("en", "pt"), ()):
        plan = plan_for(Options(language="pt-BR"), clip, "m", BY_NAME["transducer"], languages)
        assert (plan.language, plan.announced, plan.notices) == ("pt", None, ())


def test_an_only_language_is_announced_and_another_ignored() -> None:
    """Going on is more use than failing."""
    plan = plan_for(Options(language="pt"), voice(), "m", BY_NAME["moonshine-v2"], ("en",))

    assert (plan.language, plan.announced) == (None, "en")
    assert "language 'pt' was ignored" in plan.notices[0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (Options(language="ja"), r"no language 'ja'; choose from: en, pt"),
        (Options(language="xx"), "'xx'"),
        (Options(task="translate"), "cannot translate"),
        (Options(task="sing"), "'sing'"),
    ],
)
def test_what_the_model_cannot_do_is_the_callers_mistake(options: Options, said: str) -> None:
    """Before anything is recognised."""
    with pytest.raises(InvalidOption, match=said):
        plan_for(options, voice(), "m", BY_NAME["nemo-transducer"], ("en", "pt"))


def test_canary_is_told_the_language_and_translates() -> None:
    """It finds none by itself."""
    family = BY_NAME["canary"]
    plan = plan_for(Options(), voice(), "m", family, family.languages)
    assert (plan.language, plan.announced) == ("en", "en")
    assert "English was taken" in plan.notices[0]

    plan = plan_for(
        Options(language="de", task="translate"), voice(), "m", family, family.languages
    )
    assert (plan.language, plan.translate, plan.notices) == ("de", True, ())


# ----------------------------------------------------------------- the engine, without a model


@dataclass
class FakeRecognizer:
    """Stands for a loaded model: ``recognizes`` answers for samples; counts the calls."""

    recognizes: Callable[[Any], Recognition] = lambda samples: Recognition(f"{len(samples)}")
    languages: list[tuple[str | None, bool]] = field(default_factory=list)
    n_calls: int = 0

    def choose_language(self, language: str | None, *, translate: bool = False) -> None:
        """Remembers it."""
        self.languages.append((language, translate))

    def recognize(self, samples: Any) -> Recognition:
        """As `Recognizer.recognize`."""
        self.n_calls += 1
        return self.recognizes(samples)


def engine_with(recognizer: FakeRecognizer, folder: Path, n_threads: int = 2) -> SherpaOnnx:
    """An engine that has loaded it."""
    engine = SherpaOnnx(opener=lambda _: recognizer)  # type: ignore[arg-type,return-value]
    model = ModelFiles("fake", write_tdt(folder), "sherpa-onnx")
    engine.load(LoadRequest(model, cpu_threads=n_threads))
    return engine


def segments(engine: SherpaOnnx, clip: Clip, **options: Any) -> list[Segment]:
    """Of one clip."""
    event = engine.transcribe(clip, Options(**options), never)
    return [item for item in event if isinstance(item, Segment)]


def test_pieces_are_read_in_order_whichever_is_ready_first(tmp_path: Path) -> None:
    """The first one waits for the second here."""
    second_done = threading.Event()

    def slow_first(samples: Any) -> Recognition:
        if samples[0] == 0:
            assert second_done.wait(10)
        else:
            second_done.set()
        return Recognition(f"from {samples[0]:.0f}")

    engine = engine_with(FakeRecognizer(slow_first), tmp_path)
    samples = np.repeat(np.arange(2, dtype=np.float32), 2 * RATE_HZ)
    result = segments(
        engine, Clip(samples), clip_timestamps=(0.0, 2.0, 2.0, 4.0), silence_guard=False
    )

    assert [(s.text, s.start_s, s.end_s) for s in result] == [
        ("from 0", 0.0, 2.0),
        ("from 1", 2.0, 4.0),
    ]


def test_f93_what_the_detector_missed_is_recognized_and_said(tmp_path: Path) -> None:
    """A stretch that rises over the noise counts as speech, as with the other engines."""
    samples = np.random.default_rng(1).normal(0, 1e-4, 40 * RATE_HZ).astype(np.float32)
    samples[10 * RATE_HZ : 16 * RATE_HZ] += swelling(6, 0.1)
    engine = engine_with(FakeRecognizer(lambda _: Recognition("nobody noticed")), tmp_path)
    events = list(engine.transcribe(Clip(samples), Options(silence_guard=False), never))
    (segment,) = [event for event in events if isinstance(event, Segment)]
    notices = [event.text for event in events if isinstance(event, EngineWarning)]

    assert 9 < segment.start_s < 11
    assert len(notices) == 1
    assert notices[0].startswith("The voice detector missed 6 s of speech")


def test_a_failing_clip_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    """Its error is told with its key."""

    def fails_on_short(samples: Any) -> Recognition:
        if len(samples) < RATE_HZ:
            raise RuntimeError("odd")
        return Recognition("fine")

    engine = engine_with(FakeRecognizer(fails_on_short), tmp_path)
    clips = [(1, voice(2.0)), (2, voice(0.6)), (3, voice(2.0))]
    lines = list(engine.transcribe_many(clips, Options(silence_guard=False), lambda _: False))
    (error,) = [what for key, what in lines if isinstance(what, Exception)]

    assert isinstance(error, EngineFailed)
    assert "sherpa-onnx failed: RuntimeError: odd" in str(error)
    assert [key for key, what in lines if isinstance(what, ClipDone)] == [1, 3]
    assert [key for key, what in lines if isinstance(what, Segment)] == [1, 3]


def test_a_cancel_ends_it_between_two_pieces(tmp_path: Path) -> None:
    """Of 40 pieces those that have not begun are not recognised."""
    canceled = threading.Event()

    def cancels(samples: Any) -> Recognition:
        canceled.set()
        return Recognition("one")

    recognizer = FakeRecognizer(cancels)
    engine = engine_with(recognizer, tmp_path, n_threads=1)
    spans = tuple(float(t // 2) for t in range(1, 81))
    items = list(
        engine.transcribe(
            voice(60.0), Options(clip_timestamps=spans, silence_guard=False), canceled.is_set
        )
    )

    assert items == []
    assert recognizer.n_calls == 1


def test_progress_is_told_where_nothing_is_said(tmp_path: Path) -> None:
    """Piece by piece."""
    engine = engine_with(FakeRecognizer(lambda _: Recognition("")), tmp_path)
    options = Options(clip_timestamps=(0.0, 2.0, 2.0, 4.0), silence_guard=False)
    items = list(engine.transcribe(Clip(np.zeros(4 * RATE_HZ, np.float32)), options, never))

    progress = [item for item in items if isinstance(item, Progress)]
    assert progress == [Progress(2.0), Progress(4.0), Progress(4.0)]


def test_a_language_that_the_model_finds_is_told_first(tmp_path: Path) -> None:
    """From the first piece with text, and never when it was given."""
    recognizer = FakeRecognizer(lambda _: Recognition("hallo", language="de"))
    engine = engine_with(recognizer, tmp_path)
    values = list(engine.transcribe(voice(2.0), Options(silence_guard=False), never))
    assert values[0] == Language("de")

    items = list(engine.transcribe(voice(2.0), Options(language="de", silence_guard=False), never))
    assert not [item for item in items if isinstance(item, Language)]
    assert recognizer.languages == [(None, False), ("de", False)]


def test_a_gpu_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    """The wheels of the index run on the CPU."""
    model = ModelFiles("fake", write_tdt(tmp_path), "sherpa-onnx")
    loaded = SherpaOnnx().load(LoadRequest(model, device="gpu"))

    assert loaded.device == "cpu"
    assert "device 'gpu' was not used" in loaded.notices[0]


# ------------------------------------------------------------------- a graph with known times


@pytest.fixture(scope="module")
def tdt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SherpaOnnx]:
    """Parakeet's layout, loaded by the library itself."""
    engine = SherpaOnnx()
    folder = write_tdt(tmp_path_factory.mktemp("tdt"))
    engine.load(LoadRequest(ModelFiles("tdt", folder, "sherpa-onnx", languages=("pt", "en"))))
    yield engine
    engine.unload()


def test_parakeets_layout_gives_exact_text_and_times(tdt: SherpaOnnx) -> None:
    """Frames of 80 ms: the first word begins with the first loud frame, and so on."""
    clip = Clip(bursts([(1.04, 2.16), (3.2, 4.4)], 6.0))
    result = segments(tdt, clip, word_timestamps=True, silence_guard=False)
    words = [(w.text, w.start_s, w.end_s) for s in result for w in s.words]

    assert words == [
        ("Bom", 1.04, 1.28),
        ("dia.", 1.28, 1.6),
        # Its full stop lasts four frames.
        ("Bom", 1.92, 2.16),
        ("dia.", 3.2, 3.52),
        ("Bom", 3.84, 4.08),
        ("dia", 4.08, 4.4),
    ]
    assert [s.text for s in result] == ["Bom dia.", "Bom", "dia.", "Bom dia"]
    assert all(s.avg_logprob is not None and s.avg_logprob > -0.01 for s in result)


def test_times_count_from_the_clip_whatever_is_cut_out(tdt: SherpaOnnx) -> None:
    """A stretch in the middle is recognised for itself."""
    clip = Clip(bursts([(11.04, 11.6)], 14.0))
    (result,) = segments(tdt, clip, clip_timestamps=(10.0, 12.0), silence_guard=False)

    assert (result.text, result.start_s, result.end_s) == ("Bom dia", 11.04, 11.6)


def test_noise_alone_is_withheld_by_the_guard(tdt: SherpaOnnx) -> None:
    """The graph finds words in it; nobody speaks."""
    clip = Clip(bursts([(0.0, 6.0)], 6.0))

    assert segments(tdt, clip, silence_guard=False)
    assert segments(tdt, clip) == []


# ---------------------------------------------------------------------------- real speech


@pytest.fixture(scope="module")
def moonshine() -> Iterator[SherpaOnnx]:
    """Moonshine tiny, loaded by its name of the catalogue and checked against its digests."""
    moonshine_folder()
    engine = SherpaOnnx()
    engine.load(LoadRequest(resolve(NAME, "sherpa-onnx", Settings.load(offline=True))))
    yield engine
    engine.unload()


@pytest.mark.model
class TestMoonshine:
    def test_it_keeps_what_engines_promise(self) -> None:
        """Every promise, with real weights."""
        moonshine_folder()
        files = resolve(NAME, "sherpa-onnx", Settings.load(offline=True))
        clip = Clip(decode_audio(str(sample())), name="sample")

        check_engine(SherpaOnnx(), clip, LoadRequest(files))

    def test_it_writes_what_is_read(
        self, moonshine: SherpaOnnx, speech_dir: Path, librispeech: list[dict[str, Any]]
    ) -> None:
        """Twenty recordings side by side, with fewer than 12 words wrong of a hundred."""
        entries = librispeech[:20]
        clips = [
            (n, Clip(decode_audio(str(speech_dir / "librispeech" / entry["file"]))))
            for n, entry in enumerate(entries)
        ]
        texts: dict[int, list[str]] = {n: [] for n, _ in clips}
        for key, what in moonshine.transcribe_many(clips, Options(), lambda _: False):
            assert not isinstance(what, Exception)
            if isinstance(what, Segment):
                texts[key].append(what.text)
        wrong = [count(e["text"], " ".join(texts[n]), "en") for n, e in enumerate(entries)]

        assert sum(w.edits for w in wrong) / sum(w.words for w in wrong) < 0.12

    def test_silence_noise_and_loops_are_withheld(self, moonshine: SherpaOnnx) -> None:
        """It writes 'You', notes and loops there, which the guard knows."""
        rng = np.random.default_rng(0)
        for rms in (0.001, 0.05, 0.3):
            noise = rng.normal(0, rms, 10 * RATE_HZ).astype(np.float32).clip(-1, 1)
            assert segments(moonshine, Clip(noise)) == []

    def test_words_cannot_be_timed_and_a_notice_says_so(self, moonshine: SherpaOnnx) -> None:
        """In the transcript's warnings."""
        clip = Clip(decode_audio(str(sample())))
        items = list(moonshine.transcribe(clip, Options(word_timestamps=True), never))

        assert any(
            "word_timestamps" in item.text for item in items if isinstance(item, EngineWarning)
        )

    @pytest.mark.slow
    def test_a_long_recording_goes_on_where_its_worker_was_killed(
        self, speech_dir: Path, tmp_path: Path
    ) -> None:
        """The segments before it are kept, and none comes twice."""
        moonshine_folder()
        recording = speech_dir / "audio" / "long_dev.flac"
        with Service(tmp_path / "state") as service:
            job = service.submit(recording, engine="sherpa-onnx", model=NAME)
            until_segment(service)
            os.kill(worker_pid(service), signal.SIGKILL)
            (transcript,) = job.result(170)

        entries = json.loads((speech_dir / "long_dev.segments.json").read_text())
        errors = count(" ".join(entry["text"] for entry in entries), transcript.text, "en")
        edges = [t for s in transcript.segments for t in (s.start_s, s.end_s)]
        assert transcript.language == "en"
        assert errors.edits / errors.words < 0.15
        assert edges == sorted(edges)
