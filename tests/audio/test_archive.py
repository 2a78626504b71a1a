"""Zips into recordings: what is good comes out, what is not says why, nothing stays behind."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from hybrid_transcribe.audio.archive import Unpacked, unpack
from hybrid_transcribe.config import MIB, Settings
from hybrid_transcribe.errors import BrokenArchive, InputMissing, TooLarge
from tests.audio.makers import tone, wav, wav_bytes
from tests.audio.zips import listing, packed, patched

SETTINGS = Settings()
SOUND = wav_bytes(tone(0.1).tobytes())


@pytest.fixture
def into(tmp_path: Path) -> Path:
    """An empty folder to unpack into."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    return folder


def reasons(unpacked: Unpacked) -> dict[str, str]:
    """Name to code of what was turned away."""
    return {rejection.name: rejection.error.code for rejection in unpacked.rejected}


def test_recordings_come_out_in_order_under_random_names(tmp_path: Path, into: Path) -> None:
    """People's names are kept apart from those of the files, which keep their extension only."""
    path = packed(tmp_path / "a.zip", ("b/zwei.WAV", SOUND), ("a/um.wav", SOUND), ("c", SOUND))
    unpacked = unpack(path, into, SETTINGS)

    assert [entry.name for entry in unpacked.entries] == ["zwei.WAV", "um.wav", "c"]
    assert [entry.path.suffix for entry in unpacked.entries] == [".wav", ".wav", ""]
    assert all(entry.path.read_bytes() == SOUND for entry in unpacked.entries)
    assert all(entry.size_bytes == len(SOUND) for entry in unpacked.entries)
    assert all(len(entry.path.stem) == 32 for entry in unpacked.entries)
    assert unpacked.rejected == ()


@pytest.mark.parametrize(
    "method",
    [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA],
)
def test_every_common_method_is_unpacked(tmp_path: Path, into: Path, method: int) -> None:
    """Stored, deflated, bzip2 and lzma."""
    sound = wav_bytes(tone(20).tobytes())
    (entry,) = unpack(
        packed(tmp_path / "a.zip", ("a.wav", sound), method=method), into, SETTINGS
    ).entries

    assert entry.path.read_bytes() == sound


def test_litter_is_passed_over_in_silence(tmp_path: Path, into: Path) -> None:
    """Folders, hidden files and what macOS and Windows leave are not worth a word."""
    litter = ["a/", "__MACOSX/._a.wav", "x/.DS_Store", "Thumbs.db", ".git/a.wav", "x/desktop.ini"]
    path = packed(tmp_path / "a.zip", *((name, SOUND) for name in litter), ("x/a.wav", SOUND))
    unpacked = unpack(path, into, SETTINGS)

    assert [entry.name for entry in unpacked.entries] == ["a.wav"]
    assert unpacked.rejected == ()


def test_what_is_no_recording_is_rejected_and_removed(tmp_path: Path, into: Path) -> None:
    """By its bytes, where its name promised one; its neighbours are unpacked."""
    path = packed(
        tmp_path / "a.zip",
        ("notes.txt", b"Dear diary"),
        ("cover.jpg", b"\xff\xd8\xff\xe0 a picture"),
        ("list.m3u", b"#EXTM3U\na.wav"),
        ("talk.mp3", b"Dear diary"),
        ("empty.wav", b""),
        ("list.mp3", b"#EXTM3U\n/etc/passwd"),
        ("a.wav", SOUND),
    )
    unpacked = unpack(path, into, SETTINGS)

    assert reasons(unpacked) == {
        "talk.mp3": "unsupported_media",
        "empty.wav": "empty_input",
        "list.mp3": "unsafe_input",
    }
    assert unpacked.other == ("notes.txt", "cover.jpg", "list.m3u")
    assert [p.name for p in into.iterdir()] == [unpacked.entries[0].path.name]


def test_a_damaged_entry_is_rejected_alone(tmp_path: Path, into: Path) -> None:
    """A wrong checksum costs that entry; its partial file goes."""
    path = packed(tmp_path / "a.zip", ("a.wav", SOUND), ("b.wav", SOUND))
    unpacked = unpack(patched(path, {}, {16: b"\0\0\0\0"}), into, SETTINGS)

    assert reasons(unpacked) == {"a.wav": "broken_archive"}
    assert "damaged" in unpacked.rejected[0].error.message
    assert [p.name for p in into.iterdir()] == [unpacked.entries[0].path.name]


def test_an_unknown_method_is_rejected_alone(tmp_path: Path, into: Path) -> None:
    """Methods that the standard library does not have are named."""
    path = packed(tmp_path / "a.zip", ("a.wav", SOUND), ("b.wav", SOUND))
    unpacked = unpack(patched(path, {8: b"\x5f\0"}, {10: b"\x5f\0"}), into, SETTINGS)

    assert "method 95" in unpacked.rejected[0].error.message
    assert len(unpacked.entries) == 1


def test_silence_that_packs_well_is_no_bomb(tmp_path: Path, into: Path) -> None:
    """Twenty minutes of silence pack a thousand times, and are let through."""
    silence = wav_bytes(bytes(20 * 60 * 32_000))
    assert len(silence) < 64 * MIB
    path = packed(tmp_path / "a.zip", ("silence.wav", silence))
    assert len(silence) > 500 * path.stat().st_size

    assert len(unpack(path, into, SETTINGS).entries) == 1


def test_a_large_entry_is_rejected_alone(tmp_path: Path, into: Path) -> None:
    """The limit of one file holds inside zips too."""
    path = packed(tmp_path / "a.zip", ("long.wav", SOUND * 9), ("a.wav", SOUND))
    unpacked = unpack(path, into, SETTINGS.but(max_file_bytes=2 * len(SOUND)))

    assert reasons(unpacked) == {"long.wav": "too_large"}
    assert len(unpacked.entries) == 1


def test_entries_beyond_the_room_left_are_rejected_unread(tmp_path: Path, into: Path) -> None:
    """A job takes so many recordings and no more."""
    path = packed(tmp_path / "a.zip", *((f"{n}.wav", SOUND) for n in range(4)))
    unpacked = unpack(path, into, SETTINGS, max_files=2)

    assert [entry.name for entry in unpacked.entries] == ["0.wav", "1.wav"]
    assert reasons(unpacked) == {"2.wav": "too_many", "3.wav": "too_many"}


def test_a_zip_that_is_none_raises(tmp_path: Path, into: Path) -> None:
    """Not a zip, not there, too large: told apart."""
    path = wav(tmp_path / "a.zip", tone(1))
    with pytest.raises(BrokenArchive, match=r"a\.zip: not a whole zip"):
        unpack(path, into, SETTINGS)
    with pytest.raises(InputMissing):
        unpack(tmp_path / "gone.zip", into, SETTINGS)
    with pytest.raises(TooLarge):
        unpack(path, into, SETTINGS.but(archive_max_bytes=1000))


def test_entries_are_counted_not_believed(tmp_path: Path, into: Path) -> None:
    """A table that announces one entry and has eleven thousand is refused all the same."""
    with pytest.raises(BrokenArchive, match="10001 entries in one zip; at most 10000"):
        unpack(listing(tmp_path / "a.zip", 11_000, announced=1), into, SETTINGS)


def test_bytes_are_counted_in_all(tmp_path: Path, into: Path) -> None:
    """Past the total nothing of the zip remains."""
    silence = wav_bytes(bytes(100_000))
    path = packed(tmp_path / "a.zip", *((f"{n}.wav", silence) for n in range(9)))

    with pytest.raises(BrokenArchive, match="unpacks to more than"):
        unpack(path, into, SETTINGS.but(archive_max_bytes=500_000))
    assert list(into.iterdir()) == []


def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, into: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is no fault of the zip, so the system's own error comes through."""
    path = packed(tmp_path / "a.zip", ("a.wav", SOUND), ("b.wav", SOUND))
    real, opened = Path.open, []

    def full(self: Path, mode: str = "r", *args: object, **how: object) -> object:
        if mode == "xb":
            opened.append(self)
            if len(opened) == 2:
                raise OSError(28, "No space left on device")
        return real(self, mode, *args, **how)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space left"):
        unpack(path, into, SETTINGS)
    assert list(into.iterdir()) == []
