"""What everybody who holds a service may call, wherever its jobs run.

Two classes implement it: `jobs.service.Service` has the jobs in this process, and
`remote.service.RemoteService` reaches another server's over HTTP. The signatures and docstrings
stand here alone. Notebooks, the panel, the command and handles of jobs use a `ServiceLike`; a
server serves a `HostedService`, which either class is, so servers can stand in a chain.

``session_ids`` None means "whatever I own": the owner of a local service sees every session. A
job of a session that is not among them raises UnknownJob, exactly as if it had never been. Every
operation raises ServiceClosed after `ServiceLike.close`, and Unreachable where a service
elsewhere does not answer.
"""

from __future__ import annotations

import asyncio
import os
from abc import abstractmethod
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock
from hybrid_transcribe.events import Event
from hybrid_transcribe.revision_types import EditOperation, RevisionInfo
from hybrid_transcribe.types import (
    EngineInfo,
    JobSnapshot,
    ModelAdvice,
    Options,
    PostProcessorInfo,
    State,
    Transcript,
)

if TYPE_CHECKING:
    from typing_extensions import Self

    from hybrid_transcribe.audio.intake import Uploaded
    from hybrid_transcribe.audio.source_audio import Original
    from hybrid_transcribe.jobs.handle import Job
    from hybrid_transcribe.rest.server import Server

_T = TypeVar("_T")

#: One path, or several; a folder or a zip stands for the recordings in it.
Inputs: TypeAlias = "str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Uploaded]"


@dataclass(frozen=True, slots=True)
class WorkerInfo:
    """A live worker: its lane, its process and the most memory (bytes) it was seen to hold."""

    lane: str
    pid: int | None
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class ServiceHealth:
    """What people should know, as (code, message), and how the default model is.

    ``default_model`` is ``ready``, ``loading``, ``failed``, or ``waiting`` until a job needs it.
    """

    warnings: tuple[tuple[str, str], ...]
    default_model: str


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """How things stand: jobs and recordings by state, queue lengths and deaths by lane."""

    jobs: Mapping[State, int] = field(default_factory=dict)
    recordings: Mapping[State, int] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    deaths: Mapping[str, int] = field(default_factory=dict)
    workers: tuple[WorkerInfo, ...] = ()
    listeners: int = 0


#: The response header of a queue with `QueueJson.seq`.
LAST_EVENT_HEADER = "X-Last-Event-Id"


@dataclass(frozen=True, slots=True)
class QueueJson:
    """A queue's JSON on one line, and the number of the last event before it was begun.

    ``etag`` stands for the text where that is long; None means to digest it.
    """

    seq: int
    text: bytes
    etag: str | None = None


class EventListener(Protocol):
    """A subscription. Iterate over it (``for`` or ``async for``), or close it with ``with``."""

    def get(self, timeout_s: float | None = None) -> Event | None:
        """The next event; None after the timeout or when it has ended."""
        ...

    def close(self) -> None:
        """No more events; a waiting reader is woken."""
        ...

    def __iter__(self) -> Iterator[Event]: ...

    def __aiter__(self) -> AsyncIterator[Event]: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


class JobReader(Protocol):
    """Looks at jobs and changes nothing."""

    @abstractmethod
    def snapshot(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> JobSnapshot:
        """A job as it stands now. Raises UnknownJob."""

    @abstractmethod
    def snapshots(self, *, session_ids: Sequence[str] | None = None) -> tuple[JobSnapshot, ...]:
        """Every job of these sessions (None: of all that are ours), oldest first."""

    @abstractmethod
    def transcript(
        self,
        job_id: str,
        recording_id: str,
        *,
        partial: bool = False,
        run: int | None = None,
        revision: int | None = None,
        session_ids: Sequence[str] | None = None,
    ) -> Transcript:
        """What a recording said: its current text, also while a newer one is made.

        With ``partial`` also while the first one is made, or after it failed. ``revision`` names
        an earlier one (`revisions`); where the journal can no longer read it, the nearest earlier
        one comes, and a warning. ``run`` names the text of one transcription as the engine wrote
        it (`Recording.run`, `Recording.runs`).

        Raises UnknownJob, UnknownRecording, UnknownRevision, InvalidRequest for a run and a
        revision; without ``partial`` also the recording's error.
        """

    @abstractmethod
    def revisions(
        self, job_id: str, recording_id: str, *, session_ids: Sequence[str] | None = None
    ) -> tuple[RevisionInfo, ...]:
        """Who revised a recording's text and when, the engine's first; none before it is there.

        Raises UnknownJob, UnknownRecording.
        """

    @abstractmethod
    def open_audio(
        self, job_id: str, recording_id: str, *, session_ids: Sequence[str] | None = None
    ) -> Original:
        """A recording's own bytes, for a player; close it.

        Raises UnknownJob, UnknownRecording, NotFound.
        """

    @abstractmethod
    def subscribe(
        self,
        callback: Callable[[Event], None] | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        after: int | None = None,
    ) -> EventListener:
        """Listen to events, of some sessions or of all that are ours.

        Without a callback, iterate over the subscription (``for``, ``async for``). A callback
        is called on the service's own thread and must return at once. ``after`` continues after
        the event of that number.
        """

    @abstractmethod
    def wait(self, job_id: str, timeout_s: float | None = None) -> None:
        """Block until a job has ended. Raises TimeoutError, UnknownJob."""

    @abstractmethod
    def wait_async(self, job_id: str) -> asyncio.Future[None]:
        """The same for a coroutine on any running loop."""


class JobController(Protocol):
    """Changes jobs."""

    @abstractmethod
    def cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
    ) -> None:
        """Stop a job, or one recording of it; what has ended stays as it is.

        Raises UnknownJob, UnknownRecording.
        """

    @abstractmethod
    def retry(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        **changes: Any,
    ) -> None:
        """Once more, for what failed or was canceled, or for the one recording named.

        Without changes it goes on after the last finished segment; with an ``engine``,
        ``model``, ``device`` or option of its own it starts afresh, and what is completed
        does too; a complete text stays the result until the new one is complete. Raises
        UnknownJob, UnknownRecording, InvalidTransition, and what `submit` raises.
        """

    @abstractmethod
    def refine(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        stage: str,
        session_ids: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        """Have a post-processor work on every text that is complete, or on that of the one named.

        ``options`` change those of the recording for this work. The text stays the result
        meanwhile, and stays as it is where the post-processor gives nothing, with a warning.
        Raises UnknownJob, UnknownRecording, UnknownPostProcessor, EngineUnavailable,
        InvalidOption, QueueFull, and InvalidTransition where no text is complete.
        """

    @abstractmethod
    def edit(
        self,
        job_id: str,
        recording_id: str,
        operations: Sequence[EditOperation],
        *,
        base_revision: int | None = None,
        author: str = "",
        label: str = "",
        session_ids: Sequence[str] | None = None,
    ) -> RevisionInfo:
        """Change a recording's text: all of the operations or none of them, as one revision.

        Args:
            operations: what `revision_types` names, in order.
            base_revision: the revision that they are meant for; None is the current one. Where
                others revised the text since, they are done all the same, unless they touch what
                was changed.
            author: who edits, as people should read it.
            label: a name for the revision, to find it again.

        An edit that changes nothing, without a label, makes no revision; the current one is
        returned. The job is kept from then on (see `keep`). Raises UnknownJob, UnknownRecording,
        UnknownRevision, UnknownSegment, UnknownSpeaker, InvalidEdit, EditConflict; where there is
        no complete text, the recording's error, JobCanceled or InvalidTransition.
        """

    @abstractmethod
    def restore(
        self,
        job_id: str,
        recording_id: str,
        revision: int,
        *,
        author: str = "",
        label: str = "",
        session_ids: Sequence[str] | None = None,
    ) -> RevisionInfo:
        """Bring an earlier revision back: its text becomes a new revision, and none is lost.

        Raises UnknownJob, UnknownRecording, UnknownRevision, InvalidEdit, and JournalDamaged for
        one that cannot be read.
        """

    @abstractmethod
    def keep(
        self, job_id: str, keep: bool = True, *, session_ids: Sequence[str] | None = None
    ) -> None:
        """Spare a job from the janitor, or hand it back, also one whose text a person edited.

        Raises UnknownJob.
        """

    @abstractmethod
    def delete(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> None:
        """Erase a job with its results and uploads. Raises UnknownJob."""

    @abstractmethod
    def delete_session(self, session_id: str) -> None:
        """Erase everything of a session."""


class ServiceLike(JobReader, JobController, Protocol):
    """What notebooks, the panel, the command and handles of jobs may call."""

    @property
    @abstractmethod
    def settings(self) -> Settings:
        """What the service goes by; of one elsewhere, its limits as far as it tells them."""

    @property
    @abstractmethod
    def session_id(self) -> str:
        """The session of those who name none."""

    @abstractmethod
    def new_session(self) -> str:
        """A fresh anonymous capability of 128 random bits."""

    @property
    @abstractmethod
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """What people should know about this service, as (code, message)."""

    @abstractmethod
    def submit(
        self,
        inputs: Inputs,
        *,
        engine: str | None = None,
        model: str | None = None,
        device: str | None = None,
        language: str | None = None,
        session_id: str | None = None,
        priority: int = 0,
        options: Options | None = None,
        idempotency_key: str | None = None,
        **more: Any,
    ) -> Job:
        """Queue recordings and return at once; a service elsewhere has them uploaded first.

        An upload that breaks off is sent again under the same key, and makes one job all the same.

        Args:
            inputs: a path or several; a folder gives its recordings, a ``.zip`` those in it.
            engine, model, device, language: None takes the service's settings, or detects.
            session_id: whose job it is; None is this service's own session.
            priority: higher goes first among the jobs of its session.
            options: a whole `Options`; single ones can be given by name (``beam_size=1``).
            idempotency_key: the same submission with the same key gives the same job.

        Inputs that cannot be used are in ``job.rejected`` and sink nothing else. Raises
        UnknownEngine, UnknownModel, UnknownDevice, InvalidOption, KeyReused, QueueFull,
        ServiceClosed, and where no input can be used, the reason.
        """

    @abstractmethod
    def job(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> Job:
        """The handle of a job. Raises UnknownJob."""

    @abstractmethod
    def jobs(self, *, session_ids: Sequence[str] | None = None) -> tuple[Job, ...]:
        """Handles of every job of these sessions (None: of all that are ours), oldest first."""

    @abstractmethod
    def engines(self) -> Sequence[EngineInfo]:
        """The service's engines, the default first."""

    @abstractmethod
    def postprocessors(self) -> Sequence[PostProcessorInfo]:
        """The service's post-processors by name."""

    @abstractmethod
    def models(
        self,
        engine: str | None = None,
        *,
        language: str | None = None,
        duration_s: float | None = None,
    ) -> tuple[ModelAdvice, ...]:
        """The models of an engine by name: size, fitness for a language, time and memory there.

        ``duration_s`` is the length of what would be transcribed. Raises UnknownEngine, and
        InvalidOption for a language that nobody knows.
        """

    @abstractmethod
    def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        token: str | None = None,
        open_to_all: bool = False,
    ) -> Server:
        """Serve over HTTP until closed; port 0 takes a free one.

        Without a ``token`` one is made: whoever shows it owns every job. ``open_to_all`` asks
        for none and is refused beyond this machine. Raises InvalidRequest, OSError.
        """

    @property
    @abstractmethod
    def closed(self) -> bool:
        """True after `close`."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything: here running work goes back to the journal and workers end, a
        service elsewhere goes on. Further calls do nothing.
        """

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class HostedService(ServiceLike, Protocol):
    """What a server needs of its service beside what users do."""

    @abstractmethod
    def ask(self, action: Callable[[], _T]) -> Future[_T]:
        """Do something short that calls this service, without holding up the caller's loop.

        Await it with `asyncio.wrap_future`. Calls that may take long (`delete`, `queue_json`…)
        belong on a thread of the caller's.
        """

    @abstractmethod
    def on_loop(self, action: Callable[[], _T]) -> Future[_T]:
        """Do something on the service's own loop, where callbacks are called and a server runs."""

    @abstractmethod
    def before_close(self, action: Callable[[], None]) -> None:
        """Have something done on the service's loop when it is closed."""

    @abstractmethod
    def after_close(self, action: Callable[[], Awaitable[None]]) -> None:
        """Have something done on that loop when all work has stopped: its last act."""

    @property
    @abstractmethod
    def clock(self) -> Clock:
        """The time by which this service lives."""

    @property
    @abstractmethod
    def in_process(self) -> bool:
        """True where jobs use files as they lie here; a service elsewhere is sent their bytes."""

    @property
    @abstractmethod
    def uploads_dir(self) -> Path:
        """Where files that people send belong; `Uploaded` ones are the service's from there."""

    @property
    @abstractmethod
    def partial_dir(self) -> Path:
        """Where uploads in pieces wait for their rest, on the same disk."""

    @abstractmethod
    def preload(self) -> None:
        """Make the default model ready before a job needs it."""

    @abstractmethod
    def health(self) -> ServiceHealth:
        """Whether it takes jobs. Raises ServiceClosed while it is closing."""

    @abstractmethod
    def figures(self) -> ServiceFigures:
        """What metrics are made of, as things stand now."""

    @abstractmethod
    def queue_json(
        self, session_ids: Sequence[str] | None, states: Collection[State] = ()
    ) -> QueueJson:
        """The jobs of these sessions (None: of all) as `wire.shapes.OwnQueue`, oldest first.

        With ``states`` only the jobs in one of them.
        """

    @abstractmethod
    def anonymous_queue_json(self, states: Collection[State] = ()) -> QueueJson:
        """All jobs as strangers may see them, as `wire.shapes.AnonymousQueue`."""

    @abstractmethod
    def check_model(self, engine: str | None, model: str | None, *, hub_ids: bool = False) -> None:
        """Raise UnknownModel for a model that requests over HTTP may not name, UnknownEngine.

        They choose among the names there are, never a file of the service's machine; with
        ``hub_ids`` they may name an id of the hub too. None is the service's own choice.
        """

    @abstractmethod
    def submitted_as(self, session_id: str, idempotency_key: str) -> str | None:
        """The job that was submitted under that key, where the service still knows it."""

    @abstractmethod
    def call_back(self, job_id: str, url: str) -> None:
        """Keep the address that is to be told of the job's end. Raises UnknownJob."""

    @abstractmethod
    def called_back(self, job_id: str, finished_at: float | None) -> None:
        """Note that the end at that time was told, or that nobody could be."""
