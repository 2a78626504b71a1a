"""``known_speaker_names[]`` with ``known_speaker_references[]``: voices as data URLs (RFC 2397)."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote_to_bytes

from hybrid_transcribe.config import MIB
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.compat.openai.base_handler import Unusable
from hybrid_transcribe.rest.voices import as_voices
from hybrid_transcribe.uploads.files import open_new, stored_name, telling_full
from hybrid_transcribe.uploads.received import Received, ReceivedFile, UploadLimits

NAMES, REFERENCES = "known_speaker_names", "known_speaker_references"

#: Most of them, as the API has it.
MOST_SPEAKERS = 4

#: Largest recording of a voice: ten seconds, which is what the API takes at most, are 1.9 MB at
#: 48 kHz in stereo.
REFERENCE_BYTES = 2 * MIB

# Base64 is a third longer; the kind of the file comes before it.
_FIELD_BYTES = REFERENCE_BYTES * 4 // 3 + 1024

#: The last part of a MIME type that is no extension.
_EXTENSIONS = {"mpeg": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav", "x-m4a": "m4a"}


def limits_for_references(limits: UploadLimits) -> UploadLimits:
    """The limits of a request, with room for voices among its fields."""
    return replace(
        limits,
        field_bytes=_FIELD_BYTES,
        json_bytes=limits.json_bytes + MOST_SPEAKERS * _FIELD_BYTES,
    )


def known_speakers(names: Sequence[str], references: Sequence[str]) -> dict[str, str]:
    """The data URL of each name. Raises Unusable for what does not go together."""
    if len(names) != len(references):
        raise Unusable(
            NAMES if names else REFERENCES,
            UserMessage("known_speakers_pairs", n=len(names), other=len(references)),
        )
    if len(names) > MOST_SPEAKERS:
        raise Unusable(NAMES, UserMessage("voices_many", n=len(names), most=MOST_SPEAKERS))
    for name in names:
        if names.count(name) > 1:
            raise Unusable(NAMES, UserMessage("voice_twice", name=name[:80]))
    return dict(zip(names, references, strict=True))


async def with_references(
    received: Received, references: Mapping[str, str], uploads_dir: Path
) -> Received:
    """The same files, and those of the voices. Raises Unusable, DiskFull; nothing stays then."""
    if not references:
        return received
    loop = asyncio.get_running_loop()
    voices = await loop.run_in_executor(None, _stored, references, uploads_dir)
    named = as_voices(voices, tuple(references))
    return replace(received, uploads=(*received.uploads, *named))


def _stored(references: Mapping[str, str], uploads_dir: Path) -> list[ReceivedFile]:
    voices: list[ReceivedFile] = []
    try:
        for name, url in references.items():
            extension, content = decoded(url)
            label = f"{name}.{extension}"
            path = uploads_dir / stored_name(label)
            voices.append(ReceivedFile(label, path, len(content)))
            with telling_full(name), open_new(path) as file:
                file.write(content)
    except BaseException:
        Received({}, tuple(voices)).discard()
        raise
    return voices


def decoded(url: str) -> tuple[str, bytes]:
    """The usual extension and the content of a data URL. Raises Unusable for any other address.

    >>> decoded("data:audio/wav;base64,UklGRg==")
    ('wav', b'RIFF')
    """
    scheme, _, rest = url.strip().partition(":")
    kind, comma, payload = rest.partition(",")
    if scheme.lower() != "data" or not comma:
        raise Unusable(REFERENCES, UserMessage("reference_no_data_url", value=url[:40]))
    mime, *parameters = (part.strip().lower() for part in kind.split(";"))
    content = unquote_to_bytes(payload)
    if "base64" in parameters:
        try:
            content = base64.b64decode(b"".join(content.split()), validate=True)
        except binascii.Error:
            raise Unusable(REFERENCES, UserMessage("reference_no_base64")) from None
    if len(content) > REFERENCE_BYTES:
        raise Unusable(REFERENCES, UserMessage("reference_large", most=REFERENCE_BYTES / MIB))
    subtype = mime.rpartition("/")[2]
    return _EXTENSIONS.get(subtype, subtype), content
