"""What every engine promises, ours and those of other packages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from faster_whisper.audio import decode_audio

from hybrid_transcribe.config import Settings
from hybrid_transcribe.contract import PROMISES, unloaded_it_refuses
from hybrid_transcribe.errors import ModelUnavailable, UnknownModel
from hybrid_transcribe.interfaces import Engine, LoadRequest, ModelFiles
from hybrid_transcribe.models import resolve
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.samples import sample
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment
from tests.engines import moonshine
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
    for name in ("tiny.en", moonshine.NAME, can.default_model):
        try:
            return LoadRequest(resolve(name, can.model_layout, offline), device="cpu")
        except (ModelUnavailable, UnknownModel) as error:
            missing = str(error)
    pytest.skip(missing)


@pytest.fixture(params=ENGINES.names(), scope="module")
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """Each registered engine in turn, loaded; those that cannot run here are skipped."""
    instance = ENGINES.make(request.param)
    why_not = instance.available(Settings())
    if why_not:
        pytest.skip(why_not)
    instance.load(_request(instance))
    yield instance
    instance.unload()


@pytest.fixture(scope="module")
def clip() -> Clip:
    """One window of English speech."""
    return Clip(decode_audio(str(sample()))[: int(LENGTH_S * RATE_HZ)], name="sample")


class TestEngineContract:
    @pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise.__name__)
    def test_it_keeps(
        self, engine: Engine, clip: Clip, promise: Callable[[Engine, Clip], None]
    ) -> None:
        """Each promise, as plug-in authors check theirs."""
        promise(engine, clip)

    def test_it_hears_what_is_said(self, engine: Engine, clip: Clip) -> None:
        """The words are those of the speech."""
        assert "country" in " ".join(s.text for s in _segments(engine, clip)).lower()

    def test_it_hears_nothing_in_silence(self, engine: Engine) -> None:
        """No text is invented."""
        assert _segments(engine, Clip(np.zeros(3 * RATE_HZ, dtype=np.float32))) == []

    def test_unloaded_it_refuses_and_loaded_again_it_works(
        self, engine: Engine, clip: Clip
    ) -> None:
        """Memory can be given back at any time between two clips."""
        unloaded_it_refuses(engine, clip)
        engine.unload()
        engine.load(_request(engine))

        assert _segments(engine, clip)


def _segments(engine: Engine, clip: Clip) -> list[Segment]:
    return [h for h in engine.transcribe(clip, Options(), never) if isinstance(h, Segment)]


def test_its_name_is_the_one_it_is_registered_under() -> None:
    """Names lead back to engines."""
    for name in ENGINES.names():
        assert ENGINES.get(name).name == name
