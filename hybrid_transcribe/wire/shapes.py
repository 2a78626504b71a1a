"""The JSON of the service, as types: one struct for each object, without any behaviour.

Times are UTC as RFC 3339 has them; fields that end in ``_s`` are seconds. Percentages are
0..100, null when nobody can know. An ETA is null when it is unknown, never 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from hybrid_transcribe.messages import MessageInfo, from_message_info, message_info
from hybrid_transcribe.revision_types import RevisionKind
from hybrid_transcribe.types import (
    EngineInfo,
    ErrorInfo,
    ModelAdvice,
    PostProcessorInfo,
    RecordingFacts,
    Rejection,
    Segment,
    Stage,
    State,
)


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """The base of all. A reader ignores fields it does not know."""


class RunSpec(Shape, frozen=True, kw_only=True):
    """How something is transcribed; ``options`` has only those that were given."""

    engine: str
    model: str
    options: dict[str, Any] = {}


if TYPE_CHECKING:
    _Facts = RunSpec
else:
    #: With the fields of `RecordingFacts`: a fact that is added there is sent, too.
    _Facts = msgspec.defstruct(
        "_Facts",
        [(name, kind, None) for name, kind in get_type_hints(RecordingFacts).items()],
        bases=(RunSpec,),
        frozen=True,
        kw_only=True,
    )


class RunView(_Facts, frozen=True, kw_only=True):
    """Another transcription of a recording, and how it ended; its text is had by its number."""

    run: int = 1
    state: State
    n_segments: int
    error: ErrorInfo | None
    started_at: str | None
    finished_at: str | None


class RecordingView(RunView, frozen=True, kw_only=True):
    """A recording as it stands. REST, the remote client and the panel have the same.

    ``asked_device`` is what was asked for (``auto``, ``gpu``, ``cpu``), ``device`` where it
    runs, null before that.

    The fields are about the transcription number ``run``. ``result_run`` is the one whose text is
    the result, or was corrected to be it: the latest complete one, unless a person went back to
    another; null before there is any. ``runs`` are the others.
    ``transcribed``: the engine is through with it, and its text is whole. ``stages`` are the
    post-processors that it still needs, in their order.

    ``revision`` is the current one of its text, and ``revision_run`` the transcription that this
    is about where there are several revisions; ``edited`` says that a person changed it.
    """

    recording_id: str
    index: int
    name: str
    size_bytes: int
    attempt: int
    stage: Stage | None
    stage_percentage: float | None
    percentage: float | None
    eta_s: float | None
    done_s: float
    asked_device: str
    warnings: tuple[str, ...]
    messages: tuple[MessageInfo, ...] = ()
    result_run: int | None = None
    transcribed: bool = False
    stages: tuple[str, ...] = ()
    runs: tuple[RunView, ...] = ()
    revision: int = 0
    revision_run: int | None = None
    edited: bool = False


class JobView(RunSpec, frozen=True, kw_only=True):
    """A job in full, for those whose it is. ``rejected`` are inputs that gave no recording."""

    job_id: str
    session_id: str
    state: State
    percentage: float | None
    eta_s: float | None
    position: int
    device: str
    priority: int
    created_at: str
    finished_at: str | None
    expires_at: str | None
    kept: bool
    recordings: tuple[RecordingView, ...]
    rejected: tuple[Rejection, ...]


class RevisionView(Shape, frozen=True, kw_only=True):
    """One revision of a recording's text, without the text.

    Attributes:
        revision: its number; 0 is the first complete text of an engine.
        kind: who made it: an engine, a stage after it, a person, or a person who brought an
            earlier revision back (`restore`).
        author: the engine, the stage or the name that a person gave; empty where unknown.
        base: the revision that it changes; null for an engine's text.
        run: the transcription that it is, or changes.
        label: the name that a person gave it.
        restored: the revision that it brings back.
        n_changed: segments that are new, different or gone.
    """

    revision: int
    kind: RevisionKind
    author: str = ""
    created_at: str
    base: int | None = None
    run: int = 1
    label: str = ""
    restored: int | None = None
    n_changed: int = 0


class RevisionsView(Shape, frozen=True, kw_only=True):
    """The revisions of a recording's text, the engine's first."""

    revisions: tuple[RevisionView, ...]


class AnonymousJob(Shape, frozen=True, kw_only=True):
    """A job as strangers may see it: no id, name, session or text of anybody."""

    position: int
    state: State
    engine: str
    percentage: float | None
    eta_s: float | None
    n_recordings: int


class AnonymousQueue(Shape, frozen=True, kw_only=True):
    """Everybody's jobs, oldest first, without their names."""

    jobs: tuple[AnonymousJob, ...]
    anonymous: bool = True


class OwnQueue(Shape, frozen=True, kw_only=True):
    """The jobs of some sessions, oldest first, in full."""

    jobs: tuple[JobView, ...]
    anonymous: bool = False


# ----------------------------------------------------------------------------------- events


class SnapshotEvent(OwnQueue, frozen=True, kw_only=True):
    """``snapshot``: all jobs as they stand, at the start and after events were lost."""


class JobEvent(Shape, frozen=True, kw_only=True):
    """``job``: a job moved.

    ``job`` is all of it when it was accepted, ended, was retried or kept; ``recording`` is the
    one that moved otherwise.
    """

    job_id: str
    session_id: str
    state: State
    percentage: float | None
    eta_s: float | None
    job: JobView | None = None
    recording: RecordingView | None = None


class SegmentEvent(Shape, frozen=True, kw_only=True):
    """``segment``: text that is final; ``index`` counts from 0 within the recording's run."""

    job_id: str
    session_id: str
    recording_id: str
    index: int
    segment: Segment
    run: int = 1


class RevisedEvent(Shape, frozen=True, kw_only=True):
    """``transcript-revised``: a recording's text has a new revision, which is the current one."""

    job_id: str
    session_id: str
    recording_id: str
    revision: RevisionView


class DeletedEvent(Shape, frozen=True, kw_only=True):
    """``deleted``: a job and all its results are gone."""

    job_id: str
    session_id: str


class ModelEvent(Shape, frozen=True, kw_only=True):
    """``model``: a model is made ready before anybody asked; without a stage it has ended."""

    engine: str
    model: str
    stage: Stage | None = None
    percentage: float | None = None
    device: str | None = None
    error: ErrorInfo | None = None


class WarningEvent(Shape, frozen=True, kw_only=True):
    """``warning``: something people should know that stops nothing; ``over`` when it passed.

    ``reason`` and ``params``: the code of its message in the catalogues, and what fills its blanks.
    """

    code: str
    message: str
    over: bool = False
    reason: str = ""
    params: dict[str, Any] = {}

    @classmethod
    def of(cls, code: str, message: str, over: bool = False) -> WarningEvent:
        """A warning whose message may be a `UserMessage`."""
        info = message_info(message)
        return cls(code=code, message=info.text, over=over, reason=info.code, params=info.params)

    @property
    def as_message(self) -> str:
        """The message again, with its code and parameters where it has them."""
        return from_message_info(MessageInfo(self.reason, self.params, self.message))


# ------------------------------------------------------------------- the service itself


class EnginesView(Shape, frozen=True, kw_only=True):
    """Every engine, the default first."""

    engines: tuple[EngineInfo, ...]


class PostProcessorsView(Shape, frozen=True, kw_only=True):
    """Every post-processor, by name."""

    postprocessors: tuple[PostProcessorInfo, ...]


class ModelsView(Shape, frozen=True, kw_only=True):
    """The models of an engine by name; ``default`` is what a job gets that names none.

    Attributes:
        details: the same models, each with what is known of it.
    """

    engine: str
    default: str
    models: tuple[str, ...]
    details: tuple[ModelAdvice, ...] = ()


class LimitsView(Shape, frozen=True, kw_only=True):
    """What a submission may hold.

    Attributes:
        max_file_bytes: largest single file.
        max_files: most recordings of one job.
        max_duration_s: longest recording.
        max_upload_bytes: largest request, with all files in it.
        max_queued: recordings that may wait in all.
        max_queued_per_session: recordings of one session that may wait.
        rate_limit_per_min: calls that create work or open an event stream, of one client in a
            minute; 0 for no limit.
        allow_source_urls: recordings may be given as addresses (source_url).
        archive_max_entries: most entries of a zip.
        archive_max_bytes: most bytes of a zip when unpacked.
        retention_s: how long results stay after a job ended.
    """

    max_file_bytes: int
    max_files: int
    max_duration_s: float
    max_upload_bytes: int
    max_queued: int
    max_queued_per_session: int
    rate_limit_per_min: int
    allow_source_urls: bool
    archive_max_entries: int
    archive_max_bytes: int
    retention_s: float


class SessionView(Shape, frozen=True, kw_only=True):
    """Whose a caller's jobs are. An ``owner`` sees those of all sessions."""

    session_id: str
    owner: bool


class HealthView(Shape, frozen=True, kw_only=True):
    """This process answers; ``version`` is the package's, left out for strangers."""

    status: str
    version: str | msgspec.UnsetType = msgspec.UNSET


class ReadyView(Shape, frozen=True, kw_only=True):
    """It takes jobs; ``warnings`` are what people should know that stops nothing.

    ``default_model`` is ``ready``, ``loading``, ``failed``, or ``waiting`` for the first job.
    Strangers get the status alone.
    """

    status: str
    default_model: str | msgspec.UnsetType = msgspec.UNSET
    warnings: tuple[WarningEvent, ...] | msgspec.UnsetType = msgspec.UNSET


class ProblemView(Shape, frozen=True, kw_only=True):
    """An error, as RFC 9457 has it.

    Attributes:
        type: names the kind of problem, as `code` does.
        title: the status in words.
        status: the HTTP status.
        code: one word for programs, which stays as it is.
        detail: what is wrong and what to do about it, for people, in English.
        reason: names that text in the catalogues of messages, for other languages.
        params: what fills its blanks.
    """

    type: str
    title: str
    status: int
    code: str
    detail: str
    reason: str | msgspec.UnsetType = msgspec.UNSET
    params: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
