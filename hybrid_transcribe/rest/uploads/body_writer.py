"""A body on its way from the event loop to a thread that parses and writes it.

A disk may take seconds for what is no work for a processor: where it lies on another machine,
or where the system's memory for writes is full. No other request waits for it, only the sender
of this body: while one batch is written the next one is read, and then no more.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from hybrid_transcribe.core.clock import Clock, Timer
from hybrid_transcribe.errors import TooLarge, TooSlow
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.uploads.bodies import RequestBody
from hybrid_transcribe.uploads.received import Received, UploadLimits, size

#: What is handed to the thread at once. Tornado gives 64 KiB at a time: 16 of them a hand-over.
BATCH_BYTES = 1024 * 1024

# Threads of their own, which start when they are needed: a disk that hangs holds up uploads only.
WRITERS = ThreadPoolExecutor(8, thread_name_prefix="hybrid-transcribe-upload")


class Discardable(Protocol):
    """What a body leaves on disk."""

    def discard(self) -> None:
        """The body will not be complete."""
        ...


class BodyWriter:
    """One body. All methods but `discard` are called on one event loop."""

    def __init__(self, body: RequestBody, files: Discardable) -> None:
        self._body, self._files = body, files
        self._bytes = 0
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._work: asyncio.Future[None] | None = None
        # Held by the thread that has the body and its files in hand.
        self._lock = threading.Lock()
        self._over = False

    def take(self, chunk: bytes) -> Awaitable[None] | None:
        """Take what came; where something is returned, read on when it is done.

        Either raises what is wrong with the body so far.
        """
        self._bytes += len(chunk)
        check_size(self._body, self._bytes)
        self._waiting.append(chunk)
        self._waiting_bytes += len(chunk)
        return self._hand_over() if self._waiting_bytes >= BATCH_BYTES else None

    async def end(self) -> Received:
        """That was all: the files are the caller's now. Raises what is wrong with the body.

        The files are gone then.
        """
        try:
            await self._hand_over()
            await self._settle()
            return await asyncio.get_running_loop().run_in_executor(WRITERS, self._end)
        except BaseException:
            self.discard()
            raise

    def discard(self) -> None:
        """Nobody wants it: the files go, soon, unless `end` gave them away."""
        self._waiting = []
        WRITERS.submit(self._discard)

    async def _hand_over(self) -> None:
        await self._settle()
        batch, self._waiting, self._waiting_bytes = self._waiting, [], 0
        if batch:
            loop = asyncio.get_running_loop()
            self._work = loop.run_in_executor(WRITERS, self._feed, batch)
            # Where the client has hung up nobody asks any more.
            self._work.add_done_callback(lambda work: work.cancelled() or work.exception())

    async def _settle(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            await work

    def _feed(self, batch: list[bytes]) -> None:
        for chunk in batch:
            with self._lock:
                if self._over:
                    return
                self._body.feed(chunk)

    def _end(self) -> Received:
        with self._lock:
            received = self._body.end()
            self._over = True
            return received

    def _discard(self) -> None:
        with self._lock:
            if not self._over:
                self._over = True
                self._files.discard()


def check_size(body: RequestBody, n_bytes: int) -> None:
    """Raise TooLarge where a body of this kind may not have so many bytes."""
    if n_bytes > body.most_bytes:
        raise TooLarge(
            UserMessage(
                "body_large", size=size(n_bytes), most=size(body.most_bytes), hint=body.too_large
            )
        )


class UploadPace:
    """Watches one body. Time in which we ourselves do not read (`hold`) does not count."""

    def __init__(self, limits: UploadLimits, clock: Clock, slow: Callable[[TooSlow], None]) -> None:
        """``slow`` is called once, on the loop, with what to say."""
        self._limits, self._clock, self._slow = limits, clock, slow
        self._last = self._since = clock.monotonic()
        self._bytes = 0
        self._held: float | None = None
        self._timer: Timer | None = None
        self._wait()

    def came(self, n_bytes: int) -> None:
        """So many bytes came."""
        self._last = self._clock.monotonic()
        self._bytes += n_bytes

    def hold(self) -> None:
        """We do not read for a while."""
        self._held = self._clock.monotonic()
        self._pause()

    def go_on(self) -> None:
        """We read again."""
        if self._held is None:
            return
        away_s = self._clock.monotonic() - self._held
        self._last, self._since, self._held = self._last + away_s, self._since + away_s, None
        self._wait()

    def stop(self) -> None:
        """That was all."""
        self._held = None
        self._pause()

    def _pause(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wait(self) -> None:
        due = min(self._last + self._limits.idle_s, self._since + self._limits.window_s)
        self._timer = self._clock.call_later(max(0.0, due - self._clock.monotonic()), self._look)

    def _look(self) -> None:
        late = self._late(self._clock.monotonic())
        if late:
            self._timer = None
            self._slow(TooSlow(late))
            return
        self._wait()

    def _late(self, now: float) -> str | None:
        limits = self._limits
        if now >= self._last + limits.idle_s:
            return f"No byte of the body came for {limits.idle_s:g} s"
        if now < self._since + limits.window_s:
            return None
        rate, self._since, self._bytes = self._bytes / (now - self._since), now, 0
        if rate >= limits.least_bytes_per_s:
            return None
        return (
            f"The body comes at {rate:.0f} bytes/s; at least {limits.least_bytes_per_s:g} bytes/s "
            f"are asked for, over {limits.window_s:g} s"
        )
