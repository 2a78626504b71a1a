"""What clients of whisper-asr-webservice call: ``/asr`` and ``/detect-language``."""

from __future__ import annotations

import asyncio
import shutil
import struct
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import msgspec

from hybrid_transcribe.core import names
from hybrid_transcribe.core.languages import english_name
from hybrid_transcribe.core.names import file_stem
from hybrid_transcribe.errors import ServiceClosed, UnknownFormat
from hybrid_transcribe.jobs.option_text import parse
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.rest.compat import whisper
from hybrid_transcribe.rest.compat.synchronous import JOB_HEADER, WAITED_ERRORS, Synchronous
from hybrid_transcribe.rest.openapi.operation import (
    FORM,
    JSON,
    SESSIONS,
    answer,
    body,
    operation,
)
from hybrid_transcribe.rest.openapi.options import FILE, object_of, option_parameters
from hybrid_transcribe.rest.openapi.schemas import TEXT, ref
from hybrid_transcribe.rest.results import disposition
from hybrid_transcribe.service_protocol import EventListener, HostedService
from hybrid_transcribe.types import Recording, State, Transcript
from hybrid_transcribe.uploads.received import Received, ReceivedFile

#: Formats of ``output``; the first is the default.
OUTPUTS = ("txt", "vtt", "srt", "tsv", "json")

#: Of who speaks; sent by some clients whatever ``diarize`` says.
_SPEAKERS = ("min_speakers", "max_speakers")

_OPTIONS = (
    *("task", "language", "initial_prompt", "word_timestamps", "vad_filter", "diarize"),
    *_SPEAKERS,
)


class AsrResult(msgspec.Struct, frozen=True, kw_only=True):
    """openai-whisper's result."""

    text: str
    segments: tuple[whisper.WhisperSegment, ...]
    language: str | None


class DetectedLanguage(msgspec.Struct, frozen=True, kw_only=True):
    """The language by its English name and its code, and how sure that is."""

    detected_language: str | None
    language_code: str
    confidence: Annotated[float, msgspec.Meta(ge=0, le=1)]


class _Whisper(Synchronous):
    """What both calls of whisper-asr-webservice have in common."""

    group = "whisper-asr-webservice"

    file_field = "audio_file"


class EncodeQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How the recording comes.

    Attributes:
        encode: false may bring bare samples; a recording is always decoded.
    """

    encode: bool = True


class AsrQuery(EncodeQuery, frozen=True, kw_only=True):
    """What comes back.

    Attributes:
        output: the form of the answer.
    """

    output: Annotated[str, msgspec.Meta(extra_json_schema={"enum": list(OUTPUTS)})] = OUTPUTS[0]


_RECORDING = body(
    "One recording.",
    {FORM: object_of({"audio_file": {**FILE, "description": "One recording."}}, "audio_file")},
)


class Asr(_Whisper):
    """``POST /asr``: a transcript as a file."""

    paths = ("/asr",)

    @operation(
        "asr",
        "Transcribe, as clients of whisper-asr-webservice ask for it",
        about="It waits for the end of the job.",
        query=AsrQuery,
        parameters=(*option_parameters(*_OPTIONS), *SESSIONS),
        body=_RECORDING,
        answers={
            200: answer(
                "The text, in the form asked for.",
                {"text/plain": TEXT, JSON: ref(AsrResult)},
                {**JOB_HEADER, "Asr-Engine": "The engine.", "Content-Disposition": "Its name."},
            )
        },
        errors=(*WAITED_ERRORS, UnknownFormat),
    )
    async def post(self) -> None:
        """Answer when it is complete. What comes with ``encode=false`` may be bare samples."""
        received = await self.received()
        try:
            query, options = self.query(AsrQuery), self._run_spec()
            output = query.output
            if output not in OUTPUTS:
                raise UnknownFormat(output, OUTPUTS)
            if not query.encode:
                received = await with_headers(received)
        except BaseException:
            received.discard()
            raise
        transcript = await self.ended(await self.attend(received, options))
        payload, media_type = _file(transcript, output)
        self.set_header("Content-Type", media_type)
        name = f"{file_stem(transcript.name)}.{output}"
        self.set_header("Content-Disposition", disposition(name))
        self.set_header("Asr-Engine", transcript.engine)
        self.set_header("Cache-Control", "no-store")
        self.finish(payload)

    def _run_spec(self) -> dict[str, Any]:
        fields = {name: self.get_query_argument(name, "") for name in _OPTIONS}
        options = {name: parse(name, text) for name, text in fields.items() if text.strip()}
        if options.get("diarize"):
            return options
        return {name: value for name, value in options.items() if name not in _SPEAKERS}


class DetectLanguage(_Whisper):
    """``POST /detect-language``: the language that is spoken first."""

    paths = ("/detect-language",)

    @operation(
        "detect_language",
        "Which language is spoken at the beginning?",
        about="",
        query=EncodeQuery,
        parameters=SESSIONS,
        body=_RECORDING,
        answers={200: answer("The language.", DetectedLanguage, JOB_HEADER)},
        errors=WAITED_ERRORS,
    )
    async def post(self) -> None:
        """Answer as soon as the engine has told, and stop there."""
        received = await self.received()
        try:
            if not self.query(EncodeQuery).encode:
                received = await with_headers(received)
            options = await self._run_spec()
        except BaseException:
            received.discard()
            raise
        job_id = await self.attend(received, options)
        recording = await self._await_transcript(job_id)
        await self.ask(lambda service: service.cancel(job_id))
        code = recording.language
        # An engine for one language needs no look to be sure.
        sure = recording.language_probability
        self.reply(
            DetectedLanguage(
                detected_language=english_name(code),
                language_code=code or "",
                confidence=(1.0 if code else 0.0) if sure is None else sure,
            )
        )

    async def _run_spec(self) -> dict[str, Any]:
        """Past what is no speech, where the engine can find speech: noise has no language."""
        default = (await self.ask_at_length(lambda service: service.engines()))[0]
        return {"vad_filter": True} if "vad_filter" in default.options else {}

    async def _await_transcript(self, job_id: str) -> Recording:
        """The recording with its language, or as it ended. Raises why it failed."""
        with await self.ask(lambda service: _listen(service, job_id)) as listening:
            recording = await self.ask(lambda service: _recording(service, job_id))
            while not (recording.language or recording.state.terminal):
                if await anext(aiter(listening), None) is None:
                    raise ServiceClosed(UserMessage("service_closed"))
                recording = await self.ask(lambda service: _recording(service, job_id))
        if recording.state is State.FAILED:
            await self.ended(job_id)
        return recording


def _listen(service: HostedService, job_id: str) -> EventListener:
    return service.subscribe(session_ids=(service.snapshot(job_id).session_id,))


def _recording(service: HostedService, job_id: str) -> Recording:
    (recording,) = service.snapshot(job_id).recordings
    return recording


def _file(transcript: Transcript, output: str) -> tuple[bytes, str]:
    """The transcript and its type."""
    if output == "json":
        return msgspec.json.encode(_result(transcript)), "application/json"
    return WRITERS.make(output).write(transcript).encode(), "text/plain; charset=utf-8"


def _result(transcript: Transcript) -> AsrResult:
    words = whisper.words_of(transcript)
    segments = whisper.segments(transcript)
    if any(words):
        segments = tuple(map(_with_words, segments, words))
    # As WhisperX, which the webservice calls for diarize=true: where speakers are known.
    labels = {speaker.id: speaker.label for speaker in transcript.speakers}
    speakers = (labels.get(segment.speaker or "") for segment in transcript.segments)
    return AsrResult(
        text=f" {transcript.text}" if transcript.text else "",
        segments=tuple(
            _with_speaker(segment, speaker) if speaker else segment
            for segment, speaker in zip(segments, speakers, strict=True)
        ),
        language=transcript.language,
    )


def _with_speaker(segment: whisper.WhisperSegment, speaker: str) -> whisper.WhisperSegment:
    words = segment.words
    if words is not msgspec.UNSET:
        words = tuple(msgspec.structs.replace(word, speaker=speaker) for word in words)
    return msgspec.structs.replace(segment, speaker=speaker, words=words)


def _with_words(
    segment: whisper.WhisperSegment, words: tuple[whisper.WhisperWord, ...]
) -> whisper.WhisperSegment:
    return msgspec.structs.replace(segment, words=words)


#: Of bare samples, as Bazarr and other clients send with ``encode=false``: whisper-asr-webservice
#: reads them as signed 16 bits, little endian, 16 kHz, one channel. Nothing in them says so.
SAMPLE_RATE_HZ, N_CHANNELS, SAMPLE_BYTES = 16_000, 1, 2

#: How files begin that say themselves what they are: clients send those with ``encode=false``, too.
_MAGIC = (
    b"RIFF",
    b"RF64",
    b"fLaC",
    b"OggS",
    b"ID3",
    b"\x1a\x45\xdf\xa3",
    b"FORM",
    b".snd",
    b"caff",
)
_FTYP = slice(4, 8)

#: Most bytes that a header can name, beside those of its own.
_LONGEST = 0xFFFF_FFFF - 36

_BLOCK_BYTES = 1024 * 1024


async def with_headers(received: Received) -> Received:
    """The same files, those of bare samples as WAV. Raises OSError; the files are gone then."""
    loop = asyncio.get_running_loop()
    uploads = []
    for upload in received.uploads:
        uploads.append(await loop.run_in_executor(None, _with_header, upload))
    return replace(received, uploads=tuple(uploads))


def _with_header(upload: ReceivedFile) -> ReceivedFile:
    with upload.path.open("rb") as file:
        start = file.read(12)
    if not start or start.startswith(_MAGIC) or start[_FTYP] == b"ftyp":
        return upload
    path = upload.path.with_name(f"{names.new_id()}.wav")
    try:
        _write_wav(upload.path, path, upload.size_bytes)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    upload.path.unlink(missing_ok=True)
    return replace(upload, path=path, size_bytes=path.stat().st_size)


def _write_wav(samples: Path, path: Path, n_bytes: int) -> None:
    with samples.open("rb") as source, path.open("xb") as out:
        path.chmod(0o600)
        out.write(_wav_header(n_bytes))
        shutil.copyfileobj(source, out, _BLOCK_BYTES)


def _wav_header(n_bytes: int) -> bytes:
    """RIFF, the chunk "fmt " (1 is PCM) and the beginning of "data"."""
    frame_bytes = N_CHANNELS * SAMPLE_BYTES
    size = min(n_bytes - n_bytes % frame_bytes, _LONGEST)
    rate = (SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * frame_bytes, frame_bytes, 8 * SAMPLE_BYTES)
    form = struct.pack("<4sLHHLLHH", b"fmt ", 16, 1, N_CHANNELS, *rate)
    return (
        struct.pack("<4sL4s", b"RIFF", size + 36, b"WAVE")
        + form
        + struct.pack("<4sL", b"data", size)
    )
