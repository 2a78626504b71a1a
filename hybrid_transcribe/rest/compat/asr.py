"""What clients of whisper-asr-webservice call: ``/asr`` and ``/detect-language``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import msgspec

from hybrid_transcribe.core.languages import english_name
from hybrid_transcribe.core.names import file_stem
from hybrid_transcribe.errors import InvalidRequest, ServiceClosed, UnknownFormat
from hybrid_transcribe.jobs.bus import Subscription
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.option_text import parse
from hybrid_transcribe.jobs.request import engine_class
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.compat import pcm, whisper
from hybrid_transcribe.rest.compat.synchronous import Synchronous
from hybrid_transcribe.rest.results import disposition
from hybrid_transcribe.types import Recording, State, Transcript

#: Formats of ``output``; the first is the default.
OUTPUTS = ("txt", "vtt", "srt", "tsv", "json")

_OPTIONS = ("task", "language", "initial_prompt", "word_timestamps", "vad_filter", "diarize")


class _Whisper(Synchronous):
    """What both calls of whisper-asr-webservice have in common."""

    file_field = "audio_file"

    def _encoded(self) -> bool:
        """False where the client says that it sends bare samples. Raises InvalidRequest."""
        text = self.get_query_argument("encode", "").strip().lower()
        if text not in ("", "true", "false", "1", "0", "yes", "no"):
            raise InvalidRequest("encode must be true or false")
        return text not in ("false", "0", "no")


class Asr(_Whisper):
    """``POST /asr``: a transcript as a file."""

    async def post(self) -> None:
        """Answer when it is complete. What comes with ``encode=false`` may be bare samples."""
        received = await self.received()
        try:
            output, options = self._output(), self._run_spec()
            if not self._encoded():
                received = await pcm.with_headers(received)
        except BaseException:
            received.discard()
            raise
        transcript = await self.ended(await self.attend(received, options))
        body, media_type = _file(transcript, output)
        self.set_header("Content-Type", media_type)
        name = f"{file_stem(transcript.name)}.{output}"
        self.set_header("Content-Disposition", disposition(name))
        self.set_header("Asr-Engine", transcript.engine)
        self.set_header("Cache-Control", "no-store")
        self.finish(body)

    def _output(self) -> str:
        output = self.get_query_argument("output", OUTPUTS[0]) or OUTPUTS[0]
        if output not in OUTPUTS:
            raise UnknownFormat(output, OUTPUTS)
        return output

    def _run_spec(self) -> dict[str, Any]:
        fields = {name: self.get_query_argument(name, "") for name in _OPTIONS}
        return {name: parse(name, text) for name, text in fields.items() if text.strip()}


class DetectLanguage(_Whisper):
    """``POST /detect-language``: the language that is spoken first."""

    async def post(self) -> None:
        """Answer as soon as the engine has told, and stop there."""
        received = await self.received()
        try:
            if not self._encoded():
                received = await pcm.with_headers(received)
            options = self._run_spec()
        except BaseException:
            received.discard()
            raise
        job_id = await self.attend(received, options)
        recording = await self._await_transcript(job_id)
        await self.ask(lambda room: room.cancel(job_id))
        code = recording.language
        # An engine for one language needs no look to be sure.
        sure = recording.language_probability
        self.reply(
            {
                "detected_language": english_name(code),
                "language_code": code or "",
                "confidence": (1.0 if code else 0.0) if sure is None else sure,
            },
            HTTPStatus.OK,
        )

    def _run_spec(self) -> dict[str, Any]:
        """Past what is no speech, where the engine can find speech: noise has no language."""
        settings = self.rest.service.settings
        can = engine_class(settings.engine, settings).capabilities
        return {"vad_filter": True} if "vad_filter" in can.options else {}

    async def _await_transcript(self, job_id: str) -> Recording:
        """The recording with its language, or as it ended. Raises why it failed."""
        with await self.ask(lambda room: _listen(room, job_id)) as listening:
            recording = await self.ask(lambda room: _recording(room, job_id))
            while not (recording.language or recording.state.terminal):
                if await anext(aiter(listening), None) is None:
                    raise ServiceClosed(UserMessage("service_closed"))
                recording = await self.ask(lambda room: _recording(room, job_id))
        if recording.state is State.FAILED:
            await self.ended(job_id)
        return recording


def _listen(room: JobManager, job_id: str) -> Subscription:
    return room.subscribe(session_ids=(room.reading.owned(job_id).session_id,))


def _recording(room: JobManager, job_id: str) -> Recording:
    (recording,) = room.reading.recordings(job_id)
    return recording


def _file(transcript: Transcript, output: str) -> tuple[bytes, str]:
    """The transcript and its type."""
    if output == "json":
        return msgspec.json.encode(_result(transcript)), "application/json"
    return WRITERS.make(output).write(transcript).encode(), "text/plain; charset=utf-8"


def _result(transcript: Transcript) -> dict[str, Any]:
    """openai-whisper's result."""
    segments = whisper.segments(transcript)
    words = whisper.words_of(transcript)
    if any(words):
        segments = [{**s, "words": w} for s, w in zip(segments, words, strict=True)]
    # As WhisperX, which the webservice calls for diarize=true: where speakers are known.
    segments = [
        {**message, "speaker": segment.speaker} if segment.speaker is not None else message
        for message, segment in zip(segments, transcript.segments, strict=True)
    ]
    return {
        "text": f" {transcript.text}" if transcript.text else "",
        "segments": segments,
        "language": transcript.language,
    }
