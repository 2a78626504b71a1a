"""The bytes of one request on their way to the end of an upload."""

from __future__ import annotations

import asyncio
import hashlib
import io
from contextlib import suppress

from hybrid_transcribe.core import names
from hybrid_transcribe.errors import Damaged
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.tus.protocol import Checksum
from hybrid_transcribe.rest.uploads.body_writer import WRITERS, BodyWriter
from hybrid_transcribe.uploads.files import Opener, telling_full
from hybrid_transcribe.uploads.received import Received
from hybrid_transcribe.uploads.store import PartialUpload, UploadStore, UploadWriter


class ChunkWriter:
    """A body that continues an upload.

    What came of it stays when the rest does not come; with a checksum it is all or nothing.
    """

    too_large = ": the rest of what the upload was said to have"

    def __init__(
        self,
        shelf: UploadStore,
        upload: PartialUpload,
        most: int,
        checksum: Checksum | None,
        opener: Opener,
    ) -> None:
        """``most`` is how many bytes the whole upload may have."""
        self.most_bytes = most - upload.offset
        self._shelf, self._upload, self._opener = shelf, upload, opener
        self._start, self._checksum = upload.offset, checksum
        self._hash = (
            None if checksum is None else hashlib.new(checksum.algorithm, usedforsecurity=False)
        )
        self._file: io.RawIOBase | None = None

    def feed(self, chunk: bytes) -> None:
        """Raises DiskFull; what fitted is kept."""
        if self._hash is not None:
            self._hash.update(chunk)
        rest = memoryview(chunk)
        with telling_full(names.display_name(self._upload.name), kept=True):
            if self._file is None:
                self._file = self._opener(self._upload.path)
                self._file.seek(self._upload.offset)
            while rest:
                written = self._file.write(rest) or 0
                self._upload.offset += written
                rest = rest[written:]

    def end(self) -> Received:
        """Raises Damaged, DiskFull."""
        message = self._checksum
        if message is not None and self._hash is not None and self._hash.digest() != message.digest:
            raise Damaged(UserMessage("bytes_damaged", n=self._start, algorithm=message.algorithm))
        with telling_full(names.display_name(self._upload.name), kept=True):
            if self._file is not None:
                self._file.close()
        self._shelf.release(self._upload)
        return Received({}, ())

    def discard(self) -> None:
        """No more comes."""
        try:
            # ValueError: it is closed already.
            with suppress(OSError, ValueError):
                if self._hash is not None:
                    self._upload.offset = self._start
                    if self._file is not None:
                        self._file.truncate(self._start)
                if self._file is not None:
                    self._file.close()
        finally:
            # Others wait for it.
            self._shelf.release(self._upload)


class Keeping(BodyWriter):
    """As `BodyWriter`, but what has come is written also when the sender hangs up."""

    def __init__(self, piece: ChunkWriter, writer: UploadWriter) -> None:
        super().__init__(piece, piece)
        self._piece, self._writer = piece, writer
        self._fed_bytes = 0
        #: Somebody else goes on from what is written.
        self.overtaken = False

    def discard(self) -> None:
        """That was all: the last bytes are written, soon."""
        self._writer.over = True
        last, self._waiting = self._waiting, []
        before = self._bytes - sum(map(len, last))
        WRITERS.submit(self._last, [] if self.overtaken else last, before)

    def _feed(self, batch: list[bytes]) -> None:
        # All of it or none: `_last` must not come in between.
        with self._lock:
            if self._over:
                return
            for chunk in batch:
                self._body.feed(chunk)
                self._fed_bytes += len(chunk)

    def _last(self, last: list[bytes], before: int) -> None:
        with self._lock:
            if self._over:
                return
            self._over = True
            # Nobody is there to be told of trouble; the offset says what was written.
            with suppress(Exception):
                # Where a batch before them never reached a thread, these are not the next bytes.
                if self._fed_bytes == before:
                    for chunk in last:
                        self._body.feed(chunk)
            self._piece.discard()


async def settled(writer: UploadWriter) -> None:
    """Wait until it has let go."""
    await asyncio.shield(asyncio.wrap_future(writer.done))
