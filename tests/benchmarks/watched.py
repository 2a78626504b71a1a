"""Engines that leave word: of when they heard something, and of how often they were loaded."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from hybrid_transcribe.interfaces import Heard, Loaded, LoadRequest
from hybrid_transcribe.testing import ScriptedEngine
from hybrid_transcribe.types import Clip, Options, Segment

#: Names the file to which `Counted` adds a line whenever a model is loaded.
LOADS = "HYBRID_TRANSCRIBE_TEST_LOADS"

#: What `Settings.engines` needs to make them known.
WATCHED = {name: f"tests.benchmarks.watched:{name.title()}" for name in ("timed", "counted")}


class Timed(ScriptedEngine):
    """Follows its script; the text of each segment is the time at which it was said."""

    name: ClassVar[str] = "timed"

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        for event in super().transcribe(clip, options, canceled):
            if isinstance(event, Segment):
                event = replace(event, text=f"{time.time():.4f}")
            yield event


class Counted(FasterWhisper):
    """faster-whisper, with a line in a file for each model it loads."""

    name: ClassVar[str] = "counted"

    def load(self, request: LoadRequest) -> Loaded:
        with Path(os.environ[LOADS]).open("a") as file:
            print(os.getpid(), request.model.name, file=file)
        return super().load(request)
