"""``compare``: what it prints, its exit code, and who gets the audio."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybrid_transcribe import Capabilities
from hybrid_transcribe.cli.receivers import tell_receivers
from hybrid_transcribe.comparison import plan
from hybrid_transcribe.comparison.entries import ComparisonEntry
from hybrid_transcribe.comparison.run import EngineRun
from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.errors import EngineFailed
from hybrid_transcribe.testing import SCRIPTED, Script, ScriptedEngine
from hybrid_transcribe.types import Rejection, Segment, Transcript
from tests.cli.conftest import Ran

Cli = Callable[..., Ran]
Start = Callable[..., subprocess.Popen[bytes]]
Talk = Callable[..., Path]


class Cloud(ScriptedEngine):
    """Sends the audio to somebody, as it says."""

    name = "cloud"
    capabilities = Capabilities(default_model="steady", sends_audio_to="Somebody")


class CloudToo(Cloud):
    """Another engine of the same people."""

    name = "cloud-too"


@pytest.fixture
def clouds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that send the audio away, beside the scripted one."""
    here = {"cloud": f"{__name__}:Cloud", "cloud-too": f"{__name__}:CloudToo"}
    pairs = (f"{name}={target}" for name, target in {**SCRIPTED, **here}.items())
    monkeypatch.setenv(PREFIX + "ENGINES", ",".join(pairs))


@pytest.fixture
def _canned(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker: every engine says its model's name, and the model "bad" fails."""

    def run(
        entry: ComparisonEntry,
        *_: object,
        names_known: Callable[[tuple[str, ...]], None],
        **__: object,
    ) -> EngineRun:
        if entry.spec is None or entry.spec.model == "bad":
            error = entry.error or EngineFailed("as the test says").info()
            return EngineRun(entry, errors=(Rejection(entry.label, error),))
        names_known(("talk.wav",))
        said = Segment(0.0, 1.0, f"it is {entry.spec.model}")
        transcript = Transcript("id", "talk.wav", (said,), "scripted", "m", duration_s=2.0)
        return EngineRun(
            entry, {0: transcript}, ("talk.wav",), load_s=0.5, transcribe_s=1.0, peak_bytes=10**8
        )

    monkeypatch.setattr(plan, "run", run)


@pytest.mark.usefixtures("_canned")
class TestStdout:
    def test_it_is_a_table_with_differences(self, cli: Cli, talk: Talk, tmp_path: Path) -> None:
        """With the rates against a reference."""
        (tmp_path / "said.txt").write_text("it is one")
        engines = ("--engine", "scripted:one", "--engine", "scripted:two")
        ran = cli("compare", talk(), *engines, "--reference", tmp_path / "said.txt")

        assert ran.code == 0
        assert ran.out.splitlines() == [
            "talk.wav, 2.0 s",
            "",
            "ENGINE        DEVICE  LOADING  TRANSCRIBING  SPEED  MEMORY  WORD ERRORS",
            "scripted:one  –         0.5 s         1.0 s   2.0×  100 MB        0.0 %",
            "scripted:two  –         0.5 s         1.0 s   2.0×  100 MB       33.3 %",
            "",
            "[scripted:one | scripted:two] 33.3 % of the words differ",
            "  0:01  it is [one | two]",
        ]

    def test_it_is_json_for_programs(self, cli: Cli, talk: Talk) -> None:
        """Rows and pairs."""
        ran = cli(
            "compare", talk(), "--engine", "scripted:one", "--engine", "scripted:bad", "--json"
        )

        payload = json.loads(ran.out)
        assert ran.code == 1
        assert [row["text"] for row in payload["rows"]] == ["it is one", ""]
        assert payload["rows"][1]["errors"][0]["code"] == "engine_failed"
        assert payload["pairs"] == []

    def test_it_is_a_spreadsheet(self, cli: Cli, talk: Talk) -> None:
        """A head and a line an engine."""
        ran = cli("compare", talk(), "--engine", "scripted:one", "--csv")

        (row,) = csv.DictReader(io.StringIO(ran.out))
        assert (row["label"], row["speed"], row["text"]) == ("scripted:one", "2.0", "it is one")

    def test_one_that_fails_is_told_and_makes_the_exit_code(self, cli: Cli, talk: Talk) -> None:
        """The others are compared all the same."""
        ran = cli("compare", talk(), "--engine", "scripted:one", "--engine", "scripted:bad")

        assert ran.code == 1
        assert "scripted:bad: failed: as the test says (engine_failed)" in ran.out
        assert "scripted:one  –" in ran.out

    def test_who_cannot_run_is_told_before_the_others_do(
        self, cli: Cli, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """First of all, with the reason; not with --quiet, as the table has it too."""
        monkeypatch.setenv(PREFIX + "NEVER_CLOUD", "1")
        engines = ("--engine", "scripted:one", "--engine", "assemblyai")
        ran = cli("compare", talk(), *engines)

        first = ran.err.splitlines()[0]
        assert first.startswith("assemblyai cannot run: Engine assemblyai sends the audio to")
        assert "cannot run" not in cli("compare", talk(), *engines, "--quiet").err

    def test_model_and_options_are_for_all(self, cli: Cli, talk: Talk) -> None:
        """But for those that name a model of their own."""
        ran = cli("compare", talk(), "--engine", "scripted", "--engine", "scripted:own", *OPTIONS)

        payload = json.loads(ran.out)
        assert [row["model"] for row in payload["rows"]] == ["all", "own"]
        assert payload["language"] == "pt"


OPTIONS = ("--model", "all", "--language", "Portuguese", "--json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--engine", "nope"), "No engine 'nope'; choose from: "),
        (("--engine", "faster-whisper:no-such"), "No model 'no-such'"),
        (("--reference", "nowhere.txt"), "No reference file nowhere.txt"),
        (("--option", "volume=11"), "No option 'volume'"),
        (("--json", "--csv"), "not allowed with argument"),
    ],
)
def test_mistakes_are_usage_errors(
    cli: Cli, talk: Talk, arguments: tuple[str, ...], message: str
) -> None:
    """Told at once; nothing is done."""
    ran = cli("compare", talk(), *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert message in ran.err


@pytest.mark.usefixtures("clouds")
class TestWhoGetsTheAudio:
    LINE = "The audio goes to Somebody.\n"

    @pytest.mark.usefixtures("_canned")
    def test_compare_says_it_once(self, cli: Cli, talk: Talk) -> None:
        """Of several engines of the same people, once the recordings are accepted."""
        engines = ("--engine", "cloud", "--engine", "scripted", "--engine", "cloud-too")

        assert cli("compare", talk(), *engines).err.splitlines(keepends=True)[:2] == [
            "cloud:steady (1 of 3)\n",
            self.LINE,
        ]
        assert self.LINE not in cli("compare", talk(), "--engine", "scripted").err
        assert cli("compare", talk(), *engines, "--quiet").err == ""

    @pytest.mark.parametrize(("quiet", "said"), [((), LINE), (("--quiet",), "")])
    def test_transcribe_says_it_first(
        self, cli: Cli, talk: Talk, quiet: tuple[str, ...], said: str
    ) -> None:
        """Before anybody gets it, and not with --quiet."""
        ran = cli("transcribe", talk(seconds=1.0), "--engine", "cloud", *quiet)

        assert ran.out == "talk.wav 0\n"
        assert ran.err.partition("\n")[0] == said.rstrip("\n")

    @pytest.mark.parametrize("command", ["transcribe", "compare"])
    def test_what_is_refused_is_not_announced(self, cli: Cli, command: str) -> None:
        """Of a recording that is not there nobody gets anything."""
        ran = cli(command, "nowhere.wav", "--engine", "cloud")

        assert ran.code == 2
        assert "nowhere.wav" in ran.err
        assert "goes to" not in ran.err

    def test_a_host_that_can_be_chosen_is_told(
        self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """In Europe or not, people should know; others' plug-ins have their name only."""
        monkeypatch.setenv(PREFIX + "ENGINES", f"assemblyai={__name__}:Cloud")
        monkeypatch.setenv(PREFIX + "ASSEMBLYAI_BASE_URL", "https://api.eu.assemblyai.com")

        tell_receivers(["assemblyai", "assemblyai"], Settings.load())

        assert capsys.readouterr().err == "The audio goes to Somebody (api.eu.assemblyai.com).\n"

    def test_what_is_forbidden_is_not_announced(
        self, cli: Cli, talk: Talk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nobody gets anything."""
        monkeypatch.setenv(PREFIX + "NEVER_CLOUD", "1")

        ran = cli("transcribe", talk(), "--engine", "cloud")

        assert ran.code == 1
        assert "goes to" not in ran.err


def test_interrupted_it_prints_what_is_finished(start: Start, talk: Talk, tmp_path: Path) -> None:
    """Hours of work are not thrown away with the last engine's."""
    gate = tmp_path / "gate"
    engines = ("--engine", "scripted", "--engine", f"scripted:{Script(gate=str(gate)).model}")
    process = start("compare", talk(seconds=1.0), *engines, PYTHONIOENCODING="utf-8")
    assert process.stderr is not None
    while b"(2 of 2)" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)

    out, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert b"interrupted" in err
    assert b"scripted:steady  cpu" in out
    assert b"gate" not in out


def test_without_an_engine_all_local_ones_are_compared(
    cli: Cli, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none that sends the audio away."""
    items: list[str] = []

    def run(entry: ComparisonEntry, *_: object, **__: object) -> EngineRun:
        items.append(entry.engine)
        return EngineRun(entry)

    monkeypatch.setattr(plan, "run", run)

    assert cli("compare", talk(), "--quiet").code == 0
    assert items[0] == "scripted"
    assert "faster-whisper" in items
    assert "assemblyai" not in items
