"""What is shown of a job: pure functions, no clock and no terminal inside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_transcribe.progress.job_progress import JobProgressText
from hybrid_transcribe.types import Recording, Stage, State

#: How many % are worth a line in a log.
STEP = 10

#: What is shown for a stage; transcribing speaks for itself.
_STAGES = {
    Stage.DOWNLOADING_MODEL: "downloading model",
    Stage.LOADING_MODEL: "loading model",
    Stage.DECODING: "decoding",
    Stage.UPLOADING_TO_CLOUD: "uploading",
    Stage.WAITING_FOR_CLOUD: "waiting for the cloud",
    Stage.IDENTIFYING_SPEAKERS: "telling speakers apart",
    Stage.POSTPROCESSING: "finishing the text",
}

#: The same for states that have no stage.
_STATES = {
    State.QUEUED: "waiting",
    State.PREPARING: "starting",
    State.FAILED: "failed",
    State.CANCELED: "canceled",
    State.CANCELING: "canceling",
}

#: The line names the liveliest recording, and the first of those.
_LIVELIEST = (State.RUNNING, State.PREPARING, State.CANCELING, State.QUEUED)


@dataclass(frozen=True, slots=True)
class ProgressLine:
    """One line: the bar stands between ``before`` and ``after``.

    ``key`` differs from the line before when the change is worth a line in a log.
    """

    before: str
    percentage: float | None
    after: str
    key: object = None


def render(story: JobProgressText, now: float) -> ProgressLine:
    """The line while the job is alive."""
    every = tuple(story.recordings.values())
    current = _current(every)
    doing = _doing(current)
    if current.state is State.QUEUED and story.ahead:
        doing += f", {story.ahead} ahead"
    left_s = story.left_s(now)
    clock = f"{clock_text(left_s)} left" if left_s else f"{clock_text(story.elapsed_s(now))} so far"
    return ProgressLine(
        _who(current, every),
        story.percentage,
        _joined(_share(story.percentage), doing, clock),
        key=(doing.rstrip("0123456789 %"), int(story.percentage or 0) // STEP),
    )


def render_final(story: JobProgressText, now: float, *, speed: bool = True) -> ProgressLine:
    """The line that stays, with or without how fast it was."""
    every = tuple(story.recordings.values())
    remaining = every[0].name if len(every) == 1 else f"{len(every)} recordings"
    elapsed_s = story.elapsed_s(now)
    states = Counter(r.state for r in every)
    failed, canceled = states[State.FAILED] + story.rejected, states[State.CANCELED]
    share = sum(r.percentage or 0.0 for r in every) / len(every)
    if not states[State.COMPLETED]:
        options = _canceled_at(share) if canceled else "failed"
        return ProgressLine(remaining, min(share, 99.0), f"{options} after {clock_text(elapsed_s)}")
    heard_s = sum(r.duration_s or 0.0 for r in every if r.state is State.COMPLETED)
    counts = [f"{n} {word}" for n, word in ((failed, "failed"), (canceled, "canceled")) if n]
    whole = states[State.COMPLETED] == len(every)
    head = "100 %" if whole else _canceled_at(share) if canceled else ""
    fast = speed_text(heard_s, elapsed_s) if speed else ""
    right = _joined(head, clock_text(elapsed_s), fast, *counts)
    return ProgressLine(remaining, 100.0 if whole else min(share, 99.0), right)


def _canceled_at(share: float) -> str:
    return f"canceled at {min(int(share), 99)} %"


def render_transfer(name: str, percentage: float | None) -> ProgressLine:
    """The line while a model is fetched or put together."""
    return ProgressLine(name, percentage, _share(percentage), key=int(percentage or 0) // STEP)


def describe(recording: Recording) -> str:
    """One short line: the recording and what is being done to it."""
    doing = _doing(recording)
    return f"{recording.name}: {doing}" if doing else recording.name


def clock_text(seconds: float) -> str:
    """Seconds as people read them.

    >>> clock_text(75), clock_text(3600)
    ('1:15', '1:00:00')
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def speed_text(heard_s: float, elapsed_s: float) -> str:
    """How much faster than listening; empty where nothing was measured.

    >>> speed_text(48.0, 10.0), speed_text(0.0, 10.0)
    ('4.8× real time', '')
    """
    if heard_s <= 0 or elapsed_s <= 0:
        return ""
    factor = heard_s / elapsed_s
    return f"{factor:.{0 if factor >= 10 else 1}f}× real time"


def _current(every: Sequence[Recording]) -> Recording:
    alive = [r for r in every if not r.state.terminal]
    return min(alive, key=lambda r: (_LIVELIEST.index(r.state), r.index), default=every[-1])


def _who(current: Recording, every: Sequence[Recording]) -> str:
    if len(every) == 1:
        return current.name
    place = min(1 + sum(r.state.terminal for r in every), len(every))
    return f"{place}/{len(every)} {current.name}"


def _doing(recording: Recording) -> str:
    if recording.stage is None or recording.state not in (State.PREPARING, State.RUNNING):
        return _STATES.get(recording.state, "")
    doing, share = _STAGES.get(recording.stage, ""), recording.stage_percentage
    return f"{doing} {share:.0f} %" if doing and share is not None else doing


def _share(percentage: float | None) -> str:
    # Downwards: 100 % is for what is done. Of one width, so that the line does not jump.
    return "" if percentage is None else f"{int(percentage):3d} %"


def _joined(*parts: str) -> str:
    return " · ".join(part for part in parts if part)
