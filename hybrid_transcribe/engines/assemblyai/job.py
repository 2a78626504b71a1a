"""One recording's way through the cloud: upload, note, submit, note, wait, and clean up."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import IO, Any

import msgspec
from assemblyai import types
from assemblyai.api import ENDPOINT_UPLOAD
from assemblyai.prerecorded.v2.api import ENDPOINT_TRANSCRIPT

from hybrid_transcribe.engines.assemblyai.choices import iso_code
from hybrid_transcribe.engines.assemblyai.note import Note
from hybrid_transcribe.engines.assemblyai.pace import Deadline, PollingPace
from hybrid_transcribe.engines.assemblyai.request import AssemblyAIRequest, parsed, plain
from hybrid_transcribe.engines.assemblyai.wire import Gone, OutOfTime, Trouble, Wire
from hybrid_transcribe.engines.assemblyai.words import segments
from hybrid_transcribe.errors import EngineError, EngineFailed, TimedOut
from hybrid_transcribe.interfaces import (
    CheckpointUpdate,
    EngineWarning,
    Heard,
    Language,
    StageUpdate,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Stage

#: Bytes handed to the connection at once: small enough for a percentage that moves.
_CHUNK = 256 * 1024

#: The listing of transcripts: entries of a page (the most there can be), and pages looked at.
_PAGE, _MOST_PAGES = 200, 10

#: What the service puts in place of the audio's address when a transcript was deleted.
_DELETED = "http://deleted_by_user"

#: How the service puts it that nobody speaks, when it was to detect the language.
_NOBODY = "no spoken audio"


@dataclass(slots=True)
class UploadedAudio:
    """A recording as FLAC, and the note that an earlier attempt left. Times in seconds."""

    file: IO[bytes]
    size: int
    duration_s: float
    note: str | None


class CloudJob:
    """Runs on the event loop of its wire.

    ``say`` passes on what was heard; ``noted`` waits until a note is journalled. `run` may be
    canceled at any moment; `let_go` then leaves nothing behind, if it can.
    """

    def __init__(
        self,
        wire: Wire,
        request: AssemblyAIRequest,
        upload: UploadedAudio,
        base_url: str,
        pace: PollingPace,
        deadline: Deadline,
        say: Callable[[Heard], None],
        noted: Callable[[CheckpointUpdate], Awaitable[None]],
    ) -> None:
        self._wire = wire
        self._request = request
        self._upload = upload
        self._base_url = base_url
        self._pace = pace
        self._deadline = deadline
        self._say = say
        self._noted = noted
        self._note: Note | None = None
        self._posting: asyncio.Task[dict[str, Any]] | None = None
        #: The service may have a transcript that we have no id of.
        self._maybe_submitted = False
        #: The transcript was there when last looked at, or has just been made.
        self._there = False
        #: What it was when last looked at.
        self._status = ""

    async def run(self) -> None:
        """Say everything about the recording. Raises EngineError."""
        try:
            await self._take_up(self._upload.note)
            try:
                answer = await self._transcript()
            except Gone:
                if self._there:
                    raise
                # Deleted since the attempt that noted it.
                self._note = None
                answer = await self._transcript()
        except Gone:
            raise EngineFailed(UserMessage("aai_gone", id=self._id)) from None
        except OutOfTime as over:
            raise TimedOut(self._too_long(over.args[0] if over.args else "")) from None
        if answer is not None:
            self._tell(answer)

    # ------------------------------------------------------------------ what came before

    async def _take_up(self, text: str | None) -> None:
        """Go on from an earlier attempt's note, where it is about the same request."""
        note = Note.read(text)
        if note is None:
            return
        if note.base_url != self._base_url:
            if note.transcript_id:
                self._say(
                    EngineWarning(
                        UserMessage("aai_stays", id=note.transcript_id, address=note.base_url)
                    )
                )
        elif note.failed or note.request != self._request.digest:
            await self._discard(note)
        else:
            self._note = note
            self._maybe_submitted = note.transcript_id is None

    async def _discard(self, note: Note) -> None:
        if note.transcript_id is None:
            return
        # Most of the recording's own time is for its text.
        within_s = min(self._pace.discarding_s, max(0.0, self._deadline.left_s()) / 2)
        deadline = Deadline(within_s, self._pace.now)
        try:
            await delete(self._wire, note.transcript_id, self._pace, deadline)
        except EngineFailed as refused:
            self._say(
                EngineWarning(UserMessage("aai_stays_refused", id=note.transcript_id, why=refused))
            )
        except OutOfTime as over:
            # The next note takes the place of this one, so nobody deletes it later.
            self._say(EngineWarning(UserMessage("aai_may_stay", id=note.transcript_id, why=over)))

    # ---------------------------------------------------------------------- three steps

    async def _transcript(self) -> dict[str, Any] | None:
        """The finished transcript; None when nobody speaks."""
        if self._note is None:
            await self._send()
        if self._id is None:
            await self._submit()
        return await self._await_text()

    async def _send(self) -> None:
        # Before there is a connection: that may take its time.
        self._say(StageUpdate(Stage.UPLOADING_TO_CLOUD, 0.0))
        answer = await self._wire.patiently(self._send_once, self._deadline)
        self._maybe_submitted = False
        await self._remember(
            Note(self._base_url, self._request.digest, _text(answer, "upload_url"))
        )

    async def _send_once(self) -> dict[str, Any]:
        # Nothing is billed for an upload, so it may be repeated freely.
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(self._upload.size),
        }
        answer = await self._wire.ask(
            "POST",
            ENDPOINT_UPLOAD,
            max(0.0, self._deadline.left_s()),
            content=self._chunks(),
            headers=headers,
        )
        _text(answer, "upload_url")
        return answer

    async def _chunks(self) -> AsyncIterator[bytes]:
        self._say(StageUpdate(Stage.UPLOADING_TO_CLOUD, 0.0))
        self._upload.file.seek(0)
        sent, message = 0, 0
        while chunk := self._upload.file.read(_CHUNK):
            yield chunk
            # Asked for more: the connection has taken the last one.
            sent += len(chunk)
            percentage = math.floor(100 * sent / self._upload.size)
            if percentage > message:
                message = percentage
                self._say(StageUpdate(Stage.UPLOADING_TO_CLOUD, float(percentage)))

    async def _submit(self) -> None:
        self._say(StageUpdate(Stage.WAITING_FOR_CLOUD))
        result = await self._wire.patiently(self._submit_once, self._deadline)
        self._there = True
        await self._remember(msgspec.structs.replace(self._noted_so_far, transcript_id=result))

    async def _submit_once(self) -> str:
        """The id of the new transcript, or of one whose answer was lost: it is billed already."""
        if self._maybe_submitted:
            result = await self._find(self._within_s)
            if result is not None:
                return result
        self._maybe_submitted = True
        body = self._request.body(self._noted_so_far.upload_url)
        self._posting = asyncio.ensure_future(
            self._wire.ask("POST", ENDPOINT_TRANSCRIPT, self._within_s, json=body)
        )
        # Not awaited itself: a cancel must not end it before its id is known.
        await asyncio.wait({self._posting})
        return self._created(self._posting)

    def _created(self, posting: asyncio.Task[dict[str, Any]]) -> str:
        """The id in the answer to a submission, which otherwise may or may not have worked."""
        try:
            return _text(posting.result(), "id")
        except Trouble as trouble:
            self._maybe_submitted = not trouble.unsent
            raise
        except (EngineError, Gone):
            self._maybe_submitted = False
            raise

    async def _await_text(self) -> dict[str, Any] | None:
        self._say(StageUpdate(Stage.WAITING_FOR_CLOUD))
        looks = 0
        if self._there:
            await self._rest(looks)
        while True:
            answer = await self._wire.patiently(self._look, self._deadline)
            if answer.get("audio_url") == _DELETED:
                raise Gone("deleted")
            self._there = True
            self._upload.file.close()
            status = answer.get("status")
            if status == "completed":
                return answer
            if status == "error":
                await self._broke(str(answer.get("error") or "") or UserMessage("aai_no_reason"))
                return None
            # Also one that we have never heard of.
            self._status = str(status)
            looks += 1
            await self._rest(looks)

    async def _look(self) -> dict[str, Any]:
        return await self._wire.ask("GET", f"{ENDPOINT_TRANSCRIPT}/{self._id}", self._within_s)

    async def _rest(self, looks: int) -> None:
        wait_s = min(self._pace.poll_wait_s(looks), max(0.0, self._deadline.left_s()))
        await asyncio.sleep(wait_s)
        if self._deadline.left_s() <= 0:
            raise OutOfTime

    async def _broke(self, said: str) -> None:
        if _NOBODY in said:
            self._say(EngineWarning(UserMessage("nobody_speaks")))
            return
        await self._remember(msgspec.structs.replace(self._noted_so_far, failed=True))
        raise EngineFailed(UserMessage("aai_broke", why=said))

    # -------------------------------------------------------------------------- telling

    def _tell(self, answer: dict[str, Any]) -> None:
        try:
            transcript = parsed(types.TranscriptResponse, answer)
        except ValueError as error:
            text = UserMessage("aai_no_transcript", id=self._id, kind=type(error).__name__)
            raise EngineFailed(text) from None
        used = transcript.speech_model_used
        if used and used != self._request.model:
            self._say(
                EngineWarning(UserMessage("aai_model", model=used, requested=self._request.model))
            )
        if self._request.detects and transcript.language_code and (transcript.text or "").strip():
            code = getattr(transcript.language_code, "value", transcript.language_code)
            self._say(Language(iso_code(code), transcript.language_confidence))
        for segment in segments(transcript, self._upload.duration_s, self._request.words):
            self._say(segment)

    def _too_long(self, last: str) -> str:
        why = UserMessage("aai_still", status=self._status) if self._status else ""
        if why and last:
            why = UserMessage("with_remedy", why=why, remedy=last)
        seconds, why = self._deadline.limit_s - self._deadline.left_s(), why or last
        spent = UserMessage("spent", seconds=seconds)
        if why:
            spent = UserMessage("spent_why", seconds=seconds, why=why)
        if self._id is None:
            return UserMessage("aai_not_taken", spent=spent)
        return UserMessage("aai_no_text", spent=spent, id=self._id)

    # --------------------------------------------------------------------------- cancel

    async def let_go(self) -> None:
        """After a cancel: delete what the cloud has, and take the note back when that is sure.

        Bounded by the `PollingPace`. A note that stays has the transcript deleted later.
        """
        result = self._id or await self._submitted_after_all()
        if result is not None:
            try:
                await asyncio.wait_for(
                    delete(
                        self._wire,
                        result,
                        self._pace,
                        Deadline(self._pace.deleting_s, self._pace.now),
                    ),
                    self._pace.deleting_s,
                )
            except (asyncio.TimeoutError, EngineError, OutOfTime):
                note = msgspec.structs.replace(self._noted_so_far, transcript_id=result)
                self._say(CheckpointUpdate(note.text))
                return
            self._say(CheckpointUpdate(""))
        elif self._note is not None and not self._maybe_submitted:
            self._say(CheckpointUpdate(""))

    async def _submitted_after_all(self) -> str | None:
        """The id that the request under way brings, or that the listing has."""
        if self._posting is not None:
            done, _ = await asyncio.wait({self._posting}, timeout=self._pace.submitting_s)
            self._posting.cancel()
            with suppress(Trouble, Gone, EngineError):
                if done:
                    return self._created(self._posting)
        if self._note is not None and self._maybe_submitted:
            with suppress(Trouble, Gone, EngineError):
                return await self._find(self._pace.finding_s)
        return None

    async def _find(self, within_s: float) -> str | None:
        return await find(
            self._wire, self._noted_so_far.upload_url, Deadline(within_s, self._pace.now)
        )

    # ------------------------------------------------------------------------- the note

    @property
    def _id(self) -> str | None:
        return self._note.transcript_id if self._note else None

    @property
    def _noted_so_far(self) -> Note:
        if self._note is None:
            raise EngineFailed(UserMessage("nothing_uploaded"))
        return self._note

    @property
    def _within_s(self) -> float:
        return max(0.0, min(self._pace.request_s, self._deadline.left_s()))

    async def _remember(self, note: Note) -> None:
        # Known before it is journalled: a cancel in between must find it.
        self._note = note
        await self._noted(CheckpointUpdate(note.text))


async def find(wire: Wire, upload_url: str, deadline: Deadline) -> str | None:
    """The id of the newest transcript of that upload. Raises Trouble and EngineError."""
    before: str | None = None
    for _ in range(_MOST_PAGES):
        parameters = types.ListTranscriptParameters(limit=_PAGE, before_id=before)
        answer = await wire.ask(
            "GET", ENDPOINT_TRANSCRIPT, max(0.0, deadline.left_s()), params=plain(parameters)
        )
        try:
            before = parsed(types.PageDetails, answer["page_details"]).before_id_of_prev_url
            # Not through the SDK's type: it knows no status but today's.
            listed = [(str(item["audio_url"]), str(item["id"])) for item in answer["transcripts"]]
        except (KeyError, TypeError, ValueError):
            raise Trouble(UserMessage("aai_no_list")) from None
        # Newest first.
        for url, transcript_id in listed:
            if url == upload_url:
                return transcript_id
        if before is None:
            break
    return None


async def delete(wire: Wire, transcript_id: str, pace: PollingPace, deadline: Deadline) -> None:
    """Have a transcript deleted. Raises OutOfTime and EngineError."""
    path = f"{ENDPOINT_TRANSCRIPT}/{transcript_id}"

    def within_s() -> float:
        return max(0.0, min(pace.request_s, deadline.left_s()))

    async def once() -> None:
        try:
            await wire.ask("DELETE", path, within_s())
        except EngineFailed:
            # Refused, which may be because it is done already.
            if (await wire.ask("GET", path, within_s())).get("audio_url") != _DELETED:
                raise

    with suppress(Gone):
        await wire.patiently(once, deadline)


def _text(answer: dict[str, Any], name: str) -> str:
    result = answer.get(name)
    if not isinstance(result, str) or not result:
        raise Trouble(UserMessage("aai_lacks", name=name))
    return result
