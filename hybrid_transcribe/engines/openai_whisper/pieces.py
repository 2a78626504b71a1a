"""A window of the recording, and what openai-whisper finds in it."""

from __future__ import annotations

from dataclasses import dataclass

from hybrid_transcribe.types import RATE_HZ

#: Samples between two frames of the spectrogram, and frames of one window: 30 s.
FRAME_SAMPLES, WINDOW_FRAMES = 160, 3000


@dataclass(slots=True)
class WindowWord:
    """A word as the library times it, in seconds from the clip's start."""

    word: str
    start: float
    end: float
    probability: float


@dataclass(slots=True)
class WindowPiece:
    """One segment of a window, shaped for `SegmentNormalizer`; times in s from the clip's start."""

    start: float
    end: float
    tokens: list[int]
    text: str = ""
    words: list[WindowWord] | None = None
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    temperature: float | None = None

    @property
    def says_something(self) -> bool:
        """False for what is blank or takes no time."""
        return self.start != self.end and bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class WhisperWindow:
    """Frames ``seek`` to ``seek + size`` of the clip, at most 30 s of them."""

    seek: int
    size: int

    @property
    def start_s(self) -> float:
        return self.seek * FRAME_SAMPLES / RATE_HZ

    @property
    def length_s(self) -> float:
        return self.size * FRAME_SAMPLES / RATE_HZ

    @property
    def end_s(self) -> float:
        """Where it would end were it not cut short by the end of the audio."""
        return (self.seek + WINDOW_FRAMES) * FRAME_SAMPLES / RATE_HZ
