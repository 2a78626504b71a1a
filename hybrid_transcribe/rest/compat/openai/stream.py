"""``stream=true``: the text as it becomes final, as server-sent events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from typing import Any

import msgspec
from tornado.iostream import StreamClosedError

from hybrid_transcribe.errors import HybridTranscribeError, ServiceClosed, UnknownJob
from hybrid_transcribe.events import Event, JobDeleted, RecordingChanged, Resync, SegmentAdded
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.compat.openai.base_handler import error_body
from hybrid_transcribe.rest.compat.openai.diarized import DiarizedSegment, diarized_segments
from hybrid_transcribe.service_protocol import EventListener, HostedService
from hybrid_transcribe.types import Segment, Transcript

#: A sign of life for proxies and clients that give up on a silent connection, in seconds.
HEARTBEAT_S = 15.0

# A comment, which readers of events skip.
_HEARTBEAT = b": hb\n"


async def stream(handler: BaseHandler, job_id: str, *, speakers: bool = False) -> None:
    """Answer with a job's text piece by piece, then whole. Returns when the client is served.

    With ``speakers`` its segments come before the whole, with who speaks: that is not known
    before the end.
    What goes wrong after the first byte is told as an event: the status has been sent.
    """
    handler.set_header("Content-Type", "text/event-stream; charset=utf-8")
    handler.set_header("Cache-Control", "no-store")
    handler.set_header("X-Accel-Buffering", "no")
    try:
        await handler.flush()
        async with aclosing(_messages(handler, job_id, speakers)) as messages:
            async for message in messages:
                handler.write(message)
                await handler.flush()
    except StreamClosedError:
        # The client has hung up, which its door knows.
        return
    except HybridTranscribeError as error:
        handler.write(_event(error_body(error)))
    handler.finish()


async def _messages(
    handler: BaseHandler, job_id: str, speakers: bool
) -> AsyncGenerator[bytes, None]:
    """What to send, with signs of life between."""
    deltas = _deltas(handler, job_id, speakers)
    waiting: asyncio.Task[Any] | None = None
    try:
        while True:
            waiting = waiting or asyncio.ensure_future(anext(deltas, None))
            done, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT_S)
            if not done:
                yield _HEARTBEAT
                continue
            message, waiting = waiting.result(), None
            if message is None:
                return
            yield _event(message)
    finally:
        # The client may have hung up in the middle.
        if waiting is not None:
            waiting.cancel()
            await asyncio.wait({waiting})
        await deltas.aclose()


async def _deltas(
    handler: BaseHandler, job_id: str, speakers: bool
) -> AsyncGenerator[dict[str, Any] | DiarizedSegment, None]:
    """Pieces of the text, and the whole of it. Raises why there is none."""
    listening, sent = await handler.ask(lambda service: _listen(service, job_id)), _Sent()
    try:
        async for segments, ended in _news(handler, job_id, listening):
            for message in sent.new_of(segments):
                yield message
            if ended:
                break
        else:
            raise ServiceClosed(UserMessage("service_closed"))
    finally:
        listening.close()
    final = await handler.ask(lambda service: _final(service, job_id))
    for segment in diarized_segments(final) if speakers else ():
        yield segment
    yield {"type": "transcript.text.done", "text": final.text}


#: Segments with the place of the first; whether no more come.
_News = tuple[int, tuple[Segment, ...]]


async def _news(
    handler: BaseHandler, job_id: str, listening: EventListener
) -> AsyncGenerator[tuple[_News, bool], None]:
    """What is there, then what comes."""
    yield await handler.ask(lambda service: _so_far(service, job_id))
    async for event in listening:
        if isinstance(event, Resync):
            yield await handler.ask(lambda service: _so_far(service, job_id))
        elif event.job_id == job_id:
            yield _news_of(event), _is_end(event)


class _Sent:
    """What the client has, so that every segment is sent once and in order."""

    def __init__(self) -> None:
        self._n = 0
        self._empty = True

    def new_of(self, news: _News) -> Iterator[dict[str, Any]]:
        """Those that the client has not, but for those without text."""
        first, segments = news
        for index, segment in enumerate(segments, first):
            if index >= self._n:
                self._n = index + 1
                yield from self._pieces(segment.text.strip())

    def _pieces(self, text: str) -> Iterator[dict[str, Any]]:
        if text:
            # All pieces together are exactly the text at the end.
            delta = text if self._empty else f" {text}"
            self._empty = False
            yield {"type": "transcript.text.delta", "delta": delta}


def _listen(service: HostedService, job_id: str) -> EventListener:
    return service.subscribe(session_ids=(service.snapshot(job_id).session_id,))


def _so_far(service: HostedService, job_id: str) -> tuple[_News, bool]:
    (recording,) = service.snapshot(job_id).recordings
    result = service.transcript(job_id, recording.recording_id, partial=True)
    return (0, result.segments), recording.state.terminal


def _final(service: HostedService, job_id: str) -> Transcript:
    (recording,) = service.snapshot(job_id).recordings
    return service.transcript(job_id, recording.recording_id)


def _news_of(event: Event) -> _News:
    if isinstance(event, SegmentAdded) and event.segment is not None:
        return event.index, (event.segment,)
    return 0, ()


def _is_end(event: Event) -> bool:
    """Raises UnknownJob where it was erased."""
    if isinstance(event, JobDeleted):
        raise UnknownJob(UserMessage("job_deleted", id=event.job_id))
    recording = event.recording if isinstance(event, RecordingChanged) else None
    return recording is not None and recording.state.terminal


def _event(message: Any) -> bytes:
    return b"data: " + msgspec.json.encode(message) + b"\n\n"
