"""For tests of your own: an engine that follows a script, a clock you turn, and tones to hear.

Nothing here needs a model. An engine of yours is tested like ours::

    from hybrid_transcribe.testing import check_engine, tone
    check_engine(MyEngine(), tone(3.0))

and the whole product around it, on a real worker process::

    with Service(journal=None, engines={"mine": "my_package:MyEngine"}) as service:
        service.submit("talk.wav", engine="mine").result()

`ScriptedEngine` does what its *model* says, which is a `Script` in JSON::

    script = Script(segment_s=1.0, fault="segv", at_s=3.0, only="poison")
    service.submit(paths, engine="scripted", model=script.model)

`ScriptedPostProcessor` does what the option *hotwords* says, which is a `StageScript` in JSON.
"""

from __future__ import annotations

import ctypes
import heapq
import itertools
import os
import signal
import threading
import time
import wave
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

import msgspec
import numpy as np

from hybrid_transcribe.contract import BrokenPromise, check_engine
from hybrid_transcribe.errors import EngineFailed, OutOfMemory
from hybrid_transcribe.interfaces import (
    Capabilities,
    Engine,
    EngineWarning,
    Heard,
    Language,
    Loaded,
    LoadRequest,
    PostProcessor,
    PostProcessorCapabilities,
    Processed,
    Progress,
)
from hybrid_transcribe.postprocessor_contract import check_postprocessor
from hybrid_transcribe.revision_types import Document
from hybrid_transcribe.types import (
    RATE_HZ,
    WHO_SPEAKS,
    Clip,
    Options,
    Segment,
    Speaker,
    Transcript,
    WithheldSegment,
    Word,
)

__all__ = [
    "FAULTS",
    "SCRIPTED",
    "SCRIPTED_STAGES",
    "BrokenPromise",
    "ManualClock",
    "Script",
    "ScriptedEngine",
    "ScriptedPostProcessor",
    "StageScript",
    "check_engine",
    "check_postprocessor",
    "tone",
    "write_wav",
]

#: What `Settings.engines` needs to make the scripted engine known.
SCRIPTED = {"scripted": "hybrid_transcribe.testing:ScriptedEngine"}

#: What `Settings.postprocessors` needs to make the scripted post-processor known.
SCRIPTED_STAGES = {"scripted-stage": "hybrid_transcribe.testing:ScriptedPostProcessor"}


@dataclass(frozen=True, slots=True)
class Script:
    """What a `ScriptedEngine` does.

    Attributes:
        segment_s: one segment for each so many seconds of audio.
        delay_s: real time each segment takes.
        load_s: real time loading takes.
        language: the language it "detects".
        fault: what goes wrong, see `FAULTS`; "" for nothing; "notice" and "withheld" for such an
            event before the first segment.
        at_s: when in the recording (for a fault in loading it does not matter).
        only: only in recordings whose name contains this.
        gate: a file: every segment waits until it exists, so that a test decides when.
        says: the text of each segment in turn; without any, or after the last one, it is the
            recording's name and the second.
        speakers: so many people speak in turn, called S1, S2 and so on; 0 tells nobody apart.
    """

    segment_s: float = 1.0
    delay_s: float = 0.0
    load_s: float = 0.0
    language: str = "en"
    fault: str = ""
    at_s: float = 0.0
    only: str = ""
    gate: str = ""
    says: tuple[str, ...] = ()
    speakers: int = 0

    @property
    def model(self) -> str:
        """The script as a model name."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, model: str) -> Script:
        """The script in a model name; the plain name "steady" is one without faults."""
        return msgspec.json.decode(model.encode(), type=cls) if model.startswith("{") else cls()


class ScriptedEngine(Engine):
    """Says the recording's name and the second it is at, or fails as its script wants."""

    name = "scripted"
    capabilities = Capabilities(
        options=frozenset({"language"}),
        word_timestamps=True,
        default_model="steady",
        devices=("auto", "cpu"),
    )

    def __init__(self) -> None:
        self.script = Script()

    def load(self, request: LoadRequest) -> Loaded:
        self.script = Script.of(request.model.name)
        time.sleep(self.script.load_s)
        if self.script.fault.startswith("load-"):
            FAULTS[self.script.fault.removeprefix("load-")]()
        return Loaded("cpu", "script")

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        script = self.script
        if canceled():
            return
        if options.language is None:
            yield Language(script.language, 0.9)
        if script.fault == "notice" and not canceled():
            yield EngineWarning("as the script says")
        if script.fault == "withheld":
            yield WithheldSegment(0.0, 0.5, "as the script says", "no_voice")
        start_s = 0.0
        while start_s < clip.duration_s - 1e-6:
            if canceled():
                return
            self._maybe_fail(clip, clip.start_s + start_s)
            self._wait()
            end_s = min(start_s + script.segment_s, clip.duration_s)
            yield _segment(clip, start_s, end_s, options, script)
            start_s = end_s

    def _wait(self) -> None:
        time.sleep(self.script.delay_s)
        while self.script.gate and not Path(self.script.gate).exists():
            time.sleep(0.005)

    def _maybe_fail(self, clip: Clip, now_s: float) -> None:
        script = self.script
        due = script.at_s <= now_s < script.at_s + script.segment_s
        if due and script.fault in FAULTS and script.only in clip.name:
            FAULTS[script.fault]()


def _segment(clip: Clip, start_s: float, end_s: float, options: Options, script: Script) -> Segment:
    now_s = clip.start_s + start_s
    n = round(now_s / script.segment_s)
    text = script.says[n] if n < len(script.says) else f"{clip.name} {now_s:g}"
    who = f"S{n % script.speakers + 1}" if script.speakers else None
    words = (Word(start_s, end_s, text, 1.0, who),) if options.word_timestamps else ()
    return Segment(start_s, end_s, text, words, avg_logprob=-0.1, no_speech_prob=0.0, speaker=who)


@dataclass(frozen=True, slots=True)
class StageScript:
    """What a `ScriptedPostProcessor` does.

    Attributes:
        speakers: segments are said by so many people in turn.
        delay_s: real time each clip of audio takes.
        fault: what goes wrong, see `FAULTS`; "nothing" gives no document, "notice" a warning.
        at_s: when in the recording it goes wrong.
        only: only in recordings whose name contains this.
        gate: a file: the work waits until it exists, so that a test decides when.
        is_deaf: a cancel is not looked at while it waits.
    """

    speakers: int = 2
    delay_s: float = 0.0
    fault: str = ""
    at_s: float = 0.0
    only: str = ""
    gate: str = ""
    is_deaf: bool = False

    @property
    def hotwords(self) -> str:
        """The script as the option of that name."""
        return msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, options: Options) -> StageScript:
        """The script in the options; without one it does its work and nothing else."""
        text = options.hotwords or ""
        return msgspec.json.decode(text.encode(), type=cls) if text.startswith("{") else cls()


class ScriptedPostProcessor(PostProcessor):
    """Says that people speak in turn, or fails as its script wants."""

    name: ClassVar[str] = "scripted-stage"
    capabilities: ClassVar[PostProcessorCapabilities] = PostProcessorCapabilities(
        options=frozenset({"hotwords", "diarize", *WHO_SPEAKS}), share=0.25
    )

    def process(
        self,
        audio: Iterable[Clip],
        transcript: Transcript,
        options: Options,
        canceled: Callable[[], bool],
    ) -> Iterator[Processed]:
        script = StageScript.of(options)
        for clip in audio:
            if canceled():
                return
            yield Progress(clip.start_s)
            if not self._wait(script, canceled):
                return
            self._maybe_fail(script, transcript, clip)
            yield Progress(clip.start_s + clip.duration_s)
        if canceled():
            return
        if script.fault == "notice":
            yield EngineWarning("as the script says")
        if script.fault != "nothing":
            yield _in_turn(transcript, options.speakers or script.speakers)

    def _wait(self, script: StageScript, canceled: Callable[[], bool]) -> bool:
        """False where it was canceled."""
        time.sleep(script.delay_s)
        while script.gate and not Path(script.gate).exists():
            if canceled() and not script.is_deaf:
                return False
            time.sleep(0.005)
        return True

    def _maybe_fail(self, script: StageScript, transcript: Transcript, clip: Clip) -> None:
        due = clip.start_s <= script.at_s < clip.start_s + clip.duration_s
        if due and script.fault in FAULTS and script.only in transcript.name:
            FAULTS[script.fault]()


def _in_turn(transcript: Transcript, n_speakers: int) -> Document:
    names = [f"S{n + 1}" for n in range(n_speakers)]
    segments = tuple(
        replace(segment, speaker=names[index % n_speakers])
        for index, segment in enumerate(transcript.segments)
    )
    present = names[: len(segments)]
    return Document(segments, tuple(Speaker(name) for name in present))


def _raise() -> None:
    raise EngineFailed("as the script says")


def _out_of_memory() -> None:
    raise OutOfMemory("as the script says")


def _allocate() -> None:
    # More than a process can address: no machine has it, and none is slowed down by the attempt.
    np.ones(2**50, dtype=np.float64)


def _segv() -> None:
    ctypes.string_at(0)


def _kill() -> None:
    # Windows has no SIGKILL; an exit without clean-up is as sudden.
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(137)


def _hang() -> None:
    # In native code with the interpreter's lock held: no Python thread can run any more.
    ctypes.PyDLL(None).sleep(3600)


def _sleep() -> None:
    # Deaf to cancel, but other threads of the worker go on.
    time.sleep(3600)


def _puts() -> None:
    print("a library printing with Python")
    libc = ctypes.CDLL(None)
    libc.puts(b"a library printing with C")
    libc.fflush(None)


#: What a script can let happen. ``load-`` before a name lets it happen while loading.
FAULTS: dict[str, Callable[[], None]] = {
    "raise": _raise,
    "oom": _out_of_memory,
    "allocate": _allocate,
    "segv": _segv,
    "kill": _kill,
    "hang": _hang,
    "sleep": _sleep,
    "puts": _puts,
}


@dataclass(order=True)
class _Alarm:
    at: float
    order: int
    action: Callable[[], None] = field(compare=False)
    canceled: bool = field(compare=False, default=False)

    def cancel(self) -> None:
        self.canceled = True


class ManualClock:
    """A `clock.Clock` that stands still until `advance` turns it.

    >>> clock = ManualClock()
    >>> clock.advance(5.0)
    >>> clock.monotonic()
    5.0
    """

    def __init__(self, wall: float = 1_700_000_000.0) -> None:
        self._now = 0.0
        self._wall = wall
        self._alarms: list[_Alarm] = []
        self._order = itertools.count()
        self._lock = threading.RLock()

    def monotonic(self) -> float:
        return self._now

    def wall(self) -> float:
        return self._wall + self._now

    def jump_wall(self, by_s: float) -> None:
        """The machine's date is set; no deadline may notice."""
        self._wall += by_s

    def call_later(self, delay_s: float, action: Callable[[], None]) -> _Alarm:
        with self._lock:
            alarm = _Alarm(self._now + delay_s, next(self._order), action)
            heapq.heappush(self._alarms, alarm)
        return alarm

    def advance(self, by_s: float) -> None:
        """Turn it forward; what becomes due happens in order, at its own time.

        Call it on the manager loop (``service.call(lambda room: clock.advance(5))``).
        """
        until = self._now + by_s
        while self._alarms and self._alarms[0].at <= until:
            alarm = heapq.heappop(self._alarms)
            self._now = max(self._now, alarm.at)
            if not alarm.canceled:
                alarm.action()
        self._now = until


def tone(seconds: float = 1.0, hz: float = 440.0, level: float = 0.3, name: str = "tone") -> Clip:
    """A sine as an engine would get it: float32, 16 kHz, peak ``level``."""
    t = np.arange(round(seconds * RATE_HZ), dtype=np.float64) / RATE_HZ
    return Clip((level * np.sin(2 * np.pi * hz * t)).astype(np.float32), 0.0, name)


def write_wav(path: Path, clip: Clip) -> Path:
    """A clip as a 16-bit wave file."""
    samples = np.clip(clip.samples * 32767, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(samples.tobytes())
    return path
