"""The zip of a job."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

from hybrid_transcribe.errors import UnknownFormat
from hybrid_transcribe.outputs import bundle
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.types import ErrorInfo, Rejection, Transcript
from tests.outputs.examples import transcript

ERROR = Rejection("bad.wav", ErrorInfo("broken_media", "bad.wav cannot be decoded"))


def _zip(
    *transcripts: Transcript, errors: tuple[Rejection, ...] = (), format: str = "txt"
) -> bytes:
    file = io.BytesIO()
    bundle(transcripts, errors, format, file)
    return file.getvalue()


def _open(data: bytes) -> ZipFile:
    return ZipFile(io.BytesIO(data))


@pytest.mark.parametrize("format", WRITERS.names())
def test_each_transcript_is_a_file_of_the_format(format: str) -> None:
    """What is in the zip is what the writer writes, under the recording's name."""
    event = transcript("Olá.", name="reunião.m4a")
    writer = WRITERS.make(format)

    with _open(_zip(event, format=format)) as archive:
        assert archive.namelist() == [f"reunião.{writer.extension}"]
        assert archive.read(archive.namelist()[0]).decode() == writer.write(event)
        assert archive.testzip() is None


def test_without_errors_there_is_no_list_of_errors() -> None:
    """People find nothing to worry about where nothing went wrong."""
    with _open(_zip(transcript("a"))) as archive:
        assert archive.namelist() == ["talk.txt"]


def test_a_recording_named_like_the_list_of_errors_gets_another_name() -> None:
    """The list of errors is never mistaken for a transcript, nor the other way round."""
    items = [transcript("a", name="_errors.wav"), transcript("b", name="_ERRORS.m4a")]

    with _open(_zip(*items, errors=(ERROR,))) as archive:
        assert archive.namelist() == ["_errors (2).txt", "_ERRORS.m4a.txt", "_errors.txt"]


def test_the_same_job_gives_the_same_bytes() -> None:
    """Zips can be compared and cached."""
    assert _zip(transcript("a"), errors=(ERROR,)) == _zip(transcript("a"), errors=(ERROR,))


def test_transcripts_are_taken_one_at_a_time() -> None:
    """A job of ten thousand recordings never lies in memory as a whole."""
    file = io.BytesIO()

    def one_by_one() -> Iterator[Transcript]:
        for n in range(3):
            size_before = file.tell()
            yield transcript("word " * 100, name=f"{n}.wav")
            assert file.tell() > size_before

    bundle(one_by_one(), (), "txt", file)


def test_a_stream_that_cannot_seek_will_do() -> None:
    """The zip can be sent while it is made."""

    class Socket(io.RawIOBase):
        sent = b""

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.sent += bytes(data)  # type: ignore[call-overload]
            return len(data)  # type: ignore[arg-type]

    socket = Socket()
    bundle([transcript("a")], (), "txt", socket)  # type: ignore[arg-type]

    with _open(socket.sent) as archive:
        assert archive.namelist() == ["talk.txt"]


def test_a_path_will_do(tmp_path: Path) -> None:
    """Scripts name a file and get a zip there."""
    bundle([transcript("a")], (), "srt", tmp_path / "all.zip")

    with ZipFile(tmp_path / "all.zip") as archive:
        assert archive.namelist() == ["talk.srt"]


def test_an_unknown_format_writes_nothing(tmp_path: Path) -> None:
    """A wrong format is told before a file is begun."""
    with pytest.raises(UnknownFormat):
        bundle([], (), "docx", tmp_path / "all.zip")

    assert list(tmp_path.iterdir()) == []
