"""Everything that the panel in the browser and the kernel say to each other.

Each message is a JSON object with a ``type``: the struct's name in snake case. Bytes travel in
a binary buffer beside it. Times are seconds since the epoch, ``_s`` seconds, percentages
0..100; null is "nobody knows".

A file comes up in chunks: `UploadBegin` is answered by `UploadAt` with the offset to go on
from (not 0 when the same file was cut off before), each `UploadChunk` by the next `UploadAt`;
the panel keeps a window of unanswered chunks. Files and results come down the same way: a
`Fetch` is answered by `BlobBegin`, then `BlobChunk` while the panel answers with `BlobAt`.
``ref`` is the panel's own number for what it asked, so that answers find their question.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hybrid_transcribe.types import EngineInfo, ErrorInfo, PostProcessorInfo, Segment, Speaker
from hybrid_transcribe.wire.shapes import RecordingView


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=_snake):
    """The base of all."""


# ------------------------------------------------------------------- from panel to kernel


class Hello(Message, frozen=True, kw_only=True):
    """A panel is there: answered by `Welcome`, `Choices` and `Rows`, in this order.

    ``session_id`` is what the page remembers of an earlier visit, ``language`` what its reader
    prefers (``pt-BR``, ``en``).
    """

    session_id: str | None = None
    language: str = "en"


class UploadBegin(Message, frozen=True, kw_only=True):
    """A file is about to come. Files are recognised by folder, name, size and time of change."""

    upload_id: str
    name: str
    size_bytes: int
    modified_ms: float = 0.0
    folder: str = ""


class UploadChunk(Message, frozen=True, kw_only=True):
    """With one buffer: the bytes from there on."""

    upload_id: str
    offset: int


class UploadCancel(Message, frozen=True, kw_only=True):
    """Nobody wants it any more: what has come goes."""

    upload_id: str


class Submit(Message, frozen=True, kw_only=True):
    """Make one job of complete uploads: answered by `Submitted` or `Problem`.

    ``arguments`` (``how`` in JSON) has the keyword arguments of `Service.submit`: engine, model,
    device, language, task and other options; those that are not there take their defaults. The
    same ``key`` again, as when the answer was lost, gives the same job.
    """

    ref: int
    upload_ids: tuple[str, ...]
    arguments: dict[str, Any] = msgspec.field(name="how", default_factory=dict)
    key: str | None = None


class Cancel(Message, frozen=True, kw_only=True):
    """Stop a job or one recording."""

    ref: int
    job_id: str
    recording_id: str | None = None


class Retry(Message, frozen=True, kw_only=True):
    """Once more: as it was, or with what ``changes`` has.

    They are as `Submit.arguments`, all of it: what is not there takes its default, not what it was.
    Only the model stays where the engine does.
    """

    ref: int
    job_id: str
    recording_id: str | None = None
    changes: dict[str, Any] = {}


class Keep(Message, frozen=True, kw_only=True):
    """Spare a job from the janitor, or hand it back."""

    ref: int
    job_id: str
    keep: bool = True


class Delete(Message, frozen=True, kw_only=True):
    """Erase a job with all it left."""

    ref: int
    job_id: str


class Follow(Message, frozen=True, kw_only=True):
    """Show this transcript, and what is added to it: `Text` now and whenever there is more.

    One at a time: another `Follow`, or one without a recording, ends it.
    """

    job_id: str = ""
    recording_id: str = ""


class Fetch(Message, frozen=True, kw_only=True):
    """Send something down.

    ``part`` (``what`` in JSON): ``"audio"`` (the recording), ``"result"`` (one recording in
    ``format``) or ``"results"`` (a whole job: ``txt`` is the merged text, ``zip`` each in format
    ``inside``).
    """

    ref: int
    part: str = msgspec.field(name="what")
    job_id: str
    recording_id: str | None = None
    format: str = "txt"
    inside: str = "txt"
    partial: bool = True


class BlobAt(Message, frozen=True, kw_only=True):
    """So many bytes of an answer to `Fetch` have arrived."""

    ref: int
    offset: int


class BlobCancel(Message, frozen=True, kw_only=True):
    """No more of it."""

    ref: int


class Engines(Message, frozen=True, kw_only=True):
    """Look again which engines can run: answered by `Choices`."""


FromPanel = (
    Hello
    | UploadBegin
    | UploadChunk
    | UploadCancel
    | Submit
    | Cancel
    | Retry
    | Keep
    | Delete
    | Follow
    | Fetch
    | BlobAt
    | BlobCancel
    | Engines
)

# ------------------------------------------------------------------- from kernel to panel


class Choices(Message, frozen=True, kw_only=True):
    """What can be chosen, and the stages after an engine that some of it needs."""

    engines: tuple[EngineInfo, ...]
    postprocessors: tuple[PostProcessorInfo, ...] = ()
    formats: tuple[str, ...]
    extensions: tuple[str, ...]


class Welcome(Message, frozen=True, kw_only=True):
    """The answer to `Hello`.

    ``session_id`` is to be remembered by the page, null where the kernel itself remembers.
    ``link`` opens the same queue elsewhere. ``chunk_bytes`` and ``window`` are how to send
    files: so many bytes a chunk, so many chunks unanswered. ``now`` is the kernel's clock.
    """

    version: str
    session_id: str | None
    link: str | None
    chunk_bytes: int
    window: int
    max_file_bytes: int
    max_files: int
    retention_s: float
    now: float


class Row(RecordingView, frozen=True, kw_only=True):
    """One line of the queue: a recording, or an input that was refused.

    ``session`` is short and for people. ``state`` is a recording's, or ``rejected``.
    ``language`` is the one detected, or else the one set.
    ``actions`` are those that make sense now: cancel, retry, keep, unkeep, delete, open.
    ``sends_audio_to`` says who gets the audio, null for nobody. ``ahead`` counts the recordings
    that run before it. ``of`` is how many recordings its job has. ``expires_at`` is in seconds
    since the epoch.
    """

    id: str
    job_id: str
    # An input that was refused has no id, and a state of its own.
    recording_id: str | None  # type: ignore[assignment]
    state: str  # type: ignore[assignment]
    of: int
    session: str
    ahead: int = 0
    expires_at: float | None
    kept: bool
    sends_audio_to: str | None = None
    actions: tuple[str, ...]


class Rows(Message, frozen=True, kw_only=True):
    """Rows that are new or changed, by id, and ids of those that are gone.

    With ``reset`` these are all there are. Order: ``order`` lists all ids when it changed.
    ``others_ahead`` counts recordings of other sessions that run first.
    """

    rows: tuple[Row, ...]
    gone: tuple[str, ...] = ()
    order: tuple[str, ...] | None = None
    reset: bool = False
    others_ahead: int = 0


class UploadAt(Message, frozen=True, kw_only=True):
    """So many bytes of a file are safe: go on there. ``complete`` when that is all of it."""

    upload_id: str
    offset: int
    complete: bool = False


class UploadFailed(Message, frozen=True, kw_only=True):
    """A file cannot be taken, and why."""

    upload_id: str
    error: ErrorInfo


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """An input of a job that became no recording."""

    name: str
    error: ErrorInfo


class Submitted(Message, frozen=True, kw_only=True):
    """A job was made; its rows come by `Rows`."""

    ref: int
    job_id: str
    rejected: tuple[Refused, ...] = ()


class Done(Message, frozen=True, kw_only=True):
    """What was asked was done."""

    ref: int


class Problem(Message, frozen=True, kw_only=True):
    """What was asked cannot be done, and why."""

    ref: int | None
    error: ErrorInfo


class Text(Message, frozen=True, kw_only=True):
    """Segments of the transcript that is followed, from ``start`` on.

    ``start`` 0 begins afresh. ``complete`` once no more will come. ``speakers`` are all those
    that the transcript has, with their names.
    """

    job_id: str
    recording_id: str
    start: int
    segments: tuple[Segment, ...]
    complete: bool
    speakers: tuple[Speaker, ...] = ()


class BlobBegin(Message, frozen=True, kw_only=True):
    """A file is coming down."""

    ref: int
    name: str
    media_type: str
    size_bytes: int


class BlobChunk(Message, frozen=True, kw_only=True):
    """With one buffer: the bytes from there on. ``last`` when that was all."""

    ref: int
    offset: int
    last: bool = False


class ModelTold(Message, frozen=True, kw_only=True):
    """A model is made ready: its stage, or its end (no stage)."""

    engine: str
    model: str
    stage: str | None = None
    percentage: float | None = None
    error: ErrorInfo | None = None


class Notice(Message, frozen=True, kw_only=True):
    """Something people should know that stops nothing (``disk_full``, ``journal_behind``…).

    ``over``: what was told under that code has passed.
    """

    code: str
    message: str
    over: bool = False
    reason: str = ""
    params: dict[str, Any] = {}


class Connection(Message, frozen=True, kw_only=True):
    """Whether the service can be reached: false, and true again."""

    up: bool


FromKernel = (
    Choices
    | Welcome
    | Rows
    | UploadAt
    | UploadFailed
    | Submitted
    | Done
    | Problem
    | Text
    | BlobBegin
    | BlobChunk
    | ModelTold
    | Notice
    | Connection
)


def read(content: Any) -> FromPanel:
    """A message of the panel from its plain form. Raises msgspec.ValidationError.

    Half characters (lone surrogates, which JSON can hold) are refused here: no response could
    quote them, and neither journal nor worker could store them. Only in the name of a file they
    are replaced, because some file systems hold such names.
    """
    if isinstance(content, dict) and isinstance(content.get("name"), str):
        content = {**content, "name": content["name"].encode(errors="replace").decode()}
    try:
        msgspec.json.encode(content)
    except UnicodeEncodeError:
        raise msgspec.ValidationError("Text that is not valid Unicode") from None
    except (TypeError, OverflowError, RecursionError):
        # Nothing that JSON has, which is told below.
        pass
    message: FromPanel = msgspec.convert(content, type=FromPanel)
    return message


def plain(message: FromKernel) -> dict[str, Any]:
    """A message for the panel as plain JSON values."""
    payload: dict[str, Any] = msgspec.to_builtins(message)
    return payload
