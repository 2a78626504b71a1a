"""Everything that can go wrong, as one tree with a stable ``code`` on each leaf.

::

    HybridTranscribeError
    ├── InvalidRequest            the caller asked for something that cannot be
    │   ├── UnknownEngine, UnknownModel, UnknownDevice, UnknownFormat, UnknownPostProcessor
    │   ├── InvalidOption, KeyReused
    │   ├── InvalidEdit           a text cannot be changed like that
    │   ├── PreconditionRequired  an edit that does not say of which revision
    │   ├── InvalidTransition     e.g. a retry of what has not ended
    │   │   ├── UploadConflict    pieces out of order; a job of what is not complete
    │   │   └── EditConflict      somebody changed the same meanwhile
    │   └── TooSlow, Damaged      an upload that only drips, or arrives broken
    ├── NotFound                  UnknownJob, UnknownRecording, UnknownRevision, UnknownUpload,
    │                             UnknownSegment, UnknownSpeaker
    ├── InputError                this recording cannot be used
    │   ├── InputMissing, EmptyInput, UnsupportedMedia, NoAudio, BrokenMedia
    │   ├── UnsafeInput           would read other files, or exhaust the machine
    │   ├── TooLong, TooLarge, TooMany
    │   └── BrokenArchive
    ├── EngineError
    │   ├── EngineUnavailable, ModelUnavailable, EngineFailed
    │   └── OutOfMemory, WorkerCrashed, TimedOut
    ├── QueueFull                 RateLimited
    ├── JobCanceled
    ├── NotAllowed                NoToken
    └── StateError                StateFolderBusy, JournalUnusable, DiskFull, ServiceClosed,
                                  Unreachable, Overloaded

Errors know a code and a message that names the value received and the choices. They never
know HTTP: the REST layer owns the status table, the HUD the wording in other languages.
"""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from hybrid_transcribe.messages import (
    MessageInfo,
    UserMessage,
    from_message_info,
    message_info,
)
from hybrid_transcribe.types import ErrorInfo


class HybridTranscribeError(Exception):
    """The root: catch this to catch everything this package raises on purpose."""

    code = "error"

    @property
    def message(self) -> str:
        """What is wrong: a `UserMessage`, or the text of one who has no code for it."""
        message = self.args[0] if self.args else ""
        return message if isinstance(message, UserMessage) else str(self)

    def info(self) -> ErrorInfo:
        """The same error as plain data."""
        message = message_info(self.message)
        return ErrorInfo(self.code, message.text, message.code, message.params)

    def _render_traceback_(self) -> list[str]:
        """What a notebook shows: the message, which says it all, not the road to it.

        ``HYBRID_TRANSCRIBE_DEBUG=1`` brings the frames back.
        """
        if os.environ.get("HYBRID_TRANSCRIBE_DEBUG"):
            return traceback.format_exception(self)
        return [f"{type(self).__name__}: {self}"]


class InvalidRequest(HybridTranscribeError):
    """The caller asked for something that cannot be."""

    code = "invalid_request"


class _UnknownName(InvalidRequest):
    unknown = "no_engine"

    def __init__(self, name: object, entry: Sequence[str] = ()) -> None:
        # One argument means an already worded message, as when rebuilt from an ErrorInfo.
        message = name if isinstance(name, UserMessage) else str(name)
        super().__init__(UserMessage(self.unknown, name=name, choices=entry) if entry else message)


class UnknownEngine(_UnknownName):
    """No engine of that name is registered."""

    code, unknown = "unknown_engine", "no_engine"


class UnknownModel(_UnknownName):
    """No model of that name is known, and it is neither a folder nor a hub id."""

    code, unknown = "unknown_model", "no_model"


class UnknownDevice(_UnknownName):
    """Not a device a person can ask for."""

    code, unknown = "unknown_device", "no_device"


class UnknownFormat(_UnknownName):
    """No writer of that name is registered."""

    code, unknown = "unknown_format", "no_format"


class UnknownPostProcessor(_UnknownName):
    """No post-processor of that name is registered."""

    code, unknown = "unknown_postprocessor", "no_postprocessor"


class InvalidOption(InvalidRequest):
    """An option has a name or a value that cannot be."""

    code = "invalid_option"


class InvalidEdit(InvalidRequest):
    """A transcript's text cannot be changed like that."""

    code = "invalid_edit"


class PreconditionRequired(InvalidRequest):
    """An edit over HTTP has to say which revision it changes."""

    code = "precondition_required"


class KeyReused(InvalidRequest):
    """An idempotency key came again with another submission."""

    code = "key_reused"


class InvalidTransition(InvalidRequest):
    """That cannot happen to a recording in its present state."""

    code = "invalid_transition"


class Damaged(InvalidRequest):
    """A part of an upload does not add up to what its sender said."""

    code = "checksum_mismatch"


class UploadConflict(InvalidTransition):
    """That does not go with what has come of this upload."""

    code = "upload_conflict"


class EditConflict(InvalidTransition):
    """Somebody else changed what an edit touches, since the revision that it is based on."""

    code = "edit_conflict"

    @classmethod
    def between(
        cls, segment_ids: Sequence[str], speaker_ids: Sequence[str], revision: int
    ) -> EditConflict:
        """The conflict about some segments, or some speakers, of a current revision."""
        if segment_ids:
            return cls(
                UserMessage("edit_conflict_segments", segments=segment_ids, revision=revision)
            )
        return cls(UserMessage("edit_conflict_speakers", speakers=speaker_ids, revision=revision))

    @property
    def segment_ids(self) -> tuple[str, ...]:
        """The segments that both change."""
        return tuple(self._params().get("segments", ()))

    @property
    def speaker_ids(self) -> tuple[str, ...]:
        """The speakers that both change; where segments are in conflict only those are named."""
        return tuple(self._params().get("speakers", ()))

    @property
    def revision(self) -> int | None:
        """The current revision, to look at and to repeat the edit on; None where it is unknown."""
        return self._params().get("revision")

    def _params(self) -> Mapping[str, Any]:
        return self.message.params if isinstance(self.message, UserMessage) else {}


class TooSlow(InvalidRequest):
    """What is sent comes too slowly, or comes no more."""

    code = "too_slow"


class NotFound(HybridTranscribeError):
    """Not there, or not yours: the two are told apart by nobody."""

    code = "not_found"


class UnknownJob(NotFound):
    """No such job in the sessions you named."""

    code = "unknown_job"


class UnknownRecording(NotFound):
    """The job has no such recording."""

    code = "unknown_recording"


class UnknownSegment(NotFound):
    """The transcript has no such segment."""

    code = "unknown_segment"


class UnknownSpeaker(NotFound):
    """The transcript has no such speaker."""

    code = "unknown_speaker"


class UnknownRevision(NotFound):
    """The recording's text has no such revision."""

    code = "unknown_revision"


class UnknownUpload(NotFound):
    """No such upload in pieces, or it is over: used for a job, ended or expired."""

    code = "unknown_upload"


class InputError(HybridTranscribeError):
    """This recording cannot be used; its neighbours can."""

    code = "input_error"


class InputMissing(InputError):
    """The file is not there (any more), or cannot be read."""

    code = "input_missing"


class EmptyInput(InputError):
    """The file has no bytes."""

    code = "empty_input"


class UnsupportedMedia(InputError):
    """Neither audio nor video we know; the message says what was found."""

    code = "unsupported_media"


class NoAudio(InputError):
    """A media file without an audio stream."""

    code = "no_audio"


class BrokenMedia(InputError):
    """Audio that cannot be decoded."""

    code = "broken_media"


class UnsafeInput(InputError):
    """Refused: it would open other files or addresses, or exhaust the machine."""

    code = "unsafe_input"


class TooLong(InputError):
    """Longer than the allowed duration."""

    code = "too_long"


class TooLarge(InputError):
    """More bytes than allowed."""

    code = "too_large"


class TooMany(InputError):
    """More files than allowed."""

    code = "too_many"


class BrokenArchive(InputError):
    """A zip that cannot be read, is encrypted or is built to exhaust the machine."""

    code = "broken_archive"


class EngineError(HybridTranscribeError):
    """The transcription itself went wrong."""

    code = "engine_error"


class EngineUnavailable(EngineError):
    """A library, key or device is missing; the message has the remedy."""

    code = "engine_unavailable"


class ModelUnavailable(EngineError):
    """The model's files are neither here nor to be had; the message says what to put where."""

    code = "model_unavailable"


class EngineFailed(EngineError):
    """The engine raised; the cause is in the message."""

    code = "engine_failed"


class _OnDevice(EngineError):
    def __init__(self, message: str, device: str | None = None) -> None:
        super().__init__(message)
        self.device = device


class OutOfMemory(_OnDevice):
    """Not enough memory on the device (``device``: cpu or gpu, None where nobody knows)."""

    code = "out_of_memory"


class DeviceFailed(_OnDevice):
    """The GPU broke down in the middle of work; the CPU may still do."""

    code = "device_failed"


class CloudForbidden(EngineError):
    """The settings say that no audio leaves this machine."""

    code = "cloud_forbidden"


class WorkerCrashed(EngineError):
    """The worker process died while it had this recording in its hands."""

    code = "worker_crashed"


class TimedOut(EngineError):
    """The engine took longer than the time allowed for a recording of this length."""

    code = "timed_out"


class QueueFull(HybridTranscribeError):
    """Too much is waiting already; try again later."""

    code = "queue_full"

    def __init__(self, message: str = "", retry_after_s: float | None = None) -> None:
        """``retry_after_s``: when there may be room again, None where nobody can tell."""
        super().__init__(message)
        self.retry_after_s = retry_after_s


class RateLimited(QueueFull):
    """This client asks too often."""

    code = "rate_limited"


class JobCanceled(HybridTranscribeError):
    """The job was canceled, so it has no (complete) result."""

    code = "canceled"


class NotAllowed(HybridTranscribeError):
    """The request comes from where none may come from."""

    code = "not_allowed"


class NoToken(NotAllowed):
    """The right token was not shown."""

    code = "no_token"


class StateError(HybridTranscribeError):
    """Trouble with the service's own state."""

    code = "state_error"


class StateFolderBusy(StateError):
    """Another live process uses this state folder."""

    code = "state_folder_busy"


class JournalUnusable(StateError):
    """The journal cannot be read or written."""

    code = "journal_unusable"


class JournalDamaged(StateError):
    """What the journal holds of something can no longer be read."""

    code = "journal_damaged"


class DiskFull(StateError):
    """No room on this machine's disk for what was sent."""

    code = "disk_full"


class ServiceClosed(StateError):
    """The service was closed."""

    code = "service_closed"


class Unreachable(StateError):
    """A service elsewhere does not answer: it is down, or there is no way to it."""

    code = "unreachable"


class Overloaded(StateError):
    """This machine has no file descriptor or connection left for it now; later it may."""

    code = "overloaded"


#: The system's errors for a process, or a machine, that has as many files open as it may.
OUT_OF_DESCRIPTORS = frozenset({errno.EMFILE, errno.ENFILE})


#: What is said of it.
OVERLOADED = UserMessage("overloaded")


def is_out_of_descriptors(error: BaseException | None) -> bool:
    """True for the system's refusal to open one more file or socket."""
    return isinstance(error, OSError) and error.errno in OUT_OF_DESCRIPTORS


def check_descriptors(error: BaseException) -> None:
    """Raise Overloaded where ``error`` says so: what could not be opened is not missing."""
    if is_out_of_descriptors(error):
        raise Overloaded(OVERLOADED) from error


def _leaves(cls: type[HybridTranscribeError]) -> Iterator[type[HybridTranscribeError]]:
    yield cls
    for child in cls.__subclasses__():
        yield from _leaves(child)


def codes() -> dict[str, type[HybridTranscribeError]]:
    """Every code with the class that has it of its own."""
    return {cls.code: cls for cls in _leaves(HybridTranscribeError) if "code" in vars(cls)}


def as_message(info: ErrorInfo) -> str:
    """What an `ErrorInfo` says, with its code and parameters where it has them."""
    return from_message_info(MessageInfo(info.reason, info.params, info.message))


def as_info(error: BaseException) -> ErrorInfo:
    """Any exception as plain data; one that is not ours is a failure of the engine or stage."""
    if isinstance(error, HybridTranscribeError):
        return error.info()
    text = str(error).strip() or "no message"
    return EngineFailed(UserMessage("labelled", label=type(error).__name__, why=text)).info()


def from_info(info: ErrorInfo) -> HybridTranscribeError:
    """The exception an `ErrorInfo` stands for; codes of plug-ins become the root class."""
    return codes().get(info.code, HybridTranscribeError)(as_message(info))


def choices(names: Iterable[str]) -> str:
    """Names listed for a message."""
    return ", ".join(names) or "none"
