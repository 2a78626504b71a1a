"""The seams. Implementations document only what differs from what is said here.

=========  =============================================  ===========================
Seam       What it decides                                Ours
=========  =============================================  ===========================
Engine     audio in, segments out                         ``engines/``
PostProc.  audio and transcript in, a revision out        ``postprocessors/``
Writer     transcript in, text out                        ``outputs/``
Executor   where a worker runs and how it dies            ``executors/``
Journal    what survives the end of this process          ``jobs/journal_*.py``
Service    what notebooks, HUD, REST and CLI see          ``service_protocol.py``
=========  =============================================  ===========================
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import Document, RevisionInfo, RevisionRow, RevisionText
from hybrid_transcribe.service_protocol import ServiceLike as ServiceLike
from hybrid_transcribe.types import (
    Clip,
    JobSnapshot,
    Options,
    Recording,
    Segment,
    Stage,
    Transcript,
    WithheldSegment,
)

if TYPE_CHECKING:
    from hybrid_transcribe.protocol import Command, Message

# ---------------------------------------------------------------------------- Engine


@dataclass(frozen=True, slots=True)
class Language:
    """The language an engine found (ISO 639-1) and how sure it is (0..1)."""

    code: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """Audio finished (s from the clip's start) where no segment says so, e.g. silence."""

    done_s: float


@dataclass(frozen=True, slots=True)
class EngineWarning:
    """One line people should read, kept in ``Transcript.warnings``."""

    text: str


@dataclass(frozen=True, slots=True)
class StageUpdate:
    """What is being done now, where it is not transcribing; percentage (0..100) if known."""

    stage: Stage
    percentage: float | None = None


@dataclass(frozen=True, slots=True)
class CheckpointUpdate:
    """A note to survive a restart, such as the id of a transcript in the cloud.

    It is journalled before the engine is asked for more, replaces the recording's earlier note
    and comes back as ``Clip.note`` in a later attempt. Never a secret.
    """

    note: str


#: Their former names, which plug-ins may still import.
Notice, Doing, Remember = EngineWarning, StageUpdate, CheckpointUpdate


@dataclass(frozen=True, slots=True)
class ClipDone:
    """The engine is through with one clip of a recording (`Engine.transcribe_many` only)."""


#: What an engine may yield. Most yield segments and nothing else.
Heard = (
    Segment | WithheldSegment | Language | Progress | EngineWarning | StageUpdate | CheckpointUpdate
)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine can do, for menus and for choosing a lane.

    Attributes:
        options: names of `Options` fields it honours; others that were set become warnings.
        languages: ISO 639-1 codes; empty means "whatever the model knows".
        model_layout: on-disk layout its models have (``"ctranslate2"``, ``"openai"``,
            ``"huggingface"``, ``"sherpa-onnx"``), or None when the model is only a name, as in
            the cloud.
        models: names it knows where models are no files; empty means any.
        devices: device choices that make sense.
        compute_types: number formats it can be asked for, as far as the device has them.
        sends_audio_to: who receives the audio, None when it stays on this machine.
        batch_recordings: how many recordings it wants at once (1: one after the other).
        whole_recordings: it wants every recording as one clip, however long.
    """

    options: frozenset[str] = frozenset({"language"})
    languages: tuple[str, ...] = ()
    translates: bool = False
    word_timestamps: bool = False
    model_layout: str | None = None
    default_model: str = ""
    models: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("auto", "cpu")
    compute_types: tuple[str, ...] = ()
    needs_network: bool = False
    sends_audio_to: str | None = None
    batch_recordings: int = 8
    whole_recordings: bool = False

    @property
    def by_channel(self) -> bool:
        """Recordings can be transcribed channel by channel: it hears any clip as often as need be.

        Not one that sends whole recordings away, one for each.
        """
        return not (self.whole_recordings or self.needs_network)


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """A model ready to load: the name asked for and, unless it is only a name, its folder.

    In the layout ``"openai"`` the model is the one checkpoint ``file``, a pickle: load it with
    weights_only. Beside one that was converted lies ``alignment_heads.json`` with
    ``[[layer, head], …]``, the attention heads that word times are read from. ``languages`` are
    the ISO 639-1 codes it reads, empty where only its files say so.
    """

    name: str
    folder: Path | None = None
    layout: str | None = None
    file: Path | None = None
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """Where and how to load a model. ``device`` is ``auto``, ``gpu`` or ``cpu``.

    ``cpu_threads`` 0 lets the engine choose. ``settings`` hold the keys of clouds.
    """

    model: ModelFiles
    device: str = "auto"
    compute_type: str | None = None
    cpu_threads: int = 0
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Loaded:
    """How a model really was loaded. ``device`` is ``"cpu"``, ``"gpu"`` or ``"cloud"``.

    ``notices`` tell people about fall-backs, one line each with the remedy.
    """

    device: str = "cpu"
    compute_type: str | None = None
    notices: tuple[str, ...] = ()


class Engine(ABC):
    """One way to transcribe, holding at most one loaded model.

    An instance lives in a worker process, is used by one thread at a time and is asked, in
    order: `load`, any number of `transcribe` / `transcribe_many`, `unload`. Making an instance
    and asking `available` must be cheap and import no model library at module level.
    """

    name: ClassVar[str]
    capabilities: ClassVar[Capabilities]

    def available(self, settings: Settings) -> str | None:
        """None when it can run here; otherwise one line: why not, and the remedy."""
        return None

    def load(self, request: LoadRequest) -> Loaded:
        """Make the model ready. Raises EngineUnavailable, ModelUnavailable, OutOfMemory."""
        return Loaded()

    @abstractmethod
    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        """Yield segments in time order, each as soon as it is final.

        Times count from the clip's first sample and never pass its end. ``clip.samples`` is
        float32, shape (n_samples,), mono, 16 kHz, within [-1, 1]. Yield `Language` before the
        first segment when it was detected. Ask ``canceled()`` before every yield and return
        when it is true. Raises OutOfMemory and DeviceFailed, after which the worker may load it
        again in a smaller way and go on behind the last segment; EngineUnavailable for a
        missing library, key or device; EngineFailed with its cause for anything else.
        """

    def transcribe_many(
        self,
        clips: Iterable[tuple[int, Clip]],
        options: Options,
        canceled: Callable[[int], bool],
    ) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        """Transcribe clips of several recordings, told apart by their keys.

        ``clips`` is lazy: audio is decoded a little ahead of what was taken from it, and a
        long recording gives several clips of the same key, in order. Yield ``(key, heard)`` in
        time order within a key, in any order between keys, then ``(key, ClipDone())`` after
        each clip. An exception for one clip is yielded as ``(key, error)``, so that its
        neighbours go on; raise only what ends the whole batch.

        The default takes them one after the other. Override it to batch or to run in parallel.
        """
        for key, clip in clips:
            try:
                for event in self.transcribe(clip, options, lambda key=key: canceled(key)):  # type: ignore[misc]
                    yield key, event
            except Exception as error:
                yield key, error
            else:
                yield key, ClipDone()

    def erase(self, note: str, settings: Settings) -> None:  # noqa: B027 - most leave nothing
        """Delete what the attempt of that note left elsewhere, such as in the cloud.

        Called without `load`; bounded in time. What is gone already is no error. Raises
        EngineError when it may still be there.
        """

    def unload(self) -> None:  # noqa: B027 - engines without a model have nothing to do
        """Give the model's memory back. `load` may follow again."""


# --------------------------------------------------------------------- PostProcessor


@dataclass(frozen=True, slots=True)
class PostProcessorCapabilities:
    """What a stage after the engine needs and does.

    Attributes:
        options: names of `Options` fields it honours.
        models: names of the models it loads, as `models.catalogue` knows them; they are fetched
            before `PostProcessor.load`.
        needs_words: segments come with the times of their words.
        share: the time it takes against an engine's, roughly: 0.2 counts for a sixth of the
            percentage of a recording that is transcribed and then processed.
        stage: what people are told while it works.
    """

    options: frozenset[str] = frozenset()
    models: tuple[str, ...] = ()
    needs_words: bool = False
    share: float = 0.2
    stage: Stage = Stage.POSTPROCESSING


#: What a stage after the engine may yield: how far it is (s of audio), what people should read,
#: and once, at its end, the new text.
Processed = Progress | EngineWarning | Document


class PostProcessor(ABC):
    """A stage after the engine: audio and transcript in, a revision of the transcript out.

    An instance lives in a worker process, is used by one thread at a time and is asked, in
    order: `load`, any number of `process`, `unload`. Making an instance and asking `available`
    must be cheap and import no model library at module level. Whatever it raises, however it
    dies, the transcript it was given stays.
    """

    name: ClassVar[str]
    capabilities: ClassVar[PostProcessorCapabilities]

    def available(self, settings: Settings) -> str | None:
        """None when it can run here; otherwise one line: why not, and the remedy."""
        return None

    def load(self, models: Mapping[str, Path], settings: Settings) -> None:  # noqa: B027 - some have none
        """Make it ready. ``models``: the file or folder of each model it names.

        Raises EngineUnavailable, ModelUnavailable, OutOfMemory.
        """

    @abstractmethod
    def process(
        self,
        audio: Iterable[Clip],
        transcript: Transcript,
        options: Options,
        canceled: Callable[[], bool],
    ) -> Iterator[Processed]:
        """Yield `Progress` as it goes and, once, the `Document` that becomes the next revision.

        ``audio`` is the whole recording, lazily and in order, in clips of bounded length
        (``Clip.start_s`` says where each begins): memory must not grow with its length but for
        what is needed at the end. ``transcript`` is the text so far; its segments have ids, and
        one that goes on to exist keeps its own. Ask ``canceled()`` at least once for each clip
        and return when it is true. Nothing that was said may be lost: text may move, not vanish.
        Raises EngineFailed with its cause for whatever cannot be done.
        """

    def unload(self) -> None:  # noqa: B027 - stages without a model have nothing to do
        """Give the model's memory back. `load` may follow again."""


# ---------------------------------------------------------------------------- Writer


class Writer(ABC):
    """Turns a transcript into text of one format. Stateless."""

    extension: ClassVar[str]
    media_type: ClassVar[str]

    @abstractmethod
    def write(self, transcript: Transcript) -> str:
        """The whole file's text, ending with a newline unless empty."""


# -------------------------------------------------------------------------- Executor


@dataclass(frozen=True, slots=True)
class WorkerExit:
    """How a worker ended: its exit status (negative: the signal) and its last words."""

    status: int | None
    last_words: str = ""

    @property
    def message(self) -> str:
        """How, for people."""
        if self.status is not None and self.status < 0:
            return UserMessage("exit_signal", status=-self.status)
        return UserMessage("exit_status", status=self.status)

    def __str__(self) -> str:
        return self.message


class Executor(ABC):
    """Runs one worker at a time, somewhere. All methods are called on the manager loop."""

    @abstractmethod
    def start(
        self, on_message: Callable[[Message], None], on_exit: Callable[[WorkerExit], None]
    ) -> None:
        """Start a worker. Both callbacks are called on the loop that was running at `start`.

        ``on_exit`` is called exactly once, after the last message. A worker may be started
        again after that.
        """

    @abstractmethod
    def send(self, command: Command) -> None:
        """Hand a command to the worker without waiting. Silently dropped when it is gone."""

    @abstractmethod
    def kill(self) -> None:
        """End the worker now, whatever it is doing; `on_exit` follows."""

    @abstractmethod
    async def stop(self, grace_s: float) -> None:
        """Ask the worker to end, kill it after the grace. Returns when it is gone."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """True from `start` until `on_exit`."""

    @property
    def pid(self) -> int | None:
        """The worker's process id, None when it has no process of its own."""
        return None


# --------------------------------------------------------------------------- Journal


#: A recording's id and the number of one of its runs (see `Recording.run`).
RunKey = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Restored:
    """What a journal held when it was opened.

    Attributes:
        damaged: what could not be read, by the names that people know; the rest is whole.
        n_missing: how many segments of a run cannot be read, by recording id and run, where any.
        n_revisions_missing: how many revisions of a recording cannot be read, by its id, where any.
    """

    jobs: tuple[JobSnapshot, ...] = ()
    facts: dict[str, Any] = field(default_factory=dict)
    damaged: tuple[str, ...] = ()
    n_missing: dict[RunKey, int] = field(default_factory=dict)
    n_revisions_missing: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class JournalChanges:
    """What one operation changes in a journal, to be written as one transaction.

    A later change of the same thing takes the place of the earlier one. Applied in the order of
    the attributes.

    Attributes:
        deleted: ids of jobs that go, with their recordings, segments and revisions.
        deleted_recordings: ids of recordings that go with their segments and revisions; their jobs
            stay.
        dropped: runs whose segments go.
        jobs: jobs by id. The recordings they are given with are saved too; without any, those a
            job had stay as they are.
        recordings: recordings of saved jobs, by id.
        segments: final segments by run and index.
        revisions: revisions by recording id and number.
        facts: small JSON values by name, e.g. measured speeds.
        encoded: what `Journal.encoded` made before of some of the recordings, by id.
    """

    deleted: set[str] = field(default_factory=set)
    deleted_recordings: set[str] = field(default_factory=set)
    dropped: set[RunKey] = field(default_factory=set)
    jobs: dict[str, JobSnapshot] = field(default_factory=dict)
    recordings: dict[str, Recording] = field(default_factory=dict)
    segments: dict[RunKey, dict[int, Segment]] = field(default_factory=dict)
    revisions: dict[str, dict[int, RevisionRow]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    encoded: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return any(
            (
                self.deleted,
                self.deleted_recordings,
                self.dropped,
                self.jobs,
                self.recordings,
                self.segments,
                self.revisions,
                self.facts,
            )
        )

    def save_job(self, job: JobSnapshot) -> None:
        """Insert or replace a job, and the recordings it is given with (never its segments)."""
        self.jobs[job.job_id] = replace(job, recordings=())
        self.recordings.update({r.recording_id: r for r in job.recordings})

    def save_recording(self, recording: Recording) -> None:
        """Replace one recording of a saved job."""
        self.encoded.pop(recording.recording_id, None)
        self.recordings[recording.recording_id] = recording

    def add_segment(self, recording: Recording, index: int, segment: Segment) -> None:
        """Append a segment to the recording's run, and save the recording."""
        key = (recording.recording_id, recording.run)
        self.segments.setdefault(key, {})[index] = segment
        self.save_recording(recording)

    def add_revision(self, recording: Recording, info: RevisionInfo, text: RevisionText) -> None:
        """Add a revision of the recording's text, and save the recording."""
        self.revisions.setdefault(recording.recording_id, {})[info.revision] = (info, text)
        self.save_recording(recording)

    def drop_segments(self, recording_id: str, run: int) -> None:
        """Forget the segments of a run."""
        self.segments.pop((recording_id, run), None)
        self.dropped.add((recording_id, run))

    def delete_job(self, job_id: str) -> None:
        """Forget a job, its recordings, segments and revisions. Unknown ids are ignored."""
        self.jobs.pop(job_id, None)
        self._forget({r.recording_id for r in self.recordings.values() if r.job_id == job_id})
        # What was written before is found by the journal itself.
        self.deleted.add(job_id)

    def delete_recordings(self, recording_ids: Collection[str]) -> None:
        """Forget some recordings of a job with their text. Unknown ids are ignored."""
        self._forget(set(recording_ids))
        self.deleted_recordings.update(recording_ids)

    def _forget(self, recording_ids: set[str]) -> None:
        self.recordings = {i: r for i, r in self.recordings.items() if i not in recording_ids}
        self.segments = {key: s for key, s in self.segments.items() if key[0] not in recording_ids}
        self.revisions = {i: r for i, r in self.revisions.items() if i not in recording_ids}


class Journal(ABC):
    """What survives the end of this process. Used from the manager loop only.

    `write` returns when the changes would survive a SIGKILL of this process, or raises
    JournalUnusable, having changed nothing. The methods below it are shorthand.
    """

    #: False when nothing outlives this process.
    durable: ClassVar[bool]

    @abstractmethod
    def restore(self) -> Restored:
        """Everything saved so far; jobs in the order they were first saved."""

    @abstractmethod
    def write(self, changes: JournalChanges) -> None:
        """All of the changes, or none of them."""

    @abstractmethod
    def segment_rows(self, recording_id: str, run: int = 1) -> dict[int, Segment | None]:
        """The segments of a run by index; None where one is there but cannot be read."""

    @abstractmethod
    def revision_infos(self, recording_id: str) -> dict[int, RevisionInfo | None]:
        """Its revisions by number, without their text; None where one cannot be read."""

    @abstractmethod
    def revision_texts(
        self, recording_id: str, first: int, last: int
    ) -> dict[int, RevisionText | None]:
        """The text of its revisions ``first`` to ``last``; None where one cannot be read."""

    def encoded(self, recording: Recording) -> object:
        """What `write` would make of it, done before, so that many take less at once."""
        return None

    def shrink(self) -> bool:
        """Give back some of the room of what was deleted; True when there may be more of it.

        Raises JournalUnusable.
        """
        return False

    @abstractmethod
    def close(self) -> None:
        """Let go of files; further calls do nothing."""

    def segments(self, recording_id: str, run: int = 1) -> tuple[Segment, ...]:
        """The segments of a run that can be read, by index."""
        rows = self.segment_rows(recording_id, run)
        return tuple(s for _, s in sorted(rows.items(), key=lambda row: row[0]) if s is not None)

    def revisions(self, recording: Recording) -> dict[int, RevisionRow]:
        """Those of its revisions that can be read whole, by number."""
        if not recording.revision:
            return {}
        infos = self.revision_infos(recording.recording_id)
        texts = self.revision_texts(recording.recording_id, 0, recording.revision)
        return {
            number: (info, text)
            for number, info in infos.items()
            if info is not None and (text := texts.get(number)) is not None
        }

    def save_job(self, job: JobSnapshot) -> None:
        """See `JournalChanges.save_job`."""
        changes = JournalChanges()
        changes.save_job(job)
        self.write(changes)

    def save_recording(self, recording: Recording) -> None:
        """See `JournalChanges.save_recording`."""
        changes = JournalChanges()
        changes.save_recording(recording)
        self.write(changes)

    def add_segment(self, recording: Recording, index: int, segment: Segment) -> None:
        """See `JournalChanges.add_segment`."""
        changes = JournalChanges()
        changes.add_segment(recording, index, segment)
        self.write(changes)

    def add_revision(self, recording: Recording, info: RevisionInfo, text: RevisionText) -> None:
        """See `JournalChanges.add_revision`."""
        changes = JournalChanges()
        changes.add_revision(recording, info, text)
        self.write(changes)

    def drop_segments(self, recording_id: str, run: int = 1) -> None:
        """See `JournalChanges.drop_segments`."""
        changes = JournalChanges()
        changes.drop_segments(recording_id, run)
        self.write(changes)

    def delete_job(self, job_id: str) -> None:
        """See `JournalChanges.delete_job`."""
        changes = JournalChanges()
        changes.delete_job(job_id)
        self.write(changes)

    def save_fact(self, name: str, value: Any) -> None:
        """Keep a small JSON value under a name."""
        self.write(JournalChanges(facts={name: value}))
