"""The door: start an engine room in this process and reach it from any thread or loop.

The room runs on a daemon thread with an asyncio loop of its own, so that a notebook cell that
sleeps for a minute holds up nothing. Methods here hand a call over to that loop and wait for
its answer, which takes microseconds; only `submit`'s look at the files, and the waits that
say so, take longer.
"""

from __future__ import annotations

import asyncio
import atexit
import concurrent.futures
import contextlib
import logging
import os
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from hybrid_transcribe.audio.intake import Intake, Uploaded, intake, listed
from hybrid_transcribe.audio.source_audio import Original, open_original
from hybrid_transcribe.audio.track_count import by_track
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock, LoopClock
from hybrid_transcribe.core.lookup import provider
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import InputError, InvalidRequest, ServiceClosed
from hybrid_transcribe.events import Event
from hybrid_transcribe.executors.subprocess import SubprocessExecutor
from hybrid_transcribe.interfaces import Executor
from hybrid_transcribe.jobs.bus import Subscription
from hybrid_transcribe.jobs.durations import measure
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.jobs.languages import make_language
from hybrid_transcribe.jobs.loop import run
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.model_advice import ModelAdvice, advise_models
from hybrid_transcribe.jobs.request import check_priority, check_text, make_spec
from hybrid_transcribe.jobs.slices import Sliced, finish, finish_in_slices
from hybrid_transcribe.jobs.state_folder import open_state
from hybrid_transcribe.jobs.worker_pool import WorkerInfo
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import ALL_TRACKS, JobSnapshot, Options, Transcript

if TYPE_CHECKING:
    from hybrid_transcribe.rest.server import Server

_T = TypeVar("_T")

log = logging.getLogger(__name__)

#: One path, or several; a folder or a zip stands for the recordings in it.
Inputs = str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Uploaded]

#: Services of this process, which a forked child must not use.
_living: weakref.WeakSet[Service] = weakref.WeakSet()


def _orphan() -> None:
    """In a forked child no engine room runs: say so instead of waiting for it for ever."""
    for service in tuple(_living):
        service._closed = True
        # Another thread may have held it.
        service._handing_over = threading.RLock()
        atexit.unregister(service._at_exit)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_orphan)

#: How long `submit` waits for a journal that is locked, and how often it looks, in seconds.
WRITTEN_WITHIN_S, WRITTEN_LOOK_S = 2.0, 0.05

#: The journal in the state folder.
ON_DISK = "disk"


class Service:
    """A running engine room.

    ::

        with Service() as service:
            job = service.submit(["a.wav", "b.mp3"], language="pt")
            print(job.result().text)

    Args:
        state_dir: where jobs and results survive a restart; None takes a folder of the
            user's own (each live process its own).
        journal: ``"disk"`` (default), or None to keep everything in memory.
        settings: all the rest; single settings can be given by name as well.
        make_executor: for tests and clusters: makes the executor of a lane.
        clock: for tests.

    Raises StateFolderBusy when another live process holds the ``state_dir`` that was named.
    """

    def __init__(
        self,
        state_dir: str | os.PathLike[str] | None = None,
        journal: str | None = ON_DISK,
        *,
        settings: Settings | None = None,
        make_executor: Callable[[str], Executor] | None = None,
        clock: Clock | None = None,
        **named: Any,
    ) -> None:
        base = settings or Settings.load()
        if state_dir is not None:
            named["state_dir"] = os.fspath(state_dir)
        self.settings = base.but(**named) if settings else Settings.load(**named)
        self._jobs: weakref.WeakValueDictionary[str, Job] = weakref.WeakValueDictionary()
        self._make_executor = make_executor or (
            lambda lane: SubprocessExecutor(pass_environment=self.settings.pass_environment)
        )
        self._clock = clock or LoopClock()
        state = open_state(self.settings, memory=journal is None)
        self._room = JobManager(
            self.settings,
            state,
            self._make_executor,
            self._clock,
            in_use=self._jobs.__contains__,
            measure=measure,
        )
        self._closed = False
        self._handing_over = threading.RLock()
        self._before_close: list[Callable[[], None]] = []
        self._after_close: list[Callable[[], Awaitable[None]]] = []
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._main, name="engine-room", daemon=True)
        started: concurrent.futures.Future[None] = concurrent.futures.Future()
        self._started = started
        self._at_exit = _close_at_exit(self)
        self._thread.start()
        try:
            started.result()
        except BaseException:
            # Also Ctrl-C while it starts: the folder must not stay locked.
            self.close()
            raise
        _living.add(self)

    # ----------------------------------------------------------------- engine thread

    def _main(self) -> None:
        run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        self._ready.set()
        try:
            self._room.start()
        except BaseException as error:
            self._room.state.close()
            self._started.set_exception(error)
            return
        self._started.set_result(None)
        await self._stop.wait()
        for action in self._before_close:
            try:
                action()
            except Exception:
                log.exception("closing: %r failed", action)
        try:
            await self._room.stop()
        finally:
            for last in self._after_close:
                await last()

    def before_close(self, action: Callable[[], None]) -> None:
        """Have something done on the engine-room loop when the service is closed."""
        self._before_close.append(action)

    def after_close(self, action: Callable[[], Awaitable[None]]) -> None:
        """Have something done on that loop when all work has stopped: its last act."""
        self._after_close.append(action)

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
        server: Server = provider("serve")(self, host, port, token=token, open_to_all=open_to_all)
        return server

    def models(
        self,
        engine: str | None = None,
        *,
        language: str | None = None,
        duration_s: float | None = None,
    ) -> tuple[ModelAdvice, ...]:
        """The models of an engine by name: size, fitness for a language, time and memory here.

        ``duration_s`` is the length of what would be transcribed. Raises UnknownEngine,
        InvalidOption for a language that nobody knows, ServiceClosed.
        """
        speeds = self.do(lambda room: room.speeds())
        return advise_models(
            engine or self.settings.engine,
            self.settings,
            speeds,
            make_language(language),
            duration_s,
        )

    def call(self, action: Callable[[JobManager], _T]) -> concurrent.futures.Future[_T]:
        """Run something on the engine-room loop; the seam for other asynchronous doors.

        The future can be awaited from any loop with `asyncio.wrap_future`. Raises
        ServiceClosed.
        """

        async def run() -> _T:
            return action(self._room)

        return self._hand_over(run())

    def _hand_over(self, coroutine: Coroutine[Any, Any, _T]) -> concurrent.futures.Future[_T]:
        try:
            # What is handed over while it closes must come before its end, or nobody answers.
            with self._handing_over:
                if self._closed:
                    raise ServiceClosed(UserMessage("service_closed"))
                return asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError as error:
            coroutine.close()
            raise ServiceClosed(UserMessage("service_closed")) from error
        except ServiceClosed:
            coroutine.close()
            raise

    def call_in_slices(
        self, action: Callable[[JobManager], Sliced[_T]]
    ) -> concurrent.futures.Future[_T]:
        """The same for work that may take long: others have their turn between its slices."""

        async def run() -> _T:
            return await finish_in_slices(action(self._room))

        return self._hand_over(run())

    def do_in_slices(self, action: Callable[[JobManager], Sliced[_T]]) -> _T:
        """The same from any thread, and wait for it. Raises ServiceClosed."""
        if threading.current_thread() is self._thread:
            return finish(action(self._room))
        return self.call_in_slices(action).result()

    def do(self, action: Callable[[JobManager], _T]) -> _T:
        """`call` from any thread, and wait for it. Raises ServiceClosed."""
        # A listener is called back on the loop itself, where waiting for it would hang.
        if threading.current_thread() is self._thread:
            return action(self._room)
        return self.call(action).result()

    # ------------------------------------------------------------------------ submit

    @property
    def session_id(self) -> str:
        """The session of those who name none; the same again after a restart."""
        return self._room.session_id

    @property
    def clock(self) -> Clock:
        """The time by which this service lives."""
        return self._clock

    @property
    def uploads_dir(self) -> Path:
        """Where files that people send belong: on the disk of the jobs, swept at the start."""
        return self._room.state.uploads

    @property
    def partial_dir(self) -> Path:
        """Where uploads in pieces wait for their rest; on the same disk, never swept."""
        return self._room.state.partial

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """What people should know about this service, as (code, message)."""
        if self._closed:
            # Also what was said while closing.
            return tuple(self._room.warnings)
        return self.do(lambda room: tuple(room.warnings))

    def new_session(self) -> str:
        """A fresh anonymous capability of 128 random bits."""
        return new_id()

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
        """Queue recordings and return at once.

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
        spec = make_spec(
            self.settings,
            engine=engine,
            model=model,
            device=device,
            options=options,
            language=language,
            **more,
        )
        check_priority(priority)
        session = check_text(session_id or self.session_id, "The session id")
        taken = self._take_in(inputs)
        if spec.options.audio_track == ALL_TRACKS:
            taken = by_track(taken, self.settings)
        try:
            job_id, is_new = self.do(
                lambda room: room.accept(
                    taken.files, taken.rejected, spec, session, priority, idempotency_key
                )
            )
        except Exception:
            taken.discard()
            raise
        if not is_new:
            taken.discard()
        self._wait_until_written()
        job = self._handle(job_id, session)
        job.left_out = taken.left_out
        return job

    def _wait_until_written(self) -> None:
        """What is acknowledged is in the journal, but where people are warned that it is not.

        A lock of another program mostly goes within moments; the loop goes on meanwhile.
        """
        if threading.current_thread() is self._thread:
            return
        until = time.monotonic() + WRITTEN_WITHIN_S
        while self.do(lambda room: room.is_behind) and time.monotonic() < until:
            time.sleep(WRITTEN_LOOK_S)

    def _take_in(self, inputs: Inputs) -> Intake:
        value = listed(inputs)
        if not value:
            raise InputError("Nothing to transcribe: the list of inputs is empty")
        taken = intake(value, self._room.state.uploads, self.settings)
        if not taken.files:
            raise taken.refusal()
        return taken

    def _handle(self, job_id: str, session_id: str) -> Job:
        job = self._jobs.get(job_id)
        if job is None:
            job = self._jobs[job_id] = Job(self, job_id, session_id)
        return job

    # ------------------------------------------------------------------------ reading

    def job(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> Job:
        """The handle of a job. Raises UnknownJob."""
        return self._handle(job_id, self.snapshot(job_id, session_ids=session_ids).session_id)

    def jobs(self, *, session_ids: Sequence[str] | None = None) -> tuple[Job, ...]:
        """Handles of every job of these sessions (None: of all), oldest first."""
        return tuple(
            self._handle(s.job_id, s.session_id) for s in self.snapshots(session_ids=session_ids)
        )

    def snapshot(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> JobSnapshot:
        """A job as it stands now. Raises UnknownJob."""
        return self.do(lambda room: room.reading.snapshot(job_id, session_ids=session_ids))

    def snapshots(self, *, session_ids: Sequence[str] | None = None) -> tuple[JobSnapshot, ...]:
        """Every job of these sessions (None: of all), oldest first."""
        return self.do_in_slices(
            lambda room: room.reading.sliced_snapshots(session_ids=session_ids)
        )

    def transcript(
        self,
        job_id: str,
        recording_id: str,
        *,
        partial: bool = False,
        run: int | None = None,
        session_ids: Sequence[str] | None = None,
    ) -> Transcript:
        """What a recording said: its latest complete text, also while a newer one is made.

        With ``partial`` also while the first one is made, or after it failed. ``run`` names one
        of several transcriptions (`Recording.run`, `Recording.runs`).

        Raises UnknownJob, UnknownRecording; without ``partial`` also the recording's error.
        """
        return self.do(
            lambda room: room.reading.transcript(
                job_id, recording_id, partial=partial, run=run, session_ids=session_ids
            )
        )

    def open_audio(
        self, job_id: str, recording_id: str, *, session_ids: Sequence[str] | None = None
    ) -> Original:
        """A recording's own bytes, for a player. Raises UnknownJob, UnknownRecording, NotFound."""
        (recording,) = self.do(
            lambda room: room.reading.recordings(job_id, recording_id, session_ids)
        )
        return open_original(Path(recording.path), recording.name)

    def subscribe(
        self,
        callback: Callable[[Event], None] | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        after: int | None = None,
    ) -> Subscription:
        """Listen to events, of some sessions or of all.

        Without a callback, iterate over the subscription (``for``, ``async for``). A callback
        is called on the engine-room thread and must return at once. ``after`` continues after
        the event of that number.
        """
        return self.do(lambda room: room.subscribe(callback, session_ids=session_ids, after=after))

    def workers(self) -> tuple[WorkerInfo, ...]:
        """The live workers: their lanes, processes and peak memory."""
        return self.do(lambda room: room.lanes.workers())

    def unload_models(self) -> None:
        """Give the memory of loaded models back, e.g. a GPU's for a cell of your own.

        A worker that is at work does so after its batch; the next job loads its model again.
        """
        self.do(lambda room: room.lanes.unload())

    # ------------------------------------------------------------------------ waiting

    def wait(self, job_id: str, timeout_s: float | None = None) -> None:
        """Block until a job has ended. Raises TimeoutError, UnknownJob."""
        if threading.current_thread() is self._thread:
            if self.snapshot(job_id).done:
                return
            raise InvalidRequest("A listener runs on the engine-room thread and must not wait")
        waiting = self._wait(job_id)
        try:
            waiting.result(timeout_s)
        except concurrent.futures.TimeoutError:
            waiting.cancel()
            raise TimeoutError(f"Job {job_id} is not done after {timeout_s} s") from None

    def wait_async(self, job_id: str) -> asyncio.Future[None]:
        """The same for a coroutine on any running loop."""
        return asyncio.wrap_future(self._wait(job_id))

    def _wait(self, job_id: str) -> concurrent.futures.Future[None]:
        return self._hand_over(self._room.wait(job_id))

    # ------------------------------------------------------------------------ control

    def cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
    ) -> None:
        """Stop a job, or one recording of it. Raises UnknownJob, UnknownRecording."""
        self.do_in_slices(
            lambda room: room.sliced_cancel(job_id, recording_id, session_ids=session_ids)
        )

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
        self.do_in_slices(
            lambda room: room.sliced_retry(job_id, recording_id, session_ids=session_ids, **changes)
        )

    def keep(
        self, job_id: str, keep: bool = True, *, session_ids: Sequence[str] | None = None
    ) -> None:
        """Spare a job from the janitor, or hand it back. Raises UnknownJob."""
        self.do(lambda room: room.keep(job_id, keep, session_ids=session_ids))

    def delete(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> None:
        """Erase a job with its results and uploads. Raises UnknownJob."""
        self.do_in_slices(lambda room: room.sliced_delete(job_id, session_ids=session_ids))

    def delete_session(self, session_id: str) -> None:
        """Erase everything of a session."""
        self.do_in_slices(lambda room: room.sliced_delete_session(session_id))

    # -------------------------------------------------------------------------- close

    def close(self) -> None:
        """Stop: running work goes back to the journal, workers end. Twice is once."""
        with self._handing_over:
            is_first, self._closed = not self._closed, True
        if is_first:
            atexit.unregister(self._at_exit)
            self._ready.wait()
            # It may have ended by itself: its start failed.
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stop.set)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed

    def __enter__(self) -> Service:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        where = "memory" if self._room.state.temporary else self._room.state.path
        return f"<Service in {where}{', closed' if self._closed else ''}>"


def _close_at_exit(service: Service) -> Callable[[], None]:
    """Close a service that is still open when the interpreter leaves, without keeping it alive."""
    reference = weakref.ref(service)

    def close() -> None:
        living = reference()
        if living is not None:
            living.close()

    atexit.register(close)
    return close
