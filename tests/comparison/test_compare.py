"""`compare`, from recordings to a table."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Comparison, compare, list_engines, sample
from hybrid_transcribe.comparison import ComparisonPlan, ComparisonRow, Difference, Pair
from hybrid_transcribe.comparison.entries import ComparisonEntry
from hybrid_transcribe.comparison.report import WIDTH, document, page
from hybrid_transcribe.comparison.run import EngineRun
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineUnavailable, InputMissing, InvalidRequest, UnknownEngine
from hybrid_transcribe.samples import SAMPLE_TEXT
from hybrid_transcribe.testing import SCRIPTED, Script, ScriptedEngine
from hybrid_transcribe.types import ErrorInfo, Rejection, Segment, Transcript
from tests.services import wavs


class Interpreter(ScriptedEngine):
    """One that can translate."""

    capabilities = replace(ScriptedEngine.capabilities, translates=True)


ENGINES = {**SCRIPTED, "broken": "no_such_module:X", "interpreter": f"{__name__}:Interpreter"}
SETTINGS = Settings(engine="scripted", engines=ENGINES)

REFERENCE = "the quick brown fox jumps over the lazy dog today"

#: One wrong word of ten, and two: the first's mistake and one more.
ONE_WRONG = Script(says=("The quick brown fox", "jumps over a lazy dog today."))
TWO_WRONG = Script(says=("The quick brown fox", "jumped over a lazy dog today"))


def following(script: Script, label: str) -> dict[str, str]:
    """The scripted engine with what it is to do, under that name."""
    return {"engine": "scripted", "model": script.model, "label": label}


def scripted(inputs: Any, *engines: Any, **how: Any) -> Comparison:
    """A comparison without progress."""
    return compare(inputs, engines, settings=SETTINGS, progress=False, **how)


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Two engines with known texts on two seconds of sound."""
    (talk,) = wavs(tmp_path_factory.mktemp("two"), "talk", seconds=2.0)
    engines = following(ONE_WRONG, "one"), following(TWO_WRONG, "two")
    return scripted(talk, *engines, reference=REFERENCE)


class TestTwoEngines:
    def test_each_has_its_text_and_its_rate(self, two: Comparison) -> None:
        """One and two words of ten are wrong."""
        item, other = two.rows

        assert item.text == "The quick brown fox jumps over a lazy dog today."
        assert (item.wer, other.wer) == (0.1, 0.2)

    def test_the_pair_has_a_rate_and_its_difference(self, two: Comparison) -> None:
        """One word of ten, in the second segment: from there on it is guessed by place."""
        (pair,) = two.pairs

        assert (pair.first, pair.second) == ("one", "two")
        assert pair.wer == 0.1
        (result,) = pair.differences
        assert (result.first, result.second, result.at_s) == ("jumps", "jumped", 1.0)

    def test_speed_is_audio_over_the_time_without_loading(self, two: Comparison) -> None:
        """Two seconds of it."""
        for row in two:
            assert row.audio_s == pytest.approx(2.0)
            assert row.transcribe_s is not None
            assert row.speed == pytest.approx(2.0 / row.transcribe_s)

    def test_rows_are_found_by_label(self, two: Comparison) -> None:
        """And one that is not there is told with those that are."""
        assert two["two"] is two.rows[1]
        with pytest.raises(KeyError, match="there is one, two"):
            two["nope"]

    def test_shown_it_has_a_line_each_and_the_difference(self, two: Comparison) -> None:
        """With times, memory and errors."""
        lines = str(two).splitlines()

        assert lines[0] == "talk.wav, 2.0 s"
        assert lines[2].split() == (
            "ENGINE DEVICE LOADING TRANSCRIBING SPEED MEMORY WORD ERRORS".split()
        )
        assert lines[3].split()[-2:] == ["10.0", "%"]
        assert lines[4].split()[-2:] == ["20.0", "%"]
        assert lines[-1] == "  0:01  The quick brown fox [jumps | jumped] over a lazy dog …"
        assert lines[-2] == "[one | two] 10.0 % of the words differ"

    def test_it_is_a_data_frame(self, two: Comparison) -> None:
        """A row an engine, numbers as numbers."""
        frame = two.to_frame()

        assert list(frame["wer"]) == [0.1, 0.2]
        assert {"label", "load_s", "transcribe_s", "speed", "peak_bytes", "text"} <= set(frame)
        assert (frame["speed"] > 0).all()

    def test_it_is_json(self, two: Comparison) -> None:
        """Rows, pairs and differences as plain data."""
        error_text = json.loads(json.dumps(document(two)))

        assert error_text["recordings"] == ["talk.wav"]
        assert [row["wer"] for row in error_text["rows"]] == [0.1, 0.2]
        assert error_text["pairs"][0]["differences"][0]["second"] == "jumped"


class TestJudging:
    """What is made of runs, without any."""

    def judged(self, *runs: EngineRun, reference: Any = None, **options: Any) -> Comparison:
        plan = ComparisonPlan([], ["interpreter"], reference, None, None, SETTINGS, options)
        entry = plan.entries[0]
        return plan.judge(
            [replace(run, entry=replace(entry, label=run.entry.label)) for run in runs]
        )

    def test_several_recordings_are_counted_together(self) -> None:
        """Errors over all words: one of ten and none of three."""
        event = heard_by("one", a="The quick brown fox jumps over the lazy cat today", b="So it is")
        result = self.judged(event, reference={"a.wav": REFERENCE, "b": "so it is"})

        assert result.recordings == ("a.wav", "b.wav")
        assert result.rows[0].wer == pytest.approx(1 / 13)

    def test_recordings_without_a_reference_do_not_count(self) -> None:
        """Neither for nor against."""
        result = self.judged(heard_by("one", a="x", b="c"), reference={"b": "b"})

        assert result.rows[0].wer == 1.0

    def test_a_pair_is_of_what_both_heard(self) -> None:
        """Each recording with its own; one that nobody shares makes no pair."""
        both = heard_by("one", a="x", b="same words here now")
        less = heard_by("two", b="same words here then")
        result = self.judged(both, replace(less, transcripts={1: less.transcripts[0]}))

        (pair,) = result.pairs
        assert pair.wer == 0.25
        assert [d.recording for d in pair.differences] == ["b.wav"]

    def test_every_pair_is_there_once(self) -> None:
        """Three engines make three."""
        result = self.judged(*(heard_by(name, a=name) for name in ("one", "two", "three")))

        assert [(p.first, p.second) for p in result.pairs] == [
            ("one", "two"),
            ("one", "three"),
            ("two", "three"),
        ]

    def test_the_language_heard_decides_how_words_are_counted(self) -> None:
        """In Japanese a word is a character."""
        event = heard_by("one", "ja", a="今日はいい天気")
        result = self.judged(event, reference="今日は良い天気")

        assert result.language == "ja"
        assert result.rows[0].wer == pytest.approx(1 / 7)
        assert "CHAR ERRORS" in str(result)

    @pytest.mark.parametrize(
        ("options", "language"), [({"language": "pt"}, "pt"), ({"task": "translate"}, "en")]
    )
    def test_the_language_asked_for_goes_first(
        self, options: dict[str, str], language: str
    ) -> None:
        """And a translation is English, whatever is spoken."""
        assert self.judged(heard_by("one", "ja", a="x"), **options).language == language


def heard_by(label: str, language: str = "en", **texts: str) -> EngineRun:
    """A run that heard these texts, by the recordings' names without suffix."""
    names = tuple(f"{name}.wav" for name in texts)
    transcripts = {
        place: Transcript(
            name, name, (Segment(0.0, 1.0, text),), "scripted", "m", language=language
        )
        for place, (name, text) in enumerate(zip(names, texts.values(), strict=True))
    }
    return EngineRun(ComparisonEntry(label, "scripted"), transcripts, names)


def test_an_engine_that_fails_is_a_row_with_its_error(tmp_path: Path) -> None:
    """And the others are compared; pairs are of those that have texts."""
    result = scripted(
        wavs(tmp_path, "talk", seconds=1.0),
        following(Script(fault="load-raise"), "failing"),
        "scripted:steady",
        "broken",
        reference="talk.wav 0",
    )
    failed, fine, broken = result.rows

    assert [e.error.code for e in failed.errors] == ["engine_failed"]
    assert (failed.wer, failed.speed, failed.load_s) == (None, None, None)
    assert (fine.errors, fine.wer) == ((), 0.0)
    assert [e.error.code for e in broken.errors] == ["engine_unavailable"]
    assert result.pairs == ()


def test_mistakes_are_told_before_any_work(tmp_path: Path) -> None:
    """Unknown engines, impossible references, missing inputs."""
    (talk,) = wavs(tmp_path, "talk", seconds=1.0)

    with pytest.raises(UnknownEngine):
        scripted(talk, "scripted", "nope")
    with pytest.raises(InvalidRequest, match="No reference file"):
        scripted(talk, "scripted", reference="nowhere.txt")
    with pytest.raises(InputMissing):
        scripted(tmp_path / "nowhere.wav", "scripted")


def test_progress_names_the_engine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, for people who wait."""
    compare(wavs(tmp_path, "talk", seconds=1.0), ["scripted"], settings=SETTINGS)

    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("scripted:steady (1 of 1)\n")


def test_without_pandas_it_says_what_to_install(
    two: Comparison, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else is there without it."""
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(EngineUnavailable, match=r"pip install 'hybrid-transcribe\[compare\]'"):
        two.to_frame()


class TestPage:
    """Shown on made-up values."""

    LONG = "some-engine:" + "x" * 60

    def comparison(self) -> Comparison:
        transcript = Transcript("id", "talk.wav", (), "engine", "model", duration_s=3600.0)
        error = Rejection(self.LONG, ErrorInfo("engine_unavailable", "no library " * 20))
        differing = Difference("talk.wav", 3725.0, "a b", "c " * 60, "", "d")
        return Comparison(
            ("talk.wav", "other.wav"),
            (
                ComparisonRow(
                    "one:base",
                    "one",
                    "base",
                    "cpu",
                    (transcript,),
                    3600,
                    12.4,
                    1.25,
                    12.5,
                    10**9,
                    1.5,
                ),
                ComparisonRow(
                    self.LONG, "some-engine", "x", warnings=("careful " * 20,), errors=(error,)
                ),
            ),
            (Pair("one:base", self.LONG, None, (differing,) * 4),),
        )  # fmt: skip

    def test_no_line_is_wider_than_a_terminal(self) -> None:
        """However long names, errors and differences are."""
        lines = page(self.comparison(), 20).splitlines()

        assert max(map(len, lines)) <= WIDTH

    def test_what_is_unknown_is_a_dash_and_what_failed_is_named(self) -> None:
        """No zero that nobody measured."""
        text = page(self.comparison(), 2)

        assert "2 recordings, 3600.0 s" in text
        assert "one:base" in text
        (item,) = (line for line in text.splitlines() if line.startswith("one:base  "))
        assert item.split()[1:] == "cpu 1.2 s 12.5 s 288× 1000 MB 150.0 %".split()
        failed = next(line for line in text.splitlines() if line.startswith("some-engine:xx"))
        assert failed.split()[1:] == "– – failed – – –".split()
        assert "one:base: the model was fetched or converted first, in 12 s" in text
        assert "nothing to compare" in " ".join(text.split())
        assert "talk.wav 1:02:05" in text
        assert text.endswith("and 2 more")

    def test_a_comparison_of_nothing_can_be_shown(self) -> None:
        """As when it was interrupted at once."""
        assert "No recording was transcribed." in str(Comparison((), ()))


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_engines_of_this_machine_hear_the_sample() -> None:
    """Every local Whisper that is installed, on the same weights: few errors, little difference."""
    whispers = ("faster-whisper", "openai-whisper", "transformers")
    engines = [e.name for e in list_engines() if e.available and e.name in whispers]
    result = compare(
        sample(),
        [f"{name}:base" for name in engines],
        reference=SAMPLE_TEXT,
        settings=Settings.load(offline=True),
        progress=False,
    )
    print(result)
    items = [row for row in result if row.transcripts]
    if not items:
        pytest.skip("; ".join(e.error.message for row in result for e in row.errors))

    for row in items:
        assert row.wer is not None
        assert row.wer <= 0.15
        assert row.audio_s == pytest.approx(11.0, abs=0.1)
        assert row.peak_bytes is not None
        assert row.peak_bytes > 100e6
    for pair in result.pairs:
        assert pair.wer is not None
        assert pair.wer <= 0.15
