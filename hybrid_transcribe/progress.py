"""A progress bar for a job, in a terminal or a cell."""

from __future__ import annotations

from typing import Any, TextIO

from hybrid_transcribe.events import Event, JobChanged, JobDeleted, RecordingChanged
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.types import Recording, Stage, State

#: What is shown for a stage; transcribing speaks for itself.
_STAGES = {
    Stage.DOWNLOADING_MODEL: "downloading model",
    Stage.LOADING_MODEL: "loading model",
    Stage.DECODING: "decoding",
    Stage.UPLOADING_TO_CLOUD: "uploading",
    Stage.WAITING_FOR_CLOUD: "waiting for the cloud",
}

_BAR = "{desc} {percentage:3.0f}% |{bar}| {postfix}"


def follow(job: Job, file: TextIO | None = None) -> None:
    """Show a bar on ``file`` (stderr) until the job has ended.

    In a notebook tqdm shows its own widget; where there is neither terminal nor notebook, a
    bar is drawn only now and then.
    """
    with job._service.subscribe(session_ids=[job.session_id]) as events:
        with _bar(file) as bar:
            done = _first(job, bar)
            while not done and (event := events.get()) is not None:
                if event.job_id == job.job_id:
                    done = _show(bar, event)


def _bar(file: TextIO | None) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=100, file=file, bar_format=_BAR, dynamic_ncols=True, leave=True, desc="")


def _first(job: Job, bar: Any) -> bool:
    snapshot = job.snapshot()
    _move(bar, snapshot.percentage, snapshot.eta_s)
    return snapshot.done


def _show(bar: Any, event: Event) -> bool:
    if isinstance(event, JobDeleted):
        return True
    if isinstance(event, JobChanged) and event.job is not None and event.job.done:
        _move(bar, 100.0, None)
        return True
    if isinstance(event, RecordingChanged) and event.recording is not None:
        bar.set_description_str(describe(event.recording), refresh=False)
        _move(bar, event.job_percentage, event.job_eta_s)
    return False


def _move(bar: Any, percentage: float | None, eta_s: float | None) -> None:
    bar.set_postfix_str(f"{clock_text(eta_s)} left" if eta_s else "", refresh=False)
    bar.n = percentage or 0.0
    bar.refresh()


def describe(recording: Recording) -> str:
    """One short line: the recording and what is being done to it."""
    doing = ""
    if recording.stage in _STAGES and not recording.state.terminal:
        share = recording.stage_percentage
        doing = _STAGES[recording.stage] + ("" if share is None else f" {share:.0f} %")
    elif recording.state in (State.FAILED, State.CANCELED, State.CANCELING):
        doing = str(recording.state)
    return f"{recording.name}: {doing}" if doing else recording.name


def clock_text(seconds: float) -> str:
    """Seconds as people read them.

    >>> clock_text(75)
    '1:15'
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
