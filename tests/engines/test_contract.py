"""What every engine promises, ours and those of other packages."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import HybridTranscribeError, InvalidRequest, ModelUnavailable
from hybrid_transcribe.interfaces import ClipDone, Engine, Language, LoadRequest, ModelFiles
from hybrid_transcribe.models import resolve
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.samples import sample
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment
from tests.engines.fakes import never

pytestmark = [pytest.mark.model, pytest.mark.slow]

#: Seconds of the sample that are transcribed: one window.
LENGTH_S = 11.0


def _request(engine: Engine) -> LoadRequest:
    can = engine.capabilities
    if can.sends_audio_to or can.needs_network:
        pytest.skip("it needs a network")
    if can.model_layout is None:
        return LoadRequest(ModelFiles(can.default_model), device="cpu")
    offline = Settings.load(offline=True)
    # Not every layout has the small one; any model shows the contract.
    for name in ("tiny.en", can.default_model):
        try:
            return LoadRequest(resolve(name, can.model_layout, offline), device="cpu")
        except ModelUnavailable as error:
            missing = str(error)
    pytest.skip(missing)


@pytest.fixture(params=ENGINES.names(), scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each registered engine in turn, loaded; those that cannot run here are skipped."""
    made = ENGINES.make(request.param)
    why_not = made.available(Settings())
    if why_not:
        pytest.skip(why_not)
    made.load(_request(made))
    yield made
    made.unload()


@pytest.fixture(scope="module")
def clip() -> Clip:
    """One window of English speech."""
    return Clip(decode_audio(str(sample()))[: int(LENGTH_S * RATE_HZ)], name="sample")


class TestEngineContract:
    def test_its_name_is_the_one_it_is_registered_under(self) -> None:
        """Names lead back to engines."""
        for name in ENGINES.names():
            assert ENGINES.get(name).name == name

    def test_times_rise_and_stay_inside_the_clip(self, engine: Engine, clip: Clip) -> None:
        """Segments never overlap and end no later than the audio."""
        found = [h for h in engine.transcribe(clip, Options(), never) if isinstance(h, Segment)]
        edges = [t for s in found for t in (s.start_s, s.end_s)]

        assert found
        assert edges == sorted(edges)
        assert edges[0] >= 0
        assert edges[-1] <= clip.duration_s

    def test_every_segment_says_something(self, engine: Engine, clip: Clip) -> None:
        """Blank segments reach nobody, and the words are those of the speech."""
        found = [h for h in engine.transcribe(clip, Options(), never) if isinstance(h, Segment)]

        assert all(s.text.strip() for s in found)
        assert "country" in " ".join(s.text for s in found).lower()

    def test_a_detected_language_comes_before_the_segments(
        self, engine: Engine, clip: Clip
    ) -> None:
        """Whoever shows text while it comes knows its language."""
        kinds = [type(h) for h in engine.transcribe(clip, Options(), never)]

        if Language in kinds:
            assert kinds.index(Language) < kinds.index(Segment)

    def test_cancelled_from_the_start_it_yields_nothing(self, engine: Engine, clip: Clip) -> None:
        """The question is asked before every yield."""
        assert list(engine.transcribe(clip, Options(), lambda: True)) == []

    def test_cancelled_in_between_it_stops(self, engine: Engine, clip: Clip) -> None:
        """Nothing comes after the cancel."""
        seen: list[object] = []
        run = engine.transcribe(clip, Options(), lambda: len(seen) > 0)
        for said in run:
            seen.append(said)

        assert len(seen) == 1

    def test_words_lie_in_order_inside_their_segment(self, engine: Engine, clip: Clip) -> None:
        """Where an engine can time words at all."""
        if not engine.capabilities.word_timestamps:
            pytest.skip("it cannot time words")
        options = Options(word_timestamps=True)
        found = [h for h in engine.transcribe(clip, options, never) if isinstance(h, Segment)]

        assert any(s.words for s in found)
        for segment in found:
            edges = [t for w in segment.words for t in (w.start_s, w.end_s)]
            assert edges == sorted(edges)
            assert all(segment.start_s <= t <= segment.end_s for t in edges)

    def test_an_unknown_language_is_the_callers_mistake(self, engine: Engine, clip: Clip) -> None:
        """And the message names it."""
        with pytest.raises(InvalidRequest, match="'xx'"):
            list(engine.transcribe(clip, Options(language="xx"), never))

    def test_a_clip_without_samples_is_no_error(self, engine: Engine) -> None:
        """It says nothing."""
        empty = Clip(np.zeros(0, dtype=np.float32))

        assert not [h for h in engine.transcribe(empty, Options(), never) if type(h) is Segment]

    def test_many_clips_are_each_answered_for(self, engine: Engine, clip: Clip) -> None:
        """One ClipDone or error a clip, and a bad one does not stop its neighbours."""
        clips = [(1, clip), (2, Clip(np.zeros(RATE_HZ, dtype=np.float32))), (3, clip)]
        told = list(engine.transcribe_many(clips, Options(), lambda _: False))

        assert sorted(k for k, h in told if isinstance(h, ClipDone)) == [1, 2, 3]
        assert {k for k, h in told if isinstance(h, Segment)} == {1, 3}

    def test_unloaded_it_refuses_and_loaded_again_it_works(
        self, engine: Engine, clip: Clip
    ) -> None:
        """Memory can be given back at any time between two clips."""
        engine.unload()
        with pytest.raises(HybridTranscribeError):
            list(engine.transcribe(clip, Options(), never))
        engine.unload()
        engine.load(_request(engine))

        assert list(engine.transcribe(clip, Options(), never))
