"""What decoding noticed: lines for people, and whether more than a little of the sound is missing.

Every line is a code and parameters of the catalogue in ``messages/``.
"""

from __future__ import annotations

from collections.abc import Sequence

from hybrid_transcribe.messages import UserMessage

#: A length in a header is rounded and encoders pad: less than this is not missing, in seconds.
CUT_LEAST_S, CUT_LEAST_SHARE = 0.5, 0.01

#: From here on a transcript is not complete: seconds, and share of the recording.
GONE_LEAST_S, GONE_LEAST_SHARE = 1.0, 0.02

#: Damage shorter than this is not heard by anyone, in seconds.
DAMAGE_LEAST_S = 0.05


class DecodeReport:
    """Collects what there is to say about one recording while it is decoded.

    Attributes:
        lines: English sentences for ``Transcript.warnings``, in the order they came up.
        incomplete: more than a little of the recording's sound is missing.
        offers_channels: it is measured whether each channel is one person, and said.
    """

    def __init__(self, *, offers_channels: bool = False) -> None:
        self.lines: list[str] = []
        self.incomplete = False
        self.offers_channels = offers_channels

    def add(self, line: str) -> None:
        """Say it, once."""
        if line not in self.lines:
            self.lines.append(line)

    def track(self, number: int, count: int, label: str, silent: Sequence[int]) -> None:
        """Which of several tracks is heard; ``silent`` are those that were passed over."""
        line = UserMessage("track_heard", n=number, most=count, text=label)
        if silent:
            line = UserMessage("track_heard_loud", n=number, most=count, text=label, names=silent)
        self.add(line)

    def inverted(self) -> None:
        """Two channels that would cancel each other."""
        self.add(UserMessage("inverted"))

    def one_person_each(self) -> None:
        """Each channel seems to be one person, and they were mixed."""
        self.add(UserMessage("channels_offered"))

    def quieter(self, decibels: float) -> None:
        """The recording goes beyond full scale."""
        self.add(UserMessage("made_quieter", n=round(decibels)))

    def louder(self, decibels: float) -> None:
        """The recording would drown in the steps of 16 bits."""
        self.add(UserMessage("made_louder", n=round(decibels)))

    def jump(self, at_s: float) -> None:
        """Time stamps that cannot be true are not followed."""
        self.add(UserMessage("clock_jump", at=at_s))

    def short_header(self) -> None:
        """The header's length was not believed."""
        self.add(UserMessage("short_header"))

    def cut(self, reached_s: float, promised_s: float) -> bool:
        """The file promises more than came; False, and nothing is said, where that is nothing."""
        missing_s = promised_s - reached_s
        if missing_s <= max(CUT_LEAST_S, CUT_LEAST_SHARE * promised_s):
            return False
        self.add(UserMessage("cut_short", at=reached_s, most=promised_s))
        self._miss(missing_s, promised_s)
        return True

    def broken_off(self, reached_s: float, usually_whole: bool) -> None:
        """The file ends in the middle of something; nobody knows how much there was.

        ``usually_whole``: files of its kind are closed when they are finished.
        """
        self.add(UserMessage("broken_off", at=reached_s))
        self.incomplete = self.incomplete or usually_whole

    def damage(self, lost_s: float, first_s: float, places: int, whole_s: float) -> None:
        """Stretches that could not be decoded; silence stands for them."""
        if lost_s < DAMAGE_LEAST_S:
            return
        seconds = max(lost_s, 0.1)
        if places == 1:
            self.add(UserMessage("damaged", seconds=seconds, at=first_s))
        else:
            self.add(UserMessage("damaged_often", seconds=seconds, n=places, at=first_s))
        self._miss(lost_s, whole_s)

    def _miss(self, missing_s: float, whole_s: float) -> None:
        if missing_s > max(GONE_LEAST_S, GONE_LEAST_SHARE * whole_s):
            self.incomplete = True
