"""Results and recordings on their way to the panel: a few chunks ahead of what has arrived."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from hybrid_transcribe.config import MIB
from hybrid_transcribe.errors import (
    InvalidOption,
    InvalidRequest,
    TooMany,
)
from hybrid_transcribe.hud.messages import BlobBegin, BlobChunk, Fetch, FromKernel
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.outputs.download import Download, check_format, download_of, download_of_job
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.service_protocol import ServiceLike

#: Bytes a message, and messages that may be unanswered.
CHUNK_BYTES = MIB
WINDOW = 8

#: What may come down at the same time; one that nobody took anything of for so long (s) goes.
MOST = 16
IDLE_S = 30.0

#: What a `Fetch` can ask for.
WHAT = ("audio", "result", "results")

#: Sends a message with, or without, its bytes.
Send = Callable[[FromKernel, bytes | None], None]


@dataclass(slots=True, eq=False)
class _BlobTransfer:
    ref: int
    blob: Download
    sent: int = 0
    arrived: int = 0
    moved_s: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)


class Downloads:
    """All that is on its way to one panel. Any thread may call it."""

    def __init__(self, send: Send, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._send, self._monotonic = send, monotonic
        self._lock = threading.Lock()
        self._sending: dict[int, _BlobTransfer] = {}

    def begin(self, ref: int, blob: Download) -> None:
        """Send it, as the panel takes it. Raises TooMany; then it is closed.

        A page that was loaded again counts from the beginning: the same number is a new one.
        """
        self.cancel(ref)
        sending = _BlobTransfer(ref, blob, moved_s=self._monotonic())
        if len(self._sending) >= MOST:
            self._drop_idle()
        with self._lock:
            if len(self._sending) >= MOST:
                blob.file.close()
                raise TooMany(UserMessage("many_downloads", n=MOST))
            self._sending[ref] = sending
        begin = BlobBegin(
            ref=ref, name=blob.name, media_type=blob.media_type, size_bytes=blob.size_bytes
        )
        with sending.lock:
            self._send(begin, None)
            self._push(sending)

    def arrived(self, ref: int, offset: int) -> None:
        """So much has arrived: send more. Unknown ones are over."""
        with self._lock:
            sending = self._sending.get(ref)
        if sending is None:
            return
        with sending.lock:
            sending.arrived = max(sending.arrived, min(offset, sending.sent))
            sending.moved_s = self._monotonic()
            self._push(sending)

    def cancel(self, ref: int) -> None:
        """No more of it."""
        with self._lock:
            sending = self._sending.pop(ref, None)
        if sending is not None:
            with sending.lock:
                sending.blob.file.close()

    def close(self) -> None:
        """No more of anything."""
        for ref in tuple(self._sending):
            self.cancel(ref)

    def _drop_idle(self) -> None:
        now = self._monotonic()
        for ref, sending in tuple(self._sending.items()):
            if now - sending.moved_s > IDLE_S:
                self.cancel(ref)

    def _push(self, sending: _BlobTransfer) -> None:
        blob = sending.blob
        last = False
        while not last and not blob.file.closed:
            if sending.sent - sending.arrived >= WINDOW * CHUNK_BYTES:
                return
            data = blob.file.read(min(CHUNK_BYTES, blob.size_bytes - sending.sent))
            offset = sending.sent
            sending.sent += len(data)
            # A file that became shorter ends there: the panel sees by the size.
            last = not data or sending.sent >= blob.size_bytes
            self._send(BlobChunk(ref=sending.ref, offset=offset, last=last), data)
        blob.file.close()
        with self._lock:
            self._sending.pop(sending.ref, None)


def find_file(service: ServiceLike, fetch: Fetch, session_ids: Sequence[str] | None) -> Download:
    """What a `Fetch` asks for.

    Raises UnknownJob, UnknownRecording, UnknownFormat, InvalidOption, InvalidRequest,
    NotFound for a recording that is gone, and without ``partial`` what it lacks.
    """
    if fetch.part == "audio":
        return _audio(service, fetch, session_ids)
    if fetch.part == "result":
        return _result(service, fetch, session_ids)
    if fetch.part == "results":
        return _results(service, fetch, session_ids)
    raise InvalidOption(UserMessage("not_among", name="what", value=repr(fetch.part), choices=WHAT))


def _audio(service: ServiceLike, fetch: Fetch, session_ids: Sequence[str] | None) -> Download:
    recording_id = _recording_id(fetch)
    result = service.open_audio(fetch.job_id, recording_id, session_ids=session_ids)
    return Download(result.name, result.media_type, result.n_bytes, result.file)


def _result(service: ServiceLike, fetch: Fetch, session_ids: Sequence[str] | None) -> Download:
    WRITERS.get(fetch.format)
    result = service.transcript(
        fetch.job_id, _recording_id(fetch), partial=fetch.partial, session_ids=session_ids
    )
    return download_of(result, fetch.format)


def _results(service: ServiceLike, fetch: Fetch, session_ids: Sequence[str] | None) -> Download:
    check_format(fetch.format, fetch.inside)
    return download_of_job(
        service.snapshot(fetch.job_id, session_ids=session_ids),
        lambda recording_id: service.transcript(
            fetch.job_id, recording_id, partial=fetch.partial, session_ids=session_ids
        ),
        fetch.format,
        fetch.inside,
        partial=fetch.partial,
    )


def _recording_id(fetch: Fetch) -> str:
    if fetch.recording_id is None:
        raise InvalidRequest(UserMessage("needs_recording_id", value=fetch.part))
    return fetch.recording_id
