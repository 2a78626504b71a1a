"""What a service and its worker say to each other: one JSON object a line.

Commands go down, messages come up. Every message about a recording carries the attempt it
belongs to, so that a late one is recognised and dropped. A worker takes *batches*: what it
does inside a batch (one by one, in parallel, as one tensor) is its own affair, and messages
of several recordings may interleave. Unknown fields are ignored, so both ends may grow.

The conversation::

    service                          worker
    Configure ──────────────────────▶
              ◀────────────────────── Ready
    Run(batch of items) ────────────▶
              ◀────────────────────── Staged(decoding)            per recording
              ◀────────────────────── Measured(duration)
              ◀────────────────────── Staged(downloading | loading | transcribing)
              ◀────────────────────── LanguageFound, SegmentHeard…, Advanced…, Noticed…
              ◀────────────────────── Remembered, and it waits for
    Kept(recording) ────────────────▶
    Cancel(recording) ──────────────▶  at any time
              ◀────────────────────── Finished | Failed | Canceled per recording
              ◀────────────────────── BatchDone
    Stop ───────────────────────────▶  or the end of the pipe: exit, at once
"""

from __future__ import annotations

import msgspec

from hybrid_transcribe.config import Settings
from hybrid_transcribe.types import ErrorInfo, Segment, Spec, Stage, WithheldSegment


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
    """Transcribe these recordings, all alike."""

    batch_id: int
    spec: Spec
    items: tuple[Item, ...]


class CancelRecording(_Line, frozen=True):
    """Stop one recording at the next chance; `Canceled` answers."""

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


Command = Configure | RunBatch | CancelRecording | Checkpoint | Erase | Preload | Unload | Stop

# ------------------------------------------------------------------ worker -> service


class Ready(_Line, frozen=True):
    """The worker listens."""

    pid: int


class _About(_Line, frozen=True):
    recording_id: str
    attempt: int


class Staged(_About, frozen=True):
    """What is being done to a recording now; percentage (0..100) where it is known."""

    stage: Stage
    percentage: float | None = None


class Measured(_About, frozen=True):
    """The recording's length in seconds: from its header first, from its samples later."""

    duration_s: float


class LanguageFound(_About, frozen=True):
    """The language spoken, as detected."""

    language: str
    probability: float | None = None


class SegmentHeard(_About, frozen=True):
    """A final segment; its times count from the start of the recording."""

    index: int
    segment: Segment


class TextWithheld(_About, frozen=True):
    """Text that was left out as made up, for ``Transcript.withheld``."""

    withheld: WithheldSegment


class Advanced(_About, frozen=True):
    """Audio finished so far, in seconds."""

    done_s: float


class WarningRaised(_About, frozen=True):
    """One line for ``Transcript.warnings``.

    ``audio_missing``: it says that more than a little of the sound is missing.
    """

    text: str
    audio_missing: bool = False


class CheckpointSaved(_About, frozen=True):
    """The engine's note about this recording. It waits for `Checkpoint`."""

    note: str


class BatchPlaced(_About, frozen=True):
    """The model serves this recording from that device (``cpu`` or ``gpu``).

    ``load_s`` is how long loading it took just now, 0 when it was warm.
    """

    device: str
    compute_type: str | None = None
    load_s: float = 0.0


class Finished(_About, frozen=True):
    """All segments were sent.

    ``peak_bytes`` is the most memory the worker's process ever held, None where unknown.
    """

    duration_s: float
    peak_bytes: int | None = None


class Failed(_About, frozen=True):
    """This recording ends here; the worker goes on."""

    error: ErrorInfo


class Canceled(_About, frozen=True):
    """The recording was let go as asked."""


class BatchDone(_Line, frozen=True):
    """Every recording of the batch was answered for."""

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


Message = (
    Ready
    | Staged
    | Measured
    | LanguageFound
    | SegmentHeard
    | TextWithheld
    | Advanced
    | WarningRaised
    | CheckpointSaved
    | BatchPlaced
    | Finished
    | Failed
    | Canceled
    | BatchDone
    | Erased
    | ModelStaged
    | ModelReady
)

#: The messages that belong to one attempt at one recording.
About = _About

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
