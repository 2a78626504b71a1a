"""The bar: what it says, and where it says it how often."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from hybrid_transcribe import Service
from hybrid_transcribe.events import JobDeleted, RecordingChanged
from hybrid_transcribe.progress import clock_text, describe, follow
from hybrid_transcribe.progress.display import LINE_S, _Log, display, print_lines
from hybrid_transcribe.progress.job_progress import JobProgressText
from hybrid_transcribe.progress.render import ProgressLine, render, render_final
from hybrid_transcribe.testing import SCRIPTED, Script, tone, write_wav
from hybrid_transcribe.types import (
    ErrorInfo,
    JobSnapshot,
    Recording,
    Rejection,
    Spec,
    Stage,
    State,
)


class Terminal(io.StringIO):
    """A terminal that tells no size."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def recording(index: int = 0, **fields: object) -> Recording:
    """One of a job, waiting unless it is said otherwise."""
    name = f"talk{index or ''}.wav"
    return replace(Recording(str(index), "job", index, name, f"/{name}"), **fields)  # type: ignore[arg-type]


def snapshot(*recordings: Recording, **fields: object) -> JobSnapshot:
    """A job of these."""
    job = JobSnapshot("job", "session", Spec("scripted", "steady"), recordings)
    return replace(job, **fields)  # type: ignore[arg-type]


def lines(job: JobSnapshot, elapsed_s: float = 0.0) -> ProgressLine:
    """What is shown of a job so long after it began."""
    story = JobProgressText(job)
    # A job that ended at the epoch it began with has an age of its own choosing.
    return (render_final if job.done else render)(story, story._began_at + elapsed_s)


def ended(state: State, index: int = 0) -> Recording:
    """A recording of twelve seconds that has ended so."""
    done = 100.0 if state is State.COMPLETED else 42.0
    return recording(index, state=state, duration_s=12.0, percentage=done)


class TestLook:
    def test_one_recording_has_name_share_and_time_left(self) -> None:
        """The line of a single file is no longer than it must be."""
        now = recording(state=State.RUNNING, stage=Stage.TRANSCRIBING)

        text = JobProgressText(snapshot(now, percentage=42.9, eta_s=13.0))

        line = render(text, text._told_at)
        assert (line.before, line.percentage) == ("talk.wav", 42.9)
        assert line.after == " 42 % · 0:13 left"

    def test_several_are_counted(self) -> None:
        """The one being worked on is named, with its place among all."""
        now = recording(1, state=State.RUNNING, stage=Stage.TRANSCRIBING)

        assert lines(snapshot(ended(State.COMPLETED), now, recording(2))).before == "2/3 talk1.wav"

    @pytest.mark.parametrize(
        ("fields", "told"),
        [
            ({}, "waiting"),
            ({"state": State.PREPARING}, "starting"),
            ({"state": State.PREPARING, "stage": Stage.LOADING_MODEL}, "loading model"),
            (
                {
                    "state": State.PREPARING,
                    "stage": Stage.DOWNLOADING_MODEL,
                    "stage_percentage": 12.4,
                },
                "downloading model 12 %",
            ),
            ({"state": State.CANCELING}, "canceling"),
        ],
    )
    def test_stages_are_named(self, fields: dict[str, object], told: str) -> None:
        """Until there is a forecast, what is being done and for how long."""
        job = snapshot(recording(**fields))

        assert lines(job, elapsed_s=4.0).after == f"  0 % · {told} · 0:04 so far"

    def test_those_ahead_are_told(self) -> None:
        """Waiting has a reason."""
        assert "waiting, 3 ahead" in lines(snapshot(recording(), position=3)).after

    def test_what_nobody_can_know_is_not_shown(self) -> None:
        """A cloud engine has no percentage."""
        now = recording(state=State.RUNNING, stage=Stage.WAITING_FOR_CLOUD, percentage=None)

        display_name = lines(snapshot(now, percentage=None), elapsed_s=5.0)

        assert display_name.after == "waiting for the cloud · 0:05 so far"

    def test_the_time_left_runs_down_between_forecasts(self) -> None:
        """But never to nothing while there is work."""
        story = JobProgressText(snapshot(recording(state=State.RUNNING), eta_s=10.0))

        assert story.left_s(story._told_at + 4.0) == 6.0
        assert story.left_s(story._told_at + 40.0) == 1.0

    def test_the_end_has_time_and_speed(self) -> None:
        """100 % stays, with how long it took and how much faster than listening."""
        job = snapshot(ended(State.COMPLETED), state=State.COMPLETED, percentage=100.0)

        assert lines(job, elapsed_s=2.5).after == "100 % · 0:02 · 4.8× real time"

    def test_the_end_of_several_counts_what_failed(self) -> None:
        """Rejected inputs count too."""
        every = ended(State.COMPLETED), ended(State.FAILED, 1), ended(State.CANCELED, 2)
        bad = Rejection("bad.txt", ErrorInfo("unsupported_media", "text"))

        display_name = lines(
            snapshot(*every, rejected=(bad,), state=State.COMPLETED), elapsed_s=2.0
        )

        assert display_name.before == "3 recordings"
        assert (
            display_name.after == "canceled at 61 % · 0:02 · 6.0× real time · 2 failed · 1 canceled"
        )

    def test_a_failure_among_several_is_not_100(self) -> None:
        """How many failed is told instead."""
        every = ended(State.COMPLETED), ended(State.FAILED, 1)

        display_name = lines(snapshot(*every, state=State.COMPLETED), elapsed_s=2.0)

        assert (display_name.percentage, display_name.after) == (
            71.0,
            "0:02 · 6.0× real time · 1 failed",
        )

    @pytest.mark.parametrize(
        ("state", "how"), [(State.FAILED, "failed"), (State.CANCELED, "canceled at 42 %")]
    )
    def test_without_a_result_the_bar_stays_where_it_was(self, state: State, how: str) -> None:
        """100 % is for what is done."""
        display_name = lines(snapshot(ended(state), state=state), elapsed_s=3.0)

        assert (display_name.percentage, display_name.after) == (42.0, f"{how} after 0:03")

    def test_a_recording_in_a_few_words(self) -> None:
        """`describe` names it, and what is being done unless that speaks for itself."""
        loading = recording(state=State.PREPARING, stage=Stage.LOADING_MODEL)

        assert describe(loading) == "talk.wav: loading model"
        assert describe(ended(State.COMPLETED)) == "talk.wav"

    def test_times_as_people_read_them(self) -> None:
        """Minutes and seconds, hours only where there are some."""
        assert [clock_text(s) for s in (0.4, 75, 3661)] == ["0:00", "1:15", "1:01:01"]


class TestStory:
    def test_events_bring_it_up_to_date(self) -> None:
        """A recording's news carries the job's percentage, ETA and state."""
        story = JobProgressText(snapshot(recording()))

        done = ended(State.COMPLETED)
        story.take(RecordingChanged(1, "session", "job", done, State.COMPLETED, 100.0, None))

        assert (story.percentage, story.over) == (100.0, True)

    def test_each_end_is_news_once(self) -> None:
        """However often it is told."""
        story = JobProgressText(snapshot(ended(State.FAILED), recording(1)))
        assert [r.index for r in story.news()] == [0]

        story.read(snapshot(ended(State.FAILED), ended(State.COMPLETED, 1)))

        assert [r.index for r in story.news()] == [1]

    def test_a_deleted_job_is_over(self) -> None:
        """There is nothing left to follow."""
        story = JobProgressText(snapshot(recording()))

        story.take(JobDeleted(1, "session", "job"))

        assert story.over
        assert story.deleted


class TestDisplay:
    def test_a_log_gets_few_whole_lines(self) -> None:
        """Steps and stages, seconds apart, and the end always; no carriage returns."""
        file, time = io.StringIO(), [0.0]
        log = _Log(file, lambda: time[0])
        for n in range(100):
            time[0] += LINE_S / 8
            log.show(ProgressLine("talk.wav", n, f"{n} %", key=n // 50))
        log.last(ProgressLine("talk.wav", 100.0, "100 %"))

        assert file.getvalue() == "talk.wav: 7 %\ntalk.wav: 50 %\ntalk.wav: 100 %\n"

    def test_a_terminal_gets_one_line_that_lives(self) -> None:
        """Drawn anew in place; the last drawing stays."""
        file = Terminal()
        with display(file) as display_name:
            display_name.show(ProgressLine("talk{0}.wav", 42.0, " 42 % · 0:13 left"))
            display_name.last(ProgressLine("talk{0}.wav", 100.0, "100 %"))

        assert file.getvalue().count("\n") == 1
        drawn = file.getvalue().rstrip("\n").split("\r")
        assert any("talk{0}.wav  ██████████" in line and "42 % · 0:13" in line for line in drawn)
        assert drawn[-1].rstrip().endswith("█ 100 %")

    def test_a_long_name_leaves_room_for_the_bar(self) -> None:
        """No line is wider than the terminal."""
        file = Terminal()
        with display(file) as display_name:
            display_name.last(ProgressLine("w" * 200, 50.0, " 50 % · 0:13 left"))

        last = file.getvalue().rstrip("\n").split("\r")[-1].rstrip()
        assert len(last) < 80
        assert "w…  █" in last
        assert last.endswith("0:13 left")

    def test_letters_that_a_file_lacks_are_replaced(self) -> None:
        """An old encoding is no reason to fall silent, or over."""
        raw = io.BytesIO()
        file = io.TextIOWrapper(raw, encoding="ascii")
        print_lines(["olá · 4.8× real time"], file)

        assert raw.getvalue().strip() == b"ol? - 4.8x real time"

    def test_a_closed_file_is_passed_over(self) -> None:
        """Progress never ends the work it tells of."""
        file = io.StringIO()
        file.close()

        print_lines(["a line"], file)


@pytest.fixture
def service() -> Iterator[Service]:
    """A service of its own, in memory."""
    with Service(journal=None, engines=SCRIPTED, engine="scripted") as running:
        yield running


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Two seconds of a tone."""
    return write_wav(tmp_path / "talk.wav", tone(2.0))


class TestFollow:
    def test_a_short_job_is_one_line(self, service: Service, talk: Path) -> None:
        """In a log, what is over in a moment has its end told and nothing else."""
        file = io.StringIO()

        follow(service.submit(talk), file)

        (line,) = file.getvalue().splitlines()
        assert line.startswith("talk.wav: 100 % · 0:0")
        assert line.endswith("× real time")

    def test_warnings_come_once_after_the_bar(self, service: Service, talk: Path) -> None:
        """The same warning of several recordings is one line."""
        file = io.StringIO()

        follow(service.submit([talk, talk], model=Script(fault="notice").model), file)

        assert file.getvalue().splitlines()[1:] == ["warning: 2 recordings: as the script says"]

    def test_each_end_is_handed_on(self, service: Service, talk: Path) -> None:
        """Silently too; a job that has ended already counts as well."""
        job, event = service.submit([talk, talk]), []

        follow(job, silent=True, ended=lambda r: event.append(r.index))
        follow(job, silent=True, ended=lambda r: event.append(r.index))

        assert sorted(event) == [0, 0, 1, 1]

    def test_a_deleted_job_is_nothing_to_follow(self, service: Service, talk: Path) -> None:
        """Nothing is raised and nothing is told of what is gone."""
        job, file = service.submit(talk), io.StringIO()
        job.delete()

        follow(job, file)

        assert file.getvalue() == ""

    def test_the_service_warns_once(self, talk: Path, tmp_path: Path) -> None:
        """What is wrong with the service is told with its first job only."""
        (tmp_path / "file").write_text("no folder")
        first, second = io.StringIO(), io.StringIO()
        with Service(tmp_path / "file", engines=SCRIPTED, engine="scripted") as service:
            follow(service.submit(talk), first)
            follow(service.submit(talk), second)

        assert "warning: The state folder" in first.getvalue()
        assert "warning" not in second.getvalue()


@pytest.mark.slow
def test_a_cell_shows_a_widget(talk: Path) -> None:
    """In a notebook the bar is a widget that ends full and green."""
    code = f"""
from hybrid_transcribe import Service
from hybrid_transcribe.progress import follow
from hybrid_transcribe.testing import SCRIPTED
with Service(journal=None, engines=SCRIPTED, engine="scripted") as service:
    follow(service.submit({str(talk)!r}))
"""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    NotebookClient(book, timeout=120, kernel_name="python3", store_widget_state=True).execute()

    widgets = book.metadata["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    states = [w["state"] for w in widgets.values()]
    (bar,) = (s for s in states if s.get("_model_name") == "FloatProgressModel")
    texts = [s["value"] for s in states if s.get("_model_name") == "HTMLModel"]
    assert (bar["value"], bar["bar_style"]) == (100.0, "success")
    assert any("100\u2007%" in text for text in texts)
    assert [o.output_type for o in book.cells[0].outputs] == ["display_data"]
