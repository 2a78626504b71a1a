"""The silence guard: text that an engine invents where nobody speaks is withheld.

Whisper writes "You", "Thank you." or loops of phrases over silence, noise and music. A voice
activity detector (Silero, which comes with faster-whisper) knows better, but hearing all of
a recording costs it 2.1-2.7 ms a second, 4 % of tiny's whole run. So it only hears where a
segment looks doubtful by its own statistics.

A segment that looks sound is never questioned, even over silence: with long pauses Whisper
gives real words times that are tens of seconds off (measured: a sentence spoken at 45.6 s
of a recording was stamped 30.0-36.0 s, in the middle of 40 s of silence).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.engines.listening.silero_vad import speech_probabilities
from hybrid_transcribe.types import RATE_HZ, Segment

Samples: TypeAlias = npt.NDArray[np.float32]

# Two steps of 16-bit audio: digital silence with or without dither. Speech 60 dB down still
# peaks 20 times higher, and is transcribed well.
SILENT_PEAK = 2 / 32768

# Above this probability the detector heard a voice. Over 762 segments of speech (131 clips in
# 10 languages, tiny.en and base), each heard alone, its highest frame was 0.77 or more (a hall
# with echo) and 0.87 or more in all but four. Over 65 whole clips it was 0.92 or more at 60 dB
# down (made louder first, see below), and 0.88 or more in noise as loud as the speech. Over 67
# clips without speech it was 0.66 or less: room noise 0.66, tones and chords 0.46, other noise
# 0.10. Only that room noise overdriven by 20 dB passes (0.79): text over it would be kept.
SPEECH_PROBABILITY = 0.7

# Standard deviation of the level of tenths of a second, in dB, below which audio is steady.
# Each of 131 clips of speech has more, most above 4.4; room noise has 1.2.
STEADY_DB = 3.0

# Whisper's own doubts. Of 1,483 segments of speech 58 are past any of them (or are stock
# phrases), which makes the guard cost 0.03 % (base) to 0.7 % (tiny.en) of the run; all 129
# inventions met over the 67 clips without speech are.
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

# Heard again where hearing goes on: the detector needs a moment to recognise a voice.
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


def steady(samples: Samples) -> bool:
    """True when the level hardly moves, as in noise or a hum: worth asking before decoding.

    Whisper tries noise again at every temperature, which takes some 20 times as long as the
    same length of speech. Only what is steady is heard first: of 131 clips of speech none is,
    and where one were, the detector would find its voice.
    """
    block = RATE_HZ // 10
    rows = samples[: len(samples) // block * block].reshape(-1, block)
    if len(rows) < 2:
        return False
    # The variance, without a copy of the recording in float64.
    squares = np.einsum("ij,ij->i", rows, rows, dtype=np.float64) / block
    power = np.maximum(squares - rows.mean(axis=1, dtype=np.float64) ** 2, 0.0)
    return bool(np.std(10 * np.log10(power + 1e-12)) < STEADY_DB)


class Guard:
    """Judges the segments of one clip, in order.

    ``hear`` maps samples (float32, mono, 16 kHz) to speech probabilities.
    """

    def __init__(
        self,
        samples: Samples,
        hear: Callable[[Samples], npt.NDArray[np.float32]] = speech_probabilities,
    ) -> None:
        self._samples = samples
        self._hear = hear
        self._claimed_s = 0.0
        self._withheld: list[Segment] = []
        # No voice between these: half an hour of noise is heard once, not once a segment.
        self._quiet_from_s = self._quiet_to_s = -1.0
        #: Seconds of audio the detector has heard so far.
        self.heard_s = 0.0

    def hears_nobody(self) -> bool:
        """True when the whole clip is steady and without a voice: decoding it gives nothing."""
        return steady(self._samples) and not self._voice_in(self._samples)

    def keeps(self, segment: Segment) -> bool:
        """False for text invented where nobody speaks."""
        if self._invented(segment):
            self._withheld.append(segment)
            return False
        self._claimed_s = segment.end_s
        return True

    def notice(self) -> str | None:
        """One line about what was withheld, None when nothing was."""
        if not self._withheld:
            return None
        first = self._withheld[0]
        return (
            f"Withheld {len(self._withheld)} segment(s) of text invented where nobody speaks: "
            f"{_shortened(first.text)!r} at {first.start_s:.1f} s"
            + (" and others" if len(self._withheld) > 1 else "")
        )

    def _invented(self, segment: Segment) -> bool:
        # Speech before this belongs to segments that were kept.
        start_s = max(segment.start_s - MARGIN_S, min(self._claimed_s, segment.start_s))
        end_s = segment.end_s + MARGIN_S
        if is_stock(segment.text):
            return not self._spoken(start_s, end_s)
        if not (doubtful(segment) or soundless(self._cut(segment.start_s, segment.end_s))):
            return False
        # Real words may be misplaced: only a window without a voice condemns them.
        return not self._spoken(start_s, end_s) and not self._spoken(
            end_s, segment.start_s + WINDOW_S
        )

    def _spoken(self, start_s: float, end_s: float) -> bool:
        known = self._quiet_from_s <= start_s <= self._quiet_to_s
        if known and end_s <= self._quiet_to_s:
            return False
        if known:
            start_s = max(start_s, self._quiet_to_s - _OVERLAP_S)
        if self._voice_in(self._cut(start_s, end_s)):
            return True
        if not known:
            self._quiet_from_s = start_s
        self._quiet_to_s = end_s
        return False

    def _voice_in(self, cut: Samples) -> bool:
        if soundless(cut):
            return False
        self.heard_s += len(cut) / RATE_HZ
        return bool(self._hear(loud_enough(cut)).max() >= SPEECH_PROBABILITY)

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


def doubtful(segment: Segment) -> bool:
    """True when the engine's own statistics say that the text may be invented."""
    return (
        _over(segment.no_speech_prob, NO_SPEECH_PROB)
        or _over(segment.compression_ratio, COMPRESSION_RATIO)
        or (segment.avg_logprob is not None and segment.avg_logprob < AVG_LOGPROB)
        # A temperature above zero means that the first attempt failed these same tests.
        or _over(segment.temperature, 0.0)
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
