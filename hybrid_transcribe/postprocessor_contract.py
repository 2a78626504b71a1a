"""What every post-processor promises, as checks that any one can be put through.

Each promise is a function of a loaded post-processor, the audio and what is said in it; it raises
`BrokenPromise`. Authors call `check_postprocessor` in a test of theirs::

    from hybrid_transcribe.testing import check_postprocessor, tone

    def test_it_keeps_what_postprocessors_promise():
        check_postprocessor(MyStage(), tone(12.0))
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

import numpy as np

from hybrid_transcribe.config import Settings
from hybrid_transcribe.contract import BrokenPromise
from hybrid_transcribe.interfaces import (
    PostProcessor,
    PostProcessorCapabilities,
    Processed,
    Progress,
)
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment, Transcript, Word


def check_postprocessor(
    stage: PostProcessor,
    audio: Clip,
    transcript: Transcript | None = None,
    models: Mapping[str, Path] | None = None,
    settings: Settings | None = None,
) -> None:
    """Put a post-processor through everything that post-processors promise.

    ``transcript`` is what is said in ``audio``, with an id for each segment; None makes one up.
    ``models`` are the files of those that it names. Raises BrokenPromise, which lists all that is
    broken, and whatever loading raises.
    """
    text = made_up_transcript(audio) if transcript is None else transcript
    required = models or {}, settings or Settings()
    stage.load(*required)
    try:
        broken = [
            line for promise in STAGE_PROMISES if (line := _broken(promise, stage, audio, text))
        ]
        stage.unload()
        stage.unload()
        stage.load(*required)
        again = _broken(it_gives_one_document_at_its_end, stage, audio, text)
        broken += [f"Loaded again: {again}"] if again and not broken else []
    finally:
        stage.unload()
    if broken:
        raise BrokenPromise("\n".join(broken))


def made_up_transcript(audio: Clip) -> Transcript:
    """Six sentences, each a word for every half second, over the whole of a clip."""
    length_s = audio.duration_s / 6
    return Transcript(
        recording_id="r1",
        name=audio.name,
        segments=tuple(_made_up(n, n * length_s, (n + 1) * length_s) for n in range(6)),
        engine="made-up",
        model="made-up",
        language="en",
        duration_s=audio.duration_s,
    )


def _made_up(n: int, start_s: float, end_s: float) -> Segment:
    count = max(1, round((end_s - start_s) / 0.5))
    edges = [start_s + (end_s - start_s) * i / count for i in range(count + 1)]
    words = tuple(Word(a, b, f"word{n}{i}") for i, (a, b) in enumerate(pairwise(edges)))
    return Segment(start_s, end_s, " ".join(w.text for w in words), words, id=f"1.{n}")


def it_describes_what_it_does(stage: PostProcessor, audio: Clip, transcript: Transcript) -> None:
    """A name, what it needs, and one line where it cannot run."""
    if not isinstance(stage.name, str) or not stage.name:
        _fail(f"name is {stage.name!r}")
    can = stage.capabilities
    if not isinstance(can, PostProcessorCapabilities):
        _fail(f"capabilities are {can!r}")
    unknown = set(can.options) - set(Options.__dataclass_fields__)
    if unknown:
        _fail(f"it honours options that do not exist: {', '.join(sorted(unknown))}")
    if not 0.0 < can.share <= 100.0:
        _fail(f"its share of the work is {can.share!r}")
    why_not = stage.available(Settings())
    if why_not is not None and (not isinstance(why_not, str) or not why_not.strip()):
        _fail(f"available() answers {why_not!r}: None or one line are answers")


def it_gives_one_document_at_its_end(
    stage: PostProcessor, audio: Clip, transcript: Transcript
) -> None:
    """And nothing after it."""
    kinds = [type(event) for event in _processed(stage, audio, transcript)]
    if kinds.count(Document) != 1 or kinds[-1] is not Document:
        _fail(f"it yields {', '.join(kind.__name__ for kind in kinds) or 'nothing'}")


def its_segments_lie_in_order_inside_the_recording(
    stage: PostProcessor, audio: Clip, transcript: Transcript
) -> None:
    """By their beginnings: two people may speak at once."""
    segments = _document(stage, audio, transcript).segments
    starts = [segment.start_s for segment in segments]
    if starts != sorted(starts):
        _fail(f"segments are out of order: {starts}")
    for segment in segments:
        if not 0.0 <= segment.start_s <= segment.end_s <= audio.duration_s + 1e-6:
            _fail(f"a segment leaves the recording of {audio.duration_s} s: {segment!r}")
        edges = [t for word in segment.words for t in (word.start_s, word.end_s)]
        if edges != sorted(edges):
            _fail(f"words are out of order or overlap: {segment.words!r}")


def every_segment_keeps_its_id(stage: PostProcessor, audio: Clip, transcript: Transcript) -> None:
    """New ones have none yet, and no two share one."""
    before = {segment.id for segment in transcript.segments}
    ids = [segment.id for segment in _document(stage, audio, transcript).segments if segment.id]
    if len(ids) != len(set(ids)):
        _fail(f"two segments have the same id: {ids}")
    if not set(ids) <= before:
        _fail(f"it makes up ids: {sorted(set(ids) - before)}")
    if before and not ids:
        _fail("no segment has the id that it came with")


def nothing_that_was_said_is_lost(
    stage: PostProcessor, audio: Clip, transcript: Transcript
) -> None:
    """Where there was text there is text."""
    after = [s for s in _document(stage, audio, transcript).segments if s.text.strip()]
    for segment in transcript.segments:
        if not any(s.start_s < segment.end_s and segment.start_s < s.end_s for s in after):
            _fail(f"no text is left of {segment!r}")


def every_speaker_is_listed(stage: PostProcessor, audio: Clip, transcript: Transcript) -> None:
    """Once, in the order of their first words."""
    document = _document(stage, audio, transcript)
    listed = [speaker.id for speaker in document.speakers]
    if len(listed) != len(set(listed)):
        _fail(f"a speaker is listed twice: {listed}")
    spoken = {s.speaker for s in document.segments} | {
        word.speaker for segment in document.segments for word in segment.words
    }
    if not spoken - {None} <= set(listed):
        _fail(f"it does not list the speakers {sorted(filter(None, spoken - set(listed)))}")


def progress_rises_within_the_recording(
    stage: PostProcessor, audio: Clip, transcript: Transcript
) -> None:
    """In seconds of its audio."""
    done = [e.done_s for e in _processed(stage, audio, transcript) if isinstance(e, Progress)]
    if done != sorted(done) or any(not 0.0 <= d <= audio.duration_s + 1e-6 for d in done):
        _fail(f"progress goes {done}, of {audio.duration_s} s")


def canceled_from_the_start_it_gives_nothing(
    stage: PostProcessor, audio: Clip, transcript: Transcript
) -> None:
    """Not even what it has."""
    clips = iter(_clips(audio))
    events = list(stage.process(clips, transcript, Options(), lambda: True))
    if any(isinstance(event, Document) for event in events):
        _fail("it gives a document")
    if len(list(clips)) < _N_CLIPS - 1:
        _fail("it goes through the audio all the same")


def canceled_between_two_clips_it_stops(
    stage: PostProcessor, audio: Clip, transcript: Transcript
) -> None:
    """Where it reads the audio at all."""
    n_taken = 0

    def counted() -> Iterator[Clip]:
        nonlocal n_taken
        for clip in _clips(audio):
            n_taken += 1
            yield clip

    events = list(stage.process(counted(), transcript, Options(), lambda: n_taken >= 2))
    if n_taken < 2:
        return
    if n_taken > 3:
        _fail(f"canceled in the second clip, it takes {n_taken}")
    if any(isinstance(event, Document) for event in events):
        _fail("canceled, it gives a document")


def a_text_of_nothing_stays_one(stage: PostProcessor, audio: Clip, transcript: Transcript) -> None:
    """And is no error."""
    silent = replace(transcript, segments=())
    segments = _document(stage, audio, silent).segments
    if any(segment.text.strip() for segment in segments):
        _fail(f"of nothing it makes {segments!r}")


def it_leaves_the_audio_as_it_is(stage: PostProcessor, audio: Clip, transcript: Transcript) -> None:
    """Others hold the same array."""
    before = audio.samples.copy()
    _processed(stage, audio, transcript)
    if not np.array_equal(before, audio.samples):
        _fail("it changed the samples")


def the_same_again_gives_the_same(
    stage: PostProcessor, audio: Clip, transcript: Transcript
) -> None:
    """After a restart nobody has another name."""
    if _document(stage, audio, transcript) != _document(stage, audio, transcript):
        _fail("the second time it gives another document")


#: What a loaded post-processor keeps, and stays loaded.
STAGE_PROMISES: tuple[Callable[[PostProcessor, Clip, Transcript], None], ...] = (
    it_describes_what_it_does,
    it_gives_one_document_at_its_end,
    its_segments_lie_in_order_inside_the_recording,
    every_segment_keeps_its_id,
    nothing_that_was_said_is_lost,
    every_speaker_is_listed,
    progress_rises_within_the_recording,
    canceled_from_the_start_it_gives_nothing,
    canceled_between_two_clips_it_stops,
    a_text_of_nothing_stays_one,
    it_leaves_the_audio_as_it_is,
    the_same_again_gives_the_same,
)

#: In how many clips a post-processor gets the audio.
_N_CLIPS = 4


def _clips(audio: Clip) -> list[Clip]:
    edges = np.linspace(0, len(audio.samples), _N_CLIPS + 1).astype(int)
    return [
        replace(audio, samples=audio.samples[a:b], start_s=audio.start_s + a / RATE_HZ)
        for a, b in pairwise(edges.tolist())
    ]


def _processed(stage: PostProcessor, audio: Clip, transcript: Transcript) -> list[Processed]:
    return list(stage.process(iter(_clips(audio)), transcript, Options(), lambda: False))


def _document(stage: PostProcessor, audio: Clip, transcript: Transcript) -> Document:
    events = _processed(stage, audio, transcript)
    documents = [event for event in events if isinstance(event, Document)]
    return documents[0] if documents else _fail("it gives no document")


def _broken(
    promise: Callable[[PostProcessor, Clip, Transcript], None],
    stage: PostProcessor,
    audio: Clip,
    transcript: Transcript,
) -> str | None:
    try:
        # A copy each: one that writes into it must not hide that from the next.
        promise(stage, replace(audio, samples=audio.samples.copy()), transcript)
    except BrokenPromise as broken:
        return f"{promise.__name__}: {broken}"
    except Exception as error:
        return f"{promise.__name__}: it raised {type(error).__name__}: {error}"
    return None


def _fail(why: str) -> NoReturn:
    raise BrokenPromise(why)
