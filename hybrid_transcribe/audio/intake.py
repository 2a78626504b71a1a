"""What a person handed in, sorted into recordings and refusals: one bad input sinks no other."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid_transcribe import names
from hybrid_transcribe.audio.archive import unpack
from hybrid_transcribe.audio.sniff import EXTENSIONS, sniff
from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.errors import (
    BrokenArchive,
    HybridTranscribeError,
    InputMissing,
    InvalidRequest,
    TooLarge,
    TooMany,
    UnsafeInput,
    UnsupportedMedia,
)
from hybrid_transcribe.types import Rejection

Input = str | os.PathLike[str]

# Words before a colon that make media libraries open something other than the file named.
_PROTOCOLS = frozenset(
    "amqp amqps android_content async bluray cache concat concatf crypto data dtls fd ffrtmpcrypt"
    " ffrtmphttp file ftp ftps gopher gophers gs hls http httpproxy https icecast ipfs ipns librist"
    " md5 mmsh mmst pipe prompeg rist rtmp rtmpe rtmps rtmpt rtmpte rtmpts rtp rtsp rtsps s3 sap"
    " scp sctp sdp sftp smb smbclient srt srtp ssh subfile tcp tee tls udp udplite unix ws wss"
    " zmq".split()
)
# "http:", "subfile,,start,0,end,9,,:", "crypto+file:"
_PROTOCOL = re.compile(r"\s*([A-Za-z][A-Za-z0-9_.-]+)([,+][^/\\]*)?:")
_ADDRESS = re.compile(r"\s*[A-Za-z][A-Za-z0-9_.+-]+://")


@dataclass(frozen=True, slots=True)
class Found:
    """One recording.

    Attributes:
        name: for people.
        path: absolute.
        owned: ours to delete: true for what came out of a zip and for a link that we made,
            false for people's own files.
    """

    name: str
    path: Path
    owned: bool
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Intake:
    """Recordings in the order given (a folder's by name, a zip's in its own), and refusals."""

    found: tuple[Found, ...]
    rejected: tuple[Rejection, ...]


def intake(inputs: Input | Iterable[Input], uploads_dir: Path, settings: Settings) -> Intake:
    """Look at files, folders and zips, one or many.

    Files are read where they lie, never copied nor deleted; a zip is unpacked into
    ``uploads_dir``, which must exist. A folder gives its recordings, without its folders.
    Raises nothing over an input: each trouble becomes a `Rejection`. OSError when unpacking
    cannot write.
    """
    taking = _Taking(uploads_dir, settings)
    for given in _each(inputs):
        taking.take(given)
    return Intake(tuple(taking.found), tuple(taking.rejected))


def _each(inputs: Input | Iterable[Input]) -> Iterator[object]:
    if isinstance(inputs, (str, bytes, os.PathLike)):
        yield inputs
    else:
        yield from inputs


class _Taking:
    def __init__(self, uploads_dir: Path, settings: Settings) -> None:
        self._uploads_dir, self._settings = uploads_dir, settings
        self.found: list[Found] = []
        self.rejected: list[Rejection] = []

    def take(self, given: object) -> None:
        shown = "input"
        try:
            text = _text(given)
            shown = names.display_name(text, shown)
            refuse_protocol(text)
            path = _absolute(text, shown)
            if path.is_dir():
                self._folder(path, shown)
            elif sniff(path, shown) == "zip":
                self._zip(path, shown)
            else:
                self._file(path, shown)
        except HybridTranscribeError as error:
            self.rejected.append(Rejection(shown, error.info()))

    def _file(self, path: Path, shown: str) -> None:
        limits, size = self._settings, path.stat().st_size
        if len(self.found) >= limits.max_files:
            raise TooMany(f"{shown}: more than {limits.max_files} recordings in one job")
        if size > limits.max_file_bytes:
            raise TooLarge(
                f"{shown}: {size / MIB:.0f} MiB;"
                f" at most {limits.max_file_bytes / MIB:.0f} MiB allowed"
            )
        link = None if _is_text(path) else self._link(path, shown)
        self.found.append(Found(shown, link or path, owned=link is not None, size_bytes=size))

    def _link(self, path: Path, shown: str) -> Path:
        """A file whose name is not valid text gets a link with a name that can be written down."""
        link = self._uploads_dir / (names.new_id() + path.suffix.encode("ascii", "ignore").decode())
        try:
            link.symlink_to(path)
        except OSError as error:
            raise InputMissing(
                f"{shown}: its name is not valid text and no link to it can be made: rename it"
            ) from error
        return link.absolute()

    def _folder(self, folder: Path, shown: str) -> None:
        before = len(self.found) + len(self.rejected)
        for path in _visible(folder, shown):
            inner = names.display_name(path.name)
            try:
                if sniff(path, inner) != "zip":
                    self._file(path, inner)
            except HybridTranscribeError as error:
                # Only what calls itself a recording is missed when it is none.
                if isinstance(error, (TooMany, TooLarge)) or path.suffix.lower() in EXTENSIONS:
                    self.rejected.append(Rejection(inner, error.info()))
        if len(self.found) + len(self.rejected) == before:
            raise UnsupportedMedia(f"{shown}: no audio or video in this folder")

    def _zip(self, path: Path, shown: str) -> None:
        room = self._settings.max_files - len(self.found)
        unpacked = unpack(path, self._uploads_dir, self._settings, name=shown, max_files=room)
        for entry in unpacked.entries:
            place = entry.path.absolute()
            self.found.append(Found(entry.name, place, owned=True, size_bytes=entry.size_bytes))
        self.rejected.extend(unpacked.rejected)
        if not unpacked.entries and not unpacked.rejected:
            raise BrokenArchive(f"{shown}: no audio or video in this zip")


def refuse_protocol(text: str) -> None:
    """Raise UnsafeInput for what is an address rather than a file's path.

    A drive letter is no protocol, and a file of such a name can be given as ``./data:1.wav``.
    """
    protocol = _PROTOCOL.match(text)
    if (protocol and protocol[1].lower() in _PROTOCOLS) or _ADDRESS.match(text):
        raise UnsafeInput(
            f"{text[:80]!r}: addresses and protocols are not opened; give a file of this machine"
        )


def _is_text(path: Path) -> bool:
    """False for names in bytes that are no characters, as old systems left them."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _text(given: object) -> str:
    text = os.fspath(given) if isinstance(given, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise InvalidRequest(f"A recording is given by its path, not by {type(given).__name__}")
    if not text.strip():
        raise InputMissing("An empty name is no file")
    return text


def _absolute(text: str, shown: str) -> Path:
    try:
        path = Path(text).expanduser().absolute()
        path.stat()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputMissing(f"{shown}: cannot be read ({reason})") from error
    return path


def _visible(folder: Path, shown: str) -> list[Path]:
    """The folder's files by name, without hidden ones."""
    try:
        inside = sorted(folder.iterdir(), key=lambda path: path.name)
        return [path for path in inside if not path.name.startswith(".") and path.is_file()]
    except OSError as error:
        raise InputMissing(f"{shown}: cannot be read ({error.strerror})") from error
