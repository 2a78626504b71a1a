"""Recordings of known voices, as they come over HTTP: sent with the request or before it.

The names of files on this machine are never taken: whoever may send a job could otherwise find
out who speaks in any recording that the service can read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.uploads.received import ReceivedFile

#: The field of a form that brings a recording of a voice: the person is named in brackets, or by
#: the file's name without its extension.
VOICES = "voices"

_NAMED = re.compile(rf"{VOICES}\[(.*)\]", re.DOTALL)


def as_voices(linked: Sequence[ReceivedFile], names: Sequence[str]) -> tuple[ReceivedFile, ...]:
    """Files of finished uploads, as if a form had brought them under these names."""
    return tuple(
        replace(upload, field=f"{VOICES}[{name}]")
        for upload, name in zip(linked, names, strict=True)
    )


def without_voices(
    uploads: Sequence[ReceivedFile],
) -> tuple[tuple[ReceivedFile, ...], Mapping[str, Uploaded]]:
    """The recordings to transcribe, and those of voices by the person's name.

    Raises InvalidRequest for two of one name.
    """
    recordings: list[ReceivedFile] = []
    voices: dict[str, Uploaded] = {}
    for upload in uploads:
        name = _name(upload)
        if name is None:
            recordings.append(upload)
        elif name in voices:
            raise InvalidRequest(UserMessage("voice_twice", name=name[:80]))
        else:
            voices[name] = Uploaded(upload.path, upload.name)
    return tuple(recordings), voices


def _name(upload: ReceivedFile) -> str | None:
    if upload.field == VOICES:
        return upload.name.rpartition(".")[0] or upload.name
    match = _NAMED.fullmatch(upload.field)
    return None if match is None else match[1]
