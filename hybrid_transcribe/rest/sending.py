"""Files on their way to a client: in portions, as fast as it takes them."""

from __future__ import annotations

import asyncio
from typing import IO

from tornado.iostream import StreamClosedError

from hybrid_transcribe.rest.base_handler import BaseHandler

#: Read and sent at once: this much memory for each client.
CHUNK_BYTES = 256 * 1024

#: Longest wait for a client that takes no more; a player that was paused asks anew.
STALL_S = 60.0


async def send(door: BaseHandler, file: IO[bytes], required: range) -> None:
    """Send these bytes of a file; the headers, with their number, are set already.

    A client that goes or sleeps, and a file that became shorter, end the connection. Of HEAD
    nothing is read.
    """
    if door.request.method == "HEAD":
        return
    loop = asyncio.get_running_loop()
    try:
        for start in range(required.start, required.stop, CHUNK_BYTES):
            count = min(CHUNK_BYTES, required.stop - start)
            # A disk may take seconds.
            chunk = await loop.run_in_executor(None, _read, file, start, count)
            if len(chunk) < count:
                raise StreamClosedError
            door.write(chunk)
            # Who takes it slowly is read for slowly.
            await asyncio.wait_for(door.flush(), STALL_S)
    except (StreamClosedError, asyncio.TimeoutError):
        door.detach().close()


def _read(file: IO[bytes], start: int, count: int) -> bytes:
    file.seek(start)
    return file.read(count)
