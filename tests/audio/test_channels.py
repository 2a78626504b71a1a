"""Recordings channel by channel: what the channels are, and what leaks between them."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hybrid_transcribe.audio import _track_names
from hybrid_transcribe.audio._channels import ChannelConverter
from hybrid_transcribe.audio._leaks import Leak, distinct, find_leaks, open_moments, shut
from hybrid_transcribe.audio._levels import LevelMeter, levels_db
from hybrid_transcribe.audio.channels import (
    ChannelBlock,
    ChannelSurvey,
    decode_channels,
    survey,
)
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import BrokenMedia, TooLong
from tests.audio.makers import encoded, tone, wav
from tests.audio.voices import RATE_HZ, conversation, int16, voice

SETTINGS = Settings()
HOP = 320


def surveyed(path: Path, settings: Settings = SETTINGS, **how: Any) -> ChannelSurvey:
    """What a file's channels are."""
    return survey(path, name="talk", settings=settings, **how)


def measured(channels: np.ndarray) -> Any:
    """What channels are, from their samples."""
    meter = LevelMeter()
    for at in range(0, channels.shape[1], 50_000):
        meter.add(np.asarray(channels[:, at : at + 50_000], np.float32), RATE_HZ)
    return meter.facts()


class TestSamples:
    @pytest.mark.parametrize("rate_hz", [8000, 16_000, 44_100])
    @pytest.mark.parametrize("n_channels", [1, 2, 3, 6, 8])
    def test_channels_stay_apart(self, tmp_path: Path, n_channels: int, rate_hz: int) -> None:
        """Each channel has its own tone, at its own level, whatever the rate and the layout."""
        tones = [tone(2.0, rate_hz, 200.0 + 100 * n) // (n + 1) for n in range(n_channels)]
        path = wav(tmp_path / "talk.wav", np.stack(tones, axis=1), rate_hz)
        (block,) = decode_channels(path, name="talk", settings=SETTINGS)
        assert block.samples.shape[0] == n_channels
        assert block.duration_s == pytest.approx(2.0, abs=0.01)
        for n, row in enumerate(block.samples):
            spectrum = np.abs(np.fft.rfft(row))
            loudest_hz = np.argmax(spectrum) * RATE_HZ / len(row)
            assert loudest_hz == pytest.approx(200.0 + 100 * n, abs=3.0)
            assert np.abs(row).max() == pytest.approx(12_000 / 32768 / (n + 1), rel=0.05)

    @pytest.mark.parametrize("extension", [".flac", ".mp3", ".opus", ".m4a", ".mka", ".wma"])
    def test_codecs(self, tmp_path: Path, extension: str) -> None:
        """Compressed stereo comes as two channels, as long as the mixed sound."""
        path = encoded(tmp_path / f"talk{extension}", tone(3.0, 44_100), layout="stereo")
        blocks = list(decode_channels(path, name="talk", settings=SETTINGS))
        (mixed,) = decode(path, name="talk", settings=SETTINGS)
        assert [block.samples.shape[0] for block in blocks] == [2]
        assert blocks[0].duration_s == pytest.approx(mixed.duration_s, abs=0.01)
        assert blocks[0].start_s == mixed.start_s

    def test_blocks_follow_each_other(self, tmp_path: Path) -> None:
        """Cut in blocks and begun in the middle, every sample comes once."""
        channels = conversation(12).dry
        path = wav(tmp_path / "talk.wav", int16(channels))
        short = SETTINGS.but(block_s=7.0)
        blocks = list(decode_channels(path, name="talk", settings=short))
        assert len(blocks) > 4
        assert max(block.duration_s for block in blocks) <= 7.0
        joined = np.concatenate([block.samples for block in blocks], axis=1)
        assert np.abs(joined - channels).max() < 1e-3
        rest = list(decode_channels(path, name="talk", settings=short, start_s=9.5))
        joined = np.concatenate([block.samples for block in rest], axis=1)
        assert rest[0].start_s == 9.5
        assert np.abs(joined - channels[:, round(9.5 * RATE_HZ) :]).max() < 1e-3

    def test_a_cut_lies_where_nobody_speaks(self, tmp_path: Path) -> None:
        """Not where one of two channels is quiet and the other is not."""
        talk = conversation(30)
        path = wav(tmp_path / "talk.wav", int16(talk.dry))
        blocks = list(decode_channels(path, name="talk", settings=SETTINGS.but(block_s=30.0)))
        cuts = [block.start_s for block in blocks[1:]]
        assert len(cuts) >= 2
        for cut_s in cuts:
            inside = [t for t in talk.turns if t[1] < cut_s < t[2]]
            at = round(cut_s * RATE_HZ)
            assert not inside or np.abs(talk.dry[:, at - 800 : at + 800]).max() < 0.02

    def test_a_change_of_channels_in_the_middle(self) -> None:
        """What was two channels goes on as two: one is on both, a third is left out."""
        import av

        def frame(n_channels: int) -> Any:
            layout = {1: "mono", 2: "stereo", 3: "2.1"}[n_channels]
            data = np.full((n_channels, 1600), 0.25, np.float32)
            made = av.AudioFrame.from_ndarray(data, format="fltp", layout=layout)
            made.sample_rate = RATE_HZ
            return made

        converter = ChannelConverter("talk")
        chunks = list(converter.samples([frame(2), frame(1), frame(3), frame(2)]))
        joined = np.concatenate(chunks, axis=1)
        assert joined.shape == (2, 6400)
        assert np.allclose(joined, 0.25)

    def test_errors_are_those_of_decoding(self, tmp_path: Path) -> None:
        """Too long and broken are said in the same way."""
        path = wav(tmp_path / "talk.wav", int16(conversation(4).dry))
        with pytest.raises(TooLong):
            surveyed(path, SETTINGS.but(max_duration_s=3.0))
        broken = tmp_path / "broken.wav"
        broken.write_bytes(path.read_bytes()[:44])
        with pytest.raises(BrokenMedia):
            surveyed(broken)

    def test_a_survey_can_be_canceled(self, tmp_path: Path) -> None:
        """It ends when it is asked to, and says what it heard."""
        path = wav(tmp_path / "talk.wav", int16(conversation(4).dry))
        result = surveyed(path, canceled=lambda: True)
        assert result.facts.live in ((), (0, 1))

    def test_quiet_recordings_of_many_bits_are_brought_up(self, tmp_path: Path) -> None:
        """All channels by the same factor, so that what leaks stays fainter."""
        channels = conversation(4).recorded() * np.float32(1e-4)
        path = tmp_path / "quiet.wav"
        data = channels.T.astype("<f4").tobytes()
        form = struct.pack("<HHIIHH", 3, 2, RATE_HZ, RATE_HZ * 8, 8, 32)
        head = b"RIFF" + struct.pack("<I", len(data) + 36) + b"WAVEfmt " + struct.pack("<I", 16)
        path.write_bytes(head + form + b"data" + struct.pack("<I", len(data)) + data)
        result = surveyed(path)
        (block,) = decode_channels(path, name="talk", settings=SETTINGS, gain=result.gain)
        assert result.facts.live == (0, 1)
        assert np.abs(block.samples).max() == pytest.approx(0.5, abs=0.02)
        assert np.allclose(block.samples, channels * result.gain, atol=1e-4)


def _distinct(channels: np.ndarray) -> tuple[int, ...]:
    levels = levels_db(np.asarray(channels, np.float32), HOP)
    return distinct(levels, range(len(channels)))


def _false_stereo(kind: str) -> np.ndarray:
    """Two channels (float32) that are not one person each."""
    rng = np.random.default_rng(3)
    talk = conversation(10).recorded()
    mono = talk.sum(axis=0) / 2
    match kind:
        case "identical":
            return np.stack([mono, mono])
        case "inverted":
            return np.stack([mono, -mono])
        case "quieter":
            return np.stack([mono, 0.7 * mono])
        case "delayed":
            return np.stack([mono, np.roll(mono, 160)])
        case "noise":
            return 0.1 * rng.standard_normal((2, 20 * RATE_HZ))
        case "music":
            pads = [voice(20.0, n, 80.0 * 1.5**n) for n in range(6)]
            left = sum(g * p for g, p in zip((1, 0.8, 0.6, 0.5, 0.4, 0.3), pads, strict=True))
            right = sum(g * p for g, p in zip((0.3, 0.4, 0.5, 0.6, 0.8, 1), pads, strict=True))
            return np.stack([left, right]) / 4
        case "stereo-microphone":
            return conversation(10).recorded(leak_db=-3.0)
        case "one-sided":
            return conversation(12, shares=(1.0, 0.03)).recorded()
        case "one-silent":
            return np.stack([mono, np.zeros_like(mono)])
        case "one-of-noise":
            return np.stack([mono, 0.01 * rng.standard_normal(len(mono))])
    raise AssertionError(kind)


class TestDetection:
    @pytest.mark.parametrize("leak_db", [None, -40.0, -25.0, -20.0])
    @pytest.mark.parametrize("overlap_s", [0.0, 1.0])
    def test_one_person_a_channel_is_found(self, leak_db: float | None, overlap_s: float) -> None:
        """Also where they interrupt each other and are faintly heard on the other end."""
        talk = conversation(12, overlap_s=overlap_s)
        assert measured(talk.recorded(leak_db)).are_one_person_each

    def test_an_echo_does_not_hide_them(self) -> None:
        """A line gives back what was said a fifth of a second later."""
        assert measured(conversation(12).recorded(-15.0, 0.2)).are_one_person_each

    def test_one_speaks_much_more(self) -> None:
        """A twelfth of the time is enough to be somebody."""
        assert measured(conversation(12, shares=(1.0, 0.12)).recorded()).are_one_person_each

    @pytest.mark.parametrize("n_people", [3, 5, 8])
    def test_a_track_for_each_of_several(self, n_people: int) -> None:
        """As field recorders and calls write them."""
        assert measured(conversation(3 * n_people, n_people).recorded()).are_one_person_each

    @pytest.mark.parametrize(
        "kind",
        [
            *("identical", "inverted", "quieter", "delayed", "noise", "music"),
            *("stereo-microphone", "one-sided", "one-silent", "one-of-noise"),
        ],
    )
    def test_false_stereo_is_not(self, kind: str) -> None:
        """Mono in two channels, music, noise, a stereo microphone, one who speaks alone."""
        assert not measured(_false_stereo(kind)).are_one_person_each

    @pytest.mark.parametrize(
        ("kind", "n_distinct"),
        [
            *((k, 1) for k in ("identical", "inverted", "quieter", "delayed", "noise")),
            *(("stereo-microphone", 1), ("one-sided", 2), ("one-of-noise", 2), ("music", 2)),
        ],
    )
    def test_the_same_sound_twice(self, kind: str, n_distinct: int) -> None:
        """Transcribed by channel it would all be written twice."""
        assert len(_distinct(_false_stereo(kind))) == n_distinct

    @pytest.mark.parametrize("leak_db", [None, -20.0, -10.0, -6.0])
    @pytest.mark.parametrize("shares", [(1.0, 1.0), (1.0, 0.12)])
    def test_leaks_are_no_copies(self, leak_db: float | None, shares: tuple[float, float]) -> None:
        """However much one of two people speaks."""
        assert _distinct(conversation(12, shares=shares).recorded(leak_db)) == (0, 1)

    def test_one_microphone_on_two_tracks(self) -> None:
        """It is one person, and the others stay."""
        first, second, third = conversation(12, 3).recorded()
        assert _distinct(np.stack([first, second, 0.5 * first, third])) == (0, 1, 3)

    def test_silent_channels_are_no_people(self, tmp_path: Path) -> None:
        """Four of eight tracks of a recorder have nothing on them."""
        talk = conversation(12, 4).dry
        channels = np.zeros((8, talk.shape[1]), np.float32)
        channels[[0, 2, 3, 6]] = talk
        result = surveyed(wav(tmp_path / "talk.wav", int16(channels)))
        assert result.facts.live == (0, 2, 3, 6)
        assert result.facts.are_one_person_each

    def test_nothing_at_all(self, tmp_path: Path) -> None:
        """Digital silence has no channel with anybody on it."""
        result = surveyed(wav(tmp_path / "talk.wav", np.zeros((RATE_HZ, 2), np.int16)))
        assert result.facts.live == ()
        assert not result.facts.are_one_person_each
        assert result.distinct == ()


def _kept(talk: Any, recorded: np.ndarray, channel: int) -> tuple[float, float]:
    """Shares of energy that stay on a channel: of its own speech, and of others' alone."""
    leaks = find_leaks(levels_db(recorded, HOP), range(len(recorded)))
    rows = ChannelBlock(recorded, 0.0).without_leaks(leaks).samples
    own = talk.speaking(channel)
    others = ~talk.speaking(channel, 0.5) & (np.abs(recorded[channel]) > 1e-3)
    before, after = np.square(recorded[channel]), np.square(rows[channel])
    return (
        float(after[own].sum() / before[own].sum()),
        float(after[others].sum() / max(before[others].sum(), 1e-9)),
    )


class TestLeaks:
    @pytest.mark.parametrize(
        ("leak_db", "delay_s"),
        [
            (-6.0, 0.0),
            *((db, d) for db in (-10.0, -15.0, -20.0, -30.0) for d in (0, 0.06, 0.2, 0.4)),
        ],
    )
    def test_a_voice_is_on_its_own_channel_only(self, leak_db: float, delay_s: float) -> None:
        """Whatever its level and delay on the other one; nobody's own words are shut out."""
        talk = conversation(12)
        recorded = talk.recorded(leak_db, delay_s)
        for channel in (0, 1):
            own, leaked = _kept(talk, recorded, channel)
            assert own > 0.99
            assert leaked < 0.01

    @pytest.mark.parametrize("leak_db", [-10.0, -15.0, -20.0])
    def test_two_who_speak_at_once_both_stay(self, leak_db: float) -> None:
        """What is louder than a leak is somebody."""
        talk = conversation(14, overlap_s=1.2)
        recorded = talk.recorded(leak_db, 0.05)
        for channel in (0, 1):
            own, _ = _kept(talk, recorded, channel)
            assert own > 0.96

    def test_clean_channels_are_left_alone(self) -> None:
        """Without a leak not a sample changes, also where both speak all the time."""
        always = np.stack([voice(20.0, 1), voice(20.0, 2, 220.0)])
        for recorded in (conversation(12, overlap_s=1.0).recorded(), always):
            leaks = find_leaks(levels_db(recorded, HOP), range(2))
            rows = ChannelBlock(recorded, 0.0).without_leaks(leaks).samples
            assert leaks == ()
            assert np.array_equal(rows, recorded)

    def test_a_mix_of_the_others_is_shut(self) -> None:
        """Recorders write the mix beside the tracks it is made of."""
        talk = conversation(12, 3)
        tracks = talk.recorded()
        mix = tracks.sum(axis=0)
        recorded = np.stack([mix, *tracks])
        leaks = find_leaks(levels_db(recorded, HOP), range(4))
        apart = ChannelBlock(recorded, 0.0).without_leaks(leaks)
        rows = apart.samples
        assert np.square(rows[0]).sum() < 0.02 * np.square(mix).sum()
        assert np.array_equal(rows[1:], tracks)
        assert apart.sounding_s[0] < 0.1 * recorded.shape[1] / RATE_HZ

    def test_the_leak_is_measured(self) -> None:
        """Its level to a decibel or two, its delay to a moment."""
        recorded = conversation(14).recorded(-15.0, 0.2)
        leaks = find_leaks(levels_db(recorded, HOP), range(2))
        assert {(leak.channel, leak.source) for leak in leaks} == {(0, 1), (1, 0)}
        for leak in leaks:
            assert leak.gain_db == pytest.approx(-15.0, abs=2.0)
            assert leak.lag == pytest.approx(10, abs=1)

    def test_a_shut_door_is_silent_and_does_not_click(self) -> None:
        """Digital silence where it is shut, a slope of some milliseconds at its edges."""
        doors = np.array([True] * 10 + [False] * 10 + [True] * 10)
        result = shut(np.ones(30 * HOP + 7, np.float32), doors, HOP)
        assert np.array_equal(result[10 * HOP + 100 : 20 * HOP - 100], np.zeros(10 * HOP - 200))
        assert result[: 10 * HOP - 100].min() == 1.0
        assert np.abs(np.diff(result)).max() < 0.02

    @given(
        st.lists(st.floats(-100, 0), min_size=2, max_size=300),
        st.floats(-60, -1),
        st.integers(-2, 25),
    )
    @examples(max_examples=100)
    def test_the_loudest_is_never_shut_for_long(
        self, source: list[float], gain_db: float, lag: int
    ) -> None:
        """A channel that is louder than the other by more than 3 dB all along stays open."""
        other = np.array(source, np.float32)
        quiet = np.full((2, 60), -110.0, np.float32)
        loud = np.stack([np.full_like(other, other.max() + 3.0), other])
        doors = open_moments(np.concatenate([quiet, loud], axis=1), (Leak(0, 1, gain_db, lag),))
        assert doors[:, 60:].all()


def _with_chunks(path: Path, **chunks: bytes) -> Path:
    data = path.read_bytes()
    more = b"".join(
        name.encode() + struct.pack("<I", len(body)) + body + b"\x00" * (len(body) % 2)
        for name, body in chunks.items()
    )
    path.write_bytes(data[:12] + more + data[12:])
    return path


class TestTrackNames:
    def _names(self, path: Path, n_channels: int) -> tuple[str, ...]:
        with path.open("rb") as file:
            return _track_names.read(file, 0, n_channels)

    def _wav(self, tmp_path: Path, n_channels: int = 2) -> Path:
        return wav(tmp_path / "talk.wav", np.zeros((1600, n_channels), np.int16))

    def test_ixml(self, tmp_path: Path) -> None:
        """The names of a mixer's tracks, by the place in the file where both are said."""
        body = (
            "<BWFXML><TRACK_LIST>"
            "<TRACK><CHANNEL_INDEX>3</CHANNEL_INDEX><INTERLEAVE_INDEX>1</INTERLEAVE_INDEX>"
            "<NAME>Ana &amp; Jo\u00e3o</NAME></TRACK>"
            "<TRACK><CHANNEL_INDEX>2</CHANNEL_INDEX><NAME>Rui</NAME></TRACK>"
            "</TRACK_LIST></BWFXML>"
        ).encode()
        path = _with_chunks(self._wav(tmp_path), iXML=body)
        assert self._names(path, 2) == ("Ana & Jo\u00e3o", "Rui")
        assert surveyed(path).names == ("Ana & Jo\u00e3o", "Rui")

    def test_bext(self, tmp_path: Path) -> None:
        """Lines in the description of a Broadcast Wave."""
        text = b"sSPEED=025.000-ND\r\nsTAKE=1\r\nsTRK1=Boom\r\nsTRK2=Ana\r\n"
        path = _with_chunks(self._wav(tmp_path), bext=text.ljust(602, b"\x00"))
        assert self._names(path, 2) == ("Boom", "Ana")

    @pytest.mark.parametrize(
        "name",
        ["", " ", "1", "Tr1", "Track 2", "TRK_3", "ch 4", "Left", "R", "L", "Mix L", "Mic 1"],
    )
    def test_what_says_no_more_than_a_number(self, tmp_path: Path, name: str) -> None:
        """It is no name of a person."""
        body = f"<TRACK><CHANNEL_INDEX>1</CHANNEL_INDEX><NAME>{name}</NAME></TRACK>".encode()
        assert self._names(_with_chunks(self._wav(tmp_path), iXML=body), 2) == ("", "")

    def test_the_same_name_twice_is_none(self, tmp_path: Path) -> None:
        """Two speakers with one name would be one."""
        text = b"sTRK1=Ana\nsTRK2=ana\nsTRK3=Rui"
        path = _with_chunks(self._wav(tmp_path, 3), bext=text.ljust(602, b"\x00"))
        assert self._names(path, 3) == ("", "", "Rui")

    def test_other_files_have_none(self, tmp_path: Path) -> None:
        """And hostile ones cost nothing."""
        path = self._wav(tmp_path)
        assert self._names(path, 2) == ("", "")
        for body in (b"<TRACK>" * 5000, b"\xff" * 999, b"<TRACK><CHANNEL_INDEX>9</CHANNEL_INDEX>"):
            assert self._names(_with_chunks(self._wav(tmp_path), iXML=body), 2) == ("", "")
        other = tmp_path / "other"
        other.write_bytes(b"OggS" + bytes(100))
        assert self._names(other, 2) == ("", "")
