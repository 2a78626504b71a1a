"""Bare samples, as Bazarr and other clients of whisper-asr-webservice send with ``encode=false``.

That service reads them as signed 16 bits, little endian, 16 kHz, one channel. Nothing in them says
so; here they get the header that does.
"""

from __future__ import annotations

import asyncio
import shutil
import struct
from dataclasses import replace
from pathlib import Path

from hybrid_transcribe.core import names
from hybrid_transcribe.uploads.received import Received, ReceivedFile

#: Of the samples.
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
