"""AssemblyAI on 127.0.0.1: it keeps to its OpenAPI document and misbehaves on request."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler, stream_request_body

from hybrid_transcribe.config import PREFIX
from hybrid_transcribe.engines.assemblyai.engine import AssemblyAI
from hybrid_transcribe.engines.assemblyai.pace import PollingPace
from tests.engines.aai_schemas import SCHEMAS

#: Another folder of contracts than the one beside the checkout.
CONTRACTS_VARIABLE = PREFIX + "TEST_CONTRACTS"

#: Nobody's key: whatever holds this text has leaked it.
KEY = "sentinel-4f1c9d7be02a"

TEXT = "Good morning everybody. Today we speak about rivers, and how they move. Any questions?"

#: A pace for tests: the same steps, in milliseconds.
BRISK = PollingPace(
    poll_first_s=0.01,
    poll_longest_s=0.04,
    retry_first_s=0.01,
    retry_longest_s=0.04,
    retry_after_longest_s=0.3,
    silence_s=5.0,
    request_s=5.0,
    look_s=0.01,
    discarding_s=0.3,
    erasing_s=5.0,
)


#: Lets a worker say on stderr whatever the libraries log.
LOUD_VARIABLE = PREFIX + "TEST_LOUD"


class Brisk(AssemblyAI):
    """The engine at the tests' pace, also for worker processes."""

    def __init__(self, pace: PollingPace = BRISK) -> None:
        super().__init__(pace)
        if os.environ.get(LOUD_VARIABLE):
            logging.basicConfig(level=logging.DEBUG)


def contract_path() -> Path:
    """Where the service's whole OpenAPI document may be."""
    value = os.environ.get(CONTRACTS_VARIABLE)
    beside = Path(__file__).resolve().parents[2].parent / "shared" / "contracts"
    return (Path(value) if value else beside) / "assemblyai.openapi.json"


class Contract:
    """The schemas that requests and responses have to fit.

    The facts of `aai_schemas` always count; the service's whole OpenAPI document counts too
    where ``path`` is a file.
    """

    def __init__(self, path: Path) -> None:
        self._document = _published(path) if path.is_file() else None

    def faults(self, schema: str, value: object) -> list[str]:
        """The differences between a value and a schema, one line each."""
        checks = [Draft202012Validator(SCHEMAS[schema], format_checker=FormatChecker())]
        if self._document is not None:
            pointer = {"$ref": f"urn:assemblyai#/components/schemas/{schema}"}
            checks.append(
                Draft202012Validator(
                    pointer, registry=self._document, format_checker=FormatChecker()
                )
            )
        return [
            f"{schema}: {error.json_path}: {error.message}"
            for check in checks
            for error in check.iter_errors(value)
        ]


def _published(path: Path) -> Registry[Any]:
    """The schemas of the service's OpenAPI document."""
    document = json.loads(path.read_text(encoding="utf-8"))
    schemas = document["components"]["schemas"]
    # Two closed objects joined by allOf admit nothing: their union is meant.
    required = schemas["TranscriptParams"]["allOf"][0]
    optional = schemas["TranscriptOptionalParams"]
    schemas["TranscriptParams"] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {**required["properties"], **optional["properties"]},
        "required": [*required["required"], *optional["required"]],
    }
    resource = Resource(contents=document, specification=DRAFT202012)
    empty: Registry[Any] = Registry()
    return empty.with_resource("urn:assemblyai", resource)


@dataclass
class Fault:
    """What one request meets: a status, or something worse.

    ``kind``: ``status``, ``drop``, ``hang``, ``drip`` (of the head), ``trickle`` (of the body),
    ``late`` (when `Cloud.late` is set) or ``text`` (something else than JSON); ``acted``: only
    after the request was acted on.
    """

    kind: str
    status: int = 500
    error: str = "as the test says"
    retry_after: str | None = None
    acted: bool = False


@dataclass
class Upload:
    """What came in."""

    url: str
    body: bytes

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass
class Held:
    """A transcript in the cloud."""

    id: str
    asked: dict[str, Any]
    audio_url: str
    looks: int = 0
    deleted: bool = False


@dataclass
class Cloud:
    """What the server holds, saw and does. Times are `time.monotonic`.

    Attributes:
        looks_needed: how often a transcript is looked at before it is done: first it is
            queued, then processing.
        outcome: how a transcript ends: ``completed``, ``error``, or any status it stays in.
        error: why it is an error.
        held: nothing ends while this is true.
        text, language: what everybody says.
        turns: number of words of each speaker's turn, where speakers are asked for.
        forgets: a deleted transcript is 404 instead of one without content.
        page: entries of a page of the listing, at most.
        late: lets late answers go.
    """

    contract: Contract
    looks_needed: int = 2
    outcome: str = "completed"
    error: str = "Transcoding failed. File does not appear to contain audio."
    held: bool = False
    text: str = TEXT
    language: str = "en_us"
    turns: tuple[int, ...] = (3, 9, 2)
    forgets: bool = True
    page: int = 200
    late: bool = False
    url: str = ""
    uploads: list[Upload] = field(default_factory=list)
    submissions: list[Held] = field(default_factory=list)
    polls: list[str] = field(default_factory=list)
    listings: int = 0
    deletes: list[tuple[str, float]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    news: threading.Condition = field(default_factory=threading.Condition)
    faults: dict[str, deque[Fault]] = field(default_factory=dict)
    always: dict[str, Fault] = field(default_factory=dict)

    def meet(self, endpoint: str, *faults: Fault) -> None:
        """The next requests to an endpoint (upload, submit, look, list, delete) meet these."""
        self.faults.setdefault(endpoint, deque()).extend(faults)

    def fault(self, endpoint: str) -> Fault | None:
        """What the next request meets."""
        waiting = self.faults.get(endpoint)
        return waiting.popleft() if waiting else self.always.get(endpoint)

    def wait(self, true: Callable[[], bool], timeout_s: float = 90.0) -> None:
        """Until that is true of what was seen."""
        with self.news:
            assert self.news.wait_for(true, timeout_s), f"never: {self.requests}"

    def release(self) -> None:
        """Everything held may end."""
        with self.news:
            self.held = False

    def count(self, method: str, path: str = "") -> int:
        """Requests of that method whose path ends so."""
        return sum(m == method and p.endswith(path) for m, p in self.requests)

    def named(self, transcript_id: str) -> Held | None:
        """The transcript, unless it is gone for good."""
        result = next((t for t in self.submissions if t.id == transcript_id), None)
        return None if result is None or (result.deleted and self.forgets) else result

    # ------------------------------------------------------------------------ answers

    def status_of(self, held: Held) -> str:
        if held.looks < self.looks_needed:
            return "queued" if held.looks < 1 else "processing"
        return "processing" if self.held else self.outcome

    def transcript(self, held: Held) -> dict[str, Any]:
        """As the service tells it."""
        status = self.status_of(held)
        fields: dict[str, Any] = {
            "id": held.id,
            "speech_model": None,
            "language_model": "assemblyai_default",
            "acoustic_model": "assemblyai_default",
            "status": status,
            "audio_url": held.audio_url,
            "webhook_auth": False,
            "auto_highlights": False,
            "redact_pii": False,
            "summarization": False,
            "language_confidence_threshold": None,
            "language_confidence": None,
            "speech_models": held.asked.get("speech_models"),
        }
        if held.deleted:
            return {**fields, "status": "completed", "text": "Deleted by user.", "words": []}
        if status == "error":
            fields["error"] = self.error
        if status == "completed":
            fields.update(self._content(held))
        return fields

    def _content(self, held: Held) -> dict[str, Any]:
        requested = held.asked
        detected = requested.get("language_detection")
        words = self._words(bool(requested.get("speaker_labels")))
        return {
            "text": self.text,
            "words": words,
            "utterances": self._utterances(words) if requested.get("speaker_labels") else None,
            "confidence": 0.9,
            "audio_duration": 8,
            "language_code": self.language if detected else requested.get("language_code"),
            "language_confidence": 0.83 if detected else None,
            "language_detection": bool(detected),
            "speech_model_used": requested["speech_models"][0],
        }

    def _words(self, speakers: bool) -> list[dict[str, Any]]:
        turns = [name for name, n in zip("ABC", self.turns, strict=True) for _ in range(n)]
        return [
            {
                "text": text,
                "start": 500 * i,
                "end": 500 * i + 450,
                "confidence": 0.9,
                "speaker": turns[i] if speakers else None,
            }
            for i, text in enumerate(self.text.split())
        ]

    def _utterances(self, words: list[dict[str, Any]]) -> list[dict[str, Any]]:
        message, at = [], 0
        for name, n in zip("ABC", self.turns, strict=True):
            part = words[at : at + n]
            at += n
            message.append(
                {
                    "speaker": name,
                    "text": " ".join(word["text"] for word in part),
                    "start": part[0]["start"],
                    "end": part[-1]["end"],
                    "confidence": 0.9,
                    "words": part,
                }
            )
        return message

    def listing(self, limit: int, before_id: str | None) -> dict[str, Any]:
        newest_first = list(reversed(self.submissions))
        ids = [held.id for held in newest_first]
        start = ids.index(before_id) + 1 if before_id else 0
        page = newest_first[start : start + min(limit, self.page)]
        more = start + len(page) < len(newest_first)
        return {
            "page_details": {
                "limit": limit,
                "result_count": len(page),
                "current_url": f"{self.url}/v2/transcript?limit={limit}",
                "prev_url": f"{self.url}/v2/transcript?limit={limit}&before_id={page[-1].id}"
                if more
                else None,
                "next_url": None,
            },
            "transcripts": [self._entry(held) for held in page],
        }

    def _entry(self, held: Held) -> dict[str, Any]:
        return {
            "id": held.id,
            "resource_url": f"{self.url}/v2/transcript/{held.id}",
            "status": self.status_of(held),
            "created": "2026-11-22T10:00:00.123",
            "completed": None,
            "audio_url": held.audio_url,
            "error": None,
        }


@contextmanager
def serving(cloud: Cloud) -> Iterator[Cloud]:
    """Serve the cloud while the block runs."""
    ready = threading.Event()
    ends: list[Callable[[], object]] = []

    async def main() -> None:
        over = asyncio.Event()
        (socket,) = bind_sockets(0, "127.0.0.1")
        server = HTTPServer(_application(cloud, over), max_body_size=1 << 30)
        server.add_socket(socket)
        cloud.url = f"http://127.0.0.1:{socket.getsockname()[1]}"
        loop = asyncio.get_running_loop()
        ends.append(lambda: loop.call_soon_threadsafe(over.set))
        ready.set()
        await over.wait()
        server.stop()
        await server.close_all_connections()

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="fake-assemblyai")
    thread.start()
    ready.wait()
    try:
        yield cloud
    finally:
        ends[0]()
        thread.join()


def _application(cloud: Cloud, over: asyncio.Event) -> Application:
    fields = {"cloud": cloud, "over": over}
    return Application(
        [
            (r"/v2/upload", _Upload, fields),
            (r"/v2/transcript", _Transcripts, fields),
            (r"/v2/transcript/([\w-]+)", _Transcript, fields),
        ],
        log_function=lambda _: None,
    )


class _Met(Exception):
    """A fault has taken over the answer."""


class _Base(RequestHandler):
    def initialize(self, cloud: Cloud, over: asyncio.Event) -> None:
        self.cloud = cloud
        self.over = over
        self.fault: Fault | None = None

    async def begin(self, endpoint: str) -> None:
        """Write down what came, and let a fault strike that strikes at once."""
        cloud = self.cloud
        with cloud.news:
            cloud.requests.append((self.request.method or "", self.request.path))
            cloud.headers.append(dict(self.request.headers))
            self.fault = cloud.fault(endpoint)
            cloud.news.notify_all()
        if self.request.headers.get("Authorization") != KEY:
            self.say(401, "Error", {"error": "Authentication error, API token missing/invalid"})
            raise _Met
        if self.fault is not None and not self.fault.acted:
            await self.strike(self.fault)

    async def strike(self, fault: Fault) -> None:
        if fault.kind == "status":
            if fault.retry_after is not None:
                self.set_header("Retry-After", fault.retry_after)
            if 300 <= fault.status < 400:
                self.set_header("Location", f"{self.cloud.url}/elsewhere")
            self.say(fault.status, "Error", {"error": fault.error})
        elif fault.kind == "text":
            self.finish("<html>Please log in to this network</html>")
        elif fault.kind == "late":
            while not self.cloud.late and not self.over.is_set():
                await asyncio.sleep(0.005)
            return
        elif fault.kind == "trickle":
            self.set_header("Content-Length", "100000")
            await self._slowly(lambda: self.flush_byte(b" "))
        else:
            stream = self.detach()
            if fault.kind == "hang":
                await self.over.wait()
            elif fault.kind == "drip":
                await stream.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                await self._slowly(lambda: stream.write(b"z"))
            stream.close()
        raise _Met

    async def flush_byte(self, byte: bytes) -> None:
        self.write(byte)
        await self.flush()

    async def _slowly(self, one: Callable[[], Any]) -> None:
        try:
            while not self.over.is_set():
                await one()
                await asyncio.sleep(0.01)
        except StreamClosedError:
            pass

    async def answer(self, schema: str, value: dict[str, Any]) -> None:
        """Answer, unless a fault strikes after the deed."""
        if self.fault is not None and self.fault.acted:
            await self.strike(self.fault)
        self.say(200, schema, value)

    def say(self, status: int, schema: str, value: dict[str, Any]) -> None:
        is_known = value.get("status") in (None, "queued", "processing", "completed", "error")
        if is_known:
            self.note(self.cloud.contract.faults(schema, value))
        self.set_status(status)
        self.finish(value)

    def note(self, faults: list[str]) -> None:
        with self.cloud.news:
            self.cloud.violations.extend(faults)

    def write_error(self, status_code: int, **more: Any) -> None:
        if more.get("exc_info", (None,))[0] is _Met:
            return
        super().write_error(status_code, **more)

    def log_exception(self, kind: Any, error: Any, trace: Any) -> None:
        if kind is not _Met:
            self.note([f"the fake itself failed: {error!r}"])


def _struck(work: Callable[..., Any]) -> Callable[..., Any]:
    """A fault may end a handler anywhere."""

    async def guarded(self: _Base, *arguments: str) -> None:
        with suppress(_Met):
            await work(self, *arguments)

    return guarded


@stream_request_body
class _Upload(_Base):
    chunks: list[bytes]

    async def prepare(self) -> None:
        self.chunks = []
        self.met = False
        try:
            await self.begin("upload")
        except _Met:
            self.met = True

    def data_received(self, chunk: bytes) -> None:
        self.chunks.append(chunk)

    @_struck
    async def post(self) -> None:
        if self.met:
            return
        body = b"".join(self.chunks)
        upload = Upload(f"{self.cloud.url}/upload/{uuid.uuid4()}", body)
        with self.cloud.news:
            self.cloud.uploads.append(upload)
            self.cloud.news.notify_all()
        await self.answer("UploadedFile", {"upload_url": upload.url})


class _Transcripts(_Base):
    @_struck
    async def post(self) -> None:
        await self.begin("submit")
        cloud, requested = self.cloud, json.loads(self.request.body)
        wrong = cloud.contract.faults("TranscriptParams", requested)
        if wrong or not requested["speech_models"]:
            self.note(wrong)
            self.say(400, "Error", {"error": "; ".join(wrong) or "speech_models is empty"})
            return
        held = Held(str(uuid.uuid4()), requested, requested["audio_url"])
        with cloud.news:
            cloud.submissions.append(held)
            cloud.news.notify_all()
        await self.answer("Transcript", cloud.transcript(held))

    @_struck
    async def get(self) -> None:
        await self.begin("list")
        limit = int(self.get_query_argument("limit", "10"))
        if not 1 <= limit <= 200:
            self.note([f"limit={limit}"])
        before = self.get_query_argument("before_id", None)
        with self.cloud.news:
            self.cloud.listings += 1
        await self.answer("TranscriptList", self.cloud.listing(limit, before))


class _Transcript(_Base):
    @_struck
    async def get(self, transcript_id: str) -> None:
        await self.begin("look")
        cloud = self.cloud
        with cloud.news:
            held = cloud.named(transcript_id)
            cloud.polls.append(transcript_id)
            message = None if held is None else cloud.transcript(held)
            if held is not None:
                held.looks += 1
            cloud.news.notify_all()
        if message is None:
            self.say(404, "Error", {"error": "Transcript not found"})
        else:
            await self.answer("Transcript", message)

    @_struck
    async def delete(self, transcript_id: str) -> None:
        await self.begin("delete")
        cloud = self.cloud
        with cloud.news:
            held = cloud.named(transcript_id)
            cloud.deletes.append((transcript_id, time.monotonic()))
            if held is not None:
                held.deleted, held.audio_url = True, "http://deleted_by_user"
            cloud.news.notify_all()
        if held is None:
            self.say(404, "Error", {"error": "Transcript not found"})
        else:
            await self.answer("Transcript", cloud.transcript(held))
