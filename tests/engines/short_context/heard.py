"""What a real engine makes of real recordings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.types import Clip, Options, Segment


def heard_as(
    engine: FasterWhisper, paths: list[Path], context: str, beam_size: int = 1
) -> list[str]:
    """What the engine makes of each recording."""
    options = Options(
        language="en", beam_size=beam_size, context=context, silence_guard=False, temperature=(0.0,)
    )
    texts: list[list[str]] = [[] for _ in paths]
    for key, what in engine.transcribe_many(clips_of(paths), options, lambda _: False):
        assert not isinstance(what, Exception), what
        if isinstance(what, Segment):
            texts[key].append(what.text)
    return [" ".join(parts) for parts in texts]


def clips_of(paths: list[Path]) -> Iterator[tuple[int, Clip]]:
    """Recordings as `transcribe_many` wants them."""
    for key, path in enumerate(paths):
        for clip in decode(path, name=path.name, settings=Settings()):
            yield key, clip
