"""Rows of the fault matrix that come in as a file: playlists, bombs, lies, rubbish, names."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import pytest

from hybrid_transcribe.audio import _sandbox
from hybrid_transcribe.audio.archive import unpack
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.audio.intake import intake
from hybrid_transcribe.audio.probe import probe
from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.core.names import MAX_NAME
from hybrid_transcribe.errors import BrokenArchive, InputError, NoAudio, UnsafeInput
from tests.audio.makers import encoded, flac_of_silence, mp4_claiming, tone, video, wav, wav_bytes
from tests.audio.zips import linking, listing, nested, overlapping, packed, patched

SETTINGS = Settings()
SOUND = wav_bytes(tone(0.1).tobytes())
TAG = b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10)


class Canary(ThreadingHTTPServer):
    """A web server that writes down who asked for what."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        self.send_error(404)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def canary() -> Iterator[Canary]:
    """A server on this machine that nothing here may call."""
    with Canary() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """An empty folder to unpack into."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


def _playlist(url: str) -> bytes:
    return (
        f"#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}\n#EXT-X-ENDLIST\n"
    ).encode()


def _code(path: Path, **changes: Any) -> str:
    """The code with which probing and decoding refuse a file, which must be the same."""
    settings, codes = SETTINGS.but(**changes), set()
    for use in (probe, lambda p, s: list(decode(p, name="x", settings=s))):
        with pytest.raises(InputError) as caught:
            use(path, settings)
        codes.add(caught.value.code)
    (code,) = codes
    return code


def _file(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


# ------------------------------------------------------------------ 29: playlists


@pytest.mark.parametrize("name", ["a.m3u8", "a.wav", "a.mp3"])
@pytest.mark.parametrize("before", [b"", TAG], ids=["bare", "tagged"])
def test_f29_a_playlist_is_refused_and_nothing_fetched(
    tmp_path: Path, canary: Canary, name: str, before: bytes
) -> None:
    """HLS that names an address or a neighbour, under any name, behind a tag or not."""
    victim = wav(tmp_path / "victim.wav", tone(1))
    for target in (f"{canary.url}/a.ts", str(victim), f"file:{victim}", "victim.wav"):
        path = _file(tmp_path, name, before + _playlist(target))
        assert _code(path) == "unsafe_input"
        (rejected,) = intake(path, tmp_path, SETTINGS).rejected
        assert rejected.error.code == "unsafe_input"
    assert canary.asked == []


def test_f29_the_canary_would_sing(tmp_path: Path, canary: Canary) -> None:
    """The same playlist as a named file object, unfenced, does fetch: the tests here can fail."""
    path = _file(tmp_path, "a.m3u8", _playlist(f"{canary.url}/a.ts"))
    with path.open("rb") as file, contextlib.suppress(av.FFmpegError), av.open(file) as media:
        next(media.demux())

    assert canary.asked


@pytest.mark.parametrize("container", sorted(_sandbox.DEMUXERS))
def test_f29_the_decoder_fetches_nothing_even_past_the_sniffer(
    canary: Canary, container: str
) -> None:
    """Bytes handed straight to every demuxer that we use, playlists and media-like starts."""
    starts = [b"", TAG, b"RIFF\x24\x00\x00\x00WAVE", b"\x00\x00\x00\x14ftypM4A \x00\x00\x00\x00"]
    dash = f'<?xml version="1.0"?><MPD><BaseURL>{canary.url}/</BaseURL></MPD>'.encode()
    concat = f"ffconcat version 1.0\nfile {canary.url}/a.wav\n".encode()
    watch = _sandbox.DecodeLimits("x", 30, lambda: False)
    for start in starts:
        for body in (_playlist(f"{canary.url}/a.ts"), dash, concat):
            with pytest.raises(InputError):
                with _sandbox.opened(io.BytesIO(start + body), container, "x", watch) as media:
                    _sandbox.audio_stream(media, "x")
    assert canary.asked == []


# ------------------------------------------------------------------ 30: ffconcat


@pytest.mark.parametrize("name", ["a.wav", "a.ffconcat", "a.txt"])
def test_f30_an_ffconcat_list_never_reads_its_neighbour(tmp_path: Path, name: str) -> None:
    """Whatever it is called, the victim beside it stays unread."""
    wav(tmp_path / "victim.wav", tone(1))
    for text in (b"ffconcat version 1.0\nfile victim.wav\n", b"file 'victim.wav'\n"):
        path = _file(tmp_path, name, text)
        assert _code(path) in ("unsafe_input", "unsupported_media")


# ------------------------------------------------------------------ 31: protocols as names


@pytest.mark.parametrize(
    "form",
    [
        "{url}/a.wav",
        "HTTP://127.0.0.1/a.wav",
        "https://example.org/a.wav",
        "file:{victim}",
        "file://{victim}",
        "concat:{victim}|{victim}",
        "concatf:{victim}",
        "subfile,,start,0,end,99,,:{victim}",
        "cache:{url}/a.wav",
        "async:cache:{url}/a.wav",
        "crypto+file:{victim}",
        "data:audio/wav;base64,UklGRg==",
        "pipe:0",
        "fd:0",
        "tcp://127.0.0.1:9",
        "unix:{victim}",
        "s3://bucket/a.wav",
        "unheard-of://x/a.wav",
    ],
)
def test_f31_protocols_are_refused_as_names(tmp_path: Path, canary: Canary, form: str) -> None:
    """As a string and as a path, with a good file beside it that goes through."""
    victim = wav(tmp_path / "victim.wav", tone(1))
    text = form.format(url=canary.url, victim=victim)
    taken = intake([text, Path(text), victim], tmp_path, SETTINGS)

    assert [result.path for result in taken.files] == [victim]
    assert taken.rejected[0].error.code == "unsafe_input"
    assert taken.rejected[1].error.code in ("unsafe_input", "input_missing")
    assert canary.asked == []


# ------------------------------------------------------------------ 32: bombs and lies


@pytest.mark.parametrize("claimed_s", [36_000, 0, 1], ids=["honest", "unknown", "lying"])
def test_f32_ten_hours_of_silence_are_refused_in_time_and_memory(
    tmp_path: Path, claimed_s: float
) -> None:
    """130 kB that would be 2.3 GB: refused within 5 s in less than 1.5 GiB of address space."""
    path = flac_of_silence(tmp_path / "a.flac", 36_000, claimed_s)
    assert path.stat().st_size < 150_000
    code = (
        "import json, resource, sys, time\n"
        "from hybrid_transcribe.audio.decode import decode\n"
        "from hybrid_transcribe.config import Settings\n"
        "resource.setrlimit(resource.RLIMIT_AS, (1536 << 20, 1536 << 20))\n"
        "start = time.process_time()\n"
        "try:\n"
        "    for clip in decode(sys.argv[1], name='x', settings=Settings()): del clip\n"
        "except Exception as error: found = error.info().code\n"
        "print(json.dumps([found, time.process_time() - start]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    result, seconds = json.loads(done.stdout)

    assert result == "too_long"
    assert seconds < 5


def test_f32_headers_that_lie_are_not_believed(tmp_path: Path) -> None:
    """A WAV that claims hours is as long as its bytes; an MP4 that claims 80 million is refused."""
    path = _file(tmp_path, "a.wav", wav_bytes(tone(1).tobytes(), claimed=0x7FFFFFF0))
    assert [clip.duration_s for clip in decode(path, name="x", settings=SETTINGS)] == [1.0]

    for samples, tracks in ((80_000_000, 1), (2**32 - 1, 32)):
        assert _code(_file(tmp_path, "a.m4a", mp4_claiming(samples, tracks))) == "unsafe_input"


# ------------------------------------------------------------------ 33: absurd shapes


@pytest.mark.parametrize(
    ("rate_hz", "channels"),
    [(1, 1), (3_999, 1), (384_001, 1), (10_000_000, 1), (16_000, 65), (16_000, 255)],
)
def test_f33_absurd_rates_and_channels_are_refused(
    tmp_path: Path, rate_hz: int, channels: int
) -> None:
    """One sample a second would become 16,000; 255 channels are nobody's recording."""
    data = wav_bytes(bytes(2 * channels * 100), rate_hz, channels)

    assert _code(_file(tmp_path, "a.wav", data)) == "unsafe_input"


def test_f33_the_ends_of_what_is_allowed_are_heard(tmp_path: Path) -> None:
    """4 kHz telephones and 384 kHz studios."""
    for rate_hz in (4_000, 384_000):
        path = wav(tmp_path / f"{rate_hz}.wav", tone(1, rate_hz), rate_hz)
        (clip,) = decode(path, name="x", settings=SETTINGS)
        assert clip.duration_s == pytest.approx(1, abs=0.01)


def test_f33_forty_streams_are_refused(tmp_path: Path) -> None:
    """Each costs memory before anything is heard."""
    path = encoded(tmp_path / "a.mka", tone(0.2, 44_100), streams=40)
    with pytest.raises(UnsafeInput, match="40 streams in one file; at most 32"):
        probe(path, SETTINGS)


# ------------------------------------------------------------------ 34: no audio at all


@pytest.mark.parametrize(
    ("data", "code", "found"),
    [
        (b"import os\n\ndef main():\n    pass\n", "unsupported_media", "Python source"),
        (Path(sys.executable).read_bytes()[:4096], "unsupported_media", "program"),
        (b"", "empty_input", "0 bytes"),
        (b"\x13\x37" * 3000, "unsupported_media", "no kind we know"),
        (b"plain words", "unsupported_media", "text"),
    ],
)
def test_f34_what_is_no_audio_is_refused_with_what_it_is(
    tmp_path: Path, data: bytes, code: str, found: str
) -> None:
    """Before a model, or any native parser, sees it."""
    path = _file(tmp_path, "given.wav", data)
    assert _code(path) == code
    (rejected,) = intake(path, tmp_path, SETTINGS).rejected

    assert rejected.error.code == code
    assert found in rejected.error.message


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".avi"])
def test_f34_a_mute_film_has_no_audio(tmp_path: Path, suffix: str) -> None:
    """And the message says what it has."""
    path = video(tmp_path / f"mute{suffix}")
    assert _code(path) == "no_audio"
    with pytest.raises(NoAudio, match="only video"):
        probe(path, SETTINGS)


# ------------------------------------------------------------------ 35: zips


def _refused(path: Path, into: Path, settings: Settings = SETTINGS) -> str:
    """The message with which the whole zip is refused, having left nothing behind."""
    with pytest.raises(BrokenArchive) as caught:
        unpack(path, into, settings)
    assert list(into.iterdir()) == []
    return str(caught.value)


def test_f35_overlapping_entries_are_a_bomb(tmp_path: Path, into: Path) -> None:
    """Many entries over the same bytes, which CPython 3.11.7 would inflate one by one."""
    path = overlapping(tmp_path / "a.zip", wav_bytes(bytes(MIB)), 500)

    assert "overlap" in _refused(path, into)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_f35_what_unpacks_too_well_is_a_bomb(tmp_path: Path, into: Path, method: int) -> None:
    """By the ratio, before it is unpacked, however it was packed."""
    path = packed(tmp_path / "a.zip", ("a.wav", wav_bytes(bytes(80 * MIB))), method=method)

    assert "200 times" in _refused(path, into)


def test_f35_a_bomb_in_small_pieces_is_a_bomb(tmp_path: Path, into: Path) -> None:
    """Each entry within what is free, all of them beyond."""
    silence = wav_bytes(bytes(30 * MIB))
    path = packed(tmp_path / "a.zip", *((f"{n}.wav", silence) for n in range(4)))

    assert "200 times" in _refused(path, into)


def test_f35_a_size_that_lies_gives_no_more_than_it_says(tmp_path: Path, into: Path) -> None:
    """An entry that claims 100 bytes and holds a megabyte is rejected, and gone."""
    path = packed(tmp_path / "a.zip", ("a.wav", wav_bytes(bytes(MIB))), ("b.wav", SOUND))
    patched(path, {22: b"\x64\0\0\0"}, {24: b"\x64\0\0\0"})
    unpacked = unpack(path, into, SETTINGS)

    assert [entry.name for entry in unpacked.entries] == ["b.wav"]
    assert [rejection.name for rejection in unpacked.rejected] == ["a.wav"]
    assert len(list(into.iterdir())) == 1


@pytest.mark.parametrize("name", ["inner.zip", "inner.wav"])
def test_f35_zips_in_zips_are_not_opened(tmp_path: Path, into: Path, name: str) -> None:
    """By its name, or by its bytes when it is called otherwise."""
    path = packed(tmp_path / "a.zip", (name, nested(5, SOUND)), ("a.wav", SOUND))
    unpacked = unpack(path, into, SETTINGS)

    assert [entry.name for entry in unpacked.entries] == ["a.wav"]
    assert unpacked.rejected[0].error.code == "broken_archive"
    assert "inside a zip is not opened" in unpacked.rejected[0].error.message


def test_f35_encrypted_entries_say_so(tmp_path: Path, into: Path) -> None:
    """Nobody is asked for a password; the other entries come out."""
    path = packed(tmp_path / "a.zip", ("a.wav", SOUND), ("b.wav", SOUND))
    unpacked = unpack(patched(path, {6: b"\x01\0"}, {8: b"\x01\0"}), into, SETTINGS)

    assert "encrypted" in unpacked.rejected[0].error.message
    assert [entry.name for entry in unpacked.entries] == ["b.wav"]


def test_f35_broken_zips_are_refused_whole(tmp_path: Path, into: Path) -> None:
    """Cut at any tenth of its length."""
    whole = packed(tmp_path / "a.zip", ("a.wav", SOUND), ("b.wav", SOUND)).read_bytes()
    for tenth in range(10):
        path = _file(tmp_path, "cut.zip", whole[: len(whole) * tenth // 10])
        assert "cut.zip" in _refused(path, into)


def test_f35_a_hundred_thousand_entries_are_refused(tmp_path: Path, into: Path) -> None:
    """Announced honestly, or hidden behind a small number."""
    for announced in (65_535, 3):
        path = listing(tmp_path / "a.zip", 100_000, announced)
        assert "at most 10000 allowed" in _refused(path, into)


# ------------------------------------------------------------------ 36: hostile names

HOSTILE = [
    "../../../../etc/cron.d/a.wav",
    "/etc/a.wav",
    "C:\\Windows\\a.wav",
    "..\\..\\a.wav",
    "a\u202egpj.wav",
    "x" * 4000 + ".wav",
    "same.wav",
    "same.wav",
    "con.wav",
    "line\nbreak.wav",
    "-rf.wav",
    "$(reboot).wav",
    "a.wav/",
]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_f36_hostile_names_in_zips_stay_inert(tmp_path: Path, into: Path) -> None:
    """Files lie under random names in their folder; what is shown cannot hide or reorder."""
    path = packed(tmp_path / "a.zip", *((name, SOUND) for name in HOSTILE))
    unpacked = unpack(path, into, SETTINGS)

    assert len(unpacked.entries) == len(HOSTILE) - 1  # The last is a folder.
    assert {entry.path for entry in unpacked.entries} == set(into.iterdir())
    for entry in unpacked.entries:
        assert entry.path.parent == into
        assert set(entry.path.stem) <= set("0123456789abcdef")
        assert len(entry.name) <= MAX_NAME
        assert not set(entry.name) & set("/\\\u202e\n\0")
    assert list(Path(tempfile.gettempdir()).glob("etc/cron.d/*")) == []


def test_f36_a_nul_in_a_name_ends_nothing(tmp_path: Path, into: Path) -> None:
    """The name is shown without it, or as far as it goes."""
    path = packed(tmp_path / "a.zip", ("aaXbb.wav", SOUND))
    path.write_bytes(path.read_bytes().replace(b"aaXbb.wav", b"aa\0bb.wav"))
    unpacked = unpack(path, into, SETTINGS)
    lines = [entry.name for entry in unpacked.entries] + [r.name for r in unpacked.rejected]

    assert lines in (["aa"], ["aabb.wav"])


def test_f36_links_in_zips_are_not_followed(tmp_path: Path, into: Path) -> None:
    """A symbolic link is rejected, and nothing is made of it."""
    victim = wav(tmp_path / "victim.wav", tone(1))
    unpacked = unpack(linking(tmp_path / "a.zip", "a.wav", str(victim)), into, SETTINGS)

    assert [rejection.error.code for rejection in unpacked.rejected] == ["unsafe_input"]
    assert list(into.iterdir()) == []


def test_f36_hostile_names_of_files_are_shown_inert(tmp_path: Path, into: Path) -> None:
    """Whether the file is there or not, neither name nor message carries control characters."""
    real = wav(tmp_path / "a\u202egpj.wav", tone(0.1))
    items = [real, "x" * 4000 + ".wav", "a\0b.wav", "../\u202egone.wav", "two\nlines.wav"]
    taken = intake(items, into, SETTINGS)

    assert [result.name for result in taken.files] == ["agpj.wav"]
    assert len(taken.rejected) == 4
    for rejection in taken.rejected:
        assert rejection.error.code == "input_missing"
        assert not set(rejection.name + rejection.error.message) & set("\u202e\n\0")
