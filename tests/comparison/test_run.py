"""One engine's run: its time, its memory, its failures."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.comparison.entries import ComparisonEntry, make_entries
from hybrid_transcribe.comparison.run import EngineRun, WallClock, run
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InputMissing, InvalidRequest
from hybrid_transcribe.testing import SCRIPTED, Script
from hybrid_transcribe.types import Stage
from tests.services import wavs

SETTINGS = Settings(engine="scripted", engines=SCRIPTED)


def entry(script: Script | None = None) -> ComparisonEntry:
    """The scripted engine, with what it is to do."""
    (instance,) = make_entries([("scripted", (script or Script()).model)], SETTINGS)
    return instance


class TestStopwatch:
    def test_time_is_shared_out_by_stages(self) -> None:
        """Starting and loading, fetching, and the work itself."""
        watch = WallClock(100.0)
        for stage, now in (
            (Stage.DOWNLOADING_MODEL, 101.0),
            (Stage.DOWNLOADING_MODEL, 103.0),
            (Stage.LOADING_MODEL, 106.0),
            (None, 106.5),
            (Stage.DECODING, 108.0),
            (Stage.TRANSCRIBING, 109.0),
        ):
            watch.enter(stage, now)
        watch.end(112.0)
        watch.end(118.0)

        assert (watch.fetch_s, watch.load_s, watch.transcribe_s) == (5.0, 3.0, 10.0)

    def test_loading_again_is_part_of_the_work(self) -> None:
        """As after running out of memory."""
        watch = WallClock(0.0)
        for stage, now in ((Stage.DECODING, 1.0), (Stage.LOADING_MODEL, 5.0)):
            watch.enter(stage, now)
        watch.end(9.0)

        assert (watch.load_s, watch.transcribe_s) == (1.0, 8.0)

    def test_what_never_loaded_has_no_times(self) -> None:
        """None rather than a number that means nothing."""
        watch = WallClock(0.0)
        watch.enter(Stage.LOADING_MODEL, 1.0)
        watch.end(2.0)

        assert (watch.load_s, watch.transcribe_s) == (None, None)

    def test_uploading_is_work(self) -> None:
        """In the cloud nothing is loaded."""
        watch = WallClock(0.0)
        watch.enter(Stage.UPLOADING_TO_CLOUD, 0.5)
        watch.end(2.0)

        assert (watch.load_s, watch.transcribe_s) == (0.5, 1.5)


def test_a_run_has_texts_times_and_memory(tmp_path: Path) -> None:
    """Loading that takes 0.2 s is in the loading, and segments of 0.1 s in the transcribing."""
    script = Script(load_s=0.2, delay_s=0.1, says=("one", "two"))
    done = run(entry(script), wavs(tmp_path, "talk", seconds=2.0), SETTINGS)

    assert done.transcripts[0].text == "one two"
    assert done.names == ("talk.wav",)
    assert done.errors == ()
    assert done.load_s is not None
    assert done.load_s >= 0.2
    assert done.transcribe_s is not None
    assert done.transcribe_s >= 0.2
    assert done.fetch_s == 0.0
    assert done.device == "cpu"
    # An interpreter with numpy and PyAV, not bytes nor kilobytes of it.
    assert done.peak_bytes is not None
    assert 20e6 < done.peak_bytes < 2e9


def test_its_progress_tells_no_speed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It would count the loading, and be another than the table's."""
    run(entry(), wavs(tmp_path, "talk", seconds=2.0), SETTINGS, progress=True)

    error_text = capsys.readouterr().err
    assert "talk.wav: 100 %" in error_text
    assert "real time" not in error_text


def test_a_recording_that_fails_is_told_beside_those_that_did_not(tmp_path: Path) -> None:
    """Places are kept, so that others' texts stand beside the right ones."""
    script = Script(fault="raise", only="bad")
    done = run(entry(script), wavs(tmp_path, "bad", "good", seconds=1.0), SETTINGS)

    assert list(done.transcripts) == [1]
    assert [(e.name, e.error.code) for e in done.errors] == [("bad.wav", "engine_failed")]


def test_an_engine_that_dies_is_its_own_error(tmp_path: Path) -> None:
    """With no time that would look like speed."""
    settings = SETTINGS.but(max_worker_deaths=1)
    done = run(entry(Script(fault="load-kill")), wavs(tmp_path, "talk"), settings)

    assert done.transcripts == {}
    assert [e.error.code for e in done.errors] == ["worker_crashed"]
    assert (done.load_s, done.transcribe_s) == (None, None)


def test_what_could_not_be_asked_is_not_tried() -> None:
    """No worker is started for it, whatever the inputs."""
    (broken,) = make_entries(["broken"], SETTINGS.but(engines={"broken": "no_such_module:X"}))
    done: EngineRun = run(broken, ["nowhere.wav"], SETTINGS)

    assert [(e.name, e.error.code) for e in done.errors] == [("broken", "engine_unavailable")]


def test_inputs_that_nobody_can_use_are_raised() -> None:
    """No other engine would change that."""
    with pytest.raises(InputMissing):
        run(entry(), ["nowhere.wav"], SETTINGS)


def test_who_objects_to_the_names_stops_it(tmp_path: Path) -> None:
    """As soon as they are known; the worker is ended."""

    def object_to(names: tuple[str, ...]) -> None:
        raise InvalidRequest(f"not {', '.join(names)}")

    with pytest.raises(InvalidRequest, match=r"not talk\.wav"):
        run(entry(Script(delay_s=60.0)), wavs(tmp_path, "talk"), SETTINGS, names_known=object_to)
