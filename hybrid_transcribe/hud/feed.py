"""What a panel has to be told, gathered from events until it is time to tell.

Events only mark what changed; rows are made of them once, when they are sent. No clock and no
thread: `bridge` has those.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from hybrid_transcribe import events as e
from hybrid_transcribe.hud import view
from hybrid_transcribe.hud.messages import ModelTold, Notice, Row, Rows, Text
from hybrid_transcribe.messages import message_info
from hybrid_transcribe.types import JobSnapshot, Recording, Segment, Speaker, State, Transcript

#: Notices that wait to be told, at most: the newest count.
_MOST_NOTICES = 100

_ALIVE = frozenset(state.value for state in State if not state.terminal)


@dataclass(slots=True)
class _Known:
    """A job without its recordings, and the ids of its rows in their order."""

    job: JobSnapshot
    n_recordings: int
    row_ids: tuple[str, ...]


class QueueFeed:
    """The rows as the panel shows them, and what has changed since.

    ``receivers`` says by engine who gets the audio. ``lost``: events were missed, or one came
    that makes no sense without those before it: give a snapshot. ``alive`` counts the rows that
    had not ended when they were told.
    """

    def __init__(self, receivers: Mapping[str, str | None]) -> None:
        self.receivers = receivers
        self.lost = True
        self.alive = 0
        self._jobs: dict[str, _Known] = {}
        self._rows: dict[str, Row] = {}
        self._newer: dict[str, Recording] = {}
        self._sent = view.TableState()
        #: How many recordings come first, by job; of those that have not ended.
        self._positions: dict[str, int] = {}
        self._moved = True
        self._fresh = True

    @property
    def rows(self) -> Mapping[str, Row]:
        """Rows as of the last telling, by id."""
        return self._rows

    @property
    def dirty(self) -> bool:
        """There is something to tell, or to look up."""
        return self.lost or self._moved or self._fresh or bool(self._newer)

    def snapshot(self, jobs: Iterable[JobSnapshot]) -> None:
        """Everything as it stands."""
        listed = tuple(jobs)
        whole = view.sheet(listed, self.receivers)
        self._jobs = {job.job_id: _job_progress(job) for job in listed}
        self._rows = dict(whole.rows)
        self._positions = {job.job_id: job.position for job in listed if not job.done}
        self._newer.clear()
        self._moved, self.lost = True, False

    def take(self, event: e.Event) -> None:
        """Something happened."""
        match event:
            case e.RecordingChanged(recording=recording) if recording is not None:
                self._recording(recording)
            case e.JobChanged(job=job) if job is not None:
                self._job(job)
            case e.JobDeleted():
                self._delete(event.job_id)
            case e.Resync():
                self.lost = True

    def again(self) -> None:
        """The panel shows nothing any more: tell everything."""
        self._fresh = True

    def tell(self) -> Rows | None:
        """What the panel needs to show things as they are; None for nothing."""
        self._settle()
        order = self._order() if self._moved else self._sent.order
        now = view.TableState(dict(self._rows), order, min(self._positions.values(), default=0))
        message = view.whole(now) if self._fresh else view.difference(self._sent, now)
        self._sent, self._fresh, self._moved = now, False, False
        self.alive = sum(row.state in _ALIVE for row in self._rows.values())
        return message

    def _recording(self, recording: Recording) -> None:
        if recording.job_id in self._jobs:
            self._newer[recording.recording_id] = recording
        else:
            # Its job is not known, or not any more: a snapshot knows.
            self.lost = True

    def _job(self, job: JobSnapshot) -> None:
        for recording in job.recordings:
            self._newer.pop(recording.recording_id, None)
        self._jobs[job.job_id] = _job_progress(job)
        self._rows.update({row.id: row for row in view.job_rows(job, self.receivers)})
        self._positions.pop(job.job_id, None)
        if not job.done:
            self._positions[job.job_id] = job.position
        self._moved = True

    def _delete(self, job_id: str) -> None:
        entry = self._jobs.pop(job_id, None)
        self._positions.pop(job_id, None)
        for row_id in entry.row_ids if entry else ():
            self._rows.pop(row_id, None)
            self._newer.pop(row_id, None)
        self._moved = True

    def _settle(self) -> None:
        """Make rows of what came, each once however often it changed."""
        for recording in self._newer.values():
            entry = self._jobs[recording.job_id]
            before = self._rows.get(recording.recording_id)
            self._rows[recording.recording_id] = view.recording_row(
                entry.job,
                recording,
                entry.n_recordings,
                before.ahead if before else 0,
                self.receivers,
            )
            if recording.state in (State.PREPARING, State.RUNNING):
                self._positions[recording.job_id] = 0
        self._newer.clear()

    def _order(self) -> tuple[str, ...]:
        return view.order((job.job, job.row_ids) for job in self._jobs.values())


def _job_progress(job: JobSnapshot) -> _Known:
    return _Known(view.without_recordings(job), len(job.recordings), view.row_ids(job))


class TranscriptFollower:
    """One transcript as it grows: each segment once, in order, without a gap.

    ``lost``: a segment is missing or another attempt began: give the transcript.
    """

    def __init__(self, job_id: str, recording_id: str) -> None:
        self.job_id, self.recording_id = job_id, recording_id
        self.lost = True
        self._segments: list[Segment] = []
        self._speakers: tuple[Speaker, ...] = ()
        self._n_sent = 0
        self._speakers_sent: tuple[Speaker, ...] = ()
        self._begun = False
        self._complete: bool | None = None
        self._ended = False
        self._attempt = 0
        self._run = 1

    @property
    def dirty(self) -> bool:
        """There is something to tell, or to look up."""
        news = self._n_sent != len(self._segments) or self._complete != self._ended
        return self.lost or not self._begun or news or self._speakers != self._speakers_sent

    def take(self, event: e.Event) -> None:
        """Something happened."""
        match event:
            case e.SegmentAdded(recording_id=id, index=index, segment=segment, run=run):
                if id == self.recording_id and segment is not None and run == self._run:
                    self._add(index, segment)
            case e.RecordingChanged(recording=recording) if recording is not None:
                if recording.recording_id == self.recording_id:
                    self._moved(recording)
            case e.TranscriptRevised(recording_id=id) if id == self.recording_id:
                self.lost = True
            case e.JobDeleted(job_id=job_id) if job_id == self.job_id:
                self._ended = True
            case e.Resync():
                self.lost = True

    def transcript(self, result: Transcript, ended: bool, attempt: int, run: int = 1) -> None:
        """All of it as it stands; ``ended``: no more will come of this run in this attempt."""
        self._run = run
        segments = list(result.segments)
        if segments[: self._n_sent] != self._segments[: self._n_sent]:
            # It was begun afresh.
            self._n_sent, self._begun = 0, False
        self._segments, self._ended, self._attempt = segments, ended, attempt
        self._speakers = result.speakers
        self.lost = False

    def tell(self) -> Text | None:
        """What was added since; None for nothing."""
        if not self.dirty:
            return None
        text = Text(
            job_id=self.job_id,
            recording_id=self.recording_id,
            start=self._n_sent,
            segments=tuple(self._segments[self._n_sent :]),
            complete=self._ended,
            speakers=self._speakers,
        )
        self._speakers_sent = self._speakers
        self._begun, self._n_sent, self._complete = True, len(self._segments), self._ended
        return text

    def _add(self, index: int, segment: Segment) -> None:
        if index == len(self._segments):
            self._segments.append(segment)
        elif index > len(self._segments):
            self.lost = True

    def _moved(self, recording: Recording) -> None:
        if recording.attempt > self._attempt:
            self._attempt, self.lost = recording.attempt, True
        if shown_run(recording) != self._run:
            self.lost = True
        elif recording.attempt == self._attempt:
            self._ended = recording.has_result or recording.state.terminal


def shown_run(recording: Recording) -> int:
    """The run whose text is shown: the result's, or the first one while it is being made."""
    return recording.result_run or recording.run


class Announcements:
    """What is about no recording: models on their way, and notices."""

    def __init__(self) -> None:
        self._models: dict[tuple[str, str], ModelTold] = {}
        self._notices: list[Notice] = []

    @property
    def dirty(self) -> bool:
        """There is something to tell."""
        return bool(self._models or self._notices)

    def take(self, event: e.Event) -> None:
        """Something happened."""
        match event:
            case e.ModelChanged(engine=engine, model=model):
                stage = event.stage.value if event.stage else None
                self._models[engine, model] = ModelTold(
                    engine=engine,
                    model=model,
                    stage=stage,
                    percentage=event.percentage,
                    error=event.error,
                )
            case e.Warned(code=code, over=True):
                others = [notice for notice in self._notices if notice.code != code]
                self._notices = [*others, Notice(code=code, message="", over=True)]
            case e.Warned(code=code, message=message):
                self.notice(code, message)

    def notice(self, code: str, message: str) -> None:
        """Something people should know."""
        info = message_info(message)
        notice = Notice(code=code, message=info.text, reason=info.code, params=info.params)
        self._notices = [*self._notices, notice][-_MOST_NOTICES:]

    def tell(self) -> tuple[ModelTold | Notice, ...]:
        """All that came since."""
        lines: tuple[ModelTold | Notice, ...] = (*self._models.values(), *self._notices)
        self._models, self._notices = {}, []
        return lines
