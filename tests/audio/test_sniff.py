"""What a file is, told from its bytes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe.audio.sniff import sniff
from hybrid_transcribe.errors import EmptyInput, InputError, InputMissing, UnsafeInput
from hybrid_transcribe.errors import UnsupportedMedia as Unsupported
from tests.audio.makers import CODECS, encoded, tone, video, wav

CONTAINERS = {
    **{suffix: suffix[1:] for suffix in CODECS},
    ".m4a": "mp4",
    ".mov": "mp4",
    ".3gp": "mp4",
    ".opus": "ogg",
    ".mka": "matroska",
    ".wma": "asf",
    ".ts": "mpegts",
    ".mpg": "mpegps",
    ".wv": "wavpack",
}


@pytest.fixture
def mp3(tmp_path: Path) -> bytes:
    """Two seconds of MP3 without any tag."""
    whole = encoded(tmp_path / "made.mp3", tone(2, 44_100)).read_bytes()
    return whole[whole.index(b"\xff\xfb") :]


def _file(folder: Path, data: bytes) -> Path:
    path = folder / "given.wav"
    path.write_bytes(data)
    return path


def test_the_sample_is_an_mp4(sample: Path) -> None:
    """The recording that comes with the package is known for what it is."""
    assert sniff(sample) == "mp4"


@pytest.mark.parametrize("suffix", CODECS)
def test_every_container_is_known_whatever_its_name(tmp_path: Path, suffix: str) -> None:
    """Bytes count, the extension does not."""
    instance = encoded(tmp_path / f"made{suffix}", tone(1, 44_100))

    assert sniff(instance.rename(tmp_path / "renamed.txt")) == CONTAINERS[suffix]


def test_wav_and_film_are_known(tmp_path: Path) -> None:
    """A plain WAV, and a film, which may hold speech."""
    assert sniff(wav(tmp_path / "a.wav", tone(0.1))) == "wav"
    assert sniff(video(tmp_path / "a.mkv")) == "matroska"


@pytest.mark.parametrize(
    "before",
    [b"", b"ID3\x04\x00\x00\x00\x00\x01\x00" + bytes(128), bytes(3000), b"junk \xff\xfb" * 99],
    ids=["bare", "tagged", "padded", "junk"],
)
def test_mp3_is_known_by_its_frames(tmp_path: Path, mp3: bytes, before: bytes) -> None:
    """With a tag or without, and with padding or rubbish before the first frame."""
    assert sniff(_file(tmp_path, before + mp3)) == "mp3"


def test_one_frame_is_enough_when_it_is_all(tmp_path: Path, mp3: bytes) -> None:
    """A file of a single MP3 frame is still an MP3."""
    second = mp3.index(mp3[:3], 4)

    assert sniff(_file(tmp_path, mp3[:second])) == "mp3"


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"import os\nprint(os.name)\n", "Python source"),
        (b"#!/bin/sh\nrm -r x\n", "a script"),
        (b"<!DOCTYPE html><html>Sign in", "a web page"),
        (b'{"error": "not found"}', "JSON"),
        ("Olá, só texto: ção".encode(), "text"),
        ("Texto".encode("utf-16"), "text"),
        (b"\x7fELF\x02\x01\x01" + bytes(99), "a Linux program"),
        (b"MZ\x90\x00" + bytes(99), "a Windows program"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b"\x89PNG\r\n\x1a\n", "a PNG image"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "a photo"),
        (b"\x1f\x8b\x08\x00", "a gzip archive"),
        (b"MThd\x00\x00\x00\x06", "a MIDI file"),
        (bytes(5000), "bytes of no kind we know"),
    ],
)
def test_what_is_no_recording_is_named(tmp_path: Path, data: bytes, found: str) -> None:
    """The message says what was found, so that people see their mistake."""
    with pytest.raises(Unsupported, match=f"aula.wav: looks like {found}"):
        sniff(_file(tmp_path, data), "aula.wav")


@pytest.mark.parametrize(
    "data",
    [
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        b"\xef\xbb\xbf\n #extm3u\n",
        "#EXTM3U\n/etc/passwd\n".encode("utf-16"),
        b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10) + b"#EXTM3U\n/etc/passwd\n",
        b"ffconcat version 1.0\nfile victim.wav\n",
        b"[playlist]\nFile1=http://x/\n",
        b'<?xml version="1.0"?>\n<MPD xmlns="urn:mpeg:dash">',
        b"<SmoothStreamingMedia>",
        b"<asx version='3'>",
        b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n",
    ],
)
def test_playlists_are_refused_as_unsafe(tmp_path: Path, data: bytes) -> None:
    """Text that names other files is refused as such, with byte order mark, tag or not."""
    with pytest.raises(UnsafeInput, match="name other files"):
        sniff(_file(tmp_path, data))


def test_empty_missing_and_unreadable_say_so(tmp_path: Path) -> None:
    """No bytes, no file, and a name that no system takes."""
    with pytest.raises(EmptyInput, match="0 bytes"):
        sniff(_file(tmp_path, b""))
    with pytest.raises(InputMissing, match=r"gone\.wav: cannot be read \(no such file\)"):
        sniff(tmp_path / "gone.wav")
    for name in ("x" * 4000, "a\0b"):
        with pytest.raises(InputMissing):
            sniff(tmp_path / name)


def test_only_regular_files_are_opened(tmp_path: Path) -> None:
    """A folder, a device or a pipe is refused without waiting for it to speak."""
    os.mkfifo(tmp_path / "pipe.wav")
    for path in (tmp_path, Path("/dev/zero"), tmp_path / "pipe.wav"):
        with pytest.raises(UnsafeInput, match="not a regular file"):
            sniff(path)


@given(data=st.binary(max_size=300), start=st.sampled_from([b"", b"ID3\x04\0\0", b"RIFF", b"\xff"]))
def test_any_bytes_get_an_answer_or_an_input_error(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, start: bytes
) -> None:
    """Nothing but a container's name or an InputError ever comes out."""
    path = _file(tmp_path_factory.mktemp("bytes"), start + data)
    said = "given.wav"
    try:
        sniff(path)
    except InputError as error:
        said = str(error)

    assert "given.wav" in said


def test_the_front_needs_no_native_library() -> None:
    """Importing the folder brings in neither PyAV nor NumPy."""
    code = "import sys, hybrid_transcribe.audio as a; print({'av', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"
