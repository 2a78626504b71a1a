"""An account of the sound that a file should hold and that could not be decoded."""

from __future__ import annotations

from dataclasses import dataclass

# A decoder may need so much of a stream that was cut out of another before it finds its way.
_WARM_UP_S = 0.3

# Damage that follows within this time is the same damage, in seconds.
_SAME_PLACE_S = 1.0

# A gap this near to damage comes of it: nobody paused the recording just there.
_BESIDE_S = 0.3


@dataclass(frozen=True, slots=True)
class Loss:
    """How much was lost, where first, in how many places; ``skipped_s`` has no time of its own."""

    seconds: float = 0.0
    first_s: float = 0.0
    places: int = 0
    skipped_s: float = 0.0


@dataclass(slots=True)
class _Place:
    start_s: float
    seconds: float

    @property
    def end_s(self) -> float:
        return self.start_s + self.seconds


class DamageLog:
    """Collects damage in the order of the file. Times are those of the recording."""

    def __init__(self) -> None:
        self._places: list[_Place] = []
        self._skipped_s = 0.0
        self._gap: _Place | None = None

    def miss(self, at_s: float, seconds: float) -> None:
        """A packet at ``at_s`` could not be decoded, or not well."""
        gap, self._gap = self._gap, None
        if gap is not None and at_s - gap.end_s < _BESIDE_S:
            self._add(gap.start_s, gap.seconds)
        self._add(at_s, seconds)

    def skip(self, at_s: float, seconds: float) -> None:
        """Bytes were passed over whose sound the clock does not count."""
        self._skipped_s += seconds
        self._places.append(_Place(at_s, seconds))

    def gap(self, at_s: float, seconds: float, *, is_damage: bool) -> None:
        """The clock goes on without sound, from ``at_s``. Damage beside it was its cause."""
        last = self._places[-1] if self._places else None
        if last is not None and at_s - last.end_s < _BESIDE_S:
            # What failed lies within the gap, unless it came out as sound.
            last.seconds = max(last.seconds, at_s + seconds - last.start_s)
        elif is_damage:
            self._add(at_s, seconds)
        else:
            self._gap = _Place(at_s, seconds)

    def loss(self, cut_s: float | None = None) -> Loss:
        """All of it.

        Not a moment at the beginning, before a decoder finds its way, nor the torn frame at the
        end of a recording that is cut off at ``cut_s``.
        """
        places = self._places
        if places and places[0].end_s <= _WARM_UP_S:
            places = places[1:]
        if places and cut_s is not None and places[-1].end_s >= cut_s:
            places = places[:-1]
        if not places:
            return Loss()
        seconds = sum(place.seconds for place in places)
        return Loss(seconds, places[0].start_s, len(places), self._skipped_s)

    def _add(self, at_s: float, seconds: float) -> None:
        last = self._places[-1] if self._places else None
        if last is not None and at_s - last.end_s < _SAME_PLACE_S:
            last.seconds += seconds
        else:
            self._places.append(_Place(at_s, seconds))
