"""Who says what: the post-processor ``speakers``.

The sound goes by once, in parts of 30 s; what is kept of it are activity and embeddings, 5 MB an
hour. Everything is clustered at the end, so that labels do not depend on where clips begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.lookup import provider
from hybrid_transcribe.errors import HybridTranscribeError, ModelUnavailable
from hybrid_transcribe.interfaces import (
    EngineWarning,
    PostProcessor,
    PostProcessorCapabilities,
    Processed,
    Progress,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.speakers.attach import attach
from hybrid_transcribe.speakers.clustering import SpeakerLimits
from hybrid_transcribe.speakers.diarizer import Diarizer, diarized
from hybrid_transcribe.speakers.network import Floats
from hybrid_transcribe.speakers.turns import Diarization
from hybrid_transcribe.speakers.voices import LEAST_VOICE_S, recognized, voice_of
from hybrid_transcribe.types import (
    RATE_HZ,
    WHO_SPEAKS,
    Clip,
    KnownVoice,
    Options,
    Stage,
    Transcript,
)

SEGMENTATION, EMBEDDING = "pyannote-segmentation-3.0", "campplus-zh-en"

#: Sound that is analysed at once, in samples: after each part it may be canceled.
PART = 30 * RATE_HZ

#: Most that is listened to of a recording of a voice, in s.
MOST_VOICE_S = 120.0


class Speakers(PostProcessor):
    """Labels segments and words with who says them."""

    name: ClassVar[str] = "speakers"
    capabilities: ClassVar[PostProcessorCapabilities] = PostProcessorCapabilities(
        options=frozenset({"diarize", *WHO_SPEAKS}),
        models=(SEGMENTATION, EMBEDDING),
        needs_words=True,
        share=0.3,
        stage=Stage.IDENTIFYING_SPEAKERS,
    )

    def __init__(self) -> None:
        self._diarizer: Diarizer | None = None
        self._settings = Settings()

    def available(self, settings: Settings) -> str | None:
        """None where onnxruntime is installed."""
        return None if find_spec("onnxruntime") else UserMessage("speakers_need_onnxruntime")

    def load(self, models: Mapping[str, Path], settings: Settings) -> None:
        """Load both networks. Raises EngineUnavailable and ModelUnavailable."""
        self._settings = settings
        self._diarizer = Diarizer(_file(models[SEGMENTATION]), _file(models[EMBEDDING]))

    def process(
        self,
        audio: Iterable[Clip],
        transcript: Transcript,
        options: Options,
        canceled: Callable[[], bool],
    ) -> Iterator[Processed]:
        """The same text with its speakers, in more segments where they change within one."""
        assert self._diarizer is not None, "load() comes first"
        if not transcript.segments:
            # Nobody said anything: who speaks is of no use.
            yield Document()
            return
        voices: dict[str, Floats] = {}
        for person in options.voices or ():
            if canceled():
                return
            yield from self._learn(person, voices, canceled)
        analyzer = self._diarizer.analyzer()
        offset_s: float | None = None
        for start_s, samples in _parts(audio):
            if canceled():
                return
            offset_s = start_s if offset_s is None else offset_s
            analyzer.add(samples)
            yield Progress(start_s + len(samples) / RATE_HZ)
        if canceled():
            return
        diarization = _later(diarized(analyzer.finish(), limits_of(options)), offset_s or 0.0)
        names = recognized(diarization.voices, voices)
        document = attach(transcript.segments, diarization.turns, transcript.language, names)
        yield from _warnings(document, options, voices)
        yield document

    def _learn(
        self, person: KnownVoice, voices: dict[str, Floats], canceled: Callable[[], bool]
    ) -> Iterator[EngineWarning]:
        """Add a voice that is to be recognised; say so where its recording is of no use."""
        assert self._diarizer is not None
        try:
            parts = _beginning(self._decoded(person, canceled), MOST_VOICE_S)
            voice = voice_of(self._diarizer.analysis(parts))
        except (HybridTranscribeError, OSError) as error:
            yield EngineWarning(UserMessage("voice_unreadable", name=person.name, why=error))
            return
        if voice is None:
            message = UserMessage("voice_short", name=person.name, seconds=LEAST_VOICE_S)
            yield EngineWarning(message)
        else:
            voices[person.name] = voice

    def _decoded(self, person: KnownVoice, canceled: Callable[[], bool]) -> Iterable[Clip]:
        # What decodes is of this layer, and no part of a layer imports another.
        clips: Iterable[Clip] = provider("decode")(
            person.path, name=person.name, settings=self._settings, canceled=canceled
        )
        return clips

    def unload(self) -> None:
        """Give the networks' memory back."""
        self._diarizer = None


def limits_of(options: Options) -> SpeakerLimits:
    """How many speakers there may be."""
    if options.speakers is not None:
        return SpeakerLimits(options.speakers, options.speakers)
    return SpeakerLimits(options.min_speakers or 1, options.max_speakers)


def _file(model: Path) -> Path:
    """The network of a model: its file, or the one file in its folder. Raises ModelUnavailable."""
    if not model.is_dir():
        return model
    files = sorted(model.glob("*.onnx"))
    if not files:
        raise ModelUnavailable(UserMessage("damaged_speaker_model", file=model.name))
    return files[0]


def _parts(audio: Iterable[Clip]) -> Iterator[tuple[float, Floats]]:
    """Start (s) and samples of parts of 30 s at most."""
    for clip in audio:
        for at in range(0, len(clip.samples), PART):
            yield clip.start_s + at / RATE_HZ, clip.samples[at : at + PART]


def _beginning(audio: Iterable[Clip], most_s: float) -> Iterator[Floats]:
    remaining = int(most_s * RATE_HZ)
    for _, samples in _parts(audio):
        yield samples[:remaining]
        remaining -= len(samples)
        if remaining <= 0:
            return


def _later(diarization: Diarization, by_s: float) -> Diarization:
    """The same, with times from the start of the original recording."""
    turns = (
        replace(turn, start_s=turn.start_s + by_s, end_s=turn.end_s + by_s)
        for turn in diarization.turns
    )
    return replace(diarization, turns=tuple(turns))


def _warnings(
    document: Document, options: Options, voices: Mapping[str, Floats]
) -> Iterator[EngineWarning]:
    n = len(document.speakers)
    if not n:
        yield EngineWarning(UserMessage("speakers_none"))
        return
    least = options.speakers or options.min_speakers or 0
    if n < least:
        yield EngineWarning(UserMessage("speakers_fewer", n=n, least=least))
    names = {speaker.name for speaker in document.speakers}
    for name in voices:
        if name not in names:
            yield EngineWarning(UserMessage("voice_not_recognized", name=name))
