"""How far a transcript can be trusted, in one line for people."""

from __future__ import annotations

from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Segment

#: Whisper's own bound for text to be tried again: the mean natural log-probability of a token.
UNSURE_LOGPROB = -1.0

#: At such temperatures every surer attempt had failed.
UNSURE_TEMPERATURE = 0.8


#: Less speech (s) than this that the detector missed is nothing to speak of.
LEAST_MISSED_S = 3.0


class Confidence:
    """Counts segments that were kept, and those among them that are doubtful."""

    def __init__(self) -> None:
        self._kept = 0
        self._unsure: list[Segment] = []

    def add(self, segment: Segment) -> None:
        """Count a segment that was kept."""
        self._kept += 1
        if unsure(segment):
            self._unsure.append(segment)

    def notice(self) -> str | None:
        """What people should know, None when all is well."""
        if not self._kept:
            return UserMessage("no_speech")
        if not self._unsure:
            return None
        return UserMessage(
            "low_confidence", n=len(self._unsure), count=self._kept, at=self._unsure[0].start_s
        )


class MissedSpeech:
    """Counts what was said in stretches in which the voice detector found no speech."""

    def __init__(self) -> None:
        self._from_s = self._to_s = 0.0
        self._said_s = 0.0

    def look_at(self, start_s: float, end_s: float) -> None:
        """The detector found nothing in this stretch."""
        self._from_s, self._to_s = start_s, end_s

    def add(self, segment: Segment) -> None:
        """Count a segment that was kept, where it lies in the stretch."""
        start_s, end_s = max(segment.start_s, self._from_s), min(segment.end_s, self._to_s)
        self._said_s += max(end_s - start_s, 0.0)

    def notice(self) -> str | None:
        """One line for people, None where the detector missed next to nothing."""
        if self._said_s < LEAST_MISSED_S:
            return None
        return UserMessage("missed_speech", seconds=self._said_s)


def unsure(segment: Segment) -> bool:
    """True when the engine itself was not satisfied with the text."""
    probability, temperature = segment.avg_logprob, segment.temperature
    return (probability is not None and probability < UNSURE_LOGPROB) or (
        temperature is not None and temperature >= UNSURE_TEMPERATURE
    )
