"""A service elsewhere: the same methods and the same errors as here, over HTTP."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from hybrid_transcribe.audio.intake import InputFile, Intake, Uploaded, listed, to_send
from hybrid_transcribe.config import PREFIX
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import InputError, InvalidRequest
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.jobs.request import check_text, make_options
from hybrid_transcribe.jobs.voice_files import discard_voices, located
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.remote.hosting import RemoteHosting
from hybrid_transcribe.remote.http_client import session_headers
from hybrid_transcribe.remote.jobs import RemoteJobs
from hybrid_transcribe.remote.multipart_upload import MultipartUpload
from hybrid_transcribe.service_protocol import Inputs
from hybrid_transcribe.types import (
    EngineInfo,
    KnownVoice,
    ModelAdvice,
    Options,
    PostProcessorInfo,
)
from hybrid_transcribe.wire import shapes

#: Where the environment names a service and its token.
URL_VARIABLE, TOKEN_VARIABLE = f"{PREFIX}URL", f"{PREFIX}TOKEN"

#: After everything was sent the service looks into files and zips, which takes a while; in seconds.
ACCEPT_S = 600.0


class RemoteService(RemoteJobs, RemoteHosting):
    """A service elsewhere, used like a `Service` of this process.

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

    # ------------------------------------------------------------------------- submit

    @property
    def warnings(self) -> tuple[tuple[str, str], ...]:
        return self.health().warnings

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
        chosen = make_options(options or Options(), {"language": language, **more})
        session = check_text(session_id or self.session_id, "The session id")
        parameters = {"engine": engine, "model": model, "device": device, "session_id": session}
        fields = {name: value for name, value in parameters.items() if value is not None}
        if priority:
            fields["priority"] = str(priority)
        check_text(chosen, "The request")
        fields["options"] = msgspec.json.encode(replace(chosen, voices=None).given()).decode()
        check_text(fields, "The request")
        session_headers([session])
        with self._taken(inputs) as taken, self._voices(chosen) as voices:
            view = self._send(fields, taken, voices, idempotency_key or new_id())
        self._note_session(session)
        if taken.rejected:
            self._rejected[view.job_id] = taken.rejected
        return self._handle(view.job_id, view.session_id)

    def _send(
        self, fields: Mapping[str, str], taken: Intake, voices: Sequence[InputFile], key: str
    ) -> shapes.JobView:
        form = MultipartUpload(fields, taken.files, voices)
        answer = self._ask(
            "POST",
            "/jobs",
            headers={**form.headers, "Idempotency-Key": key},
            content=lambda: iter(form),
            timeout=ACCEPT_S,
        )
        return msgspec.json.decode(answer, type=shapes.JobView)

    @contextmanager
    def _voices(self, options: Options) -> Iterator[list[InputFile]]:
        """The recordings of known voices, each called as the person is, to be sent along."""
        if not options.voices:
            yield []
            return
        voices = located(options, self.uploads_dir).voices or ()
        try:
            yield [_voice_file(voice) for voice in voices]
        finally:
            discard_voices(options, self.uploads_dir)

    @contextmanager
    def _taken(self, inputs: Inputs) -> Iterator[Intake]:
        value = listed(inputs)
        if not value:
            raise InputError(UserMessage("no_inputs"))
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

    def engines(self) -> tuple[EngineInfo, ...]:
        answer = self._ask("GET", "/engines")
        return msgspec.json.decode(answer, type=shapes.EnginesView).engines

    def postprocessors(self) -> tuple[PostProcessorInfo, ...]:
        answer = self._ask("GET", "/postprocessors")
        return msgspec.json.decode(answer, type=shapes.PostProcessorsView).postprocessors

    def models(
        self,
        engine: str | None = None,
        *,
        language: str | None = None,
        duration_s: float | None = None,
    ) -> tuple[ModelAdvice, ...]:
        name = engine or self.engines()[0].name
        query = {"language": language, "duration_s": duration_s}
        path = f"/engines/{quote(name, safe='')}/models"
        chosen = urlencode({key: value for key, value in query.items() if value is not None})
        answer = self._ask("GET", f"{path}?{chosen}" if chosen else path)
        return msgspec.json.decode(answer, type=shapes.ModelsView).details


def from_environment(
    environ: Mapping[str, str] | None = None, *, session_id: str | None = None
) -> RemoteService:
    """The service that ``HYBRID_TRANSCRIBE_URL`` and ``HYBRID_TRANSCRIBE_TOKEN`` name.

    Raises InvalidRequest where the environment names none.
    """
    result = os.environ if environ is None else environ
    url = result.get(URL_VARIABLE, "").strip()
    if not url:
        raise InvalidRequest(UserMessage("no_service_named", variable=URL_VARIABLE))
    return RemoteService(url, result.get(TOKEN_VARIABLE) or None, session_id)


def _voice_file(voice: KnownVoice) -> InputFile:
    path = Path(voice.path)
    name = f"{voice.name}{path.suffix or '.audio'}"
    return InputFile(name, path, owned=voice.owned, size_bytes=path.stat().st_size)
