"""Times are the container's: late starts, gaps, joined files, wrong time stamps."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hybrid_transcribe.audio._clock import ClockRules, MediaClock, Silence
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.audio.report import DecodeReport
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import TooLong
from hybrid_transcribe.types import RATE_HZ
from tests.audio.films import SOUNDS, decoded, film, onsets, steady
from tests.audio.makers import encoded, tone, wav

SETTINGS = Settings()
LATE_S = 4.0


@pytest.mark.parametrize("suffix", SOUNDS)
def test_sound_that_begins_late_begins_late(tmp_path: Path, suffix: str) -> None:
    """As a player shows it beside the pictures, give or take an encoder's delay."""
    path = film(tmp_path / f"late{suffix}", [(LATE_S, steady(3))])
    samples, clips = decoded(path)

    assert onsets(samples) == [pytest.approx(LATE_S, abs=0.06)]
    assert clips[0].start_s == pytest.approx(LATE_S, abs=0.06)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_sound_alone_that_begins_late_begins_late(tmp_path: Path, suffix: str) -> None:
    """Measured in Chromium: these are played on the clock of the file, without pictures too."""
    path = film(tmp_path / f"late{suffix}", [(LATE_S, steady(3))], pictures=False)

    assert onsets(decoded(path)[0]) == [pytest.approx(LATE_S, abs=0.06)]


@pytest.mark.parametrize("suffix", SOUNDS)
def test_a_gap_is_silence(tmp_path: Path, suffix: str) -> None:
    """What comes behind it keeps its time, and nothing is called damaged."""
    path = film(tmp_path / f"gap{suffix}", [(0.0, steady(3)), (8.0, steady(2))])
    report = DecodeReport()
    samples, _ = decoded(path, report=report)

    assert onsets(samples) == [pytest.approx(0, abs=0.1), pytest.approx(8, abs=0.1)]
    assert report.lines == []
    assert not report.incomplete


def test_a_long_gap_comes_in_blocks(tmp_path: Path) -> None:
    """However long it is, no clip is longer than a block."""
    path = film(tmp_path / "gap.mkv", [(0.0, steady(1)), (60.0, steady(1))], pictures=False)
    samples, clips = decoded(path, SETTINGS.but(block_s=10))

    assert all(clip.duration_s <= 10 for clip in clips)
    assert onsets(samples)[1] == pytest.approx(60, abs=0.06)


def test_gaps_count_as_length(tmp_path: Path) -> None:
    """Two seconds of sound with a minute between them are a minute."""
    path = film(tmp_path / "gap.mkv", [(0.0, steady(1)), (60.0, steady(1))], pictures=False)

    with pytest.raises(TooLong):
        decoded(path, SETTINGS.but(max_duration_s=30))


def test_resuming_behind_a_gap_gives_the_same_samples(tmp_path: Path) -> None:
    """Also from within it, and from before a late start."""
    path = film(tmp_path / "gap.mkv", [(2.0, steady(1)), (8.0, steady(2))])
    whole, _ = decoded(path)
    for start_s in (1.0, 2.5, 5.0, 9.0):
        clips = list(decode(path, name="x", settings=SETTINGS, start_s=start_s))
        at = round(clips[0].start_s * RATE_HZ)
        assert clips[0].start_s == pytest.approx(max(start_s, 2.0), abs=0.06)
        assert np.array_equal(np.concatenate([c.samples for c in clips]), whole[at:])


def test_recordings_one_behind_the_other_go_on(tmp_path: Path) -> None:
    """A transport stream joined to another begins a new clock: it is not followed, and said."""
    item = film(tmp_path / "a.ts", [(0.0, steady(3))], pictures=False).read_bytes()
    path = tmp_path / "ab.ts"
    path.write_bytes(item + item)
    report = DecodeReport()
    samples, _ = decoded(path, report=report)

    assert len(samples) / RATE_HZ == pytest.approx(6, abs=0.2)
    assert [line for line in report.lines if line.startswith("The clock of the file jumps at 3.")]


def test_an_edit_list_that_cuts_the_start_keeps_the_rest_in_place(tmp_path: Path) -> None:
    """The priming of AAC shifts nothing: a click lies where it was recorded."""
    samples = np.zeros(3 * 48_000, np.int16)
    samples[48_000 : 48_000 + 480] = 20_000
    path = film(tmp_path / "click.mp4", [(0.0, samples)], pictures=False)
    event, _ = decoded(path)

    assert int(np.argmax(np.abs(event))) / RATE_HZ == pytest.approx(1.005, abs=0.012)


def _avi(path: Path, seconds: float, **header: int) -> Path:
    """An AVI of MP3 with other values in the header of its stream: 32 bits, by their names."""
    places = {"scale": 20, "rate": 24, "start": 28, "sample_size": 44}
    content = bytearray(encoded(path, tone(seconds, 44_100)).read_bytes())
    for name, value in header.items():
        struct.pack_into("<I", content, content.find(b"auds") + places[name], value)
    path.write_bytes(content)
    return path


def test_an_avi_begins_where_its_header_says(tmp_path: Path) -> None:
    """Its unit is a frame of MP3, 1,152 samples: 153 of them are 4 s."""
    samples, clips = decoded(_avi(tmp_path / "late.avi", 3, start=153))

    assert clips[0].start_s == pytest.approx(LATE_S, abs=0.01)
    assert len(samples) / RATE_HZ == pytest.approx(LATE_S + 3, abs=0.1)


@pytest.mark.parametrize("rate", [2_000, 32_000])
def test_an_avi_with_a_bit_rate_that_is_not_true_is_heard_whole(tmp_path: Path, rate: int) -> None:
    """Variable bit rates were written as constant ones: 8,000 bytes a second here."""
    path = _avi(tmp_path / "a.avi", 5, scale=1, rate=rate, sample_size=1)
    report = DecodeReport()
    samples, clips = decoded(path, report=report)

    assert clips[0].start_s == 0
    assert len(samples) / RATE_HZ == pytest.approx(5, abs=0.1)
    assert report.lines == []


@pytest.mark.parametrize("suffix", [".aac", ".mp3", ".ac3"])
def test_a_bare_stream_goes_on_behind_a_hole(tmp_path: Path, suffix: str) -> None:
    """It has no clock: what comes behind begins earlier by what is missing, as in a player."""
    path = encoded(tmp_path / f"a{suffix}", tone(6, 48_000), 48_000)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 3] + content[len(content) // 2 :])
    samples, clips = decoded(path)

    assert clips[0].start_s == 0
    assert len(samples) / RATE_HZ == pytest.approx(5, abs=0.2)


class _Frame:
    """A frame of a second, as far as the clock looks at it."""

    samples, sample_rate = 100, 100

    def __init__(self, time: float | None) -> None:
        self.time = time


def _followed(
    stamps: Sequence[float | None], rules: ClockRules, others: float = 0.0
) -> tuple[list[Any], MediaClock]:
    """What becomes of frames of a second; before each, another stream steps by ``others``."""
    clock = MediaClock(rules)
    items: list[Any] = []
    seen_s = 0.0

    def frames() -> Iterable[Any]:
        nonlocal seen_s
        for stamp in stamps:
            while others and stamp is not None and seen_s < stamp:
                seen_s += others
                clock.pass_by(seen_s)
            yield _Frame(stamp)

    for item in clock.follow(frames(), lambda *_: None):
        items.append(round(item.duration_s, 6) if isinstance(item, Silence) else item.time)
    return items, clock


class TestClock:
    def test_jitter_is_no_gap(self) -> None:
        """Time stamps are rounded, and drift a little."""
        items, _ = _followed([0, 1.04, 1.97, 3.05, None], ClockRules(0.0, None, 100))

        assert items == [0, 1.04, 1.97, 3.05, None]

    def test_what_repeats_is_dropped(self) -> None:
        """A second that was heard already is not heard again."""
        items, clock = _followed([0, 1, 2, 2.2, 3], ClockRules(0.0, None, 100))

        assert items == [0, 1, 2, 3]
        assert clock.position_s == 4

    def test_a_gap_beyond_the_header_is_a_wrong_stamp(self) -> None:
        """It is not filled, and times go on; up to a minute it is believed all the same."""
        items, clock = _followed([0, 500, 501], ClockRules(0.0, 10.0, 1000))
        assert items == [0, 500, 501]
        assert clock.jumps == [1.0]
        assert _followed([0, 30], ClockRules(0.0, 10.0, 1000))[0] == [0, 29.0, 30]

    def test_a_gap_beyond_the_limit_is_not_filled(self) -> None:
        """Whatever the header says."""
        assert _followed([0, 5000], ClockRules(0.0, 6000.0, 1000))[0] == [0, 5000]

    def test_a_broadcast_that_jumps_has_a_new_clock(self) -> None:
        """Unless its pictures went on all the while."""
        rules = ClockRules(100.0, None, 1000, restarts=True)
        assert _followed([100, 101, 150], rules)[0] == [100, 101, 150]
        assert _followed([100, 101, 150], rules, others=0.5)[0] == [100, 101, 48.0, 150]

    def test_a_start_before_zero_is_zero(self) -> None:
        """Nothing lies before the beginning."""
        items, clock = _followed([-2, -1, 0], ClockRules(0.0, None, 100))

        assert items == [-2, -1, 0]
        assert (clock.start_s, clock.position_s) == (0.0, 3.0)

    def test_an_impossible_start_is_zero(self) -> None:
        """A recording that would begin beyond the longest one allowed begins at once."""
        assert _followed([50_000], ClockRules(0.0, None, 1000))[1].start_s == 0.0


def test_a_wav_begins_at_zero(tmp_path: Path) -> None:
    """And ends where its samples end."""
    samples, clips = decoded(wav(tmp_path / "a.wav", tone(2)))

    assert clips[0].start_s == 0.0
    assert len(samples) == 2 * RATE_HZ


def test_a_film_with_a_time_code_track_is_heard(tmp_path: Path) -> None:
    """What cameras write beside sound and pictures is no sound, and no error at the end."""
    path = tmp_path / "camera.mov"
    with av.open(str(path), "w", options={"write_tmcd": "1"}) as out:
        track: Any = out.add_stream("pcm_s16le", rate=48_000)
        track.codec_context.layout = "mono"
        pictures: Any = out.add_stream("mpeg4", rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 32, 32, "yuv420p"
        out.metadata["timecode"] = "10:00:00:00"
        sound = av.AudioFrame.from_ndarray(steady(1)[None], format="s16", layout="mono")
        sound.sample_rate, sound.pts = 48_000, 0
        grey = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 128, np.uint8), format="rgb24")
        for packet in [*pictures.encode(grey), *pictures.encode(None), *track.encode(sound)]:
            out.mux(packet)
    with av.open(str(path)) as media:
        assert "data" in {stream.type for stream in media.streams}

    assert len(decoded(path)[0]) / RATE_HZ == pytest.approx(1, abs=0.05)
