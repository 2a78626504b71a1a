"""Every post-processor that is registered keeps what post-processors promise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.interfaces import (
    PostProcessor,
    PostProcessorCapabilities,
    Processed,
    Progress,
)
from hybrid_transcribe.registry import POSTPROCESSORS
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.testing import (
    BrokenPromise,
    ScriptedPostProcessor,
    check_postprocessor,
    tone,
)
from hybrid_transcribe.types import Clip, Options, Segment, Speaker, Transcript

#: Long enough for a sentence in each of its clips.
AUDIO = tone(12.0)


def test_the_scripted_one_keeps_its_promises() -> None:
    """What tests of the whole rely on."""
    check_postprocessor(ScriptedPostProcessor(), AUDIO)


class Sound(PostProcessor):
    """Keeps every promise; each of the others breaks one."""

    name: ClassVar[str] = "sound"
    capabilities: ClassVar[PostProcessorCapabilities] = PostProcessorCapabilities()

    def process(
        self,
        audio: Iterable[Clip],
        transcript: Transcript,
        options: Options,
        canceled: Callable[[], bool],
    ) -> Iterator[Processed]:
        for clip in audio:
            if canceled():
                return
            yield Progress(clip.start_s)
        yield self.document(transcript)

    def document(self, transcript: Transcript) -> Document:
        return Document(transcript.segments)


class Nameless(Sound):
    name: ClassVar[str] = ""


class Wishful(Sound):
    capabilities: ClassVar[PostProcessorCapabilities] = PostProcessorCapabilities(
        options=frozenset({"wings"})
    )


class Weightless(Sound):
    capabilities: ClassVar[PostProcessorCapabilities] = PostProcessorCapabilities(share=0.0)


class Wordless(Sound):
    def available(self, settings: Settings) -> str | None:
        return " "


class Twice(Sound):
    def process(self, *arguments: Any) -> Iterator[Processed]:
        for event in super().process(*arguments):
            yield event
            if isinstance(event, Document):
                yield event


class Backwards(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(transcript.segments[::-1])


class Endless(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(tuple(replace(s, end_s=99.0) for s in transcript.segments))


class Renaming(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(tuple(replace(s, id=f"x{s.id}") for s in transcript.segments))


class Anonymous(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(tuple(replace(s, id="") for s in transcript.segments))


class Repeating(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(tuple(replace(s, id="1.0") for s in transcript.segments))


class Losing(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(transcript.segments[1:])


class Unlisted(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(tuple(replace(s, speaker="S1") for s in transcript.segments))


class ListedTwice(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(transcript.segments, (Speaker("S1"), Speaker("S1")))


class Eager(Sound):
    def process(self, audio: Iterable[Clip], *arguments: Any) -> Iterator[Processed]:
        yield Progress(11.0)
        yield from super().process(audio, *arguments)


class Deaf(Sound):
    def process(self, audio: Iterable[Clip], *arguments: Any) -> Iterator[Processed]:
        for _ in audio:
            pass
        yield self.document(arguments[0])


class Inventing(Sound):
    def document(self, transcript: Transcript) -> Document:
        return Document(transcript.segments or (Segment(0.0, 1.0, "hello"),))


class Writing(Sound):
    def process(self, audio: Iterable[Clip], *arguments: Any) -> Iterator[Processed]:
        def silenced() -> Iterator[Clip]:
            for clip in audio:
                clip.samples[:] = np.float32(0.0)
                yield clip

        return super().process(silenced(), *arguments)


class Fickle(Sound):
    count = 0

    def document(self, transcript: Transcript) -> Document:
        Fickle.count += 1
        return Document(transcript.segments, (Speaker(f"S{Fickle.count}"),))


class Raising(Sound):
    def document(self, transcript: Transcript) -> Document:
        raise ValueError("not today")


BROKEN: dict[type[Sound], str] = {
    Nameless: "it_describes_what_it_does: name",
    Wishful: "it_describes_what_it_does: .*wings",
    Weightless: "it_describes_what_it_does: its share",
    Wordless: "it_describes_what_it_does: available",
    Twice: "it_gives_one_document_at_its_end: .*Document, Document",
    Backwards: "its_segments_lie_in_order.*: segments are out of order",
    Endless: "its_segments_lie_in_order.*: a segment leaves",
    Renaming: "every_segment_keeps_its_id: it makes up ids",
    Anonymous: "every_segment_keeps_its_id: no segment",
    Repeating: "every_segment_keeps_its_id: two segments",
    Losing: "nothing_that_was_said_is_lost",
    Unlisted: "every_speaker_is_listed: it does not list",
    ListedTwice: "every_speaker_is_listed: a speaker is listed twice",
    Eager: "progress_rises_within_the_recording",
    Deaf: "canceled_from_the_start_it_gives_nothing",
    Inventing: "a_text_of_nothing_stays_one",
    Writing: "it_leaves_the_audio_as_it_is",
    Fickle: "the_same_again_gives_the_same",
    Raising: "it raised ValueError: not today",
}


def test_a_sound_one_passes() -> None:
    """The one that all the others differ from."""
    check_postprocessor(Sound(), AUDIO)


@pytest.mark.parametrize("stage", BROKEN, ids=lambda stage: stage.__name__)
def test_a_broken_promise_is_named(stage: type[Sound]) -> None:
    """Each check can fail, and says which it was."""
    with pytest.raises(BrokenPromise, match=BROKEN[stage]):
        check_postprocessor(stage(), AUDIO)


def test_deaf_in_between_is_noticed() -> None:
    """One that looks at the first clip only goes on after a cancel in the second."""

    class FirstOnly(Sound):
        def process(self, audio: Iterable[Clip], *arguments: Any) -> Iterator[Processed]:
            if arguments[2]():
                return
            yield from Deaf().process(audio, *arguments)

    with pytest.raises(BrokenPromise, match="canceled_between_two_clips_it_stops"):
        check_postprocessor(FirstOnly(), AUDIO)


@pytest.mark.parametrize("name", POSTPROCESSORS.names())
def test_each_of_ours_can_be_listed(name: str) -> None:
    """It describes itself without a model, and says in one line why it cannot run."""
    stage = POSTPROCESSORS.make(name)
    assert stage.name == name
    why_not = stage.available(Settings())
    assert why_not is None or "\n" not in why_not


@pytest.mark.model
@pytest.mark.parametrize("name", POSTPROCESSORS.names())
def test_each_of_ours_keeps_its_promises(
    name: str, sample: Path, speaker_models: dict[str, Path]
) -> None:
    """With its real models, on speech."""
    stage = POSTPROCESSORS.make(name)
    why_not = stage.available(Settings())
    if why_not:
        pytest.skip(why_not)
    (speech,) = decode(sample, name="sample", settings=Settings())
    models = {model: speaker_models[model] for model in stage.capabilities.models}
    check_postprocessor(stage, speech, models=models)
