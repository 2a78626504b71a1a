"""The door to a service elsewhere: the same methods, the same errors, over HTTP."""

from __future__ import annotations

import asyncio
import concurrent.futures
import os
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from hybrid_transcribe.audio.intake import Intake, Uploaded, listed, to_send
from hybrid_transcribe.audio.source_audio import Original
from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.core.scratch import ScratchFolder
from hybrid_transcribe.engines.listing import EngineInfo
from hybrid_transcribe.errors import InputError, InvalidRequest, ServiceClosed, UnknownJob
from hybrid_transcribe.events import Event
from hybrid_transcribe.jobs.bus import Subscription
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.jobs.model_advice import ModelAdvice
from hybrid_transcribe.jobs.request import check_text, make_options
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.remote.audio import open_audio
from hybrid_transcribe.remote.event_stream import EventStreams, key_of
from hybrid_transcribe.remote.http_client import Address, HttpClient, session_headers
from hybrid_transcribe.remote.multipart_upload import MultipartUpload
from hybrid_transcribe.types import JobSnapshot, Options, Rejection, Transcript
from hybrid_transcribe.wire import parse, shapes

#: Where the environment names a service and its token.
URL_VARIABLE, TOKEN_VARIABLE = f"{PREFIX}URL", f"{PREFIX}TOKEN"

#: After everything was sent the service looks into files and zips, which takes a while; in seconds.
ACCEPT_S = 600.0

#: Sessions beside its own that a service elsewhere is asked for, those used last.
MOST_OTHERS = 50

Inputs = str | os.PathLike[str] | Iterable[str | os.PathLike[str] | Uploaded]


class RemoteService:
    """An engine room elsewhere, used like a `Service` of this process.

    ::

        with RemoteService("http://127.0.0.1:8000", token="…") as service:
            job = service.submit(["a.wav", "b.mp3"], language="pt")
            print(job.result().text)

    Recordings are uploaded from disk. Inputs that cannot be used are refused here, before
    anything is sent; this object remembers them for ``job.rejected``, others do not see them.

    Args:
        url: where it is, as `Service.serve` or ``hybrid-transcribe serve`` tells it.
        token: what it asks for; neither this nor a session is ever logged or shown.
        session_id: whose jobs these are. None takes the session the service gives, and with
            it all that the token owns.
        timeout_s: longest wait for one answer.
        patience_s: how long those who wait for a job bear that the service is away.

    Calls raise what a local service raises, and Unreachable, after a bounded time, when nobody
    answers. Listeners stay and are connected again, without a gap and without hearing anything
    twice; where the service can no longer tell what they missed they get a `Resync`.
    """

    def __init__(
        self,
        url: str,
        token: str | None = None,
        session_id: str | None = None,
        *,
        timeout_s: float = 30.0,
        patience_s: float = 60.0,
    ) -> None:
        self._address = Address.of(url, token)
        self._own = session_id
        if session_id is not None:
            session_headers([session_id])
        self._sees_all = False
        # Beside the first: sessions that jobs were submitted to from here.
        self._others: dict[str, None] = {}
        self._jobs: weakref.WeakValueDictionary[str, Job] = weakref.WeakValueDictionary()
        self._rejected: dict[str, tuple[Rejection, ...]] = {}
        self._lock = threading.Lock()
        self._limits: Settings | None = None
        self._folder: ScratchFolder | None = None
        self._closed = False
        self._calls = HttpClient(self._address, timeout_s)
        self._streams = EventStreams(self._address, timeout_s, patience_s, self._complete)

    # ----------------------------------------------------------------------- sessions

    @property
    def session_id(self) -> str:
        """The session of those who name none."""
        return self._whose()[0]

    def _whose(self) -> tuple[str, bool]:
        """This side's session, and whether all others are seen as well."""
        with self._lock:
            if self._own is None:
                message = self._ask("GET", "/sessions")
                view = msgspec.json.decode(message, type=shapes.SessionView)
                self._own, self._sees_all = view.session_id, view.owner
            return self._own, self._sees_all

    def new_session(self) -> str:
        """A fresh anonymous capability of 128 random bits."""
        return new_id()

    def _named(self, session_ids: Sequence[str] | None, job_id: str = "") -> tuple[str, ...] | None:
        """The sessions to name; None where the token speaks for all."""
        if session_ids is not None:
            # To name none at all would ask for everybody's, so name one that nobody has.
            return tuple(session_ids) or (new_id(),)
        own, sees_all = self._whose()
        if sees_all:
            return None
        handle = self._jobs.get(job_id)
        return (own, *self._others) if handle is None else (handle.session_id,)

    # ------------------------------------------------------------------------- submit

    @property
    def uploads_dir(self) -> Path:
        """A folder of this side for files that people send; `Uploaded` ones go when sent."""
        with self._lock:
            self._check_open()
            if self._folder is None:
                self._folder = ScratchFolder()
                (self._folder.path / "uploads").mkdir()
            return self._folder.path / "uploads"

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        """What people should know about the service, as (code, message)."""
        ready = msgspec.json.decode(self._ask("GET", "/health/ready"), type=shapes.ReadyView)
        return tuple((item.code, item.message) for item in ready.warnings or ())

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
        """Upload recordings, queue them and return; arguments and errors as `Service.submit`.

        What breaks off is sent again under the same key, and makes one job all the same.
        """
        chosen = make_options(options or Options(), {"language": language, **more})
        session = check_text(session_id or self.session_id, "The session id")
        parameters = {"engine": engine, "model": model, "device": device, "session_id": session}
        fields = {name: value for name, value in parameters.items() if value is not None}
        if priority:
            fields["priority"] = str(priority)
        values = msgspec.json.encode(check_text(chosen, "The request").given()).decode()
        fields["options"] = values
        check_text(fields, "The request")
        session_headers([session])
        with self._taken(inputs) as taken:
            view = self._send(fields, taken, idempotency_key or new_id())
        self._others[session] = None
        while len(self._others) > MOST_OTHERS:
            self._others.pop(next(iter(self._others)))
        if taken.rejected:
            self._rejected[view.job_id] = taken.rejected
        return self._handle(view.job_id, view.session_id)

    def _send(self, fields: Mapping[str, str], taken: Intake, key: str) -> shapes.JobView:
        form = MultipartUpload(fields, taken.files)
        answer = self._ask(
            "POST",
            "/jobs",
            headers={**form.headers, "Idempotency-Key": key},
            content=lambda: iter(form),
            timeout=ACCEPT_S,
        )
        return msgspec.json.decode(answer, type=shapes.JobView)

    @contextmanager
    def _taken(self, inputs: Inputs) -> Iterator[Intake]:
        value = listed(inputs)
        if not value:
            raise InputError("Nothing to transcribe: the list of inputs is empty")
        with tempfile.TemporaryDirectory(prefix="hybrid-transcribe-") as links:
            taken = to_send(value, Path(links), self.settings)
            try:
                if not taken.files:
                    raise taken.refusal()
                yield taken
            finally:
                for item in value:
                    if isinstance(item, Uploaded):
                        item.path.unlink(missing_ok=True)

    @property
    def settings(self) -> Settings:
        """The service's limits, as far as it tells; everything else is the default.

        What passes them is refused before it is sent. The cache is the one of this side.
        """
        if self._limits is None:
            payload = msgspec.json.decode(self._ask("GET", "/limits"), type=shapes.LimitsView)
            limits = msgspec.structs.asdict(payload)
            self._limits = Settings().but(cache_dir=Settings.load().cache_dir, **limits)
        return self._limits

    def engines(self) -> tuple[EngineInfo, ...]:
        """The service's engines, the default first."""
        payload = msgspec.json.decode(self._ask("GET", "/engines"), type=shapes.EnginesView)
        return tuple(EngineInfo(**msgspec.structs.asdict(engine)) for engine in payload.engines)

    def models(
        self,
        engine: str | None = None,
        *,
        language: str | None = None,
        duration_s: float | None = None,
    ) -> tuple[ModelAdvice, ...]:
        """The models of an engine over there, as `Service.models` has them."""
        name = engine or self.engines()[0].name
        query = {"language": language, "duration_s": duration_s}
        path = f"/engines/{quote(name, safe='')}/models"
        chosen = urlencode({key: value for key, value in query.items() if value is not None})
        answer = self._ask("GET", f"{path}?{chosen}" if chosen else path)
        view = msgspec.json.decode(answer, type=shapes.ModelsView)
        return tuple(ModelAdvice(**msgspec.structs.asdict(detail)) for detail in view.details)

    def _handle(self, job_id: str, session_id: str) -> Job:
        with self._lock:
            job = self._jobs.get(job_id)
            if job is None:
                job = self._jobs[job_id] = Job(self, job_id, session_id)
            return job

    # ------------------------------------------------------------------------ reading

    def job(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> Job:
        """The handle of a job. Raises UnknownJob."""
        return self._handle(job_id, self.snapshot(job_id, session_ids=session_ids).session_id)

    def jobs(self, *, session_ids: Sequence[str] | None = None) -> tuple[Job, ...]:
        """Handles of every job of these sessions (None: of all that are ours), oldest first."""
        return tuple(
            self._handle(s.job_id, s.session_id) for s in self.snapshots(session_ids=session_ids)
        )

    def snapshot(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> JobSnapshot:
        """A job as it stands now. Raises UnknownJob."""
        answer = self._ask("GET", _job(job_id), sessions=self._named(session_ids, job_id))
        return self._complete(parse.job(msgspec.json.decode(answer, type=shapes.JobView)))

    def snapshots(self, *, session_ids: Sequence[str] | None = None) -> tuple[JobSnapshot, ...]:
        """Every job of these sessions (None: of all that are ours), oldest first."""
        answer = self._ask("GET", "/queues", sessions=self._named(session_ids))
        return tuple(map(self._complete, parse.queue(answer)))

    def _complete(self, job: JobSnapshot) -> JobSnapshot:
        """With what was refused on this side."""
        here = self._rejected.get(job.job_id, ())
        return replace(job, rejected=(*here, *job.rejected)) if here else job

    def transcript(
        self,
        job_id: str,
        recording_id: str,
        *,
        partial: bool = False,
        run: int | None = None,
        session_ids: Sequence[str] | None = None,
    ) -> Transcript:
        """What a recording said; arguments and errors as `Service.transcript`."""
        params = {"format": "json", "partial": "true" if partial else "false"}
        if run is not None:
            params["run"] = str(run)
        answer = self._ask(
            "GET",
            f"{_recording(job_id, recording_id)}/result",
            sessions=self._named(session_ids, job_id),
            params=params,
        )
        return parse.transcript(answer)

    def open_audio(
        self, job_id: str, recording_id: str, *, session_ids: Sequence[str] | None = None
    ) -> Original:
        """A recording's own bytes, read as they are wanted; close it.

        Raises UnknownJob, UnknownRecording, NotFound, Unreachable.
        """
        self._check_open()
        job = self.snapshot(job_id, session_ids=session_ids)
        recording = job.recording(recording_id)
        return open_audio(
            self._calls.client,
            self._address,
            f"{_recording(job_id, recording_id)}/audio",
            recording.name if recording else "",
            self._named(session_ids, job_id),
        )

    def subscribe(
        self,
        callback: Callable[[Event], None] | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        after: int | None = None,
    ) -> Subscription:
        """Listen to events, of some sessions or of all that are ours, as `Service.subscribe`.

        A callback is called on the thread of the connection.
        """
        self._check_open()
        return self._streams.subscribe(key_of(self._named(session_ids)), callback, after)

    # ------------------------------------------------------------------------ waiting

    def wait(self, job_id: str, timeout_s: float | None = None) -> None:
        """Block until a job has ended. Raises TimeoutError, UnknownJob, Unreachable."""
        if self._streams.here:
            if self.snapshot(job_id).done:
                return
            raise InvalidRequest("A listener runs on the thread of the events and must not wait")
        waiting = self._wait(job_id)
        try:
            waiting.result(timeout_s)
        except concurrent.futures.TimeoutError:
            waiting.cancel()
            raise TimeoutError(f"Job {job_id} is not done after {timeout_s} s") from None
        except concurrent.futures.CancelledError:
            raise ServiceClosed("The connection to the service was closed") from None

    def wait_async(self, job_id: str) -> asyncio.Future[None]:
        """The same for a coroutine on any running loop."""
        return asyncio.wrap_future(self._wait(job_id))

    def _wait(self, job_id: str) -> concurrent.futures.Future[None]:
        self._check_open()
        return self._streams.run(self._streams.wait(job_id, key_of(self._named(None, job_id))))

    # ------------------------------------------------------------------------ control

    def cancel(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
    ) -> None:
        """Stop a job, or one recording of it. Raises UnknownJob, UnknownRecording."""
        self._control("cancel", job_id, recording_id, session_ids, {})

    def retry(
        self,
        job_id: str,
        recording_id: str | None = None,
        *,
        session_ids: Sequence[str] | None = None,
        **changes: Any,
    ) -> None:
        """Once more; arguments and errors as `Service.retry`."""
        fields = {name: value for name, value in changes.items() if value is not None}
        if isinstance(fields.get("options"), Options):
            fields["options"] = msgspec.to_builtins(fields["options"])
        self._control("retry", job_id, recording_id, session_ids, fields)

    def keep(
        self, job_id: str, keep: bool = True, *, session_ids: Sequence[str] | None = None
    ) -> None:
        """Spare a job from the janitor, or hand it back. Raises UnknownJob."""
        self._control("keep", job_id, None, session_ids, {"keep": keep})

    def _control(
        self,
        verb: str,
        job_id: str,
        recording_id: str | None,
        session_ids: Sequence[str] | None,
        body: Mapping[str, Any],
    ) -> None:
        at = _job(job_id) if recording_id is None else _recording(job_id, recording_id)
        self._ask(
            "POST",
            f"{at}/{verb}",
            again=verb != "retry",
            sessions=self._named(session_ids, job_id),
            headers={"Content-Type": "application/json"},
            content=lambda: iter((msgspec.json.encode(check_text(body, "The request")),)),
        )

    def delete(self, job_id: str, *, session_ids: Sequence[str] | None = None) -> None:
        """Erase a job with its results and uploads. Raises UnknownJob."""
        # Not again by itself: what is gone already would be an error.
        named = self._named(session_ids, job_id)
        self._ask("DELETE", _job(job_id), again=False, sessions=named)
        self._rejected.pop(job_id, None)

    def delete_session(self, session_id: str) -> None:
        """Erase everything of a session."""
        self._ask("DELETE", "/sessions", sessions=(session_id,))
        self._others.pop(session_id, None)

    # -------------------------------------------------------------------------- close

    def _ask(self, method: str, path: str, **kwargs: Any) -> bytes:
        self._check_open()
        return self._calls.ask(method, path, **kwargs)

    def _check_open(self) -> None:
        if self._closed:
            raise ServiceClosed("The connection to the service was closed")

    def close(self) -> None:
        """Hang up. The service and its jobs go on. Twice is once."""
        self._closed = True
        self._streams.close()
        self._calls.close()
        if self._folder is not None:
            self._folder.close()

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed

    def __enter__(self) -> RemoteService:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<RemoteService at {self._address.url}{', closed' if self._closed else ''}>"


def _job(job_id: str) -> str:
    if not job_id:
        raise UnknownJob(UserMessage("no_job", id=job_id))
    return f"/jobs/{quote(job_id, safe='')}"


def _recording(job_id: str, recording_id: str) -> str:
    return f"{_job(job_id)}/recordings/{quote(recording_id or '-', safe='')}"


def from_environment(
    environ: Mapping[str, str] | None = None, *, session_id: str | None = None
) -> RemoteService:
    """The service that ``HYBRID_TRANSCRIBE_URL`` and ``HYBRID_TRANSCRIBE_TOKEN`` name.

    Raises InvalidRequest where the environment names none.
    """
    result = os.environ if environ is None else environ
    url = result.get(URL_VARIABLE, "").strip()
    if not url:
        raise InvalidRequest(f"No service is named: set {URL_VARIABLE} to its address")
    return RemoteService(url, result.get(TOKEN_VARIABLE) or None, session_id)
