"""Jobs: submit, look, cancel, retry, keep, erase."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.errors import InvalidRequest, UnknownUpload
from hybrid_transcribe.jobs.option_text import parse
from hybrid_transcribe.jobs.request import OPTION_NAMES, make_options
from hybrid_transcribe.rest.base_handler import REVALIDATE, BaseHandler
from hybrid_transcribe.rest.files.claims import with_uploads
from hybrid_transcribe.rest.models import check_model
from hybrid_transcribe.rest.outbound import webhooks
from hybrid_transcribe.rest.outbound.sources import with_sources
from hybrid_transcribe.rest.repeats import session_of
from hybrid_transcribe.rest.uploads.limits import UploadLimits
from hybrid_transcribe.rest.uploads.received import Received
from hybrid_transcribe.rest.uploads.streaming import StreamingBody
from hybrid_transcribe.types import Options
from hybrid_transcribe.wire import serialize

#: Fields of a submission beside the options.
_FIELDS = ("session_id", "engine", "model", "device", "priority", "options", "callback_url")

#: Longest ``Prefer: wait=N`` that is honoured, in seconds.
LONGEST_WAIT_S = 300.0

#: When to ask again how far a job is, in seconds.
ASK_AGAIN_S = 1


class JobsHandler(StreamingBody, BaseHandler):
    """``POST /jobs``, and ``PUT``, which is what ``curl -T`` sends."""

    streams = True

    async def prepare(self) -> None:  # type: ignore[override]
        """Who may not come in uploads nothing."""
        BaseHandler.prepare(self)
        if self.request.method in ("POST", "PUT"):
            service = self.rest.service
            await self.receive_begin(service.uploads_dir, UploadLimits.of(service.settings))

    async def post(self) -> None:
        """Queue what was sent."""
        received = await self.received()
        try:
            service = self.rest.service
            received = await with_sources(received, service.settings, service.uploads_dir)
            try:
                async with with_uploads(self, received) as value:
                    job_id, callback_url = await self._job_of(value)
            except UnknownUpload:
                # Its uploads were used up by the very same request, if it came before.
                before = await self._job_before(received)
                if before is None:
                    raise
                job_id, callback_url = before, None
        except BaseException:
            received.discard()
            raise
        # From here on the files are the job's.
        if callback_url is not None:
            await self._call_back(job_id, callback_url)
        await _answer(self, job_id)

    put = post

    async def _job_of(self, received: Received) -> tuple[str, str | None]:
        """A new job, or the one that the same Idempotency-Key made before; whom to call back."""
        options = run_parameters(received)
        key = self.request.headers.get("Idempotency-Key")
        named = options.pop("session_id", None) or self._named_session()
        message = options.pop("callback_url", None)
        callback_url = None if message is None else webhooks.check(self.rest.service, message)
        session = str(named or await self._new_session(key, received))
        job_id = await self._submit(received, session, {**options, "idempotency_key": key})
        return job_id, callback_url

    async def _job_before(self, received: Received) -> str | None:
        """The job of this session and Idempotency-Key."""
        key, fields = self.request.headers.get("Idempotency-Key"), received.fields
        lines = (received.json or {}).get("session_id") if received.json else None
        session = lines or next(iter(fields.get("session_id", ())), None) or self._named_session()
        if not key or not session:
            return None
        return await self.ask(lambda room: room.submitted_as(str(session), key))

    async def _call_back(self, job_id: str, url: str) -> None:
        service = self.rest.service
        await self.ask(lambda room: webhooks.outbox_of(service, room).expect(job_id, url))

    def _named_session(self) -> str | None:
        named = self.sessions
        if named and len(named) > 1:
            raise InvalidRequest("A job belongs to one session_id, not to several")
        if named:
            return named[0]
        return self.rest.service.session_id if self.owner else None

    async def _new_session(self, key: str | None, received: Received) -> str:
        service = self.rest.service
        if not key:
            return service.new_session()
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(None, session_of, key, received, service.session_id)

    async def _submit(self, received: Received, session: str, options: dict[str, Any]) -> str:
        if not received.uploads:
            raise InvalidRequest(
                "No recording in the request: send files as multipart fields named 'file', one as "
                "the body, the upload_ids of what was uploaded before, or a source_url"
            )
        files = [Uploaded(u.path, u.name) for u in received.uploads]
        service = self.rest.service
        check_model(options.get("engine"), options.get("model"), service.settings, owner=self.owner)
        # Looking into files and zips takes a while.
        job = await asyncio.get_running_loop().run_in_executor(
            None, lambda: service.submit(files, session_id=session, **options)
        )
        return job.job_id


def run_parameters(received: Received) -> dict[str, Any]:
    """Keyword arguments for `Service.submit`, from a form or from JSON.

    Raises InvalidRequest for an unknown field, InvalidOption for a value that cannot be.
    """
    if received.json is not None:
        if not isinstance(received.json, dict):
            raise InvalidRequest("The JSON of a request must be an object")
        return _flat({str(name): value for name, value in received.json.items()})
    options: dict[str, Any] = {}
    for name, values in received.fields.items():
        if len(values) > 1:
            raise InvalidRequest(f"Field {name!r} is given {len(values)} times")
        text = values[0]
        if not text.strip():
            # Forms send what nobody filled in.
            continue
        if name == "options":
            try:
                options[name] = msgspec.json.decode(text)
            except (msgspec.DecodeError, RecursionError):
                raise InvalidRequest(f"Field options={text[:80]!r} is no JSON") from None
        elif name == "priority":
            options[name] = _whole(text)
        else:
            options[name] = parse(name, text) if name in OPTION_NAMES else text
    return _flat(options)


def _flat(parameters: dict[str, Any]) -> dict[str, Any]:
    """Options beside the fields, whichever way they came."""
    unknown = [name for name in parameters if name not in (*_FIELDS, *OPTION_NAMES)]
    if unknown:
        choices = ", ".join((*_FIELDS, *OPTION_NAMES))
        raise InvalidRequest(f"No field {unknown[0]!r}; choose from: file, {choices}")
    options = checked_options(parameters.pop("options", None))
    check_texts(parameters)
    return {**options, **parameters}


def checked_options(options: Any) -> dict[str, Any]:
    """An object with names of options only. Raises InvalidRequest."""
    if options is None:
        return {}
    if not isinstance(options, dict):
        raise InvalidRequest("options must be a JSON object")
    for name in options:
        if name not in OPTION_NAMES:
            raise InvalidRequest(f"No option {name!r:.80}; choose from: {', '.join(OPTION_NAMES)}")
    return options


def check_texts(options: Mapping[str, Any]) -> None:
    """Raise InvalidRequest where a field that is text is something else."""
    for name in ("engine", "model", "device", "session_id", "callback_url"):
        value = options.get(name)
        if value is not None and not isinstance(value, str):
            raise InvalidRequest(f"{name}={value!r:.80}: it must be text")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise InvalidRequest(f"priority={text!r}: it must be a whole number") from None


async def _answer(handler: BaseHandler, job_id: str) -> None:
    """202 with the job as it stands, or 200 with its end where the client prefers to wait."""
    wait_s = preferred_wait_s(handler.request.headers.get_list("Prefer"))
    if wait_s:
        waiting = handler.rest.service.wait_async(job_id)
        await asyncio.wait({waiting}, timeout=wait_s)
        waiting.cancel()
        handler.set_header("Preference-Applied", f"wait={wait_s:g}")
    snapshot = await handler.ask(lambda room: room.reading.snapshot(job_id))
    handler.set_header("Location", handler.at(f"/jobs/{job_id}"))
    if snapshot.done:
        handler.reply(serialize.job(snapshot))
        return
    handler.set_header("Retry-After", str(ASK_AGAIN_S))
    handler.reply(serialize.job(snapshot), HTTPStatus.ACCEPTED)


def preferred_wait_s(prefer: list[str]) -> float:
    """Seconds of ``Prefer: wait=N`` (RFC 7240), bounded; 0 without.

    >>> preferred_wait_s(["respond-async, wait=20"]), preferred_wait_s([])
    (20.0, 0.0)
    """
    for item in (p.strip() for text in prefer for p in text.split(",")):
        name, _, value = item.partition("=")
        if name.strip().lower() == "wait" and value.strip().strip('"').isdecimal():
            return min(float(value.strip().strip('"')), LONGEST_WAIT_S)
    return 0.0


class JobHandler(BaseHandler):
    """``GET`` and ``DELETE /jobs/{job_id}``."""

    async def get(self, job_id: str) -> None:
        """The job as it stands."""
        sessions = self.job_sessions
        snapshot = await self.ask(lambda room: room.reading.snapshot(job_id, session_ids=sessions))
        self.reply(serialize.job(snapshot), cache=REVALIDATE)

    async def delete(self, job_id: str) -> None:
        """Erase it: results, uploads and what a cloud keeps."""
        sessions = self.job_sessions
        await self.ask_in_slices(lambda room: room.sliced_delete(job_id, session_ids=sessions))
        self.set_status(HTTPStatus.NO_CONTENT)


class JobControlHandler(BaseHandler):
    """``POST …/cancel``, ``…/retry``, ``…/keep`` of a job, or of one of its recordings."""

    async def post(self, job_id: str, recording_id: str | None, verb: str) -> None:
        """Do it, and answer with the job as it then stands."""
        sessions, changes = self.job_sessions, self._changes()
        if verb == "cancel":
            await self.ask_in_slices(
                lambda room: room.sliced_cancel(job_id, recording_id, session_ids=sessions)
            )
        elif verb == "retry":
            await self._check_retry(job_id, changes)
            await self.ask_in_slices(
                lambda room: room.sliced_retry(
                    job_id, recording_id, session_ids=sessions, **changes
                )
            )
        else:
            await self.ask(lambda room: room.reading.recordings(job_id, recording_id, sessions))
            keep = changes.get("keep", True)
            if not isinstance(keep, bool):
                raise InvalidRequest(f"keep={keep!r}: it must be true or false")
            await self.ask(lambda room: room.keep(job_id, keep, session_ids=sessions))
        snapshot = await self.ask(lambda room: room.reading.snapshot(job_id, session_ids=sessions))
        self.reply(serialize.job(snapshot))

    async def _check_retry(self, job_id: str, changes: Mapping[str, Any]) -> None:
        """Raise UnknownModel, and UnknownJob for whom it does not belong to."""
        sessions = self.job_sessions
        job = await self.ask(lambda room: room.reading.owned(job_id, sessions))
        engine = changes.get("engine") or job.spec.engine
        settings = self.rest.service.settings
        check_model(engine, changes.get("model"), settings, owner=self.owner)

    def _changes(self) -> dict[str, Any]:
        """The JSON object of the body; none is as good as an empty one."""
        if not self.request.body:
            return {}
        try:
            changes = msgspec.json.decode(self.request.body)
        except (msgspec.DecodeError, RecursionError):
            raise InvalidRequest("The body must be a JSON object") from None
        if not isinstance(changes, dict):
            raise InvalidRequest("The body must be a JSON object")
        items = ("keep", "engine", "model", "device", "options", *OPTION_NAMES)
        for name in changes:
            if name not in items:
                raise InvalidRequest(f"No field {name!r}; choose from: {', '.join(items)}")
        options = changes.pop("options", None)
        check_texts(changes)
        if options is None:
            return changes
        # A set of options is all of them, as in Python: what it leaves out takes its default.
        return {**changes, "options": make_options(Options(), checked_options(options))}
