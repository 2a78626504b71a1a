"""Several recordings in the cloud at once, told by one generator.

::

    the worker's thread   the generator: passes on what is said, in turn
    a thread for clips    takes a clip, encodes it, drops its samples, takes the next
    a thread for waiting  one event loop with a task for each recording

Cancels reach the tasks directly, so a decoder at work holds up no deletion.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from hybrid_transcribe.engines.assemblyai.account import Account
from hybrid_transcribe.engines.assemblyai.flac import encode
from hybrid_transcribe.engines.assemblyai.job import CloudJob, UploadedAudio, delete, find
from hybrid_transcribe.engines.assemblyai.note import Note
from hybrid_transcribe.engines.assemblyai.pace import Deadline, PollingPace
from hybrid_transcribe.engines.assemblyai.request import AssemblyAIRequest
from hybrid_transcribe.engines.assemblyai.wire import OutOfTime, Wire
from hybrid_transcribe.engines.common.hallucinations import soundless
from hybrid_transcribe.errors import EngineError, EngineFailed, TimedOut
from hybrid_transcribe.interfaces import CheckpointUpdate, ClipDone, EngineWarning, Heard
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip

_T = TypeVar("_T")

#: The service refuses less than this, in seconds ("audio duration is too short").
SHORTEST_S = 0.16

#: Longest wait for the threads to end, in seconds. They hold up nothing that matters.
_LEAVING_S = 2.0

Said = Heard | ClipDone | Exception


@dataclass(slots=True)
class _EventQueue:
    """Something said about a recording. ``noted`` is called when the listener has taken it."""

    key: int
    said: Said
    noted: Callable[[], object] | None = None


class _Taken:
    """A clip was taken: it will end in a ClipDone or an exception."""


@dataclass(slots=True)
class _NoMore:
    """There are no further clips, or ``error`` says why none can be had."""

    error: BaseException | None = None


@dataclass(slots=True)
class _Sunk:
    """The event loop ended by itself: nothing can be said any more."""

    error: BaseException


class CloudTranscriber:
    """One call of `heard`. ``patience_s`` is the longest wait, beside a recording's own length."""

    def __init__(
        self, account: Account, request: AssemblyAIRequest, pace: PollingPace, patience_s: float
    ) -> None:
        self._account = account
        self._request = request
        self._pace = pace
        self._patience_s = patience_s
        self._lines: queue.SimpleQueue[_EventQueue | _Taken | _NoMore | _Sunk] = queue.SimpleQueue()
        self._tasks: dict[asyncio.Task[None], _WatchedUpload] = {}
        self._leaving = threading.Event()
        self._afloat: Future[tuple[asyncio.AbstractEventLoop, Wire]] = Future()

    def events(
        self, clips: Iterable[tuple[int, Clip]], canceled: Callable[[int], bool]
    ) -> Iterator[tuple[int, Said]]:
        """As `Engine.transcribe_many`."""
        waiting = threading.Thread(target=self._wait, name="assemblyai-waiting", daemon=True)
        waiting.start()
        try:
            loop, wire = self._afloat.result()
            taking = threading.Thread(
                target=self._take,
                args=(clips, canceled, loop, wire),
                name="assemblyai-clips",
                daemon=True,
            )
            taking.start()
            yield from self._passed_on()
        finally:
            self._leaving.set()
            waiting.join(_LEAVING_S)

    def _passed_on(self) -> Iterator[tuple[int, Said]]:
        underway, more = 0, True
        while underway or more:
            line = self._lines.get()
            match line:
                case _Taken():
                    underway += 1
                case _NoMore(error):
                    more = False
                    if error is not None:
                        raise error
                case _Sunk(error):
                    raise error
                case _EventQueue(key, said, noted):
                    yield key, said
                    # Asked for more: a note among it is journalled now.
                    if noted is not None:
                        noted()
                    if isinstance(said, ClipDone | Exception):
                        underway -= 1

    # -------------------------------------------------------------------------- clips

    def _take(
        self,
        clips: Iterable[tuple[int, Clip]],
        canceled: Callable[[int], bool],
        loop: asyncio.AbstractEventLoop,
        wire: Wire,
    ) -> None:
        error: BaseException | None = None
        try:
            for key, clip in clips:
                self._lines.put(_Taken())
                self._begin(key, clip, canceled, loop, wire)
                # Before the next one is asked for: four hours are 900 MB.
                del clip
                if self._leaving.is_set():
                    return
        except BaseException as trouble:  # handed to the generator, which raises it
            error = trouble
        self._lines.put(_NoMore(error))

    def _begin(
        self,
        key: int,
        clip: Clip,
        canceled: Callable[[int], bool],
        loop: asyncio.AbstractEventLoop,
        wire: Wire,
    ) -> None:
        def gone() -> bool:
            return self._leaving.is_set() or canceled(key)

        try:
            upload = self._upload(key, clip, gone)
        except Exception as error:
            self._lines.put(
                _EventQueue(key, EngineFailed(UserMessage("aai_not_encoded", why=error)))
            )
            return
        if upload is None:
            self._lines.put(_EventQueue(key, ClipDone()))
        else:
            asyncio.run_coroutine_threadsafe(self._set_off(key, upload, canceled, wire), loop)

    def _upload(self, key: int, clip: Clip, canceled: Callable[[], bool]) -> UploadedAudio | None:
        """The clip as FLAC; None where there is nothing to hear."""
        for text in self._request.notices:
            self._lines.put(_EventQueue(key, EngineWarning(text)))
        if clip.duration_s < SHORTEST_S:
            return None
        if self._request.silence_guard and soundless(clip.samples):
            self._lines.put(_EventQueue(key, EngineWarning(UserMessage("no_sound"))))
            return None
        file = encode(clip.samples, canceled)
        if file is None:
            return None
        size = file.seek(0, 2)
        return UploadedAudio(file, size, clip.duration_s, clip.note)

    # ------------------------------------------------------------------------ waiting

    def _wait(self) -> None:
        try:
            asyncio.run(self._float())
        except BaseException as error:  # handed to the generator, which raises it
            if self._afloat.done():
                self._lines.put(_Sunk(error))
            else:
                self._afloat.set_exception(error)

    async def _float(self) -> None:
        async with Wire(self._account, self._pace) as wire:
            self._afloat.set_result((asyncio.get_running_loop(), wire))
            while not self._leaving.is_set():
                for task, watched in tuple(self._tasks.items()):
                    # Again until it is noticed: `asyncio.wait_for` may miss a cancel that comes
                    # together with its result (Python before 3.12).
                    if watched.begun and not watched.letting_go and watched.canceled():
                        task.cancel()
                await asyncio.sleep(self._pace.look_s)
            while self._tasks:
                for task in self._tasks:
                    task.cancel()
                # Here too it may be missed, and nobody would end that recording for hours.
                await asyncio.wait(tuple(self._tasks), timeout=self._pace.look_s)

    async def _set_off(
        self, key: int, upload: UploadedAudio, canceled: Callable[[int], bool], wire: Wire
    ) -> None:
        watched = _WatchedUpload(lambda: canceled(key))
        task = asyncio.ensure_future(self._see_through(key, upload, watched, wire))
        self._tasks[task] = watched

        def ended(done: asyncio.Task[None]) -> None:
            self._tasks.pop(done, None)
            # Not left to the task: one that is canceled before its first step closes nothing.
            upload.file.close()

        task.add_done_callback(ended)

    async def _see_through(
        self, key: int, upload: UploadedAudio, watched: _WatchedUpload, wire: Wire
    ) -> None:
        watched.begun = True
        deadline = Deadline(self._patience_s + upload.duration_s, self._pace.now)
        job = CloudJob(
            wire,
            self._request,
            upload,
            self._account.base_url,
            self._pace,
            deadline,
            say=lambda event: self._lines.put(_EventQueue(key, event)),
            noted=lambda note: self._noted(key, note),
        )
        last: ClipDone | Exception = ClipDone()
        try:
            await job.run()
        except asyncio.CancelledError:
            if self._leaving.is_set():
                raise
            watched.letting_go = True
            # Whatever goes wrong now, the recording ends; a note that stays is deleted later.
            with suppress(Exception):
                await job.let_go()
        except EngineError as error:
            last = error
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            last = EngineFailed(self._account.scrubbed(text))
        self._lines.put(_EventQueue(key, last))

    async def _noted(self, key: int, note: CheckpointUpdate) -> None:
        loop, kept = asyncio.get_running_loop(), asyncio.Event()
        self._lines.put(_EventQueue(key, note, lambda: _call(loop, kept.set)))
        await kept.wait()


@dataclass(slots=True)
class _WatchedUpload:
    """Whether a recording is still wanted.

    ``begun``: its task runs. One that is canceled before its first step never does, and would
    never say that it ended.
    """

    canceled: Callable[[], bool]
    begun: bool = False
    letting_go: bool = False


def _call(loop: asyncio.AbstractEventLoop, action: Callable[[], object]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(action)


def erase(account: Account, note: Note, pace: PollingPace) -> None:
    """Delete the transcript of a note, by its id or by the upload it was made of.

    Raises EngineError when it may still be there.
    """
    if note.base_url != account.base_url:
        raise EngineFailed(
            UserMessage(
                "aai_elsewhere",
                id=note.transcript_id or "(no id)",
                address=note.base_url,
                value=account.base_url,
            )
        )
    _run(_erased(account, note, pace))


async def _erased(account: Account, note: Note, pace: PollingPace) -> None:
    deadline = Deadline(pace.erasing_s, pace.now)
    async with Wire(account, pace) as wire:
        try:
            result = note.transcript_id
            if result is None:
                result = await wire.patiently(
                    lambda: find(wire, note.upload_url, deadline), deadline
                )
            if result is not None:
                await delete(wire, result, pace, deadline)
        except OutOfTime as over:
            raise TimedOut(UserMessage("aai_some_stays", why=over)) from None


def _run(work: Coroutine[Any, Any, _T]) -> _T:
    """On a thread of its own: whoever calls may have an event loop running."""
    ended: Future[_T] = Future()

    def run() -> None:
        try:
            ended.set_result(asyncio.run(work))
        except BaseException as error:
            ended.set_exception(error)

    threading.Thread(target=run, name="assemblyai-erasing", daemon=True).start()
    return ended.result()
