"""What a recording is, before anything of it is decoded."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.audio import _sandbox
from hybrid_transcribe.audio.probe import Probe, probe
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import BrokenMedia, TooLarge, TooLong, UnsafeInput
from hybrid_transcribe.errors import UnsupportedMedia as Unsupported
from tests.audio.makers import CODECS, encoded, mp4_claiming, tone, video, wav, wav_bytes

SETTINGS = Settings()


def test_a_wav_is_told_in_full(tmp_path: Path) -> None:
    """Length, container, codec, rate, channels and streams, all from the header."""
    path = wav(tmp_path / "a.wav", tone(2, 22_050), 22_050)

    assert probe(path, SETTINGS) == Probe(2.0, "wav", "pcm_s16le", 22_050, 1, 1)


def test_the_sound_of_a_film_is_found(tmp_path: Path) -> None:
    """A film counts its streams and tells its sound."""
    result = probe(video(tmp_path / "a.mp4", tone(2, 44_100)), SETTINGS)

    assert (result.codec, result.rate_hz, result.n_streams) == ("aac", 44_100, 2)


@pytest.mark.parametrize("suffix", CODECS)
def test_every_container_tells_its_length(tmp_path: Path, suffix: str) -> None:
    """Within a frame or two of the truth, by names that are FFmpeg's own."""
    result = probe(encoded(tmp_path / f"a{suffix}", tone(3, 44_100)), SETTINGS)

    assert result.duration_s == pytest.approx(3, abs=0.1 if suffix != ".mpg" else 0.3)
    assert result.codec in _sandbox.CODECS or result.codec.startswith("pcm_")


def test_a_length_over_the_limit_is_refused(tmp_path: Path) -> None:
    """By the header alone; a second of padding is forgiven."""
    path = wav(tmp_path / "a.wav", tone(5))

    assert probe(path, SETTINGS.but(max_duration_s=4.5)).duration_s == 5.0
    with pytest.raises(TooLong, match=r"talk\.wav: 0\.0 h"):
        probe(path, SETTINGS.but(max_duration_s=3.5), "talk.wav")


def test_a_guessed_length_is_not_held_against_a_file(tmp_path: Path) -> None:
    """MP3 without its first, stating frame, and AAC, are counted later instead."""
    whole = encoded(tmp_path / "a.mp3", tone(5, 44_100)).read_bytes()
    bare = tmp_path / "bare.mp3"
    bare.write_bytes(whole[whole.index(b"\xff\xfb", whole.index(b"Info")) :])
    short = SETTINGS.but(max_duration_s=2)

    assert probe(bare, short).duration_s == pytest.approx(5, abs=0.3)
    assert probe(encoded(tmp_path / "a.aac", tone(5, 44_100)), short).duration_s
    with pytest.raises(TooLong):
        probe(tmp_path / "a.mp3", short)


def test_a_recorder_that_never_closed_its_file_is_forgiven(tmp_path: Path) -> None:
    """A WAV whose header claims 4 GiB, as a cut recording does, is as long as its bytes."""
    path = tmp_path / "cut.wav"
    path.write_bytes(wav_bytes(tone(2).tobytes(), claimed=0xFFFFFFFF))

    assert probe(path, SETTINGS).duration_s == pytest.approx(2.0)


def test_too_many_bytes_are_refused_unopened(tmp_path: Path) -> None:
    """The limit is on the file's size."""
    with pytest.raises(TooLarge, match="at most 0 MiB"):
        probe(wav(tmp_path / "a.wav", tone(2)), SETTINGS.but(max_file_bytes=10_000))


def test_a_zip_is_no_recording(tmp_path: Path) -> None:
    """Zips are unpacked before, never decoded."""
    path = tmp_path / "a.wav"
    path.write_bytes(b"PK\x03\x04" + bytes(99))

    with pytest.raises(Unsupported, match="a zip where one recording was expected"):
        probe(path, SETTINGS)


def test_a_file_that_stops_after_its_magic_is_broken(tmp_path: Path) -> None:
    """What looks like a recording and is none says as what it could not be read."""
    path = tmp_path / "a.m4a"
    path.write_bytes(b"\x00\x00\x00\x18ftypM4A \x00\x00\x00\x00" + bytes(500))

    with pytest.raises(BrokenMedia, match="its index \\(moov\\) is missing"):
        probe(path, SETTINGS)


@pytest.mark.parametrize(("samples", "tracks"), [(80_000_000, 1), (10, 33)])
def test_an_index_larger_than_its_file_is_refused(
    tmp_path: Path, samples: int, tracks: int
) -> None:
    """FFmpeg would reserve 24 bytes for each sample claimed: 2 GB for a file of 677 bytes."""
    path = tmp_path / "a.m4a"
    path.write_bytes(mp4_claiming(samples, tracks))

    with pytest.raises(UnsafeInput, match=r"claims more samples|more than 32 streams"):
        probe(path, SETTINGS)


def test_boxes_nested_without_end_are_survived(tmp_path: Path) -> None:
    """Ten thousand boxes inside each other neither overflow the stack nor hang."""
    data = b""
    for _ in range(10_000):
        data = (len(data) + 8).to_bytes(4, "big") + b"moov" + data
    path = tmp_path / "a.m4a"
    path.write_bytes(data)

    with pytest.raises(BrokenMedia):
        probe(path, SETTINGS)
