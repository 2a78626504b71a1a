"""What a person handed in, sorted into recordings and refusals: one bad input sinks no other."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_transcribe.audio.archive import unpack
from hybrid_transcribe.audio.sniff import EXTENSIONS, sniff
from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.core import names
from hybrid_transcribe.errors import (
    BrokenArchive,
    HybridTranscribeError,
    InputError,
    InputMissing,
    InvalidRequest,
    Overloaded,
    TooLarge,
    TooMany,
    UnsafeInput,
    UnsupportedMedia,
    check_descriptors,
    from_info,
)
from hybrid_transcribe.messages import UserMessage, known_phrase
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

# How many names of what is no recording a message has.
_NAMED = 5


@dataclass(frozen=True, slots=True)
class InputFile:
    """One recording.

    Attributes:
        name: for people.
        path: absolute.
        owned: ours to delete: true for what came out of a zip and for a link that we made,
            false for people's own files.
        audio_track: the one track that is meant, where a file gives a recording for each.
    """

    name: str
    path: Path
    owned: bool
    size_bytes: int
    audio_track: str | None = None


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A file that somebody sent: it lies in the uploads folder and is ours to delete.

    ``name`` is what its sender calls it, for people only.
    """

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Intake:
    """Recordings in the order given (a folder's by path, a zip's in its own), and refusals."""

    files: tuple[InputFile, ...]
    rejected: tuple[Rejection, ...]
    #: Names of what folders and zips hold beside recordings, and what never said it was one.
    left_out: tuple[str, ...] = ()

    def discard(self) -> None:
        """Delete what is ours of it: there will be no job for it."""
        for item in self.files:
            if item.owned:
                item.path.unlink(missing_ok=True)

    def refusal(self) -> HybridTranscribeError:
        """Why there is nothing to transcribe, where all inputs were refused."""
        first, n_more = from_info(self.rejected[0].error), len(self.rejected) - 1
        if not n_more:
            return first
        return type(first)(UserMessage("several", first=first, n=n_more))


def intake(
    inputs: Input | Iterable[Input | Uploaded], uploads_dir: Path, settings: Settings
) -> Intake:
    """Look at files, folders and zips, one or many.

    Files are read where they lie, never copied nor deleted; what was uploaded is ours, and goes
    at once when it is refused. A zip is unpacked into ``uploads_dir``, which must exist.
    A folder gives its recordings and those of the folders
    below it, without hidden ones and without following links to folders. Raises nothing over
    an input: each trouble becomes a `Rejection`. InvalidRequest as `listed`; Overloaded where no
    more files can be opened; OSError when unpacking cannot write.
    """
    taking = _Taking(uploads_dir, settings)
    for value in listed(inputs):
        taking.take(value)
    return Intake(tuple(taking.files), tuple(taking.rejected), tuple(taking.left_out))


def to_send(
    inputs: Input | Iterable[Input | Uploaded], links_dir: Path, settings: Settings
) -> Intake:
    """The same for another machine: zips stay as they are, to be unpacked where they go.

    ``links_dir`` takes links to files whose names are not valid text.
    """
    sending = _OpenInputs(links_dir, settings)
    for value in listed(inputs):
        sending.take(value)
    return Intake(tuple(sending.files), tuple(sending.rejected))


def listed(inputs: object) -> list[Any]:
    """One path or several, as a list. Raises InvalidRequest for what is neither.

    >>> listed("talk.wav"), listed(("a.wav", "b.wav"))
    (['talk.wav'], ['a.wav', 'b.wav'])
    """
    if isinstance(inputs, (str, os.PathLike)):
        return [inputs]
    if _wrong_kind(inputs) or not isinstance(inputs, Iterable):
        raise _not_by(inputs)
    return list(inputs)


def _wrong_kind(value: object) -> str:
    """What people call a thing that is no path and no list of paths; empty where it may be."""
    if value is None:
        return "nothing (None)"
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "bytes: write them into a file first, or decode a path with os.fsdecode"
    if hasattr(value, "read"):
        return "an open file: give its path instead"
    if hasattr(value, "__array__"):
        return "an array of samples: write it into a file first"
    return ""


def _not_by(value: object) -> InvalidRequest:
    display_name = _wrong_kind(value) or f"{value!a:.60} ({type(value).__name__})"
    return InvalidRequest(UserMessage("input_by_path", value=display_name))


class _CannotWrite(Exception):
    """Carries the system's error past the net that is meant for bad inputs."""

    def __init__(self, error: OSError) -> None:
        super().__init__(str(error))
        self.error = error


class _Taking:
    def __init__(self, uploads_dir: Path, settings: Settings) -> None:
        self._uploads_dir, self._settings = uploads_dir, settings
        self.files: list[InputFile] = []
        self.rejected: list[Rejection] = []
        self.left_out: list[str] = []

    def take(self, value: object) -> None:
        if isinstance(value, Uploaded):
            self._upload(value)
            return
        text = ""
        with self._refusing("input"):
            text = _text(value)
        if not text:
            return
        display_name = names.display_name(text, "input")
        with self._refusing(display_name):
            # What is there under that name is a file, whatever its name looks like.
            if not os.path.lexists(text):
                refuse_protocol(text)
            self._take(_absolute(text, display_name), display_name)

    def _upload(self, uploaded: Uploaded) -> None:
        display_name = names.display_name(uploaded.name, "upload")
        before = len(self.files)
        try:
            with self._refusing(display_name):
                refuse_protocol(uploaded.name)
                if sniff(uploaded.path, display_name) == "zip":
                    self._zip(uploaded.path, display_name)
                else:
                    self._file(uploaded.path, display_name, owned=True)
        finally:
            if not any(item.path == uploaded.path for item in self.files[before:]):
                # Refused, or unpacked.
                uploaded.path.unlink(missing_ok=True)

    def _take(self, path: Path, display_name: str) -> None:
        if path.is_dir():
            self._folder(path, display_name)
        elif sniff(path, display_name) == "zip":
            self._zip(path, display_name)
        else:
            self._file(path, display_name)

    @contextmanager
    def _refusing(self, display_name: str) -> Iterator[None]:
        """Whatever goes wrong within is this input's trouble and no other's."""
        try:
            yield
        except Overloaded:
            # Nothing is wrong with the input: the caller may send it again.
            raise
        except HybridTranscribeError as error:
            self.rejected.append(Rejection(display_name, error.info()))
        except _CannotWrite as trouble:
            raise trouble.error from None
        except Exception as error:
            unexpected = InputError(
                UserMessage("labelled", label=display_name, why=f"{type(error).__name__}: {error}")
            )
            self.rejected.append(Rejection(display_name, unexpected.info()))

    def _file(self, path: Path, display_name: str, owned: bool = False) -> None:
        limits, size = self._settings, path.stat().st_size
        if len(self.files) >= limits.max_files:
            raise TooMany(UserMessage("job_recordings", name=display_name, n=limits.max_files))
        if size > limits.max_file_bytes:
            raise TooLarge(
                UserMessage(
                    "too_large", name=display_name, n=size / MIB, most=limits.max_file_bytes / MIB
                )
            )
        link = None if _is_text(path) else self._link(path, display_name)
        ours = owned or link is not None
        self.files.append(InputFile(display_name, link or path, owned=ours, size_bytes=size))

    def _link(self, path: Path, display_name: str) -> Path:
        """A file whose name is not valid text gets a link with a name that can be written down."""
        link = self._uploads_dir / (names.new_id() + path.suffix.encode("ascii", "ignore").decode())
        try:
            link.symlink_to(path)
        except OSError as error:
            raise InputMissing(UserMessage("invalid_name", name=display_name)) from error
        return link.absolute()

    def _folder(self, folder: Path, display_name: str) -> None:
        result, refused = len(self.files), len(self.rejected)
        other: list[str] = []
        waiting = _visible(folder, display_name)
        while waiting:
            path = waiting.pop()
            inner = names.display_name(path.name)
            with self._refusing(inner):
                if path.is_dir():
                    # A link may lead back to where it lies.
                    waiting += [] if path.is_symlink() else _visible(path, inner)
                elif path.is_file() and not self._inner(path, inner):
                    other.append(inner)
            if self.rejected[refused:] and self.rejected[-1].error.code == TooMany.code:
                # The first one too many speaks for the rest, of which there may be millions.
                return
        if (len(self.files), len(self.rejected)) == (result, refused):
            raise UnsupportedMedia(
                UserMessage("none_in_folder", name=display_name, others=_instead(other))
            )
        self.left_out += other

    def _inner(self, path: Path, display_name: str) -> bool:
        """Take a folder's file; false for what is no recording and never said it was one."""
        try:
            if sniff(path, display_name) == "zip":
                return False
        except HybridTranscribeError:
            if path.suffix.lower() in EXTENSIONS:
                raise
            return False
        self._file(path, display_name)
        return True

    def _zip(self, path: Path, display_name: str) -> None:
        room = self._settings.max_files - len(self.files)
        try:
            unpacked = unpack(
                path, self._uploads_dir, self._settings, name=display_name, max_files=room
            )
        except OSError as error:
            raise _CannotWrite(error) from error
        for entry in unpacked.entries:
            place = entry.path.absolute()
            self.files.append(InputFile(entry.name, place, owned=True, size_bytes=entry.size_bytes))
        self.rejected.extend(unpacked.rejected)
        self.left_out.extend(unpacked.other)
        if not unpacked.entries and not unpacked.rejected:
            result = _instead(unpacked.other)
            raise BrokenArchive(UserMessage("none_in_zip", name=display_name, others=result))


class _OpenInputs(_Taking):
    def _zip(self, path: Path, display_name: str) -> None:
        self._file(path, display_name)


def _instead(others: Sequence[str]) -> str:
    """What there is where recordings were looked for, the first few by name."""
    if not others:
        return ""
    n_more = len(others) - _NAMED
    if n_more > 0:
        return UserMessage("only_these_and", names=others[:_NAMED], count=n_more)
    return UserMessage("only_these", names=others)


def refuse_protocol(text: str) -> None:
    """Raise UnsafeInput for what is an address rather than a file's name.

    A drive letter, a time of day or a title before a colon ("Data: 12.wav") is no protocol.
    """
    if _ADDRESS.match(text) or _is_protocol(text):
        raise UnsafeInput(UserMessage("address", text=text[:80]))


def _is_protocol(text: str) -> bool:
    """True where media libraries would take the word before the colon for a protocol.

    They compare case and all, and what follows is never a blank; of "data:" a comma is part.
    """
    match = _PROTOCOL.match(text)
    if match is None or match[1] not in _PROTOCOLS:
        return False
    rest = text[match.end() :]
    return not rest[:1].isspace() and (match[1] != "data" or "," in rest)


def _is_text(path: Path) -> bool:
    """False for names in bytes that are no characters, as old systems left them."""
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _text(value: object) -> str:
    text = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(text, str):
        raise _not_by(value)
    if not text.strip():
        raise InputMissing(UserMessage("empty_name"))
    return text


def _absolute(text: str, display_name: str) -> Path:
    try:
        path = names.user_path(text).absolute()
        path.stat()
    except (OSError, ValueError, RuntimeError) as error:
        why = known_phrase(getattr(error, "strerror", None) or str(error))
        if text != display_name:
            why = UserMessage("reason_for", why=why, text=text[:200])
        message = UserMessage("unreadable", name=display_name, why=why)
        # For those who wrote ``*.wav`` and expected its files.
        if "*" in text:
            message = UserMessage("no_such_pattern", name=display_name, why=why, text=text[:200])
        raise InputMissing(message) from error
    return path


def _visible(folder: Path, display_name: str) -> list[Path]:
    """What is in a folder but not hidden, last name first: it is taken from the end."""
    try:
        inside = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError as error:
        check_descriptors(error)
        raise InputMissing(
            UserMessage("unreadable", name=display_name, why=known_phrase(error.strerror))
        ) from error
    return sorted(inside, key=lambda path: path.name, reverse=True)
