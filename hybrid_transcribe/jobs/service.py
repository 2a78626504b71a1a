"""Jobs of this process, to be reached from any thread or loop.

Calls are handed over to the loop of the job manager and wait for its answer, which takes
microseconds; only `Service.submit`'s look at the files, and the waits that say so, take longer.
"""

from __future__ import annotations

import atexit
import os
import weakref
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from hybrid_transcribe.audio.intake import Intake, intake, listed
from hybrid_transcribe.audio.track_count import by_track
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.clock import Clock, LoopClock
from hybrid_transcribe.engines.listing import EngineList, list_engines
from hybrid_transcribe.errors import InputError
from hybrid_transcribe.executors.subprocess import SubprocessExecutor
from hybrid_transcribe.interfaces import Executor
from hybrid_transcribe.jobs.durations import measure
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.jobs.languages import make_language
from hybrid_transcribe.jobs.local_hosting import LocalHosting
from hybrid_transcribe.jobs.local_jobs import LocalJobs
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.manager_thread import ManagerThread
from hybrid_transcribe.jobs.model_advice import advise_models
from hybrid_transcribe.jobs.queue_json import QueueWriter
from hybrid_transcribe.jobs.request import check_priority, check_text, make_spec
from hybrid_transcribe.jobs.state_folder import open_state
from hybrid_transcribe.jobs.voice_files import discard_voices, with_own_voices
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.postprocessors.listing import list_postprocessors
from hybrid_transcribe.service_protocol import (
    Inputs,
    WorkerInfo,
)
from hybrid_transcribe.types import ALL_TRACKS, ModelAdvice, Options, PostProcessorInfo, Spec

_T = TypeVar("_T")

#: Services of this process, which a forked child must not use.
_living: weakref.WeakSet[Service] = weakref.WeakSet()


def _orphan() -> None:
    """In a forked child no manager runs: say so instead of waiting for it for ever."""
    for service in tuple(_living):
        service._thread.orphan()
        atexit.unregister(service._at_exit)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_orphan)

#: The journal in the state folder.
ON_DISK = "disk"


class Service(LocalJobs, LocalHosting):
    """A service of this process.

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
        self._settings = base.but(**named) if settings else Settings.load(**named)
        super().__init__()
        self._make_executor = make_executor or (
            lambda lane: SubprocessExecutor(pass_environment=self.settings.pass_environment)
        )
        self._clock = clock or LoopClock()
        state = open_state(self.settings, memory=journal is None)
        self._manager = JobManager(
            self.settings,
            state,
            self._make_executor,
            self._clock,
            in_use=self._jobs.__contains__,
            measure=measure,
        )
        self._queue_writer = QueueWriter()
        self._at_exit = _close_at_exit(self)
        try:
            self._thread = ManagerThread(self._manager)
        except BaseException:
            atexit.unregister(self._at_exit)
            raise
        _living.add(self)

    # ------------------------------------------------------------------- what it goes by

    @property
    def settings(self) -> Settings:
        return self._settings

    @property
    def session_id(self) -> str:
        """The session of those who name none; the same again after a restart."""
        return self._manager.session_id

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        if self.closed:
            # Also what was said while closing.
            return tuple(self._manager.warnings)
        return self.do(lambda manager: tuple(manager.warnings))

    def engines(self) -> EngineList:
        return list_engines(self.settings)

    def postprocessors(self) -> tuple[PostProcessorInfo, ...]:
        return list_postprocessors(self.settings)

    def models(
        self,
        engine: str | None = None,
        *,
        language: str | None = None,
        duration_s: float | None = None,
    ) -> tuple[ModelAdvice, ...]:
        speeds = self.do(lambda manager: manager.speeds())
        name = engine or self.settings.engine
        return advise_models(name, self.settings, speeds, make_language(language), duration_s)

    # ------------------------------------------------------------------------ submit

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
        spec = replace(spec, options=with_own_voices(spec.options, options, self.uploads_dir))
        try:
            job_id, is_new, taken = self._accept(inputs, spec, session, priority, idempotency_key)
        except Exception:
            discard_voices(spec.options, self.uploads_dir)
            raise
        if not is_new:
            discard_voices(spec.options, self.uploads_dir)
        self._wait_until_written()
        job = self._handle(job_id, session)
        job.left_out = taken.left_out
        return job

    def _accept(
        self, inputs: Inputs, spec: Spec, session: str, priority: int, key: str | None
    ) -> tuple[str, bool, Intake]:
        """The job's id, whether it is new, and what came in, which then is the job's."""
        taken = self._take_in(inputs)
        if spec.options.audio_track == ALL_TRACKS:
            taken = by_track(taken, self.settings)
        try:
            job_id, is_new = self._thread.do_in_slices(
                lambda manager: manager.sliced_accept(
                    taken.files, taken.rejected, spec, session, priority, key
                )
            )
        except Exception:
            taken.discard()
            raise
        if not is_new:
            taken.discard()
        return job_id, is_new, taken

    def _take_in(self, inputs: Inputs) -> Intake:
        value = listed(inputs)
        if not value:
            raise InputError(UserMessage("no_inputs"))
        taken = intake(value, self.uploads_dir, self.settings)
        if not taken.files:
            raise taken.refusal()
        return taken

    # ------------------------------------------------------------------------ workers

    def workers(self) -> tuple[WorkerInfo, ...]:
        """The live workers: their lanes, processes and peak memory."""
        return self.do(lambda manager: manager.lanes.workers())

    def unload_models(self) -> None:
        """Give the memory of loaded models back, e.g. a GPU's for a cell of your own.

        A worker that is at work does so after its batch; the next job loads its model again.
        """
        self.do(lambda manager: manager.lanes.unload())

    # -------------------------------------------------------------------------- close

    def close(self) -> None:
        """Stop: running work goes back to the journal, workers end. Further calls do nothing."""
        atexit.unregister(self._at_exit)
        self._thread.stop()

    @property
    def closed(self) -> bool:
        return self._thread.closed

    def __repr__(self) -> str:
        where = "memory" if self._manager.state.temporary else self._manager.state.path
        return f"<Service in {where}{', closed' if self.closed else ''}>"


def _close_at_exit(service: Service) -> Callable[[], None]:
    """Close a service that is still open when the interpreter leaves, without keeping it alive."""
    reference = weakref.ref(service)

    def close() -> None:
        living = reference()
        if living is not None:
            living.close()

    atexit.register(close)
    return close
