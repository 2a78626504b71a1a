"""The silence guard: text that an engine makes up where nobody speaks is withheld.

Whisper writes "You", "Thank you." or loops of phrases over silence, noise and music. No witness
alone is believed: text goes only where the decoder doubts it by its own statistics, the detector
finds no voice, and the level does not rise over the noise floor as speech does, or the decoder
doubts it twice. What goes stays in ``Transcript.withheld`` with its reason.

The detector costs 1 ms a second, and is only run where the decoder doubts a segment. A segment
that looks sound is never questioned, even over silence: with long pauses Whisper gives real words
times that are tens of seconds off (measured: a sentence spoken at 45.6 s of a recording was
stamped 30.0-36.0 s, in the middle of 40 s of silence).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from hybrid_transcribe.engines.common.silero_vad import speech_probabilities
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import RATE_HZ, Segment, WithheldReason, WithheldSegment

Samples: TypeAlias = npt.NDArray[np.float32]

# Two steps of 16-bit audio: digital silence with or without dither. Speech 60 dB down still
# peaks 20 times higher, and is transcribed well.
SILENT_PEAK = 2 / 32768

# Above this probability the detector found a voice, see docs/detector-and-guard.md for how often
# it is right; below the second it is certain that there is none.
SPEECH_PROBABILITY, NO_VOICE_PROBABILITY = 0.7, 0.2

# The detector finds a voice where its probability stays up for so many frames (96 ms): single ones
# rise in melodies, knocks and at the beginning of a hum. Over 159 stretches of 0.6 and 1 s from a
# telephone line none was lost by it; of 174 clips without speech 1 is above 0.7 instead of 6.
HELD_FRAMES = 3

# A phrase of Whisper's own that its statistics doubt so many times needs a voice for so many frames
# (a quarter of a second, the shortest of them takes that long): of 522 clips without speech one, a
# melody in which the detector found a voice for 0.13 s, had kept "I'm sorry." at temperature 1.
MOST_DOUBTS, SAID_FRAMES = 3, 8

# Frames after which the detector has settled where a steady sound begins at once, half a second.
_SETTLED = 16

# Speech rises over the noise floor by more than this (dB): its loudest tenth of a second.
RISE_DB = 9.0

# Standard deviation of the level of tenths of a second, in dB, below which audio is steady.
# Each of 131 clips of speech has more, most above 4.4; room noise has 1.2.
STEADY_DB = 3.0

# Whisper's own doubts. Of 1,483 segments of speech 58 are past any of them (or are stock
# phrases); all 129 made-up ones met over 67 clips without speech are.
NO_SPEECH_PROB = 0.5
AVG_LOGPROB = -0.8
COMPRESSION_RATIO = 2.2

# Whisper's times are often this much off.
MARGIN_S = 0.5

# Whisper decodes windows of this length, and misplaces text within one.
WINDOW_S = 30.0

# The detector misses speech 50 dB down unless it is made louder: its loudest tenth of a second
# is brought to this root mean square where it lies below the second figure.
_LOUD_RMS, _QUIET_RMS = 0.1, 0.03

# Seconds around a segment in which the noise floor is looked for.
AROUND_S = 5.0

# Looked at again where the detector goes on: the detector needs a moment to recognise a voice.
_OVERLAP_S = 1.0

# What Whisper is known to write over nothing, in the languages most used here. A match only
# makes a segment doubtful; the detector decides.
_STOCK_LINES = """
you|thank you|thanks|thank you very much|thank you so much|thanks for watching|bye|bye bye
thank you for watching|please subscribe|subscribe|okay|oh|so|the end|i'm sorry|music
obrigado|obrigada|muito obrigado|tchau|e aí|música|legendas pela comunidade amara org
legendas pela comunidade de amara org|inscreva se no canal|gracias|muchas gracias|adiós
subtítulos por la comunidad de amara org|subtítulos realizados por la comunidad de amara org
gracias por ver el video|suscríbete|merci|merci d'avoir regardé cette vidéo|musique
sous titres réalisés par la communauté d'amara org|sous titrage st' 501|vielen dank|danke
untertitel der amara org community|untertitelung des zdf 2020|musik|grazie|tschüss
sottotitoli creati dalla comunità amara org|sottotitoli e revisione a cura di qtss
продолжение следует|спасибо за просмотр|субтитры сделал dimatorzok
ご視聴ありがとうございました|시청해주셔서 감사합니다|謝謝觀看|谢谢观看
"""
STOCK = frozenset(_STOCK_LINES.strip().replace("\n", "|").split("|"))


def soundless(samples: Samples) -> bool:
    """True when there is no sound at all, so that no engine need be asked."""
    if len(samples) == 0:
        return True
    return bool(max(samples.max(), -samples.min()) <= SILENT_PEAK)


def levels_db(samples: Samples) -> npt.NDArray[np.float64]:
    """The level of every whole tenth of a second in dB, without direct current."""
    block = RATE_HZ // 10
    rows = samples[: len(samples) // block * block].reshape(-1, block)
    # The variance, without a copy of the recording in float64.
    squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64) / block
    power = np.maximum(squares - rows.mean(axis=1, dtype=np.float64) ** 2, 0.0)
    return np.asarray(10 * np.log10(power + 1e-12))


def steady(samples: Samples) -> bool:
    """True when the level hardly moves, as in noise or a hum: worth a look before decoding.

    Whisper tries noise again at every temperature, which takes some 20 times as long as the
    same length of speech. Only what is steady is looked at first: of 131 clips of speech none is,
    and where one were, the detector would find its voice.
    """
    levels = levels_db(samples)
    return len(levels) > 1 and bool(np.std(levels) < STEADY_DB)


class HallucinationFilter:
    """Judges the segments of one clip, in order.

    ``detect`` maps samples (float32, mono, 16 kHz) to speech probabilities.
    """

    def __init__(
        self,
        samples: Samples,
        detect: Callable[[Samples], npt.NDArray[np.float32]] = speech_probabilities,
    ) -> None:
        self._samples = samples
        self._detect = detect
        self._claimed_s = 0.0
        #: What was withheld so far.
        self.withheld: list[WithheldSegment] = []
        # The highest probability between two times, which is below that of speech: half an hour
        # of noise is looked at once, not once a segment.
        self._quiet_from_s = self._quiet_to_s = -1.0
        self._quiet_probability = 0.0
        #: Seconds of audio the detector has looked at so far.
        self.detected_s = 0.0

    def nobody_speaks(self) -> bool:
        """True when the whole clip is steady and without a voice: decoding it gives nothing."""
        if not steady(self._samples):
            return False
        return self._probability(self._samples, _SETTLED) < SPEECH_PROBABILITY

    def check(self, segment: Segment) -> Segment | WithheldSegment:
        """The segment, or what is withheld of text made up where nobody speaks."""
        reason = self._reason(segment)
        if reason is None:
            self._claimed_s = segment.end_s
            return segment
        withheld = WithheldSegment(segment.start_s, segment.end_s, segment.text, reason)
        self.withheld.append(withheld)
        return withheld

    def notice(self) -> str | None:
        """One line about what was withheld, None when nothing was."""
        if not self.withheld:
            return None
        first = self.withheld[0]
        return UserMessage(
            "withheld", count=len(self.withheld), text=_shortened(first.text), at=first.start_s
        )

    def _reason(self, segment: Segment) -> WithheldReason | None:
        """Why the segment is made up; None where a witness speaks for it."""
        silent = soundless(self._cut(segment.start_s, segment.end_s))
        stock = is_stock(segment.text)
        n_doubts = doubts(segment) + stock
        if not n_doubts and not silent:
            return None
        # Speech before this belongs to segments that were kept.
        start_s = max(segment.start_s - MARGIN_S, min(self._claimed_s, segment.start_s))
        end_s = segment.end_s + MARGIN_S
        probability = self._highest(start_s, end_s)
        is_believable = not stock or n_doubts <= MOST_DOUBTS
        if probability >= SPEECH_PROBABILITY and (is_believable or self._is_said(start_s, end_s)):
            return None
        # Real words may be misplaced: only a window without a voice condemns them.
        if not stock and self._highest(end_s, segment.start_s + WINDOW_S) >= SPEECH_PROBABILITY:
            return None
        if silent:
            return "no_sound"
        certain = probability < NO_VOICE_PROBABILITY or not self._rises(start_s, end_s)
        return "no_voice" if certain or n_doubts > 1 else None

    def _is_said(self, start_s: float, end_s: float) -> bool:
        """True where the detector finds a voice for as long as a phrase takes."""
        probabilities = self._detect(loud_enough(self._cut(start_s, end_s)))
        return held(probabilities, SAID_FRAMES) >= SPEECH_PROBABILITY

    def _rises(self, start_s: float, end_s: float) -> bool:
        """True where the level rises over the noise floor as it does when somebody speaks."""
        levels = levels_db(self._cut(start_s, end_s))
        if not len(levels):
            return False
        around = levels_db(self._cut(start_s - AROUND_S, end_s + AROUND_S))
        return bool(levels.max() - np.percentile(around, 10) > RISE_DB)

    def _highest(self, start_s: float, end_s: float) -> float:
        """The highest probability of speech in a stretch."""
        is_known = self._quiet_from_s <= start_s <= self._quiet_to_s
        if is_known and end_s <= self._quiet_to_s:
            return self._quiet_probability
        from_s = max(start_s, self._quiet_to_s - _OVERLAP_S) if is_known else start_s
        probability = self._probability(self._cut(from_s, end_s))
        if probability >= SPEECH_PROBABILITY:
            return probability
        if is_known:
            probability = max(probability, self._quiet_probability)
        else:
            self._quiet_from_s = start_s
        self._quiet_to_s, self._quiet_probability = end_s, probability
        return probability

    def _probability(self, cut: Samples, skip: int = 0) -> float:
        if soundless(cut):
            return 0.0
        self.detected_s += len(cut) / RATE_HZ
        return held(self._detect(loud_enough(cut))[skip:])

    def _cut(self, start_s: float, end_s: float) -> Samples:
        return self._samples[max(0, int(start_s * RATE_HZ)) : max(0, int(end_s * RATE_HZ))]


def is_stock(text: str) -> bool:
    """True for a phrase Whisper is known to invent, for bracketed sounds and bare punctuation.

    >>> [is_stock(t) for t in (" Thank you.", " ...", " [Music]", " Thank you, Ana.")]
    [True, True, True, False]
    """
    bare = text.strip()
    if bare[:1] in "[(♪*" and bare[-1:] in "])♪*":
        return True
    words = "".join(c if c.isalnum() or c == "'" else " " for c in bare.lower())
    plain = " ".join(words.split())
    return not plain or plain in STOCK


def held(probabilities: npt.NDArray[np.float32], n_frames: int = HELD_FRAMES) -> float:
    """The highest probability that stays up for some frames; 0 where there are fewer."""
    if len(probabilities) < n_frames:
        return 0.0
    return float(sliding_window_view(probabilities, n_frames).min(axis=1).max())


def doubts(segment: Segment) -> int:
    """How many of the engine's own statistics say that the text may be made up."""
    return sum(
        (
            _over(segment.no_speech_prob, NO_SPEECH_PROB),
            _over(segment.compression_ratio, COMPRESSION_RATIO),
            segment.avg_logprob is not None and segment.avg_logprob < AVG_LOGPROB,
            # A temperature above zero means that the first attempt failed these same tests.
            _over(segment.temperature, 0.0),
        )
    )


def _over(value: float | None, limit: float) -> bool:
    return value is not None and value > limit


def loud_enough(samples: Samples) -> Samples:
    block = RATE_HZ // 10
    whole = samples[: len(samples) // block * block] if len(samples) >= block else samples
    rows = whole.reshape(-1, block) if len(samples) >= block else whole.reshape(1, -1)
    rms = float(np.sqrt(np.square(rows).mean(axis=1).max()))
    if rms >= _QUIET_RMS or rms == 0.0:
        return samples
    return np.asarray(samples * np.float32(_LOUD_RMS / rms), dtype=np.float32)


def _shortened(text: str) -> str:
    plain = text.strip()
    return plain if len(plain) <= 40 else plain[:39] + "…"
