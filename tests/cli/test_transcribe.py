"""``transcribe``: what it prints, what it writes, and its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import jsonschema
import pytest

from hybrid_transcribe.outputs.json import schema
from hybrid_transcribe.testing import Script
from tests.audio.makers import wav
from tests.audio.voices import conversation, int16
from tests.cli.conftest import Ran
from tests.speaking import TWO

Cli = Callable[..., Ran]
Talk = Callable[..., Path]

TEXT = "talk.wav 0 talk.wav 1"


class TestStdout:
    def test_one_recording_gives_its_text_alone(self, cli: Cli, talk: Talk) -> None:
        """The text of a single recording is all there is on stdout."""
        ran = cli("transcribe", talk())

        assert (ran.code, ran.out) == (0, f"{TEXT}\n")

    def test_a_person_a_channel(self, cli: Cli, tmp_path: Path) -> None:
        """Each channel is transcribed for itself, and the text says who speaks."""
        path = wav(tmp_path / "talk.wav", int16(conversation(2).recorded()))
        script = Script(segment_s=60.0, says=("Hello.",)).model

        ran = cli("transcribe", path, "--channels", "speakers", "--model", script)
        refused = cli("transcribe", path, "--channels", "left")

        assert (ran.code, ran.out) == (0, "S1: Hello.\n\nS2: Hello.\n")
        assert "speakers, mix" in refused.err

    def test_several_come_under_their_names(self, cli: Cli, talk: Talk, tmp_path: Path) -> None:
        """Of a folder, each recording has a heading, in order."""
        talk("b.wav", 1), talk("a.wav", 1)

        ran = cli("transcribe", tmp_path)

        assert (ran.code, ran.out) == (0, "# a.wav\n\na.wav 0\n\n# b.wav\n\nb.wav 0\n")

    def test_a_zip_stands_for_its_recordings(self, cli: Cli, talk: Talk, tmp_path: Path) -> None:
        """What is in a zip is transcribed."""
        with ZipFile(tmp_path / "all.zip", "w") as zipped:
            zipped.write(talk("in.wav", 1), "in.wav")

        assert cli("transcribe", tmp_path / "all.zip").out == "in.wav 0\n"

    def test_what_is_left_out_is_named(self, cli: Cli, talk: Talk, tmp_path: Path) -> None:
        """Of folders and zips: nobody has to compare lists to find what is missing."""
        talk("a.wav", 1)
        (tmp_path / "notes.txt").write_text("notes")
        with ZipFile(tmp_path / "all.zip", "w") as zipped:
            zipped.write(talk("a.wav", 1), "in.wav")
            zipped.writestr("cover.png", b"\x89PNG\r\n\x1a\n" + b"0" * 50)
        (folder := tmp_path / "folder").mkdir()
        talk("folder/b.wav", 1)
        (folder / "notes.txt").write_text("notes")

        ran = cli("transcribe", tmp_path / "all.zip", folder)

        assert ran.code == 0
        assert "left out, as neither audio nor video: cover.png, notes.txt\n" in ran.err
        assert "left out" not in cli("transcribe", folder, "-q").err

    def test_a_format_is_printed(self, cli: Cli, talk: Talk) -> None:
        """Without a folder the format goes to stdout, ready for a redirection."""
        ran = cli("transcribe", talk(), "--format", "srt")

        assert ran.out.startswith("1\n00:00:00,000 --> 00:00:01,000\ntalk.wav 0\n")

    def test_formats_of_several_come_under_their_names(self, cli: Cli, talk: Talk) -> None:
        """Nobody has to guess which recording a stretch of tsv is of."""
        ran = cli("transcribe", talk("a.wav", 1), talk("b.wav", 1), "-f", "tsv")

        assert [line for line in ran.out.splitlines() if line.startswith("#")] == [
            "# a.wav",
            "# b.wav",
        ]

    def test_who_speaks_comes_before_what_is_said(self, cli: Cli, talk: Talk) -> None:
        """A paragraph for each turn; in the formats as they have it."""
        how = ("transcribe", talk(seconds=3), "--diarize", "--engine", "speaking", "--model", TWO)

        assert cli(*how).out == "S1: talk.wav 0\n\nS2: talk.wav 1\n\nS1: talk.wav 2\n"
        assert cli(*how, "--format", "tsv").out.splitlines()[1:3] == [
            "0\t1000\ttalk.wav 0\tS1",
            "1000\t2000\ttalk.wav 1\tS2",
        ]
        payload = json.loads(cli(*how, "--json").out)["recordings"][0]
        assert [speaker["id"] for speaker in payload["speakers"]] == ["S1", "S2"]

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (("--speakers", "two"), "Option speakers='two': it must be a whole number"),
            (("--speakers", "0"), "Option speakers=0: it must be 1 or more"),
            (("--speakers", "2", "--max-speakers", "3"), "speakers=2 and max_speakers=3"),
            (("--min-speakers", "3", "--max-speakers", "2"), "min_speakers=3 is more than"),
            (("--voice", "Ana"), "Voice 'Ana' has no recording: write --voice NAME=FILE"),
            (("--voice", "Ana=none.wav"), "The recording of the voice of 'Ana' is not there"),
            (("--voice", "Ana=TALK", "--voice", "Ana=TALK"), "Two known voices are called 'Ana'"),
        ],
    )
    def test_speakers_that_cannot_be(
        self, cli: Cli, talk: Talk, arguments: tuple[str, ...], message: str
    ) -> None:
        """Said at once, with what to write."""
        path = talk()
        ran = cli("transcribe", path, *(text.replace("TALK", str(path)) for text in arguments))

        assert (ran.code, ran.out) == (2, "")
        assert message in ran.err

    def test_known_voices_are_options(self, cli: Cli, talk: Talk) -> None:
        """Each a name with a file."""
        path = talk()
        voices = ("--voice", f"Ana={path}", "--voice", f"Rui Sá={path}")
        ran = cli("transcribe", path, *voices, "--engine", "speaking")

        assert ran.code == 0
        assert ran.out.startswith("talk.wav 0")

    def test_the_state_folder_is_left_alone(self, cli: Cli, talk: Talk, tmp_path: Path) -> None:
        """The jobs of notebooks are none of the command line's business."""
        cli("transcribe", talk())

        assert not (tmp_path / "state").exists()

    def test_options_reach_the_engine(self, cli: Cli, talk: Talk) -> None:
        """Named options and others are honoured, or the warning says they are not."""
        items = ("--language", "pt-BR", "--word-timestamps", "--option", "temperature=0,0.4")
        ran = cli("transcribe", talk(), *items, "--json")

        (recording,) = json.loads(ran.out)["recordings"]
        assert recording["language"] == "pt"
        assert recording["segments"][0]["words"]
        assert any("temperature" in warning for warning in recording["warnings"])


class TestFolder:
    def test_each_recording_has_a_file_of_each_format(
        self, cli: Cli, talk: Talk, tmp_path: Path
    ) -> None:
        """The paths written are all that is on stdout, one a line."""
        out = tmp_path / "out"

        ran = cli("transcribe", talk(), "-f", "srt,json", "-f", "txt", "-o", out)

        assert ran.out.splitlines() == [str(out / f"talk.{s}") for s in ("srt", "json", "txt")]
        assert (out / "talk.txt").read_text(encoding="utf-8") == f"{TEXT}\n"

    def test_equal_names_get_files_of_their_own(self, cli: Cli, talk: Talk, tmp_path: Path) -> None:
        """No recording overwrites another of the same run."""
        (tmp_path / "more").mkdir()
        paths = talk("talk.wav", 1), talk("more/talk.wav", 1)

        ran = cli("transcribe", *paths, "-o", tmp_path / "out")

        assert [Path(line).name for line in ran.out.splitlines()] == ["talk.txt", "talk (2).txt"]

    def test_files_of_an_earlier_run_are_replaced(
        self, cli: Cli, talk: Talk, tmp_path: Path
    ) -> None:
        """A second run leaves one file, the new one."""
        (tmp_path / "out").mkdir()
        (tmp_path / "out" / "talk.txt").write_text("old")

        cli("transcribe", talk(), "-o", tmp_path / "out")

        assert [p.read_text() for p in (tmp_path / "out").iterdir()] == [f"{TEXT}\n"]

    def test_the_part_of_a_failed_one_is_kept_apart(
        self, cli: Cli, talk: Talk, tmp_path: Path
    ) -> None:
        """Text of a recording that broke off is never taken for the whole."""
        model = Script(fault="raise", at_s=1.0).model

        ran = cli("transcribe", talk(), "--model", model, "-o", tmp_path / "out")

        assert ran.code == 1
        assert (tmp_path / "out" / "talk.partial.txt").read_text() == "talk.wav 0\n"

    def test_a_folder_that_cannot_be_is_told_before_any_work(
        self, cli: Cli, talk: Talk, tmp_path: Path
    ) -> None:
        """A file in the folder's place is one line on stderr."""
        (tmp_path / "out").write_text("a file")

        ran = cli("transcribe", talk(), "-o", tmp_path / "out")

        assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
        assert str(tmp_path / "out") in ran.err


class TestJson:
    def test_it_is_one_object_of_the_documented_schema(self, cli: Cli, talk: Talk) -> None:
        """Each recording satisfies the transcript's schema; nothing failed, nothing is listed."""
        ran = cli("transcribe", talk(), "--json")

        whole = json.loads(ran.out)
        jsonschema.validate(whole["recordings"][0], schema())
        assert whole["errors"] == whole["written"] == []
        assert len(whole["job_id"]) == 32

    def test_errors_have_name_code_and_message(self, cli: Cli, talk: Talk, tmp_path: Path) -> None:
        """What failed is told apart by a stable code."""
        (tmp_path / "empty.wav").touch()

        ran = cli("transcribe", talk(), tmp_path / "empty.wav", "--json")

        (error,) = json.loads(ran.out)["errors"]
        assert ran.code == 1
        assert (error["name"], error["code"]) == ("empty.wav", "empty_input")
        assert error["message"]

    def test_a_request_that_cannot_be_has_the_same_shape(self, cli: Cli, talk: Talk) -> None:
        """Programs read the reason where they read all others."""
        ran = cli("transcribe", talk(), "--engine", "nope", "--json")

        whole = json.loads(ran.out)
        assert ran.code == 2
        assert (whole["job_id"], whole["recordings"]) == (None, [])
        assert whole["errors"][0]["code"] == "unknown_engine"

    def test_it_names_the_files_written(self, cli: Cli, talk: Talk, tmp_path: Path) -> None:
        """Together with a folder it lists the paths."""
        ran = cli("transcribe", talk(), "--json", "-o", tmp_path / "out")

        assert json.loads(ran.out)["written"] == [str(tmp_path / "out" / "talk.txt")]


class TestFailures:
    def test_a_bad_file_among_good_ones_sinks_none(
        self, cli: Cli, talk: Talk, tmp_path: Path
    ) -> None:
        """The good ones are printed, the bad one has a line, and the exit code is 1."""
        (tmp_path / "bad.wav").write_text("import os\n")

        ran = cli("transcribe", talk(), tmp_path / "bad.wav", "-q")

        assert (ran.code, ran.out) == (1, f"{TEXT}\n")
        assert ran.err.startswith("bad.wav: ")
        assert ran.err.endswith("(unsupported_media)\n")
        assert ran.err.count("bad.wav") == ran.err.count("\n") == 1

    def test_no_usable_input_is_wrong_usage(self, cli: Cli, tmp_path: Path) -> None:
        """With nothing to work on nothing is done."""
        ran = cli("transcribe", tmp_path / "gone.wav")

        assert (ran.code, ran.out) == (2, "")
        assert "gone.wav" in ran.err
        assert "(input_missing)" in ran.err

    def test_an_engine_that_fails_is_one_line(self, cli: Cli, talk: Talk) -> None:
        """All recordings failed: exit code 1 and the reason, never a traceback."""
        ran = cli("transcribe", talk(), "--model", Script(fault="raise").model, "-q")

        assert (ran.code, ran.out) == (1, "")
        assert ran.err == "talk.wav: as the script says (engine_failed)\n"

    def test_quiet_says_nothing_of_success(self, cli: Cli, talk: Talk) -> None:
        """Neither progress nor warnings."""
        assert cli("transcribe", talk(), "-q", "--model", Script(fault="notice").model).err == ""

    def test_progress_and_warnings_go_to_stderr(self, cli: Cli, talk: Talk) -> None:
        """A log gets whole lines, and each warning once."""
        ran = cli("transcribe", talk(), "--model", Script(fault="notice").model)

        progress, warning = ran.err.splitlines()
        assert progress.startswith("talk.wav: 100 % · ")
        assert warning == "warning: talk.wav: as the script says"


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (("--engine", "nope"), ("'nope'", "faster-whisper")),
        (("--engine", "faster-whisper", "--model", "nope"), ("'nope'", "tiny.en", "folder")),
        (("--engine", "faster-whisper", "--language", "xx"), ("'xx'", "pt")),
        (("--language", "not a code"), ("'not a code'", "'pt'")),
        (("--device", "tpu"), ("'tpu'", "gpu", "cpu")),
        (("--task", "sing"), ("'sing'", "translate")),
        (("--format", "doc"), ("'doc'", "srt")),
        (("--option", "nope=1"), ("'nope'", "beam_size")),
        (("--option", "beam_size=many"), ("beam_size", "'many'", "whole number")),
        (("--option", "vad_filter=perhaps"), ("vad_filter", "'perhaps'", "yes or no")),
        (("--option", "temperature=0,warm"), ("temperature", "'0,warm'", "number")),
        (("--option", "beam_size"), ("'beam_size'", "VALUE")),
        (("--beam-size", "0"), ("beam_size=0", "1 or more")),
        (("--format", "srt,vtt"), ("srt, vtt", "--output-dir")),
        (("--format", "srt", "--json"), ("--json", "--output-dir")),
    ],
)
def test_a_mistake_is_told_with_the_choices(
    cli: Cli, talk: Talk, arguments: tuple[str, ...], names: tuple[str, ...]
) -> None:
    """The message names the value received and what could have been; the exit code is 2."""
    ran = cli("transcribe", talk(), *arguments)

    last = ran.err.splitlines()[-1]
    assert ran.code == 2
    assert all(name in last for name in names), last
    assert "Traceback" not in ran.err


@pytest.mark.model
def test_the_starter_model_hears_the_sample(cli: Cli, sample: Path) -> None:
    """From the packaged recording to its words, with nothing fetched."""
    ran = cli("transcribe", sample, "--engine", "faster-whisper", "--model", "tiny.en")

    assert ran.code == 0
    assert "what your country can do for you" in ran.out
