"""A job's transcripts as one zip."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from typing import IO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from hybrid_transcribe.core.names import UniqueNames, display_name
from hybrid_transcribe.outputs._text import encodable
from hybrid_transcribe.outputs.merged import error_line
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.types import Rejection, Transcript

#: The zip's list of what has no transcript. No recording gets this name.
ERRORS_NAME = "_errors.txt"


def bundle(
    transcripts: Iterable[Transcript],
    errors: Sequence[Rejection],
    format: str,
    file: str | PathLike[str] | IO[bytes],
) -> None:
    """Write a zip with a file for each transcript and, if there are errors, ``_errors.txt``.

    Transcripts are taken one at a time and written before the next is asked for; ``file`` need
    not be seekable. Names are unique whatever their case and safe on every system. The same
    input gives the same bytes. Raises UnknownFormat.
    """
    writer = WRITERS.make(format)
    names = UniqueNames()
    names.take(ERRORS_NAME)
    with ZipFile(file, "w") as archive:
        for transcript in transcripts:
            name = names.take_for(transcript.name, f".{writer.extension}")
            _add(archive, name, writer.write(transcript))
        if errors:
            _add(archive, ERRORS_NAME, "".join(map(_line, errors)))


def _line(rejection: Rejection) -> str:
    return f"{display_name(rejection.name)}: {error_line(rejection)}\n"


def _add(archive: ZipFile, name: str, text: str) -> None:
    # A fixed date, mode and system: what is in the zip depends on the transcripts alone.
    entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, encodable(text).encode())
