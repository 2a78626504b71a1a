"""Where to cut a recording: at pauses, into pieces that a trimmed window holds, without silence.

Each piece is heard as a clip of its own, with the silence that has to follow it, so 25 s are the
most. The fewer cuts the better the text, the shorter the pieces the quicker they are encoded: on
9 minutes of read speech (1,234 words, beam 1) pieces of up to 15, 20 and 24 s gave 139, 115 and
112 wrong words with base and 119, 115 and 118 with tiny.en, and tiny.en took 7.4, 7.1 and 8.5 s.
Pieces of 30 s leave no room for the silence and lose text (word error rates of 11-12 % against
5 %).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.common.disputed import (
    SHARE,
    SPEECH,
    Probabilities,
    with_disputed,
)
from hybrid_transcribe.engines.common.grouping import grouped
from hybrid_transcribe.engines.common.hallucinations import loud_enough
from hybrid_transcribe.engines.common.silero_vad import FRAME, speech_probabilities
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: Up to this length a clip is one piece, in seconds: the window is 30 s, and 5 s of silence and
#: a little room for the decoder's timestamps belong to it.
WHOLE_S = 24.0

#: Longest piece of what is cut.
PIECE_S = 20.0

#: A piece is not cut before this, so that few are short: each costs its silence besides.
LEAST_S = 10.0

#: Silence longer than this ends a piece; shorter silence is cheaper to hear than to cut out.
GAP_S = 4.0

#: Silence after which somebody may go on in another language, in seconds. Of 0.4 s and more, half
#: were within a sentence, whose parts alone were now and then taken for a related language.
TURN_S = 0.6

#: Kept around speech, which begins and ends softly.
PAD_S = 0.5

# Silero's own thresholds: a voice begins above the first and ends below the second.
_ON, _OFF = SPEECH, 0.35

_FRAME_S = FRAME / RATE_HZ

# Frames heard at a time, a minute, and before them those that tell the detector, which has a
# memory of its own, what was going on.
_AT_ONCE, _LEAD = 1875, 94

# A dip this short is no pause.
_PAUSE_S = 0.1

# Frames over which the detector is averaged where somebody never pauses.
_DIP = 5


@dataclass(frozen=True, slots=True)
class AudioPiece:
    """A stretch of a clip, in seconds. ``disputed``: the detector finds no speech in it.

    ``speech_s``: the time in which the detector finds speech, None where it was not measured.
    """

    start_s: float
    end_s: float
    disputed: bool = False
    speech_s: float | None = field(default=None, compare=False)


def pieces(
    samples: Samples,
    hear: Callable[[Samples], Probabilities] = speech_probabilities,
    *,
    always: bool = False,
    gap_s: float = GAP_S,
) -> Iterator[AudioPiece]:
    """Pieces of a clip in order, each as soon as it is known; none where nobody speaks.

    Nobody speaks where both the detector and the level say so, see `disputed`.

    ``hear`` gives the probability of speech for every 32 ms. Short clips are one piece as they
    are, unless silence is ``always`` to be left out. Silence longer than ``gap_s`` ends a piece.
    """
    duration_s = len(samples) / RATE_HZ
    if duration_s <= WHOLE_S and not always:
        yield AudioPiece(0.0, duration_s)
        return
    n_told = 0
    items: list[AudioPiece] = []
    for entry, detected in _heard_so_far(loud_enough(samples), hear):
        stretches = cut(entry, _end_s(entry, duration_s), gap_s)
        items = [_judged(item, entry, detected) for item in stretches]
        # What comes may belong to the last of them, and to no other.
        yield from items[n_told:-1]
        n_told = max(n_told, len(items) - 1)
    yield from items[n_told:]


def _end_s(probabilities: Probabilities, duration_s: float) -> float:
    return min(len(probabilities) * _FRAME_S, duration_s)


def _judged(piece: AudioPiece, probabilities: Probabilities, detected: Probabilities) -> AudioPiece:
    """The piece with its speech, disputed where most of that is none to the detector."""
    inside = slice(int(piece.start_s / _FRAME_S), int(piece.end_s / _FRAME_S) + 1)
    n_detected = (detected[inside] >= SPEECH).sum()
    n_raised = (probabilities[inside] != detected[inside]).sum()
    disputed = bool(n_detected < SHARE * (n_detected + n_raised))
    return replace(piece, disputed=disputed, speech_s=float(n_detected) * _FRAME_S)


def _heard_so_far(
    samples: Samples, hear: Callable[[Samples], Probabilities]
) -> Iterator[tuple[Probabilities, Probabilities]]:
    """Probabilities of all up to a point that moves on, so that nobody waits for the whole.

    First with disputed stretches as speech, then the detector's own.
    """
    entry, detected = np.zeros(0, dtype=np.float32), np.zeros(0, dtype=np.float32)
    while len(entry) * FRAME < len(samples):
        lead = min(_LEAD, len(entry))
        part = samples[(len(entry) - lead) * FRAME : (len(entry) + _AT_ONCE) * FRAME]
        event = np.asarray(hear(part), dtype=np.float32)[lead:]
        detected = np.concatenate([detected, event])
        entry = np.concatenate([entry, with_disputed(event, part[lead * FRAME :])])
        yield entry, detected


def cut(probabilities: Probabilities, duration_s: float, gap_s: float = GAP_S) -> list[AudioPiece]:
    """The pieces that these probabilities of speech, one for every 32 ms, suggest."""
    items: list[AudioPiece] = []
    for group in _groups(_spoken(probabilities), gap_s):
        items += _split(group, probabilities)
    return _padded(items, duration_s)


def _spoken(probabilities: Probabilities) -> list[AudioPiece]:
    """Stretches with a voice, dips bridged."""
    items: list[AudioPiece] = []
    start: int | None = None
    for i, probability in enumerate(probabilities):
        if start is None and probability >= _ON:
            start = i
        elif start is not None and probability < _OFF:
            items.append(AudioPiece(start * _FRAME_S, i * _FRAME_S))
            start = None
    if start is not None:
        items.append(AudioPiece(start * _FRAME_S, len(probabilities) * _FRAME_S))
    groups = grouped(items, lambda group, item: item.start_s - group[-1].end_s < _PAUSE_S)
    return [AudioPiece(group[0].start_s, group[-1].end_s) for group in groups]


def _groups(spoken: list[AudioPiece], gap_s: float) -> list[list[AudioPiece]]:
    """Stretches that are not parted by long silence."""
    return list(grouped(spoken, lambda group, item: item.start_s - group[-1].end_s <= gap_s))


def _split(group: list[AudioPiece], probabilities: Probabilities) -> list[AudioPiece]:
    """A group in pieces that are short enough."""
    start_s, end_s = group[0].start_s, group[-1].end_s
    pauses = [(a.end_s, b.start_s) for a, b in pairwise(group)]
    items: list[AudioPiece] = []
    while end_s - start_s > PIECE_S:
        pause = _longest(pauses, start_s)
        if pause is None:
            at_s = _quietest(probabilities, start_s + LEAST_S, start_s + PIECE_S)
            pause = (at_s, at_s)
        items.append(AudioPiece(start_s, pause[0]))
        start_s = pause[1]
    return [*items, AudioPiece(start_s, end_s)]


def _longest(pauses: list[tuple[float, float]], start_s: float) -> tuple[float, float] | None:
    """The longest pause within reach: most likely the end of a sentence."""
    within = [p for p in pauses if start_s + LEAST_S <= p[0] <= start_s + PIECE_S]
    return max(within, key=lambda p: (p[1] - p[0], p[0]), default=None)


def _quietest(probabilities: Probabilities, from_s: float, to_s: float) -> float:
    """Where somebody who never pauses most likely takes breath: the middle of the lowest dip."""
    first, last = int(from_s / _FRAME_S), int(to_s / _FRAME_S)
    smooth = np.convolve(probabilities[first:last], np.ones(_DIP) / _DIP, mode="valid")
    return (first + _DIP // 2 + int(np.argmin(smooth))) * _FRAME_S


def _padded(audio_pieces: list[AudioPiece], duration_s: float) -> list[AudioPiece]:
    """With a margin on both sides, where the neighbour leaves room for it."""
    padded: list[AudioPiece] = []
    for i, item in enumerate(audio_pieces):
        before_s = padded[-1].end_s if padded else 0.0
        after_s = audio_pieces[i + 1].start_s if i + 1 < len(audio_pieces) else duration_s
        gap_s = after_s - item.end_s
        end_s = min(item.end_s + min(PAD_S, max(gap_s, 0.0) / 2), duration_s)
        if i + 1 == len(audio_pieces):
            end_s = min(item.end_s + PAD_S, duration_s)
        padded.append(AudioPiece(max(item.start_s - PAD_S, before_s, 0.0), end_s))
    return padded
