"""Recordings with a person a channel: transcribed channel by channel, and interleaved in time."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio._levels import ChannelFacts, levels_db
from hybrid_transcribe.audio.channels import ChannelBlock, ChannelSurvey
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineFailed, OutOfMemory
from hybrid_transcribe.interfaces import (
    Capabilities,
    Engine,
    EngineWarning,
    Heard,
    Language,
    Loaded,
    LoadRequest,
    Progress,
)
from hybrid_transcribe.jobs import machine
from hybrid_transcribe.types import (
    Clip,
    Options,
    Recording,
    Segment,
    Spec,
    State,
    Transcript,
    WithheldSegment,
    Word,
)
from hybrid_transcribe.worker.batch_state import BatchState
from hybrid_transcribe.worker.channel_plan import ChannelPlan
from hybrid_transcribe.worker.channels import ChannelTranscription
from hybrid_transcribe.worker.source import DecodedAudio
from hybrid_transcribe.worker.worker import Worker
from tests.audio.makers import wav
from tests.audio.voices import RATE_HZ, Conversation, conversation, int16
from tests.messages import reports

MOMENT = 320


class Pitches(Engine):
    """Says at which pitch each stretch of sound is, so that a test knows who spoke."""

    name: ClassVar[str] = "pitches"
    capabilities: ClassVar[Capabilities] = Capabilities(
        options=frozenset({"language"}), word_timestamps=True
    )

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        yield EngineWarning(f"clip {clip.start_s:g}+{clip.duration_s:g} {options.language}")
        if options.language is None:
            yield Language("pt", 0.9)
        for first, end in _stretches(clip.samples):
            if canceled():
                return
            part = clip.samples[first:end]
            spectrum = np.abs(np.fft.rfft(part))
            at_hz = np.argmax(spectrum[: len(part) // 32]) * RATE_HZ / len(part)
            who = "low" if at_hz < 132 else "middle" if at_hz < 177 else "high"
            start_s, end_s = first / RATE_HZ, end / RATE_HZ
            words = (Word(start_s, end_s, who),) if options.word_timestamps else ()
            yield Segment(start_s, end_s, who, words)
            yield Progress(end_s)


def _stretches(samples: np.ndarray) -> list[tuple[int, int]]:
    """Where there is sound, in samples; pauses up to half a second are none."""
    (levels,) = levels_db(samples[None, :], MOMENT)
    loud = np.flatnonzero(levels > -50.0)
    if not len(loud):
        return []
    breaks = np.flatnonzero(np.diff(loud) > 25)
    firsts = [loud[0], *loud[breaks + 1]]
    lasts = [*loud[breaks], loud[-1]]
    return [(int(a) * MOMENT, (int(b) + 1) * MOMENT) for a, b in zip(firsts, lasts, strict=True)]


class Sender(Pitches):
    """Wants whole recordings, as those in a cloud do."""

    name: ClassVar[str] = "sender"
    capabilities: ClassVar[Capabilities] = Capabilities(whole_recordings=True)


class Weak(Pitches):
    """Has too little memory, once, in the middle of a recording."""

    name: ClassVar[str] = "weak"
    fails: ClassVar[list[Exception]] = []

    def load(self, request: LoadRequest) -> Loaded:
        return Loaded("gpu")

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        for n, event in enumerate(super().transcribe(clip, options, canceled)):
            if n == 2 and clip.start_s > 5.0 and self.fails:
                raise self.fails.pop()
            yield event


HERE = {c.name: f"tests.worker.test_channels:{c.__name__}" for c in (Pitches, Sender, Weak)}
SPEAKERS = Options(channels="speakers")


def run(
    path: Path,
    options: Options = SPEAKERS,
    *,
    engine: str = "pitches",
    item: p.Item | None = None,
    cancel_after: int | None = None,
    ahead: bool = False,
    **settings: float,
) -> list[p.Message]:
    """Every message of a batch of this recording, canceled after so many where that is said."""
    messages: list[p.Message] = []

    def emit(message: p.Message) -> None:
        messages.append(message)
        if len(messages) == cancel_after:
            worker.cancel("r0", 1)

    worker = Worker(Settings(engines=HERE, **settings), emit, ahead=ahead)  # type: ignore[arg-type]
    item = item or p.Item("r0", 1, str(path), path.name)
    worker.run(p.RunBatch(1, Spec(engine, "", options=options), (item,)))
    return messages


def segments(messages: Sequence[p.Message]) -> list[Segment]:
    """All of them, by their index."""
    numbered: dict[int, Segment] = {}
    for _, report in reports(messages, p.SegmentTranscribed, p.SegmentsTranscribed):
        several = getattr(report, "segments", None) or (report.segment,)
        for index, segment in enumerate(several, report.index):
            assert index not in numbered
            numbered[index] = segment
    assert list(numbered) == list(range(len(numbered)))
    return list(numbered.values())


def lines(messages: Sequence[p.Message]) -> list[str]:
    """What people are told."""
    return [m.text for _, m in reports(messages, p.WarningRaised)]


def codes(messages: Sequence[p.Message]) -> list[str]:
    """The same by its codes."""
    return [m.message.code for _, m in reports(messages, p.WarningRaised) if m.message]


def stereo(tmp_path: Path, talk: Conversation, *recorded: Any, name: str = "talk.wav") -> Path:
    """A conversation as a file."""
    return wav(tmp_path / name, int16(talk.recorded(*recorded)))


def check(talk: Conversation, result: Sequence[Segment], within_s: float = 0.35) -> None:
    """Every turn is written once, for the right person, at its time."""
    names = ("low", "middle", "high")
    turns = sorted(talk.turns, key=lambda turn: turn[1])
    assert [(s.speaker, s.text) for s in result] == [
        (f"S{who + 1}", names[who]) for who, _, _ in turns
    ]
    for segment, (_, start_s, end_s) in zip(result, turns, strict=True):
        assert segment.start_s == pytest.approx(start_s, abs=within_s)
        assert segment.end_s == pytest.approx(end_s, abs=within_s)


class TestWhoSaysWhat:
    @pytest.mark.parametrize("ahead", [False, True])
    @pytest.mark.parametrize("n_people", [2, 3])
    def test_turns_in_the_order_of_time(self, tmp_path: Path, n_people: int, ahead: bool) -> None:
        """Each channel is a speaker, by its number, and their turns are interleaved."""
        talk = conversation(9, n_people)
        messages = run(stereo(tmp_path, talk), ahead=ahead)
        check(talk, segments(messages))
        (done,) = [m for _, m in reports(messages, p.RecordingCompleted)]
        assert done.duration_s == pytest.approx(talk.dry.shape[1] / RATE_HZ)

    @pytest.mark.parametrize("leak_db", [-10.0, -15.0, -20.0])
    @pytest.mark.parametrize("delay_s", [0.0, 0.2])
    def test_a_voice_that_leaks_is_written_once(
        self, tmp_path: Path, leak_db: float, delay_s: float
    ) -> None:
        """However loud it is on the other channel, and however late."""
        talk = conversation(10)
        check(talk, segments(run(stereo(tmp_path, talk, leak_db, delay_s))), within_s=0.6)

    def test_two_at_once_keep_their_own_times(self, tmp_path: Path) -> None:
        """Who begins before the other has ended is written so, and nobody's text is lost."""
        talk = conversation(8, overlap_s=0.7)
        result = segments(run(stereo(tmp_path, talk)))
        check(talk, result)
        assert all(a.end_s > b.start_s + 0.3 for a, b in pairwise(result))

    @pytest.mark.parametrize("leak_db", [-10.0, -15.0, -20.0])
    def test_two_at_once_with_a_leak(self, tmp_path: Path, leak_db: float) -> None:
        """Nearly all of everybody's time is theirs, and none of it is the other's."""
        talk = conversation(12, overlap_s=0.7)
        result = segments(run(stereo(tmp_path, talk, leak_db)))
        for who, name in enumerate(("low", "middle")):
            own = [s for s in result if s.speaker == f"S{who + 1}"]
            assert {s.text for s in own} == {name}
            spoken_s = sum(end_s - start_s for w, start_s, end_s in talk.turns if w == who)
            assert sum(s.end_s - s.start_s for s in own) == pytest.approx(spoken_s, rel=0.12)

    def test_words_have_the_speaker(self, tmp_path: Path) -> None:
        """Where times of words were asked for."""
        talk = conversation(4)
        options = replace(SPEAKERS, word_timestamps=True)
        result = segments(run(stereo(tmp_path, talk), options))
        assert [[w.speaker for w in s.words] for s in result] == [["S1"], ["S2"]] * 2

    def test_names_of_tracks(self, tmp_path: Path) -> None:
        """A recorder's names for them are those of the speakers; the others have numbers."""
        path = stereo(tmp_path, conversation(6, 3))
        body = b"sTRK1=Ana\r\nsTRK2=Tr2\r\nsTRK3=Rui\r\n".ljust(602, b"\x00")
        data = path.read_bytes()
        chunk = b"bext" + struct.pack("<I", len(body)) + body
        path.write_bytes(data[:12] + chunk + data[12:])
        assert [s.speaker for s in segments(run(path))] == ["Ana", "S2", "Rui"] * 2

    def test_a_transcript_has_the_speakers(self, tmp_path: Path) -> None:
        """In the order in which they first speak."""
        result = segments(run(stereo(tmp_path, conversation(4))))
        transcript = Transcript("r0", "talk", tuple(result), "pitches", "")
        assert [speaker.id for speaker in transcript.speakers] == ["S1", "S2"]

    def test_silent_channels_cost_nothing(self, tmp_path: Path) -> None:
        """The engine gets what has anything on it, of each block."""
        talk = conversation(8, 2)
        channels = np.zeros((8, talk.dry.shape[1]), np.float32)
        channels[[2, 5]] = talk.dry
        channels[5, : 10 * RATE_HZ] = 0.0
        messages = run(wav(tmp_path / "talk.wav", int16(channels)), block_s=10.0)
        clips = [text for text in lines(messages) if text.startswith("clip 0+")]
        assert len(clips) == 1
        assert {s.speaker for s in segments(messages)} == {"S3", "S6"}

    def test_one_of_two_is_copied_to_a_third_track(self, tmp_path: Path) -> None:
        """It is written once."""
        talk = conversation(8)
        first, second = talk.recorded()
        path = wav(tmp_path / "talk.wav", int16(np.stack([first, second, 0.6 * first])))
        check(talk, segments(run(path)))


class TestAsBefore:
    def _same_text(self, path: Path, options: Options) -> list[p.Message]:
        messages = run(path, options)
        plain = run(path, Options(channels="mix"))
        assert segments(messages) == segments(plain)
        assert all(s.speaker is None for s in segments(messages))
        return messages

    def test_mono(self, tmp_path: Path) -> None:
        """Nobody can be told apart, and it is said."""
        path = wav(tmp_path / "talk.wav", int16(conversation(4).dry.sum(axis=0)[None, :]))
        assert codes(self._same_text(path, SPEAKERS)) == ["channels_mono"]

    @pytest.mark.parametrize("factor", [1.0, -1.0, 0.5])
    def test_the_same_sound_twice(self, tmp_path: Path, factor: float) -> None:
        """Also upside down or at another level: nothing is written twice."""
        mono = conversation(4).recorded().sum(axis=0) / 2
        path = wav(tmp_path / "talk.wav", int16(np.stack([mono, factor * mono])))
        assert codes(self._same_text(path, SPEAKERS))[0] == "channels_alike"

    def test_one_live_channel(self, tmp_path: Path) -> None:
        """The other is silent: all may be on the one."""
        mono = conversation(4).recorded().sum(axis=0)
        path = wav(tmp_path / "talk.wav", int16(np.stack([mono, np.zeros_like(mono)])))
        assert codes(self._same_text(path, SPEAKERS)) == ["channels_one"]

    def test_silence(self, tmp_path: Path) -> None:
        """There is nothing to say about channels of nothing."""
        path = wav(tmp_path / "talk.wav", np.zeros((RATE_HZ, 2), np.int16))
        assert codes(self._same_text(path, SPEAKERS)) == []

    def test_without_a_wish_it_is_offered(self, tmp_path: Path) -> None:
        """The text is that of the mix; a line says what could be had."""
        path = stereo(tmp_path, conversation(8))
        assert codes(self._same_text(path, Options())) == ["channels_offered"]
        assert codes(run(path, Options(channels="mix"))) == []
        assert codes(run(path, engine="sender", options=Options())) == []

    def test_false_stereo_is_offered_nothing(self, tmp_path: Path) -> None:
        """A mono recording in two channels, however the channels are made."""
        mono = conversation(8).recorded().sum(axis=0) / 2
        path = wav(tmp_path / "talk.wav", int16(np.stack([mono, 0.7 * mono])))
        assert codes(run(path, Options())) == []

    def test_too_many_channels(self, tmp_path: Path) -> None:
        """The error says how many there are, and how many there may be."""
        path = wav(tmp_path / "talk.wav", np.zeros((RATE_HZ, 9), np.int16))
        messages = run(path)
        (failed,) = [m for _, m in reports(messages, p.RecordingFailed)]
        assert failed.error.code == "invalid_option"
        assert "9 channels" in failed.error.message
        assert "8" in failed.error.message
        assert not [m for _, m in reports(run(path, Options(diarize=True)), p.RecordingFailed)]

    def test_engines_that_want_whole_recordings(self, tmp_path: Path) -> None:
        """They get the mix, and it is said that channels are not honoured."""
        messages = run(stereo(tmp_path, conversation(4)), engine="sender")
        assert "sender does not honour channels='speakers'" in lines(messages)
        assert all(s.speaker is None for s in segments(messages))

    def test_damaged_recordings_fail_in_the_same_way(self, tmp_path: Path) -> None:
        """The survey raises what decoding raises."""
        path = stereo(tmp_path, conversation(4))
        path.write_bytes(path.read_bytes()[:50])
        failed = [
            [m.error.code for _, m in reports(run(path, options), p.RecordingFailed)]
            for options in (SPEAKERS, Options(channels="mix"))
        ]
        assert failed[0] == failed[1] == ["broken_media"]


class TestFound:
    def test_who_speaks_is_asked_and_channels_answer(self, tmp_path: Path) -> None:
        """With ``diarize`` alone; it is said, and no warning speaks of diarization."""
        talk = conversation(10)
        messages = run(stereo(tmp_path, talk, -20.0), Options(diarize=True))
        check(talk, segments(messages))
        assert codes(messages) == ["channels_found"]
        assert [m.stage for _, m in reports(messages, p.StageNotNeeded)] == ["speakers"]

    @pytest.mark.parametrize(
        ("wish", "separate"),
        [
            ({"speakers": 2}, True),
            ({"speakers": 3}, False),
            ({"min_speakers": 3}, False),
            ({"max_speakers": 4}, True),
            ({"channels": "mix"}, False),
        ],
    )
    def test_what_is_said_of_the_people_counts(
        self, tmp_path: Path, wish: dict[str, Any], separate: bool
    ) -> None:
        """Three people on two channels are not told apart by them."""
        messages = run(stereo(tmp_path, conversation(8)), Options(diarize=True, **wish))
        assert any(s.speaker for s in segments(messages)) is separate

    def test_not_in_false_stereo(self, tmp_path: Path) -> None:
        """Then it is a matter of whoever tells voices apart."""
        mono = conversation(8).recorded().sum(axis=0) / 2
        path = wav(tmp_path / "talk.wav", int16(np.stack([mono, mono])))
        messages = run(path, Options(diarize=True))
        assert "channels_found" not in codes(messages)
        assert not [m for _, m in reports(messages, p.StageNotNeeded)]
        assert all(s.speaker is None for s in segments(messages))


class TestLanguages:
    def _languages(self, messages: Sequence[p.Message]) -> list[str]:
        return [text.rsplit(" ", 1)[-1] for text in lines(messages) if text.startswith("clip")]

    def test_each_channel_says_its_own(self, tmp_path: Path) -> None:
        """Detected once for each who speaks long enough, then kept."""
        path = stereo(tmp_path, conversation(30))
        messages = run(path, block_s=40.0)
        assert self._languages(messages)[:2] == ["None", "None"]
        assert set(self._languages(messages)[2:]) == {"pt"}
        assert [m.facts.language for _, m in reports(messages, p.MetadataLearned)][-1] == "pt"

    def test_who_says_little_speaks_as_the_others(self, tmp_path: Path) -> None:
        """Nobody's language is detected of two words."""
        path = stereo(tmp_path, conversation(16, shares=(1.0, 0.12)))
        assert self._languages(run(path)) == ["None", "pt"]

    def test_one_that_is_set_is_everybodys(self, tmp_path: Path) -> None:
        """And nothing is detected."""
        options = replace(SPEAKERS, language="de")
        assert self._languages(run(stereo(tmp_path, conversation(8)), options)) == ["de", "de"]

    def test_another_language_on_a_channel_is_said(self) -> None:
        """Of its segments, as they are in another one than the recording."""
        work, messages = scripted(
            [[Language("pt", 0.9), Segment(0.0, 1.0, "oi")], [Language("en"), Segment(2, 3, "hi")]]
        )
        work()
        assert [s.language for s in segments(messages)] == [None, "en"]


def scripted(
    said: Sequence[Sequence[Any]], n_blocks: int = 1, voiced_s: float = 30.0
) -> tuple[Callable[[], None], list[p.Message]]:
    """A transcription of channels on which an engine says this, whatever is on them."""

    class Script(Engine):
        name: ClassVar[str] = "script"
        capabilities: ClassVar[Capabilities] = Capabilities()

        def transcribe(
            self, clip: Clip, options: Options, canceled: Callable[[], bool]
        ) -> Iterator[Heard]:
            for event in said[round(float(clip.samples[0]) * 100) - 1]:
                if isinstance(event, Exception):
                    raise event
                yield event

    n_samples = round(2 * voiced_s * RATE_HZ)
    samples = np.zeros((len(said), n_samples), np.float32)
    for n in range(len(said)):
        # Each is known by its first sample; less is said on later ones.
        samples[n, : n_samples // 2 - n * 1600] = (n + 1) / 100
    messages: list[p.Message] = []
    places = BatchState((p.Item("r0", 1, "talk.wav", "talk.wav"),), messages.append, ())
    facts = ChannelFacts(len(said), live=tuple(range(len(said))))
    plan = ChannelPlan({n: f"S{n + 1}" for n in range(len(said))}, ChannelSurvey(facts))
    work = ChannelTranscription(0, plan, places, Script(), Options())
    length_s = n_samples / RATE_HZ
    blocks = [
        DecodedAudio(0, ChannelBlock(samples, n * length_s), last=n == n_blocks - 1)
        for n in range(n_blocks)
    ]
    return lambda: work.run(blocks), messages


_spans = st.lists(st.tuples(st.floats(0, 20), st.floats(0, 9)), max_size=12)


def _scripts(spans: Sequence[tuple[float, float]], channel: int) -> list[Segment]:
    """Segments in time order that do not overlap, as engines give them."""
    edges = sorted(t for start, length in spans for t in (start, start + length))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [Segment(a, b, f"{channel}:{n}") for n, (a, b) in enumerate(pairs)]


class TestInterleaving:
    @given(st.lists(_spans, min_size=2, max_size=8), st.integers(1, 3))
    @examples(max_examples=60)
    def test_all_that_is_said_comes_once_in_order(
        self, spans: list[list[tuple[float, float]]], n_blocks: int
    ) -> None:
        """Whatever channels say and how they overlap: in order of starts, at their own times."""
        said = [_scripts(own, n) for n, own in enumerate(spans)]
        work, messages = scripted(said, n_blocks)
        work()
        result = segments(messages)
        starts = [s.start_s for s in result]
        assert starts == sorted(starts)
        expected = [
            (f"S{n + 1}", 60.0 * block + s.start_s, 60.0 * block + s.end_s, s.text)
            for block in range(n_blocks)
            for n, own in enumerate(said)
            for s in own
        ]
        # Times of a later block are sums, which are rounded.
        got = [(s.speaker, round(s.start_s, 6), round(s.end_s, 6), s.text) for s in result]
        assert sorted(got) == sorted((w, round(a, 6), round(b, 6), t) for w, a, b, t in expected)
        for speaker in {s.speaker for s in result}:
            own_s = [t for s in result if s.speaker == speaker for t in (s.start_s, s.end_s)]
            assert own_s == sorted(own_s)

    def test_progress_counts_channels(self) -> None:
        """Half of the work of a block is half of it; a death goes back to where it began."""
        said = [[Progress(30.0), Segment(40.0, 60.0, "x")], [Segment(0.0, 60.0, "y")]]
        work, messages = scripted(said, 2)
        work()
        progress = [m for _, m in reports(messages, p.ProgressAdvanced)]
        done = [m.done_s for m in progress]
        assert done == sorted(done)
        assert {m.resume_s for m in progress if m.done_s < 59.0} == {0.0}
        assert 14.0 < done[0] < 16.0
        assert done[-1] == pytest.approx(120.0)
        assert {m.resume_s for m in progress} == {0.0, 60.0}
        sent = [m for _, m in reports(messages, p.SegmentsTranscribed)]
        assert [(m.index, len(m.segments), m.resume_s) for m in sent] == [(0, 2, 60.0), (2, 2, 120)]

    def test_withheld_text_comes_in_order_too(self) -> None:
        """With the block that it is of."""
        said = [
            [WithheldSegment(5.0, 6.0, "b", "no_voice")],
            [WithheldSegment(1.0, 2.0, "a", "no_voice")],
        ]
        work, messages = scripted(said)
        work()
        assert [m.withheld.text for _, m in reports(messages, p.TextWithheld)] == ["a", "b"]

    @pytest.mark.parametrize("where", [0, 1])
    def test_an_engine_that_fails_on_a_channel(self, where: int) -> None:
        """Its error is the recording's; nothing half is sent."""
        said: list[list[Any]] = [[Segment(0.0, 1.0, "x")], [Segment(0.0, 1.0, "y")]]
        said[where].append(EngineFailed("no"))
        work, messages = scripted(said)
        with pytest.raises(EngineFailed):
            work()
        assert segments(messages) == []

    def test_times_that_are_no_numbers(self) -> None:
        """They are an error of the engine."""
        work, _ = scripted([[Segment(float("nan"), 1.0, "x")], []])
        with pytest.raises(EngineFailed):
            work()


class TestGoingOn:
    def test_after_a_death_at_any_moment(self, tmp_path: Path) -> None:
        """What comes before it and after it is what would have come without it."""
        talk = conversation(14, overlap_s=0.6)
        path = stereo(tmp_path, talk, -15.0)
        whole = run(path, block_s=9.0)
        expected = [(s.speaker, s.text, s.start_s, s.end_s) for s in segments(whole)]
        assert len([1 for _ in reports(whole, p.SegmentsTranscribed)]) >= 3
        items: dict[p.Item, list[Segment]] = {}
        for n in range(len(whole)):
            recording = _after(whole[:n])
            item = p.Item(
                "r0",
                1,
                str(path),
                path.name,
                resume_from_s=recording.done_s,
                first_index=recording.n_segments,
                language=recording.language,
            )
            items[item] = segments(whole[:n])
        assert len(items) >= 4
        for item, before in items.items():
            assert item.first_index == len(before)
            after = run(path, item=item, block_s=9.0)
            rest = [m for _, m in reports(after, p.SegmentsTranscribed)]
            assert [m.index for m in rest][:1] in ([], [item.first_index])
            both = [*before, *(s for m in rest for s in m.segments)]
            assert [(s.speaker, s.text, s.start_s, s.end_s) for s in both] == expected

    @pytest.mark.parametrize("error", [OutOfMemory("too much"), EngineFailed("no")])
    def test_after_too_little_memory(self, tmp_path: Path, error: Exception) -> None:
        """It is tried in a smaller way from the block on that was under way."""
        talk = conversation(12)
        path = stereo(tmp_path, talk)
        Weak.fails[:] = [error]
        options = replace(SPEAKERS, batch_size=8)
        messages = run(path, options, engine="weak", block_s=9.0)
        assert Weak.fails == []
        if isinstance(error, OutOfMemory):
            check(talk, segments(messages))
        else:
            assert [m.error.code for _, m in reports(messages, p.RecordingFailed)]

    def test_a_cancel_at_any_moment(self, tmp_path: Path) -> None:
        """It ends as canceled, once, and what was sent is whole blocks."""
        talk = conversation(6)
        path = stereo(tmp_path, talk)
        n_messages = len(run(path, block_s=9.0))
        for n in range(1, n_messages - 2):
            messages = run(path, cancel_after=n, block_s=9.0)
            ends = [
                type(m) for _, m in reports(messages, p.RecordingCompleted, p.RecordingCanceled)
            ]
            assert ends == [p.RecordingCanceled]
            assert isinstance(messages[-1], p.BatchDone)


def _after(messages: Sequence[p.Message]) -> Recording:
    """The recording as it waits for another worker, after the first one said this and died."""
    recording = Recording("r0", "j0", 0, "talk.wav", "talk.wav", state=State.PREPARING)
    for _, report in reports(messages):
        recording = machine.step(recording, report, 1.0)
    return machine.step(replace(recording, state=State.RUNNING), machine.Requeued(), 1.0)
