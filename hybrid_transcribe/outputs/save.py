"""Transcripts into files: one by its suffix, or each of many under a name of its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from os import PathLike
from pathlib import Path

from hybrid_transcribe.core.names import UniqueNames, user_path
from hybrid_transcribe.outputs._text import encodable
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.types import Transcript


def save(transcript: Transcript, path: str | PathLike[str]) -> Path:
    """Write the transcript in the format that the file's suffix names; return the file's path.

    The file is UTF-8 and appears whole or not at all, in place of one that was there. Raises
    UnknownFormat, which lists the formats, and OSError.
    """
    target = user_path(path)
    text = WRITERS.make(target.suffix[1:].lower()).write(transcript)
    _replace(target, encodable(text).encode())
    return target


def save_all(
    transcripts: Iterable[Transcript], folder: str | PathLike[str], format: str
) -> tuple[Path, ...]:
    """Write ``<folder>/<stem>.<format>`` for each, in order; return the files' paths.

    The folder is made if need be. Two of the same stem get names of their own; files of an
    earlier time are replaced. Raises UnknownFormat, before anything is written, and OSError.
    """
    writer = WRITERS.make(format)
    into = user_path(folder)
    into.mkdir(parents=True, exist_ok=True)
    names = UniqueNames()
    saved = []
    for transcript in transcripts:
        target = into / names.take_for(transcript.name, f".{writer.extension}")
        _replace(target, encodable(writer.write(transcript)).encode())
        saved.append(target)
    return tuple(saved)


def _replace(target: Path, data: bytes) -> None:
    # Beside the file that is really meant, since a rename crosses neither links nor disks.
    real = Path(os.path.realpath(target))
    draft = real.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(data)
        draft.replace(real)
    finally:
        draft.unlink(missing_ok=True)
