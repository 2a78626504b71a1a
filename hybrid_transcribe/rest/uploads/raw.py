"""A body that is one file: ``curl -T talk.m4a``, or ``--data-binary`` with a type of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hybrid_transcribe.rest.uploads import parameters
from hybrid_transcribe.rest.uploads.files import Files
from hybrid_transcribe.rest.uploads.limits import UploadLimits
from hybrid_transcribe.rest.uploads.received import Received


class RawBody:
    """All bytes are one file; none, no file."""

    too_large = ", the most for one file"

    def __init__(self, name: str, files: Files, limits: UploadLimits) -> None:
        self.most_bytes = min(limits.body_bytes, limits.file_bytes)
        self._name, self._files = name, files

    def feed(self, chunk: bytes) -> None:
        """Raises TooLarge, DiskFull."""
        if not self._files.open:
            self._files.new(self._name)
        self._files.write(chunk)

    def end(self) -> Received:
        """The file. Raises DiskFull."""
        if self._files.open:
            self._files.done()
        return Received({}, self._files.uploads)


def name_of(disposition: str, query: Mapping[str, Sequence[bytes]], last: str) -> str:
    """What the sender calls the file; empty where nothing says.

    ``disposition`` is the header Content-Disposition as Tornado has it, in Latin-1; ``query``
    the arguments of the address, of which ``name`` and ``filename`` count; ``last`` what else
    it may be called, as the last part of the path.

    >>> name_of("", {"name": [b"reuni\\xc3\\xa3o.m4a"]}, "jobs")
    'reunião.m4a'
    """
    header = parameters.text_of(disposition.encode("latin-1", "replace"))
    named = parameters.filename(parameters.parse(header)[1])
    items = [value for key in ("filename", "name") for value in query.get(key, ())]
    return named or next((text for text in map(parameters.text_of, items) if text), last)
