"""The messages between a service and its worker: one JSON object a line.

The service sends commands, the worker sends messages. What happens to a recording is a
`RecordingReport`, which the state machine (`jobs.machine`) takes as it is. It travels in a
`RecordingMessage` with the attempt it belongs to: the service drops those of an earlier attempt.
A worker takes *batches* and may transcribe the recordings of a batch one by one, in parallel or
as one tensor, so messages of several recordings may interleave. A stage after the engine is a
command of its own, for one recording whose text is whole by then: whatever becomes of the stage,
the text does not depend on it. Unknown fields are ignored, so
both sides may gain fields.

The conversation::

    service                          worker
    Configure ──────────────────────▶
              ◀────────────────────── Ready
    RunBatch(items) ────────────────▶
              ◀────────────────────── MetadataLearned(duration_s)      per recording
              ◀────────────────────── StageChanged(downloading | loading)
              ◀────────────────────── BatchPlaced, MetadataLearned(device)
              ◀────────────────────── StageChanged(decoding | transcribing)
              ◀────────────────────── MetadataLearned(language), SegmentTranscribed…,
                                      ProgressAdvanced…, WarningRaised…, TextWithheld…
              ◀────────────────────── CheckpointSaved, and the worker waits for
    Checkpoint(recording) ──────────▶
    RunStage(recording) ────────────▶
              ◀────────────────────── StageChanged, ProgressAdvanced…, WarningRaised…
              ◀────────────────────── PostProcessed | PostProcessingFailed | RecordingCanceled
              ◀────────────────────── BatchDone
    CancelRecording(recording) ─────▶  at any time
              ◀────────────────────── RecordingCompleted | RecordingFailed | RecordingCanceled
              ◀────────────────────── BatchDone
    Stop ───────────────────────────▶  or the end of the pipe: exit, at once
"""

from __future__ import annotations

import msgspec

from hybrid_transcribe.config import Settings
from hybrid_transcribe.messages import MessageInfo, message_info
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.types import (
    ErrorInfo,
    Options,
    RecordingFacts,
    Segment,
    Spec,
    Stage,
    Transcript,
    WithheldSegment,
)


class _Line(msgspec.Struct, frozen=True, tag_field="is", tag=str.lower):
    """A line of the conversation; the class's name in lower case is its ``is`` field."""


# ------------------------------------------------------------------ service -> worker


class Configure(_Line, frozen=True):
    """First line of all: the settings, and engines by ``name -> "module:attr"``."""

    settings: Settings


class Item(msgspec.Struct, frozen=True):
    """One recording of a batch.

    ``resume_from_s`` and ``first_index`` go on where an earlier attempt was cut off, with the
    ``language`` it had found and the engine's ``note``.
    """

    recording_id: str
    attempt: int
    path: str
    name: str
    resume_from_s: float = 0.0
    first_index: int = 0
    language: str | None = None
    note: str | None = None


class RunBatch(_Line, frozen=True):
    """Transcribe these recordings, all alike.

    ``stage_options`` are names of options that the stages after the engine honour: nobody is
    warned that the engine does not.
    """

    batch_id: int
    spec: Spec
    items: tuple[Item, ...]
    stage_options: tuple[str, ...] = ()


class RunStage(_Line, frozen=True):
    """Have a post-processor work on a recording's text.

    ``stage`` is its name, ``transcript`` the text as it stands, ``path`` where the audio lies.
    """

    batch_id: int
    recording_id: str
    attempt: int
    path: str
    stage: str
    options: Options
    transcript: Transcript


class CancelRecording(_Line, frozen=True):
    """Stop one recording at the next chance; `RecordingCanceled` answers."""

    recording_id: str
    attempt: int


class Checkpoint(_Line, frozen=True):
    """The note of a recording is journalled: the answer to `CheckpointSaved`."""

    recording_id: str
    attempt: int


class Erase(_Line, frozen=True):
    """Delete what an engine left elsewhere; `Erased` answers."""

    engine: str
    note: str


class Preload(_Line, frozen=True):
    """Make a model ready before anybody asks; `ModelStaged` tells, `ModelReady` ends it."""

    spec: Spec


class Unload(_Line, frozen=True):
    """Give the memory of idle models back."""


class Stop(_Line, frozen=True):
    """Exit now."""


Command = (
    Configure | RunBatch | RunStage | CancelRecording | Checkpoint | Erase | Preload | Unload | Stop
)

# ------------------------------------------------------- what happens to a recording


class StageChanged(_Line, frozen=True):
    """What is being done to it now; percentage (0..100) of the stage where it is known."""

    stage: Stage
    percentage: float | None = None


class MetadataLearned(_Line, frozen=True):
    """Facts about it; None changes nothing. The length comes from its header, then its samples."""

    facts: RecordingFacts


class SegmentTranscribed(_Line, frozen=True):
    """A final segment; its times count from the start of the recording."""

    index: int
    segment: Segment


class SegmentsTranscribed(_Line, frozen=True):
    """Final segments in time order that belong together: all of them are journalled, or none.

    They may overlap, as those of people who speak at once. ``resume_s`` is where a later attempt
    goes on, in seconds.
    """

    index: int
    segments: tuple[Segment, ...]
    resume_s: float


class TextWithheld(_Line, frozen=True):
    """Text that was left out as made up, for ``Transcript.withheld``."""

    withheld: WithheldSegment


class ProgressAdvanced(_Line, frozen=True):
    """Audio finished so far, in seconds.

    ``resume_s`` is where a later attempt goes on, where that is earlier: what was finished since
    then is not sent yet.
    """

    done_s: float
    resume_s: float | None = None


class WarningRaised(_Line, frozen=True):
    """One line for ``Transcript.warnings``; the same line is kept once.

    ``audio_missing``: it says that more than a little of the sound is missing. ``message``: the
    same as a code and its parameters, None where only its text is known.
    """

    text: str
    audio_missing: bool = False
    message: MessageInfo | None = None

    @classmethod
    def of(cls, text: str, audio_missing: bool = False) -> WarningRaised:
        """A line of text, or a `UserMessage` with its code."""
        message = message_info(text)
        return cls(message.text, audio_missing, message if message.code else None)


class CheckpointSaved(_Line, frozen=True):
    """The engine's note about it, empty to drop the note. The worker waits for `Checkpoint`."""

    note: str


class RecordingCompleted(_Line, frozen=True):
    """All of it is transcribed, and its segments were sent.

    ``peak_bytes`` is the most memory the worker's process ever held, None where unknown.
    """

    duration_s: float
    peak_bytes: int | None = None


class RecordingFailed(_Line, frozen=True):
    """It failed, for good; the worker goes on."""

    error: ErrorInfo


class RecordingCanceled(_Line, frozen=True):
    """The worker stopped it as requested, or was made to."""


class StageNotNeeded(_Line, frozen=True):
    """The engine's text has already what a stage after it would add, such as who speaks."""

    stage: str


class PostProcessed(_Line, frozen=True):
    """A stage after the engine is through: ``document`` is what it made of the text."""

    stage: str
    document: Document
    peak_bytes: int | None = None


class PostProcessingFailed(_Line, frozen=True):
    """A stage after the engine gave nothing: the text stays as it was."""

    stage: str
    error: ErrorInfo


#: What a worker reports of a recording. The state machine takes these as they are.
RecordingReport = (
    StageChanged
    | MetadataLearned
    | SegmentTranscribed
    | SegmentsTranscribed
    | TextWithheld
    | ProgressAdvanced
    | WarningRaised
    | CheckpointSaved
    | RecordingCompleted
    | RecordingFailed
    | RecordingCanceled
    | StageNotNeeded
    | PostProcessed
    | PostProcessingFailed
)

# ------------------------------------------------------------------ worker -> service


class Ready(_Line, frozen=True):
    """The worker listens."""

    pid: int


class RecordingMessage(_Line, frozen=True):
    """Something happened to a recording in this attempt."""

    recording_id: str
    attempt: int
    report: RecordingReport


class BatchPlaced(_Line, frozen=True):
    """The model serves this batch from now on.

    ``load_s`` is how long loading it took just now, 0 when it was warm.
    """

    batch_id: int
    load_s: float = 0.0


class BatchDone(_Line, frozen=True):
    """Every recording of the batch was completed, failed or canceled."""

    batch_id: int


class Erased(_Line, frozen=True):
    """What a note stood for is gone, or ``error`` says why it may not be."""

    engine: str
    note: str
    error: ErrorInfo | None = None


class ModelStaged(_Line, frozen=True):
    """A model that is made ready before anybody asked."""

    engine: str
    model: str
    stage: Stage
    percentage: float | None = None


class ModelReady(_Line, frozen=True):
    """The model is loaded, on that device, or ``error`` says why not."""

    engine: str
    model: str
    device: str | None = None
    error: ErrorInfo | None = None


Message = Ready | RecordingMessage | BatchPlaced | BatchDone | Erased | ModelStaged | ModelReady

_encoder = msgspec.json.Encoder()
_commands: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)
_messages: msgspec.json.Decoder[Message] = msgspec.json.Decoder(Message)


def encode(line: Command | Message) -> bytes:
    """One line, with its newline. JSON escapes newlines, so a line is always one line."""
    return _encoder.encode(line) + b"\n"


def decode_command(line: bytes) -> Command:
    """Raises msgspec.DecodeError on anything else."""
    return _commands.decode(line)


def decode_message(line: bytes) -> Message:
    """Raises msgspec.DecodeError on anything else."""
    return _messages.decode(line)
