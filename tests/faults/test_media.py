"""Rows 60 to 69: what recordings hold, and what is said of what they lack."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hybrid_transcribe import Service, sample
from hybrid_transcribe.audio.intake import intake
from hybrid_transcribe.audio.probe import probe
from hybrid_transcribe.audio.report import DecodeReport
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import (
    BrokenMedia,
    InputError,
    InvalidOption,
    NoAudio,
    UnsupportedMedia,
)
from hybrid_transcribe.types import RATE_HZ
from tests.audio.films import decoded, film, onsets, steady
from tests.audio.makers import encoded, tone, wav, wav_bytes
from tests.services import service

SETTINGS = Settings()


def report_of(path: Path, **how: Any) -> tuple[np.ndarray, DecodeReport]:
    """Samples of a recording, and what there was to say."""
    report = DecodeReport()
    samples, _ = decoded(path, report=report, **how)
    return samples, report


def level(samples: np.ndarray) -> float:
    """Peak of the middle of a recording."""
    middle = samples[len(samples) // 4 : -len(samples) // 4]
    return float(np.abs(middle).max())


def float_wav(path: Path, channels: np.ndarray, rate_hz: int = 16_000) -> Path:
    """float32 samples, shape (n_samples, n_channels), as a WAV of format 3."""
    data = channels.astype("<f4").tobytes()
    width = 4 * channels.shape[1]
    form = struct.pack("<HHIIHH", 3, channels.shape[1], rate_hz, rate_hz * width, width, 32)
    path.write_bytes(
        b"RIFF" + struct.pack("<I", len(data) + 36) + b"WAVEfmt " + struct.pack("<I", 16) + form
        + b"data" + struct.pack("<I", len(data)) + data
    )  # fmt: skip
    return path


def tracks(
    path: Path, *sounds: np.ndarray, default: int | None = None, languages: str = ""
) -> Path:
    """A file of several audio tracks of int16 samples at 48 kHz."""
    with av.open(str(path), "w") as out:
        streams: list[Any] = [out.add_stream("aac", rate=48_000) for _ in sounds]
        for number, stream in enumerate(streams):
            stream.codec_context.layout = "mono"
            stream.disposition = av.stream.Disposition(int(number == default))
            if languages:
                stream.metadata["language"] = languages.split()[number]
        for stream, samples in zip(streams, sounds, strict=True):
            for at in range(0, len(samples) - 1023, 1024):
                piece = (samples[at : at + 1024] / 32_768).astype(np.float32).reshape(1, -1)
                frame = av.AudioFrame.from_ndarray(piece, format="fltp", layout="mono")
                frame.sample_rate, frame.pts = 48_000, at
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
    return path


# ------------------------------------------------------------------ 60, 61: the clock


def test_f60_a_late_start_reaches_the_cues(tmp_path: Path) -> None:
    """A segment of a film whose sound begins at 4 s begins at 4 s, and resumes there too."""
    path = film(tmp_path / "late.mkv", [(4.0, steady(3))])
    with service() as s:
        (transcript,) = s.submit(path).result(60)

    assert transcript.segments[0].start_s == pytest.approx(4, abs=0.06)
    assert transcript.duration_s == pytest.approx(7, abs=0.1)


def test_f61_a_gap_stands_between_words(tmp_path: Path) -> None:
    """Packets of five seconds are taken out of a stream: what follows keeps its time."""
    path = film(tmp_path / "gap.ts", [(0.0, steady(3)), (8.0, steady(2))])

    assert onsets(decoded(path)[0])[1] == pytest.approx(8, abs=0.1)


# ------------------------------------------------------------------ 62: tracks


@pytest.mark.parametrize("suffix", [".mkv", ".mp4"])
@pytest.mark.parametrize("default", [0, 1, None])
def test_f62_a_silent_track_is_passed_over(
    tmp_path: Path, suffix: str, default: int | None
) -> None:
    """Whichever is marked as default; which one was heard is said."""
    path = tracks(tmp_path / f"a{suffix}", steady(3) * 0, steady(3), default=default)
    samples, report = report_of(path)

    assert level(samples) > 0.1
    assert report.lines[0].startswith("Track 2 of 2 was heard")


def test_f62_the_default_track_is_heard_unless_another_is_chosen(tmp_path: Path) -> None:
    """By number or by language, as a tag or as people write it; what is not there is named."""
    quiet = steady(2) // 4
    path = tracks(tmp_path / "a.mkv", quiet, steady(2), default=1, languages="eng por")
    loud = level(report_of(path)[0])

    for chosen in ("1", "eng", "en", "English"):
        assert level(report_of(path, audio_track=chosen)[0]) < loud / 3
    for chosen in ("2", "por", "pt-BR"):
        assert level(report_of(path, audio_track=chosen)[0]) == pytest.approx(loud)
    for use in (lambda: report_of(path, audio_track="3"), lambda: probe(path, SETTINGS, None, "3")):
        with pytest.raises(NoAudio, match=r"no audio track '3'; there are: 1 \(eng\); 2 \(por, d"):
            use()


def test_f62_the_track_is_said_in_the_result(tmp_path: Path) -> None:
    """Also where it was asked for."""
    path = tracks(tmp_path / "a.mkv", steady(2), steady(2))
    with service() as s:
        (first,) = s.submit(path).result(60)
        (second,) = s.submit(path, audio_track=2).result(60)

    assert first.warnings == ("Track 1 of 2 was heard; audio_track chooses another.",)
    assert second.warnings == ("Track 2 of 2 was heard; audio_track chooses another.",)


# ------------------------------------------------------------------ 63: channels


def test_f63_an_inverted_channel_does_not_silence_the_other(tmp_path: Path) -> None:
    """In whole samples, in lossy ones, and where it is a little weaker."""
    speech = tone(4)
    for factor in (-1.0, -0.9):
        both = np.stack([speech, (factor * speech).astype(np.int16)], axis=1)
        samples, report = report_of(wav(tmp_path / "a.wav", both))
        assert level(samples) > 0.3
        assert report.lines == [
            "One channel is inverted and would cancel the other: their difference was heard."
        ]


def test_f63_a_cable_that_goes_wrong_in_the_middle_is_noticed(tmp_path: Path) -> None:
    """The rest of the recording is heard within seconds."""
    speech = tone(30)
    other = speech.copy()
    other[10 * RATE_HZ :] *= -1
    samples, report = report_of(wav(tmp_path / "a.wav", np.stack([speech, other], axis=1)))

    assert np.abs(samples[: 8 * RATE_HZ]).max() > 0.3
    assert np.abs(samples[20 * RATE_HZ :]).max() > 0.3
    assert report.lines[0].startswith("One channel is inverted")


@pytest.mark.parametrize("broken", [0.0, 0.9, np.nan, np.inf], ids=str)
def test_f63_a_dead_channel_does_not_halve_the_other(tmp_path: Path, broken: float) -> None:
    """Silent, stuck at a level, or no numbers at all."""
    speech = tone(4).astype(np.float32) / 32_768
    for channels in (
        (speech, np.full_like(speech, broken)),
        (np.full_like(speech, broken), speech),
    ):
        samples, report = report_of(float_wav(tmp_path / "a.wav", np.stack(channels, axis=1)))
        assert level(samples) == pytest.approx(level(speech), rel=0.05)
        assert report.lines == []


@pytest.mark.parametrize("noise", ["hum", "hiss"])
def test_f63_a_channel_of_noise_does_not_drown_the_other(tmp_path: Path, noise: str) -> None:
    """A broken cable hums or hisses as loudly as the speech on the other channel."""
    speech = tone(6)
    at = np.arange(len(speech)) / RATE_HZ
    hum = 8000 * np.sin(2 * np.pi * 50 * at)
    hiss = np.random.default_rng(1).normal(0, 5000, len(speech))
    broken = (hum if noise == "hum" else hiss).astype(np.int16)
    samples, _ = report_of(wav(tmp_path / "a.wav", np.stack([broken, speech], axis=1)))

    assert np.corrcoef(samples, speech)[0, 1] > 0.95
    assert level(samples) == pytest.approx(level(speech / 32_768), rel=0.1)


@pytest.mark.parametrize("channels", [3, 4, 6, 8, 17, 32, 64])
def test_f63_every_track_of_a_field_recorder_is_heard(tmp_path: Path, channels: int) -> None:
    """No channel of a WAV without mask is an LFE, and one microphone of many stays loud."""
    for spoken in {0, 3 % channels, channels - 1}:
        tracks_ = np.random.default_rng(1).normal(0, 3, (32_000, channels)).astype(np.int16)
        tracks_[:, spoken] = tone(2)
        samples, _ = report_of(wav(tmp_path / "a.wav", tracks_))
        assert level(samples) == pytest.approx(level(tone(2) / 32_768), rel=0.1)


def test_f63_speech_in_the_centre_of_surround_is_not_lost_among_silent_channels(
    tmp_path: Path,
) -> None:
    """5.1 with a mask, all but the centre silent."""
    path = encoded(tmp_path / "a.flac", tone(3, 44_100), layout="5.1")
    assert level(report_of(path)[0]) > 0.3


# ------------------------------------------------------------------ 64: levels


@pytest.mark.parametrize("decibels", [-90, -60, 20, 40])
def test_f64_floats_far_from_full_scale_are_levelled(tmp_path: Path, decibels: int) -> None:
    """16 bits would leave nothing of them, or only their clipped peaks."""
    speech = tone(4).astype(np.float32) / 12_000
    path = float_wav(tmp_path / "a.wav", (speech * 10 ** (decibels / 20))[:, None])
    samples, report = report_of(path)

    assert 0.3 < level(samples) <= 1.0
    likeness = np.corrcoef(samples, speech)[0, 1]
    assert likeness > 0.99
    (line,) = report.lines
    assert line.startswith("Too quiet" if decibels < 0 else "Too loud")


def test_f64_ordinary_floats_are_left_alone(tmp_path: Path) -> None:
    """Bit by bit what 16 bits make of them; a quiet beginning is no quiet recording."""
    speech = tone(4).astype(np.float32) / 32_768
    speech[: 2 * RATE_HZ] *= 0.001
    samples, report = report_of(float_wav(tmp_path / "a.wav", speech[:, None]))

    assert report.lines == []
    assert np.allclose(samples, speech, atol=1 / 32_768)


# ------------------------------------------------------------------ 65: cut short

HALVES = [".wav", ".flac", ".mp3", ".m4a", ".mka", ".webm", ".ogg", ".opus", ".aiff", ".au", ".caf"]
HALVES += [".w64", ".avi", ".flv", ".wma", ".tta", ".wv"]


def _whole(folder: Path, suffix: str) -> Path:
    if suffix == ".wav":
        return wav(folder / "a.wav", tone(10))
    path = folder / f"a{'.opus' if suffix == '.ogg' else suffix}"
    return encoded(path, tone(10, 44_100))


@pytest.mark.parametrize("suffix", HALVES)
def test_f65_half_a_file_says_so(tmp_path: Path, suffix: str) -> None:
    """With the place where it ends; the whole file says nothing."""
    path = _whole(tmp_path, suffix)
    if suffix == ".m4a":
        path = _fast_start(path)
    assert report_of(path)[1].lines == []
    data = path.read_bytes()
    half = tmp_path / f"half{suffix}"
    half.write_bytes(data[: len(data) // 2])
    samples, report = report_of(half)

    assert 3 < len(samples) / RATE_HZ < 7
    assert [line for line in report.lines if line.startswith("Cut short: the file ")]
    assert report.incomplete


def _fast_start(path: Path) -> Path:
    """The same with its index in front."""
    moved = path.with_name("moved.m4a")
    with av.open(str(path)) as source:
        options = {"movflags": "faststart"}
        with av.open(str(moved), "w", format="ipod", options=options) as out:
            stream = out.add_stream_from_template(source.streams.audio[0])
            for packet in source.demux(source.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    return moved


@pytest.mark.parametrize("claimed", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000])
def test_f65_a_header_that_knows_no_length_says_nothing(tmp_path: Path, claimed: int) -> None:
    """As recorders write it that were never stopped: all of it is heard."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(tone(5).tobytes(), claimed=claimed))
    samples, report = report_of(path)

    assert (len(samples), report.lines) == (5 * RATE_HZ, [])


def test_f65_a_header_that_promises_too_little_is_not_believed(tmp_path: Path) -> None:
    """The rest is heard, and it is said."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(tone(5).tobytes(), claimed=32_000))
    samples, report = report_of(path)

    assert len(samples) == 5 * RATE_HZ
    assert report.lines[0].startswith("Its header promises less")


def test_f65_other_chunks_behind_the_sound_are_no_sound(tmp_path: Path) -> None:
    """Tags at the end of a WAV are not listened to."""
    path = tmp_path / "a.wav"
    path.write_bytes(wav_bytes(tone(2).tobytes()) + b"LIST" + struct.pack("<I", 9000) + bytes(9000))
    samples, report = report_of(path)

    assert (len(samples), report.lines) == (2 * RATE_HZ, [])


def test_f65_a_transcript_of_half_a_file_is_not_complete(tmp_path: Path) -> None:
    """In its JSON too; the recording itself has ended."""
    path = tmp_path / "half.wav"
    path.write_bytes(wav_bytes(tone(5).tobytes(), claimed=32_000 * 10))
    with service() as s:
        (transcript,) = s.submit(path).result(60)

    assert not transcript.complete
    assert transcript.warnings == ("Cut short: the file ends at 5.0 s of 10.0 s.",)


# ------------------------------------------------------------------ 66: damage

DAMAGED = [".flac", ".mp3", ".m4a", ".mka", ".webm", ".opus", ".aac", ".ac3", ".ts", ".wma", ".flv"]


@pytest.mark.parametrize("suffix", DAMAGED)
def test_f66_what_cannot_be_decoded_is_said(tmp_path: Path, suffix: str) -> None:
    """A tenth of the file is rubbish: where, and about how much."""
    path = _whole(tmp_path, suffix)
    data = bytearray(path.read_bytes())
    start, end = int(len(data) * 0.45), int(len(data) * 0.55)
    data[start:end] = np.random.default_rng(7).bytes(end - start)
    path.write_bytes(data)
    _, report = report_of(path)

    # Within one cluster of a WebM, FFmpeg finds no way on.
    said = ("Damaged: ", "Cut short: ") if suffix == ".webm" else ("Damaged: ",)
    assert any(line.startswith(said) for line in report.lines)


@pytest.mark.parametrize("suffix", [".flac", ".m4a", ".opus", ".ts", ".flv"])
def test_f66_damage_moves_nothing_behind_it(tmp_path: Path, suffix: str) -> None:
    """Silence stands for what is lost where the file has a clock."""
    samples = np.zeros(441_000, np.int16)
    samples[9 * 44_100 : 9 * 44_100 + 4410] = 20_000
    samples[: 7 * 44_100] = tone(7, 44_100)
    path = encoded(tmp_path / f"a{suffix}", samples)
    before = _click(report_of(path)[0])
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : len(data) // 2] = bytes(len(data) // 2 - len(data) // 3)
    path.write_bytes(data)

    assert _click(report_of(path)[0]) == pytest.approx(before, abs=0.05)


def _click(samples: np.ndarray) -> float:
    at = 8 * RATE_HZ
    return (at + int(np.argmax(np.abs(samples[at:]) > 0.3))) / RATE_HZ


# ------------------------------------------------------------------ 67: nothing usable


@pytest.mark.parametrize("suffix", [".wav", ".mp3", ".flac", ".opus", ".webm", ".aac"])
def test_f67_five_bytes_behind_a_header_are_an_error(tmp_path: Path, suffix: str) -> None:
    """Not an empty transcript."""
    path = _whole(tmp_path, suffix)
    size = {".wav": 49, ".mp3": 450, ".flac": 100, ".opus": 400, ".webm": 300, ".aac": 12}[suffix]
    path.write_bytes(path.read_bytes()[:size])

    with pytest.raises(InputError):
        report_of(path)


def test_f67_the_command_fails_where_nothing_is_usable(tmp_path: Path) -> None:
    """With the reason, and exit code 1."""
    path = tmp_path / "five.wav"
    path.write_bytes(wav_bytes(b"12345", claimed=5))
    code = "from hybrid_transcribe.cli import main; raise SystemExit(main())"
    command = [sys.executable, "-c", code, "transcribe", str(path), "--engine", "scripted"]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "HYBRID_TRANSCRIBE_ENGINES": "scripted=hybrid_transcribe.testing:ScriptedEngine",
        },
    )

    assert done.returncode == 1, done.stderr
    assert "too little to hear" in done.stderr


def test_f67_a_recording_without_its_index_says_what_to_do(tmp_path: Path) -> None:
    """The phone died while it recorded: no words of a library."""
    path = encoded(tmp_path / "a.m4a", tone(5, 44_100))
    path.write_bytes(path.read_bytes()[:20_000])

    with pytest.raises(BrokenMedia, match=r"its index \(moov\) is missing.*repair it"):
        report_of(path)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x1f\x43\xb6\x75" + bytes(500), "a later part of a WebM recording"),
        (b"\x00\x00\x00\x10moof" + bytes(500), "a later part of a MP4 recording"),
        (b"\x03ds2" + bytes(500), "a DS2 dictation"),
        (b"\x02#!SILK_V3" + bytes(500), "SILK"),
    ],
)
def test_f67_what_is_refused_is_named(tmp_path: Path, data: bytes, said: str) -> None:
    """With what to do about it."""
    path = tmp_path / "a.webm"
    path.write_bytes(data)

    with pytest.raises(UnsupportedMedia, match=said):
        probe(path, SETTINGS)


# ------------------------------------------------------------------ 68: whatever FFmpeg reads

MIDDLES = [".ts", ".mp3", ".aac", ".ac3", ".mpg", ".flac"]


@pytest.mark.parametrize("suffix", MIDDLES)
def test_f68_streams_from_the_middle_are_heard(tmp_path: Path, suffix: str) -> None:
    """A broadcast is recorded from anywhere in a packet."""
    path = encoded(tmp_path / f"a{suffix}", tone(6, 44_100))
    path.write_bytes(path.read_bytes()[20_001:])

    assert 1.5 < len(report_of(path)[0]) / RATE_HZ < 6


TAG = b"ID3\x03\x00\x00\x00\x00\x00\x7f" + b"\0" * 127
BEFORE = {"tag": TAG, "zeros": bytes(512), "junk": np.random.default_rng(5).bytes(3000)}


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize(
    "suffix", [".wav", ".flac", ".mp3", ".m4a", ".opus", ".webm", ".ts", ".aiff", ".wma", ".wv"]
)
def test_f68_tags_and_junk_before_the_beginning_are_passed_over(
    tmp_path: Path, suffix: str, before: str
) -> None:
    """Whatever the container."""
    path = _whole(tmp_path, suffix)
    whole = decoded(path)[0]
    path.write_bytes(BEFORE[before] + path.read_bytes())

    assert len(decoded(path)[0]) == pytest.approx(len(whole), abs=2000)


def test_f68_aac_in_latm_is_heard(tmp_path: Path) -> None:
    """As DAB+ and DVB carry it, from its beginning and from the middle."""
    path = tmp_path / "a.aac"
    with av.open(str(path), "w", format="latm") as out:
        source = encoded(tmp_path / "b.m4a", tone(6, 44_100))
        with av.open(str(source)) as film_:
            stream = out.add_stream_from_template(film_.streams.audio[0])
            for packet in film_.demux(film_.streams.audio[0]):
                if packet.dts is not None:
                    packet.stream = stream
                    out.mux(packet)
    for skipped in (0, 1001):
        path.write_bytes(path.read_bytes()[skipped:])
        assert 5 < len(report_of(path)[0]) / RATE_HZ < 6.2


# ------------------------------------------------------------------ 69: nothing vanishes


def test_f69_recordings_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    """In a folder, by every extension that recordings have, however rare."""
    wav(tmp_path / "good.wav", tone(1))
    names = [
        f"bad.{e}" for e in "weba 3gpp m2ts mpga awb vob dss mp3 mk3d opus oga dff rf64".split()
    ]
    for name in names:
        (tmp_path / name).write_bytes(np.random.default_rng(3).bytes(5000))
    taken = intake(tmp_path, tmp_path, SETTINGS)

    assert [result.name for result in taken.files] == ["good.wav"]
    assert sorted(rejection.name for rejection in taken.rejected) == sorted(names)


def test_f69_random_bytes_are_never_taken_for_sound(tmp_path: Path) -> None:
    """Streams are believed by chains of frames: chance makes none."""
    path = tmp_path / "a.bin"
    for seed in range(20):
        path.write_bytes(np.random.default_rng(seed).bytes(70_000))
        with pytest.raises(InputError):
            probe(path, SETTINGS)


def test_f62_all_tracks_are_recordings_of_their_own(tmp_path: Path) -> None:
    """Told apart by their names; a file with one track stays one recording."""
    three = tracks(tmp_path / "film.mkv", steady(1), steady(2), steady(3))
    item = wav(tmp_path / "talk.wav", tone(1))
    with service() as s:
        job = s.submit([three, item], audio_track="All")
        transcripts = job.result(60)

    assert [(t.name, round(t.duration_s or 0)) for t in transcripts] == [
        ("film (track 1).mkv", 1),
        ("film (track 2).mkv", 2),
        ("film (track 3).mkv", 3),
        ("talk.wav", 1),
    ]
    assert [t.warnings[:1] for t in transcripts][1] == (
        "Track 2 of 3 was heard; audio_track chooses another.",
    )


def test_f62_more_tracks_than_recordings_are_allowed_are_turned_away(tmp_path: Path) -> None:
    """The first ones are taken, and it is said."""
    path = tracks(tmp_path / "film.mkv", steady(1), steady(1), steady(1))
    with service(max_files=2) as s:
        job = s.submit(path, audio_track="all")
        assert len(job.result(60)) == 2
        (rejection,) = job.snapshot().rejected

    assert "more than 2 recordings" in rejection.error.message


@pytest.mark.parametrize("track", [0, "0", " "])
def test_f62_a_track_that_cannot_be_is_refused(tmp_path: Path, track: object) -> None:
    """Before any work."""
    path = wav(tmp_path / "a.wav", tone(1))
    with service() as s, pytest.raises(InvalidOption, match="a number from 1, or a language"):
        s.submit(path, audio_track=track)


@pytest.mark.model
def test_f62_engines_are_not_asked_about_tracks(tmp_path: Path) -> None:
    """The chosen track of a film is transcribed by the default engine."""
    with av.open(str(sample())) as source:
        frames = [frame.to_ndarray()[0] for frame in source.decode(audio=0)]
    speech = (np.concatenate(frames) * 32_767).astype(np.int16)
    path = tracks(tmp_path / "film.mkv", speech * 0, speech)
    with Service(journal=None) as s:
        (transcript,) = s.submit(path, model="tiny.en", audio_track="2").result(120)

    assert "country" in transcript.text
    assert transcript.warnings[0].startswith("Track 2 of 2 was heard")
