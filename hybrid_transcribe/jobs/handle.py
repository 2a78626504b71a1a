"""A job in the hands of a person: ask it, wait for it, await it, iterate over it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from hybrid_transcribe.errors import (
    HybridTranscribeError,
    InvalidRequest,
    JobCanceled,
    ServiceClosed,
    from_info,
)
from hybrid_transcribe.events import Event, JobDeleted, RecordingChanged, Resync, SegmentAdded
from hybrid_transcribe.jobs.job_text import JobText
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.outputs.bundle import bundle
from hybrid_transcribe.outputs.merged import merged_text
from hybrid_transcribe.outputs.save import save, save_all
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.service_protocol import ServiceLike
from hybrid_transcribe.types import (
    ErrorInfo,
    JobSnapshot,
    Recording,
    Rejection,
    Segment,
    State,
    Transcript,
    counted,
)


class JobResult(Sequence[Transcript]):
    """The transcripts of a job in order, and what gave none.

    ::

        result[0], result["talk.m4a"]    # a Transcript, by place or by name
        for transcript in result: ...
        result.text                      # of one, or each under its name
        result.errors                    # what failed or was refused, with the reason
        result.save("out", "srt")        # one file each
    """

    def __init__(self, transcripts: Sequence[Transcript], errors: Sequence[Rejection] = ()) -> None:
        self.transcripts = tuple(transcripts)
        self.errors = tuple(errors)

    @overload
    def __getitem__(self, index: int | str) -> Transcript: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Transcript]: ...

    def __getitem__(self, index: int | str | slice) -> Transcript | Sequence[Transcript]:
        if isinstance(index, str):
            for transcript in self.transcripts:
                if transcript.name == index:
                    return transcript
            raise KeyError(f"No {index!r}; there is {[t.name for t in self.transcripts]}")
        return self.transcripts[index]

    def __len__(self) -> int:
        return len(self.transcripts)

    @property
    def text(self) -> str:
        """All of it: the bare text of one, or each under its name."""
        return merged_text(self.transcripts).rstrip("\n")

    def save(self, folder: str | Path = ".", format: str = "txt") -> tuple[Path, ...]:
        """Write ``<folder>/<name>.<format>`` for each; names are safe and unique.

        With a single transcript ``save("talk.srt")`` writes that file. Raises UnknownFormat,
        and InvalidRequest for a file's name where there are several.
        """
        suffix = Path(folder).suffix[1:].lower()
        if suffix in WRITERS.names() and not Path(folder).is_dir():
            if len(self) != 1:
                raise InvalidRequest(
                    UserMessage("save_one_file", path=str(folder), n=len(self), suffix=suffix)
                )
            return (save(self[0], folder),)
        return save_all(self.transcripts, Path(folder), format)

    def save_zip(self, path: str | Path, format: str = "txt") -> Path:
        """One zip of all, with ``_errors.txt`` where something gave no transcript."""
        with Path(path).open("wb") as file:
            bundle(self.transcripts, self.errors, format, file)
        return Path(path)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        failed = f", {len(self.errors)} failed" if self.errors else ""
        inside = "".join(f"\n  {transcript!r}" for transcript in self.transcripts[:10])
        more = f"\n  and {len(self) - 10} more" if len(self) > 10 else ""
        return f"<JobResult: {counted(len(self), 'transcript')}{failed}>{inside}{more}"


class Job(JobText):
    """What `submit` gives back, at once. The work goes on without it.

    ::

        job.percentage, job.eta_s            # as of now
        job.result()                         # wait: a JobResult
        await job                            # the same, in a notebook or coroutine
        async for segment in job: ...        # text while it comes
        for segment in job: ...              # the same, blocking
    """

    def __init__(self, service: ServiceLike, job_id: str, session_id: str) -> None:
        self._service = service
        self.job_id = job_id
        self.session_id = session_id
        #: What folders and zips held beside recordings, for whoever submitted them.
        self.left_out: tuple[str, ...] = ()

    @property
    def service(self) -> ServiceLike:
        """Where it is queued."""
        return self._service

    # ------------------------------------------------------------------------ state

    def snapshot(self) -> JobSnapshot:
        """The job as it stands now, a frozen value. Raises UnknownJob once it is deleted."""
        return self._service.snapshot(self.job_id)

    @property
    def state(self) -> State:
        """Derived from its recordings."""
        return self.snapshot().state

    @property
    def percentage(self) -> float | None:
        """0..100; None when nobody can know."""
        return self.snapshot().percentage

    @property
    def eta_s(self) -> float | None:
        """Seconds until the last recording is done; None when unknown."""
        return self.snapshot().eta_s

    @property
    def recordings(self) -> tuple[Recording, ...]:
        """Its recordings as they stand now."""
        return self.snapshot().recordings

    @property
    def rejected(self) -> tuple[Rejection, ...]:
        """Inputs that never became recordings, and why."""
        return self.snapshot().rejected

    @property
    def done(self) -> bool:
        """True when every recording has ended, well or not."""
        return self.snapshot().done

    # ---------------------------------------------------------------------- results

    def wait(self, timeout_s: float | None = None) -> bool:
        """Block until it has ended (True), or the timeout passed (False)."""
        try:
            self._service.wait(self.job_id, timeout_s)
        except TimeoutError:
            return False
        return True

    def result(self, timeout_s: float | None = None) -> JobResult:
        """Wait for the end and give every transcript; what failed is in ``.errors``.

        Raises TimeoutError; when no recording gave a transcript, the first error, or
        JobCanceled.
        """
        self._service.wait(self.job_id, timeout_s)
        return self._collect()

    def partial(self) -> JobResult:
        """What is there already, finished or not."""
        return self._gather(self.snapshot(), partial=True)

    def _collect(self) -> JobResult:
        snapshot = self.snapshot()
        result = self._gather(snapshot, partial=False)
        if not result:
            raise _why_nothing(snapshot)
        return result

    def _gather(self, snapshot: JobSnapshot, *, partial: bool) -> JobResult:
        transcripts = [
            self._service.transcript(self.job_id, r.recording_id, partial=partial)
            for r in snapshot.recordings
            if partial or r.has_result
        ]
        return JobResult(transcripts, errors_of(snapshot))

    @property
    def text(self) -> str:
        """The text so far."""
        return self.partial().text

    def __await__(self) -> Generator[object, None, JobResult]:
        yield from self._service.wait_async(self.job_id).__await__()
        return self._collect()

    # ---------------------------------------------------------------------- streams

    async def stream(self) -> AsyncIterator[tuple[Recording, Segment]]:
        """Every segment with its recording, those already there first, then as they come."""
        with self._service.subscribe(session_ids=[self.session_id]) as events:
            reader = _SegmentReader(self)
            for pair in reader.catch_up():
                yield pair
            async for event in events if not reader.over else _nothing():
                for pair in reader.take(event):
                    yield pair
                if reader.over:
                    break
            reader.check_over()

    async def __aiter__(self) -> AsyncIterator[Segment]:
        async for _, segment in self.stream():
            yield segment

    def __iter__(self) -> Iterator[Segment]:
        with self._service.subscribe(session_ids=[self.session_id]) as events:
            reader = _SegmentReader(self)
            yield from (segment for _, segment in reader.catch_up())
            while not reader.over and (event := events.get()) is not None:
                yield from (segment for _, segment in reader.take(event))
            reader.check_over()

    # ---------------------------------------------------------------------- control

    def cancel(self, recording_id: str | None = None) -> None:
        """Stop it, or one recording; the text so far stays."""
        self._service.cancel(self.job_id, recording_id)

    def retry(self, recording_id: str | None = None, **changes: Any) -> None:
        """Once more for what failed or was canceled, going on where it stopped.

        With ``engine=``, ``model=``… afresh, and for what is completed too, whose text stays
        the result until the new one is complete.
        """
        self._service.retry(self.job_id, recording_id, **changes)

    def refine(self, stage: str, recording_id: str | None = None, **options: Any) -> None:
        """Have a post-processor work on what is completed: ``job.refine("speakers", speakers=2)``.

        Wait for its end as for that of the job; the text stays readable meanwhile.
        """
        self._service.refine(self.job_id, recording_id, stage=stage, **options)

    def keep(self, keep: bool = True) -> None:
        """Spare it from the janitor."""
        self._service.keep(self.job_id, keep)

    def delete(self) -> None:
        """Erase it and everything it left."""
        self._service.delete(self.job_id)

    def __repr__(self) -> str:
        try:
            now = self.snapshot()
        except HybridTranscribeError as error:
            return f"<Job {self.job_id[:8]}: {error.code}>"
        share = "" if now.percentage is None else f" {now.percentage:.0f} %"
        eta = "" if now.eta_s is None else f", about {now.eta_s:.0f} s left"
        recordings = counted(len(now.recordings), "recording")
        return f"<Job {self.job_id[:8]}: {recordings}, {now.state}{share}{eta}>"


async def _nothing() -> AsyncIterator[Event]:
    nothing: tuple[Event, ...] = ()
    for event in nothing:
        yield event


class _SegmentReader:
    """Turns events of one job into its segments, each once and in order."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._next: dict[str, int] = {}
        self._recordings: dict[str, Recording] = {}
        self.over = False

    def catch_up(self) -> list[tuple[Recording, Segment]]:
        """All that was not handed out yet, from a snapshot."""
        snapshot = self._job.snapshot()
        self.over = snapshot.done
        items: list[tuple[Recording, Segment]] = []
        for recording in snapshot.recordings:
            self._recordings[recording.recording_id] = recording
            transcript = self._job._service.transcript(
                snapshot.job_id, recording.recording_id, partial=True, run=recording.run
            )
            start = self._next.get(recording.recording_id, 0)
            items.extend((recording, s) for s in transcript.segments[start:])
            self._next[recording.recording_id] = max(start, len(transcript.segments))
        return items

    def check_over(self) -> None:
        """Raise ServiceClosed where the events ended before the job did."""
        if not self.over:
            raise ServiceClosed(UserMessage("closed_before_end"))

    def take(self, event: Event) -> list[tuple[Recording, Segment]]:
        """What this event brings."""
        if isinstance(event, Resync):
            return self.catch_up()
        if event.job_id != self._job.job_id:
            return []
        if isinstance(event, JobDeleted):
            self.over = True
        elif isinstance(event, RecordingChanged) and event.recording is not None:
            self._recordings[event.recording.recording_id] = event.recording
            self.over = event.job_state.terminal
        elif isinstance(event, SegmentAdded):
            return self._segment(event)
        return []

    def _segment(self, event: SegmentAdded) -> list[tuple[Recording, Segment]]:
        if event.segment is None or event.index != self._next.get(event.recording_id, 0):
            return []
        self._next[event.recording_id] = event.index + 1
        return [(self._recordings[event.recording_id], event.segment)]


def errors_of(snapshot: JobSnapshot) -> tuple[Rejection, ...]:
    """What gave no whole transcript: rejected inputs, then failed and canceled recordings."""
    ended = (
        Rejection(r.name, r.error or ErrorInfo(JobCanceled.code, "Canceled"))
        for r in snapshot.recordings
        if r.state in (State.FAILED, State.CANCELED)
    )
    return (*snapshot.rejected, *ended)


def _why_nothing(snapshot: JobSnapshot) -> HybridTranscribeError:
    failed = [r for r in snapshot.recordings if r.state is State.FAILED and r.error]
    if not failed:
        return JobCanceled(UserMessage("job_canceled", id=snapshot.job_id))
    first = failed[0]
    info = first.error or ErrorInfo("error", "")
    error, n_more = from_info(info), len(failed) - 1
    message = UserMessage("labelled", label=first.name, why=error.message)
    if n_more:
        message = UserMessage("more_failed", label=first.name, why=error.message, n=n_more)
    return type(error)(message)
