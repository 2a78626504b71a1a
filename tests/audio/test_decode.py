"""Any recording into float32, mono, 16 kHz, cut into blocks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hybrid_transcribe.audio import _sandbox
from hybrid_transcribe.audio._blocks import MonoBlocks, quietest
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import BrokenMedia, TooLong, UnsafeInput
from hybrid_transcribe.types import RATE_HZ, Clip
from tests.audio.makers import CODECS, encoded, flac_of_silence, joined, pieces, tone, video, wav

SETTINGS = Settings()


def heard(path: Path, settings: Settings = SETTINGS, **how: Any) -> list[Clip]:
    """All clips of a recording."""
    return list(decode(path, name="talk", settings=settings, **how))


def loudness(samples: np.ndarray) -> float:
    """Root mean square, 0..1."""
    return float(np.sqrt(np.square(samples, dtype=np.float64).mean()))


class TestSamples:
    def test_the_sample_is_one_clip(self, sample: Path) -> None:
        """Eleven seconds come as one float32 clip that knows its name and starts at 0."""
        (clip,) = heard(sample)

        assert (clip.name, clip.start_s, clip.samples.dtype) == ("talk", 0.0, np.float32)
        assert clip.duration_s == pytest.approx(11.05, abs=0.1)
        assert 0.01 < loudness(clip.samples) < 1

    def test_16_khz_mono_comes_through_untouched(self, tmp_path: Path) -> None:
        """Sample by sample, scaled to -1..1."""
        samples = tone(3)
        (clip,) = heard(wav(tmp_path / "a.wav", samples))

        assert np.array_equal(clip.samples, samples.astype(np.float32) / 32_768)

    @pytest.mark.parametrize("suffix", CODECS)
    def test_every_container_gives_its_whole_length(self, tmp_path: Path, suffix: str) -> None:
        """The tone is heard for as long as it was played, give or take an encoder's padding."""
        (clip,) = heard(encoded(tmp_path / f"a{suffix}", tone(3, 44_100)))

        assert clip.duration_s == pytest.approx(3, abs=0.06)
        assert loudness(clip.samples) == pytest.approx(loudness(tone(3) / 32_768), rel=0.1)

    @pytest.mark.parametrize("channels", range(1, 17))
    def test_channels_are_averaged(self, tmp_path: Path, channels: int) -> None:
        """Up to sixteen, also where FFmpeg knows no way from such a layout to mono."""
        samples = np.repeat(tone(1)[:, None], channels, axis=1)
        (clip,) = heard(wav(tmp_path / "a.wav", samples))

        assert np.allclose(clip.samples, tone(1) / 32_768, atol=2e-4)

    def test_two_voices_on_two_channels_are_both_heard(self, tmp_path: Path) -> None:
        """Each at half its level."""
        remaining, right = tone(1), tone(1, pitch_hz=700)
        (clip,) = heard(wav(tmp_path / "a.wav", np.stack([remaining, right], axis=1)))

        mean = (remaining.astype(np.float32) + right) / 2 / 32_768
        assert np.allclose(clip.samples, mean, atol=2e-4)

    def test_the_sound_of_a_film_is_decoded(self, tmp_path: Path) -> None:
        """Its pictures are passed over."""
        (clip,) = heard(video(tmp_path / "a.mkv", tone(2, 44_100)))

        assert clip.duration_s == pytest.approx(2, abs=0.06)

    def test_a_rate_that_changes_in_mid_stream_keeps_the_time(self, tmp_path: Path) -> None:
        """Two MP3s of different rates, one behind the other, are as long as both."""
        first = encoded(tmp_path / "a.mp3", tone(2, 44_100), 44_100).read_bytes()
        second = encoded(tmp_path / "b.mp3", tone(2, 22_050), 22_050).read_bytes()
        path = tmp_path / "ab.mp3"
        path.write_bytes(first + second)

        assert sum(clip.duration_s for clip in heard(path)) == pytest.approx(4, abs=0.2)

    def test_channels_that_change_in_mid_stream_are_survived(self, tmp_path: Path) -> None:
        """PyAV's buffer does not notice, and writes where it should not: the process dies."""
        data = b""
        for layout in ("5.1", "mono", "stereo", "mono"):
            data += encoded(tmp_path / "a.ac3", tone(1, 44_100), layout=layout).read_bytes()
        path = tmp_path / "changing.ac3"
        path.write_bytes(data)

        assert sum(clip.duration_s for clip in heard(path)) == pytest.approx(4, abs=0.3)


class TestSameAsFasterWhisper:
    def test_every_recording_gives_the_same_samples(self, speech_dir: Path) -> None:
        """Equal in number and, to the bit, in value: the same text must come out."""
        audio = pytest.importorskip("faster_whisper.audio")
        files = sorted((speech_dir / "audio").iterdir())
        assert len(files) > 40
        for path in files:
            theirs = audio.decode_audio(str(path))
            (ours,) = heard(path)
            assert len(ours.samples) == len(theirs), path.name
            assert np.array_equal(ours.samples, theirs), path.name

    @pytest.mark.parametrize("suffix", CODECS)
    def test_every_container_gives_the_same_samples(self, tmp_path: Path, suffix: str) -> None:
        """Also where a resampler holds samples back until it is flushed."""
        audio = pytest.importorskip("faster_whisper.audio")
        path = encoded(tmp_path / f"a{suffix}", tone(3, 44_100))
        (ours,) = heard(path)

        assert np.array_equal(ours.samples, audio.decode_audio(str(path)))


class TestBlocks:
    @given(
        block_s=st.floats(0.4, 7),
        start=st.integers(0, 6 * RATE_HZ),
    )
    @examples(max_examples=25)
    def test_no_sample_is_lost_or_doubled(
        self, tmp_path_factory: pytest.TempPathFactory, block_s: float, start: int
    ) -> None:
        """Whatever the block and the start, clips joined are the recording from there on."""
        samples = tone(6)
        path = wav(tmp_path_factory.mktemp("blocks") / "a.wav", samples)
        clips = heard(path, SETTINGS.but(block_s=block_s), start_s=start / RATE_HZ)

        assert all(0 < clip.duration_s <= block_s for clip in clips)
        rest = samples[start:].astype(np.float32) / 32_768
        assert np.array_equal(joined(clips) if clips else rest[:0], rest)
        assert not clips or clips[0].start_s == start / RATE_HZ

    def test_a_recording_of_just_one_block_stays_whole(self, tmp_path: Path) -> None:
        """Cutting begins beyond the block, not at it."""
        path = wav(tmp_path / "a.wav", tone(3))

        assert len(heard(path, SETTINGS.but(block_s=3))) == 1
        assert len(heard(path, SETTINGS.but(block_s=2.9))) == 2

    def test_resampled_recordings_resume_on_the_same_samples(self, tmp_path: Path) -> None:
        """A later start gives exactly what the whole has there."""
        path = encoded(tmp_path / "a.mp3", tone(5, 44_100))
        (whole,) = heard(path)
        (rest,) = heard(path, start_s=2.345)

        assert rest.start_s == 2.345
        assert np.array_equal(rest.samples, whole.samples[37_520:])

    def test_past_the_end_there_are_no_clips(self, tmp_path: Path) -> None:
        """A start behind the end is no error."""
        assert heard(wav(tmp_path / "a.wav", tone(1)), start_s=9) == []

    def test_the_cut_falls_into_the_pause(self, tmp_path: Path) -> None:
        """In the last stretch of a block, where nobody speaks."""
        samples = tone(10)
        samples[:] = np.where(np.abs(samples) < 4000, 4000, samples)
        samples[7 * RATE_HZ : 7 * RATE_HZ + RATE_HZ // 2] = 0
        first, _ = heard(wav(tmp_path / "a.wav", samples), SETTINGS.but(block_s=8))

        assert 7.0 < first.duration_s < 7.5

    def test_of_equal_pauses_the_latest_is_taken(self) -> None:
        """Long blocks are better than short ones."""
        assert quietest(np.zeros(10 * RATE_HZ, np.int16), 20 * RATE_HZ) > 19 * RATE_HZ
        assert quietest(np.zeros(10, np.int16), 500) == 500

    def test_chunks_of_any_size_make_the_same_clips(self) -> None:
        """How the decoder hands over its samples changes nothing."""
        samples, instance = tone(5), []
        for size in (100, 7_001, 80_000):
            blocks = MonoBlocks("", 2.0)
            clips = [
                clip
                for piece in pieces(samples.tobytes(), 2 * size)
                for clip in blocks.add(np.frombuffer(piece, np.int16))
            ]
            instance.append([c.duration_s for c in (*clips, *blocks.finish())])

        assert instance[0] == instance[1] == instance[2]


class TestDamage:
    def test_what_can_be_decoded_around_damage_is(self, tmp_path: Path) -> None:
        """Rubbish in the middle of an MP3 costs that stretch only."""
        data = bytearray(encoded(tmp_path / "a.mp3", tone(10, 44_100)).read_bytes())
        middle = len(data) // 2
        data[middle : middle + 3000] = bytes(range(256)) * 11 + bytes(184)
        path = tmp_path / "damaged.mp3"
        path.write_bytes(data)
        (clip,) = heard(path)

        assert 8.5 < clip.duration_s < 10.2
        assert loudness(clip.samples[-2 * RATE_HZ :]) > 0.05

    def test_broken_packets_do_not_end_the_recording(self, tmp_path: Path) -> None:
        """FLAC frames that fail are passed over; those behind them are heard."""
        data = bytearray(encoded(tmp_path / "a.flac", tone(10, 44_100)).read_bytes())
        middle = len(data) // 2
        data[middle : middle + 2000] = b"\xff\xf8\xc9\x18" * 500
        path = tmp_path / "damaged.flac"
        path.write_bytes(data)
        (clip,) = heard(path)

        assert clip.duration_s > 8
        assert loudness(clip.samples[-RATE_HZ:]) > 0.05

    def test_a_cut_file_gives_what_is_there(self, tmp_path: Path) -> None:
        """Half an upload is half a recording."""
        data = encoded(tmp_path / "a.flac", tone(10, 44_100)).read_bytes()
        path = tmp_path / "half.flac"
        path.write_bytes(data[: len(data) // 2])

        assert 4 < heard(path)[0].duration_s < 6

    @pytest.mark.parametrize("suffix", [".flac", ".wav"])
    def test_nothing_decodable_is_broken_media(self, tmp_path: Path, suffix: str) -> None:
        """A header with no sound behind it is told apart from silence."""
        whole = tmp_path / f"a{suffix}"
        if suffix == ".wav":
            wav(whole, tone(0))
        else:
            head = flac_of_silence(whole, 9, 9).read_bytes()[:42]
            whole.write_bytes(head + b"\xff\xf8 no frame" * 500)

        with pytest.raises(BrokenMedia, match="talk: "):
            heard(whole)


class TestLimits:
    def test_a_cancel_ends_the_clips(self, tmp_path: Path) -> None:
        """Asked before anything is decoded, and the generator just returns."""
        assert heard(wav(tmp_path / "a.wav", tone(3)), canceled=lambda: True) == []

    def test_a_cancel_is_heard_between_blocks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Clips already handed out stay, no others follow once it is asked again."""
        # A fast machine decodes the hour between two questions.
        monkeypatch.setattr(_sandbox, "_ASK_EVERY_S", 0)
        gone: list[Clip] = []
        path = flac_of_silence(tmp_path / "a.flac", 3600, 3600)
        for clip in decode(
            path, name="", settings=SETTINGS.but(block_s=1), canceled=lambda: bool(gone)
        ):
            gone.append(clip)

        assert 0 < len(gone) < 3600

    def test_time_is_bounded(self, tmp_path: Path) -> None:
        """A block that takes too long is given up, with the limit told."""
        with pytest.raises(UnsafeInput, match="talk: decoding took more than 0 s"):
            heard(wav(tmp_path / "a.wav", tone(3)), SETTINGS.but(decode_timeout_s=0))

    def test_the_consumers_time_does_not_count(self, tmp_path: Path) -> None:
        """However long a block is transcribed, the next one has all of its time."""
        path = wav(tmp_path / "a.wav", tone(6))
        clips = decode(path, name="", settings=SETTINGS.but(block_s=1, decode_timeout_s=60))
        clock = pytest.MonkeyPatch()
        with clock.context() as patch:
            now = [0.0]
            patch.setattr("hybrid_transcribe.audio._sandbox.time.monotonic", lambda: now[0])
            for _ in clips:
                now[0] += 1000

    def test_samples_are_counted_whatever_the_header_says(self, tmp_path: Path) -> None:
        """A minute that claims to be a second is refused where the limit is ten."""
        path = flac_of_silence(tmp_path / "a.flac", 60, 1)

        with pytest.raises(TooLong):
            heard(path, SETTINGS.but(max_duration_s=10))

    def test_long_recordings_need_no_more_memory(self, tmp_path: Path) -> None:
        """Nearly four hours in blocks of ten minutes: the peak is a few blocks, not 900 MB."""
        path = flac_of_silence(tmp_path / "a.flac", 3.9 * 3600, 3.9 * 3600)
        code = (
            "import json, resource, sys\n"
            "from hybrid_transcribe.audio.decode import decode\n"
            "from hybrid_transcribe.config import Settings\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
            "before, seconds = peak(), 0.0\n"
            "for clip in decode(sys.argv[1], name='', settings=Settings(block_s=600.0)):\n"
            "    seconds += clip.duration_s\n"
            "print(json.dumps([seconds, peak() - before]))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
        )
        seconds, grown_mib = json.loads(done.stdout)

        assert seconds == pytest.approx(3.9 * 3600, abs=5)
        assert grown_mib < 250
