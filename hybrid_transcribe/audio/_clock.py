"""The container's clock: where each decoded frame belongs, and where nothing was recorded.

Frames follow each other sample by sample; their time stamps say where they really are. A frame
that is late by more than jitter has a gap before it (a muted track, a pause, lost packets),
which becomes silence. One that is early repeats what was heard, or belongs to another clock.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from av.audio.frame import AudioFrame

# Time stamps are rounded (to a millisecond in WebM) and clocks of sound cards drift. 0.1 s is
# where FFmpeg's own aresample begins to mend by hard steps (min_hard_comp).
TOLERANCE_S = 0.1

# A first frame this near to the beginning begins it: what is missing is an encoder's delay
# (2,112 samples of AAC at half the rate are 0.096 s, the first two frames of WMA 0.092 s).
START_TOLERANCE_S = 0.1

# Earlier by more than this is another clock, such as that of a second file behind the first.
_MOST_OVERLAP_S = 1.0

# Transport and program streams begin clocks anew at will; FFmpeg's command line, too, takes
# more than ten seconds (dts_delta_threshold) for a new clock, unless other streams waited.
_NEW_CLOCK_S = 10.0

# A gap up to this is believed whatever length the header states.
_ALWAYS_BELIEVED_S = 60.0


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing was recorded for so long, in seconds."""

    duration_s: float


@dataclass(frozen=True, slots=True)
class ClockRules:
    """How far a container's time stamps are to be believed, in seconds on its own clock.

    Attributes:
        origin_s: the time stamp that is 0 in the recording.
        end_s: where the header says that it all ends, None where it does not.
        most_s: no gap may end behind this time of the recording.
        restarts: clocks may begin anew in mid-stream.
        has_stamps: False where time stamps mean nothing, and samples are counted instead.
        first_only: the same behind the first frame, whose time stamp counts.
    """

    origin_s: float | None
    end_s: float | None
    most_s: float
    restarts: bool = False
    has_stamps: bool = True
    first_only: bool = False


class MediaClock:
    """Puts frames on the recording's clock.

    Attributes:
        start_s: time in the recording of the first sample; None before the first frame.
        position_s: where the next sample is expected.
        jumps: times of the recording at which time stamps were not followed.
    """

    def __init__(self, rules: ClockRules) -> None:
        self.start_s: float | None = None
        self.position_s = 0.0
        self.jumps: list[float] = []
        self._rules = rules
        self._origin_s = rules.origin_s
        self._other_s: float | None = None
        self._other_passed_s = self._other_step_s = 0.0

    def pass_by(self, stamp_s: float) -> None:
        """A packet of another stream (always the same one) comes along, in the file's order."""
        if self._other_s is not None:
            step_s = abs(stamp_s - self._other_s)
            self._other_passed_s += step_s
            self._other_step_s = max(self._other_step_s, step_s)
        self._other_s = stamp_s

    def at(self, stamp_s: float) -> float:
        """A time of the container's clock as one of the recording, as far as it is known now."""
        return stamp_s - (self._origin_s or 0.0)

    def follow(
        self, frames: Iterable[AudioFrame], on_gap: Callable[[float, float], None]
    ) -> Iterator[AudioFrame | Silence]:
        """The frames, and the silence that lies between them; what repeats is dropped.

        ``on_gap`` is told the place and the length of each gap, in seconds.
        """
        for frame in frames:
            duration_s = frame.samples / frame.sample_rate
            late_s = self._lateness(frame.time if self._is_stamped() else None)
            self._other_passed_s = self._other_step_s = 0.0
            if late_s > TOLERANCE_S:
                on_gap(self.position_s, late_s)
                yield Silence(late_s)
                self.position_s += late_s
            elif late_s < -max(TOLERANCE_S, duration_s / 2):
                continue
            self.position_s += duration_s
            yield frame

    def _is_stamped(self) -> bool:
        """Does the time stamp of the next frame count?"""
        return self._rules.has_stamps and not (self._rules.first_only and self.start_s is not None)

    def _lateness(self, stamp_s: float | None) -> float:
        """How much later than expected a frame is, in seconds; 0 where it is not to be believed."""
        if self.start_s is None or self._origin_s is None:
            self._begin(stamp_s)
            return 0.0
        if stamp_s is None:
            return 0.0
        late_s = stamp_s - self._origin_s - self.position_s
        if -_MOST_OVERLAP_S <= late_s <= TOLERANCE_S or self._believes(late_s, stamp_s):
            return late_s
        self._origin_s += late_s
        self.jumps.append(self.position_s)
        return 0.0

    def _begin(self, stamp_s: float | None) -> None:
        origin_s = self._origin_s
        if origin_s is None:
            origin_s = stamp_s or 0.0
        start_s = 0.0 if stamp_s is None else stamp_s - origin_s
        if start_s <= START_TOLERANCE_S or start_s > self._rules.most_s:
            # At the beginning, or at a time that no recording has.
            origin_s, start_s = origin_s + start_s, 0.0
        self._origin_s = origin_s
        self.start_s = self.position_s = start_s

    def _believes(self, late_s: float, stamp_s: float) -> bool:
        """Is this a gap, rather than another clock or a time stamp gone wrong?"""
        if late_s < 0 or self.position_s + late_s > self._rules.most_s:
            return False
        if self._rules.restarts:
            went_on = self._other_step_s < _NEW_CLOCK_S and self._other_passed_s > late_s / 2
            return late_s <= _NEW_CLOCK_S or went_on
        if late_s <= _ALWAYS_BELIEVED_S or self._rules.end_s is None:
            return True
        return stamp_s <= self._rules.end_s + _NEW_CLOCK_S
